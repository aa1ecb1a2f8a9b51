"""What the fault tests do to datasets: create and save, as functions with steps and as commands."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from engram.durable import Steps
from engram.model.outcome import Outcome
from engram.testing import changing
from engram.testing.changing import tree_on_disk
from engram.testing.processes import Command
from engram.testing.soundness import contents_kept, sound
from engram.workspace.context import Context
from engram.workspace.datasets import Datasets
from tests.conftest import ROOT

DATASET = "dataset"
#: Larger than what is read in one piece.
LARGE = bytes(range(256)) * 5000


def context(folder: Path) -> Context:
    """A call from within *folder*, with this process's environment."""
    return Context(folder=str(folder), environment=dict(os.environ))


def verbs(folder: Path, steps: Steps | None = None) -> Datasets:
    """The dataset verbs, called from within *folder*."""
    return Datasets(context(folder), steps=steps)


def exit_code(outcomes: Iterable[Outcome]) -> int:
    """As the command line would end."""
    failed = [outcome for outcome in outcomes if outcome.failed]
    return 3 if failed else 0


def save(folder: Path, steps: Steps) -> int:
    """Save everything in the dataset in *folder*."""
    return exit_code(verbs(folder / DATASET, steps).save(message="saved"))


def create(folder: Path, steps: Steps) -> int:
    """Make a dataset in *folder*."""
    return exit_code(verbs(folder, steps).create(DATASET, force=True))


def command(folder: Path, *words: str) -> Command:
    """``engram WORDS``, started in *folder*."""
    return Command(
        arguments=(sys.executable, "-m", "engram", *words),
        folder=folder,
        environment={"PYTHONPATH": str(ROOT / "src")},
    )


def save_command(folder: Path) -> Command:
    """``engram save`` in the dataset in *folder*."""
    return command(folder / DATASET, "save", "-m", "saved")


def create_command(folder: Path) -> Command:
    """``engram create`` of a dataset in *folder*."""
    return command(folder, "create", "--force", DATASET)


def git(folder: Path, *arguments: str) -> str:
    """What git prints."""
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def dataset_with_changes(folder: Path) -> Path:
    """Make a dataset in *folder* (with the real git-annex) in which every kind of change waits to be saved."""
    dataset = folder / DATASET
    dataset.mkdir()
    git(dataset, "init", "-q")
    git(dataset, "annex", "init", "-q", "here")
    (dataset / ".gitattributes").write_text(
        "* annex.backend=SHA256E\n**/.git* annex.largefiles=nothing\n*.txt annex.largefiles=nothing\n"
    )
    changing.write_tree(
        dataset,
        {
            b"annexed/kept.bin": changing.File(b"kept"),
            b"annexed/changed.bin": changing.File(b"before the change"),
            b"annexed/deleted.bin": changing.File(b"deleted"),
            b"annexed/moved.bin": changing.File(b"moved"),
            b"annexed/to-folder": changing.File(b"becomes a folder"),
            b"annexed/to-link": changing.File(b"becomes a link"),
            b"text/kept.txt": changing.File(b"kept text\n"),
            b"text/changed.txt": changing.File(b"before the change\n"),
            b"text/made-executable.txt": changing.File(b"#!/bin/sh\n"),
            b"link": changing.Link(b"annexed/kept.bin"),
        },
    )
    git(dataset, "annex", "add", "-q", ".")
    git(dataset, "commit", "-qm", "first")
    _change(dataset)
    return folder


def _change(dataset: Path) -> None:
    puts: dict[bytes, changing.Entry] = {
        b"annexed/changed.bin": changing.File(b"after the change"),
        b"annexed/to-folder/new.bin": changing.File(b"in the folder"),
        b"annexed/to-link": changing.Link(b"kept.bin"),
        b"text/changed.txt": changing.File(b"after the change\n"),
        b"new/one.bin": changing.File(b"new"),
        b"new/same.bin": changing.File(b"new"),
        b"new/run.sh": changing.File(b"#!/bin/sh\nexit\n", executable=True),
        b"new/large.dat": changing.File(LARGE),
        b"new/text.txt": changing.File(b"new text\n"),
        b"new/empty": changing.File(b""),
        b"link": changing.Link(b"new/one.bin"),
    }
    changing.write_tree(dataset, puts)
    (dataset / "annexed" / "deleted.bin").unlink()
    (dataset / "annexed" / "moved.bin").rename(dataset / "moved.bin")
    (dataset / "text" / "made-executable.txt").chmod(0o755)


class Expected:
    """What must be kept of a dataset as it is now, whatever happens to it."""

    def __init__(self, dataset: Path) -> None:
        self.tree = tree_on_disk(dataset)
        #: A link that was moved dangles until it is saved, but its content is there.
        self.contents = contents_kept(dataset)

    def nothing_lost(self, folder: Path) -> None:
        """After a fault: all content is somewhere, and the user's files are where they were."""
        dataset = folder / DATASET
        lost = self.contents - contents_kept(dataset)
        assert not lost, f"{len(lost)} contents are lost"
        assert git(dataset, "rev-parse", "HEAD")
        now = tree_on_disk(dataset)
        gone = [path for path, entry in self.tree.items() if now.get(path) != entry]
        assert not gone, f"not as it was: {gone}"

    def all_saved(self, folder: Path, *, annex: bool = False) -> None:
        """After the second run: all of it is saved, and nobody has a complaint; *annex* asks git-annex, too."""
        dataset = folder / DATASET
        sound(dataset, before=self.contents, annex=annex)
        assert tree_on_disk(dataset) == self.tree
