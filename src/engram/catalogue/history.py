"""What became of a session in the catalogue: which change added, corrected or removed what of it."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from sqlalchemy import Connection, Table, select

from engram.catalogue.names import escaped, unescaped
from engram.catalogue.tables import whole_schema
from engram.catalogue.tables.animals import PERSON, PROJECT
from engram.catalogue.tables.behaviour import ARENA, LIGHT
from engram.catalogue.tables.changes import CHANGE, EDIT
from engram.catalogue.tables.sessions import ROOM, SESSION, SESSION_GROUP
from engram.catalogue.unit import row_name
from engram.model.counting import plural
from engram.model.errors import NotInCatalogue
from engram.model.reports import RowEdit, SessionChange

_Found: TypeAlias = Mapping[str, Any]
#: What a row of a session is called, and by which column; others are counted, not named.
_NOUNS = {
    "session": ("session", "session_name"),
    "session_folder": ("folder", "folder_path"),
    "recording": ("recording", "recording_name"),
    "task": ("task", "task_name"),
    "session_finding": ("finding", "finding_code"),
    "session_experimenter": ("experimenter", "person_id"),
    "session_project": ("project", "project_id"),
    "group_member": ("group", "group_id"),
}
_NAMED = (PERSON, PROJECT, ROOM, ARENA, LIGHT, SESSION_GROUP)
_AT_ONCE = 500


def history_of(connection: Connection, name: str) -> Iterator[SessionChange]:
    """Every change of a session and of what belongs to it, the oldest first. Raises `NotInCatalogue`."""
    number = connection.execute(select(SESSION.c.session_id).where(SESSION.c.session_name == escaped(name))).scalar()
    if number is None:
        raise NotInCatalogue("session", name, "See which there are: engram sessions list")
    reader = _Reader(connection, int(number))
    for table in whole_schema().sorted_tables:
        if "session_id" in table.c:
            reader.read(table)
    changes = select(CHANGE).where(CHANGE.c.change_id.in_(reader.changes)).order_by(CHANGE.c.change_id)
    for row in connection.execute(changes).mappings().all():
        yield SessionChange(
            session=name,
            made=row["change_made"],
            by=row["change_by"],
            command=row["change_command"],
            source=row["change_source"],
            why=row["change_why"],
            said=tuple(reader.said(row["change_id"])),
            edits=tuple(reader.edits[row["change_id"]]),
        )


class _Reader:
    """What changed of one session, by change."""

    def __init__(self, connection: Connection, session: int) -> None:
        self._connection = connection
        self._session = session
        self._names = {next(iter(table.primary_key)).name: dict(self._every(table)) for table in _NAMED}
        self._told: dict[int, list[str]] = defaultdict(list)
        self._counted: dict[int, Counter[tuple[str, str]]] = defaultdict(Counter)
        self.edits: dict[int, list[RowEdit]] = defaultdict(list)

    def _every(self, table: Table) -> Iterator[tuple[int, str]]:
        name = next(one for one in table.c if one.name.endswith("_name"))
        identity = next(iter(table.primary_key))
        for number, text in self._connection.execute(select(identity, name)):
            yield number, unescaped(text)

    @property
    def changes(self) -> set[int]:
        """The numbers of all of them."""
        return {*self._told, *self._counted}

    def said(self, change: int) -> Iterator[str]:
        """What a change did, in words."""
        yield from self._told[change]
        for (what, verb), count in sorted(self._counted[change].items()):
            yield f"{plural(count, what)} {verb}"

    def read(self, table: Table) -> None:
        """Take what happened to the rows of one table."""
        mine = select(table).where(table.c.session_id == self._session)
        there = (dict(row) for row in self._connection.execute(mine).mappings())
        rows: dict[str, dict[str, Any]] = {row_name(table, row): row for row in there}
        edits = [*self._edits(table, list(rows)), *self._removed(table)]
        for edit in edits:
            if edit["edit_action"] == "remove":
                rows.setdefault(edit["edit_row"], json.loads(edit["edit_was"]))
        added_in = next(column.name for column in table.c if column.name.endswith("_added_in"))
        for row in rows.values():
            self._note(row[added_in], table, row, "added")
        for edit in sorted(edits, key=lambda one: one["edit_id"]):
            self._edit(edit, table, rows[edit["edit_row"]])

    def _edits(self, table: Table, names: list[str]) -> Iterator[_Found]:
        for first in range(0, len(names), _AT_ONCE):
            some = EDIT.c.edit_row.in_(names[first : first + _AT_ONCE])
            found = select(EDIT).where(EDIT.c.edit_table == table.name, EDIT.c.edit_action == "edit", some)
            yield from map(dict, self._connection.execute(found).mappings())

    def _removed(self, table: Table) -> Iterator[_Found]:
        found = select(EDIT).where(EDIT.c.edit_table == table.name, EDIT.c.edit_action == "remove")
        for edit in self._connection.execute(found.order_by(EDIT.c.edit_id)).mappings():
            if json.loads(edit["edit_was"]).get("session_id") == self._session:
                yield dict(edit)

    def _edit(self, edit: _Found, table: Table, row: _Found) -> None:
        was, now = json.loads(edit["edit_was"]), json.loads(edit["edit_now"] or "{}")
        change, action = edit["change_id"], edit["edit_action"]
        self.edits[change].append(RowEdit(table=table.name, row=edit["edit_row"], action=action, was=was, now=now))
        if action == "remove":
            self._note(change, table, row, "removed")
        else:
            told = (f"{_plain(name)}: {self._shown(name, was[name])} → {self._shown(name, now[name])}" for name in now)
            self._note(change, table, row, "corrected", ", ".join(told))

    def _note(self, change: int, table: Table, row: _Found, verb: str, more: str = "") -> None:
        if table.name not in _NOUNS:
            self._counted[change][table.name, verb] += 1
            return
        noun, column = _NOUNS[table.name]
        self._told[change].append(f"{noun} {self._shown(column, row[column])} {verb}" + (f", {more}" if more else ""))

    def _shown(self, column: str, value: object) -> str:
        if value in (None, ""):
            return "nothing"
        names = self._names.get(column)
        return names.get(int(str(value)), str(value)) if names else unescaped(str(value))


def _plain(column: str) -> str:
    return column.removesuffix("_id").partition("_")[2].replace("_", " ") or column.removesuffix("_id")
