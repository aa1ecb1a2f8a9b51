"""Folders of links vouch for what lies in them, as long as nobody changed them."""

import itertools
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engram.datasets.git.ignore import Ignore
from engram.datasets.git.index import GitIndex, StatRules
from engram.datasets.settled import Settled, file_system_of
from engram.datasets.worktree import Differences, Untracked, walk
from engram.durable import Steps, remove_tree
from engram.testing.changing import Change, Link, Put, Tree, changes, paths, trees

_LONG_AGO_S = 0.25


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=True)


def known(folder: Path, *, mounts: str = "", age_s: float = 0, enough: int = 1) -> Settled:
    """What is known of a folder, on a file system that is reliable, told at a later time than it is."""
    reliable = folder / ".git" / "mounts"
    reliable.write_text("1 1 0:1 / / rw - tmpfs none rw\n")
    return Settled(
        str(folder),
        str(folder / ".git"),
        Steps(),
        clock_ns=lambda: time.time_ns() + int(age_s * 1e9),
        mounts=mounts or str(reliable),
        enough=enough,
    )


def looked_at(
    folder: Path,
    settled: Settled | None,
    *,
    rules: StatRules | None = None,
    untracked: Untracked = Untracked.ALL,
) -> Differences:
    top, git_dir = os.fsencode(folder), os.fsencode(folder / ".git")
    index = GitIndex.read(os.path.join(git_dir, b"index"))
    ignore = Ignore.for_work_tree(top, git_dir=git_dir, excludes_file=None)
    return walk(top, index, ignore, rules=rules, untracked=untracked, settled=settled)


def vouched_for(folder: Path, settled: Settled) -> list[str]:
    """The folders that need not be looked through."""
    index = GitIndex.read(os.fsencode(folder / ".git" / "index"))
    if not settled.begin(index):
        return []
    folders = sorted({os.path.dirname(path) for path in index.paths})
    return [
        os.fsdecode(name)
        for name in folders
        if settled.vouches(name + b"/", os.path.join(os.fsencode(folder), name), *index.below(name))
    ]


