"""Subdatasets and nested repositories: made, saved and told as DataLad does it."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.interop.peers import (
    DataLad,
    Pair,
    create,
    git,
    pair_of,
    save,
    status,
    told,
    tree_of,
    without_complaint,
    write,
)

pytestmark = pytest.mark.integration

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _text(place: Path) -> str:
    return _UUID.sub("(uuid)", place.read_text())


class TestCreatingOne:
    @pytest.fixture
    def supers(self, made_by_datalad: Path, tmp_path: Path) -> Pair:
        return pair_of(made_by_datalad, tmp_path)

    @pytest.mark.parametrize("path", ["sub", "a/b/sub"])
    def test_it_is_registered_as_by_datalad(self, supers: Pair, datalad_api: DataLad, path: str) -> None:
        theirs = datalad_api("create", supers.theirs, dataset=".", path=path)
        ours = [outcome.as_json() for outcome in _engram_create(supers.ours, path)]
        assert told(ours, supers.ours) == told(theirs, supers.theirs)
        for name in (".gitmodules", ".git/config"):
            assert _text(supers.ours / name) == _text(supers.theirs / name)
        assert {record["refds"] for record in ours} == {str(supers.ours)}
        for name in ("HEAD", "git-annex"):
            ours_log, theirs_log = (git(ds, "log", "--format=%B", name) for ds in supers)
            assert ours_log == theirs_log
        assert {key: held.split(" ")[0] for key, held in tree_of(supers.ours).items()} == {
            key: held.split(" ")[0] for key, held in tree_of(supers.theirs).items()
        }
        without_complaint(supers.ours, datalad_api)

    def test_two_of_them_are_registered_as_by_datalad(self, supers: Pair, datalad_api: DataLad) -> None:
        for path in ("sub-02", "sub-01"):
            datalad_api("create", supers.theirs, dataset=".", path=path)
            list(_engram_create(supers.ours, path))
        for name in (".gitmodules", ".git/config"):
            assert _text(supers.ours / name) == _text(supers.theirs / name)

    def test_it_takes_its_parents_way_to_name_contents(self, supers: Pair) -> None:
        list(_engram_create(supers.ours, "sub"))
        assert (supers.ours / "sub/.gitattributes").read_text().startswith("* annex.backend=MD5E\n")

    def test_a_word_changes_that_way(self, supers: Pair) -> None:
        list(_engram_create(supers.ours, "sub", backend="SHA512E"))
        assert (supers.ours / "sub/.gitattributes").read_text().startswith("* annex.backend=SHA512E\n")

    def test_the_message_describes_it_in_the_parent(self, supers: Pair) -> None:
        list(_engram_create(supers.ours, "sub", message="the raw data"))
        assert git(supers.ours, "log", "-1", "--format=%s") == "the raw data\n"
        assert git(supers.ours / "sub", "log", "-1", "--format=%s") == "[DATALAD] new dataset\n"

    def test_what_is_staged_in_the_parent_stays_staged(self, supers: Pair) -> None:
        write(supers.ours, "x", "x")
        git(supers.ours, "add", "x")
        list(_engram_create(supers.ours, "sub"))
        assert git(supers.ours, "status", "--porcelain") == "A  x\n"

    def test_a_recorded_place_is_refused_before_anything_is_written(self, supers: Pair) -> None:
        from engram.model.errors import TargetExists

        list(_engram_create(supers.ours, "sub"))
        write(supers.ours, "file", "x")
        save(supers.ours)
        before = git(supers.ours, "rev-parse", "HEAD")
        for path in ("sub", "file"):
            with pytest.raises(TargetExists):
                list(_engram_create(supers.ours, path, force=True))
        assert git(supers.ours, "rev-parse", "HEAD") == before

    def test_a_place_outside_of_the_parent_is_refused(self, supers: Pair) -> None:
        from engram.model.errors import OutsideDataset

        with pytest.raises(OutsideDataset):
            list(_engram_create(supers.ours, str(supers.ours.parent / "elsewhere")))
        assert not (supers.ours.parent / "elsewhere").exists()


def _engram_create(parent: Path, path: str, **options: Any) -> Any:
    from tests.interop.peers import engram

    return engram(parent).create(path, dataset=".", **options)


@pytest.fixture(scope="module")
def family(datalad_api: DataLad, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with ``sub``, ``sub/deep`` and ``sub2``, everything saved."""
    top = tmp_path_factory.mktemp("family") / "ds"
    datalad_api("create", top.parent, path=str(top))
    for path in ("sub", "sub2"):
        datalad_api("create", top, dataset=".", path=path)
    datalad_api("create", top / "sub", dataset=".", path="deep")
    datalad_api.save(top, dataset=".", recursive=True)
    assert git(top, "status", "--porcelain") == ""
    return top


