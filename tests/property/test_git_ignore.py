"""What is ignored, as git says."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engram.datasets.git.ignore import Ignore
from engram.datasets.git.wildmatch import expression
from tests.property.git_here import starts_anew

FOLDERS = [b"", b"a/", b"a/b/", b"a/b/c/", b"A/", b"B/a/", b"a b/"]
NAMES = [b"a", b"b", b"A", b"ab", b"a b", b"a.c", b".x", b"a]", b"[", b"-", b"a\\", b"a ", b"!b", b"#c", b"\xc3\xa9"]
PATHS = sorted({folder + name for folder in FOLDERS for name in [*NAMES, b"a\nb", b"*", b"\xff"]})

pieces = st.sampled_from(
    b"a b c A B . * ** / / ? [ ] ! ^ - \\ [a-c] [!a] [^/] [[:alpha:]] [[:upper:]] [: :] # **/ /** a/**/b [ab]-a] *.c"
    b" a/b [[:space:]x] [[:foo:]] [[:]] [A-B] [b-a] [\\]] \\* \xc3\xa9 \xff".split(b" ")
) | st.sampled_from([b" ", b"\\ ", b"\t", b"\r"])
patterns = st.builds(
    lambda negation, inside, end: negation + b"".join(inside) + end,
    st.sampled_from([b"", b"", b"", b"!"]),
    st.lists(pieces, min_size=1, max_size=6),
    st.sampled_from([b"", b"", b"", b"/", b" ", b"\r"]),
)
lines = patterns | st.binary(max_size=6).filter(lambda line: b"\0" not in line)
files = st.builds(
    lambda mark, found, end: mark + b"\n".join(found) + end,
    st.sampled_from([b"", b"", b"", b"\xef\xbb\xbf"]),
    st.lists(lines, max_size=5),
    st.sampled_from([b"", b"\n", b"\r\n"]),
)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work tree with the folders above, and a file for the user's own rules."""
    top = tmp_path_factory.mktemp("ignore")
    subprocess.run(["git", "init", "-q", top], check=True)
    subprocess.run(["git", "-C", top, "config", "core.excludesFile", top / ".git/user"], check=True)
    for folder in FOLDERS:
        (top / os.fsdecode(folder)).mkdir(parents=True, exist_ok=True)
    return top


def write(top: Path, rules: Mapping[bytes, bytes], exclude: bytes, user: bytes) -> None:
    for folder in FOLDERS:
        file = top / os.fsdecode(folder) / ".gitignore"
        if folder in rules:
            file.write_bytes(rules[folder])
        else:
            file.unlink(missing_ok=True)
    (top / ".git/info/exclude").write_bytes(exclude)
    (top / ".git/user").write_bytes(user)


def as_git_says(top: Path, fold: bool) -> dict[bytes, bool]:
    said = subprocess.run(
        ["git", "-c", f"core.ignoreCase={fold}", "check-ignore", "-vnz", "--stdin", "--no-index"],
        cwd=top,
        input=b"".join(path + b"\0" for path in PATHS),
        stdout=subprocess.PIPE,
        check=False,  # 1 when nothing is ignored
    ).stdout.split(b"\0")
    return {
        path: bool(source) and not pattern.startswith(b"!")
        for source, pattern, path in zip(said[:-1:4], said[2::4], said[3::4], strict=True)
    }


def as_we_say(top: Path, fold: bool) -> dict[bytes, bool]:
    ignore = Ignore.for_work_tree(
        os.fsencode(top),
        git_dir=os.fsencode(top / ".git"),
        excludes_file=os.fsencode(top / ".git/user"),
        ignore_case=fold,
        starts_anew=starts_anew,
    )
    found = {}
    for path in PATHS:
        *folders, name = path.split(b"/")
        rules = ignore
        for folder in folders:
            rules = rules.enter(folder)
        found[path] = rules.ignores(name, is_dir=(top / os.fsdecode(path)).is_dir())
    return found


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(FOLDERS), files, max_size=3), files, files, st.booleans())
@example({b"": b"a**/b\n"}, b"", b"", False)
@example({b"": b"A**/B\n"}, b"", b"a/A**", True)
@example({b"": b"*\n!*/\n!*.c", b"a/": b"!a"}, b"*", b"!b", False)
@example({b"a/": b"/a\n/b/\nb/c"}, b"\xef\xbb\xbfA", b"", True)
def test_what_is_ignored_is_what_git_ignores(
    work: Path, rules: Mapping[bytes, bytes], exclude: bytes, user: bytes, fold: bool
) -> None:
    write(work, rules, exclude, user)
    assert as_we_say(work, fold) == as_git_says(work, fold)


@given(st.binary(max_size=12).map(lambda pattern: pattern.replace(b"\0", b"*")), st.booleans(), st.booleans())
def test_every_pattern_is_a_regular_expression_or_none(pattern: bytes, pathname: bool, fold: bool) -> None:
    found = expression(pattern, pathname=pathname, fold=fold)
    assert found is None or re.compile(found, re.DOTALL).groups == 0


@given(st.binary(max_size=12).map(lambda text: text.replace(b"\0", b"/")), st.booleans())
def test_an_escaped_text_matches_itself_alone(text: bytes, pathname: bool) -> None:
    found = expression(b"".join(b"\\%c" % byte for byte in text), pathname=pathname)
    assert found is not None
    assert re.fullmatch(found, text, re.DOTALL)
    assert not re.fullmatch(found, text + b"x", re.DOTALL)
