"""Ignored files: what the rules of git say, and what they do not say."""

import os
from pathlib import Path

import pytest

from engram.datasets.git.ignore import Ignore
from engram.datasets.git.path_patterns import PathPattern, read_rules
from engram.datasets.git.wildmatch import expression, matcher


def ignored(
    top: Path, path: str, *, is_dir: bool = False, excludes_file: Path | None = None, fold: bool = False
) -> bool:
    rules = Ignore.for_work_tree(
        os.fsencode(top),
        git_dir=os.fsencode(top / ".git"),
        excludes_file=os.fsencode(excludes_file) if excludes_file else None,
        ignore_case=fold,
    )
    *folders, name = os.fsencode(path).split(b"/")
    for folder in folders:
        rules = rules.enter(folder)
    return rules.ignores(name, is_dir=is_dir)


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("*.c", "a.c", True),
        ("*.c", "a/b.c", False),
        ("**/b", "b", True),
        ("**/b", "a/a/b", True),
        ("a/**", "a/b/c", True),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("a**b", "a/b", False),
        ("a/**\\/b", "a/b", False),
        ("?", "/", False),
        ("[^a]", "/", False),
        ("[]-a]", "]", True),
        ("[a-", "a", False),
        ("[[:digit:][:upper:]]", "A", True),
        ("[[:nonsense:]a]", "a", False),
        ("[[:]", ":", True),
        ("\\*", "*", True),
        ("\\*", "a", False),
        ("a\\", "a\\", False),
        ("*a*b*c", "xaxbxc", True),
        ("*a*b*c", "xaxbxcd", False),
        ("**/*a/**/b", "x/ya/z/b", True),
    ],
)
def test_wildcards_mean_what_they_mean_to_git(pattern: str, text: str, matches: bool) -> None:
    found = expression(pattern.encode(), pathname=True)
    test = matcher([found] if found is not None else [])
    assert (test is not None and test(text.encode()) is not None) == matches


def test_a_slash_at_the_end_asks_for_folders() -> None:
    pattern = PathPattern.parse(b"!a/b/")
    assert (pattern.negative, pattern.dir_only, pattern.by_name, pattern.exact) == (True, True, False, b"a/b")


@pytest.mark.parametrize("pattern", [b"a**/b", b"a**", b"d/a**/b", b"/a**/b"])
def test_how_patterns_begin_with_folders_within_a_name_is_asked_of_git(pattern: bytes) -> None:
    before, later = PathPattern.parse(pattern, starts_anew=lambda: True), PathPattern.parse(pattern)
    assert (before.expression == later.expression) == (pattern == b"a**")


@pytest.mark.parametrize("pattern", [b"**/b", b"a/**/b", b"a/b*c", b"a/*b**/c", b"!/x/**", b"a/b?"])
def test_nothing_is_asked_for_other_patterns(pattern: bytes) -> None:
    def asked() -> bool:
        raise AssertionError(pattern)

    PathPattern.parse(pattern, starts_anew=asked)


def test_without_rules_nothing_is_ignored(work: Path) -> None:
    assert not ignored(work, "a/b/c")


def test_the_last_rule_that_matches_counts(work: Path) -> None:
    (work / ".gitignore").write_text("*\n!*.py\nsetup.py\n")
    assert ignored(work, "a")
    assert not ignored(work, "a.py")
    assert ignored(work, "setup.py")


def test_a_deeper_file_counts_before_those_above(work: Path) -> None:
    (work / "a").mkdir()
    (work / ".gitignore").write_text("*.log\n")
    (work / "a/.gitignore").write_text("!b.log\n/c\n")
    assert not ignored(work, "a/b.log")
    assert ignored(work, "b.log")
    assert ignored(work, "a/c")
    assert not ignored(work, "c")
    assert not ignored(work, "a/x/c")


def test_nothing_below_an_ignored_folder_comes_back(work: Path) -> None:
    (work / "a/b").mkdir(parents=True)
    (work / ".gitignore").write_text("a/\n")
    (work / "a/.gitignore").write_text("!*\n")
    (work / "a/b/.gitignore").write_text("!*\n")
    assert ignored(work, "a", is_dir=True)
    assert not ignored(work, "a")
    assert ignored(work, "a/x")
    assert ignored(work, "a/b/x")
    assert ignored(work, "a/b", is_dir=True)


def test_the_repository_and_the_user_have_rules_too(work: Path, tmp_path: Path) -> None:
    (work / ".git/info/exclude").write_text("!b\na\n")
    (tmp_path / "user").write_text("b\nc\n")
    (work / ".gitignore").write_text("!a\n")
    found = [ignored(work, name, excludes_file=tmp_path / "user") for name in "abc"]
    assert found == [False, False, True]


def test_a_symbolic_link_holds_rules_only_outside_of_the_work_tree(work: Path, tmp_path: Path) -> None:
    (tmp_path / "rules").write_text("a\n")
    (work / ".gitignore").symlink_to(tmp_path / "rules")
    assert not ignored(work, "a")
    (tmp_path / "user").symlink_to("rules")
    assert ignored(work, "a", excludes_file=tmp_path / "user")


def test_what_is_no_file_holds_no_rules_and_stops_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("a\n")
    names = ["fifo", "loop", "folder", "absent", "file/absent"]
    assert [read_rules(os.fsencode(tmp_path / name), follow=True) for name in names] == [None] * 5


def test_rules_of_a_sparse_checkout_come_from_the_index(work: Path) -> None:
    recorded = {b".gitignore": b"a\n", b"sub/.gitignore": b"!a\n"}
    rules = Ignore.for_work_tree(
        os.fsencode(work), git_dir=os.fsencode(work / ".git"), excludes_file=None, recorded=recorded.get
    )
    assert rules.ignores(b"a", is_dir=False)
    assert not rules.enter(b"sub").ignores(b"a", is_dir=False)
    assert rules.enter(b"other").ignores(b"a", is_dir=False)


def test_case_counts_unless_the_repository_says_otherwise(work: Path) -> None:
    (work / ".gitignore").write_text("*.LOG\n/Build\n[a-c]x\n")
    for name in ("a.log", "build", "BX"):
        assert not ignored(work, name)
        assert ignored(work, name, fold=True)


def test_spaces_and_carriage_returns_at_the_end_are_no_part_of_a_rule(work: Path) -> None:
    (work / ".gitignore").write_bytes(b"\xef\xbb\xbfa  \r\nb\r\nc\\ \n#d\n\\#e\n")
    assert [ignored(work, name) for name in ("a", "b", "c ", "c", "d", "#d", "#e")] == [
        *(True, True, True, False, False, False, True)
    ]
