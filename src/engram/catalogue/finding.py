"""Finding files of sessions by a text in their paths."""

from collections.abc import Iterator

from sqlalchemy import Connection, select

from engram.catalogue.names import escaped, unescaped
from engram.catalogue.tables.recordings import FILE
from engram.catalogue.tables.sessions import SESSION


def files_with(connection: Connection, text: str) -> Iterator[tuple[str, str]]:
    """Session and path of each file that is there, whose path on its share holds a text; case does not count."""
    rows = select(SESSION.c.session_name, FILE.c.file_path).join(FILE, FILE.c.session_id == SESSION.c.session_id)
    holds = FILE.c.file_path.icontains(escaped(text), autoescape=True)
    found = rows.where(holds, FILE.c.file_state == "there").order_by(SESSION.c.session_name, FILE.c.file_path)
    for name, path in connection.execute(found):
        yield unescaped(name), unescaped(path)
