"""Attributes: which rule counts, and which lines are none."""

import os
from pathlib import Path

import pytest

from engram.datasets.git.attribute_lines import parse_lines
from engram.datasets.git.attributes import Attributes


def attributes_of(work: Path, **files: Path) -> Attributes:
    given = {name: os.fsencode(path) for name, path in files.items()}
    return Attributes.for_work_tree(
        os.fsencode(work),
        git_dir=os.fsencode(work / ".git"),
        attributes_file=given.get("user"),
        system_file=given.get("system"),
    )


def test_without_rules_everything_is_unspecified(work: Path) -> None:
    assert attributes_of(work).of(b"a/b", (b"text", b"x")) == {b"text": None, b"x": None}


def test_an_attribute_is_set_unset_given_a_value_or_taken_back(work: Path) -> None:
    (work / ".gitattributes").write_text("* a b c=1 d\n*.dat -b c=2 !d\n")
    found = attributes_of(work).of(b"x.dat", (b"a", b"b", b"c", b"d"))
    assert found == {b"a": True, b"b": False, b"c": b"2", b"d": None}


def test_the_nearest_file_counts_first_and_the_repository_before_all(work: Path, tmp_path: Path) -> None:
    (work / "a").mkdir()
    (tmp_path / "system").write_text("* v=system w=system x=system y=system z=system\n")
    (tmp_path / "user").write_text("* w=user x=user y=user z=user\n")
    (work / ".gitattributes").write_text("* x=top y=top z=top\n")
    (work / "a/.gitattributes").write_text("* y=folder z=folder\n")
    (work / ".git/info/attributes").write_text("* z=info\n")
    attributes = attributes_of(work, user=tmp_path / "user", system=tmp_path / "system")
    found = attributes.of(b"a/b", (b"v", b"w", b"x", b"y", b"z"))
    assert list(found.values()) == [b"system", b"user", b"top", b"folder", b"info"]


def test_a_rule_holds_from_the_folder_of_its_file_downwards(work: Path) -> None:
    (work / "a/b").mkdir(parents=True)
    (work / "a/.gitattributes").write_text("b/c x\n/d y\n*/e z\n")
    attributes = attributes_of(work)
    names = (b"x", b"y", b"z")
    assert attributes.of(b"a/b/c", names) == {b"x": True, b"y": None, b"z": None}
    assert attributes.of(b"a/d", names)[b"y"] is True
    assert attributes.of(b"a/b/d", names)[b"y"] is None
    assert attributes.of(b"a/b/e", names)[b"z"] is True
    assert attributes.of(b"b/c", names)[b"x"] is None


def test_a_macro_speaks_where_it_is_set(work: Path) -> None:
    (work / ".gitattributes").write_text("[attr]image -text kind=image\n*.png image\na.png text\n*.bin binary\n")
    attributes = attributes_of(work)
    names = (b"image", b"text", b"kind")
    assert attributes.of(b"b.png", names) == {b"image": True, b"text": False, b"kind": b"image"}
    assert attributes.of(b"a.png", names) == {b"image": True, b"text": True, b"kind": b"image"}
    assert attributes.of(b"c.bin", (b"diff", b"text")) == {b"diff": False, b"text": False}


def test_macros_that_call_each_other_come_to_an_end(work: Path) -> None:
    lines = [f"[attr]m{i} m{(i + 1) % 3000} x{i}\n" for i in range(3000)]
    (work / ".gitattributes").write_text("".join(lines) + "* m0\n")
    assert attributes_of(work).of(b"a", (b"x2999",)) == {b"x2999": True}


def test_macros_are_defined_at_the_top_only(work: Path) -> None:
    (work / "a").mkdir()
    (work / "a/.gitattributes").write_text("[attr]m x\n* m\n")
    assert attributes_of(work).of(b"a/b", (b"m", b"x")) == {b"m": True, b"x": None}


def test_folders_and_negative_patterns_are_about_no_file(work: Path) -> None:
    (work / ".gitattributes").write_text("a/ x\n!b x\n\\!c x\n")
    attributes = attributes_of(work)
    assert [attributes.of(name, (b"x",))[b"x"] for name in (b"a", b"a/a", b"b", b"!b", b"!c")] == [None] * 4 + [True]


def test_a_quoted_pattern_may_hold_spaces_and_escapes(work: Path) -> None:
    (work / ".gitattributes").write_text('"a b" x\n"\\303\\251\\t" x\n"open x\n')
    attributes = attributes_of(work)
    assert [attributes.of(name, (b"x",))[b"x"] for name in (b"a b", "é\t".encode(), b'"open')] == [True] * 3


@pytest.mark.parametrize(
    "line",
    [
        "# a b",
        "",
        "a -",
        "a --x",
        "a x/y",
        "a =v",
        "[attr]x/y z",
        "[attr]-m x",
        "a builtin_x",
        "!a b",
        "a " + "b" * 2046,
    ],
)
def test_lines_that_git_warns_about_say_nothing(line: str) -> None:
    assert list(parse_lines(line.encode(), macros=True, fold=False)) == []


def test_a_link_in_the_work_tree_is_not_followed(work: Path, tmp_path: Path) -> None:
    (tmp_path / "rules").write_text("* x\n")
    (work / ".gitattributes").symlink_to(tmp_path / "rules")
    assert attributes_of(work).of(b"a", (b"x",)) == {b"x": None}
    (tmp_path / "user").symlink_to("rules")
    assert attributes_of(work, user=tmp_path / "user").of(b"a", (b"x",)) == {b"x": True}


def test_rules_that_are_only_in_the_index_count(work: Path) -> None:
    recorded = {b"a/.gitattributes": b"* x\n"}
    attributes = Attributes.for_work_tree(
        os.fsencode(work), git_dir=os.fsencode(work / ".git"), attributes_file=None, recorded=recorded.get
    )
    assert attributes.of(b"a/b", (b"x",)) == {b"x": True}
    assert attributes.of(b"b", (b"x",)) == {b"x": None}


def test_an_answer_may_be_changed_by_who_asked(work: Path) -> None:
    attributes = attributes_of(work)
    attributes.of(b"a", (b"x",))[b"x"] = True
    assert attributes.of(b"a", (b"x",)) == {b"x": None}


def test_case_counts_unless_the_repository_says_otherwise(work: Path) -> None:
    (work / ".gitattributes").write_text("*.PNG x\nA/b y\n")
    top, git_dir = os.fsencode(work), os.fsencode(work / ".git")
    folding = Attributes.for_work_tree(top, git_dir=git_dir, attributes_file=None, ignore_case=True)
    assert folding.of(b"a/B", (b"y",)) == {b"y": True}
    assert folding.of(b"c.png", (b"x",)) == {b"x": True}
    assert attributes_of(work).of(b"a/B", (b"y",)) == {b"y": None}
