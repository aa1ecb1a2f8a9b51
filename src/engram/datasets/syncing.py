"""What must reach the disk before a save may be called done."""

import os
from contextlib import suppress

from engram import durable
from engram.durable import Steps


class ToSync:
    """Files and folders to be synced: each alone while they are few, else the file systems they lie on."""

    def __init__(self, git_dir: bytes, work_tree: bytes) -> None:
        self._git_dir = git_dir
        self._inside = git_dir + b"/"
        #: ``None`` once they are too many to be synced one by one.
        self._files: dict[bytes, None] | None = {}
        #: Folders of the repository.
        self._folders: dict[bytes, None] = {}
        #: Folders of the work tree: any of them may lie on a file system of its own.
        self._outside: dict[bytes, None] = {work_tree: None}

    def file(self, path: bytes) -> None:
        """A file whose bytes and name must last."""
        if self._files is None:
            return
        self._files[path] = None
        self.folder(os.path.dirname(path))
        if len(self._files) > durable.SYNC_EACH_BELOW:
            self._files, self._folders = None, {}

    def forget(self, path: bytes) -> None:
        """A file that was taken back."""
        if self._files is not None:
            self._files.pop(path, None)

    def folder(self, path: bytes) -> None:
        """A folder whose names must last; one inside the repository with those above it."""
        if not path.startswith(self._inside):
            self._outside[path] = None
        elif self._files is not None:
            while path not in self._folders and path.startswith(self._inside):
                self._folders[path] = None
                path = os.path.dirname(path)
            self._folders[self._git_dir] = None

    def sync(self, steps: Steps) -> None:
        """Bring all of it to the disk."""
        if self._files is None:
            self._sync_file_systems(steps)
            return
        for path in self._files:
            durable.sync_file(steps, path)
        for path in (*self._folders, *self._outside):
            with suppress(FileNotFoundError):  # removed meanwhile, with every name in it
                durable.sync_folder(steps, path)

    def _sync_file_systems(self, steps: Steps) -> None:
        places: dict[int, bytes] = {}
        for place in (self._git_dir, os.path.join(self._git_dir, b"annex", b"objects"), *self._outside):
            with suppress(FileNotFoundError):
                places.setdefault(os.stat(place).st_dev, place)
        for place in places.values():
            durable.sync_file_system(steps, place)
