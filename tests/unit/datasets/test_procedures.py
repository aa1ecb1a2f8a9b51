"""Procedures leave what DataLad's own of the same names leave."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engram.datasets.create import CreateRequest, Creator
from engram.datasets.dataset import Dataset, Surroundings
from engram.datasets.provenance.procedures import (
    BUILT_IN,
    Files,
    find_procedure,
    noannex,
    run_procedure,
    text2git,
    yoda,
)
from engram.model.errors import UsageError
from engram.model.outcome import DatasetOutcome, Outcome, Status

LARGE = b"* annex.largefiles=((mimeencoding=binary)and(largerthan=0))\n"


def reading(files: Files) -> Callable[[str], bytes]:
    return lambda path: files.get(path, b"")


def test_text2git_adds_one_line_once() -> None:
    first = text2git(reading({".gitattributes": b"* annex.backend=MD5E"}))
    assert first == {".gitattributes": b"* annex.backend=MD5E\n" + LARGE}
    assert text2git(reading(first)) == {}


def test_text2git_overrules_an_earlier_rule() -> None:
    attributes = LARGE + b"* annex.largefiles=anything\n"
    assert text2git(reading({".gitattributes": attributes})) == {".gitattributes": attributes + LARGE}


def test_yoda_makes_a_place_for_code() -> None:
    files = yoda(reading({".gitattributes": b"* annex.backend=MD5E\n"}))
    assert files[".gitattributes"] == (
        b"* annex.backend=MD5E\nCHANGELOG.md annex.largefiles=nothing\nREADME.md annex.largefiles=nothing\n"
    )
    assert files["code/.gitattributes"] == b"* annex.largefiles=nothing\n"
    assert files["README.md"].startswith(b"# Project <insert name>\n")
    assert files["CHANGELOG.md"] == b""


def test_noannex_leaves_a_mark() -> None:
    assert noannex(reading({})) == {".noannex": b""}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.org\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "DATALAD_"))}
    return {**kept, "HOME": str(home)}


def own_folder(environment: dict[str, str]) -> Path:
    middle = "Library/Application Support" if sys.platform == "darwin" else ".config"
    folder = Path(environment["HOME"], middle, "datalad", "procedures")
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_procedures_are_found(name: str, environment: dict[str, str]) -> None:
    assert find_procedure(name, environment=environment, configuration=()).recipe is BUILT_IN[name]


@pytest.mark.parametrize("name", ["", "unknown", "../text2git", "cfg_text2git"])
def test_an_unknown_name_is_refused_with_those_that_are_known(name: str, environment: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        find_procedure(name, environment=environment, configuration=())


def test_the_users_own_procedure_wins(environment: dict[str, str]) -> None:
    script = own_folder(environment) / "cfg_text2git.py"
    script.touch()
    found = find_procedure("text2git", environment=environment, configuration=())
    assert (found.recipe, found.script) == (None, str(script))
    assert found.call == (sys.executable, "{script}", "{ds}", "{args}")


def test_how_a_procedure_is_called_can_be_configured(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "cfg_mine.sh").touch()
    (tmp_path / "cfg_mine.txt").touch()
    settings = (
        f"datalad.locations.extra-procedures={tmp_path}",
        "datalad.procedures.cfg_mine.call-format=sh -e {script} {ds} 'two words'",
    )
    found = find_procedure("mine", environment=environment, configuration=settings)
    assert found.script == str(tmp_path / "cfg_mine.sh")
    assert found.call == ("sh", "-e", "{script}", "{ds}", "two words")


def test_an_environment_variable_names_the_folder(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "cfg_mine.py").touch()
    environment["DATALAD_LOCATIONS_USER__PROCEDURES"] = str(tmp_path)
    assert find_procedure("mine", environment=environment, configuration=()).script == str(tmp_path / "cfg_mine.py")


def test_a_program_that_cannot_be_run_is_named(environment: dict[str, str]) -> None:
    (own_folder(environment) / "cfg_mine").touch()
    with pytest.raises(UsageError, match="cannot be run"):
        find_procedure("mine", environment=environment, configuration=())


# --- in a real dataset


@pytest.fixture
def make(git_annex: Path, environment: dict[str, str], tmp_path: Path) -> Callable[[str], Path]:
    """Make a dataset with a procedure, as `create -c` does."""

    def dataset(name: str) -> Path:
        outcomes = list(carry_out(name, made(tmp_path / name, environment), environment))
        assert [outcome.status for outcome in outcomes] == [Status.OK]
        return tmp_path / name

    return dataset


def made(folder: Path, environment: dict[str, str], *, force: bool = False) -> Dataset:
    around = Surroundings(environment=environment)
    return Creator(CreateRequest(path=str(folder), force=force), around).create()


def carry_out(name: str, dataset: Dataset, environment: dict[str, str]) -> Iterator[Outcome]:
    return run_procedure(
        find_procedure(name, environment=environment, configuration=()), dataset, Surroundings(environment=environment)
    )


def commits(folder: Path) -> list[tuple[str, dict[str, str]]]:
    """Subject and files of each commit, newest first; the dataset's own id left out."""
    git = ["git", "-C", str(folder)]
    log = subprocess.run([*git, "log", "--format=%H %s"], check=True, capture_output=True, text=True).stdout
    found = []
    for line in log.splitlines():
        commit, subject = line.split(" ", 1)
        tree = subprocess.run([*git, "ls-tree", "-r", commit], check=True, capture_output=True, text=True).stdout
        files = {path: what for what, path in (entry.split("\t") for entry in tree.splitlines())}
        found.append((subject, {path: what for path, what in files.items() if path != ".datalad/config"}))
    return found


