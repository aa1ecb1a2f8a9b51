"""Recording shares for tests: files of rigs that fit together, disks that are slow or die, a share in every trouble."""

import hashlib
import os
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from engram.sessions.scanning.disk import Listing, LocalDisk

_CHANNELS = 5
_RATE_HZ = 30_000


def spikeglx(
    folder: Path, stem: str, *, serial: str, started: str, samples: int = 60, seed: int = 0, finished: bool = True
) -> Path:
    """Write a Neuropixels stream and its metadata, whose size, length and digest fit; gives the path of the stream.

    Args:
        started: ISO 8601, by the acquisition computer's clock.
        seed: another one gives other bytes.
        finished: without what SpikeGLX writes at the end.

    Source: https://billkarsh.github.io/SpikeGLX/Sgl_help/Metadata_Help.html
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = bytes((seed + place) % 251 for place in range(samples * _CHANNELS * 2))
    said = {
        "typeThis": "imec",
        "imDatPrb_type": "0",
        "imDatPrb_sn": serial,
        "imSampRate": str(_RATE_HZ),
        "nSavedChans": str(_CHANNELS),
        "snsApLfSy": f"{_CHANNELS - 1},0,1",
        "fileCreateTime": datetime.fromisoformat(started).isoformat(),
        "fileName": f"D:/SGLX/{stem}.bin",
        "appVersion": "20230101",
    }
    if finished:
        digest = hashlib.sha1(content, usedforsecurity=False).hexdigest().upper()
        said |= {"fileSizeBytes": str(len(content)), "fileTimeSecs": str(samples / _RATE_HZ), "fileSHA1": digest}
    (folder / f"{stem}.meta").write_text("".join(f"{name}={value}\n" for name, value in said.items()))
    stream = folder / f"{stem}.bin"
    stream.write_bytes(content)
    return stream


def age(root: Path, days: int) -> None:
    """Let everything below a folder, and itself, be so old."""
    then = time.time() - days * 86_400
    for folder, folders, files in os.walk(root, topdown=False):
        for name in [*files, *folders]:
            os.utime(os.path.join(folder, name), (then, then), follow_symlinks=False)
        os.utime(folder, (then, then))


class SlowDisk(LocalDisk):
    """A share on which every call is a round trip; counts them."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._lock = threading.Lock()
        #: Calls by their name.
        self.calls: dict[str, int] = {}

    def _wait(self, call: str) -> None:
        with self._lock:
            self.calls[call] = self.calls.get(call, 0) + 1
        time.sleep(self._delay_s)

    def listing(self, path: str) -> Listing:
        self._wait("listing")
        return super().listing(path)

    def changed_ns(self, path: str) -> int:
        self._wait("changed")
        return super().changed_ns(path)

    def identity(self, path: str) -> object:
        self._wait("identity")
        return super().identity(path)

    def stat(self, path: str) -> tuple[int, int]:
        self._wait("stat")
        return super().stat(path)

    def read(self, path: str, count: int, offset: int) -> bytes:
        self._wait("read")
        return super().read(path, count, offset)


class DyingDisk(LocalDisk):
    """A share to which something happens at one call: *happen* is called with the path before that is listed."""

    def __init__(self, happen: Callable[[str], None]) -> None:
        self._happen = happen

    def listing(self, path: str) -> Listing:
        self._happen(path)
        return super().listing(path)


class DeadDisk(LocalDisk):
    """A mount whose server is gone: calls about one folder never come back."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)

    def listing(self, path: str) -> Listing:
        if path.startswith(self._folder):
            threading.Event().wait()
        return super().listing(path)
