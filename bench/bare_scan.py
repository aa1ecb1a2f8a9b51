"""Loops that do nothing but walk a share: what scanning cannot do without, and how it is usually done.

``python bare_scan.py scandir|scandir-stat|walk|rglob|metas|metas-kept SHARE``
"""

import json
import os
import sqlite3
import sys
import tempfile
from datetime import datetime
from pathlib import Path


def main(how: str, share: str) -> None:
    sys.stdout.write(f"{_WAYS[how](share)}\n")


def _scandir(share: str, *, with_stat: bool = False) -> int:
    count = 0
    waiting = [share]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    count += 1
                    if with_stat:
                        entry.stat(follow_symlinks=False)
    return count


def _walk(share: str) -> int:
    count = 0
    for folder, _, files in os.walk(share):
        for name in files:
            os.lstat(os.path.join(folder, name))
            count += 1
    return count


def _rglob(share: str) -> int:
    return sum(1 for path in Path(share).rglob("*") if path.is_file() and path.stat())


def _metas(share: str) -> int:
    """Every ``.meta`` read, and split at its first ``=``."""
    count = 0
    for folder, _, files in os.walk(share):
        for name in files:
            if name.endswith(".meta"):
                with open(os.path.join(folder, name), "rb") as file:
                    text = file.read().decode()
                count += bool(dict(line.split("=", 1) for line in text.splitlines() if "=" in line))
    return count


def _metas_kept(share: str) -> int:
    """Every ``.meta`` read and split, its numbers and times converted, its binary's size asked; kept by folder.

    What a scan cannot do without that says what was recorded, and can tell tomorrow that nothing changed.
    """
    kept: list[tuple[str, str]] = []
    for folder, _, files in os.walk(share):
        said: list[object] = [os.stat(folder).st_mtime_ns, sorted(files)]
        said += [_recording(folder, name) for name in files if name.endswith(".meta")]
        kept.append((folder, json.dumps(said)))
    with tempfile.TemporaryDirectory() as place:
        state = sqlite3.connect(f"{place}/state.db")
        state.execute("CREATE TABLE unit (folder PRIMARY KEY, said)")
        state.executemany("INSERT INTO unit VALUES (?, ?)", kept)
        state.commit()
    return len(kept)


def _recording(folder: str, name: str) -> list[object]:
    descriptor = os.open(f"{folder}/{name}", os.O_RDONLY | os.O_NOFOLLOW)
    try:
        size_bytes = os.fstat(descriptor).st_size
        text = os.pread(descriptor, size_bytes, 0).decode()
    finally:
        os.close(descriptor)
    tags = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    found = os.stat(f"{folder}/{name[:-5]}.bin", follow_symlinks=False)
    promised, channels, rate_hz = int(tags["fileSizeBytes"]), int(tags["nSavedChans"]), float(tags["imSampRate"])
    times = (datetime.fromisoformat(tags["fileCreateTime"]).isoformat(), promised / channels / 2 / rate_hz)
    facts = {tag: tags[tag].strip() for tag in ("imDatPrb_sn", "imDatPrb_pn", "fileName", "fileSHA1") if tag in tags}
    return [name, found.st_size == promised, found.st_mtime_ns, channels, rate_hz, times, facts]


_WAYS = {
    "scandir": _scandir,
    "scandir-stat": lambda share: _scandir(share, with_stat=True),
    "walk": _walk,
    "rglob": _rglob,
    "metas": _metas,
    "metas-kept": _metas_kept,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
