"""Tables come back as they were written, whatever a spreadsheet thinks of a cell."""

import zipfile
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from engram.durable import Steps
from engram.model.errors import UsageError
from engram.workspace.tables import read_table, write_table

cells = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=6) | st.sampled_from(
    ["=1+1", "'=x", "+", "-1", "@a", "''-", "102_1", "a;b", 'say "x"', "1e5", "yes", "æ", "\tx", "line\nbreak"]
)
rows = st.lists(st.lists(cells, min_size=2, max_size=2), max_size=4).map(lambda rows: [["session", "what"], *rows])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=rows, ending=st.sampled_from(["csv", "tsv"]))
def test_text_comes_back_as_it_was(tmp_path: Path, rows: list[list[str]], ending: str) -> None:
    path = str(tmp_path / f"table.{ending}")
    write_table(Steps(), path, rows)
    assert read_table(path) == rows


@pytest.mark.parametrize("text", ["=1+1", "'=x", "-1", "102_1", "007", "1e5", "yes", "2020-01-01", "æ", "line\nbreak"])
def test_an_excel_cell_comes_back_as_it_was(tmp_path: Path, text: str) -> None:
    path = str(tmp_path / "table.xlsx")
    write_table(Steps(), path, [["session", "what"], [text, "x"]])
    assert read_table(path) == [["session", "what"], [text, "x"]]


def _sheets(path: Path, **sheets: list[list[str]]) -> str:
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return str(path)


def test_rows_in_a_second_sheet_are_not_passed_over(tmp_path: Path) -> None:
    path = _sheets(tmp_path / "two.xlsx", mine=[["a"], ["1"]], hers=[["a"], ["2"]])
    with pytest.raises(UsageError, match="rows in two sheets, 'mine' and 'hers'"):
        read_table(path)


def test_the_sheet_that_holds_rows_is_read_wherever_it_stands(tmp_path: Path) -> None:
    path = _sheets(tmp_path / "one.xlsx", empty=[], mine=[["a"], ["1"]], Sheet3=[])
    assert read_table(path) == [["a"], ["1"]]


def test_what_excel_has_made_of_a_cell_is_written_as_a_person_would(tmp_path: Path) -> None:
    book = Workbook()
    when = datetime.fromisoformat("2020-01-01T10:00:30")
    for row in (["a"], [102], [2.5], [True], [when], [when.replace(hour=0, minute=0, second=0)], [None]):
        book.active.append(row)  # type: ignore[union-attr]  # a new book has a sheet
    book.save(tmp_path / "t.xlsx")
    assert [row[0] for row in read_table(str(tmp_path / "t.xlsx"))[:6]] == [
        *("a", "102", "2.5", "yes", "2020-01-01 10:00:30", "2020-01-01"),
    ]


@pytest.mark.parametrize(("text", "rows"), [("a;b\n1;2,5\n", [["a", "b"], ["1", "2,5"]]), ("a\tb\n", [["a", "b"]])])
def test_other_separators_are_found_in_the_heading(tmp_path: Path, text: str, rows: list[list[str]]) -> None:
    (tmp_path / "t.csv").write_text(text)
    assert read_table(str(tmp_path / "t.csv")) == rows


class TestRefused:
    def refusal(self, path: Path) -> str:
        with pytest.raises(UsageError) as caught:
            read_table(str(path))
        return caught.value.what

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (b"a,b\n\xff", "not UTF-8"),
            (b"a\0b", "zero byte"),
            (b'a\n"x', "does not parse"),
            (b"," * 300, "256 columns"),
        ],
    )
    def test_text_that_is_no_table(self, tmp_path: Path, data: bytes, said: str) -> None:
        (tmp_path / "t.csv").write_bytes(data)
        assert said in self.refusal(tmp_path / "t.csv")

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        assert "is not there" in self.refusal(tmp_path / "t.csv")

    def test_a_formula(self, tmp_path: Path) -> None:
        book = Workbook()
        book.active.append(["=HYPERLINK(1)"])  # type: ignore[union-attr]  # a new book has a sheet
        book.save(tmp_path / "t.xlsx")
        assert "row 1 holds a formula" in self.refusal(tmp_path / "t.xlsx")

    def test_an_excel_file_that_is_none(self, tmp_path: Path) -> None:
        (tmp_path / "t.xlsx").write_bytes(b"PK\x03\x04 and so on")
        assert "no Excel file" in self.refusal(tmp_path / "t.xlsx")

    def test_an_excel_file_without_a_sheet(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as archive:
            archive.writestr("a", "b" * 10)
        assert "does not parse" in self.refusal(tmp_path / "t.xlsx")

    def test_a_bomb(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "t.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/worksheets/sheet1.xml", bytes(64 << 20))
        assert "would come of it" in self.refusal(tmp_path / "t.xlsx")
