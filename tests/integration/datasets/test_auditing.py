"""whereis, numcopies, unused, dropunused and fsck where git-annex is no measure: nesting, rot, repair, refusals."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import engram
from engram.model.errors import DamagedRepository, NotAKey, UsageError
from engram.model.outcome import IncompleteResults
from engram.testing.places import Template
from engram.workspace.auditing import Custody
from engram.workspace.context import Context
from tests.integration.clones import connect, delete, fresh, key_of, object_of, rewrite, two_clones, uuid_of
from tests.interop.peers import annex, create, git, save, write

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def template(git_annex: Path, tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template(two_clones(tmp_path_factory.mktemp("pair")), tmp_path_factory.mktemp("copies"))


@pytest.fixture
def pair(template: Template) -> Path:
    """A folder with datasets ``a`` and ``b``, siblings that both hold everything."""
    return fresh(template)


@pytest.fixture
def dataset(pair: Path) -> Path:
    return pair / "a"


def told(folder: Path, verb: str, *arguments: Any, **options: Any) -> list[dict[str, Any]]:
    custody = Custody(Context(folder=str(folder), environment=dict(os.environ)))
    return [outcome.as_json() for outcome in getattr(custody, verb)(*arguments, **options)]


def one(folder: Path, verb: str, *arguments: Any, **options: Any) -> dict[str, Any]:
    [record] = told(folder, verb, *arguments, **options)
    return record


# --- whereis


def test_files_in_git_and_files_in_no_version_are_told_apart(dataset: Path) -> None:
    write(dataset, "new.dat", "new")
    assert one(dataset, "whereis", ["notes.txt"])["status"] == "notneeded"
    record = one(dataset, "whereis", ["new.dat"])
    assert (record["status"], record["remedy"]) == ("impossible", "Record it: engram save")


def test_subdatasets_are_told_with_their_paths(dataset: Path) -> None:
    create(dataset / "inner", dataset=str(dataset))
    write(dataset / "inner", "deep/x.dat", "x")
    save(dataset / "inner", message="x")
    assert one(dataset, "whereis", ["inner"])["item"] == "inner/deep/x.dat"
    assert one(dataset, "whereis", ["inner/deep"])["path"] == str(dataset / "inner/deep/x.dat")
    items = [record["item"] for record in told(dataset, "whereis", recursive=True)]
    assert items[-1] == "inner/deep/x.dat"
    assert "inner/deep/x.dat" not in [record["item"] for record in told(dataset, "whereis")]
    assert {record["status"] for record in told(dataset, "fsck", recursive=True, full=True)} == {"ok"}


@pytest.mark.parametrize(("keys", "error"), [(["no key"], NotAKey), (["SHA256E-s5--x\0y"], NotAKey)])
def test_what_is_no_key_is_refused(dataset: Path, keys: list[str], error: type[Exception]) -> None:
    with pytest.raises(error):
        told(dataset, "whereis", keys=keys)
    with pytest.raises(UsageError):
        told(dataset, "fsck", ["a.dat"], all_keys=True)


def test_python_gives_records_and_raises_when_nobody_has_a_file(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(dataset)
    assert [outcome.status for outcome in engram.whereis("a.dat")] == ["ok"]
    assert engram.numcopies(1)[0].status == "ok"
    assert engram.unused()[0].status in ("ok", "notneeded")
    for verb in (engram.whereis, engram.fsck):
        with pytest.raises(UsageError, match="listed as unused"):
            verb(unused=True)
    (newest,) = engram.history("a.dat", limit=1)
    assert newest.path == "a.dat"
    assert len(engram.fsck(full=True)) == 4
    annex(dataset, "drop", "--force", "-q", "d/e/c.dat")
    annex(dataset, "setpresentkey", key_of(dataset, "d/e/c.dat").decode(), uuid_of(dataset.parent / "b"), "0")
    with pytest.raises(IncompleteResults) as raised:
        engram.whereis()
    assert len(raised.value.outcomes) == 4
    with pytest.raises(UsageError):
        engram.dropunused(999)


# --- unused, dropunused


def without_sibling(dataset: Path) -> str:
    """Save another version of a file that nobody else refers to; the key of the old one."""
    git(dataset, "remote", "remove", "b")
    key = key_of(dataset, "d/b.dat").decode()
    (dataset / "d/b.dat").unlink()
    write(dataset, "d/b.dat", "another version")
    save(dataset, message="another")
    return key


def test_what_another_work_tree_has_checked_out_is_used(dataset: Path, tmp_path: Path) -> None:
    key = without_sibling(dataset)
    assert one(dataset, "unused")["key"] == key
    git(dataset, "worktree", "add", "-q", "--detach", str(tmp_path / "other"), "HEAD~1")
    assert one(dataset, "unused")["status"] == "notneeded"
    git(tmp_path / "other", "checkout", "-q", "--detach", "HEAD~1")
    assert [record["key"] for record in told(tmp_path / "other", "unused") if record["key"] != key] == []


def test_all_that_was_stashed_is_used(dataset: Path) -> None:
    git(dataset, "remote", "remove", "b")
    for text in ("first", "second"):
        (dataset / "d/b.dat").unlink()
        write(dataset, "d/b.dat", text)
        annex(dataset, "add", "-q", "d/b.dat")
        git(dataset, "stash", "-q")
    assert one(dataset, "unused")["status"] == "notneeded"


def test_numbers_stay_with_their_times_from_one_list_to_the_next(dataset: Path) -> None:
    without_sibling(dataset)
    first = (told(dataset, "unused"), (dataset / ".git/annex/unused").read_bytes())
    assert (told(dataset, "unused"), (dataset / ".git/annex/unused").read_bytes()) == first


def test_what_is_used_again_stays_even_by_force(dataset: Path) -> None:
    without_sibling(dataset)
    told(dataset, "unused")
    git(dataset, "revert", "--no-edit", "HEAD")
    record = one(dataset, "dropunused", ["1"], force=True)
    assert (record["status"], record["message"]) == ("impossible", "it is used again.")
    assert annex(dataset, "fsck", "-q") == ""


@pytest.mark.parametrize("numbers", [["2"], ["1-2"], ["1", "x"], [], ["0"]])
def test_nothing_is_dropped_when_a_number_is_unknown(dataset: Path, numbers: list[str]) -> None:
    without_sibling(dataset)
    told(dataset, "unused")
    with pytest.raises(UsageError):
        told(dataset, "dropunused", numbers, force=True)
    assert one(dataset, "unused")["status"] == "ok"


def test_the_contents_of_another_repository_are_not_called_unused(pair: Path) -> None:
    git(pair, "clone", "-q", "a", "borrower")
    (pair / "borrower/.git/annex").symlink_to(pair / "a/.git/annex")
    for verb, arguments in (("unused", ()), ("dropunused", (["1"],)), ("fsck", ())):
        with pytest.raises(UsageError) as refused:
            told(pair / "borrower", verb, *arguments)
        assert "another repository" in refused.value.what


def test_a_version_that_cannot_be_read_stops_the_search(dataset: Path) -> None:
    without_sibling(dataset)
    text = git(dataset, "rev-parse", "HEAD").strip()
    made = git(dataset, "commit-tree", "-m", "broken", "-p", text, git(dataset, "mktree", stdin="").strip()).strip()
    git(dataset, "update-ref", "refs/heads/old", made)
    (dataset / ".git/objects" / made[:2] / made[2:]).unlink()
    with pytest.raises(DamagedRepository):
        told(dataset, "unused")
    assert not (dataset / ".git/annex/unused").exists()


# --- fsck


def test_an_unlocked_file_that_rotted_is_set_aside_and_filled_again(dataset: Path) -> None:
    annex(dataset, "unlock", "-q", "d/b.dat")
    git(dataset, "commit", "-qam", "unlocked")
    git(dataset, "config", "core.trustctime", "false")  # a sick disk changes no time; a test cannot help changing one
    place = dataset / "d/b.dat"
    git(dataset, "update-index", "-q", "--really-refresh")
    os.utime(dataset / ".git/index", (place.stat().st_mtime + 10,) * 2)
    rot(place)
    assert one(dataset, "fsck", ["d/b.dat"])["note"] == ""
    record = one(dataset, "fsck", ["d/b.dat"], full=True)
    assert (record["status"], "was damaged" in record["note"]) == ("ok", True)
    assert place.read_text() == "b" * 2000
    assert [path.read_bytes()[:1] for path in (dataset / ".git/annex/bad").iterdir()] == [b"B"]
    assert git(dataset, "status", "--porcelain") == ""


def rot(place: Path) -> None:
    """Change a byte and leave no trace in the times that can be set."""
    before = place.stat()
    with place.open("r+b") as file:
        file.write(b"B")
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_an_unlocked_file_that_the_user_changed_is_left_alone(dataset: Path) -> None:
    annex(dataset, "unlock", "-q", "d/b.dat")
    git(dataset, "commit", "-qam", "unlocked")
    (dataset / "d/b.dat").write_text("my own work")
    assert {record["status"] for record in told(dataset, "fsck", full=True)} == {"ok"}
    assert (dataset / "d/b.dat").read_text() == "my own work"


@pytest.mark.parametrize("jobs", [None, 1, 4])
def test_a_flipped_bit_in_a_large_content_is_found(dataset: Path, jobs: int | None) -> None:
    for number in range(5):
        write(dataset, f"large{number}.bin", bytes([number]) * (3 << 20))
    write(dataset, "again.bin", bytes([3]) * (3 << 20))
    save(dataset, message="large")
    place = object_of(dataset, "large3.bin")
    place.chmod(0o644)
    with place.open("r+b") as file:
        file.seek(2 << 20)
        file.write(b"\x83")
    found = {record["item"]: record["error"] for record in told(dataset, "fsck", full=True, jobs=jobs)}
    assert {name for name, error in found.items() if error} == {"again.bin", "large3.bin"}
    assert found["large3.bin"] == "ChecksumMismatch"
    assert len(list((dataset / ".git/annex/bad").iterdir())) == 1


def test_what_was_set_aside_is_restored_once_a_sibling_is_there(dataset: Path) -> None:
    git(dataset, "remote", "remove", "b")
    rewrite(object_of(dataset, "a.dat"), "x" * 3000)
    record = one(dataset, "fsck", ["a.dat"], full=True)
    assert (record["status"], record["error"], record["has_content"]) == ("error", "ChecksumMismatch", False)
    assert "engram get a.dat" in record["remedy"]  # the log still knows of the other clone
    connect(dataset.parent, "a", "b", "b")
    record = one(dataset, "fsck", ["a.dat"])
    assert (record["status"], record["has_content"]) == ("ok", True)
    assert {record["status"] for record in told(dataset, "fsck", full=True)} == {"ok"}


def test_what_was_dropped_after_it_was_restored_stays_dropped(dataset: Path) -> None:
    rewrite(object_of(dataset, "a.dat"), "x" * 3000)
    assert one(dataset, "fsck", ["a.dat"], full=True)["has_content"]
    time.sleep(3.2)  # location logs know whole seconds
    annex(dataset, "drop", "--force", "-q", "a.dat")
    record = one(dataset, "fsck", ["a.dat"], full=True)
    assert (record["status"], record["has_content"]) == ("ok", False)


def test_a_sibling_that_rotted_as_well_restores_nothing(pair: Path) -> None:
    dataset = pair / "a"
    for name in ("a", "b"):
        rewrite(object_of(pair / name, "a.dat"), "x" * 3000)
    record = one(dataset, "fsck", ["a.dat"], full=True)
    assert (record["status"], record["has_content"]) == ("error", False)
    assert object_of(pair / "b", "a.dat").read_text() == "x" * 3000


def test_nothing_set_aside_is_ever_replaced(pair: Path) -> None:
    dataset = pair / "a"
    for letter in "xyz":
        rewrite(object_of(dataset, "a.dat"), letter * 3000)
        assert one(dataset, "fsck", ["a.dat"], full=True)["status"] == "ok"
    assert {path.read_text()[0] for path in (dataset / ".git/annex/bad").iterdir()} == set("xyz")


def test_a_plan_tells_what_would_be_mended_and_changes_nothing(dataset: Path) -> None:
    rewrite(object_of(dataset, "a.dat"), "x" * 3000)
    delete(object_of(dataset, "d/b.dat"))
    before = (git(dataset, "rev-parse", "git-annex"), object_of(dataset, "a.dat").read_text())
    custody = Custody(Context(folder=str(dataset), environment=dict(os.environ)))
    plan = custody.plan_fsck(full=True)
    assert {(step.action, step.item) for step in plan.steps} >= {("set aside", "a.dat"), ("log", "d/b.dat")}
    assert (git(dataset, "rev-parse", "git-annex"), object_of(dataset, "a.dat").read_text()) == before
    assert custody.plan_numcopies(2).steps
    told(dataset, "numcopies", 2)
    assert not custody.plan_numcopies(2).steps


def _thin(dataset: Path) -> None:
    git(dataset, "config", "annex.thin", "true")


def _pid_locks(dataset: Path) -> None:
    git(dataset, "config", "annex.pidlock", "true")


def _adjusted(dataset: Path) -> None:
    annex(dataset, "adjust", "-q", "--unlock")


@pytest.mark.parametrize("trap", [_thin, _pid_locks, _adjusted])
def test_what_only_git_annex_fully_knows_is_handed_to_it(dataset: Path, trap: Callable[[Path], None]) -> None:
    trap(dataset)
    rewrite(object_of(dataset, "a.dat"), "x" * 3000)
    records = {record["item"]: record for record in told(dataset, "fsck", full=True)}
    assert all(record["note"].startswith("handed to git-annex: ") for record in records.values())
    assert records["a.dat"]["status"] == "error"
    assert records["d/b.dat"]["status"] == "ok"
    assert one(dataset, "numcopies", 2)["note"].startswith("handed to git-annex: ")
    assert annex(dataset, "numcopies").strip() == "2"


@pytest.mark.parametrize("verb", ["fsck", "numcopies"])
def test_plain_git_has_no_contents_to_check(tmp_path: Path, verb: str) -> None:
    git(tmp_path, "init", "-q", "plain")
    with pytest.raises(UsageError) as refused:
        told(tmp_path / "plain", verb)
    assert refused.value.next_step