@pytest.fixture
def families(family: Path, tmp_path: Path) -> Pair:
    pair = pair_of(family, tmp_path)
    for top in pair:
        for sub in ("sub", "sub/deep", "sub2"):
            git(top / sub, "update-index", "-q", "--really-refresh")
    return pair


class TestSaving:
    def test_a_new_commit_in_one_is_recorded(self, families: Pair, datalad_api: DataLad) -> None:
        for top in families:
            write(top, "sub2/x", "x")
            write(top, "y", "y")
            git(top / "sub2", "commit", "-q", "--allow-empty", "-m", "another state")
        theirs, ours = datalad_api.save(families.theirs), save(families.ours)
        ours_told, theirs_told = told(ours, families.ours), told(theirs, families.theirs)
        assert ("add", "ok", "dataset", "sub2", "") in ours_told
        assert [record for record in theirs_told if record[3] != ".gitmodules"] == [
            record for record in ours_told if record[3] != ".gitmodules"
        ]
        assert git(families.ours, "rev-parse", "HEAD:sub2") == git(families.ours / "sub2", "rev-parse", "HEAD")
        assert git(families.ours, "status", "--porcelain") == git(families.theirs, "status", "--porcelain")

    def test_changes_inside_of_one_are_not_the_parents(self, families: Pair, datalad_api: DataLad) -> None:
        for top in families:
            write(top, "sub2/x", "x")
        assert told(save(families.ours), families.ours) == told(datalad_api.save(families.theirs), families.theirs)
        assert git(families.ours / "sub2", "status", "--porcelain") == "?? x\n"

    def test_recursive_saves_the_deepest_first(self, families: Pair, datalad_api: DataLad) -> None:
        for top in families:
            write(top, "sub/deep/x", "x")
            write(top, "sub2/z", "z")
            write(top, "y", "y")
        theirs = datalad_api.save(families.theirs, recursive=True, message="all")
        ours = save(families.ours, recursive=True, message="all")
        assert [
            record
            for record in told(ours, families.ours)
            if record[3] != "sub/.gitmodules" and record[3] != ".gitmodules"
        ] == [
            record
            for record in told(theirs, families.theirs)
            if record[3] != "sub/.gitmodules" and record[3] != ".gitmodules"
        ]
        for sub in ("", "sub", "sub/deep", "sub2"):
            assert {path: held for path, held in tree_of(families.ours / sub).items() if held[:2] != "16"} == {
                path: held for path, held in tree_of(families.theirs / sub).items() if held[:2] != "16"
            }
            without_complaint(families.ours / sub)
            assert git(families.ours / sub, "log", "-1", "--format=%s") == "all\n"

    def test_recursive_with_nothing_to_do_says_so_for_each(self, families: Pair, datalad_api: DataLad) -> None:
        ours, theirs = save(families.ours, recursive=True), datalad_api.save(families.theirs, recursive=True)
        assert told(ours, families.ours) == told(theirs, families.theirs)

    def test_a_limit_keeps_it_from_going_deeper(self, families: Pair) -> None:
        write(families.ours, "sub/deep/x", "x")
        write(families.ours, "sub/y", "y")
        save(families.ours, recursive=True, recursion_limit=1)
        assert git(families.ours / "sub/deep", "status", "--porcelain") == "?? x\n"
        assert "y" in tree_of(families.ours / "sub")

    def test_one_that_is_gone_is_recorded_as_gone(self, families: Pair, datalad_api: DataLad) -> None:
        for top in families:
            (top / "sub2").rename(top.parent / "aside")
        ours, theirs = save(families.ours), datalad_api.save(families.theirs)
        assert told(ours, families.ours) == told(theirs, families.theirs)
        assert (families.ours / ".gitmodules").read_text() == (families.theirs / ".gitmodules").read_text()
        assert tree_of(families.ours) == tree_of(families.theirs)
        without_complaint(families.ours)

    def test_one_that_is_not_installed_is_nothing_to_do(self, families: Pair, datalad_api: DataLad) -> None:
        for top in families:
            (top / "sub2").rename(top.parent / "aside")
            (top / "sub2").mkdir()
        assert told(save(families.ours), families.ours) == told(datalad_api.save(families.theirs), families.theirs)


