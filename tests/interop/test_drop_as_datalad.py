"""Drop and remove say what DataLad says, and leave what DataLad leaves."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engram.testing.places import Template, scratch
from tests.integration.clones import drop, remove, two_clones, uuid_of
from tests.interop.peers import DataLad, annex, create, git, save, told, write

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture(scope="module")
def scene() -> Iterator[Path]:
    with scratch() as folder:
        yield folder


@pytest.fixture(scope="module")
def clones(git_annex: Path, scene: Path) -> Template:
    (scene / "original").mkdir()
    return Template(two_clones(scene / "original"), scene)


@pytest.fixture(scope="module")
def nested(git_annex: Path, scene: Path) -> Template:
    """A superdataset with two subdatasets in a folder, cloned with all of it."""
    folder = scene / "nested"
    folder.mkdir()
    create(folder / "super")
    for name in ("raw/one", "raw/two"):
        create(folder / "super" / name, dataset=str(folder / "super"))
        write(folder / "super" / name, "x.dat", name * 10)
        save(folder / "super" / name, message="x")
    write(folder / "super", "top.dat", "top")
    save(folder / "super", message="subdatasets")
    git(folder, "clone", "-q", "super", "clone")
    clone = folder / "clone"
    annex(clone, "init", "-q", "clone")
    for name in ("raw/one", "raw/two"):
        git(clone, "clone", "-q", f"../super/{name}", name)
        annex(clone / name, "init", "-q", "clone")
        git(clone / name, "remote", "set-url", "origin", f"../../../super/{name}")
        git(clone / name, "config", "remote.origin.annex-uuid", uuid_of(folder / "super" / name))
        annex(clone / name, "get", "-q", ".")
        git(clone, "config", f"submodule.{name}.url", f"../super/{name}")
        git(clone, "config", f"submodule.{name}.active", "true")
    git(clone, "remote", "set-url", "origin", "../super")
    git(clone, "config", "remote.origin.annex-uuid", uuid_of(folder / "super"))
    return Template(folder, scene)


def by_datalad(datalad_api: DataLad, verb: str, folder: Path, *paths: str, **options: Any) -> list[dict[str, Any]]:
    records = datalad_api(verb, folder, **({"path": list(paths)} if paths else {}), on_failure="ignore", **options)
    return [{**record, "key": record.get("annexkey") or record.get("key")} for record in records]


#: What is named and how, in a clone that holds everything.
DROPS: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    (("a.dat",), {}),
    (("d",), {}),
    ((".",), {}),
    ((), {}),
    (("a.dat", "notes.txt"), {}),
    ((), {"what": "allkeys"}),
    (("d",), {"what": "allkeys"}),
    (("a.dat",), {"reckless": "availability"}),
    (("d",), {"what": "all"}),
]


@pytest.mark.parametrize(("paths", "options"), DROPS)
def test_drop_says_and_leaves_the_same(
    clones: Template, datalad_api: DataLad, paths: tuple[str, ...], options: dict[str, Any]
) -> None:
    theirs = clones.fresh() / "b"
    by_them = sorted(told(by_datalad(datalad_api, "drop", theirs, *paths, **options), theirs))
    held = annex(theirs, "find")
    ours = clones.fresh() / "b"
    records = drop(ours, *paths, **options)
    assert sorted(told(records, ours)) == by_them
    assert annex(ours, "find") == held
    assert annex(ours, "fsck", "--fast", "-q") == ""


def _want_two(dataset: Path) -> None:
    annex(dataset, "numcopies", "2", "-q")


def _untracked(dataset: Path) -> None:
    (dataset / "new.dat").write_text("new")


def _modified(dataset: Path) -> None:
    (dataset / "notes.txt").write_text("changed")


def _nobody_else(dataset: Path) -> None:
    git(dataset, "remote", "remove", "origin")


@pytest.mark.parametrize("spoil", [_want_two, _untracked, _modified, _nobody_else])
def test_a_refusal_says_the_same(clones: Template, datalad_api: DataLad, spoil: Any) -> None:
    theirs = clones.fresh() / "b"
    spoil(theirs)
    refusals = by_datalad(datalad_api, "drop", theirs, ".")
    ours = clones.fresh() / "b"
    spoil(ours)
    records = drop(ours, ".")
    assert sorted(told(records, ours)) == sorted(told(refusals, theirs))
    theirs_say = {_first(record["message"]) for record in refusals if record["type"] == "file"}
    assert {_first(record["message"]) for record in records if record["type"] == "file"} == theirs_say


def _first(message: str) -> str:
    """The sentence that both have; what comes then is each one's advice."""
    return message.partition(".;")[0].partition("; (")[0].rstrip(".")


