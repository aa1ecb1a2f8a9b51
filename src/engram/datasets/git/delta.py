"""Deltas in packs: an object told as pieces of another one and new bytes.

Source: gitformat-pack(5), "Deltified representation"
"""

from engram.model.errors import DamagedRepository


def apply_delta(base: bytes, delta: bytes, name: str, limit_bytes: int) -> bytes:
    """The object that *delta* makes of *base*. *name* is for the error, which also comes beyond *limit_bytes*."""
    try:
        source_size, position = _size(delta, 0)
        target_size, position = _size(delta, position)
        if source_size != len(base) or target_size > limit_bytes:
            raise ValueError(delta)
        return _assemble(base, delta, position, target_size)
    except (ValueError, IndexError):
        raise DamagedRepository(name, "a delta in the pack does not fit") from None


def _assemble(base: bytes, delta: bytes, position: int, size: int) -> bytes:
    parts: list[bytes] = []
    left, end = size, len(delta)
    while position < end:
        code = delta[position]
        position += 1
        if code & 0x80:
            start, length, position = _copy_arguments(delta, position, code)
            piece = base[start : start + length]
        else:
            length = code
            piece = delta[position : position + length]
            position += length
        left -= length
        if len(piece) != length or not length or left < 0:
            raise ValueError(code)
        parts.append(piece)
    if left:
        raise ValueError(left)
    return b"".join(parts)


def _copy_arguments(delta: bytes, position: int, code: int) -> tuple[int, int, int]:
    """Where to copy from, how much, and the position after these numbers; absent bytes are zero."""
    numbers = 0
    for bit in range(7):
        if code >> bit & 1:
            numbers |= delta[position] << 8 * bit
            position += 1
    return numbers & 0xFFFF_FFFF, numbers >> 32 or 0x10000, position


def _size(delta: bytes, position: int) -> tuple[int, int]:
    size = shift = 0
    while True:
        byte = delta[position]
        position += 1
        size |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return size, position
        shift += 7
        if shift > 63:
            raise IndexError(position)
