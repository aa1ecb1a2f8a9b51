"""Encodings and media types are those that libmagic tells git-annex."""

import os
import random
from pathlib import Path

import pytest

from engram.datasets.annex.magic import Magic, magic_of
from engram.datasets.annex.mime import LOOK_BYTES, encoding_of

PIECES = [
    b"hello ", b"\n", b"\xc3\xa4", b"\xe4", b"\x80", b"\x85", b"\0", b"\x01", b"\x1b", b"\xe2\x82\xac",
    b"\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\xf0\x9f", b"\xc3",
    b"\xff", b"\xfe", b"a\0", b"\0a", b"a\0\0\0", b"\0\0\0a", b"\xfe\xff", b"\xff\xfe", b"\x25", b"\x15",
    b"\xc8\x85\x93\x93\x96", b"\xe1", b"\x7f", b"\xef\xbb\xbf", b"+/v8", b"x" * 500, b"\xff\xff", b"\0\xd8",
    b'{"a": 1}', b"a,b,c\n1,2,3\n",
]  # fmt: skip
STARTS = [b"", b"", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", b"\0\0\xfe\xff", b"\xef\xbb\xbf", b"+/v9"]
FILLS = [b"a", b"\xc3\xa4", b"\xe2\x82\xac", b"\xf0\x9f\x98\x80", b"\xe4", b"a\0", b"\0a", b"\0\0\0a"]


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        (b"", "binary"),
        (b"a", "binary"),
        (b"ab", "us-ascii"),
        (b"tab\tbell\x07escape\x1b[0m\r\n\x0b\x0c", "us-ascii"),
        (b"a\x7f", "ebcdic"),
        (b"deleted \x7f\n", "binary"),
        (b"a\0b", "binary"),
        (b"+/v8-text", "utf-7"),
        (b"+/v8", "us-ascii"),
        ("Größe".encode(), "utf-8"),
        (b"\xef\xbb\xbftext", "utf-8"),
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xef\xbb\xbf\x01", "binary"),
        (b"\xc3\xa4\x01", "binary"),
        (b"\xc3\xa4 cut \xe2\x82", "utf-8"),
        (b"cut \xe2\x82", "unknown-8bit"),
        (b"overlong \xc0\x80", "unknown-8bit"),
        ("Größe".encode("latin-1"), "iso-8859-1"),
        (b"dos \x84", "unknown-8bit"),
        ("Größe".encode("cp500") + b"\x25\x05\x15", "ebcdic"),
        ("text 😀".encode("utf-16"), "utf-16le"),
        (b"\xfe\xff" + "text".encode("utf-16-be"), "utf-16be"),
        ("text".encode("utf-32"), "utf-32le"),
        (b"\0\0\xfe\xff" + "text".encode("utf-32-be"), "utf-32be"),
        (b"\xff\xfe\x01\0", "binary"),
        (b"\xff\xfe\0\xd8a\0", None),
        (b"\xff\xfe\xff\xff", None),
        (b"\xff\xfe\0\0\xff\xff\xff\xff", None),
    ],
)
def test_an_encoding_is_told_from_the_first_bytes(head: bytes, encoding: str | None) -> None:
    assert encoding_of(head) == encoding


def test_what_lies_beyond_the_look_ahead_does_not_count() -> None:
    assert encoding_of(b"a" * LOOK_BYTES + b"\0") == "us-ascii"
    assert encoding_of(b"a" * (LOOK_BYTES - 1) + b"\0") == "binary"
    assert encoding_of(b"\xc3\xa4" * (LOOK_BYTES // 2 - 1) + b"a\xc3" + b"\xa4") == "utf-8"


def buffers(count: int, seed: int) -> list[bytes]:
    """Buffers of every kind that decides something, some of them as long as what is looked at."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        start = chance.choice(STARTS)
        tail = b"".join(chance.choices(PIECES, k=chance.randrange(8)))
        if number % 10 == 0:
            length, fill = chance.randrange(LOOK_BYTES - 16, LOOK_BYTES + 16), chance.choice(FILLS)
            start += (fill * length)[:length]
        elif number % 4 == 0:
            tail = chance.randbytes(chance.randrange(12))
        made.append(start + tail)
    return made + [bytes([byte, other]) for byte in range(256) for other in (0, 10, 65, 0xE4)]


@pytest.fixture
def magic(program: str) -> Magic:
    found = magic_of(program)
    if found is None:
        pytest.skip("this git-annex does not bring its libmagic along: pip install git-annex")
    return found


def test_libmagic_tells_the_same_encodings(magic: Magic, tmp_path: Path) -> None:
    place = tmp_path / "file"
    for buffer in buffers(800, seed=5):
        place.write_bytes(buffer)
        said, ours = magic.describe(bytes(place)), encoding_of(buffer)
        assert ours is None or said is None or said[1] == ours, (buffer[:80], len(buffer))
        assert said is not None or ours is None, buffer[:80]


def test_libmagic_tells_media_types_of_names_of_any_kind(magic: Magic, tmp_path: Path) -> None:
    place = os.path.join(os.fsencode(tmp_path), b"odd \xff\n name")
    with open(place, "wb") as file:
        file.write(b'{"a": 1}\n')
    assert magic.describe(place) == ("application/json", "us-ascii")


def test_a_git_annex_without_a_libmagic_beside_it_tells_nothing(tmp_path: Path) -> None:
    assert magic_of(str(tmp_path / "bin" / "git-annex")) is None
