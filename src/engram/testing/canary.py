"""A bird in a cage that dies when a dataset gets to run something, or to reach outside of itself."""

import os
import shlex
from pathlib import Path

from engram.testing.places import contents

_SONG = "the canary sings of a mine far from any dataset\n"


class Canary:
    """A folder beside the dataset. Whatever changes in it, or is found of it elsewhere, has escaped."""

    def __init__(self, cage: Path) -> None:
        """Put it in a folder that is made here."""
        cage.mkdir()
        #: The folder that nothing may change or take from.
        self.cage = cage
        #: The file in it.
        self.file = cage / "canary"
        self.file.write_text(_SONG)
        #: What a shell would have to run.
        self.command = f"echo dead >>{shlex.quote(str(self.file))}"
        self.settle()

    def settle(self) -> None:
        """From now on everything in the cage counts as what should be there."""
        self._before = self._state()

    def program(self, path: Path, *, then: str = "exit 1") -> Path:
        """Write a program that kills the canary, *then* does one thing more in shell."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{self.command}\n{then}\n")
        path.chmod(0o755)
        return path

    def lives(self) -> bool:
        """Whether nothing in the cage was written, removed, added, linked or made read-only."""
        return self._state() == self._before

    def heard_in(self, folder: Path) -> list[str]:
        """Regular files below *folder* that hold its song: it was followed, copied or moved there."""
        found = []
        for path, _, files in os.walk(folder):
            for name in files:
                file = Path(path, name)
                if file.is_file() and not file.is_symlink() and _SONG.encode() in file.read_bytes():
                    found.append(str(file))
        return found

    def _state(self) -> tuple[dict[bytes, str], list[tuple[int, int, int]]]:
        states = [os.lstat(path) for path in (self.cage, self.file) if path.exists()]
        return contents(self.cage), [(state.st_ino, state.st_mode, state.st_nlink) for state in states]
