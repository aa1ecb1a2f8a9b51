"""Datasets that want to fill the memory: little files that unpack to 256 MiB."""

import hashlib
import struct
import subprocess
import tempfile
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from engram.testing.canary import Canary

_BOMB_BYTES = 256 << 20
_ZEROS = bytes(1 << 20)


def _bomb(header: bytes) -> bytes:
    """A zlib stream of *header* and `_BOMB_BYTES` zeros; one packed block is repeated, so that it is made at once.

    Source: https://www.rfc-editor.org/rfc/rfc1950 (a stream ends in the Adler-32 of what it holds)
    """
    first = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed_header = first.compress(header) + first.flush(zlib.Z_FULL_FLUSH)
    block = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed_zeros = block.compress(_ZEROS) + block.flush(zlib.Z_FULL_FLUSH)
    blocks = _BOMB_BYTES // len(_ZEROS)
    checksum = zlib.adler32(header)
    for _ in range(blocks):
        checksum = zlib.adler32(_ZEROS, checksum)
    return b"\x78\xda" + packed_header + packed_zeros * blocks + b"\x03\x00" + struct.pack(">I", checksum)


def _loose(folder: Path, name: str, content: bytes) -> None:
    place = folder / ".git" / "objects" / name[:2] / name[2:]
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(content)


def bomb_on_the_annex_branch(folder: Path, _: Canary) -> str:
    """A little file that says it holds ten bytes and unpacks to 256 MiB, where settings are read from."""
    _loose(folder, "b0" * 20, _bomb(b"blob 10\0"))
    tree = b"100644 config.log\0" + b"\xb0" * 20 + b"100644 uuid.log\0" + b"\xb0" * 20
    tree_name = _written(folder, "tree", tree)
    commit = _written(
        folder, "commit", f"tree {tree_name}\nauthor x <x> 1 +0000\ncommitter x <x> 1 +0000\n\nx\n".encode()
    )
    (folder / ".git" / "refs" / "heads" / "git-annex").write_text(f"{commit}\n")
    return "a config.log that unpacks to 256 MiB"


def bomb_in_a_pack(folder: Path, _: Canary) -> str:
    """The same in a pack, named by the index as a file's content.

    Source: https://git-scm.com/docs/gitformat-pack
    """
    oid, files = _packed_bomb()
    for name, content in files.items():
        (folder / ".git" / "objects" / "pack" / name).write_bytes(content)
    subprocess.run(
        ["git", "update-index", "--add", "--cacheinfo", f"100644,{oid},.gitattributes"], cwd=folder, check=True
    )
    return ".gitattributes that unpacks to 256 MiB"


@cache
def _packed_bomb() -> tuple[str, Mapping[str, bytes]]:
    """The id of a bomb, and the pack and its index that hold it, by name. It takes seconds to make: made once."""
    size = _BOMB_BYTES
    header = bytearray([0x80 | 3 << 4 | size & 15])
    size >>= 4
    while size:
        header.append((0x80 if size > 0x7F else 0) | size & 0x7F)
        size >>= 7
    body = struct.pack(">4sII", b"PACK", 2, 1) + bytes(header) + _bomb(b"")
    trailer = hashlib.sha1(body, usedforsecurity=False)
    pack, stem = body + trailer.digest(), f"pack-{trailer.hexdigest()}"
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / f"{stem}.pack"
        place.write_bytes(pack)
        subprocess.run(
            ["git", "index-pack", "--object-format=sha1", place], cwd=folder, check=True, capture_output=True
        )
        index = place.with_suffix(".idx").read_bytes()
    name = hashlib.sha1(f"blob {_BOMB_BYTES}\0".encode(), usedforsecurity=False)
    for _zeros in range(_BOMB_BYTES // len(_ZEROS)):
        name.update(_ZEROS)
    return name.hexdigest(), {f"{stem}.pack": pack, f"{stem}.idx": index}


def _written(folder: Path, kind: str, content: bytes) -> str:
    arguments = ["git", "hash-object", "-w", "--literally", "-t", kind, "--stdin"]
    done = subprocess.run(arguments, cwd=folder, input=content, capture_output=True, check=True)
    return done.stdout.decode().strip()
