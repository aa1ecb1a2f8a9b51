"""Whatever a source holds, and whatever an earlier transfer left: what becomes visible is right, or nothing does."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from engram.datasets.annex.receiving import Receiving, object_here
from engram.durable import Steps
from engram.model.errors import ChecksumMismatch
from engram.testing.places import scratch

#: Keys as git-annex makes them, by backend.
BACKENDS = {"SHA256": "sha256", "MD5E": "md5", "SHA1": "sha1", "SHA512E": "sha512"}
contents = st.binary(max_size=2000)


def key_of(data: bytes, backend: str) -> bytes:
    extension = ".nii" if backend.endswith("E") else ""
    return f"{backend}-s{len(data)}--{hashlib.new(BACKENDS[backend], data).hexdigest()}{extension}".encode()


def received(folder: Path, key: bytes, held: bytes, partial: bytes | None) -> bytes | None:
    """What is there in the end, when a source holds *held*."""
    git_dir = folder / "git"
    (git_dir / "annex" / "tmp").mkdir(parents=True)
    if partial is not None:
        (git_dir / "annex" / "tmp" / os.fsdecode(key)).write_bytes(partial)
    (folder / "source").write_bytes(held)
    receiving = Receiving(Steps(), git_dir=os.fsencode(git_dir))
    receiving.clear_what_a_crash_left()
    with suppress(ChecksumMismatch):
        receiving.take(key, os.fsencode(folder / "source"), "lab")
    receiving.settle()
    assert os.listdir(git_dir / "engram" / "tmp") == []
    place = object_here(os.fsencode(git_dir), key)
    return Path(os.fsdecode(place)).read_bytes() if place else None


@given(data=contents, backend=st.sampled_from(sorted(BACKENDS)), partial=st.none() | contents)
def test_a_good_source_always_succeeds(data: bytes, backend: str, partial: bytes | None) -> None:
    with scratch() as folder:
        assert received(folder, key_of(data, backend), data, partial) == data


@given(data=contents, held=contents, backend=st.sampled_from(sorted(BACKENDS)), partial=st.none() | contents)
def test_a_source_that_holds_something_else_never_does(
    data: bytes, held: bytes, backend: str, partial: bytes | None
) -> None:
    with scratch() as folder:
        there = received(folder, key_of(data, backend), held, partial)
    assert there in (None, data)
    assert there == data or held != data


@given(data=contents.filter(bool), cut=st.data())
def test_a_beginning_that_is_right_or_wrong_ends_right(data: bytes, cut: st.DataObject) -> None:
    length = cut.draw(st.integers(min_value=0, max_value=len(data)))
    spoiled = cut.draw(st.booleans())
    partial = bytearray(data[:length])
    if spoiled and partial:
        partial[cut.draw(st.integers(min_value=0, max_value=len(partial) - 1))] ^= 0xFF
    with scratch() as folder:
        assert received(folder, key_of(data, "SHA256"), data, bytes(partial)) == data
