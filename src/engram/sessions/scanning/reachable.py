"""Whether a share can be read by who will scan it: asked before it is added, so that nobody waits for nothing."""

import threading
from collections import deque
from dataclasses import dataclass
from time import monotonic

from engram.sessions.scanning.disk import Disk
from engram.sessions.scanning.names import Excluded

#: Looking goes on for so long, folder by folder from the top.
_LOOKING_S = 10.0


@dataclass(frozen=True, slots=True)
class OutOfReach:
    """The first folder that cannot be read, relative to the share ('' for itself), and why."""

    folder: str
    reason: str


def out_of_reach(
    disk: Disk, root: str, excluded: Excluded, patience_s: float, *, looking_s: float = _LOOKING_S
) -> OutOfReach | None:
    """The first folder that cannot be read, the topmost first; ``None`` when all that were looked at can.

    It is looked for *looking_s*; a share that then does not answer within *patience_s* cannot be read, either.
    """
    found: list[OutOfReach] = []
    asked = [root]
    # A daemon: a call on a dead mount never comes back, and must not keep the process.
    thread = threading.Thread(target=_look, args=(disk, root, excluded, found, asked, looking_s), daemon=True)
    thread.start()
    thread.join(patience_s + looking_s)
    if thread.is_alive():
        folder = asked[0].removeprefix(root).lstrip("/")
        return OutOfReach(folder, f"it has not answered for {patience_s:g} s")
    return found[0] if found else None


def trouble_with(disk: Disk, root: str, patience_s: float) -> str:
    """Why a share cannot be read just now, as part of a sentence; '' when it can."""
    found: list[str] = []

    def ask() -> None:
        try:
            disk.identity(root)
            disk.listing(root)
        except OSError as error:
            found.append(error.strerror or str(error))
        else:
            found.append("")

    # A daemon, as above.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(patience_s)
    return found[0] if found else f"it has not answered for {patience_s:g} s"


def _look(
    disk: Disk, root: str, excluded: Excluded, found: list[OutOfReach], asked: list[str], looking_s: float
) -> None:
    until_s = monotonic() + looking_s
    waiting = deque([""])
    while waiting and monotonic() < until_s:
        folder = waiting.popleft()
        asked[0] = f"{root}/{folder}" if folder else root
        try:
            inner = disk.listing(asked[0]).folders
        except FileNotFoundError as error:
            if not folder:
                found.append(OutOfReach(folder, error.strerror or str(error)))
                return
        except OSError as error:
            found.append(OutOfReach(folder, error.strerror or str(error)))
            return
        else:
            paths = (f"{folder}/{name}" if folder else name for name in sorted(inner))
            waiting.extend(path for path in paths if not excluded.folder(path))


def folders_above(disk: Disk, root: str, excluded: Excluded, depth: int) -> list[str]:
    """The folders of a share that lie at most so many deep, as many as are found in ten seconds."""
    until_s = monotonic() + _LOOKING_S
    found: list[str] = []
    waiting = deque([""])
    while waiting and monotonic() < until_s:
        folder = waiting.popleft()
        try:
            names = disk.listing(f"{root}/{folder}" if folder else root).folders
        except OSError:
            names = []
        for path in (f"{folder}/{name}" if folder else name for name in sorted(names)):
            if not excluded.folder(path):
                found.append(path)
                if path.count("/") + 1 < depth:
                    waiting.append(path)
    return found
