"""The header of a ``.npy`` file, read without numpy.

Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

import re
from dataclasses import dataclass

from engram.model.errors import Malformed
from engram.sessions.reading.window import Readable

_MAGIC = b"\x93NUMPY"
#: As numpy itself has it.
_LONGEST_HEADER_BYTES = 10_000
_DESCR = re.compile(r"'descr'\s*:\s*(?:'([^']{1,40})'|(\[.*\]))", re.DOTALL)
_ORDER = re.compile(r"'fortran_order'\s*:\s*(True|False)")
_SHAPE = re.compile(r"'shape'\s*:\s*\(([0-9, L]{0,200})\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class NpyHeader:
    """What an array is, without its numbers."""

    shape: tuple[int, ...]
    #: As numpy writes it: ``<f4``; ``|O`` is a pickle; a list for records.
    dtype: str
    fortran_order: bool
    #: Where the numbers (or the pickle) begin.
    data_at: int

    @property
    def is_pickle(self) -> bool:
        """Whether what follows is a pickle, which runs code when it is opened carelessly."""
        return "O" in self.dtype.strip("<>|=") and not self.dtype.startswith("[")

    @property
    def size_bytes(self) -> int | None:
        """How large the file has to be; ``None`` for records and pickles, which do not say."""
        width = re.fullmatch(r"[<>|=]?([biufcSUV?])([0-9]{0,9})", self.dtype)
        if width is None:
            return None
        count = 1
        for length in self.shape:
            count *= length
        return self.data_at + count * int(width[2] or 1) * (4 if width[1] == "U" else 1)


def npy_header(path: str, head: bytes) -> NpyHeader:
    """The header that the first bytes of a file hold. Raises `Malformed`."""
    if head[:6] != _MAGIC or len(head) < 12:
        raise Malformed(path, "no NumPy array")
    width = 2 if head[6] == 1 else 4
    length = int.from_bytes(head[8 : 8 + width], "little")
    data_at = 8 + width + length
    if head[6] not in (1, 2, 3) or length > _LONGEST_HEADER_BYTES or len(head) < data_at:
        raise Malformed(path, "a NumPy header that is too long, cut short, or of an unknown version")
    text = head[8 + width : data_at].decode("latin-1")
    descr, order, shape = _DESCR.search(text), _ORDER.search(text), _SHAPE.search(text)
    if descr is None or order is None or shape is None:
        raise Malformed(path, "a NumPy header that does not say what the array is")
    lengths = [part.strip(" L") for part in shape[1].split(",") if part.strip(" L")]
    if not all(part.isdigit() and len(part) <= 18 for part in lengths):
        raise Malformed(path, "a NumPy header whose shape is no shape")
    return NpyHeader(
        shape=tuple(map(int, lengths)), dtype=descr[1] or descr[2], fortran_order=order[1] == "True", data_at=data_at
    )


def read_npy_header(folder: Readable, path: str) -> NpyHeader:
    """The header of a file in a folder: one look of 256 bytes, a second one for long headers. Raises `Malformed`."""
    head = folder.read(path, 256)
    try:
        return npy_header(path, head)
    except Malformed:
        if head[:6] != _MAGIC or len(head) < 256:
            raise
    return npy_header(path, folder.read(path, _LONGEST_HEADER_BYTES + 16))
