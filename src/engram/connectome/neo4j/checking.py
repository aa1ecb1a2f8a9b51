"""Whether ``neo4j-admin database import`` will take the files of a database, without a Neo4j.

Stricter than Neo4j where that passes over things in silence: rows that are too short, truths that are neither true nor
false, relationships whose ends are missing.

Source: https://neo4j.com/docs/operations-manual/current/tools/neo4j-admin/neo4j-admin-import/
"""

import csv
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from engram.connectome.neo4j.header import BadFile, Column, read_header
from engram.connectome.neo4j.rows import opened_rows
from engram.connectome.neo4j.sources import Sources
from engram.connectome.neo4j.values import check_value

#: Problems that are told of one file; the others are alike.
MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProblem:
    """Why a file would not be imported, or not as it is meant."""

    file: str
    #: From 1, the header's; 0 for the file as a whole.
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}{f', line {self.line}' if self.line else ''}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the files hold."""

    #: Nodes by label, and relationships by type.
    nodes: Counter[str] = field(default_factory=Counter)
    relationships: Counter[str] = field(default_factory=Counter)
    problems: list[ImportProblem] = field(default_factory=list)


def check_import(sources: Sources, folder: str, *, multiline: bool = False, version: str = "4.4") -> Checked:
    """Read every file, and say what is in them and what is wrong with them.

    Costs 1 to 2 µs a value on one core, and the memory of every node's id.

    Args:
        sources: which files there are.
        folder: what their paths are shown relative to.
        multiline: ``--multiline-fields`` is given: values may hold line breaks.
        version: of Neo4j, ``4.4`` or ``5``: they read headers with brackets differently.
    """
    checking = _Checking(folder, multiline, version)
    for path in sources.nodes:
        checking.nodes_of(path)
    for path, kind in sources.relationships:
        checking.relationships_of(path, kind)
    for path in sources.unknown:
        checking.complain(path, 0, "it is no file of a neuPrint database")
    return checking.found


def check_rows(
    path: str, folder: str, *, of_nodes: bool, multiline: bool = False, keep: list[list[str]] | None = None
) -> list[ImportProblem]:
    """What is wrong with the header, lines and values of one file, whatever other files hold.

    Args:
        keep: gets its rows, those that are whole.
    """
    checking = _Checking(folder, multiline, "4.4")
    checking.rows_of(path, of_nodes=of_nodes, keep=keep)
    return checking.found.problems


class _Checking:
    def __init__(self, folder: str, multiline: bool, version: str) -> None:
        self.found = Checked()
        self._version = version
        self._folder, self._multiline = folder, multiline
        #: The ids of each space.
        self._ids: dict[str, set[str]] = {}
        self._told: Counter[str] = Counter()

    def complain(self, path: str, line: int, message: str) -> None:
        """Note a problem of a file; not more than people read."""
        self._told[path] += 1
        if self._told[path] <= MOST_PROBLEMS:
            problem = ImportProblem(file=os.path.relpath(path, self._folder), line=line, message=message)
            self.found.problems.append(problem)

    def rows_of(self, path: str, *, of_nodes: bool, keep: list[list[str]] | None) -> None:
        """Look at a file alone."""
        for line, columns, cells in self._rows(path, of_nodes=of_nodes):
            if keep is not None:
                keep.append(cells)
            for column, cell in zip(columns, cells, strict=True):
                if column.kind in ("ID", "START_ID", "END_ID") and not cell:
                    self.complain(path, line, f"there is nothing under :{column.kind}")
                elif column.kind == "LABEL" and not all(cell.split(";")):
                    self.complain(path, line, "a label is empty")

    def nodes_of(self, path: str) -> None:
        """Look at a file of nodes."""
        for line, columns, cells in self._rows(path, of_nodes=True):
            for column, cell in zip(columns, cells, strict=True):
                if column.kind == "ID":
                    self._new_id(path, line, column.space, cell)
                elif column.kind == "LABEL":
                    labels = cell.split(";")
                    self.found.nodes.update(labels)
                    if not all(labels):
                        self.complain(path, line, "a label is empty")

    def _new_id(self, path: str, line: int, space: str, text: str) -> None:
        known = self._ids.setdefault(space, set())
        if not text:
            self.complain(path, line, "a node has no id")
        elif text in known:
            self.complain(path, line, f"the id {text} of the space {space} is there twice")
        known.add(text)

    def relationships_of(self, path: str, kind: str) -> None:
        """Look at a file of relationships."""
        count = 0
        for line, columns, cells in self._rows(path, of_nodes=False):
            count += 1
            for column, cell in zip(columns, cells, strict=True):
                if column.kind in ("START_ID", "END_ID") and cell not in self._ids.get(column.space, ()):
                    self.complain(path, line, f"there is no node {cell or '(empty)'} in the space {column.space}")
        self.found.relationships[kind] += count

    def _rows(self, path: str, *, of_nodes: bool) -> Iterator[tuple[int, tuple[Column, ...], list[str]]]:
        """The rows of a file that are whole, with the line that each ends in."""
        try:
            with opened_rows(path) as lines:
                header = next(lines, None)
                if not header:
                    raise BadFile("it has no header")
                columns = read_header(header, of_nodes=of_nodes, version=self._version)
                checked = [(place, column) for place, column in enumerate(columns) if column.is_property]
                yield from self._checked(path, lines, columns, checked)
        except BadFile as error:
            self.complain(path, 1, str(error))
        except csv.Error as error:
            self.complain(path, 1, f"it is no CSV: {error}")
        except (OSError, EOFError, UnicodeDecodeError) as error:
            self.complain(path, 0, f"it cannot be read: {error}")

    def _checked(
        self,
        path: str,
        lines: Iterator[list[str]],
        columns: tuple[Column, ...],
        checked: Sequence[tuple[int, Column]],
    ) -> Iterator[tuple[int, tuple[Column, ...], list[str]]]:
        line = 1
        try:
            for cells in lines:
                line += 1
                breaks = sum(cell.count("\n") for cell in cells)
                if breaks and not self._multiline:
                    self.complain(path, line, "a value holds a line break: import it with --multiline-fields=true")
                line += breaks
                if len(cells) != len(columns):
                    self.complain(path, line, f"{len(cells)} values stand under {len(columns)} columns")
                    continue
                for place, column in checked:
                    self._value(path, line, column, cells[place])
                yield line, columns, cells
        except csv.Error as error:
            self.complain(path, line + 1, f"it is no CSV: {error}")

    def _value(self, path: str, line: int, column: Column, text: str) -> None:
        if text:
            try:
                check_value(column, text)
            except BadFile as error:
                self.complain(path, line, f"{column.name}: {error}")
