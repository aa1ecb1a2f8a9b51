"""What must reach the disk before a save may be called done."""

import os

from engram import durable
from engram.durable import Steps


class ToSync:
    """Files and folders to be synced: each alone while they are few, else the file systems they lie on."""

    def __init__(self, git_dir: bytes, work_tree: bytes) -> None:
        self._git_dir = git_dir
        self._work_tree = work_tree
        self._files: dict[bytes, None] | None = {}
        self._folders: dict[bytes, None] = {}

    def file(self, path: bytes) -> None:
        """A file whose bytes and name must last."""
        if self._files is None:
            return
        self._files[path] = None
        self.folder(os.path.dirname(path))
        if len(self._files) > durable.SYNC_EACH_BELOW:
            self._files, self._folders = None, {}

    def folder(self, path: bytes) -> None:
        """A folder whose names must last; one inside the repository with those above it."""
        if self._files is None:
            return
        while path not in self._folders:
            self._folders[path] = None
            if not path.startswith(self._git_dir + b"/"):
                return
            path = os.path.dirname(path)

    def sync(self, steps: Steps) -> None:
        """Bring all of it to the disk."""
        if self._files is not None:
            for path in self._files:
                durable.sync_file(steps, path)
            for path in self._folders:
                durable.sync_folder(steps, path)
            return
        durable.sync_file_system(steps, self._git_dir)
        if os.lstat(self._git_dir).st_dev != os.lstat(self._work_tree).st_dev:
            durable.sync_file_system(steps, self._work_tree)
