"""Whole screens of the lab's commands, on a real catalogue."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engram.workspace.context import Context
from engram.workspace.lab import Labs
from tests.cli.conftest import Engram

pytestmark = pytest.mark.integration


@pytest.fixture
def lab(engram: Engram, tmp_path: Path) -> Path:
    """A lab in the folder that commands start in."""
    assert engram("lab", "create", "--name", "Systems neuroscience", "--timezone", "Europe/Oslo").code == 0
    return tmp_path


def test_a_new_lab_says_where_it_lies(engram: Engram, tmp_path: Path) -> None:
    shown = engram("lab", "create", "mylab")
    assert shown.out == f"lab-create(ok): {tmp_path}/mylab [catalogue {tmp_path}/mylab/.engram/catalogue.db]\n"
    assert (tmp_path / "mylab" / "engram.toml").read_text().endswith('url = "sqlite:///.engram/catalogue.db"\n')
    again = engram("lab", "create", "mylab")
    assert (again.code, again.out) == (2, "")
    assert "this is a lab" in again.err


def test_a_new_catalogue_reads_while_it_is_written_and_is_on_the_disk_when_it_says_so(lab: Path) -> None:
    with sqlite3.connect(lab / ".engram" / "catalogue.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_dry_run_makes_nothing(engram: Engram, tmp_path: Path) -> None:
    shown = engram("lab", "create", "mylab", "--dry-run")
    assert shown.out.splitlines()[-1] == "plan: 2 steps, 0.0 B; nothing was changed"
    assert not (tmp_path / "mylab").exists()


def test_no_lab_is_made_where_it_would_not_be_read(engram: Engram, tmp_path: Path) -> None:
    (tmp_path / "dataset" / ".git").mkdir(parents=True)
    shown = engram("lab", "create", "dataset/lab")
    assert shown.code == 2
    assert "lies inside the dataset" in shown.err


def test_sqlite_is_not_put_on_a_network_file_system(engram: Engram, tmp_path: Path) -> None:
    mounts = f"/dev/sda1 / ext4 rw 0 0\nserver:/lab {tmp_path} nfs4 rw 0 0\n"
    shared = {"Labs": lambda context: Labs(context, mounts=mounts)}
    shown = engram("lab", "create", "mylab", rooms=shared)
    assert shown.code == 2
    assert "network file system (nfs4)" in shown.err
    assert "--catalogue postgresql+psycopg://" in shown.err
    assert not (tmp_path / "mylab").exists()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("oracle://host/lab", "No catalogue can lie on oracle"),
        ("postgresql://ada:secret@host/lab", "A password in the catalogue's URL"),
        ("postgresql://ada@host", "names no database"),
        ("sqlite://", "names a file"),
        ("nonsense", "does not parse"),
    ],
)
def test_a_catalogue_that_cannot_be_is_refused(engram: Engram, tmp_path: Path, url: str, said: str) -> None:
    shown = engram("lab", "create", "mylab", "--catalogue", url)
    assert shown.code == 2
    assert said in shown.err
    assert "secret" not in shown.err + shown.out
    assert not (tmp_path / "mylab").exists()


def test_the_lab_shows_what_it_holds(engram: Engram, lab: Path) -> None:
    engram("subjects", "add", "12347")
    shown = engram("lab", "show")
    assert shown.out.splitlines()[0] == f"Systems neuroscience ({lab})"
    assert "  subject: 1" in shown.out.splitlines()
    (record,) = engram("--json", "lab", "show").records
    assert (record["name"], record["database"], record["rows"]["subject"]) == ("Systems neuroscience", "sqlite", 1)


def test_a_subject_is_added_once_and_corrected_with_a_word_about_it(engram: Engram, lab: Path) -> None:
    assert engram("subjects", "add", "12347", "--sex", "F").out == "subjects-add(ok): 12347\n"
    assert engram("subjects", "add", "12347", "--sex", "F").out == ""
    corrected = engram("subjects", "add", "12347", "--sex", "M", "--born", "2020-01-31")
    assert corrected.out == "subjects-add(ok): 12347 [corrected sex: F → M, born: nothing → 2020-01-31]\n"
    assert engram("subjects", "list").out == "12347, M, born 2020-01-31\n"


def test_a_subject_is_found_by_each_of_its_names(engram: Engram, lab: Path) -> None:
    engram("subjects", "add", "456772", "--alias", "water-restriction=SC033", "--alias", "colony=7@2020-01-01..")
    shown = engram("subjects", "show", "SC033")
    assert shown.out == "456772\n  water-restriction: SC033\n  colony: 7 (from 2020-01-01)\n"
    (record,) = engram("--json", "subjects", "list").records
    assert record["aliases"][1] == {"kind": "colony", "name": "7", "since": "2020-01-01", "until": None}
    unknown = engram("subjects", "show", "SC034")
    assert (unknown.code, unknown.out) == (2, "")
    assert "knows no subject SC034" in unknown.err


def test_a_name_that_would_mean_two_subjects_is_refused_and_nothing_is_kept(engram: Engram, lab: Path) -> None:
    engram("subjects", "add", "1", "--alias", "water-restriction=SC1@2020-01-01..2020-06-30")
    taken = engram("subjects", "add", "2", "--alias", "water-restriction=SC1@2020-06-30..")
    assert taken.code == 2
    assert "is an alias of subject 1 at the same time" in taken.err
    assert engram("subjects", "list").out == "1, water-restriction SC1\n"
    assert engram("subjects", "add", "SC1").code == 2
    assert engram("subjects", "add", "2", "--alias", "water-restriction=SC1@2020-07-01..").code == 0
    assert "SC1 was a name of 1 and 2" in engram("subjects", "show", "SC1").err


def test_the_days_of_an_alias_stay_when_only_its_name_is_said_again(engram: Engram, lab: Path) -> None:
    engram("subjects", "add", "1", "--alias", "water-restriction=SC1@2020-01-01..")
    assert engram("subjects", "add", "1", "--alias", "water-restriction=SC1").out == ""
    ended = engram("subjects", "add", "1", "--alias", "water-restriction=SC1@..2020-06-30")
    assert ended.out == "subjects-add(ok): 1 [corrected until: nothing → 2020-06-30]\n"
    assert engram("subjects", "show", "1").out == "1\n  water-restriction: SC1 (from 2020-01-01 until 2020-06-30)\n"


def test_a_dry_run_says_what_would_be_corrected_and_keeps_nothing(engram: Engram, lab: Path) -> None:
    engram("subjects", "add", "12347", "--sex", "F")
    planned = engram("subjects", "add", "12347", "12348", "--sex", "M", "--dry-run")
    assert planned.out.splitlines()[:2] == [
        "would subjects-add: 12347 [corrected sex: F → M]",
        "would subjects-add: 12348",
    ]
    assert engram("subjects", "list").out == "12347, F\n"


def test_commands_of_a_lab_say_where_there_is_none(engram: Engram, tmp_path: Path) -> None:
    shown = engram("subjects", "list")
    assert shown.code == 2
    assert "engram lab create DIR" in shown.err


def test_a_catalogue_that_is_gone_is_told_from_an_empty_one(engram: Engram, lab: Path) -> None:
    (lab / ".engram" / "catalogue.db").unlink()
    shown = engram("subjects", "list")
    assert shown.code == 2
    assert "is not there" in shown.err
    assert not (lab / ".engram" / "catalogue.db").exists()


def test_a_file_that_is_no_catalogue_is_told(engram: Engram, lab: Path) -> None:
    (lab / ".engram" / "catalogue.db").write_bytes(b"not a database at all, and rather long" * 100)
    shown = engram("subjects", "list")
    assert shown.code == 20
    assert "is damaged" in shown.err


def test_what_others_use_too_is_not_touched(engram: Engram, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "mine.db") as connection:
        connection.execute("CREATE TABLE accounts (name TEXT)")
    shown = engram("lab", "create", "mylab", "--catalogue", f"sqlite:///{tmp_path}/mine.db")
    assert shown.code == 2
    assert "holds tables of something else (accounts)" in shown.err


def test_the_room_takes_its_lab_from_the_folder(lab: Path) -> None:
    (report,) = Labs(Context(folder=str(lab / ".engram"))).show()
    assert report.timezone == "Europe/Oslo"


def test_a_sound_lab_is_told_part_by_part(engram: Engram, lab: Path) -> None:
    engram("subjects", "add", "12347")
    shown = engram("--json", "lab", "check")
    assert shown.code == 0
    assert [(record["status"], record["item"]) for record in shown.records] == [
        ("ok", f"{lab}/engram.toml"),
        ("ok", f"{lab}/.engram/catalogue.db"),
    ]


def test_one_row_is_not_called_rows(engram: Engram, lab: Path) -> None:
    assert "[1 row]" in engram("lab", "check").out
    assert "[1 row]" in engram("lab", "backup").out


def test_what_is_wrong_with_a_lab_is_told_and_the_rest_is_looked_at(engram: Engram, lab: Path) -> None:
    with sqlite3.connect(lab / ".engram" / "catalogue.db") as connection:
        connection.execute("UPDATE catalogue_counter SET counter_next = 1")
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("INSERT INTO tag (tag_id, tag_name, tag_added_in) VALUES (7, 'x', 99)")
    with (lab / "engram.toml").open("a") as file:
        file.write('[shares.gone]\nroot = "/nowhere/at/all"\n')
    shown = engram("--json", "lab", "check")
    assert shown.code == 3
    failed = [record["message"] for record in shown.records if record["status"] == "error"]
    assert failed[0].endswith("A row of tag refers to one of catalogue_change that is not there.")
    assert failed[1].endswith("The next number is 1, and there is a row 7 already.")
    assert failed[2].startswith("/nowhere/at/all cannot be read")


def test_a_backup_holds_everything_and_can_take_the_catalogues_place(engram: Engram, lab: Path) -> None:
    engram("subjects", "add", "12347", "--sex", "F")
    engram("subjects", "add", "12347", "--sex", "M")
    planned = engram("lab", "backup", "safe.db", "--dry-run").out
    assert planned.splitlines()[0].startswith(f"would save: {lab}/safe.db [what ")
    assert not (lab / "safe.db").exists()
    assert engram("lab", "backup", "safe.db").out == f"lab-backup(ok): {lab}/safe.db [5 rows]\n"
    assert engram("lab", "backup", "safe.db", "--dry-run").code == 2
    refused = engram("lab", "backup", "safe.db")
    assert (refused.code, "is never overwritten" in refused.err) == (2, True)
    (lab / ".engram" / "catalogue.db").unlink()
    (lab / "safe.db").rename(lab / ".engram" / "catalogue.db")
    assert engram("subjects", "list").out == "12347, M\n"
    assert engram("subjects", "add", "12348").code == 0


def test_the_lab_tells_when_it_was_backed_up(engram: Engram, lab: Path) -> None:
    assert engram("--json", "lab", "show").records[0]["last_backup"] == ""
    now = datetime(2026, 11, 28, 20, 5, 9, tzinfo=UTC)
    labs = Labs(Context(folder=str(lab)))
    for _ in range(2):
        list(labs.backup(None, now=now))
    assert {path.name for path in (lab / ".engram" / "backups").iterdir()} == {
        "catalogue-20261128T200509Z.db",
        "catalogue-20261128T200509Z-2.db",
    }
    assert engram("--json", "lab", "show").records[0]["last_backup"] == "2026-11-28T20:05:09Z"


def test_an_older_catalogue_is_backed_up_and_upgraded(engram: Engram, lab: Path) -> None:
    assert engram("lab", "upgrade").out == ""
    place = lab / ".engram" / "catalogue.db"
    with sqlite3.connect(place) as connection:
        for table in ("imaging_output", "pose_output", "pose_model", "clustering_recording", "clustering"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("UPDATE engram_version SET version_num = '0005'")
    refused = engram("subjects", "list")
    assert (refused.code, "engram lab upgrade" in refused.err) == (2, True)
    actions = [step["action"] for step in engram("--json", "lab", "upgrade", "--dry-run").records[0]["steps"]]
    assert actions == ["save", "upgrade"]
    assert not (lab / ".engram" / "backups").exists()
    shown = engram("lab", "upgrade")
    assert [line.partition(":")[0] for line in shown.out.splitlines()[:2]] == ["lab-backup(ok)", "lab-upgrade(ok)"]
    assert "[version 0005 → 0006]" in shown.out
    assert engram("subjects", "add", "12347").code == 0
    (backup,) = (lab / ".engram" / "backups").iterdir()
    with sqlite3.connect(backup) as connection:
        assert connection.execute("SELECT version_num FROM engram_version").fetchone() == ("0005",)


def test_a_lab_inside_a_dataset_is_read_once_it_is_trusted_and_says_the_same(engram: Engram, tmp_path: Path) -> None:
    engram("lab", "create", "mylab")
    (tmp_path / "dataset" / ".git").mkdir(parents=True)
    (tmp_path / "mylab").rename(tmp_path / "dataset" / "lab")
    passed_over = engram("-C", "dataset/lab", "subjects", "list")
    assert passed_over.code == 2
    assert "lies inside the dataset" in passed_over.err
    assert "engram lab trust" in passed_over.err
    assert engram("--lab", "dataset/lab", "subjects", "list").code == 2
    planned = engram("lab", "trust", "dataset/lab", "--dry-run").out
    assert f"would trust: {tmp_path}/dataset/lab/engram.toml [catalogue sqlite:///.engram/catalogue.db]" in planned
    assert engram("-C", "dataset/lab", "lab", "show").code == 2
    trusted = engram("lab", "trust", "dataset/lab")
    assert trusted.out == (
        f"lab-trust(ok): {tmp_path}/dataset/lab/engram.toml [catalogue sqlite:///.engram/catalogue.db]\n"
    )
    assert engram("-C", "dataset/lab", "subjects", "list").code == 0
    assert engram("--lab", "dataset/lab", "subjects", "list").code == 0
    assert engram("lab", "trust", "dataset/lab").out == ""
    with (tmp_path / "dataset" / "lab" / "engram.toml").open("a") as file:
        file.write("# another word\n")
    assert engram("-C", "dataset/lab", "subjects", "list").code == 2
    assert engram("lab", "trust", "nowhere").code == 2
