"""What goes to git and what to the annex is what git-annex would have chosen."""

from pathlib import Path

import pytest

from tests.interop.peers import Pair, annex, git, keys_of, notes, pair_of, save, without_complaint, write

FILES = {
    "scan.nii": b"\x5c\x01\0\0" + bytes(3000),
    "notes.txt": b"some text\n",
    "table.tsv": b"onset\tduration\n1\t2\n",
    "umlaut.txt": "Größe\n".encode(),
    "latin.txt": "Größe\n".encode("latin-1"),
    "wide.txt": "Größe\n".encode("utf-16"),
    "sidecar.json": b'{"RepetitionTime": 2.0}\n',
    "page.html": b"<!DOCTYPE html><html><title>x</title></html>\n",
    "script.py": b"#!/usr/bin/env python3\nprint(1)\n",
    "archive.gz": b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
    "empty": b"",
    "one": b"x",
    "sub/deep/large.txt": b"0123456789\n" * 2000,
    "sub/deep/.hidden": b"hidden\n",
    "odd \xe4 name.txt": b"text\n",
}
RULES = [
    "anything",
    "nothing",
    "((mimeencoding=binary)and(largerthan=0))",
    "mimeencoding=us-ascii",
    "not(mimeencoding=utf-8)",
    "largerthan=2kb",
    "(largerthan=10)and(smallerthan=3000b)",
    "include=*.txt",
    "include=sub/*",
    "exclude=*.txt",
    "(include=*.nii)or(include=[!s]*.t?v)",
]
NEEDS_LIBMAGIC = ["mimetype=text/*", "(mimetype=application/*)or(mimetype=text/html)"]


@pytest.fixture(scope="module")
def original(git_annex: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An annex with files of every kind, nothing added yet. Copy it; do not change it."""
    folder = tmp_path_factory.mktemp("original") / "ds"
    folder.mkdir()
    git(folder, "init", "-q")
    annex(folder, "init", "-q", "here")
    for name, content in FILES.items():
        write(folder, name, content)
    return folder


@pytest.fixture
def pair(original: Path, tmp_path: Path) -> Pair:
    return pair_of(original, tmp_path)


def chosen(pair: Pair, *, asks_for_media_types: bool = False) -> tuple[set[str], set[str]]:
    """What goes to the annex when engram saves, without handing over, and when git-annex adds."""
    records = save(pair.ours, message="all")
    assert {record["status"] for record in records} == {"ok"}
    assert notes(records) == set() or asks_for_media_types
    annex(pair.theirs, "add", "-c", "annex.dotfiles=true", ".")
    git(pair.theirs, "commit", "-qm", "all")
    without_complaint(pair.ours)
    return set(keys_of(pair.ours)), set(keys_of(pair.theirs))


@pytest.mark.parametrize("rule", RULES + NEEDS_LIBMAGIC)
def test_an_attribute_is_followed_without_a_hand_over(pair: Pair, rule: str) -> None:
    for folder in pair:
        write(folder, ".gitattributes", f"* annex.largefiles={rule}\n.gitattributes annex.largefiles=nothing\n")
    ours, theirs = chosen(pair, asks_for_media_types="mimetype" in rule)
    assert ours == theirs


@pytest.mark.parametrize("rule", ["mimeencoding=binary and not include=*.nii", "include=*.txt or largerthan=1kb", ""])
def test_gits_configuration_rules_over_attributes(pair: Pair, rule: str) -> None:
    for folder in pair:
        write(folder, ".gitattributes", "* annex.largefiles=nothing\n")
        git(folder, "config", "annex.largefiles", rule)
    ours, theirs = chosen(pair)
    assert ours == theirs


def test_the_branch_holds_where_nobody_else_speaks(pair: Pair) -> None:
    for folder in pair:
        write(folder, ".gitattributes", "*.tsv annex.largefiles=anything\n*.json annex.largefiles=\n")
        annex(folder, "config", "--set", "annex.largefiles", "mimeencoding=binary")
    ours, theirs = chosen(pair)
    assert ours == theirs
    assert "table.tsv" in ours
    assert "sidecar.json" not in ours


@pytest.mark.parametrize("rule", ["include=no'thing", "include=[[:alpha:]]*", "include=a\\b"])
def test_a_rule_that_only_git_annex_reads_is_handed_over(pair: Pair, rule: str) -> None:
    for folder in pair:
        git(folder, "config", "annex.largefiles", rule)
    said = notes(save(pair.ours, message="all"))
    assert len(said) == 1
    assert said.pop().startswith("handed to git-annex: annex.largefiles has ")
    annex(pair.theirs, "add", "-c", "annex.dotfiles=true", ".")
    git(pair.theirs, "commit", "-qm", "all")
    assert set(keys_of(pair.ours)) == set(keys_of(pair.theirs))
