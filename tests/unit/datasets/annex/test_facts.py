"""What is said about an annexed file, in DataLad's fields."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from engram.datasets.annex.facts import annex_facts, human_size, key_size
from engram.datasets.annex.hashdirs import object_path, object_path_lower

KEY = b"SHA256E-s4096--0123.nii.gz"


@pytest.mark.parametrize(
    ("key", "size"),
    [
        (KEY, 4096),
        (b"URL--http://x-s5--y", None),
        (b"WORM-s0-m12--a", 0),
        (b"MD5E-sx--a", None),
        (b"SHA1-m3--s5", None),
    ],
)
def test_the_size_is_read_from_the_keys_own_fields(key: bytes, size: int | None) -> None:
    assert key_size(key) == size


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1536, "1.54 kB"), (10**15, "1 PB"), (10**21, "1000 EB")],
)
def test_sizes_are_spelled_as_git_annex_does(size_bytes: int, text: str) -> None:
    assert human_size(size_bytes) == text


def test_without_a_look_nothing_is_said_about_the_content(tmp_path: Path) -> None:
    facts = dict(annex_facts(KEY, os.fsencode(tmp_path), look=False))
    assert (facts["backend"], facts["keyname"], facts["humansize"]) == ("SHA256E", "0123.nii.gz", "4.1 kB")
    assert "has_content" not in facts
    assert str(facts["hashdirlower"]).endswith("/")


@pytest.mark.parametrize("place", [object_path, object_path_lower])
def test_content_is_found_in_either_layout(tmp_path: Path, place: Callable[[bytes], bytes]) -> None:
    git_dir = os.fsencode(tmp_path)
    assert dict(annex_facts(KEY, git_dir, look=True))["has_content"] is False
    there = os.path.join(git_dir, place(KEY))
    os.makedirs(os.path.dirname(there))
    Path(os.fsdecode(there)).touch()
    facts = dict(annex_facts(KEY, git_dir, look=True))
    assert (facts["has_content"], facts["objloc"]) == (True, os.fsdecode(there))
    assert "hashdirlower" not in facts
