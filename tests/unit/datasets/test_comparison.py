"""Whether a content changed: decided without a filter, or left open."""

import hashlib
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from engram.datasets.comparison import Comparison, Verdict, blob_id_of
from engram.datasets.git.index import GitIndex
from engram.datasets.git.odb import ObjectStore
from engram.model.errors import Unreadable

CONTENT = b"spikes\n"
KEY = f"SHA256E-s{len(CONTENT)}--{hashlib.sha256(CONTENT).hexdigest()}.dat"


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / "plain").write_bytes(CONTENT)
    (tmp_path / "unlocked.dat").write_text(f"/annex/objects/{KEY}\n")
    (tmp_path / "unknown.dat").write_text("/annex/objects/WORM-s7-m1--x\n")
    (tmp_path / "link").symlink_to("plain")
    git(tmp_path, "add", "-A")
    return tmp_path


def verdict(work: Path, name: str, *, filtered: bool = False, file_mode: bool = True) -> Verdict:
    def attributes(path: bytes, names: tuple[bytes, ...]) -> Mapping[bytes, bytes | bool | None]:
        return {name: b"foreign" if filtered and name == b"filter" else None for name in names}

    index = GitIndex.read(os.fsencode(work / ".git" / "index"))
    objects = ObjectStore(os.fsencode(work / ".git" / "objects"))
    comparison = Comparison(os.fsencode(work), index, objects, attributes, file_mode=file_mode)
    position = index.find(os.fsencode(name))
    assert position is not None
    return comparison.verdict(position, os.lstat(work / name))


def test_the_same_bytes_are_the_same_whenever_they_were_written(work: Path) -> None:
    (work / "plain").unlink()
    (work / "plain").write_bytes(CONTENT)
    assert verdict(work, "plain") is Verdict.SAME


def test_other_bytes_of_the_same_length_are_different(work: Path) -> None:
    (work / "plain").write_bytes(CONTENT.upper())
    assert verdict(work, "plain") is Verdict.DIFFERENT


def test_the_executable_bit_counts_where_it_is_trusted(work: Path) -> None:
    (work / "plain").chmod(0o755)
    assert verdict(work, "plain") is Verdict.DIFFERENT
    assert verdict(work, "plain", file_mode=False) is Verdict.SAME


def test_an_unlocked_file_is_what_its_key_says(work: Path) -> None:
    assert verdict(work, "unlocked.dat") is Verdict.SAME
    (work / "unlocked.dat").write_bytes(CONTENT)
    assert verdict(work, "unlocked.dat") is Verdict.SAME
    (work / "unlocked.dat").write_bytes(CONTENT + b"more")
    assert verdict(work, "unlocked.dat") is Verdict.DIFFERENT


def test_a_key_that_names_no_content_leaves_it_open(work: Path) -> None:
    (work / "unknown.dat").write_bytes(CONTENT)
    assert verdict(work, "unknown.dat") is Verdict.UNDECIDED


def test_only_a_foreign_filter_could_tell_and_it_is_not_asked(work: Path) -> None:
    (work / "plain").write_bytes(b"other")
    assert verdict(work, "plain", filtered=True) is Verdict.UNDECIDED
    (work / "plain").write_bytes(CONTENT)
    assert verdict(work, "plain", filtered=True) is Verdict.SAME


def test_a_link_is_its_target_and_a_file_is_no_link(work: Path) -> None:
    assert verdict(work, "link") is Verdict.SAME
    (work / "link").unlink()
    (work / "link").symlink_to("elsewhere")
    assert verdict(work, "link") is Verdict.DIFFERENT
    (work / "link").unlink()
    (work / "link").write_text("plain")
    assert verdict(work, "link") is Verdict.DIFFERENT


@pytest.mark.parametrize("content", [b"", b"x", b"\0" * 3_000_000])
def test_the_id_of_a_file_is_the_one_that_git_gives(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f").write_bytes(content)
    assert blob_id_of(os.fsencode(tmp_path / "f")).hex() == git(tmp_path, "hash-object", "f")


def test_what_vanished_is_said_to_be_unreadable(tmp_path: Path) -> None:
    with pytest.raises(Unreadable):
        blob_id_of(os.fsencode(tmp_path / "none"))
