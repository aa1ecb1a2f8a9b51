"""Laws of objects: printed and read back they are the same, wherever they are stored."""

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engram.datasets.git.deflate import deflate
from engram.datasets.git.delta import apply_delta
from engram.datasets.git.objects import (
    KINDS,
    Commit,
    decode_commit,
    decode_tree,
    encode_commit,
    encode_tree,
    object_id,
)
from engram.datasets.git.odb import ObjectStore
from engram.datasets.git.pack import PackWriter, write_loose
from engram.durable import Steps

oids = st.binary(min_size=20, max_size=20)
names = st.binary(min_size=1, max_size=20).filter(
    lambda name: not set(name) & set(b"/\0") and name not in {b".", b"..", b".git"}
)
modes = st.sampled_from([0o100644, 0o100755, 0o120000, 0o160000, 0o040000, 0o100664])
words = st.text(st.characters(exclude_characters="\n\0<>", codec="utf-8"), max_size=10)
people = st.tuples(words, words, st.integers(0, 2**40)).map(lambda who: "{} <{}> {} +0130".format(*who).encode())
header_values = st.binary(max_size=30).filter(lambda value: b"\n\n" not in b"\n" + value + b"\n")


@given(st.dictionaries(names, st.tuples(modes, oids)))
def test_an_encoded_tree_reads_back_in_order(entries: dict[bytes, tuple[int, bytes]]) -> None:
    lines = [(mode, name, oid) for name, (mode, oid) in entries.items()]
    read = decode_tree(encode_tree(lines))
    assert sorted(read) == sorted(lines)
    assert encode_tree(read) == encode_tree(reversed(read))


@given(
    st.builds(
        Commit,
        tree=oids,
        parents=st.lists(oids, max_size=3).map(tuple),
        author=people,
        committer=people,
        message=st.binary(max_size=50),
        headers=st.lists(st.tuples(st.sampled_from([b"gpgsig", b"encoding"]), header_values), max_size=2).map(tuple),
    )
)
def test_an_encoded_commit_reads_back_as_itself(commit: Commit) -> None:
    assert decode_commit(encode_commit(commit)) == commit


@given(st.binary(max_size=100) | st.binary(max_size=20).map(lambda data: data * 997))
def test_a_deflated_stream_inflates_to_itself(data: bytes) -> None:
    assert zlib.decompress(deflate(data)) == data


@given(st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.binary(max_size=60)), min_size=1, max_size=20))
@settings(deadline=None)
def test_what_was_stored_is_read(tmp_path_factory: pytest.TempPathFactory, objects: list[tuple[bytes, bytes]]) -> None:
    for packed in (False, True):
        folder = bytes(tmp_path_factory.mktemp("objects"))
        if packed:
            with PackWriter(Steps(), folder, held_bytes=100) as pack:
                for kind, data in objects:
                    pack.add(kind, data)
                pack.finish()
        else:
            write_loose(Steps(), folder, objects)
        store = ObjectStore(folder)
        for kind, data in objects:
            assert store.read(object_id(kind, data), verify=True) == (kind, data)


def number(value: int) -> bytes:
    """A size as deltas have it."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(0x80 | value & 0x7F)
        value >>= 7
    return bytes([*encoded, value])


@given(st.binary(min_size=1, max_size=300), st.data())
def test_a_delta_copies_and_inserts(base: bytes, data: st.DataObject) -> None:
    delta, expected = b"", b""
    for _ in range(data.draw(st.integers(0, 5))):
        if data.draw(st.booleans()):
            start = data.draw(st.integers(0, len(base) - 1))
            size = data.draw(st.integers(1, len(base) - start))
            delta += bytes([0x80 | 0b0110011]) + start.to_bytes(2, "little") + size.to_bytes(2, "little")
            expected += base[start : start + size]
        else:
            new = data.draw(st.binary(min_size=1, max_size=127))
            delta += bytes([len(new)]) + new
            expected += new
    whole = number(len(base)) + number(len(expected)) + delta
    assert apply_delta(base, whole, "pack", 1 << 20) == expected
