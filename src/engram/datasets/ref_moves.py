"""Moving refs: git does it, by compare and swap; what a crash leaves of it is known for ours and taken away."""

import os
from collections.abc import Callable

from engram import durable
from engram.datasets.annex import BRANCH
from engram.datasets.locks import private_folder
from engram.datasets.programs import Programs
from engram.durable import Steps
from engram.model.errors import DatasetBusy, MovedMeanwhile, PeerFailed, StorageFailed
from engram.model.records import record

_REFS_IN_FLIGHT = "refs-in-flight"
#: What git says when a ref is not where it was expected. Source: git's refs/files-backend.c, check_old_oid().
_MOVED = ("expected", "reference already exists", "is at")


@record(eq=False, kw_only=False)
class RefMoves:
    """The refs of one repository, to be moved. Paths are absolute."""

    steps: Steps
    programs: Programs
    work_tree: str
    git_dir: str
    common_dir: str

    def move(self, instructions: str, *, reason: str, head: str) -> None:
        """Have git carry out what ``update-ref --stdin`` takes; durable when it returns.

        Args:
            instructions: as git-update-ref(1) has them.
            reason: for the reflog.
            head: the ref that HEAD stands for, '' for none.

        Raises `MovedMeanwhile`, `DatasetBusy`.
        """
        note = os.path.join(private_folder(self.git_dir), _REFS_IN_FLIGHT)
        refs = {line.split(" ")[1] for line in instructions.splitlines() if line.startswith("update ")}
        durable.replace(self.steps, note, "\n".join(sorted(refs)).encode())
        self.steps.take("update-ref", " ".join(sorted(refs)))
        try:
            self.programs.git(
                self.work_tree, "update-ref", "-m", reason, "--create-reflog", "--stdin", stdin=instructions.encode()
            )
        except (PeerFailed, DatasetBusy, StorageFailed) as error:
            durable.remove(self.steps, note)  # git has ended: a lock that is there now is somebody else's
            if isinstance(error, PeerFailed) and any(words in error.said for words in _MOVED):
                raise MovedMeanwhile(", ".join(sorted(refs))) from error
            raise
        self.sync(head)
        durable.remove(self.steps, note)

    def sync(self, *refs: str) -> None:
        """Bring these refs and the git-annex branch, and their names, to the disk: git before 2.36 does not."""
        folders = {self.git_dir, os.path.join(self.common_dir, "refs", "heads")}
        for ref in (BRANCH, *refs):
            place = os.path.join(self.common_dir, ref)
            if ref and os.path.isfile(place):
                durable.sync_file(self.steps, place)
                while len(place) > len(self.common_dir):
                    place = os.path.dirname(place)
                    folders.add(place)
        for folder in sorted(folders):
            if os.path.isdir(folder):
                durable.sync_folder(self.steps, folder)

    def clear_what_a_crash_left(self, head: Callable[[], str]) -> None:
        """Remove the locks of refs that an engram, killed together with the git it had started, left behind.

        Only while `only_engram` is held: then nobody else can have written the note that names them.
        """
        note = os.path.join(private_folder(self.git_dir), _REFS_IN_FLIGHT)
        try:
            with open(note, encoding="utf-8", errors="surrogateescape") as file:
                refs = file.read().split()
            since_ns = os.stat(note).st_mtime_ns
        except FileNotFoundError:
            return
        for name in sorted({*refs, "HEAD", head()} - {""}):
            lock = os.path.join(self.common_dir, f"{name}.lock")
            if os.path.exists(lock) and os.stat(lock).st_mtime_ns >= since_ns:
                durable.remove(self.steps, lock)
        durable.remove(self.steps, note)
