"""The encoding of a text file as libmagic tells it, told without libmagic from the first 64 KiB of the file.

Where versions of libmagic since 5.41 disagree, no answer is given.

Source: file(1); which bytes are text: https://github.com/file/file/blob/master/src/encoding.c
"""

import sys
from array import array
from typing import Final

#: How much of a file decides about its encoding.
LOOK_BYTES: Final = 65536

#: Bytes of plain text: bell to carriage return, escape, what prints, and "next line".
_ASCII = bytes([*range(7, 14), 27, *range(32, 127), 0x85])
_LATIN_1 = _ASCII + bytes(range(0xA0, 0x100))
_EXTENDED = _ASCII + bytes(range(0x80, 0x100))
#: Bytes that are text of one of the two kinds above once EBCDIC is turned into ASCII.
_EBCDIC = bytes({5, 11, 12, 13, 21, 22, 37, 39, 47, *range(64, 256)} - {0xE1})
#: Code units that no text has: control characters, and the byte order mark the wrong way round.
_NO_TEXT = frozenset({0xFFFE, *range(128)} - {*_ASCII})
_UTF_7_MARKS = (b"+/v8", b"+/v9", b"+/v+", b"+/v/")
_ASCII_OR_HIGH = _ASCII + bytes(range(0x80, 0x100))
#: Byte order marks, longest first, and the array type of what follows.
_WIDE_MARKS = (
    (b"\xff\xfe\0\0", "utf-32le", "I"),
    (b"\0\0\xfe\xff", "utf-32be", "I"),
    (b"\xff\xfe", "utf-16le", "H"),
    (b"\xfe\xff", "utf-16be", "H"),
)
_MARKS = tuple(mark for mark, _, _ in _WIDE_MARKS)
#: libmagic cannot print a code point above this, and may then give no answer at all.
_LARGEST_CODE_POINT = 0x7FFFFFFF
#: Units of UTF-16 that are text to older versions and not to newer ones.
_DISPUTED = frozenset({0xFFFF, *range(0xFDD0, 0xFDF0)})
_SURROGATES = frozenset(range(0xD800, 0xE000))


def encoding_of(head: bytes) -> str | None:
    r"""The encoding of the file that begins with *head*: ``binary``, ``us-ascii``, ``utf-8``, ….

    ``None`` where versions of libmagic disagree, or give no answer: UTF-16 and UTF-32 that is not well-formed.
    Give at least `LOOK_BYTES` of the file, or all of it.

    >>> encoding_of(b"plain"), encoding_of("Größe".encode()), encoding_of(b"a\0b")
    ('us-ascii', 'utf-8', 'binary')
    """
    if len(head) < 2:
        return "binary"
    text = head[:LOOK_BYTES]
    if not text.translate(None, _ASCII):
        return "utf-7" if len(text) > 4 and text.startswith(_UTF_7_MARKS) else "us-ascii"
    if b"\0" in text and not text.startswith(_MARKS):
        return "binary"
    if _is_utf_8(text):
        return "utf-8"
    wide = _wide_encoding(text)
    return _narrow_encoding(text) if wide == "" else wide


def _is_utf_8(text: bytes) -> bool:
    """Whether this is text in UTF-8 that has at least one character beyond ASCII, or a byte order mark.

    A character that is cut off at the end is no mistake, and does not count.
    """
    whole = _without_cut_character(text)
    if whole.isascii() or whole.translate(None, _ASCII_OR_HIGH):
        return False
    try:
        whole.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _without_cut_character(text: bytes) -> bytes:
    """*text* without the beginning of a character at its end."""
    for length in (1, 2, 3):
        tail = text[-length:]
        if tail[0] < 0x80:
            break
        if tail[0] >= 0xC0:
            try:
                tail.decode("utf-8")
            except UnicodeDecodeError as error:
                if error.reason == "unexpected end of data":
                    return text[:-length]
            break
    return text


def _wide_encoding(text: bytes) -> str | None:
    """UTF-32 or UTF-16, by the byte order mark; '' if it is neither, ``None`` where nobody can tell."""
    for mark, name, code in _WIDE_MARKS:
        if text.startswith(mark):
            units = array(code)
            size = units.itemsize
            units.frombytes(text[len(mark) : len(text) // size * size])
            if name.endswith("be") == (sys.byteorder == "little"):
                units.byteswap()
            if _is_disputed(units):
                return None
            if _NO_TEXT.isdisjoint(units):
                return name
    return ""


def _is_disputed(units: "array[int]") -> bool:
    if units.itemsize == 4:
        return max(units, default=0) > _LARGEST_CODE_POINT
    found = set(units)
    if not found.isdisjoint(_DISPUTED):
        return True
    if found.isdisjoint(_SURROGATES):
        return False
    try:
        units.tobytes().decode("utf-16-le" if sys.byteorder == "little" else "utf-16-be")
    except UnicodeDecodeError:
        return True
    return False


def _narrow_encoding(text: bytes) -> str:
    for name, allowed in (("iso-8859-1", _LATIN_1), ("unknown-8bit", _EXTENDED), ("ebcdic", _EBCDIC)):
        if not text.translate(None, allowed):
            return name
    return "binary"