def make(folder: Path, names: dict[str, str]) -> None:
    for name, target in names.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(target)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Links in two folders, a file beside links in a third, recorded; nothing of it young."""
    git(tmp_path, "init", "-q")
    (tmp_path / ".git" / "engram").mkdir()
    make(tmp_path, {"a/one": "x", "a/two": "y", "b/c/one": "x", "mixed/link": "x", "top": "x"})
    (tmp_path / "mixed" / "file").write_text("content")
    git(tmp_path, "add", ".")
    os.utime(tmp_path / ".git" / "index", (2e9, 2e9))
    return tmp_path


def settle(folder: Path) -> Settled:
    """What is known after a walk that came long after the last change."""
    settled = known(folder, age_s=1)
    looked_at(folder, settled)
    settled.keep()
    return settled


def test_a_folder_of_recorded_links_alone_vouches_for_them(work: Path) -> None:
    assert vouched_for(work, settle(work)) == ["a", "b/c"]


def test_what_was_kept_is_known_later(work: Path) -> None:
    settle(work)
    assert vouched_for(work, known(work)) == ["a", "b/c"]
    assert looked_at(work, known(work)) == looked_at(work, None) == Differences()


def test_the_index_is_told_what_a_walk_through_everything_tells_it(work: Path) -> None:
    settle(work)
    top, git_dir = os.fsencode(work), os.fsencode(work / ".git")
    marks = []
    for settled in (None, known(work)):
        index = GitIndex.read(os.path.join(git_dir, b"index"))
        walk(top, index, Ignore.for_work_tree(top, git_dir=git_dir, excludes_file=None), settled=settled)
        marks.append(index.marks)
    assert marks[0] == marks[1]


def _replace(work: Path) -> None:
    (work / "a" / "one").unlink()
    (work / "a" / "one").symlink_to("z")


def _rename_over(work: Path) -> None:
    (work / "new").symlink_to("z")
    (work / "new").rename(work / "a" / "one")


def _other_folder(work: Path) -> None:
    (work / "a").rename(work / "before")
    (work / "a").mkdir()


_CHANGES: dict[str, Callable[[Path], object]] = {
    "a link is replaced": _replace,
    "a link is put over it": _rename_over,
    "a link is gone": lambda work: (work / "a" / "two").unlink(),
    "a file is new": lambda work: (work / "a" / "new").write_text("new"),
    "a folder is new": lambda work: (work / "a" / "new").mkdir(),
    "another folder is in its place": _other_folder,
    "a link is in its place": lambda work: os.symlink((work / "a").rename(work / "d"), work / "a"),
    "it is gone": lambda work: (work / "a").rename(work / "d"),
    "it may not be read": lambda work: (work / "a").chmod(0o711),
    "something else is recorded": lambda work: git(work, "update-index", "--force-remove", "a/one"),
    "something is recorded anew": lambda work: git(work, "update-index", "--cacheinfo", f"120000,{'1' * 40},a/one"),
    "something is recorded below": lambda work: git(
        work, "update-index", "--add", "--cacheinfo", f"120000,{'1' * 40},a/d/e"
    ),
}


@pytest.mark.parametrize("what", _CHANGES)
@pytest.mark.parametrize("kept", [True, False])
def test_a_folder_vouches_for_nothing_after(work: Path, what: str, kept: bool) -> None:
    settled = settle(work)
    _CHANGES[what](work)
    os.utime(work / ".git" / "index", (2e9, 2e9))
    again = known(work) if kept else settled
    assert "a" not in vouched_for(work, again)
    assert looked_at(work, again) == looked_at(work, None)


def test_a_folder_that_was_changed_a_moment_ago_vouches_for_nothing(work: Path) -> None:
    settled = known(work, age_s=-0.01)  # as if all had been made within the same tick
    looked_at(work, settled)
    assert vouched_for(work, settled) == []


@pytest.mark.parametrize("place", ["a/untracked", "a/ignored", "a/.git", "a/folder/file"])
@pytest.mark.parametrize("untracked", list(Untracked))
def test_a_folder_with_anything_else_in_it_vouches_for_nothing(work: Path, place: str, untracked: Untracked) -> None:
    (work / ".git" / "info" / "exclude").write_text("ignored\n")
    (work / place).parent.mkdir(exist_ok=True)
    (work / place).touch()
    settled = known(work, age_s=1)
    looked_at(work, settled, untracked=untracked)
    assert vouched_for(work, settled) == ["b/c"]


def test_an_older_index_is_compared_anew(work: Path) -> None:
    """What was surely older than the one index may be as young as the other."""
    settled = settle(work)
    os.utime(work / ".git" / "index", (1e9, 1e9))
    assert vouched_for(work, known(work)) == []
    assert vouched_for(work, settled) == []


def test_where_fewer_properties_count_as_a_change_no_folder_vouches(work: Path) -> None:
    settled = known(work, age_s=1)
    looked_at(work, settled, rules=StatRules(trust_ctime=False))
    settled.keep()
    assert vouched_for(work, settled) == []
    assert list((work / ".git" / "engram").iterdir()) == []


def test_an_index_that_does_not_keep_folders_apart_is_compared_entry_by_entry(work: Path) -> None:
    git(work, "update-index", "--index-version", "4")
    os.utime(work / ".git" / "index", (2e9, 2e9))
    assert vouched_for(work, settle(work)) == []


@pytest.mark.parametrize("kind", ["nfs4", "fuse.sshfs", "overlay", "cifs", "9p"])
def test_folders_of_other_file_systems_vouch_for_nothing(work: Path, kind: str) -> None:
    settle(work)
    mounts = work / ".git" / "other"
    mounts.write_text(f"1 1 0:1 / / rw - ext4 none rw\n2 1 0:2 / {work.parent} rw shared:1 - {kind} none rw\n")
    assert vouched_for(work, known(work, mounts=str(mounts))) == []
    assert vouched_for(work, known(work, mounts=str(work / "no such file"))) == []


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/", "ext4"),
        ("/data", "xfs"),
        ("/data/x", "xfs"),
        ("/database", "ext4"),
        ("/with space/x", "nfs4"),
        ("/s", "b"),
    ],
)
def test_a_file_system_is_that_of_the_nearest_place_where_one_is_mounted(tmp_path: Path, place: str, kind: str) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        "2 1 8:2 / /data rw - xfs /dev/sdb rw\n"
        "3 1 0:5 / /with\\040space rw shared:1 master:2 - nfs4 server:/ rw\n"
        "4 1 0:6 / /s rw - a none rw\n"
        "5 1 0:7 / /s rw - b none rw\n"
        "no line at all\n"
    )
    assert file_system_of(place, str(mounts)) == kind


_DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda content: content[:-1],
    "empty": lambda _: b"",
    "altered": lambda content: content.replace(b"a/\0", b"b/\0", 1),
    "random": lambda _: bytes(range(256)),
}


@pytest.mark.parametrize("damage", _DAMAGES)
def test_a_damaged_file_counts_for_nothing(work: Path, damage: str) -> None:
    settle(work)
    file = work / ".git" / "engram" / "settled"
    file.write_bytes(_DAMAGES[damage](file.read_bytes()))
    assert vouched_for(work, known(work)) == []


def test_nothing_is_read_or_written_through_links(work: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    settle(work)
    file = work / ".git" / "engram" / "settled"
    file.rename(elsewhere / "settled")
    file.symlink_to(elsewhere / "settled")
    assert vouched_for(work, known(work)) == []
    file.unlink()
    (work / ".git" / "engram").rmdir()
    (elsewhere / "settled").unlink()
    (work / ".git" / "engram").symlink_to(elsewhere)
    settle(work)
    assert list(elsewhere.iterdir()) == []


def test_nothing_is_kept_where_engram_never_saved(work: Path) -> None:
    (work / ".git" / "engram").rmdir()
    assert vouched_for(work, settle(work)) == ["a", "b/c"]
    assert not (work / ".git" / "engram").exists()


def test_a_dataset_of_few_files_is_looked_through(work: Path) -> None:
    assert vouched_for(work, known(work, enough=1000)) == []


def test_what_a_killed_engram_left_is_no_obstacle(work: Path) -> None:
    (work / ".git" / "engram" / "settled.new").write_text("half of")
    settle(work)
    assert vouched_for(work, known(work)) == ["a", "b/c"]


def test_folders_that_are_no_longer_recorded_are_forgotten(work: Path) -> None:
    settle(work)
    git(work, "rm", "-rq", "--cached", "a")
    os.utime(work / ".git" / "index", (2e9, 2e9))
    make(work, {"e/one": "x"})
    git(work, "add", "e")
    os.utime(work / ".git" / "index", (2e9, 2e9))
    settle(work)
    assert b"\0a/\0" not in (work / ".git" / "engram" / "settled").read_bytes()
    assert vouched_for(work, known(work)) == ["b/c", "e"]


links = st.dictionaries(paths(), st.sampled_from([Link(b"x"), Link(b"y")]), min_size=3, max_size=8)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(links | trees(8), st.lists(changes(), max_size=4), st.booleans())
def test_on_any_tree_after_any_changes_a_walk_sees_what_it_sees_without(
    tmp_path_factory: pytest.TempPathFactory, wanted: Tree, acts: list[Change], recorded: bool
) -> None:
    folder = tmp_path_factory.mktemp("tree")
    git(folder, "init", "-q")
    (folder / ".git" / "engram").mkdir()
    tree: Tree = {}
    for put in (*itertools.starmap(Put, wanted.items()), Put(b"last", Link(b"x"))):
        put.on_disk(folder, tree)
        tree = put.in_model(tree)
    git(folder, "add", "-A")
    time.sleep(_LONG_AGO_S)
    os.utime(folder / ".git" / "index")
    settled = known(folder)
    looked_at(folder, settled)
    settled.keep()
    for act in acts:
        act.on_disk(folder, tree)
        tree = act.in_model(tree)
    if recorded:
        git(folder, "add", "-A")
    without = looked_at(folder, None)
    assert looked_at(folder, known(folder)) == without
    assert looked_at(folder, settled) == without
    remove_tree(Steps(), str(folder))
