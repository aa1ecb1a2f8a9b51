"""Keys read back as they were printed."""

import pytest

from engram.model.errors import NotAKey
from engram.model.keys import Key, normal_form


def test_a_key_tells_what_it_is_made_of() -> None:
    key = Key.parse("WORM-s5-m17--a.txt")
    assert (key.backend, key.size_bytes, key.mtime, key.name) == ("WORM", 5, 17, "a.txt")
    assert (key.digest, key.hash_name) == ("a", "worm")


@pytest.mark.parametrize("text", ["SHA256E-s5--2cf24dba.bin", "URL--http://x/y?z", "MD5E-s1--a.\udcff", "MD5-s0--"])
def test_a_key_reads_back_as_itself(text: str) -> None:
    assert str(Key.parse(text)) == text
    assert bytes(Key.parse(text)) == text.encode(errors="surrogateescape")


@pytest.mark.parametrize(
    "text", ["", "notes.txt", "--a", "MD5-a", "MD5-m1-s1--a", "MD5-s1-S4-C1--a", f"MD5E-s1--a.{'x' * 64}"]
)
def test_what_git_annex_would_not_read_is_no_key(text: str) -> None:
    with pytest.raises(NotAKey):
        Key.parse(text)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"MD5-s05-m00--a-s05", b"MD5-s5-m0--a-s05"),
        (b"MD5-s5--a", b"MD5-s5--a"),
        (b"MD5-s10-S010-C01--a", b"MD5-s10-S10-C1--a"),
        (b"MD5-s1--a\0", None),
        (b"notes", None),
        (b"MD5-s1--" + b"a" * 247, b"MD5-s1--" + b"a" * 247),
        (b"MD5-s1--" + b"a" * 248, None),
        (b"URL--http:" + b"/" * 244, b"URL--http:" + b"/" * 244),
        (b"URL--http:" + b"&" * 200, None),
    ],
)
def test_the_normal_form_has_no_leading_zeros(written: bytes, read: bytes | None) -> None:
    assert normal_form(written) == read