class TestRepositoriesInside:
    @pytest.fixture
    def pair(self, made_by_datalad: Path, tmp_path: Path) -> Pair:
        return pair_of(made_by_datalad, tmp_path)

    @staticmethod
    def _nested(folder: Path, path: str, *, commit: bool = True) -> None:
        git(folder, "init", "-q", path)
        write(folder, f"{path}/inside.txt", "inside")
        if commit:
            git(folder / path, "add", ".")
            git(folder / path, "commit", "-qm", "first", "--date=2020-01-01T00:00:00Z")

    def test_those_with_a_commit_are_registered_and_the_others_named(self, pair: Pair, datalad_api: DataLad) -> None:
        for folder in pair:
            self._nested(folder, "plain")
            self._nested(folder, "dd/nested")
            self._nested(folder, "without", commit=False)
            write(folder, "dd/zfile", "z")
        ours, theirs = save(pair.ours), datalad_api.save(pair.theirs)
        assert (pair.ours / ".gitmodules").read_text() == (pair.theirs / ".gitmodules").read_text()
        assert (pair.ours / ".git/config").read_text() == (pair.theirs / ".git/config").read_text()
        assert sorted(record[1:] for record in told(ours, pair.ours)) == sorted(
            record[1:] for record in told(theirs, pair.theirs)
        )
        failed = [record for record in ours if record["status"] == "error"]
        assert [record["path"] for record in failed] == [str(pair.ours / "without")]
        assert failed[0]["error"]
        assert failed[0]["remedy"]
        assert {path: held.split(" ")[0] for path, held in tree_of(pair.ours).items()} == {
            path: held.split(" ")[0] for path, held in tree_of(pair.theirs).items()
        }

    def test_one_that_was_cloned_keeps_where_it_came_from(
        self, pair: Pair, datalad_api: DataLad, tmp_path: Path
    ) -> None:
        self._nested(tmp_path, "origin")
        for folder in pair:
            git(folder, "clone", "-q", str(tmp_path / "origin"), "cloned")
        ours, theirs = save(pair.ours), datalad_api.save(pair.theirs)
        assert told(ours, pair.ours) == told(theirs, pair.theirs)
        assert (pair.ours / ".gitmodules").read_text() == (pair.theirs / ".gitmodules").read_text()
        assert (pair.ours / ".git/config").read_text() == (pair.theirs / ".git/config").read_text()

    def test_nothing_inside_of_one_is_ever_taken_into_the_parent(self, pair: Pair) -> None:
        self._nested(pair.ours, "plain")
        write(pair.ours, "plain/more.txt", "not committed")
        save(pair.ours)
        assert not [path for path in tree_of(pair.ours) if path.startswith("plain/")]
        assert not (pair.ours / "plain/inside.txt").is_symlink()
        assert git(pair.ours / "plain", "status", "--porcelain") == "?? more.txt\n"

    def test_a_dataset_inside_is_registered_with_its_id(self, pair: Pair, datalad_api: DataLad) -> None:
        for folder in pair:
            create(folder / "inner")
        save(pair.ours)
        datalad_api.save(pair.theirs)
        assert _text(pair.ours / ".gitmodules") == _text(pair.theirs / ".gitmodules")
        assert "datalad-id" in (pair.ours / ".gitmodules").read_text()


