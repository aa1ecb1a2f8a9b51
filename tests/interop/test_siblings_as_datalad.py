"""What `siblings` tells is what DataLad's tells."""

import os
from pathlib import Path
from typing import Any

import pytest

from engram.model.errors import UsageError
from engram.workspace.cloning import Copies
from engram.workspace.context import Context
from tests.interop.peers import DataLad, annex, git

_OURS = {"record", "item", "note", "message", "error", "remedy", "moved_bytes"}


def siblings(folder: Path, **options: Any) -> list[dict[str, Any]]:
    context = Context(folder=str(folder), environment=dict(os.environ))
    return [outcome.as_json() for outcome in Copies(context).siblings(**options)]


@pytest.fixture(scope="module")
def family(datalad_api: DataLad, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a dataset that has siblings of several kinds, and subdatasets."""
    folder = tmp_path_factory.mktemp("family")
    datalad_api("create", folder, path=str(folder / "origin"))
    datalad_api("clone", folder, source=str(folder / "origin"), path="ds")
    ds = folder / "ds"
    datalad_api("create", ds, path="sub", dataset=str(ds))
    git(ds, "remote", "add", "ignored", "https://ada:secret@127.0.0.1:1/x")
    git(ds, "config", "remote.ignored.annex-ignore", "true")
    git(ds, "config", "--add", "remote.origin.fetch", "+refs/tags/*:refs/tags/*")
    (folder / "store").mkdir()
    options = ("type=directory", f"directory={folder / 'store'}", "encryption=none", "autoenable=true")
    annex(ds, "initremote", "back-up", *options)
    annex(ds, "wanted", "back-up", "include=*")
    annex(ds, "required", ".", "include=*.txt")
    annex(ds, "group", "origin", "archive")
    annex(ds, "wanted", "origin", "groupwanted")
    annex(ds, "groupwanted", "archive", "anything")
    annex(ds, "describe", "origin", "the lab's own")
    return folder


def plain(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kept = [{name: value for name, value in record.items() if name not in _OURS} for record in records]
    for record in kept:
        assert record.pop("available_local_disk_space", 1) > 0
    return kept


def test_every_field_is_datalads_but_for_secrets(family: Path, datalad_api: DataLad) -> None:
    ours = plain(siblings(family / "ds"))
    theirs = plain(datalad_api("siblings", family / "ds"))
    for record in theirs:
        record.pop("annex-timestamp", None)  # of a line in a log
        if record["name"] == "ignored":
            assert record["url"] == "https://ada:secret@127.0.0.1:1/x"
            record["url"] = "https://127.0.0.1:1/x"
    assert {one["name"]: one for one in ours} == {one["name"]: one for one in theirs}


def test_those_of_subdatasets_are_told_too(family: Path, datalad_api: DataLad) -> None:
    ours = plain(siblings(family / "ds", recursive=True, annex_info=False))
    theirs = plain(datalad_api("siblings", family / "ds", recursive=True, get_annex_info=False))
    assert {(one["path"], one["name"]) for one in ours} == {(one["path"], one["name"]) for one in theirs}


def test_one_is_told_by_its_name_and_an_unknown_one_refused(family: Path) -> None:
    assert [one["name"] for one in siblings(family / "ds", name="origin")] == ["origin"]
    with pytest.raises(UsageError) as refused:
        siblings(family / "ds", name="orgin")
    assert "here, origin, ignored, back-up" in refused.value.next_step
