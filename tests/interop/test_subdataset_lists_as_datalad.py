"""What there is to know of subdatasets: told, and changed, as DataLad does it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engram.model.errors import PathNotFound, UsageError
from engram.workspace.context import Context
from engram.workspace.nesting import Nesting
from tests.interop.peers import DataLad, Pair, git, pair_of


def listed(folder: Path, *paths: str, **options: Any) -> list[dict[str, Any]]:
    import os

    context = Context(folder=str(folder), environment=dict(os.environ))
    return [outcome.as_json() for outcome in Nesting(context).subdatasets(paths, **options)]


def alike(records: list[dict[str, Any]], top: Path) -> list[dict[str, Any]]:
    """What both tools say, with paths relative to *top*."""
    told = []
    for record in records:
        kept = {
            name: value
            for name, value in record.items()
            if name.startswith("gitmodule_") or name in ("action", "status", "state", "gitshasum", "path", "contains")
        }
        told.append({**kept, "path": _relative(record["path"], top)})
        if "contains" in kept:
            told[-1]["contains"] = [_relative(path, top) for path in kept["contains"]]
    return told


def _relative(path: str, top: Path) -> str:
    return str(Path(path).relative_to(top))


@pytest.fixture(scope="module")
def family(datalad_api: DataLad, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with ``a``, ``a/inner``, ``d/b``; ``d/absent`` is recorded, and not installed."""
    top = tmp_path_factory.mktemp("family") / "ds"
    datalad_api("create", top.parent, path=str(top))
    for path in ("a", "d/b", "d/absent"):
        datalad_api("create", top, dataset=".", path=path)
    datalad_api("create", top / "a", dataset=".", path="inner")
    datalad_api.save(top, dataset=".", recursive=True)
    git(top, "config", "-f", ".gitmodules", "submodule.a.datalad-url", "ria+file:///store#~alias")
    datalad_api.save(top, dataset=".")
    git(top / "d/absent", "submodule", "deinit", "--all", "-f")
    for place in sorted((top / "d/absent").rglob("*"), reverse=True):
        if place.parent.is_dir() and not place.parent.is_symlink():
            place.parent.chmod(0o755)
        place.unlink() if place.is_symlink() or place.is_file() else place.rmdir()
    return top


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"recursive": True},
        {"recursive": True, "recursion_limit": 1},
        {"state": "absent"},
        {"state": "present", "recursive": True},
        {"recursive": True, "contains": ["a/inner/x"]},
        {"recursive": True, "contains": ["a/inner", "d/b/y/z"]},
        {"contains": ["a/inner/x"]},
        {"recursive": True, "bottomup": True},
    ],
    ids=str,
)
def test_the_list_is_datalads(family: Path, datalad_api: DataLad, options: dict[str, Any]) -> None:
    ours = listed(family, **{"bottom_up" if name == "bottomup" else name: value for name, value in options.items()})
    assert alike(ours, family) == alike(datalad_api("subdatasets", family, **options), family)


def test_a_path_chooses_those_around_it(family: Path) -> None:
    assert [record["item"] for record in listed(family, "d")] == ["d/absent", "d/b"]
    with pytest.raises(PathNotFound):
        listed(family, "nothing")


def test_datalads_older_word_for_the_state_is_understood(family: Path) -> None:
    def listed(*words: str) -> str:
        command = [sys.executable, "-m", "engram", "subdatasets", *words]
        return subprocess.run(command, cwd=family, capture_output=True, text=True, check=True).stdout

    assert listed("--fulfilled", "true") == listed("--state", "present") != listed("--fulfilled", "no")


def test_a_path_in_no_subdataset_is_told(family: Path, datalad_api: DataLad) -> None:
    (ours,) = listed(family, contains=["d"])
    (theirs,) = datalad_api("subdatasets", family, contains=["d"])
    assert ours["status"] == theirs["status"] == "impossible"
    assert ours["path"] == theirs["path"]


@pytest.fixture
def pair(family: Path, tmp_path: Path) -> Pair:
    return pair_of(family, tmp_path)


@pytest.mark.parametrize(
    ("properties", "without"),
    [
        ([("datalad-recursiveinstall", "skip")], []),
        ([("url", "<https://example.org/{refds_relname}/{gitmodule_name}>"), ("note", 'a "b" ; c')], []),
        ([], ["datalad-url"]),
        ([("x", "1")], ["datalad-url"]),
    ],
)
def test_changed_properties_are_saved_as_by_datalad(
    pair: Pair, datalad_api: DataLad, properties: list[tuple[str, str]], without: list[str]
) -> None:
    paths = ["a"] if without else []  # the others lack it
    ours = listed(pair.ours, *paths, properties=properties, without=without)
    options = {
        **({"set_property": properties} if properties else {}),
        **({"delete_property": without} if without else {}),
    }
    theirs = datalad_api("subdatasets", pair.theirs, **({"path": paths} if paths else {}), **options)
    subdatasets = [[r for r in records if r["action"] == "subdataset"] for records in (ours, theirs)]
    assert alike(subdatasets[0], pair.ours) == alike(subdatasets[1], pair.theirs)
    settings = [sorted(git(top, "config", "-f", ".gitmodules", "--list").splitlines()) for top in pair]
    assert settings[0] == settings[1]
    assert [git(top, "log", "-1", "--format=%s") for top in pair] == ["[DATALAD] modified subdataset properties\n"] * 2
    assert git(pair.ours, "status", "--porcelain") == ""


def test_taking_away_what_is_not_there_is_told(pair: Pair) -> None:
    (record,) = [record for record in listed(pair.ours, "a", without=["never-was"]) if record["action"] == "subdataset"]
    assert (record["status"], record["message"]) == ("impossible", "a has no property never-was to take away.")


def test_what_is_set_already_makes_no_commit(pair: Pair) -> None:
    listed(pair.ours, "a", properties=[("x", "1")])
    before = git(pair.ours, "rev-parse", "HEAD")
    listed(pair.ours, "a", properties=[("x", "1")])
    assert git(pair.ours, "rev-parse", "HEAD") == before


@pytest.mark.parametrize(
    "properties", [[("1x", "y")], [("a b", "y")], [("path", "elsewhere")], [("x", "<{refds.__class__}{nothing}>")]]
)
def test_what_would_do_harm_is_refused(pair: Pair, properties: list[tuple[str, str]]) -> None:
    before = git(pair.ours, "rev-parse", "HEAD")
    with pytest.raises(UsageError):
        listed(pair.ours, properties=properties)
    assert git(pair.ours, "rev-parse", "HEAD") == before
    assert git(pair.ours, "status", "--porcelain") == ""
