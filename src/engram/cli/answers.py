"""Answers of snapshots on the screen: a table for people, comma-separated values, or JSON lines."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from engram.cli.call import Call
from engram.cli.text import printable
from engram.workspace.snapshot_asking import Columns, Queryable, Row

#: The widths of a table are those of so many rows; wider cells that come later are cut.
_LOOKED_AT = 1000
_WIDEST = 60


def show_answer(call: Call, answer: Iterator[Columns | Row], *, as_csv: bool) -> None:
    """Show an answer as it comes; when nobody reads it any more, it is given up."""
    try:
        if as_csv:
            for line in csv_lines(answer):
                call.show_lines(line)
                if call.screen.closed:
                    break
        elif call.style.for_people:
            for line in people_lines(answer):
                call.screen.line(line)
                if call.screen.closed:
                    break
        else:
            call.show_records(answer, lambda _: "")
        call.screen.flush()
    finally:
        close = getattr(answer, "close", None)
        if close is not None:
            close()


def csv_lines(answer: Iterable[Columns | Row]) -> Iterator[str]:
    """The lines of a CSV file, without their ends; a value may hold line breaks."""
    for one in answer:
        cells = list(one.columns) if isinstance(one, Columns) else [_cell(value) for value in one.values.values()]
        file = io.StringIO()
        csv.writer(file, lineterminator="").writerow(cells)
        yield file.getvalue()


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def people_lines(answer: Iterator[Columns | Row]) -> Iterator[str]:
    """A table: numbers to the right, texts to the left, and how many rows it has."""
    columns: Mapping[str, str] = {}
    for one in islice(answer, 1):
        columns = one.columns if isinstance(one, Columns) else {}
    first = [_shown(one) for one in islice(answer, _LOOKED_AT) if isinstance(one, Row)]
    heads = [printable(column) for column in columns]
    right = [kind.startswith(("DECIMAL", "FLOAT", "DOUBLE")) or "INT" in kind for kind in columns.values()]
    widths = [min(_WIDEST, max([len(head), *(len(row[place]) for row in first)])) for place, head in enumerate(heads)]
    yield _line(heads, widths, [False] * len(heads))
    yield "  ".join("-" * width for width in widths)
    count = 0
    for row in first:
        count += 1
        yield _line(row, widths, right)
    for one in answer:
        count += 1
        yield _line(_shown(one), widths, right) if isinstance(one, Row) else ""
    yield f"{count} row{'' if count == 1 else 's'}"


def _shown(row: Row) -> list[str]:
    return [printable(_cell(value)) for value in row.values.values()]


def _line(cells: list[str], widths: list[int], right: list[bool]) -> str:
    cut = (cell if len(cell) <= width else f"{cell[: width - 1]}…" for cell, width in zip(cells, widths, strict=True))
    sides = zip(cut, widths, right, strict=True)
    return "  ".join(cell.rjust(width) if to_right else cell.ljust(width) for cell, width, to_right in sides).rstrip()


def table_lines(table: Queryable) -> Iterator[str]:
    """A table and its columns."""
    yield f"{table.name} ({printable(table.path)})" + ("" if table.is_here else " [its content is not here]")
    for column, kind in table.columns.items():
        yield f"  {printable(column)} {printable(kind)}"