@pytest.mark.parametrize("name", ["text2git", "yoda"])
def test_the_commit_is_that_of_datalad(name: str, make: Callable[[str], Path], datalad: Path, tmp_path: Path) -> None:
    ours = make(name)
    theirs = tmp_path / "theirs"
    subprocess.run([str(datalad), "create", "-c", name, str(theirs)], check=True, capture_output=True)
    backend = "* annex.backend=SHA256E\n"
    (theirs / ".gitattributes").write_text((theirs / ".gitattributes").read_text().replace("MD5E", "SHA256E"))
    assert backend in (theirs / ".gitattributes").read_text()
    assert (ours / ".gitattributes").read_bytes() == (theirs / ".gitattributes").read_bytes()
    mine, others = commits(ours)[0], commits(theirs)[0]
    assert mine[0] == others[0]
    assert {path: what for path, what in mine[1].items() if path != ".gitattributes"} == {
        path: what for path, what in others[1].items() if path != ".gitattributes"
    }


def test_after_text2git_text_goes_to_git(make: Callable[[str], Path]) -> None:
    folder = make("text2git")
    (folder / "notes.txt").write_text("text\n")
    (folder / "image.nii").write_bytes(bytes(500))
    subprocess.run(["git", "annex", "add", "--quiet", "."], cwd=folder, check=True)
    assert not (folder / "notes.txt").is_symlink()
    assert (folder / "image.nii").is_symlink()


def test_noannex_takes_the_annex_away(make: Callable[[str], Path], git: Callable[..., str]) -> None:
    folder = make("noannex")
    assert commits(folder)[0][0] == "Added .noannex to prevent accidental initialization of git-annex"
    assert not (folder / ".git" / "annex").exists()
    assert "git-annex" not in git(folder, "branch", "--all")
    assert git(folder, "status", "--porcelain") == ""


def test_noannex_leaves_an_annex_with_content_alone(
    git_annex: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    dataset = made(tmp_path / "full", environment)
    (tmp_path / "full" / "image.nii").write_bytes(bytes(10))
    subprocess.run(["git", "annex", "add", "--quiet", "."], cwd=tmp_path / "full", check=True)
    (outcome,) = carry_out("noannex", dataset, environment)
    assert outcome.failed
    assert outcome.message == "The annex holds content, so it is not taken away."
    assert (tmp_path / "full" / "image.nii").read_bytes() == bytes(10)


def test_yoda_overwrites_nothing_that_is_not_saved(
    git_annex: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "README.md").write_text("my own words\n")
    (outcome,) = carry_out("yoda", made(folder, environment, force=True), environment)
    assert outcome.failed
    assert (folder / "README.md").read_text() == "my own words\n"
    assert not (folder / "CHANGELOG.md").exists()


@pytest.mark.parametrize("name", ["code", ".gitattributes"])
def test_no_file_is_written_through_a_link(
    name: str, git_annex: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    folder, outside = tmp_path / "mine", tmp_path / "outside"
    dataset = made(folder, environment)
    outside.mkdir()
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(outside)
    (outcome,) = carry_out("yoda", dataset, environment)
    assert outcome.failed
    assert list(outside.iterdir()) == []


def test_a_program_of_the_user_gets_the_dataset(git_annex: Path, environment: dict[str, str], tmp_path: Path) -> None:
    (own_folder(environment) / "cfg_mine.sh").write_text('test "$PWD" = "$1" && echo done > "$1/mark"\n')
    (outcome,) = carry_out("mine", made(tmp_path / "new", environment), environment)
    assert isinstance(outcome, DatasetOutcome)
    assert (outcome.action, outcome.status, outcome.type) == ("run", Status.OK, "dataset")
    assert (tmp_path / "new" / "mark").read_text() == "done\n"


def test_a_program_that_fails_is_an_outcome_with_its_last_words(
    git_annex: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    (own_folder(environment) / "cfg_mine.py").write_text("raise SystemExit('no scanner here')\n")
    (outcome,) = carry_out("mine", made(tmp_path / "new", environment), environment)
    assert outcome.failed
    assert "no scanner here" in outcome.message