@pytest.mark.parametrize(
    ("paths", "options"),
    [
        (("raw",), {"what": "all"}),
        (("raw",), {"what": "all", "recursive": True}),
        (("raw/one",), {"what": "all"}),
        (("raw/one",), {"what": "datasets"}),
        (("raw/one",), {}),
        (("raw/one/",), {}),
        (("raw/one",), {"dataset": "."}),
        (("raw/one/",), {"dataset": "."}),
        (("raw",), {"recursive": True}),
        ((), {"recursive": True}),
        (("raw",), {"what": "datasets"}),
        (("raw",), {"what": "all", "recursive": True, "reckless": "kill"}),
    ],
)
def test_drop_of_subdatasets_says_and_leaves_the_same(
    nested: Template, datalad_api: DataLad, paths: tuple[str, ...], options: dict[str, Any]
) -> None:
    theirs = nested.fresh() / "clone"
    by_them = told(by_datalad(datalad_api, "drop", theirs, *paths, **options), theirs)
    left = _left(theirs)
    ours = nested.fresh() / "clone"
    assert sorted(told(drop(ours, *paths, **options), ours)) == sorted(by_them)
    assert _left(ours) == left


def test_subdatasets_that_stay_because_nobody_asked_for_them_are_told(nested: Template) -> None:
    (told_of,) = [one for one in drop(nested.fresh() / "clone", "raw", what="all") if one["type"] == "directory"]
    assert str(told_of["note"]).endswith("in it go with -r")


def _left(folder: Path) -> list[str]:
    """Files and folders of the work trees, and what of the annexed ones is here."""
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        found += [os.path.relpath(os.path.join(place, name), folder) for name in (*files, *folders)]
    return sorted(f"{name} {os.path.exists(folder / name)}" for name in found)


@pytest.mark.parametrize(
    ("paths", "options"),
    [
        (("top.dat",), {}),
        (("top.dat",), {"drop": "all"}),
        (("raw/one",), {}),
        (("raw",), {}),
        (("raw/one", "top.dat"), {"message": "not needed"}),
    ],
)
def test_remove_says_and_leaves_the_same(
    nested: Template, datalad_api: DataLad, paths: tuple[str, ...], options: dict[str, Any]
) -> None:
    theirs = nested.fresh() / "clone"
    by_them = told(by_datalad(datalad_api, "remove", theirs, *paths, **options), theirs)
    left, message = _left(theirs), git(theirs, "log", "-1", "--format=%B")
    listed, modules = git(theirs, "ls-files", "-s"), git(theirs, "show", "HEAD:.gitmodules")
    ours = nested.fresh() / "clone"
    assert sorted(told(remove(ours, *paths, **options), ours)) == sorted(by_them)
    assert _left(ours) == left
    assert git(ours, "log", "-1", "--format=%B") == message
    assert git(ours, "ls-files", "-s") == listed
    assert git(ours, "show", "HEAD:.gitmodules") == modules
    assert git(ours, "status", "--porcelain") == ""


def _unpushed(clone: Path) -> None:
    git(clone, "commit", "-q", "--allow-empty", "-m", "nobody has this")


def _pushed_annex(clone: Path) -> None:
    git(clone, "push", "-q", "origin", "git-annex")
    git(clone, "fetch", "-q")


@pytest.mark.parametrize("spoil", [_unpushed, _pushed_annex])
def test_a_dataset_that_must_not_go_says_the_same(nested: Template, datalad_api: DataLad, spoil: Any) -> None:
    theirs = nested.fresh() / "clone"
    spoil(theirs / "raw/one")
    by_them = by_datalad(datalad_api, "drop", theirs, "raw/one", what="all")
    ours = nested.fresh() / "clone"
    spoil(ours / "raw/one")
    records = drop(ours, "raw/one", what="all")
    assert told(records, ours) == told(by_them, theirs)
    words = {
        "_unpushed": "revisions that are not available at any known sibling",
        "_pushed_annex": "not declared 'dead'",
    }
    assert words[spoil.__name__] in records[0]["message"]
    assert (ours / "raw/one/x.dat").exists()


def test_a_whole_dataset_goes_as_with_datalad(nested: Template, datalad_api: DataLad) -> None:
    theirs = nested.fresh()
    by_them = told(by_datalad(datalad_api, "remove", theirs, dataset=str(theirs / "clone")), theirs)
    ours = nested.fresh()
    assert sorted(told(remove(ours, dataset="clone"), ours)) == sorted(by_them)
    assert not (ours / "clone").exists()


def test_a_file_can_be_removed_where_siblings_count_on_the_annex(clones: Template, datalad_api: DataLad) -> None:
    """DataLad refuses this one, though the dataset stays: a difference that is meant."""
    theirs = clones.fresh() / "b"
    (refusal,) = by_datalad(datalad_api, "remove", theirs, "a.dat")
    assert "not declared 'dead'" in str(refusal["message"])
    ours = clones.fresh() / "b"
    assert [record["action"] for record in remove(ours, "a.dat")] == ["remove", "save"]


def test_datalad_gets_back_what_engram_dropped(clones: Template, datalad_api: DataLad) -> None:
    clone = clones.fresh() / "b"
    drop(clone)
    records = datalad_api("get", clone, path=["."])
    assert {record["status"] for record in records} == {"ok"}
    assert (clone / "a.dat").read_text() == "a" * 3000
