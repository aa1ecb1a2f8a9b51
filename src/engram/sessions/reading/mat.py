"""Names, shapes and classes of the variables of a MATLAB 5 file; their numbers are not read.

Source: https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from engram.model.errors import Malformed
from engram.sessions.reading.window import Window

_MATRIX, _COMPRESSED = 14, 15
_CLASSES = (
    *("", "cell", "struct", "object", "char", "sparse", "double", "single", "int8", "uint8", "int16", "uint16"),
    *("int32", "uint32", "int64", "uint64", "function", "opaque"),
)
_MOST_VARIABLES = 500
#: Flags, dimensions and name of a variable lie in its first bytes.
_LEAD_BYTES = 1024


@dataclass(frozen=True, slots=True)
class MatVariable:
    """One variable: ``SessionData`` 1 × 1 struct."""

    name: str
    shape: tuple[int, ...]
    kind: str


class NotVersion5(Malformed):
    """A MATLAB file of another version: 7.3 is HDF5, 4 has no header."""


def is_hdf5(head: bytes) -> bool:
    """Whether a file's first bytes are those of HDF5, perhaps behind MATLAB's own 512 bytes of text."""
    return head[:8] == b"\x89HDF\r\n\x1a\n" or head[:10] == b"MATLAB 7.3" or head[512:520] == b"\x89HDF\r\n\x1a\n"


def mat_variables(window: Window) -> Iterator[MatVariable]:
    """The variables in their order. Raises `NotVersion5`, and `Malformed` once one does not parse or is cut short."""
    head = window.some(0, 128)
    order = {b"IM": "little", b"MI": "big"}.get(head[126:128])
    if order is None or not head.startswith(b"MATLAB 5.0"):
        raise NotVersion5(window.path, "no MATLAB 5 file")
    at = 128
    for _ in range(_MOST_VARIABLES):
        tag = window.some(at, 8)
        if not tag:
            return
        if len(tag) < 8:
            raise Malformed(window.path, "it ends within a variable's head")
        kind, size = _number(tag[:4], order), _number(tag[4:8], order)
        lead = window.take(at + 8, min(size, _LEAD_BYTES))
        if kind == _COMPRESSED:
            yield _variable(window.path, _unpacked(window.path, lead)[8:], order)
        elif kind == _MATRIX:
            yield _variable(window.path, lead, order)
        else:
            raise Malformed(window.path, f"something that is no variable at {at}")
        at += 8 + size
        if size and not window.some(at - 1, 1):
            raise Malformed(window.path, "it ends within its last variable")


def _unpacked(path: str, packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, _LEAD_BYTES)
    except zlib.error:
        raise Malformed(path, "a variable that does not unpack") from None


def _variable(path: str, data: bytes, order: str) -> MatVariable:
    if len(data) < 16:
        raise Malformed(path, "a variable without its head")
    kind = data[8] if order == "little" else data[11]
    shape, at = _element(path, data, 16, order)
    name, _ = _element(path, data, at, order)
    dimensions = tuple(_number(shape[place : place + 4], order) for place in range(0, len(shape), 4))
    class_name = _CLASSES[kind] if kind < len(_CLASSES) else ""
    return MatVariable(name.decode("latin-1"), dimensions, class_name)


def _element(path: str, data: bytes, at: int, order: str) -> tuple[bytes, int]:
    """What an element holds, and where the next one begins; small ones are packed into four bytes."""
    tag = _number(data[at : at + 4], order)
    small = tag >> 16
    if small:
        return data[at + 4 : at + 4 + min(small, 4)], at + 8
    size = _number(data[at + 4 : at + 8], order)
    if size > len(data) - at - 8:
        raise Malformed(path, "a variable whose head is too long")
    return data[at + 8 : at + 8 + size], at + 8 + (size + 7) // 8 * 8


def _number(data: bytes, order: str) -> int:
    return int.from_bytes(data, "big" if order == "big" else "little")
