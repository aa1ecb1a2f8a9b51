"""Get does what DataLad's get does: the same records, the same state, with subdatasets and without."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from engram.workspace.context import Context
from engram.workspace.getting import Getting
from tests.interop.peers import (
    DataLad,
    Pair,
    annex,
    annex_branch,
    create,
    git,
    links_of,
    modes_of,
    objects_of,
    pair_of,
    save,
    told,
    without_complaint,
    write,
)


def get(folder: Path, *paths: str, **options: Any) -> list[dict[str, Any]]:
    context = Context(folder=str(folder), environment=dict(os.environ), reports_unknown=True)
    return [outcome.as_json() for outcome in Getting(context).get(paths, **options)]


@pytest.fixture(scope="module")
def original(git_annex: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A superdataset with files of every kind, and two levels of subdatasets."""
    top = tmp_path_factory.mktemp("original") / "top"
    create(top, backend="SHA256E")
    for place, above in (("sub", top), ("sub/deep", top / "sub"), ("sub/skip", top / "sub"), ("other", top)):
        create(top / place, dataset=str(above))
        write(top / place, "f.bin", place)
    git(top / "sub", "config", "-f", ".gitmodules", "submodule.skip.datalad-recursiveinstall", "skip")
    write(top, "in-git.txt", "text")
    write(top, "only-git/a.txt", "text")
    save(top, "in-git.txt", "only-git", to_git=True)
    write(top, "a.bin", "a")
    write(top, "d/b.bin", "b")
    write(top, "d/c.bin", "c")
    save(top, recursive=True)
    return top


@pytest.fixture(scope="module")
def clone(original: Path) -> Path:
    folder = original.parent / "clone"
    git(original.parent, "clone", "--quiet", str(original), str(folder))
    annex(folder, "init", "--quiet", "clone")
    return folder


@pytest.fixture
def pair(clone: Path, tmp_path: Path) -> Pair:
    return pair_of(clone, tmp_path)


def same_state(pair: Pair, *places: str) -> None:
    for place in ("", *places):
        ours, theirs = pair.ours / place, pair.theirs / place
        assert git(ours, "rev-parse", "HEAD") == git(theirs, "rev-parse", "HEAD")
        assert git(ours, "symbolic-ref", "-q", "HEAD", fine=(0, 1)) == git(
            theirs, "symbolic-ref", "-q", "HEAD", fine=(0, 1)
        )
        assert links_of(ours) == links_of(theirs)
        assert modes_of(ours) == modes_of(theirs)
        assert objects_of(ours) == objects_of(theirs)
    assert annex_branch(pair.ours) == annex_branch(pair.theirs)


@pytest.mark.parametrize(
    "paths",
    [
        ["a.bin"],
        ["a.bin", "in-git.txt"],
        ["d"],
        ["d/b.bin", "d/c.bin"],
        ["only-git"],
        ["."],
        ["nothing-of-that-name", "a.bin"],
    ],
    ids=" ".join,
)
def test_files_come_with_the_same_records(pair: Pair, datalad_api: DataLad, paths: list[str]) -> None:
    ours = told(get(pair.ours, *paths), pair.ours)
    theirs = told(
        [{**record, "key": record.get("annexkey")} for record in datalad_api("get", pair.theirs, path=paths)],
        pair.theirs,
    )
    assert sorted(ours) == sorted(theirs)
    same_state(pair)


@pytest.mark.parametrize(
    ("wanted", "data", "comes"),
    [
        ("exclude=d/c.bin", "anything", {"d/b.bin", "d/c.bin"}),
        ("exclude=d/c.bin", "auto", {"d/b.bin"}),
        ("exclude=d/c.bin", "auto-if-wanted", {"d/b.bin"}),
        ("exclude=d/c.bin", "nothing", set()),
        ("", "auto", set()),
        ("", "auto-if-wanted", {"d/b.bin", "d/c.bin"}),
    ],
)
def test_the_same_contents_come(pair: Pair, datalad_api: DataLad, wanted: str, data: str, comes: set[str]) -> None:
    for folder in (pair.ours, pair.theirs):
        if wanted:
            annex(folder, "wanted", ".", wanted, "-q")
    get(pair.ours, "d", which=data)
    datalad_api("get", pair.theirs, path=["d"], data=data)
    for folder in (pair.ours, pair.theirs):
        assert {path for path in ("d/b.bin", "d/c.bin") if (folder / path).exists()} == comes


def test_what_is_here_is_told_of_the_same_way(pair: Pair, datalad_api: DataLad) -> None:
    get(pair.ours, "d")
    datalad_api("get", pair.theirs, path=["d"])
    paths = ["d", "d/b.bin", "in-git.txt"]
    assert sorted(told(get(pair.ours, *paths), pair.ours)) == sorted(
        told(datalad_api("get", pair.theirs, path=paths), pair.theirs)
    )


