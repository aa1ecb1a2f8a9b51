"""The durable steps: whole or not at all, and in the words of the house when the disk refuses."""

import errno
import gc
import os
import weakref
from contextlib import suppress
from pathlib import Path

import pytest

from engram import durable
from engram.durable import Steps
from engram.model.errors import StorageFailed
from engram.testing.faults import ActingAt, FailingAt, Lacking

STEPS = Steps()


class Noting(Steps):
    """Remembers what was done, in order."""

    def __init__(self) -> None:
        self.kinds: list[str] = []

    def take(self, kind: str, path: durable.AnyPath) -> None:
        self.kinds.append(kind)


def test_a_new_file_is_written_whole_and_synced(tmp_path: Path) -> None:
    steps = Noting()
    durable.write_new(steps, str(tmp_path / "new"), b"spikes" * 1000)
    assert (tmp_path / "new").read_bytes() == b"spikes" * 1000
    assert steps.kinds == ["create", "write", "sync"]


@pytest.mark.parametrize("in_the_way", ["file", "link", "dangling link"])
def test_a_new_file_takes_nobodys_place(tmp_path: Path, in_the_way: str) -> None:
    place = tmp_path / "new"
    (tmp_path / "other").write_bytes(b"precious")
    if in_the_way == "file":
        place.write_bytes(b"precious")
    else:
        place.symlink_to(tmp_path / ("other" if in_the_way == "link" else "nowhere"))
    with pytest.raises(FileExistsError):
        durable.write_new(STEPS, str(place), b"data")
    assert (tmp_path / "other").read_bytes() == b"precious"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("at", range(1, 7))
def test_a_replaced_file_has_the_old_or_the_new_content_whatever_step_fails(tmp_path: Path, at: int) -> None:
    place = tmp_path / "file"
    place.write_bytes(b"old")
    try:
        durable.replace(FailingAt(at), str(place), b"new")
    except (StorageFailed, OSError):
        assert place.read_bytes() in (b"old", b"new")
    else:
        assert place.read_bytes() == b"new"
    durable.replace(STEPS, str(place), b"newer")
    assert place.read_bytes() == b"newer"
    assert os.listdir(tmp_path) == ["file"]


def test_a_replaced_file_is_synced_before_it_gets_its_name_and_its_folder_after(tmp_path: Path) -> None:
    steps = Noting()
    durable.replace(steps, str(tmp_path / "file"), b"new")
    assert steps.kinds[-4:] == ["write", "sync", "rename", "sync"]


@pytest.mark.parametrize("refusal", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG])
def test_a_disk_that_refuses_is_named_with_its_path(tmp_path: Path, refusal: int) -> None:
    with pytest.raises(StorageFailed) as failed:
        durable.write_new(FailingAt(1, refusal), str(tmp_path / "new"), b"data")
    assert failed.value.path == str(tmp_path / "new")
    assert failed.value.reason == os.strerror(refusal)


def test_what_a_caller_may_expect_stays_an_ordinary_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        durable.remove(STEPS, str(tmp_path / "nothing"))
    with pytest.raises(FileExistsError):
        durable.make_folder(STEPS, str(tmp_path))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(OSError, match="Directory not empty"):
        durable.remove_folder(STEPS, str(tmp_path / "full"))


@pytest.mark.parametrize("path", ["a", "a/b/c", "a/b/c/", b"a/b/\xff"])
def test_folders_are_made_with_those_above_them_and_twice_is_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: durable.AnyPath
) -> None:
    monkeypatch.chdir(tmp_path)
    durable.make_folders(STEPS, path)
    durable.make_folders(STEPS, path)
    assert os.path.isdir(path)


def test_a_file_in_place_of_a_folder_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        durable.make_folders(STEPS, str(tmp_path / "file"))


def test_folders_that_are_there_take_one_step(tmp_path: Path) -> None:
    steps = Noting()
    durable.make_folders(steps, str(tmp_path))
    assert steps.kinds == ["mkdir"]


class Held:
    """Something that a caller has in its hands."""


def test_a_step_that_failed_keeps_nothing_alive(tmp_path: Path) -> None:
    def failing() -> "weakref.ref[Held]":
        held = Held()
        with suppress(FileExistsError):
            durable.make_folder(STEPS, tmp_path.as_posix())
        return weakref.ref(held)

    gc.disable()
    try:
        assert failing()() is None
    finally:
        gc.enable()


def test_removing_a_tree_follows_no_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    tree = tmp_path / "tree"
    (tree / "deep" / "er").mkdir(parents=True)
    (tree / "deep" / "file").touch()
    (tree / "link").symlink_to(outside)
    (tree / "deep" / "dangling").symlink_to("nowhere")
    durable.remove_tree(STEPS, str(tree))
    assert not tree.exists()
    assert (outside / "precious").exists()


