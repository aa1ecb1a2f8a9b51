"""What is compressed is what was there, and its bytes depend on nothing else."""

import gzip
import random
from pathlib import Path

import pytest

from engram.connectome.compressing import compress
from engram.durable import Steps

_MIB = 1 << 20


@pytest.mark.parametrize("size_bytes", [0, 1, _MIB - 1, _MIB, _MIB + 1, 9 * _MIB + 17])
def test_any_size_reads_back_and_threads_change_no_byte(size_bytes: int, tmp_path: Path) -> None:
    random.seed(size_bytes)
    text = "".join(f"{random.randrange(10**6)},true,,\n" for _ in range(size_bytes // 12 + 1)).encode()[:size_bytes]
    assert len(text) == size_bytes
    (tmp_path / "text").write_bytes(text)
    for threads in (1, 3):
        compress(Steps(), str(tmp_path / "text"), str(tmp_path / f"{threads}.gz"), threads=threads)
    packed = (tmp_path / "1.gz").read_bytes()
    assert (tmp_path / "3.gz").read_bytes() == packed
    assert gzip.decompress(packed) == text
    assert packed[4:8] == bytes(4), "no time"


def test_one_member_holds_everything(tmp_path: Path) -> None:
    """Readers that stop after the first member would lose the rest without a word."""
    (tmp_path / "text").write_bytes(b"a,b\n" * _MIB)
    compress(Steps(), str(tmp_path / "text"), str(tmp_path / "packed.gz"), threads=2)
    assert (tmp_path / "packed.gz").read_bytes().count(b"\x1f\x8b\x08\x00") == 1


def test_nothing_is_written_over(tmp_path: Path) -> None:
    for name in ("text", "packed.gz"):
        (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        compress(Steps(), str(tmp_path / "text"), str(tmp_path / "packed.gz"), threads=1)
    assert (tmp_path / "packed.gz").read_bytes() == b"mine"
