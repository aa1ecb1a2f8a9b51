"""The same as a table: a column for each key, ``tasks.task_start``; a row says one more task of a session, or the like.

A session's rows follow one another: *location* is said again, or left empty; so is *subject*. Lists stand in one cell,
with ``;`` between. An empty cell says nothing.
"""

from collections.abc import Iterator, Mapping, Sequence

from engram.sessions.answers import nearest
from engram.sessions.massfile.keys import GROUP, SESSION, SUBJECT, Key, Kind
from engram.sessions.massfile.nodes import Listed, Mapped, Node, Problem, Text, Where

#: Columns of clustering of several sessions begin with it: ``group.curator``.
_GROUP = "group"
_FREE = "probe_association."
_SEPARATOR = ";"


def columns() -> dict[str, Key]:
    """Every column that a table may have, with its key; ``probe_association.PROBE`` beside them."""
    found = {"subject": SUBJECT[0], "datasource_id": SUBJECT[1], **dict(_below(SESSION, ""))}
    return {**found, **dict(_below(GROUP, f"{_GROUP}."))}


def _below(keys: Sequence[Key], above: str) -> Iterator[tuple[str, Key]]:
    for key in keys:
        if key.kind is not Kind.FREE and not (key.kind is Kind.BLOCKS and not key.inherits):
            yield f"{above}{key.name}", key
        yield from _below(key.keys, f"{above}{key.name}.")


def _at(row: int, column: str = "") -> Where:
    return Where(row, column, "row")


class _Table:
    """One list of entries in the making: keys so far, and the lists within."""

    def __init__(self, where: Where) -> None:
        self.where = where
        self.texts: dict[str, Node] = {}
        self.lists: dict[str, list[_Table]] = {}

    def mapped(self) -> Mapped:
        """As it would stand in a text."""
        entries: list[tuple[Text, Node]] = [(Text(name, node.where), node) for name, node in self.texts.items()]
        for name, tables in self.lists.items():
            where = tables[0].where if tables else self.where
            entries.append((Text(name, where), Listed(tuple(one.mapped() for one in tables), where)))
        return Mapped(tuple(entries), self.where)


def read_sheet(rows: Sequence[Sequence[str]]) -> tuple[list[Node], list[Problem]]:
    """The rows of a table, heading first, as the documents that they stand for; and what does not fit."""
    names = [name.strip() for name in rows[0]] if rows else []
    problems = list(_wrong_columns(names))
    if problems:
        return [], problems
    reader = _Reader(names)
    for number, row in enumerate(rows[1:], start=2):
        cells = {name: cell.strip() for name, cell in zip(names, row, strict=False) if name and cell.strip()}
        if any(cell.strip() for cell in row[len(names) :]):
            problems.append(Problem(_at(number), "", "it has more cells than the heading"))
        if cells:
            reader.row(number, cells)
    return [one.mapped() for one in reader.subjects.values()], problems + reader.problems


def _wrong_columns(names: Sequence[str]) -> Iterator[Problem]:
    known = columns()
    for name in dict.fromkeys(names):
        if name and name not in known and not (name.startswith(_FREE) and len(name) > len(_FREE)):
            near = nearest(name, known) or f"; there are {', '.join(known)}"
            yield Problem(_at(1, name), name, f"there is no such column{near}")
        elif name and names.count(name) > 1:
            yield Problem(_at(1, name), name, "the column is there twice")
    if "subject" not in names:
        yield Problem(_at(1, "subject"), "subject", "the column is missing")


