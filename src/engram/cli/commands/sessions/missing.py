"""Tell what a person must still say of sessions, and hand it out as a table.

Tasks and their times, with arena, light and what stood there; who recorded, for which project; which apparatus an
arena is; of some recordings the implant; of clusterings who curated them, when, and with which other sessions. What
can be inferred stands there already. Fill the table in with any program, write yes into the column confirmed of what
is right, and give it back: engram sessions annotate TABLE.

    engram sessions missing
    engram sessions missing -o missing.csv
    engram sessions missing -o missing.xlsx
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.cli.text import printable, typed
from engram.model.counting import plural
from engram.workspace.annotation import Annotation

if TYPE_CHECKING:
    from engram.sessions.annotating import Row


@click.command(cls=Verb, help=__doc__)
@click.option("-o", "--output", metavar="TABLE", help="Write it there: .csv, .tsv or .xlsx.")
@click.pass_obj
def command(call: Call, *, output: str | None) -> None:
    annotation = call.open(Annotation)
    rows = annotation.missing()
    if output is not None:
        annotation.write(rows, output)
    lines = _Lines()
    call.show_blocks(rows, lines.of)
    if call.style.for_people and not call.style.quiet:
        call.show_lines("\n".join(_ending(rows, output)))


class _Lines:
    """A line for each row, below one for its session."""

    def __init__(self) -> None:
        self._session = ""

    def of(self, row: "Row") -> Iterator[str]:
        if row.session != self._session:
            self._session = row.session
            yield printable(row.session)
        about = f"{row.what} {row.item}".strip()
        yield f"  {printable(about)}: {printable(_known(row))}"


def _known(row: "Row") -> str:
    from engram.sessions.annotating import seconds

    times = "" if row.start_s is None else f", from {seconds(row.start_s)} s"
    times += "" if row.stop_s is None else f" to {seconds(row.stop_s)} s"
    return f"{row.value}{times} (to be confirmed)" if row.value else "?"


def _ending(rows: "list[Row]", output: str | None) -> Iterator[str]:
    if not rows:
        yield "Nothing is missing."
        return
    sessions = len({row.session for row in rows})
    yield f"{plural(len(rows), 'answer')} missing, of {plural(sessions, 'session')}"
    if output is None:
        yield "As a table to fill in: engram sessions missing -o missing.csv"
    else:
        yield f"Fill it in, then: engram sessions annotate {typed(output)}"
