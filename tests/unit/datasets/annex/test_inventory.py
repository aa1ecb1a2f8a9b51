"""What lies in an object store, and the numbered lists."""

import fcntl
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.datasets.annex.hashdirs import object_path, object_path_lower
from engram.datasets.annex.inventory import (
    LISTS,
    Numbered,
    encode_list,
    half_way,
    is_content,
    list_file,
    read_list,
    set_aside,
    stored_keys,
)
from engram.model.keys import normal_form

KEY = b"SHA256E-s5--2cf24dba.bin"
URL = b"URL--http://x.org/a b"


def put(git_dir: Path, relative: bytes, content: bytes = b"12345") -> Path:
    place = git_dir / os.fsdecode(relative)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return place


def test_contents_are_found_in_either_layout(tmp_path: Path) -> None:
    put(tmp_path, object_path(KEY))
    put(tmp_path, object_path_lower(URL))
    found = {stored.key: stored for stored in stored_keys(os.fsencode(tmp_path))}
    assert set(found) == {KEY, URL}
    assert all(is_content(stored.place) for stored in found.values())


def test_what_is_no_key_or_was_excluded_is_passed_over(tmp_path: Path) -> None:
    put(tmp_path, object_path(KEY))
    put(tmp_path, b"annex/objects/aa/bb/no key/no key")
    put(tmp_path, b"annex/objects/stray")
    assert [stored.key for stored in stored_keys(os.fsencode(tmp_path))] == [KEY]
    assert list(stored_keys(os.fsencode(tmp_path), but={KEY})) == []


def test_an_annex_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    git_dir = os.fsencode(tmp_path)
    assert list(stored_keys(git_dir)) == []
    assert set_aside(git_dir) == half_way(git_dir) == {}


def test_links_and_folders_are_no_contents(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert not is_content(os.fsencode(tmp_path / "link"))
    assert not is_content(os.fsencode(tmp_path))
    (tmp_path / "annex/bad").mkdir(parents=True)
    (tmp_path / "annex/bad" / os.fsdecode(KEY)).symlink_to("/etc/passwd")
    assert set_aside(os.fsencode(tmp_path)) == {}


@pytest.mark.parametrize("direction", ["download", "upload"])
def test_what_is_on_its_way_is_not_told_as_half_way(tmp_path: Path, direction: str) -> None:
    put(tmp_path, b"annex/tmp/" + KEY)
    lock = put(tmp_path, b"annex/transfer/%b/uuid/lck.%b" % (direction.encode(), KEY))
    assert list(half_way(os.fsencode(tmp_path))) == [KEY]
    child = os.fork()
    if child == 0:
        with lock.open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            reader = os.fork()
            if reader == 0:
                os._exit(len(half_way(os.fsencode(tmp_path))))
            _, status = os.waitpid(reader, 0)
            os._exit(10 + os.waitstatus_to_exitcode(status))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 10


keys = (
    st.binary(min_size=1, max_size=20)
    .map(lambda name: b"SHA256E-s5--" + name)
    .filter(lambda key: normal_form(key) == key and b"\n" not in key)
)
times = st.from_regex(rb"[0-9]{1,12}(\.[0-9]{1,12})?s", fullmatch=True)


@given(st.dictionaries(st.integers(1, 10**6), st.builds(Numbered, keys, times), max_size=5), st.sampled_from([*LISTS]))
def test_a_list_reads_back_as_it_was_written(lines: dict[int, Numbered], kind: str) -> None:
    from engram.testing.places import scratch

    with scratch() as folder:
        (folder / "annex").mkdir()
        Path(list_file(str(folder), kind)).write_bytes(encode_list(lines))
        assert read_list(str(folder), kind) == lines


def test_lines_of_older_git_annex_and_damaged_ones_are_read_as_far_as_they_go(tmp_path: Path) -> None:
    (tmp_path / "annex").mkdir()
    (tmp_path / "annex/unused").write_bytes(
        b"1 %b\nx y\n\n2 nokey 5s\n99999999999999999999999 %b 5s\n3 %b 5s" % ((KEY,) * 3)
    )
    assert read_list(str(tmp_path), "unused") == {1: Numbered(KEY, b""), 3: Numbered(KEY, b"5s")}
    assert read_list(str(tmp_path), "bad") == {}
