"""Keys are those that git-annex makes."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from engram.datasets.annex.backends import (
    NATIVE,
    backend_of,
    digest_of,
    extension_of,
    is_native,
    keeps_extension,
    key_for,
    new_hasher,
    verifies,
)
from engram.model.errors import NotAKey

PARTS = [
    b".",
    b".",
    b".",
    b"a",
    b"B9",
    b"gz",
    b"nii",
    b"-",
    b"_",
    b" ",
    "ä".encode(),
    b"\xff",
    b"&",
    b"%",
    b":",
    b"abcde",
    b"\t",
]


def key_of_content(backend: str, content: bytes, name: bytes) -> bytes:
    hasher = new_hasher(backend)
    hasher.update(content)
    return key_for(backend, len(content), hasher.hexdigest(), name)


@pytest.mark.parametrize(
    ("name", "extension"),
    [
        (b"a.nii.gz", b".nii.gz"),
        (b"x.tar.bz2.xz", b".bz2.xz"),
        (b"y.abcde.gz", b".gz"),
        (b"z.gz.abcde", b""),
        (b"v.abc.de f", b".abc"),
        (b".hidden", b""),
        (b".hidden.txt", b".txt"),
        (b"folder.txt/plain", b""),
        (b"upper.TXT", b".TXT"),
        (b"two..txt", b".txt"),
        (b"ends.", b""),
        (b"odd.\xff\xfe", b".\xff\xfe"),
        (b"", b""),
    ],
)
def test_an_extension_is_what_git_annex_keeps_of_a_name(name: bytes, extension: bytes) -> None:
    assert extension_of(name) == extension


def test_the_limits_on_extensions_can_be_set() -> None:
    assert extension_of(b"a.longer.gz", max_length=6) == b".longer.gz"
    assert extension_of(b"a.nii.gz", max_extensions=1) == b".gz"
    assert extension_of(b"a.nii.gz", max_extensions=0) == b""


def test_a_key_carries_backend_size_digest_and_extension() -> None:
    key = key_of_content("SHA256E", b"hello", b"greeting.txt")
    assert key == b"SHA256E-s5--2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824.txt"
    assert backend_of(key) == "SHA256E"
    assert digest_of(key) == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


def test_only_backends_that_end_in_e_keep_the_extension() -> None:
    assert keeps_extension("MD5E")
    assert not keeps_extension("MD5")
    assert (
        key_for("MD5", 0, "d41d8cd98f00b204e9800998ecf8427e", b"a.txt") == b"MD5-s0--d41d8cd98f00b204e9800998ecf8427e"
    )


@pytest.mark.parametrize("backend", ["WORM", "URL", "XXH3", "BLAKE3_256E", "SKEIN256", "BLAKE2SP256", "XOWN", ""])
def test_what_the_standard_library_cannot_compute_is_not_native(backend: str) -> None:
    assert not is_native(backend)
    assert not verifies(backend)


def test_text_that_is_no_key_has_no_backend() -> None:
    with pytest.raises(NotAKey):
        backend_of(b"notes.txt")


def test_every_native_backend_makes_the_keys_that_git_annex_makes(annex: Path, ask: Callable[..., bytes]) -> None:
    (annex / "a.txt").write_bytes(b"hello")
    for backend in NATIVE:
        assert ask(annex, "calckey", f"--backend={backend}", "a.txt").strip() == key_of_content(
            backend, b"hello", b"a.txt"
        )


@pytest.mark.parametrize(("length", "count"), [(4, 2), (6, 3), (0, 2), (8, 1), (4, 0)])
def test_extensions_of_random_names_are_those_of_git_annex(
    annex: Path, ask: Callable[..., bytes], length: int, count: int
) -> None:
    chance = random.Random(length * 10 + count)
    names = sorted({b"".join(chance.choices(PARTS, k=chance.randint(1, 9))) for _ in range(800)} - {b".", b".."})
    for name in names:
        (annex / os.fsdecode(name)).write_bytes(b"")
    settings = ["-c", f"annex.maxextensionlength={length}", "-c", f"annex.maxextensions={count}"]
    said = ask(annex, "calckey", "--backend=MD5E", "--batch", "-z", *settings, said=b"\0".join(names) + b"\0")
    keys = said.split(b"\n")[:-1]
    empty = "d41d8cd98f00b204e9800998ecf8427e"
    ours = [key_for("MD5E", 0, empty, name, max_length=length, max_extensions=count) for name in names]
    assert dict(zip(names, ours, strict=True)) == dict(zip(names, keys, strict=True))
