"""A bird in a cage that dies when a dataset gets to run something, or to reach outside of itself."""

import hashlib
import os
import shlex
from pathlib import Path

from engram.testing.places import contents

_SONG = b"the canary sings of a mine far from any dataset\n"
_OBJECT = hashlib.sha1(b"blob %d\0" % len(_SONG) + _SONG, usedforsecurity=False)


class Canary:
    """A folder beside the dataset. Whatever changes in it, or is found of it elsewhere, has escaped."""

    def __init__(self, cage: Path) -> None:
        """Put it in a folder that is made here."""
        cage.mkdir()
        #: The folder that nothing may change or take from.
        self.cage = cage
        #: The file in it.
        self.file = cage / "canary"
        self.file.write_bytes(_SONG)
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

    def _state(self) -> tuple[dict[bytes, str], list[tuple[int, int, int]]]:
        states = [os.lstat(path) for path in (self.cage, self.file) if path.exists()]
        return contents(self.cage), [(state.st_ino, state.st_mode, state.st_nlink) for state in states]


def heard_in(folder: Path) -> list[str]:
    """Regular files below *folder* that hold a canary's song, git's own included: it was followed, copied or moved."""
    files = (Path(path, name) for path, _, names in os.walk(folder) for name in names)
    return [str(file) for file in files if file.is_file() and not file.is_symlink() and _sings(file)]


def _sings(file: Path) -> bool:
    if file.parent.name + file.name == _OBJECT.hexdigest():
        return True
    content = file.read_bytes()
    return _SONG in content or (file.suffix == ".idx" and _OBJECT.digest() in content)
