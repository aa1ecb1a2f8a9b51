"""A configuration file changed in one place is what git itself reads there, and the rest stays as it is."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.datasets.git.config_file import parse_config
from engram.datasets.git.config_write import header, with_values

_VALUES = st.text(st.characters(blacklist_characters="\0\r", blacklist_categories=["Cs"])).map(str.encode)


def read(text: bytes) -> list[tuple[str, str | None]]:
    return list(parse_config(text, "config"))


@given(value=_VALUES, name=st.text("abc\"\\ .'#;", min_size=1).map(str.encode))
def test_what_was_set_reads_back(value: bytes, name: bytes) -> None:
    text = with_values(b"[core]\n\tbare = false\n", header(b"remote", name), {b"url": value})
    assert read(text) == [("core.bare", "false"), (f"remote.{name.decode()}.url", value.decode())]


@pytest.mark.parametrize("value", ["plain", " spaces ", 'quo"te', "back\\slash", "semi;colon#", "tab\tnew\nline", "ü"])
def test_git_reads_the_same(tmp_path: Path, value: str) -> None:
    config = tmp_path / "config"
    config.write_bytes(with_values(b"", header(b"a", b"b c"), {b"x": value.encode()}))
    words = ["git", "config", "-z", "--file", str(config), "a.b c.x"]
    assert subprocess.run(words, capture_output=True, check=True).stdout == value.encode() + b"\0"


def test_a_value_that_is_there_is_replaced_and_new_ones_follow_in_its_section() -> None:
    before = b'[core]\n\tbare = false\n[remote "a"]\n\turl = old\n\tfetch = x\n[branch "m"]\n\tremote = a\n'
    lines = b"\turl = new\n\tfetch = x\n\tannex-uuid = u\n"
    after = with_values(before, header(b"remote", b"a"), {b"url": b"new", b"annex-uuid": b"u"})
    assert after == b'[core]\n\tbare = false\n[remote "a"]\n' + lines + b'[branch "m"]\n\tremote = a\n'


def test_a_section_that_is_missing_comes_last_even_behind_an_unfinished_line() -> None:
    assert with_values(b"[a]\n\tx = 1", header(b"annex"), {b"uuid": b"u"}) == b"[a]\n\tx = 1\n[annex]\n\tuuid = u\n"
