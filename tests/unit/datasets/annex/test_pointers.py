"""Links and pointer files name the keys that git-annex reads in them."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from engram.datasets.annex.pointers import (
    MAX_POINTER_BYTES,
    key_in,
    link_of,
    pointer_of,
)

KEY = b"MD5E-s5--5d41402abc4b2a76b9719d911017c592.txt"
POINTER = b"/annex/objects/" + KEY


def padded(size_bytes: int) -> bytes:
    """A pointer with further lines, of exactly this size."""
    text = POINTER + b"\n" + (b"/annex/" + b"y" * 92 + b"\n") * ((size_bytes - 300) // 100)
    return text + b"/annex/" + b"z" * (size_bytes - len(text) - 8) + b"\n"


GOOD = {
    "plain": POINTER + b"\n",
    "without an end of line": POINTER,
    "with the end of line of Windows": POINTER + b"\r\n",
    "with something before": b"some/where" + POINTER + b"\n",
    "deeper": b"/annex/objects/a/b/" + KEY + b"\n",
    "with further lines": POINTER + b"\n/annex/x\n/annex/y\n",
    "with the mark inside a line": POINTER + b"\nsome /annex/ thing\n",
    "as large as can be": padded(MAX_POINTER_BYTES),
    "as a link": b"../.git/annex/objects/WM/pw/" + KEY + b"/" + KEY,
}
SPOILED = {
    "with a foreign line": POINTER + b"\nmore\n",
    "with an empty line": POINTER + b"\n\n",
    "with a last line that is not ended": POINTER + b"\n/annex/x",
    "too large": padded(MAX_POINTER_BYTES + 1),
}
CONTENT = {
    "nothing": b"",
    "not from the root": b"annex/objects/" + KEY + b"\n",
    "on the second line": b"\n" + POINTER + b"\n",
    "with backslashes": b"\\annex\\objects\\" + KEY + b"\n",
    "no key": b"/annex/objects/notes\n",
    "a key with letters for its size": b"/annex/objects/MD5-sx--a\n",
    "a key with too long an extension": b"/annex/objects/MD5E-s1--a." + b"x" * 64 + b"\n",
    "a key with a NUL": POINTER + b"\0\n",
    "a folder": POINTER + b"/\n",
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_a_key_is_read_from_a_pointer(text: bytes) -> None:
    assert key_in(text) == KEY


@pytest.mark.parametrize("text", SPOILED.values(), ids=SPOILED)
def test_a_pointer_with_something_appended_is_content(text: bytes) -> None:
    assert key_in(text[: MAX_POINTER_BYTES + 1]) is None


@pytest.mark.parametrize("text", CONTENT.values(), ids=CONTENT)
def test_anything_else_is_content(text: bytes) -> None:
    assert key_in(text) is None


def test_escapes_and_leading_zeros_are_undone() -> None:
    assert key_in(b"/annex/objects/URL--http&c%%x\n") == b"URL--http://x"
    assert key_in(b"/annex/objects/MD5-s01--a\n") == b"MD5-s1--a"


def test_a_link_climbs_to_the_top_of_the_work_tree() -> None:
    assert link_of(b"T1w.nii", b"SHA256E-s5--abc") == (b".git/annex/objects/WM/pw/SHA256E-s5--abc/SHA256E-s5--abc")
    assert link_of(b"a/b/T1w.nii", b"SHA256E-s5--abc").startswith(b"../../.git/")


def test_a_pointer_is_one_line() -> None:
    assert pointer_of(b"URL--http://x") == b"/annex/objects/URL--http&c%%x\n"


def test_git_annex_takes_the_same_files_for_pointers(annex: Path, git_annex: Path) -> None:
    for text in [*GOOD.values(), *SPOILED.values(), *CONTENT.values()]:
        if b"\0" in text:  # git-annex fails on it
            continue
        (annex / "file").write_bytes(text)
        command = [str(git_annex), "smudge", "--clean", "--", "file"]
        said = subprocess.run(command, cwd=annex, input=text, capture_output=True, check=True).stderr
        assert (b"is a git-annex pointer file" in said) == (key_in(text[: MAX_POINTER_BYTES + 1]) is not None), text[
            :200
        ]


def test_git_annex_reads_the_same_keys_from_links(annex: Path, ask: Callable[..., bytes]) -> None:
    targets = [text for text in [*GOOD.values(), *CONTENT.values()] if 0 < len(text) < 4000 and b"\0" not in text]
    for number, target in enumerate(targets):
        os.symlink(target, annex / f"{number:02}")
    subprocess.run(["git", "add", "."], cwd=annex, check=True)
    names = b"".join(b"%02d\n" % number for number in range(len(targets)))
    said = ask(annex, "lookupkey", "--batch", said=names).split(b"\n")[:-1]
    assert said == [key_in(target) or b"" for target in targets]
