"""A dataset that is registered in one further up than the one around it."""

import os
from pathlib import Path

import pytest

from engram.model.errors import OutsideDataset
from tests.interop.peers import DataLad, Pair, engram, git, pair_of, told, tree_of, without_complaint

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def family(datalad_api: DataLad, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with a subdataset ``sub``."""
    top = tmp_path_factory.mktemp("family") / "ds"
    datalad_api("create", top.parent, path=str(top))
    datalad_api("create", top, dataset=".", path="sub")
    return top


@pytest.fixture
def families(family: Path, tmp_path: Path) -> Pair:
    pair = pair_of(family, tmp_path)
    for top in pair:
        git(top / "sub", "update-index", "-q", "--really-refresh")
    return pair


@pytest.mark.parametrize(("folder", "dataset", "path"), [("", ".", "sub/deep"), ("sub", "^", "deep")])
def test_it_is_registered_around_it_and_all_the_way_up_as_by_datalad(
    families: Pair, datalad_api: DataLad, folder: str, dataset: str, path: str
) -> None:
    theirs = datalad_api("create", families.theirs / folder, dataset=dataset, path=path)
    ours = [one.as_json() for one in engram(families.ours / folder).create(path, dataset=dataset)]
    theirs = [one for one in theirs if one["path"] != str(families.theirs / ".gitmodules")]  # it has not changed there
    assert told(ours, families.ours) == told(theirs, families.theirs)
    where = [os.path.relpath(one["refds"], families.theirs) for one in theirs]
    assert [os.path.relpath(one["refds"], families.ours) for one in ours] == where
    for sub in ("", "sub"):
        assert set(tree_of(families.ours / sub)) == set(tree_of(families.theirs / sub))
        assert git(families.ours / sub, "log", "--format=%B") == git(families.theirs / sub, "log", "--format=%B")
        without_complaint(families.ours / sub, datalad_api)


class TestARefusal:
    def test_keeps_it_from_being_made_beyond_a_link(self, families: Pair, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").mkdir()
        (families.ours / "link").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(OutsideDataset, match="beyond the symbolic link link"):
            engram(families.ours).create("link/new", dataset=".")
        assert list((tmp_path / "elsewhere").iterdir()) == []

    def test_keeps_it_out_of_gits_own_folder(self, families: Pair) -> None:
        with pytest.raises(OutsideDataset, match="git's own folder"):
            engram(families.ours).create(".git/new", dataset=".")
        assert not (families.ours / ".git/new").exists()

    def test_keeps_it_from_being_registered_past_a_repository_that_is_no_subdataset(self, families: Pair) -> None:
        git(families.ours, "init", "-q", "foreign")
        with pytest.raises(OutsideDataset, match="itself, but in"):
            engram(families.ours).create("foreign/new", dataset=".")
        assert not (families.ours / "foreign/new").exists()
