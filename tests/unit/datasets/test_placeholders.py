"""Placeholders reach what they name, and nothing else."""

import os
import shlex
from pathlib import Path

import pytest

from engram.datasets.provenance.commands import as_line
from engram.datasets.provenance.path_globs import PathGlobs
from engram.datasets.provenance.placeholders import filled, filled_names
from engram.model.errors import UsageError

VALUES = {"inputs": ["a", "b"], "outputs": ["c"], "pwd": "/here", "name": "joe"}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("cp {inputs} {outputs}", "cp a b c"),
        ("{inputs[1]}", "b"),
        ("{pwd}/{name}", "/here/joe"),
        ("{{x}} {{}}", "{x} {}"),
        ("{name:>5}|{inputs:<3}|{name!s}", "  joe|a   b  |joe"),
        ("none", "none"),
    ],
)
def test_placeholders_are_filled_in(text: str, result: str) -> None:
    assert filled(text, VALUES) == result


@pytest.mark.parametrize(
    "text",
    [
        "{nothing}",
        "{}",
        "{0}",
        "{inputs[7]}",
        "{inputs[-1]}",
        "{inputs[x]}",
        "{name.__class__}",
        "{inputs.__class__.__init__.__globals__}",
        "{name[0]}",
        "{name:>99999999999}",
        "{name!r}",
        "awk '{print $1}'",
        "{",
        "}",
        "{name:{pwd}}",
    ],
)
def test_what_stands_for_nothing_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        filled(text, VALUES)
    assert "{{" in caught.value.next_step


def test_names_may_stand_for_all_of_the_others() -> None:
    assert filled_names(["{outputs}"], {"outputs": ["a", "b"]}) == ("a", "b")
    assert filled_names(["{name}.txt", "x"], {"name": "joe"}) == ("joe.txt", "x")


def test_one_word_is_a_line_and_several_are_quoted() -> None:
    assert as_line("a; b") == as_line(("a; b",)) == "a; b"
    assert shlex.split(as_line(("a b", "$x"))) == ["a b", "$x"]


class TestPatterns:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for name in ("b.txt", "a.txt", "sub/deep/c.txt", "sub/d.csv", ".hidden.txt"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text("")
        os.symlink("nowhere", tmp_path / "link.txt")
        return tmp_path

    def test_matches_come_in_order_of_the_patterns(self, folder: Path) -> None:
        globs = PathGlobs(["sub/*", "*.txt"], str(folder))
        assert globs.existing() == ["sub/d.csv", "sub/deep", "a.txt", "b.txt", "link.txt"]
        assert globs.recorded == ["sub/*", "*.txt"]
        assert PathGlobs(["*.txt"], str(folder), expand=True).recorded == ["a.txt", "b.txt", "link.txt"]

    def test_two_stars_go_into_folders(self, folder: Path) -> None:
        assert PathGlobs(["**/*.txt"], str(folder)).existing() == ["a.txt", "b.txt", "link.txt", "sub/deep/c.txt"]

    def test_a_dot_stands_for_all_and_is_never_expanded(self, folder: Path) -> None:
        globs = PathGlobs(["a.txt", ". "], str(folder), expand=True)
        assert globs.existing() == globs.recorded == [".", "a.txt"]
        assert globs.expanded(dot=False) == ["a.txt"]

    def test_what_matches_nothing_is_told_unless_a_folder_above_does(self, folder: Path) -> None:
        globs = PathGlobs(["none", "*/none/*.txt", "x*/y"], str(folder))
        assert globs.misses == ["none", "x*/y"]
        assert globs.expanded() == ["none", "sub/", "x*/y"]
        assert globs.existing() == []

    def test_files_that_came_are_seen_when_one_looks_again(self, folder: Path) -> None:
        globs = PathGlobs(["*.new"], str(folder))
        assert globs.existing() == []
        (folder / "x.new").write_text("")
        assert globs.existing() == []
        globs.look_again()
        assert globs.existing() == ["x.new"]

    def test_names_are_recorded_without_detours(self, folder: Path) -> None:
        names = ["./a.txt", "sub/../b.txt", "sub/", str(folder / "a.txt")]
        globs = PathGlobs(names, str(folder), expand=True)
        assert globs.recorded == ["./a.txt", "b.txt", "sub/", "a.txt"]

    def test_a_folder_that_is_gone_holds_nothing(self, tmp_path: Path) -> None:
        assert PathGlobs(["*", "a"], str(tmp_path / "gone")).existing() == []
