"""Laws of keys, their names on disk, and the links and pointers that name them."""

import posixpath
import re
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from engram.datasets.annex.backends import NATIVE, backend_of, digest_of, extension_of, key_for
from engram.datasets.annex.hashdirs import file_name_of, hashdir_lower, hashdir_mixed, key_of, object_path
from engram.datasets.annex.pointers import MAX_POINTER_BYTES, key_in, link_of, pointer_of
from engram.model import keys as model_keys
from engram.model.keys import Key, normal_form

parts = st.binary(max_size=6) | st.sampled_from([b"nii", b"gz", b"tar", b"abcde", b"\xc3\xa4", b"a b", b""])
names = st.lists(parts, min_size=1, max_size=5).map(b".".join).map(lambda name: name.replace(b"/", b""))
paths = st.lists(st.sampled_from([b"sub-01", b"anat", b"a b", b"\xff"]), min_size=1, max_size=4).map(b"/".join)
digests = st.text("0123456789abcdef", min_size=1, max_size=64)
made = st.builds(key_for, st.sampled_from(sorted(NATIVE)), st.integers(0, 1 << 62), digests, names)
foreign = st.builds(
    lambda backend, size, name: backend + size + b"--" + name,
    st.sampled_from([b"URL", b"WORM", b"VURL", b"XOWN", b"sha"]),
    st.sampled_from([b"", b"-s5", b"-s5-m17"]),
    st.binary(max_size=40).map(lambda name: bytes(set(name) - set(b"\0\r\n"))),
)
keys = made | foreign


@given(st.binary(max_size=60))
def test_a_key_reads_back_from_the_name_of_its_file(key: bytes) -> None:
    assert key_of(file_name_of(key)) == key
    assert b"/" not in file_name_of(key)
    assert b":" not in file_name_of(key)


@given(keys)
def test_a_key_lies_four_folders_deep_under_its_own_name(key: bytes) -> None:
    folder, name = posixpath.split(object_path(key))
    assert posixpath.basename(folder) == name == file_name_of(key)
    assert posixpath.dirname(folder) == b"annex/objects/" + hashdir_mixed(key)
    assert len(hashdir_mixed(key)) == 5
    assert len(hashdir_lower(key)) == 7


@given(keys, paths)
def test_a_key_reads_back_from_its_link_and_from_its_pointer(key: bytes, path: bytes) -> None:
    assert key_in(pointer_of(key)) == key
    assert key_in(link_of(path, key)) == key
    assert posixpath.normpath(posixpath.join(posixpath.dirname(path), link_of(path, key))) == posixpath.normpath(
        b".git/" + object_path(key)
    )


@given(st.from_regex(model_keys._PLAIN, fullmatch=True))
def test_a_key_that_is_plain_at_a_glance_is_so_by_all_rules(key: bytes) -> None:
    with patch.object(model_keys, "_PLAIN", re.compile(b"(?!)")):
        assert normal_form(key) == key


@given(keys, st.binary(min_size=1, max_size=20))
def test_a_pointer_with_anything_appended_is_read_only_if_every_line_is_marked(key: bytes, more: bytes) -> None:
    text = pointer_of(key) + more
    marked = more.endswith(b"\n") and all(b"/annex/" in line for line in more[:-1].split(b"\n"))
    assert key_in(text) == (key if marked else None)


@given(st.binary(max_size=200))
def test_anything_can_be_asked_whether_it_is_a_pointer(text: bytes) -> None:
    key = key_in(b"/annex/objects/" + text)
    assert key is None or normal_form(key) == key
    assert key_in(b"/annex/objects/" + text + b"/annex/\n" * MAX_POINTER_BYTES) is None


@given(keys)
def test_a_printed_key_reads_back_as_itself(key: bytes) -> None:
    assert normal_form(key) == key
    assert bytes(Key.parse(key.decode(errors="surrogateescape"))) == key


@given(st.sampled_from(sorted(NATIVE)), st.integers(0, 1 << 62), digests, names)
def test_a_key_tells_what_it_was_made_from(backend: str, size_bytes: int, digest: str, name: bytes) -> None:
    key = key_for(backend, size_bytes, digest, name)
    parsed = Key.parse(key.decode(errors="surrogateescape"))
    assert (backend_of(key), digest_of(key), parsed.size_bytes) == (backend, digest, size_bytes)
    assert key.endswith(digest.encode() + (extension_of(name) if backend.endswith("E") else b""))


@given(names, st.integers(0, 8), st.integers(0, 4))
def test_an_extension_keeps_its_limits(name: bytes, longest: int, most: int) -> None:
    extension = extension_of(name, longest, most)
    first, *kept = extension.split(b".")
    assert first == b""
    assert len(kept) <= most
    assert all(0 < len(part) <= longest for part in kept)


@given(names)
def test_a_folder_changes_no_extension(name: bytes) -> None:
    assert extension_of(b"some.folder/" + name) == extension_of(name)
