"""Whatever lies in a folder: a save keeps it byte for byte, or says in plain words what it does not keep."""

import fcntl
import os
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engram.durable import Steps
from engram.model.errors import EngramError
from engram.model.outcome import Outcome
from engram.testing import trees
from engram.testing.canary import Canary, heard_in
from engram.testing.changing import tree_on_disk
from engram.testing.faults import act_at_every_step, in_child
from engram.testing.places import Template, fresh_folder, scratch
from engram.testing.processes import run
from engram.testing.soundness import contents_kept, damaged_content, sound
from tests.integration.faults.operations import (
    DATASET,
    Expected,
    command,
    create,
    git,
    save,
    save_command,
    verbs,
)

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("git_annex")]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a new dataset in it."""
    with scratch() as folder:
        assert create(folder, Steps()) == 0
        (folder / "outside").mkdir()
        yield folder


@pytest.fixture
def dataset(folder: Path) -> Path:
    return folder / DATASET


def outcomes_of_save(dataset: Path, *paths: str) -> list[Outcome]:
    return list(verbs(dataset).save(paths, message="saved"))


def failures(outcomes: list[Outcome]) -> dict[str, str]:
    return {outcome.item: outcome.error for outcome in outcomes if outcome.failed}


def tracked(dataset: Path) -> set[bytes]:
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    done = subprocess.run(command, cwd=dataset, capture_output=True, check=True)
    return set(done.stdout.split(b"\0")) - {b""}


# --- what can be kept


def test_the_nasty_tree_is_kept_byte_for_byte(folder: Path, dataset: Path) -> None:
    made = set(trees.nasty_tree(dataset, folder / "outside"))
    (dataset / "links" / "like-annexed").unlink()  # git-annex would complain that its content is nowhere
    made.remove(b"links/like-annexed")
    before, contents = tree_on_disk(dataset), contents_kept(dataset)
    assert failures(outcomes_of_save(dataset)) == {}
    assert tree_on_disk(dataset) == before
    assert made <= tracked(dataset)
    sound(dataset, before=contents, annex=True)


def test_nothing_outside_is_read_through_a_link(folder: Path, dataset: Path) -> None:
    canary = Canary(folder / "cage")
    (dataset / "file").symlink_to(canary.file)
    (dataset / "folder").symlink_to(canary.cage)
    assert failures(outcomes_of_save(dataset)) == {}
    assert canary.lives()
    assert heard_in(dataset) == []
    assert (dataset / "file").readlink() == canary.file


def test_a_file_with_another_name_elsewhere_is_copied_not_adopted(folder: Path, dataset: Path) -> None:
    names = trees.hard_links(dataset, folder / "outside")
    assert failures(outcomes_of_save(dataset)) == {}
    outside = folder / "outside" / "hard-outside"
    assert outside.stat().st_mode & stat.S_IWUSR
    outside.write_bytes(b"changed by its other name")
    assert (dataset / os.fsdecode(names[2])).read_bytes() == b"two names, one outside"
    sound(dataset)


def test_a_file_that_somebody_writes_to_is_copied_not_adopted(dataset: Path) -> None:
    with (dataset / "recording.bin").open("wb", buffering=0) as writer:
        writer.write(b"first part")
        outcomes = outcomes_of_save(dataset)
        writer.write(b", second part")
    assert damaged_content(dataset) == []
    assert failures(outcomes) in ({}, {"recording.bin": "ChangedWhileSaved"})
    assert failures(outcomes_of_save(dataset)) == {}
    assert (dataset / "recording.bin").read_bytes() == b"first part, second part"
    sound(dataset)


def test_a_locked_file_is_saved_all_the_same(dataset: Path) -> None:
    (dataset / "locked.bin").write_bytes(b"locked")
    with (dataset / "locked.bin").open("rb") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        assert failures(outcomes_of_save(dataset)) == {}


def test_ignored_files_stay_where_they_are(dataset: Path) -> None:
    ignored = trees.ignored_files(dataset)
    assert failures(outcomes_of_save(dataset)) == {}
    assert not tracked(dataset) & set(ignored)
    assert b"ignoring/kept.tmp" in tracked(dataset)


def test_a_sparse_file_is_kept_with_its_size(dataset: Path) -> None:
    size_bytes = 512 << 20
    (dataset / "sparse.bin").touch()
    os.truncate(dataset / "sparse.bin", size_bytes)
    assert failures(outcomes_of_save(dataset)) == {}
    assert (dataset / "sparse.bin").stat().st_size == size_bytes


# --- what cannot


def test_pipes_sockets_and_devices_stop_nothing(dataset: Path) -> None:
    special = trees.special_files(dataset)
    (dataset / "data.bin").write_bytes(b"data")
    ended = run(save_command(dataset.parent))
    assert ended.exit_code in {0, 3}
    assert b"data.bin" in tracked(dataset)
    assert not tracked(dataset) & set(special)


def test_names_that_git_refuses_are_named_and_the_others_saved(dataset: Path) -> None:
    refused = trees.names_git_refuses(dataset)
    (dataset / "data.bin").write_bytes(b"data")
    ended = run(save_command(dataset.parent))
    assert ended.exit_code == 3, ended.errors
    assert "Traceback" not in ended.errors
    assert b"data.bin" in tracked(dataset)
    assert not tracked(dataset) & set(refused)
    assert all((dataset / os.fsdecode(name)).read_bytes() == b"refused" for name in refused)
    assert git(dataset, "fsck", "--strict") == ""


def test_nested_repositories_are_left_whole(dataset: Path) -> None:
    nested = trees.nested_repositories(dataset)
    before = tree_on_disk(dataset)
    (dataset / "data.bin").write_bytes(b"data")
    ended = run(save_command(dataset.parent))
    assert ended.exit_code in {0, 3}, ended.errors
    assert "Traceback" not in ended.errors
    assert b"data.bin" in tracked(dataset)
    assert {path: tree_on_disk(dataset).get(path) for path in before} == before
    assert not any(name.startswith(nested[0] + b"/") for name in tracked(dataset))
    assert git(dataset, "fsck", "--strict") == ""
    assert git(dataset / "nested" / "with-commit", "status", "--porcelain") == ""


def _as_nobody(action: Callable[[], int], folder: Path) -> int | None:
    def drop_rights(state: Path, steps: Steps) -> int:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        return action()

    return in_child(drop_rights, folder).exit_code


@pytest.mark.root
@pytest.mark.usefixtures("as_root")
def test_unreadable_files_are_named_and_the_others_saved(folder: Path, dataset: Path) -> None:
    unreadable = trees.unreadable_files(dataset)
    (dataset / "data.bin").write_bytes(b"data")
    for path, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            os.lchown(os.path.join(path, name), 65534, 65534)
    os.chmod(dataset / "unreadable" / "folder", 0)

    def save_and_compare() -> int:
        outcomes = outcomes_of_save(dataset)
        named = {os.path.basename(item) for item, error in failures(outcomes).items() if error == "Unreadable"}
        return 77 if named == {"file", "folder"} else 1

    os.environ["GIT_CONFIG_GLOBAL"] = str(folder / "gitconfig")
    try:
        (folder / "gitconfig").write_text("[user]\n\tname = Nobody\n\temail = n@example.org\n")
        (folder / "gitconfig").chmod(0o644)
        folder.chmod(0o755)
        assert _as_nobody(save_and_compare, folder) == 77
    finally:
        del os.environ["GIT_CONFIG_GLOBAL"]
    assert b"data.bin" in tracked(dataset)
    assert not tracked(dataset) & set(unreadable)


@pytest.mark.parametrize("words", [["nothing-there"], ["no*match"], ["a.bin", "nothing-there"], ["\x01"]])
def test_a_path_that_matches_nothing_refuses_before_anything_is_written(dataset: Path, words: list[str]) -> None:
    (dataset / "a.bin").write_bytes(b"a")
    ended = run(command(dataset, "save", "-m", "x", "--", *words))
    assert ended.exit_code in {2, 3}
    assert "Traceback" not in ended.errors
    assert git(dataset, "log", "--format=%s") == "[DATALAD] new dataset\n" or words == ["a.bin", "nothing-there"]


def test_a_path_outside_refuses(folder: Path, dataset: Path) -> None:
    (folder / "outside" / "file").touch()
    ended = run(command(dataset, "save", "-m", "x", str(folder / "outside" / "file")))
    assert ended.exit_code in {2, 3}
    assert "does not lie in the dataset" in ended.errors + ended.output


def test_a_save_without_a_dataset_refuses(folder: Path) -> None:
    with pytest.raises(EngramError, match="no dataset"):
        list(verbs(folder / "outside").save())


# --- what changes meanwhile


def _append(folder: Path) -> None:
    for name in ("new/large.dat", "new/one.bin", "text/changed.txt"):
        path = folder / DATASET / name
        if path.is_file() and not path.is_symlink() and path.stat().st_mode & stat.S_IWUSR:  # root could always
            with path.open("ab") as file:
                file.write(b" and more")


def _replace_by_links(folder: Path) -> None:
    for name in ("new/large.dat", "new/one.bin", "new/text.txt"):
        path = folder / DATASET / name
        if path.is_file() and not path.is_symlink():
            path.unlink()
            path.symlink_to(folder / "cage" / "canary")


def _swap_folder(folder: Path) -> None:
    os.rename(folder / DATASET / "new", folder / "swapped")
    (folder / DATASET / "new").symlink_to(folder / "cage")


def _delete(folder: Path) -> None:
    for name in ("new/large.dat", "new/one.bin", "text/changed.txt"):
        (folder / DATASET / name).unlink(missing_ok=True)


class _Others:
    """Programs that work beside a save. Whoever wants to write to a file that is being saved waits for it."""

    def __init__(self) -> None:
        self._at_work: list[threading.Thread] = []

    def begin(self, act: Callable[[Path], None], folder: Path) -> None:
        """Let one begin, and give it the time to do what it can do at once."""
        other = threading.Thread(target=act, args=(folder,))
        other.start()
        other.join(0.05)
        self._at_work.append(other)

    def save(self, folder: Path, steps: Steps) -> int:
        """Save, and wait until the others are through."""
        try:
            return save(folder, steps)
        finally:
            for other in self._at_work:
                other.join()


@pytest.mark.slow
@pytest.mark.parametrize("act", [_append, _replace_by_links, _swap_folder, _delete])
def test_what_changes_while_it_is_saved_is_never_recorded_wrongly(
    changed: Template, stride: Callable[[int], int], act: Callable[[Path], None]
) -> None:
    def with_a_canary() -> Path:
        folder = changed.fresh()
        Canary(folder / "cage")
        return folder

    def nothing_wrong(folder: Path) -> None:
        assert damaged_content(folder / DATASET) == []
        assert (folder / "cage" / "canary").read_bytes().startswith(b"the canary sings")
        assert [path.name for path in (folder / "cage").iterdir()] == ["canary"]
        assert heard_in(folder / DATASET) == []

    def saved_in_the_end(folder: Path) -> None:
        nothing_wrong(folder)
        sound(folder / DATASET)

    others = _Others()
    act_at_every_step(
        others.save,
        with_a_canary,
        lambda folder: others.begin(act, folder),
        saved_in_the_end,
        when_ended=nothing_wrong,
        stride=stride(57),
    )


def test_expected_contents_notice_a_loss(changed: Template, expected: Expected) -> None:
    folder = changed.fresh()
    expected.nothing_lost(folder)
    (folder / DATASET / "new" / "one.bin").write_bytes(b"overwritten")
    with pytest.raises(AssertionError, match="not as it was"):
        expected.nothing_lost(folder)
    fresh_folder(folder)