def test_a_link_to_a_link_names_the_link_itself(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    durable.link(STEPS, str(tmp_path / "link"), str(tmp_path / "second"))
    assert (tmp_path / "second").is_symlink()


def test_bytes_are_written_where_they_belong(tmp_path: Path) -> None:
    place = str(tmp_path / "file")
    descriptor = durable.open_new(STEPS, place)
    durable.write_all(STEPS, descriptor, b"0123456789", place)
    durable.write_at(STEPS, descriptor, b"ab", 3, place)
    durable.truncate(STEPS, descriptor, 8, place)
    os.close(descriptor)
    assert Path(place).read_bytes() == b"012ab567"


def test_a_file_system_can_be_synced_by_any_path_in_it(tmp_path: Path) -> None:
    steps = Noting()
    (tmp_path / "file").touch()
    durable.sync_file_system(steps, str(tmp_path / "file"))
    durable.sync_file_system(steps, str(tmp_path))
    assert steps.kinds == ["sync", "sync"]


def test_a_link_is_never_synced_in_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    with pytest.raises(OSError, match="symbolic link"):
        durable.sync_file(STEPS, str(tmp_path / "link"))


def test_a_name_is_moved_only_to_one_that_is_free(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
    with pytest.raises(FileExistsError):
        durable.rename_new(STEPS, str(tmp_path / "one"), str(tmp_path / "two"))
    assert (tmp_path / "two").read_text() == "two"
    durable.rename_new(STEPS, os.fsencode(tmp_path / "one"), str(tmp_path / "three"))
    assert sorted(os.listdir(tmp_path)) == ["three", "two"]
    with pytest.raises(FileNotFoundError):
        durable.rename_new(STEPS, str(tmp_path / "one"), str(tmp_path / "four"))


class TestTakingThePlaceOfAFile:
    """With a file system that can exchange two names in one step, and with one that cannot."""

    @pytest.fixture(params=[Steps(), Lacking({"rename": errno.EINVAL})], ids=["exchange", "rename"])
    def steps(self, request: pytest.FixtureRequest) -> Steps:
        assert isinstance(request.param, Steps)
        return request.param

    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path) -> None:
        (tmp_path / "new").write_bytes(b"new")
        (tmp_path / "file").write_bytes(b"old")

    def test_it_is_replaced_and_nothing_else_is_left(self, tmp_path: Path, steps: Steps) -> None:
        new, file = (os.fsencode(tmp_path / name) for name in ("new", "file"))
        made = os.lstat(new)
        there = durable.rename_over(steps, new, file, os.lstat(file))
        assert there is not None
        assert os.path.samestat(there, made)
        assert (tmp_path / "file").read_bytes() == b"new"
        assert os.listdir(tmp_path) == ["file"]

    @pytest.mark.parametrize("changed", ["gone", "another", "written to", "a folder", "no folder above"])
    def test_what_is_not_that_file_any_more_stays(self, tmp_path: Path, steps: Steps, changed: str) -> None:
        (tmp_path / "folder").mkdir()
        file = os.fsencode(tmp_path / "folder" / "file")
        os.rename(tmp_path / "file", file)
        was = os.lstat(file)
        _change(tmp_path / "folder" / "file", changed)
        before = sorted(tmp_path.rglob("*"))
        assert durable.rename_over(steps, os.fsencode(tmp_path / "new"), file, was) is None
        assert sorted(tmp_path.rglob("*")) == before
        assert (tmp_path / "new").read_bytes() == b"new"

    def test_what_takes_its_place_at_the_last_moment_stays(self, tmp_path: Path) -> None:
        file = tmp_path / "file"

        def replace() -> None:
            (tmp_path / "theirs").write_bytes(b"theirs")
            (tmp_path / "theirs").rename(file)

        was = os.lstat(file)
        steps = ActingAt(1, replace)
        assert durable.rename_over(steps, os.fsencode(tmp_path / "new"), os.fsencode(file), was) is None
        assert file.read_bytes() == b"theirs"
        assert (tmp_path / "new").read_bytes() == b"new"
        assert sorted(os.listdir(tmp_path)) == ["file", "new"]


def _change(file: Path, how: str) -> None:
    if how == "written to":
        os.utime(file, ns=(0, 1))
        return
    file.rename(file.parent.parent / "aside")
    if how == "another":
        file.write_bytes(b"old")
    elif how == "a folder":
        file.mkdir()
    elif how == "no folder above":
        file.parent.rmdir()
        file.parent.write_bytes(b"")
