"""What attributes a path has, as git says."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engram.datasets.git.attribute_lines import Value, parse_lines
from engram.datasets.git.attributes import Attributes
from tests.property.git_here import starts_anew

FOLDERS = [b"", b"a/", b"a/b/", b"A/", b"B/a/", b"a b/"]
FILES = [b"a", b"b", b"A", b"ab", b"a b", b"a.c", b"a]", b"\t", b"a\\", b"!b", b"\xc3\xa9", b"a\nb", b'"a"', b"#"]
PATHS = [folder + name for folder in FOLDERS for name in FILES]
ATTRIBUTES = (b"x", b"annex.backend", b"m", b"n", b"text", b"diff", b"binary", b"merge")

names = st.sampled_from([*ATTRIBUTES, *ATTRIBUTES, b"", b"-", b"x/y", b"\xc3\xa9"])
states = st.builds(
    lambda sign, name, value: sign + name + value,
    st.sampled_from([b"", b"", b"", b"-", b"!"]),
    names,
    st.sampled_from([b"", b"", b"=v", b"=a=b", b"="]),
)
pieces = st.sampled_from(
    rb'a b c A . * ** / / ? [a-c] [!a] [[:upper:]] \ " **/ /** \t \" \101 *.c a/b ! # [attr]'.split(b" ")
) | st.sampled_from([b" ", b"\xc3\xa9"])
patterns = st.lists(pieces, min_size=1, max_size=5).map(b"".join)
subjects = (
    patterns
    | patterns.map(lambda pattern: b'"' + pattern + b'"')
    | st.sampled_from([b"[attr]m", b"[attr]n", b"[attr]binary", b"[attr]", b"[attr] m", b"[attr]-m", b'"[attr]m n"'])
)
lines = st.builds(
    lambda start, subject, space, said: start + subject + space + space.join(said),
    st.sampled_from([b"", b"", b" ", b"\t"]),
    subjects,
    st.sampled_from([b" ", b"\t", b"  ", b" \r", b"\f"]),
    st.lists(states, max_size=4),
) | st.integers(2030, 2050).map(lambda length: b"* x=%s" % (b"y" * (length - 4)))
files = st.builds(
    lambda mark, found, end: mark + end.join(found) + end,
    st.sampled_from([b"", b"", b"", b"\xef\xbb\xbf"]),
    st.lists(lines, max_size=5),
    st.sampled_from([b"\n", b"\r\n"]),
)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work tree with the folders above, and a file for the user's own attributes."""
    top = tmp_path_factory.mktemp("attributes")
    subprocess.run(["git", "init", "-q", top], check=True)
    subprocess.run(["git", "-C", top, "config", "core.attributesFile", top / ".git/user"], check=True)
    for folder in FOLDERS:
        (top / os.fsdecode(folder)).mkdir(parents=True, exist_ok=True)
    return top


def write(top: Path, rules: Mapping[bytes, bytes], info: bytes, user: bytes) -> None:
    for folder in FOLDERS:
        file = top / os.fsdecode(folder) / ".gitattributes"
        if folder in rules:
            file.write_bytes(rules[folder])
        else:
            file.unlink(missing_ok=True)
    (top / ".git/info/attributes").write_bytes(info)
    (top / ".git/user").write_bytes(user)


def as_git_says(top: Path, fold: bool) -> dict[bytes, dict[bytes, Value]]:
    said = subprocess.run(
        ["git", "-c", f"core.ignoreCase={fold}", "check-attr", "-z", "--stdin", *ATTRIBUTES],
        cwd=top,
        input=b"".join(path + b"\0" for path in PATHS),
        capture_output=True,
        check=True,
    ).stdout.split(b"\0")
    words: dict[bytes, Value] = {b"unspecified": None, b"set": True, b"unset": False}
    found: dict[bytes, dict[bytes, Value]] = {}
    for path, name, value in zip(said[:-1:3], said[1::3], said[2::3], strict=True):
        found.setdefault(path, {})[name] = words.get(value, value)
    return found


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(FOLDERS), files, max_size=3), files, files, st.booleans())
@example({b"": b"[attr]m n=1 x\n* m\na -m", b"a/": b"[attr]m n=2\n* m"}, b"", b"[attr]m n=3\n* binary", False)
@example({b"": b"a**/b x\n"}, b"", b"", False)
@example({b"": b"* annex.backend=MD5E\n**/.git* x=nothing\n"}, b"a/**/b !annex.backend", b"", False)
def test_attributes_are_those_that_git_finds(
    work: Path, rules: Mapping[bytes, bytes], info: bytes, user: bytes, fold: bool
) -> None:
    write(work, rules, info, user)
    attributes = Attributes.for_work_tree(
        os.fsencode(work),
        git_dir=os.fsencode(work / ".git"),
        attributes_file=os.fsencode(work / ".git/user"),
        ignore_case=fold,
        starts_anew=starts_anew,
    )
    expected = as_git_says(work, fold)
    assert {path: attributes.of(path, ATTRIBUTES) for path in PATHS} == expected
    for name in ATTRIBUTES:  # asked for alone, only the rules that concern it are looked at
        assert [attributes.of(path, (name,))[name] for path in PATHS] == [expected[path][name] for path in PATHS]


@given(st.binary(max_size=60) | files, st.booleans(), st.booleans())
def test_no_file_of_attributes_is_an_error(data: bytes, macros: bool, fold: bool) -> None:
    for line in parse_lines(data, macros=macros, fold=fold):
        assert (line.pattern is None) == bool(line.macro)
