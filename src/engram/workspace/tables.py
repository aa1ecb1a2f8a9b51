"""Tables that people fill in: CSV, TSV and Excel files, in and out. A cell is text, whatever a program makes of it."""

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from typing import Protocol

from engram import durable
from engram.model.errors import ExtraMissing, UsageError

_LARGEST_BYTES = 64 << 20
#: An .xlsx is a zip: so much may come of it, and so many times what it is.
_LARGEST_UNPACKED_BYTES, _LARGEST_RATIO = 512 << 20, 200
_LARGEST_ROWS, _LARGEST_COLUMNS = 1_000_000, 256
#: What a spreadsheet takes for a formula. In a CSV file such a cell gets an apostrophe, which is taken off again.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_DELIMITERS = ",;\t"


def read_table(path: str) -> list[list[str]]:
    """All rows of a table, the heading first; of an Excel file those of its one sheet that holds any.

    Numbers and dates of an Excel file are written as a person would: ``102``, ``2020-01-01 10:00:30``. Raises
    `UsageError` for what is no table, is too large, or holds a formula; `ExtraMissing` for Excel without its library.
    """
    try:
        size_bytes = os.stat(path).st_size
        if size_bytes > _LARGEST_BYTES:
            raise _not_a_table(path, f"it is larger than {_LARGEST_BYTES >> 20} MiB")
        if path.lower().endswith((".xlsx", ".xlsm")):
            return _read_excel(path)
        with open(path, "rb") as file:
            return _read_text(path, file.read(_LARGEST_BYTES + 1))
    except FileNotFoundError as error:
        raise UsageError(f"{path} is not there.", "Check its name, and the folder that it is named from.") from error
    except OSError as error:
        raise _not_a_table(path, f"it cannot be read ({error.strerror or error})") from error


def write_table(steps: durable.Steps, path: str, rows: Iterable[Sequence[str]]) -> None:
    """Put a table into a file: Excel where the name ends in ``.xlsx``, else CSV, tab-separated for ``.tsv``.

    It appears whole or not at all. Raises `StorageFailed`, `ExtraMissing`.
    """
    if path.lower().endswith(".xlsx"):
        data = _as_excel(rows)
    else:
        text = io.StringIO(newline="")
        separator = "\t" if path.lower().endswith(".tsv") else ","
        csv.writer(text, delimiter=separator, lineterminator="\r\n").writerows(map(_guarded, rows))
        data = b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "surrogateescape")  # Excel asks for the mark
    durable.replace(steps, path, data)


def _not_a_table(path: str, why: str) -> UsageError:
    return UsageError(
        f"{path} is no table: {why}.", "Save it as CSV (UTF-8) or .xlsx, then run the same command again."
    )


# --- text


def _read_text(path: str, data: bytes) -> list[list[str]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_a_table(path, f"its byte {error.start} is not UTF-8") from error
    if "\0" in text:
        raise _not_a_table(path, "it holds a zero byte")
    heading = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=heading.count)
    try:
        rows = [_plain(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)]
    except csv.Error as error:
        raise _not_a_table(path, f"it does not parse ({error})") from error
    return _bounded(path, rows)


def _guarded(row: Sequence[str]) -> list[str]:
    return [f"'{cell}" if _FORMULA.match(cell) else cell for cell in row]


def _plain(row: list[str]) -> list[str]:
    return [cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell for cell in row]


def _bounded(path: str, rows: list[list[str]]) -> list[list[str]]:
    if len(rows) > _LARGEST_ROWS:
        raise _not_a_table(path, f"it has more than {_LARGEST_ROWS} rows")
    if any(len(row) > _LARGEST_COLUMNS for row in rows):
        raise _not_a_table(path, f"it has more than {_LARGEST_COLUMNS} columns")
    return rows


# --- Excel


def _read_excel(path: str) -> list[list[str]]:
    from zipfile import BadZipFile, ZipFile  # here, because most tables are text

    try:
        with ZipFile(path) as archive:
            parts = archive.infolist()
    except BadZipFile as error:
        raise _not_a_table(path, "it is no Excel file") from error
    unpacked = sum(part.file_size for part in parts)
    if unpacked > min(_LARGEST_UNPACKED_BYTES, _LARGEST_RATIO * max(os.stat(path).st_size, 1)):
        raise _not_a_table(path, f"{unpacked} bytes would come of it")
    try:
        from openpyxl import DEFUSEDXML, load_workbook
    except ImportError as error:
        raise ExtraMissing("openpyxl", "pip install '.[lab]' in engram's clone") from error
    if not DEFUSEDXML:  # without it, entities multiply
        raise ExtraMissing("defusedxml", "pip install '.[lab]' in engram's clone")
    try:
        with open(path, "rb") as file:
            book = load_workbook(file, read_only=True, data_only=False, keep_links=False)
            return _only_sheet(path, [(sheet.title, sheet.iter_rows()) for sheet in book.worksheets])
    except (ValueError, KeyError, IndexError, TypeError, BadZipFile, SyntaxError) as error:  # whatever it stumbles over
        raise _not_a_table(path, f"it does not parse ({type(error).__name__}: {error})") from error


def _only_sheet(path: str, sheets: "Iterable[tuple[str, Iterable[Sequence[_Cell]]]]") -> list[list[str]]:
    """The rows of the one sheet that holds any: nobody would notice that those of another were passed over."""
    found: list[list[str]] = []
    named = ""
    for title, rows in sheets:
        here = list(_cells(path, rows))
        if not any(any(row) for row in here):
            continue
        if named:
            raise UsageError(
                f"{path} holds rows in two sheets, {named!r} and {title!r}.",
                "One is read: delete the other, or save each as a file of its own.",
            )
        found, named = here, title
    return found


class _Cell(Protocol):
    @property
    def data_type(self) -> str: ...
    @property
    def value(self) -> object: ...


def _cells(path: str, rows: Iterable[Sequence[_Cell]]) -> Iterator[list[str]]:
    for number, row in enumerate(rows, start=1):
        if number > _LARGEST_ROWS or len(row) > _LARGEST_COLUMNS:
            raise _not_a_table(path, f"it has more than {_LARGEST_ROWS} rows or {_LARGEST_COLUMNS} columns")
        if any(cell.data_type == "f" for cell in row):
            raise _not_a_table(path, f"row {number} holds a formula: save its values alone")
        yield [_as_text(cell.value) for cell in row]


def _as_text(value: object) -> str:
    """What a person sees in the cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, (datetime, date, time)):
        return value.isoformat(*" " if isinstance(value, datetime) else ())
    return str(value)


def _as_excel(rows: Iterable[Sequence[str]]) -> bytes:
    try:
        from openpyxl import Workbook
        from openpyxl.cell import WriteOnlyCell
    except ImportError as error:
        raise ExtraMissing("openpyxl", "pip install '.[lab]' in engram's clone") from error
    book = Workbook(write_only=True)
    sheet = book.create_sheet("engram")
    sheet.freeze_panes = "A2"
    for row in rows:
        cells = []
        for text in row:
            cell = WriteOnlyCell(sheet, value=_printable(text))
            cell.data_type, cell.number_format = "s", "@"
            cells.append(cell)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _printable(text: str) -> str:
    """Without what XML cannot hold."""
    return (
        "".join(char if char >= " " or char in "\t\n" else "\N{REPLACEMENT CHARACTER}" for char in text)
        .encode("utf-8", "replace")
        .decode()
    )