@pytest.mark.parametrize(
    ("paths", "options", "installed"),
    [
        (["sub"], {"get_data": False}, ["sub"]),
        (["sub/f.bin"], {}, ["sub"]),
        (["sub/deep/f.bin"], {}, ["sub", "sub/deep"]),
        (["."], {"recursive": True, "recursion_limit": 1}, ["sub", "other"]),
        (["."], {"recursive": True}, ["sub", "sub/deep", "other"]),
    ],
    ids=str,
)
def test_subdatasets_come_at_the_same_commit_with_the_same_contents(
    pair: Pair, datalad_api: DataLad, paths: list[str], options: dict[str, Any], installed: list[str]
) -> None:
    own = {name.replace("get_data", "data"): value for name, value in options.items()}
    ours = [record[:4] for record in told(get(pair.ours, *paths, **own), pair.ours) if record[1] != "notneeded"]
    theirs = told(datalad_api("get", pair.theirs, path=paths, **options), pair.theirs)
    assert sorted(ours) == sorted(record[:4] for record in theirs if record[1] != "notneeded")
    same_state(pair, *installed)
    for folder in pair:
        assert not (folder / "sub" / "skip" / ".git").exists()
    for name in installed:
        if "/" not in name:
            assert git(pair.ours, "config", f"submodule.{name}.active") == git(
                pair.theirs, "config", f"submodule.{name}.active"
            )
    for name in installed:
        assert git(pair.ours / name, "remote") == git(pair.theirs / name, "remote")


def test_an_older_commit_is_checked_out_as_datalad_does(original: Path, datalad_api: DataLad, tmp_path: Path) -> None:
    copy = tmp_path / "top"
    subprocess.run(["cp", "-a", str(original), str(copy)], check=True)
    write(copy / "other", "later.bin", "later")
    save(copy / "other")  # the superdataset still records the commit before
    folders = []
    for name in ("ours", "theirs"):
        git(tmp_path, "clone", "--quiet", str(copy), name)
        annex(tmp_path / name, "init", "--quiet", name)
        folders.append(tmp_path / name)
    get(folders[0], "other", data=False)
    datalad_api("get", folders[1], path=["other"], get_data=False)
    for ask in (
        ("rev-parse", "HEAD"),
        ("symbolic-ref", "HEAD"),
        ("status", "--porcelain"),
        ("rev-parse", "--abbrev-ref", "@{upstream}"),
    ):
        assert git(folders[0] / "other", *ask) == git(folders[1] / "other", *ask)
    assert git(folders[0], "status", "--porcelain") == ""


def test_a_commit_of_no_branch_is_checked_out_as_datalad_does(
    original: Path, datalad_api: DataLad, tmp_path: Path
) -> None:
    copy = tmp_path / "top"
    subprocess.run(["cp", "-a", str(original), str(copy)], check=True)
    git(copy / "other", "checkout", "--quiet", "--detach")
    write(copy / "other", "aside.txt", "aside")
    save(copy / "other")
    save(copy)
    git(copy / "other", "branch", "aside")
    git(copy / "other", "checkout", "--quiet", "-")
    folders = []
    for name in ("ours", "theirs"):
        git(tmp_path, "clone", "--quiet", str(copy), name)
        annex(tmp_path / name, "init", "--quiet", name)
        folders.append(tmp_path / name)
    get(folders[0], "other", data=False)
    datalad_api("get", folders[1], path=["other"], get_data=False)
    assert git(folders[0] / "other", "rev-parse", "HEAD") == git(folders[1] / "other", "rev-parse", "HEAD")
    for folder in folders:
        assert git(folder / "other", "symbolic-ref", "-q", "HEAD", fine=(1,)) == ""


def test_datalad_goes_on_where_engram_got(pair: Pair, datalad_api: DataLad) -> None:
    get(pair.ours, ".", recursive=True)
    assert {record["status"] for record in datalad_api("get", pair.ours, path=["."], recursive=True)} <= {"notneeded"}
    assert {record["status"] for record in datalad_api("drop", pair.ours, path=["d"])} == {"ok"}
    assert {record["status"] for record in get(pair.ours, "d")} == {"ok"}
    for place in ("", "sub", "other"):
        assert git(pair.ours / place, "status", "--porcelain") == ""
        assert annex(pair.ours / place, "fsck", "--quiet") == ""
    without_complaint(pair.ours / "sub" / "deep", datalad_api)


def test_what_the_source_lost_is_an_error_in_both(
    pair: Pair, original: Path, datalad_api: DataLad, tmp_path: Path
) -> None:
    copy = tmp_path / "top"
    subprocess.run(["cp", "-a", str(original), str(copy)], check=True)
    annex(copy, "drop", "--quiet", "--force", "a.bin")
    for folder in pair:
        git(folder, "remote", "set-url", "origin", str(copy))
    ours = told(get(pair.ours, "a.bin", "d/b.bin"), pair.ours)
    theirs = told(
        [{**one, "key": one.get("annexkey")} for one in datalad_api("get", pair.theirs, path=["a.bin", "d/b.bin"])],
        pair.theirs,
    )
    assert sorted(ours) == sorted(theirs)


def test_a_subdataset_of_a_clone_by_a_relative_path_is_found_after_both_were_moved(
    original: Path, datalad_api: DataLad, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    subprocess.run(["cp", "-a", str(original), str(home / "top")], check=True)
    for name in ("ours", "theirs"):
        git(home, "clone", "--quiet", "top", name)
        git(home / name, "config", "remote.origin.url", "../top")
    (ours,) = get(home / "ours", "sub", data=False)
    (theirs,) = datalad_api("get", home / "theirs", path=["sub"], get_data=False)
    assert ours["source"] == theirs["source"]
    for place, name in (("sub", "remote.origin.url"), ("", "submodule.sub.url")):
        assert git(home / "ours" / place, "config", name) == git(home / "theirs" / place, "config", name)
    home.rename(tmp_path / "elsewhere")
    (record,) = get(tmp_path / "elsewhere/ours", "sub/f.bin")
    assert record["status"] == "ok"