class TestStatus:
    @staticmethod
    def _states(records: list[dict[str, Any]], top: Path) -> list[tuple[Any, ...]]:
        fields = ("state", "type", "gitshasum", "prev_gitshasum")
        return [
            (str(Path(record["path"]).relative_to(top)), *(record.get(name) for name in fields)) for record in records
        ]

    @pytest.mark.parametrize("depth", ["no", "commit", "full"])
    def test_one_in_another_state_is_told_as_by_datalad(self, families: Pair, datalad_api: DataLad, depth: str) -> None:
        for top in families:
            write(top, "sub2/x", "x")
            git(top / "sub", "commit", "-q", "--allow-empty", "-m", "another", "--date=2020-01-01T00:00:00Z")
        ours = status(families.ours, evaluate_subdatasets=depth)
        theirs = datalad_api.status(families.theirs, eval_subdataset_state=depth)
        ours_states, theirs_states = self._states(ours, families.ours), self._states(theirs, families.theirs)
        hide = (
            git(families.ours / "sub", "rev-parse", "HEAD").strip(),
            git(families.theirs / "sub", "rev-parse", "HEAD").strip(),
        )
        replaced = [tuple("(new)" if value in hide else value for value in state) for state in ours_states]
        assert replaced == [tuple("(new)" if value in hide else value for value in state) for state in theirs_states]

    def test_recursive_tells_of_all_of_them(self, families: Pair, datalad_api: DataLad) -> None:
        for top in families:
            write(top, "sub/deep/x", "x")
            write(top, "y", "y")
        ours = status(families.ours, recursive=True)
        theirs = datalad_api.status(families.theirs, recursive=True)
        assert self._states(ours, families.ours) == self._states(theirs, families.theirs)
        assert [record["parentds"].removeprefix(str(families.ours)) for record in ours] == [
            record["parentds"].removeprefix(str(families.theirs)) for record in theirs
        ]

    def test_one_that_is_gone_or_not_installed(self, families: Pair, datalad_api: DataLad) -> None:
        for top in families:
            (top / "sub2").rename(top.parent / "aside")
            (top / "sub").rename(top.parent / "aside2")
            (top / "sub").mkdir()
        ours, theirs = status(families.ours), datalad_api.status(families.theirs)
        assert self._states(ours, families.ours) == self._states(theirs, families.theirs)


class TestPathsInside:
    """Paths that lie in subdatasets of the dataset around the current folder."""

    @pytest.mark.parametrize("path", ["sub/x", "sub/deep/y", "sub", "sub/", "sub/deep"])
    @pytest.mark.parametrize("dataset", [None, "."])
    def test_a_save_goes_where_they_lie(
        self, families: Pair, datalad_api: DataLad, path: str, dataset: str | None
    ) -> None:
        for top in families:
            write(top, "sub/x", "x")
            write(top, "sub/deep/y", "y")
            write(top, "z", "z")
            if path in ("sub", "sub/deep") and dataset:  # which means its record: else DataLad adds what did not change
                git(top / path, "commit", "-q", "--allow-empty", "-m", "another state")
        options = {} if dataset is None else {"dataset": dataset}
        theirs, ours = datalad_api.save(families.theirs, path, **options), save(families.ours, path, **options)
        ours_told, theirs_told = told(ours, families.ours), told(theirs, families.theirs)
        assert sorted(ours_told) == sorted(record for record in theirs_told if not _renamed_nothing(record))
        for place in ("", "sub", "sub/deep"):
            states = [git(top / place, "status", "--porcelain") for top in families]
            assert states[0] == states[1]

    @pytest.mark.parametrize("path", ["sub/x", "sub/deep/y", "sub", "sub/", "sub/deep"])
    def test_a_status_is_that_of_where_they_lie(self, families: Pair, datalad_api: DataLad, path: str) -> None:
        for top in families:
            write(top, "sub/x", "x")
            write(top, "sub/deep/y", "y")
        theirs, ours = datalad_api.status(families.theirs, path), status(families.ours, path)
        assert [(r["state"], r["type"], os.path.relpath(r["path"], families.ours)) for r in ours] == [
            (r["state"], r["type"], os.path.relpath(r["path"], families.theirs)) for r in theirs
        ]


def _renamed_nothing(record: tuple[str, str, str, str, str]) -> bool:
    """DataLad says that it adds ``.gitmodules`` even where it changes nothing in it."""
    return record[0] == "add" and os.path.basename(record[3]) == ".gitmodules"
