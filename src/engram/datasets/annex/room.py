"""Whether there is room for more content, with what is to stay free.

Source: git-annex(1) ``annex.diskreserve``; what stands without it, from runs of git-annex 10.20261026.
"""

import os

from engram.datasets.annex.facts import human_size
from engram.datasets.annex.sizes import size_in

#: What git-annex leaves free when nobody says how much.
RESERVE = "100 megabytes"
#: After so many bytes, or contents, the disk is looked at again: others write to it, too.
_LOOK_AGAIN_BYTES = 64 << 20
_LOOK_AGAIN = 500


class Room:
    """The free room of the file system that holds *folder*.

    Args:
        reserve: how much of it is to stay free, as ``annex.diskreserve`` says it; ``None`` when it is not set.
    """

    def __init__(self, folder: bytes, reserve: str | None) -> None:
        self._folder = folder
        said = size_in(reserve) if reserve else None
        self._reserve_bytes = (size_in(RESERVE) or 0) if said is None else max(said, 0)
        self._look()

    def lacks(self, size_bytes: int) -> str:
        """Takes room for a content. What is missing, in words; '' when there is enough."""
        if self._taken_bytes + size_bytes > _LOOK_AGAIN_BYTES or self._taken >= _LOOK_AGAIN:
            self._look()
        missing_bytes = self._taken_bytes + size_bytes + self._reserve_bytes - self._free_bytes
        if missing_bytes > 0 and size_bytes:
            return f"{human_size(missing_bytes)} more would have to be free, {human_size(self._reserve_bytes)} to spare"
        self._taken_bytes += size_bytes
        self._taken += 1
        return ""

    def _look(self) -> None:
        status = os.statvfs(self._folder)
        self._free_bytes = status.f_bavail * status.f_frsize
        self._taken_bytes = 0
        self._taken = 0
