"""Loops that do nothing but walk a share: what scanning cannot do without, and how it is usually done.

``python bare_scan.py scandir|scandir-stat|walk|rglob|metas SHARE``
"""

import os
import sys
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


_WAYS = {
    "scandir": _scandir,
    "scandir-stat": lambda share: _scandir(share, with_stat=True),
    "walk": _walk,
    "rglob": _rglob,
    "metas": _metas,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
