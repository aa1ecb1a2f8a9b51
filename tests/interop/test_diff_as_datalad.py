"""What differs between two versions, told as DataLad tells it."""

import os
from pathlib import Path
from typing import Any

import pytest

from engram.model.errors import NoSuchVersion
from engram.workspace.comparing import Comparing
from engram.workspace.context import Context
from tests.interop.peers import DataLad, git, write

_FIELDS = ("status", "state", "type", "path", "gitshasum", "prev_gitshasum", "bytesize", "key", "backend", "objloc")
_BEFORE = ("key", "bytesize", "backend", "keyname", "mtime", "humansize", "hashdirlower", "hashdirmixed", "objloc")


def ours(folder: Path, *paths: str, **options: Any) -> list[dict[str, Any]]:
    context = Context(folder=str(folder), environment=dict(os.environ))
    return [outcome.as_json() for outcome in Comparing(context).diff(paths, **options)]


def alike(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = (*_FIELDS, *(f"prev_{name}" for name in _BEFORE))
    return [{name: record[name] for name in names if record.get(name) not in (None, "")} for record in records]


@pytest.fixture(scope="module")
def dataset(datalad_api: DataLad, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions of files in git, in the annex and in a subdataset; ``two`` names the later; then changes."""
    top = tmp_path_factory.mktemp("diff") / "ds"
    datalad_api("create", top.parent, path=str(top), cfg_proc="text2git")
    datalad_api("create", top, dataset=".", path="sub")
    for path in ("text", "gone", "d/moved", "same", "chmod", "to-link"):
        write(top, path, path)
    for path in ("annexed", "annexed-gone", "annexed-same"):
        write(top, path, b"\0" + path.encode())
    datalad_api.save(top)
    git(top, "tag", "one")
    git(top, "rm", "-q", "gone", "annexed-gone")
    git(top, "mv", "d/moved", "d/moved-to")
    write(top, "text", "changed")
    (top / "annexed").unlink()
    write(top, "annexed", b"\0changed")
    (top / "chmod").chmod(0o755)
    (top / "to-link").unlink()
    (top / "to-link").symlink_to("text")
    write(top, "sub/new", "new")
    saved = datalad_api.save(top, dataset=".", recursive=True)
    assert {record["status"] for record in saved} == {"ok"}, saved
    git(top, "tag", "two")
    write(top, "untracked", "u")
    write(top, "un/tracked", "u")
    write(top, "text", "and again")
    (top / "annexed-same").unlink()
    write(top, "sub/untracked", "u")
    return top


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"recursive": True},
        {"fr": "one"},
        {"fr": "one", "recursive": True},
        {"fr": "one", "untracked": "all"},
        {"fr": "one", "to": "two"},
        {"fr": "two", "to": "one"},
        {"fr": "one", "to": "two", "recursive": True},
        {"fr": "one", "to": "HEAD", "recursive": True, "recursion_limit": 0},
        {"fr": "HEAD~1", "to": "two", "annex": "basic"},
        {"fr": "one", "to": "two", "annex": "availability"},
        {"fr": "two", "to": "two"},
    ],
    ids=str,
)
@pytest.mark.parametrize("paths", [[], ["d"], ["sub"], ["sub/untracked"], ["d", "sub/new"]], ids=str)
def test_the_differences_are_datalads(
    dataset: Path, datalad_api: DataLad, options: dict[str, Any], paths: list[str]
) -> None:
    renamed = {{"fr": "before", "to": "later"}.get(name, name): value for name, value in options.items()}
    theirs = datalad_api("diff", dataset, **({"path": paths} if paths else {}), **options)
    assert _by_path(alike(ours(dataset, *paths, **renamed))) == _by_path(alike(theirs))


@pytest.mark.parametrize(
    "options",
    [
        {"annex": "basic"},
        {"fr": "one", "annex": "basic"},
        {"fr": "two", "annex": "all"},
        {"fr": "one", "annex": "availability", "recursive": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("paths", [[], ["d"], ["sub"]], ids=str)
def test_what_was_annexed_before_is_told_as_datalad_tells_it(
    dataset: Path, datalad_api: DataLad, options: dict[str, Any], paths: list[str]
) -> None:
    renamed = {{"fr": "before"}.get(name, name): value for name, value in options.items()}
    theirs = datalad_api("diff", dataset, **({"path": paths} if paths else {}), **options)
    assert _by_path(alike(ours(dataset, *paths, **renamed))) == _by_path(alike(theirs))
    if not paths:
        assert any("prev_key" in record for record in theirs)


def _by_path(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sorted; without the file of which only the executable bit changed, which DataLad takes for clean."""
    told = [record for record in records if not record["path"].endswith("/chmod")]
    return sorted(told, key=lambda record: (record["path"], record["state"]))


def test_an_executable_bit_is_a_difference(dataset: Path) -> None:
    (record,) = ours(dataset, "chmod", before="one", later="two")
    assert record["state"] == "modified"


def test_only_what_differs_is_looked_for_when_nothing_else_is_asked(dataset: Path) -> None:
    everything = ours(dataset, before="one", later="two")
    changed = ours(dataset, before="one", later="two", report_clean=False)
    assert changed == [record for record in everything if record["state"] != "clean"]
    assert {record["item"] for record in changed} >= {"text", "gone", "d/moved", "d/moved-to", "sub"}


def test_a_path_that_is_gone_from_both_says_nothing(dataset: Path) -> None:
    assert ours(dataset, "nothing", before="one", later="two") == []


@pytest.mark.parametrize("version", ["nothing", "--upload-pack=x", "", "one:text"])
def test_what_names_no_version_is_told(dataset: Path, version: str) -> None:
    with pytest.raises(NoSuchVersion):
        ours(dataset, before=version)
