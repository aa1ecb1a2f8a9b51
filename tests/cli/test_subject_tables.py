"""Tables of subjects and probes are taken whole, or not at all and with everything that is wrong."""

from pathlib import Path

import pytest

from engram.durable import Steps
from engram.workspace.tables import write_table
from tests.cli.conftest import Engram

pytestmark = pytest.mark.integration

MAP = [
    [
        "subject_id",
        "water_restriction_number",
        "username",
        "cage",
        "dob",
        "sex",
        "source",
        "start_date",
        "start_weight",
    ],
    ["456772", "SC033", "ada", "7", "2019-05-01", "F", "JAX", "2019-11-01", "21,5"],
    ["456773", "SC034", "ada", "7", "2019-05-01", "male", "JAX", "", ""],
]


@pytest.fixture
def lab(engram: Engram, tmp_path: Path) -> Path:
    assert engram("lab", "create").code == 0
    return tmp_path


def table(lab: Path, rows: list[list[str]], name: str = "table.csv") -> str:
    write_table(Steps(), str(lab / name), rows)
    return name


@pytest.mark.parametrize("name", ["subjects.csv", "subjects.tsv", "subjects.xlsx"])
def test_a_table_with_the_columns_of_map_is_taken(engram: Engram, lab: Path, name: str) -> None:
    shown = engram("subjects", "import", table(lab, MAP, name))
    assert (shown.code, shown.out.splitlines()[:2]) == (
        0,
        ["subjects-import(ok): 456772", "subjects-import(ok): 456773"],
    )
    first, second = engram("--json", "subjects", "list").records
    assert (first["born"], first["sex"], first["cage"], first["source"]) == ("2019-05-01", "F", "7", "JAX")
    assert (first["started"], first["start_weight_g"], first["responsible"]) == ("2019-11-01", 21.5, "ada")
    assert [alias["name"] for alias in first["aliases"]] == ["SC033"]
    assert (second["sex"], second["started"]) == ("M", None)
    assert engram("people", "list").out == "ada\n"


def test_a_table_with_the_columns_of_a_colony_is_taken(engram: Engram, lab: Path) -> None:
    rows = [["Animal name", "animal_id", "Animal species", "animal_sex", "animal_dob", "datasource", "alias: chip"]]
    rows += [["12347", "a1b2c3", "Rattus norvegicus", "M", "2019-05-01", "mlims", "900"]]
    assert engram("subjects", "import", table(lab, rows)).code == 0
    (record,) = engram("--json", "subjects", "list").records
    assert [(alias["kind"], alias["name"]) for alias in record["aliases"]] == [("colony", "a1b2c3"), ("chip", "900")]
    assert engram("subjects", "import", table(lab, [["animal_id"], ["12348"]])).code == 0
    assert engram("subjects", "show", "12348").out == "12348\n"


def test_the_same_table_again_changes_nothing_and_a_corrected_one_is_an_edit(engram: Engram, lab: Path) -> None:
    engram("subjects", "import", table(lab, MAP))
    again = engram("subjects", "import", "table.csv")
    assert again.out == "action summary:\n  subjects-import (notneeded: 2)\n"
    planned = engram("subjects", "import", table(lab, [["name", "sex"], ["456773", "F"]]), "--dry-run")
    assert planned.out.splitlines()[0] == "would subjects-import: 456773 [corrected sex: M → F]"


def test_everything_that_is_wrong_is_told_by_row_and_column_and_nothing_is_taken(engram: Engram, lab: Path) -> None:
    rows = [
        ["name", "dob", "Sex", "start weight"],
        ["1", "31.01.2020", "F", "x"],
        ["", "", "hen", ""],
        ["1", "", "", ""],
    ]
    shown = engram("--json", "subjects", "import", table(lab, [*rows, ["2", "", "", "", "more"]]))
    assert shown.code == 2
    assert [(record["status"], record["item"], record["message"]) for record in shown.records] == [
        (
            "impossible",
            "table.csv, row 2, column dob",
            "'31.01.2020' is not a day written as 2020-01-31 (or say how: --date-format).",
        ),
        ("impossible", "table.csv, row 2, column start weight", "'x' is not a number."),
        ("impossible", "table.csv, row 3, column Sex", "'hen' is not F, M, U (unknown) or O (other)."),
        ("impossible", "table.csv, row 3, column name", "it is empty."),
        ("impossible", "table.csv, row 4", "1 stands in row 2 already."),
        ("impossible", "table.csv, row 5", "it has more cells than the heading."),
    ]
    assert engram("subjects", "list").out == ""


def test_a_column_that_nobody_knows_is_an_error_that_names_the_nearest(engram: Engram, lab: Path) -> None:
    shown = engram(
        "--json", "subjects", "import", table(lab, [["water_restriction_numbr", "sex", "gender"], ["1", "F", ""]])
    )
    assert [record["message"] for record in shown.records] == [
        "there is no such column; the nearest is water_restriction_number.",
        "it says the same as sex.",
        "there is no column subject or subject_id or subject_name or name.",
    ]


def test_days_are_read_as_the_user_says_and_never_guessed(engram: Engram, lab: Path) -> None:
    name = table(lab, [["name", "dob"], ["1", "02/01/2020"]])
    assert engram("subjects", "import", name).code == 2
    assert engram("subjects", "import", name, "--date-format", "%m/%d/%Y").code == 0
    assert engram("subjects", "list").out == "1, born 2020-02-01\n"


