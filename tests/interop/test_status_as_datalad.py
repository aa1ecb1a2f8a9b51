"""`status` tells what DataLad's `status` tells: the same records, field by field, of the same folder."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.interop.peers import DataLad, annex, git, save, status, write

pytestmark = pytest.mark.integration

_FIELDS = (
    "action",
    "status",
    "type",
    "state",
    "path",
    "refds",
    "parentds",
    "gitshasum",
    "prev_gitshasum",
    "bytesize",
    "key",
    "backend",
    "hashdirlower",
    "hashdirmixed",
    "humansize",
    "keyname",
    "mtime",
    "has_content",
    "objloc",
)


def _told(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: record[name] for name in _FIELDS if record.get(name) not in (None, "")} for record in records]


def _changed(folder: Path) -> None:
    """Every state that DataLad knows, in a dataset of `_begun`."""
    write(folder, "git-modified", "modified")
    write(folder, "annexed-modified", "modified")
    (folder / "git-deleted").unlink()
    (folder / "annexed-deleted").unlink()
    (folder / "git-chmod").chmod(0o755)
    os.utime(folder / "git-touched", (1_500_000_000, 1_500_000_000))
    (folder / "git-to-link").unlink()
    os.symlink("x", folder / "git-to-link")
    (folder / "git-to-folder").unlink()
    write(folder, "git-to-folder/in", "in")
    git(folder, "rm", "-q", "staged-deleted")
    git(folder, "rm", "-q", "--cached", "staged-deleted-kept")
    write(folder, "staged-new", "new")
    annex(folder, "add", "staged-new")
    write(folder, "staged-new-modified", "new")
    annex(folder, "add", "staged-new-modified")
    write(folder, "staged-new-modified", "and changed")
    write(folder, "staged-new-deleted", "new")
    annex(folder, "add", "staged-new-deleted")
    (folder / "staged-new-deleted").unlink()
    write(folder, "staged-modified", "staged")
    annex(folder, "add", "--force-small", "staged-modified")
    git(folder, "mv", "renamed", "renamed-to")
    annex(folder, "unlock", "unlocked-staged")
    write(folder, "unlocked-modified", "changed")
    os.utime(folder / "unlocked-touched", (1_500_000_000, 1_500_000_000))
    (folder / "unlocked-chmod").chmod(0o755)
    (folder / "unlocked-deleted").unlink()
    write(folder, "untracked", "untracked")
    write(folder, "untracked-folder/deep/er/f2", "f2")
    write(folder, "untracked-folder/f1", "f1")
    write(folder, "tracked-folder/new", "new")
    write(folder, "tracked-folder/inner/new", "new")
    os.symlink("nowhere", folder / "untracked-link")
    (folder / "empty-folder").mkdir()
    os.mkfifo(folder / "pipe")
    write(folder, "ignored.tmp", "ignored")
    write(folder, "ignored-folder/x", "ignored")
    write(folder, "half-ignored/x.tmp", "ignored")
    write(folder, "half-ignored/y", "untracked")
    write(folder, "all-ignored/x.tmp", "ignored")
    for name in ("with-commit", "without-commit"):
        git(folder, "init", "-q", f"nested/{name}")
        write(folder, f"nested/{name}/x", "x")
    git(folder / "nested/with-commit", "commit", "-q", "--allow-empty", "-m", "first")
    annex(folder, "drop", "--force", "dropped", "unlocked-dropped")
    git(folder, "add", "-N", write(folder, "intended", "x").name)


def _begun(folder: Path) -> None:
    for name in ("git-modified", "git-deleted", "git-chmod", "git-touched", "git-to-link", "git-to-folder"):
        write(folder, name, name)
    for name in ("staged-modified", "git-clean", "sp ace", "é"):
        write(folder, name, name)
    write(folder, "clean.sh", "#!/bin/sh\n", mode=0o755)
    write(folder, ".gitignore", "*.tmp\n/ignored-folder/\n")
    os.symlink("git-clean", folder / "link")
    save(folder, to_git=True)
    for name in ("annexed-modified", "annexed-deleted", "annexed-clean", "dropped", "tracked-folder/old"):
        write(folder, name, name)
    for name in ("staged-deleted", "staged-deleted-kept", "renamed", "unlocked-staged"):
        write(folder, name, name)
    unlocked = [f"unlocked-{name}" for name in ("clean", "modified", "touched", "chmod", "deleted", "dropped")]
    for name in unlocked:
        write(folder, name, name)
    write(folder, "large", b"0123456789" * 123_456)
    save(folder)
    annex(folder, "unlock", *unlocked)
    git(folder, "commit", "-qm", "unlocked")


@pytest.fixture(scope="module")
def dataset(made_by_datalad: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("status") / "ds"
    subprocess.run(["cp", "-a", str(made_by_datalad), str(folder)], check=True)
    _begun(folder)
    _changed(folder)
    return folder


def _ours(folder: Path, *paths: str, **options: Any) -> list[dict[str, Any]]:
    return _told(status(folder, *paths, **options))


class TestEveryState:
    """engram is asked first, so that nothing which DataLad's own git refreshes can help it."""

    @pytest.mark.parametrize("untracked", ["normal", "all", "no"])
    def test_the_records_are_those_of_datalad(self, dataset: Path, datalad_api: DataLad, untracked: str) -> None:
        ours = _ours(dataset, untracked=untracked)
        assert ours == _told(datalad_api.status(dataset, untracked=untracked))

    @pytest.mark.parametrize("annexed", ["basic", "availability", "all"])
    def test_the_annex_fields_are_those_of_datalad(self, dataset: Path, datalad_api: DataLad, annexed: str) -> None:
        ours = _ours(dataset, annex=annexed)
        assert ours == _told(datalad_api.status(dataset, annex=annexed))

    @pytest.mark.parametrize(
        "paths",
        [
            ("git-modified",),
            ("tracked-folder",),
            ("tracked-folder", "untracked-folder"),
            ("untracked-folder/deep",),
            ("untracked-folder/deep/er/f2",),
            ("annexed-clean", "annexed-deleted"),
            ("staged-deleted",),
            ("git-to-folder",),
            ("git-to-folder/in",),
            (".",),
            ("./tracked-folder/",),
            ("untracked-link",),
            ("nested",),
            ("half-ignored",),
        ],
        ids="+".join,
    )
    def test_paths_keep_it_to_what_they_name(self, dataset: Path, datalad_api: DataLad, paths: tuple[str, ...]) -> None:
        assert _ours(dataset, *paths) == _told(datalad_api.status(dataset, *paths))

    def test_nothing_is_changed_by_looking(self, dataset: Path) -> None:
        index = (dataset / ".git/index").read_bytes()
        refs = git(dataset, "for-each-ref")
        status(dataset, annex="all", untracked="all")
        assert (dataset / ".git/index").read_bytes() == index
        assert git(dataset, "for-each-ref") == refs


