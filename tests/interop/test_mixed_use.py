"""engram, DataLad and git-annex take turns in one dataset, and each goes on where the other stopped."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.interop.peers import (
    DataLad,
    annex,
    create,
    git,
    keys_of,
    notes,
    save,
    status,
    told,
    without_complaint,
    write,
)

pytestmark = pytest.mark.integration


@pytest.fixture(params=["made by engram", "made by DataLad"])
def dataset(request: pytest.FixtureRequest, datalad_api: DataLad, made_by_datalad: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "ds"
    if request.param == "made by engram":
        create(folder)
    else:
        subprocess.run(["cp", "-a", str(made_by_datalad), str(folder)], check=True)
    return folder


def _clean_for_both(folder: Path, datalad: DataLad) -> None:
    assert {record["state"] for record in status(folder)} == {"clean"}
    without_complaint(folder, datalad)


def test_saves_alternate(dataset: Path, datalad_api: DataLad) -> None:
    for turn in range(6):
        write(dataset, f"{turn}.dat", f"turn {turn}")
        write(dataset, "always.txt", f"turn {turn}")
        if turn:
            (dataset / f"{turn - 1}.dat").rename(dataset / f"moved-{turn - 1}.dat")
        if turn % 2:
            datalad_api.save(dataset, message=f"turn {turn}")
            assert told(save(dataset), dataset) == [("save", "notneeded", "dataset", ".", "")]
        else:
            records = save(dataset, message=f"turn {turn}")
            assert not any("handed" in note for note in notes(records))
            assert datalad_api.save(dataset)[-1]["status"] == "notneeded"
    assert git(dataset, "log", "--format=%s").splitlines()[:6] == [f"turn {turn}" for turn in (5, 4, 3, 2, 1, 0)]
    _clean_for_both(dataset, datalad_api)


def test_datalad_unlocks_what_engram_saved_and_engram_saves_what_was_unlocked(
    dataset: Path, datalad_api: DataLad
) -> None:
    write(dataset, "a.txt", "a")
    save(dataset)
    datalad_api("unlock", dataset, path="a.txt")
    (dataset / "a.txt").write_text("changed")
    save(dataset)
    assert (dataset / "a.txt").is_symlink()
    assert (dataset / "a.txt").read_text() == "changed"
    datalad_api("unlock", dataset, path="a.txt")
    assert told(save(dataset), dataset)[0][:4] == ("add", "ok", "file", "a.txt")
    assert (dataset / "a.txt").is_symlink()
    _clean_for_both(dataset, datalad_api)


def test_a_clone_by_datalad_gets_what_engram_saved(dataset: Path, datalad_api: DataLad, tmp_path: Path) -> None:
    write(dataset, "d/a.txt", "a")
    write(dataset, "empty", "")
    save(dataset)
    clone = tmp_path / "clone"
    datalad_api("clone", tmp_path, source=str(dataset), path=str(clone))
    got = datalad_api("get", clone, path=".")
    assert {record["status"] for record in got if record["type"] == "file"} == {"ok"}
    assert (clone / "d/a.txt").read_text() == "a"
    write(clone, "by-clone.txt", "by the clone")
    records = save(clone)
    assert not any("handed" in note for note in notes(records))
    _clean_for_both(clone, datalad_api)
    dropped = datalad_api("drop", clone, path="d/a.txt")
    assert dropped[0]["status"] == "ok"
    assert {record["state"] for record in status(clone)} == {"clean"}


def test_an_ephemeral_clone_is_saved_as_git_annex_does_it(dataset: Path, datalad_api: DataLad, tmp_path: Path) -> None:
    """Its annex is a link to that of its origin, which is the user's own: no trust is asked for."""
    write(dataset, "a.txt", "a")
    save(dataset)
    clone = tmp_path / "clone"
    datalad_api("clone", tmp_path, source=str(dataset), path=str(clone), reckless="ephemeral")
    assert (clone / ".git/annex").is_symlink()
    branch = git(dataset, "rev-parse", "git-annex")
    write(clone, "b.txt", "b")
    records = save(clone)
    assert any(note.startswith("handed to git-annex: ") for note in notes(records))
    assert git(clone, "status", "--porcelain") == ""
    assert (clone / "b.txt").read_text() == "b"
    assert git(dataset, "rev-parse", "git-annex") == branch


def test_a_reckless_clone_is_saved(dataset: Path, datalad_api: DataLad, tmp_path: Path) -> None:
    write(dataset, "a.txt", "a")
    save(dataset)
    clone = tmp_path / "clone"
    datalad_api("clone", tmp_path, source=str(dataset), path=str(clone), reckless="auto")
    datalad_api("get", clone, path="a.txt")
    write(clone, "b.txt", "b")
    (clone / "a.txt").unlink()
    write(clone, "a.txt", "another a")
    save(clone)
    assert (dataset / "a.txt").read_text() == "a"
    assert annex(dataset, "fsck", "--quiet") == ""
    said = annex(clone, "fsck", fine=(0, 1))  # a reckless clone trusts nobody, not even itself
    assert said.count("(checksum...)") == 2
    assert "Bad file" not in said
    assert {record["state"] for record in (*status(clone), *datalad_api.status(clone))} == {"clean"}


def test_git_annex_add_and_git_commit_in_between(dataset: Path, datalad_api: DataLad) -> None:
    write(dataset, "by-annex", "by git-annex")
    annex(dataset, "add", "-q", "by-annex")
    records = told(save(dataset), dataset)
    assert records == [("save", "ok", "dataset", ".", "")]
    write(dataset, "by-git.txt", "by git")
    git(dataset, "-c", "annex.largefiles=nothing", "add", "by-git.txt")
    git(dataset, "commit", "-qm", "by git")
    write(dataset, "by-engram", "by engram")
    save(dataset)
    assert set(keys_of(dataset)) == {"by-annex", "by-engram"}
    _clean_for_both(dataset, datalad_api)


def test_datalad_run_records_what_engram_will_not_disturb(dataset: Path, datalad_api: DataLad) -> None:
    write(dataset, "in.txt", "in")
    save(dataset)
    ran = datalad_api("run", dataset, cmd="cp in.txt out.txt", message="copy")
    assert {record["status"] for record in ran} <= {"ok", "notneeded"}
    assert told(save(dataset), dataset) == [("save", "notneeded", "dataset", ".", "")]
    _clean_for_both(dataset, datalad_api)


def test_old_datasets_with_keys_of_other_kinds_are_gone_on_with(dataset: Path, datalad_api: DataLad) -> None:
    for backend in ("WORM", "SHA1", "SHA256", "MD5", "SHA512E", "SHA224E", "SHA3_256E", "BLAKE2B256E"):
        write(dataset, f"{backend}.txt", backend)
        git(dataset, "annex", "add", "-q", f"--backend={backend}", f"{backend}.txt")
    git(dataset, "commit", "-qm", "old")
    annex(dataset, "unlock", "WORM.txt", "SHA1.txt")
    git(dataset, "commit", "-qm", "unlocked")
    for name in ("WORM.txt", "SHA1.txt"):
        os.utime(dataset / name, (1_500_000_000, 1_500_000_000))
    write(dataset, "new", "new")
    (dataset / "MD5.txt").rename(dataset / "renamed.txt")
    save(dataset)
    _clean_for_both(dataset, datalad_api)