class _Reader:
    """Takes one row after the other."""

    def __init__(self, names: Sequence[str]) -> None:
        self.subjects: dict[str, _Table] = {}
        self.problems: list[Problem] = []
        self._subject: _Table | None = None
        self._session: _Table | None = None
        self._group: _Table | None = None
        #: Lists that a session has, because there is a column of them, even if all its cells are empty.
        self._lists = {"tasks"} if any(name.startswith("tasks.") for name in names) else set()
        self._lists |= {"experimenter"} & set(names)

    def row(self, number: int, cells: Mapping[str, str]) -> None:
        """One row, without its empty cells."""
        self._begin_subject(number, cells)
        of_group = {name.partition(".")[2]: cell for name, cell in cells.items() if name.startswith(f"{_GROUP}.")}
        own = {name: cell for name, cell in cells.items() if not name.startswith(f"{_GROUP}.")}
        own = {name: cell for name, cell in own.items() if name not in ("subject", "datasource_id")}
        if self._subject is None:
            self._say(number, "subject", "it is empty, and no row above has one")
            return
        if of_group:
            self._begin_group(number, of_group, self._subject)
        if own:
            self._begin_session(number, own, self._subject)

    def _say(self, number: int, column: str, message: str) -> None:
        self.problems.append(Problem(_at(number, column), column, message))

    def _begin_subject(self, number: int, cells: Mapping[str, str]) -> None:
        if not (name := cells.get("subject", "")):
            return
        if name not in self.subjects:
            self.subjects[name] = _Table(_at(number))
        table = self.subjects[name]
        if table is not self._subject:
            self._subject, self._session, self._group = table, None, None
        where = _at(number, "subject")
        said: list[tuple[Text, Node]] = [(Text("name", where), Text(name, where))]
        if source := cells.get("datasource_id"):
            place = _at(number, "datasource_id")
            said.append((Text("datasource_id", place), Text(source, place)))
        if "subject" not in table.texts or len(said) > 1:
            table.texts["subject"] = Mapped(tuple(said), where)

    def _begin_session(self, number: int, cells: Mapping[str, str], subject: _Table) -> None:
        location = cells.get("location", "")
        before = self._session.texts.get("location") if self._session is not None else None
        if self._session is None or (location and isinstance(before, Text) and before.text != location):
            if not location:
                self._say(number, "location", "it is empty, and no row above has one")
                return
            self._session = _Table(_at(number))
            if "experimenter" in self._lists:
                self._session.texts["experimenter"] = Listed((), _at(number, "experimenter"))
            self._session.lists = {"tasks": []} if "tasks" in self._lists else {}
            subject.lists.setdefault("sessions", []).append(self._session)
        self._fill(number, cells, SESSION, "", self._session)

    def _begin_group(self, number: int, cells: Mapping[str, str], subject: _Table) -> None:
        name = cells.get("group_name", "")
        before = self._group.texts.get("group_name") if self._group is not None else None
        if self._group is None or (name and isinstance(before, Text) and before.text != name):
            self._group = _Table(_at(number))
            subject.lists.setdefault("clustering", []).append(self._group)
        self._fill(number, cells, GROUP, f"{_GROUP}.", self._group)

    def _fill(self, number: int, cells: Mapping[str, str], keys: Sequence[Key], above: str, into: _Table) -> None:
        """Put the cells of one row into an entry; those of a list within begin a new entry of that list."""
        for key in keys:
            column = f"{above}{key.name}"
            inner = {
                name.removeprefix(f"{key.name}."): cell
                for name, cell in cells.items()
                if name.startswith(f"{key.name}.")
            }
            if key.name in cells:
                self._put(number, column, key, cells[key.name], into)
            if inner and key.kind is Kind.FREE:
                self._put_free(number, column, inner, into)
            elif inner:
                self._fill_list(number, column, key, inner, into)

    def _fill_list(self, number: int, column: str, key: Key, cells: Mapping[str, str], into: _Table) -> None:
        entries = into.lists.setdefault(key.name, [])
        begins = any("." not in name for name in cells) or not entries
        if begins:
            entries.append(_Table(_at(number)))
        self._fill(number, cells, key.keys, f"{column}.", entries[-1])

    def _put(self, number: int, column: str, key: Key, cell: str, into: _Table) -> None:
        where = _at(number, column)
        node: Node = Text(cell, where)
        if key.kind is Kind.TEXTS:
            parts = (part.strip() for part in cell.split(_SEPARATOR))
            node = Listed(tuple(Text(part, where) for part in parts if part), where)
        before = into.texts.get(key.name)
        if before is not None and _said(before) not in ((), _said(node)):
            self.problems.append(Problem(where, column, f"{before.where} says something else"))
            return
        into.texts[key.name] = node

    def _put_free(self, number: int, column: str, cells: Mapping[str, str], into: _Table) -> None:
        before = into.texts.get(column)
        entries = dict(before.entries) if isinstance(before, Mapped) else {}
        known = {name.text: node for name, node in entries.items()}
        for name, cell in cells.items():
            where = _at(number, f"{column}.{name}")
            if name in known and _said(known[name]) != (cell,):
                self.problems.append(Problem(where, f"{column}.{name}", f"{known[name].where} says something else"))
            elif name not in known:
                entries[Text(name, where)] = Text(cell, where)
        into.texts[column] = Mapped(tuple(entries.items()), _at(number, column))


def _said(node: Node) -> tuple[str, ...]:
    """What a cell said, wherever it stands."""
    if isinstance(node, Text):
        return (node.text,)
    return tuple(one.text for one in node.items if isinstance(one, Text)) if isinstance(node, Listed) else ()