class TestOtherMoments:
    def test_a_clean_dataset_has_clean_records_only(self, made_by_datalad: Path, datalad_api: DataLad) -> None:
        assert _ours(made_by_datalad) == _told(datalad_api.status(made_by_datalad))
        assert {record["state"] for record in _ours(made_by_datalad)} == {"clean"}

    def test_before_the_first_commit(self, tmp_path: Path, datalad_api: DataLad) -> None:
        git(tmp_path, "init", "-q", "plain")
        folder = tmp_path / "plain"
        assert _ours(folder) == _told(datalad_api.status(folder)) == []
        write(folder, "a", "a")
        assert _ours(folder) == _told(datalad_api.status(folder))

    def test_in_a_folder_of_the_dataset_it_tells_of_all_of_it(self, dataset: Path, datalad_api: DataLad) -> None:
        inner = dataset / "tracked-folder"
        assert _ours(inner) == _told(datalad_api.status(inner))
        assert _ours(inner, ".") == _told(datalad_api.status(inner, "."))

    def test_during_a_merge_with_a_conflict(self, made_by_datalad: Path, datalad_api: DataLad, tmp_path: Path) -> None:
        folder = tmp_path / "ds"
        subprocess.run(["cp", "-a", str(made_by_datalad), str(folder)], check=True)
        write(folder, "a", "base\n")
        save(folder, to_git=True)
        git(folder, "checkout", "-q", "-b", "other")
        write(folder, "a", "other\n")
        save(folder, to_git=True)
        git(folder, "checkout", "-q", "master")
        write(folder, "a", "mine\n")
        save(folder, to_git=True)
        git(folder, "merge", "-q", "other", fine=(1,))
        ours, theirs = _ours(folder, "a"), _told(datalad_api.status(folder, "a"))
        assert [record["state"] for record in ours] == [record["state"] for record in theirs] == ["modified"]

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda ds: git(ds, "config", "core.filemode", "false"), id="core.filemode"),
            pytest.param(lambda ds: git(ds, "config", "core.trustctime", "false"), id="core.trustctime"),
            pytest.param(lambda ds: git(ds, "config", "core.checkStat", "minimal"), id="core.checkStat"),
            pytest.param(lambda ds: git(ds, "update-index", "--index-version=4"), id="index version 4"),
            pytest.param(
                lambda ds: git(ds, "update-index", "--assume-unchanged", "git-modified"), id="assume-unchanged"
            ),
            pytest.param(lambda ds: git(ds, "gc", "-q"), id="packed"),
            pytest.param(lambda ds: git(ds, "checkout", "-q", "--detach"), id="detached"),
        ],
    )
    def test_under_other_settings(
        self,
        made_by_datalad: Path,
        datalad_api: DataLad,
        tmp_path: Path,
        change: Callable[[Path], object],
    ) -> None:
        folder = tmp_path / "ds"
        subprocess.run(["cp", "-a", str(made_by_datalad), str(folder)], check=True)
        for name in ("git-modified", "git-deleted", "git-chmod"):
            write(folder, name, name)
        save(folder, to_git=True)
        change(folder)
        write(folder, "git-modified", "changed")
        (folder / "git-deleted").unlink()
        (folder / "git-chmod").chmod(0o755)
        ours = _ours(folder)
        assert ours == _told(datalad_api.status(folder))

    def test_what_is_kept_out_of_the_work_tree_is_clean(self, made_by_datalad: Path, tmp_path: Path) -> None:
        """As git says; DataLad takes it for deleted."""
        folder = tmp_path / "ds"
        subprocess.run(["cp", "-a", str(made_by_datalad), str(folder)], check=True)
        write(folder, "d/x", "x")
        write(folder, "e/y", "y")
        save(folder)
        git(folder, "sparse-checkout", "set", "d")
        assert not (folder / "e/y").is_symlink()
        assert {record["state"] for record in _ours(folder)} == {"clean"}


class TestWhatIsRefused:
    def test_outside_of_any_dataset(self, tmp_path: Path, git_annex: Path) -> None:
        from engram.model.errors import NoDataset

        with pytest.raises(NoDataset) as refused:
            status(tmp_path)
        assert refused.value.exit_code == 2

    def test_a_path_that_names_nothing(self, dataset: Path) -> None:
        from engram.model.errors import PathNotFound

        with pytest.raises(PathNotFound):
            status(dataset, "no-such-thing")

    def test_a_path_elsewhere(self, dataset: Path) -> None:
        from engram.model.errors import OutsideDataset

        with pytest.raises(OutsideDataset):
            status(dataset, "/etc")
