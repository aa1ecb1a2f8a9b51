"""Tables of subjects and probes, as labs keep them: columns by many names, and every cell that is wrong."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import isfinite
from typing import TypeAlias

from engram.model.errors import UsageError
from engram.model.nearest import nearest_of
from engram.model.outcome import Outcome, Status, failure

#: What a cell says.
Cell: TypeAlias = str | int | float | date | datetime
#: Reads a cell's text. Raises `ValueError`, which says what it should have been.
Reader: TypeAlias = Callable[[str], Cell]

_SEXES = {"f": "F", "female": "F", "m": "M", "male": "M", "u": "U", "unknown": "U", "o": "O", "other": "O"}


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a row can say."""

    name: str
    #: What its column can be called; lower case, words joined by ``_``.
    spellings: tuple[str, ...]
    reads: Reader


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a table is not taken."""

    #: As a spreadsheet counts: the heading is row 1.
    row: int
    #: As the table calls it; '' for the whole row.
    column: str
    message: str

    def outcome(self, action: str, path: str) -> Outcome:
        """The same, for the screen."""
        place = f"{path}, row {self.row}" + (f", column {self.column}" if self.column else "")
        error = UsageError(f"{self.message}.", "Nothing was taken from it. Mend all of these, then import it again.")
        return failure(error, action=action, item=place, status=Status.IMPOSSIBLE)


@dataclass(frozen=True, slots=True)
class Record:
    """One row, read."""

    row: int
    values: Mapping[str, Cell]


def text(cell: str) -> str:
    """A cell that is text."""
    return cell


def sex(cell: str) -> str:
    """F, M, U or O."""
    if cell.lower() not in _SEXES:
        raise ValueError("F, M, U (unknown) or O (other)")
    return _SEXES[cell.lower()]


def number(cell: str) -> float:
    """A finite number, with a point or a comma."""
    try:
        value = float(cell.replace(",", "."))
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise ValueError("a number")
    return value


def count(cell: str) -> int:
    """A whole number, 0 or more."""
    if not re.fullmatch("[0-9]{1,9}", cell):
        raise ValueError("a whole number")
    return int(cell)


def day_as(form: str | None) -> Callable[[str], date]:
    """Reads days: as 2020-01-31 or 20200131, or only in the *form* that the user says (`datetime.strptime`'s)."""

    def day(cell: str) -> date:
        try:
            if form:
                return datetime.strptime(cell, form).date()  # noqa: DTZ007  # a day has no zone
            return date.fromisoformat(cell.removesuffix(" 00:00:00").replace("/", "-"))
        except ValueError:
            wanted = f"a day written as {form}" if form else "a day written as 2020-01-31 (or say how: --date-format)"
            raise ValueError(wanted) from None

    return day


def moment_as(form: str | None) -> Callable[[str], datetime]:
    """Reads moments by the lab's clock: as 2020-01-31 14:30, or in the user's *form*; a day alone is its beginning."""

    def moment(cell: str) -> datetime:
        try:
            read = datetime.strptime(cell, form) if form else datetime.fromisoformat(cell)  # noqa: DTZ007  # as above
        except ValueError:
            wanted = form or "2020-01-31 14:30 (or say how: --date-format)"
            raise ValueError(f"a time written as {wanted}") from None
        return read.replace(tzinfo=None)

    return moment


def records(
    table: Sequence[Sequence[str]], fields: Sequence[Field], *, needed: Sequence[str], free: str = ""
) -> tuple[list[Record], list[Problem]]:
    """The rows of a table, and everything that is wrong with it. An empty cell says nothing.

    Args:
        table: the heading, then the rows.
        fields: what it may say.
        needed: the fields that each row must say.
        free: how the name of a column begins that any table may have: its field is called as the column.
    """
    if not table:
        return [], [Problem(1, "", "the table is empty")]
    columns, problems = _columns(table[0], fields, needed, free)
    if problems:
        return [], problems
    found = []
    for row, cells in enumerate(table[1:], start=2):
        if any(cell.strip() for cell in cells):
            values = dict(_values(row, cells, columns, problems))
            lacking = [Problem(row, _heading(columns, name), "it is empty") for name in needed if name not in values]
            problems += [one for one in lacking if (one.row, one.column) not in {(p.row, p.column) for p in problems}]
            found.append(Record(row, values))
    return found, problems


_Columns: TypeAlias = "list[tuple[str, Field | None]]"


def _columns(
    heading: Sequence[str], fields: Sequence[Field], needed: Sequence[str], free: str
) -> tuple[_Columns, list[Problem]]:
    by_spelling = {spelling: field for field in fields for spelling in field.spellings}
    columns: _Columns = []
    problems: list[Problem] = []
    said: dict[str, str] = {}
    for title in heading:
        word = plain(title)
        field = by_spelling.get(word)
        if field is None and free and word.startswith(free):
            field = Field(word, (word,), text)
        if field is None and word:
            problems.append(Problem(1, title, f"there is no such column{nearest_of(word, by_spelling)}"))
        elif field is not None and field.name in said:
            problems.append(Problem(1, title, f"it says the same as {said[field.name]}"))
        elif field is not None:
            said[field.name] = title
        columns.append((title, field))
    for name in needed:
        if name not in said:
            spellings = next(field.spellings for field in fields if field.name == name)
            problems.append(Problem(1, "", f"there is no column {' or '.join(spellings[:4])}"))
    return columns, problems


def plain(title: str) -> str:
    """A heading as `Field.spellings` has it.

    >>> plain(" Water-restriction number"), plain("DOB")
    ('water_restriction_number', 'dob')
    """
    return re.sub(r"[\s_\-./:()]+", "_", title.strip().lower()).strip("_")


def _values(row: int, cells: Sequence[str], columns: _Columns, problems: list[Problem]) -> Iterator[tuple[str, Cell]]:
    for (title, field), cell in zip(columns, cells, strict=False):
        if field is not None and cell.strip():
            try:
                yield field.name, field.reads(cell.strip())
            except ValueError as error:
                problems.append(Problem(row, title, f"{cell.strip()!r} is not {error}"))
    if any(cell.strip() for cell in cells[len(columns) :]):
        problems.append(Problem(row, "", "it has more cells than the heading"))


def _heading(columns: _Columns, name: str) -> str:
    return next(title for title, field in columns if field is not None and field.name == name)


def twice(found: Sequence[Record], key: Sequence[str]) -> Iterator[Problem]:
    """Rows that are about the same as one before."""
    seen: dict[tuple[Cell | None, ...], int] = {}
    for record in found:
        about = tuple(record.values.get(name) for name in key)
        if about in seen:
            said = " ".join(str(part) for part in about if part is not None)
            yield Problem(record.row, "", f"{said} stands in row {seen[about]} already")
        seen.setdefault(about, record.row)
