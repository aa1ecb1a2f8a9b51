"""What was lost, damaged or left behind is found; what is well is let pass."""

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from engram.testing.places import scratch
from engram.testing.soundness import complaints_of_git, contents_kept, damaged_content, left_behind, sound

CONTENT = b"spikes of session one\n"


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository() -> Iterator[Path]:
    with scratch() as folder:
        git(folder, "init", "-q")
        (folder / "spikes.txt").write_bytes(CONTENT)
        git(folder, "add", ".")
        git(folder, "commit", "-qm", "first")
        yield folder


@pytest.fixture
def dataset(repository: Path, git_annex: Path) -> Path:
    git(repository, "annex", "init")
    (repository / "large.bin").write_bytes(b"large" * 1000)
    git(repository, "annex", "add", ".")
    git(repository, "commit", "-qm", "second")
    return repository


def test_a_healthy_repository_is_sound(repository: Path) -> None:
    sound(repository, before=contents_kept(repository), annex=False)


def test_content_counts_as_kept_wherever_it_is(repository: Path) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    (repository / "spikes.txt").unlink()
    assert digest in contents_kept(repository)
    git(repository, "repack", "-qad")
    assert digest in contents_kept(repository)
    git(repository, "reset", "-q", "--hard")
    assert digest in contents_kept(repository)


def test_lost_content_is_noticed(repository: Path) -> None:
    (repository / "new.txt").write_text("never saved\n")
    before = contents_kept(repository)
    (repository / "new.txt").unlink()
    with pytest.raises(AssertionError, match="1 contents are lost"):
        sound(repository, before=before, annex=False)


def test_an_unsaved_change_is_a_complaint(repository: Path) -> None:
    (repository / "new.txt").write_text("not saved\n")
    assert complaints_of_git(repository) == "?? new.txt"


def test_an_empty_object_is_a_complaint(repository: Path) -> None:
    name = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()
    loose = repository / ".git" / "objects" / name[:2] / name[2:]
    loose.chmod(0o644)
    loose.write_bytes(b"")
    with pytest.raises(AssertionError, match="git complains"):
        sound(repository, annex=False)


@pytest.mark.parametrize(
    "name",
    [
        "index.lock",
        "refs/heads/main.lock",
        "engram/tmp/x",
        "objects/pack/tmp_pack_x",
        "annex/othertmp/y",
        "config.engram-new",
    ],
)
def test_what_is_left_behind_is_found(repository: Path, name: str) -> None:
    assert left_behind(repository) == []
    (repository / ".git" / name).parent.mkdir(parents=True, exist_ok=True)
    (repository / ".git" / name).touch()
    assert left_behind(repository) == [name]


def test_a_healthy_dataset_is_sound(dataset: Path) -> None:
    sound(dataset, before=contents_kept(dataset))


def test_changed_content_in_the_annex_is_a_complaint(dataset: Path) -> None:
    content = (dataset / "large.bin").resolve()
    content.chmod(0o644)
    content.write_bytes(b"LARGE" * 1000)
    with pytest.raises(AssertionError, match="git-annex complains"):
        sound(dataset)


def test_damaged_content_is_found_without_git_annex_too(dataset: Path) -> None:
    assert damaged_content(dataset) == []
    content = (dataset / "large.bin").resolve()
    content.chmod(0o644)
    content.write_bytes(b"LARGE" * 1000)
    assert damaged_content(dataset) == [str(content)]
    content.parent.chmod(0o755)
    content.unlink()
    assert damaged_content(dataset) == [str(dataset / "large.bin")]