def test_rows_that_the_catalogue_refuses_are_all_told(engram: Engram, lab: Path) -> None:
    engram("subjects", "add", "0", "--alias", "water-restriction=SC1", "--alias", "water-restriction=SC2")
    rows = [["name", "h2o"], ["1", "SC1"], ["2", "SC2"], ["3", "SC3"], ["x" * 300, ""]]
    shown = engram("--json", "subjects", "import", table(lab, rows))
    assert [record["item"] for record in shown.records] == [f"table.csv, row {row}" for row in (2, 3, 5)]
    assert engram("--json", "subjects", "list").records[0]["name"] == "0"
    assert len(engram("--json", "subjects", "list").records) == 1


def test_a_table_that_is_not_there_or_is_none_is_told(engram: Engram, lab: Path) -> None:
    missing = engram("subjects", "import", "nothing.csv")
    assert missing.code == 2
    assert "nothing.csv is not there." in missing.err
    (lab / "empty.csv").write_text("")
    assert engram("subjects", "import", "empty.csv").code == 2


def test_probes_are_added_implanted_and_shown(engram: Engram, lab: Path) -> None:
    engram("subjects", "add", "456772", "--alias", "water-restriction=SC033")
    assert (
        engram("probes", "add", "18005123491", "--type", "NP1010", "--shanks", "4").out
        == "probes-add(ok): 18005123491\n"
    )
    words = ["probes", "implant", "18005123491", "SC033", "--at", "2020-01-01T09:00"]
    assert engram(*words, "--area", "MEC").out == "probes-implant(ok): 18005123491 in SC033 [2020-01-01 09:00]\n"
    assert engram(*words, "--actual-area", "LEC", "--removed", "2020-03-01").code == 0
    assert engram("probes", "list").out.splitlines() == [
        "18005123491, NP1010, 4 shanks",
        "  in 456772 since 2020-01-01 09:00 until 2020-03-01 00:00: LEC",
    ]
    (record,) = engram("--json", "probes", "list").records
    assert record["implants"][0]["sites"][0]["intended"] == "MEC"


def test_a_probe_is_in_one_place_at_a_time(engram: Engram, lab: Path) -> None:
    engram("subjects", "add", "1", "2")
    engram("probes", "add", "p")
    engram("probes", "implant", "p", "1", "--at", "2020-01-01")
    elsewhere = engram("probes", "implant", "p", "2", "--at", "2020-02-01")
    assert elsewhere.code == 2
    assert "Probe p is in 1 since 2020-01-01 00:00" in elsewhere.err
    engram("probes", "implant", "p", "1", "--at", "2020-01-01", "--removed", "2020-01-31")
    assert engram("probes", "implant", "p", "2", "--at", "2020-02-01").code == 0
    assert engram("probes", "implant", "q", "2", "--at", "2020-02-01").code == 2
    assert engram("probes", "implant", "p", "3", "--at", "2020-02-01").code == 2


def test_a_table_of_probes_says_where_they_were_implanted(engram: Engram, lab: Path) -> None:
    engram("subjects", "add", "1")
    rows = [["serial", "type", "subject", "insertion_time", "shank", "brain_area", "depth"]]
    rows += [
        ["p", "NP2013", "1", "2020-01-01 09:30", "0", "CA1", "2500"],
        ["p", "NP2013", "1", "2020-01-01 09:30", "1", "CA3", ""],
    ]
    shown = engram("probes", "import", table(lab, [*rows, ["q", "", "", "", "", "", ""]]))
    assert shown.code == 0
    first, second = engram("--json", "probes", "list").records
    assert [(site["shank"], site["intended"], site["depth_um"]) for site in first["implants"][0]["sites"]] == [
        (0, "CA1", 2500.0),
        (1, "CA3", None),
    ]
    assert second["implants"] == []
    assert engram("probes", "import", "table.csv").out.splitlines()[-1] == "  probes-implant (notneeded: 2)"
    broken = engram("--json", "probes", "import", table(lab, [["serial", "subject"], ["r", "1"]]))
    assert [record["message"] for record in broken.records] == ["an implant needs both subject and insertion time."]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "cannot be empty"),
        (" ", "begins or ends with a blank"),
        ("12347 ", "begins or ends with a blank"),
        ("12347\n12348", "holds what cannot be seen"),
        ("12347\x1b[31m", "holds what cannot be seen"),
        ("\u202e74321", "holds what cannot be seen"),
    ],
)
def test_a_name_that_nobody_could_tell_from_another_is_refused_wherever_it_is_given(
    engram: Engram, lab: Path, name: str, why: str
) -> None:
    assert engram("subjects", "add", "1").code == 0
    for command in (
        ("subjects", "add", "m1", name),
        ("subjects", "add", "m1", "--responsible", name or " "),
        ("subjects", "add", "m1", "--alias", f"colony={name or ' '}"),
        ("people", "add", "ada", name),
        ("probes", "add", "18194", name),
    ):
        shown = engram(*command)
        assert shown.code == 2, command
        what, _ = shown.err.splitlines()
        assert why in what or not name, command
    for noun in ("people", "probes"):
        assert engram(noun, "list").out == ""
    assert engram("subjects", "list").out == "1\n"


def test_a_name_that_nobody_can_see_is_told_by_its_row(engram: Engram, lab: Path) -> None:
    shown = engram("subjects", "import", table(lab, [["name"], ["12347"], ["12\n348"]]))
    assert shown.code == 2
    assert "table.csv, row 3 ['12\\n348' cannot be the name of a subject" in shown.out
    assert engram("subjects", "list").out == ""


def test_people_are_added_and_corrected(engram: Engram, lab: Path) -> None:
    assert engram("people", "add", "ada", "bob").code == 0
    assert engram("people", "add", "ada", "--full-name", "Ada Lovelace").out == (
        "people-add(ok): ada [corrected full name: nothing → Ada Lovelace]\n"
    )
    assert engram("people", "list").out == "ada, Ada Lovelace\nbob\n"
