"""Keys lie where git-annex looks for them."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from engram.datasets.annex.hashdirs import (
    file_name_of,
    hashdir_lower,
    hashdir_mixed,
    key_of,
    log_path,
    object_path,
    object_path_lower,
)


@pytest.mark.parametrize(
    ("key", "mixed", "lower"),
    [
        (b"SHA256E-s0--", b"J3/7Q", b"c36/d1f"),
        (b"SHA256E-s5--abc", b"WM/pw", b"1a1/74f"),
        (b"A/B-s1--y", b"5f/wX", b"548/1c7"),
        (b"SHA256E-s1--a/b&%:c", b"WJ/4j", b"17c/f12"),
    ],
)
def test_hash_folders_are_those_of_git_annex(key: bytes, mixed: bytes, lower: bytes) -> None:
    assert hashdir_mixed(key) == mixed
    assert hashdir_lower(key) == lower


def test_a_key_with_odd_characters_gets_a_file_name_that_reads_back() -> None:
    assert file_name_of(b"SHA256E-s1--a/b&%:c") == b"SHA256E-s1--a%b&a&s&cc"
    assert key_of(b"SHA256E-s1--a%b&a&s&cc") == b"SHA256E-s1--a/b&%:c"


def test_an_object_lies_in_a_folder_of_its_own_name() -> None:
    assert object_path(b"URL--http://x") == b"annex/objects/8Z/pM/URL--http&c%%x/URL--http&c%%x"
    assert object_path_lower(b"URL--http://x") == b"annex/objects/35a/24d/URL--http&c%%x/URL--http&c%%x"


def test_a_log_on_the_branch_is_named_after_its_key() -> None:
    assert log_path(b"SHA256E-s5--abc") == b"1a1/74f/SHA256E-s5--abc.log"
    assert log_path(b"SHA256E-s5--abc", b".log.web") == b"1a1/74f/SHA256E-s5--abc.log.web"


def test_random_keys_lie_where_git_annex_puts_them(annex: Path, ask: Callable[..., bytes]) -> None:
    chance = random.Random(1)
    names = [bytes(chance.choices(b"abcXYZ019&%:/.+_-\xc3\xa4", k=chance.randint(1, 40))) for _ in range(500)]
    keys = [b"MD5-s%d--" % chance.randrange(10**9) + name for name in names]
    form = "${objectpath}\\n${hashdirlower}\\n"
    said = ask(annex, "examinekey", "--batch", f"--format={form}", said=b"\n".join(keys) + b"\n")
    ours = b"".join(b".git/" + object_path(key) + b"\n" + hashdir_lower(key) + b"/\n" for key in keys)
    assert said == ours
