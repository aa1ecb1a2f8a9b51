"""The real DataLad takes a saved snapshot for what it is: a dataset, clean, whose content can be had."""

from pathlib import Path

import pytest

from engram.connectome.proving.told import Kind
from tests.integration.connectome.test_building import CONNECTOME, change_settings
from tests.integration.connectome.test_saving import STATS, TEXTS, build
from tests.integration.connectome.test_snapshot_check import wrong_in
from tests.interop.peers import DataLad, annex, git
from tests.naive_connectome import write_connectome

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("git_annex")]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_connectome(CONNECTOME, tmp_path / "in")


def states(datalad_api: DataLad, dataset: Path) -> set[str]:
    return {one["state"] for one in datalad_api.status(dataset)}


def test_datalad_finds_nothing_to_save_gets_what_was_cloned_and_the_check_holds(
    config: Path, tmp_path: Path, datalad_api: DataLad
) -> None:
    out, clone = tmp_path / "out", tmp_path / "clone"
    for setting in ("big", "small"):
        change_settings(config, setting, "0.7")
        build(config, out)
        assert states(datalad_api, out) == {"clean"}
    assert {one["status"] for one in datalad_api.save(out)} == {"notneeded"}
    annex(out, "fsck", "--fast")
    datalad_api("clone", tmp_path, source=str(out), path=str(clone))
    assert {path for path in TEXTS if (clone / path).is_file() and not (clone / path).is_symlink()} == TEXTS
    assert {one.kind for one in wrong_in(clone)} == {Kind.ABSENT}
    assert {one["status"] for one in datalad_api("get", clone, path=".")} == {"ok"}
    assert wrong_in(clone) == []
    datalad_api("drop", clone, path=STATS)
    assert [(one.path, one.kind) for one in wrong_in(clone)] == [(STATS, Kind.ABSENT)]


def test_datalad_knows_it_as_a_subdataset_and_saves_what_it_does_itself(
    config: Path, tmp_path: Path, datalad_api: DataLad
) -> None:
    top = tmp_path / "super"
    datalad_api("create", tmp_path, path=str(top))
    build(config, top / "release")
    assert [one["gitmodule_name"] for one in datalad_api("subdatasets", top)] == ["release"]
    assert states(datalad_api, top) == {"clean"}
    change_settings(config, "small", "0.7")
    build(config, top / "release", saved=False)
    datalad_api.save(top, recursive=True, message="by datalad")
    assert states(datalad_api, top) == {"clean"}
    assert not [path for path in git(top / "release", "ls-files").splitlines() if path.startswith(".engram")]
    assert wrong_in(top / "release") == []
    before = git(top / "release", "rev-parse", "HEAD")
    build(config, top / "release")
    assert git(top / "release", "rev-parse", "HEAD") == before
