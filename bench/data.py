"""Made-up data, the same in every run: nothing is random, nothing depends on the clock."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

#: All files are from this moment, so that none looks as if it had just been written.
_MODIFIED_S = 1_760_000_000
_MIB = 1 << 20


def paths(folder: Path, count: int, suffix: str) -> Iterator[Path]:
    """*count* paths as a study has them: a hundred files per session, ten sessions per subject."""
    for number in range(count):
        session = folder / f"sub-{number // 1000:04}" / f"ses-{number // 100 % 10:02}"
        yield session / f"run-{number % 100:03}_recording{suffix}"


def binary_files(folder: Path, count: int, size_bytes: int) -> None:
    """*count* small files that are no text, no two of them alike."""
    for number, path in enumerate(paths(folder, count, ".dat")):
        _write(path, (b"\0%020d" % number + content(number, size_bytes))[:size_bytes])


def text_files(folder: Path, count: int) -> None:
    """*count* small tables, as they stand beside recordings: about 500 bytes each."""
    for number, path in enumerate(paths(folder, count, ".tsv")):
        lines = (f"{row}\t{(number * 37 + row * 101) % 9973}\tgo\n" for row in range(40))
        _write(path, f"trial\treaction_ms\tcue\n{number}\t0\tnone\n{''.join(lines)}".encode())


def large_files(folder: Path, count: int, size_mib: int) -> None:
    """*count* files of *size_mib* MiB."""
    folder.mkdir(exist_ok=True)
    block = content(0, _MIB)
    for number in range(count):
        path = folder / f"recording-{number:03}.bin"
        with path.open("wb") as file:
            for megabyte in range(size_mib):
                head = b"\0%010d%010d" % (number, megabyte)
                file.write(head)
                file.write(block[len(head) :])
        os.utime(path, (_MODIFIED_S, _MODIFIED_S))


def content(number: int, size_bytes: int) -> bytes:
    """Bytes that look random."""
    return hashlib.shake_128(b"%d" % number).digest(size_bytes)


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except FileNotFoundError:
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
    os.utime(path, (_MODIFIED_S, _MODIFIED_S))
