"""What is large is what git-annex finds large."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from engram.datasets.annex.globs import NoGlob, UnusualGlob, pattern_of
from engram.datasets.annex.largefiles import (
    File,
    NotNative,
    parse,
)
from engram.datasets.annex.magic import Magic, magic_of
from engram.datasets.annex.sizes import size_in
from engram.datasets.saving.choosing import LARGEFILES, Chooser, Rules
from engram.model.errors import BadExpression

#: Expression → whether it finds a text file of 100 bytes at ``a/b.TXT`` large.
ANSWERS = {
    "anything": True,
    "nothing": False,
    "": True,
    "()": True,
    "(((": True,
    ")": True,
    "anything)": True,
    "(anything": True,
    "anything nothing": False,
    "nothing or": True,
    "or nothing": True,
    "not": False,
    "not not anything": True,
    "not ) nothing": True,
    "not or nothing": False,
    "nothing and or nothing": False,
    "nothing and": False,
    "anything or nothing and nothing": False,
    "nothing or (nothing": False,
    "nothing (nothing or anything)": False,
    "(nothing (nothing or anything))": True,
    "(nothing and (nothing or anything))": False,
    "(anything not (anything and nothing))": True,
    "(include=*.TXT)and(largerthan=50)": True,
    "((mimeencoding=binary)and(largerthan=0))": False,
    "mimeencoding=us-ascii": True,
    "mimeencoding=us*": True,
    "mimetype=text/*": True,
    "mimetype=TEXT/*": False,
    "mimetype": False,
    "include=*": True,
    "include": False,
    "include=": False,
    "include=*.txt": False,
    "include=b*": False,
    "include=a/*": True,
    "include=a?b.TXT": True,
    "include=[ab]/*": True,
    "include=[!b]/*": True,
    "include=[^a]*": False,
    "include=a/b.TX": False,
    'include="*"': False,
    "exclude=*.TXT": False,
    "exclude=*.dat": True,
    "largerthan=100": False,
    "smallerthan=101": True,
    "largerthan=0.099kb": True,
    "smallerthan=1kbit": True,
    "largerthan=5=6": True,
}
REJECTED = [
    "foo",
    "ANYTHING",
    "anything=1",
    "not=x",
    "present",
    "copies=1",
    "inbackend=MD5E",
    "metadata=a=b",
    "standard",
    "largerthan",
    "largerthan=",
    "smallerthan=x",
    '"include=*"',
]
CONTENT = b"0123456789" * 9 + b"012345678\n"


@pytest.fixture
def file(tmp_path: Path) -> File:
    place = tmp_path / "content"
    place.write_bytes(CONTENT)
    return File(b"a/b.TXT", len(CONTENT), bytes(place))


class PlainText(Magic):
    """Takes every file for plain text."""

    def __init__(self) -> None:
        pass

    def describe(self, place: bytes) -> tuple[str, str] | None:
        return "text/plain", "us-ascii"


def asked(path: str, expression: str) -> bool:
    return parse(expression, "git config").matches(File(os.fsencode(path), 0, b"/nowhere"))


@pytest.mark.parametrize(("expression", "large"), ANSWERS.items(), ids=ANSWERS)
def test_an_expression_finds_a_file_large(expression: str, large: bool, file: File) -> None:
    assert parse(expression, "git config", PlainText).matches(file) is large


@pytest.mark.parametrize("expression", [*REJECTED, "include=[b", "include=[b-a]"])
def test_what_git_annex_does_not_take_is_refused_with_its_place(expression: str) -> None:
    with pytest.raises(BadExpression) as caught:
        parse(f"anything or {expression}", ".gitattributes")
    assert caught.value.source == ".gitattributes"
    assert caught.value.expression == f"anything or {expression}"


def test_brackets_nested_without_end_are_refused() -> None:
    with pytest.raises(BadExpression):
        parse("not (" * 5000, "git config")


def test_a_long_expression_is_taken() -> None:
    assert parse("include=*.a or " * 20000 + "include=*.b", "git config").matches(File(b"x.b", 0, b""))


def test_nothing_is_read_before_a_term_needs_it() -> None:
    assert not asked("x", "nothing and mimeencoding=binary")
    assert asked("x", "anything or mimeencoding=binary")


def test_a_file_that_cannot_be_read_has_no_encoding() -> None:
    assert not asked("x", "mimeencoding=*")


def test_media_types_need_the_libmagic_of_git_annex(file: File) -> None:
    with pytest.raises(NotNative, match="media types"):
        parse("mimetype=text/*", "git config").matches(file)


@pytest.mark.parametrize("glob", ["it's*", "a<b", "a\\b", "[]a]", "[[:alpha:]]", "[!]a]", "[[=a=]]"])
def test_globs_that_posix_reads_otherwise_are_left_to_git_annex(glob: str) -> None:
    with pytest.raises(UnusualGlob):
        pattern_of(glob)
    with pytest.raises(NotNative):
        asked("x", f"include={glob}")


@pytest.mark.parametrize(
    ("glob", "text", "matches"),
    [
        ("?", "ä", True),
        ("??", "ä", False),
        ("?", "\udcff", True),
        ("*", "a/b\nc", True),
        ("a?b", "a\nb", False),
        ("b", "a\nb", True),
        ("[!a]", "\n", False),
        ("[a-]", "-", True),
        ("[--a]", ".", True),
        ("[a-z-9]", "5", False),
        ("[a-z-9]", "-", True),
        ("[!^]", "a", True),
        ("[*]", "*", True),
        ("[*]*[?]", "*xx?", True),
        ("a.c", "abc", False),
        ("{a,b}", "{a,b}", True),
        ("**/b", "b", False),
        ("[:alpha:]", "h", True),
        ("[:alpha:]", "z", False),
        ("*a*b*", "xaxbx", True),
        ("*ab*ab", "abab", True),
        ("*ab*ab", "abxa", False),
        ("*aab*", "aaab", True),
        ("", "", True),
    ],
)
def test_a_glob_matches(glob: str, text: str, matches: bool) -> None:
    assert (pattern_of(glob).search(text) is not None) is matches


@pytest.mark.parametrize("glob", ["[", "[a", "a*[!b", "[z-a]", "[a--]"])
def test_text_that_is_no_glob_is_refused(glob: str) -> None:
    with pytest.raises(NoGlob):
        pattern_of(glob)


def test_many_stars_cost_no_time() -> None:
    assert pattern_of("*a" * 60 + "b").search("a" * 4000) is None


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("1", 1),
        ("1b", 1),
        ("1K", 1000),
        ("1KiB", 1024),
        ("1ki", 1024),
        ("1kilobytes", 1000),
        ("1Mbit", 125_000),
        ("1exbibyte", 1 << 60),
        ("10qb", round(10 * 1e30)),
        ("1.5", 2),
        ("2.5", 2),
        ("0.5k", 500),
        ("1.", 1),
        ("1e3", 1000),
        ("1e", 10**18),
        ("0x10k", 16_000),
        ("0o17", 15),
        ("0b11", 0),
        ("1_000", 1),
        ("1kb/s", 1000),
        ("-1", -1),
        ("Infinity", 1 << 1024),
        ("1e400", 1 << 1024),
        ("-Infinity", -(1 << 1024)),
        ("NaN", -(1 << 1024)),
        ("0x" + "f" * 400, 1 << 1024),
        ("", None),
        (".5", None),
        ("+1", None),
        ("1foo", None),
        ("1kbits", None),
        ("Infinityx", None),
    ],
)
def test_a_size_is_read(text: str, size_bytes: int | None) -> None:
    assert size_in(text) == size_bytes


def answer_of(git_annex: Path, annex: Path, expression: str) -> bool | str:
    facts = ["--file=a/b.TXT", "--size=100", "--mimetype=text/plain", "--mimeencoding=us-ascii"]
    command = [str(git_annex), "matchexpression", "--largefiles", *facts, "--", expression]
    done = subprocess.run(command, cwd=annex, capture_output=True, check=False)
    return "bad" if done.returncode == 42 else done.returncode == 0


def test_git_annex_gives_the_same_answers(annex: Path, git_annex: Path) -> None:
    assert {expression: answer_of(git_annex, annex, expression) for expression in ANSWERS} == ANSWERS


def test_git_annex_refuses_the_same_expressions(annex: Path, git_annex: Path) -> None:
    assert {answer_of(git_annex, annex, expression) for expression in REJECTED} == {"bad"}


@pytest.mark.parametrize(
    ("config", "attribute", "annex_config"),
    [
        (None, None, None),
        ("include=*.dat", "anything", "nothing"),
        ("", "nothing", None),
        (None, "mimeencoding=binary", "anything"),
        (None, "", "nothing"),
        (None, None, "largerthan=5b"),
        (None, "(mimetype=text/*)or(mimeencoding=binary)", None),
    ],
)
def test_git_annex_adds_to_the_annex_what_is_large(
    annex: Path,
    program: str,
    ask: Callable[..., bytes],
    config: str | None,
    attribute: str | None,
    annex_config: str | None,
) -> None:
    if attribute is not None:
        (annex / ".gitattributes").write_text(f"* annex.largefiles={attribute}\n")
    if config is not None:
        subprocess.run(["git", "config", "annex.largefiles", config], cwd=annex, check=True)
    if annex_config is not None:
        ask(annex, "config", "--set", "annex.largefiles", annex_config)
    contents = {"a.dat": b"a\0b", "b.txt": b"a text\n", "c.json": b'{"a": 1}\n', "empty": b"", "d/e.dat": b"\xff" * 9}
    (annex / "d").mkdir()
    for name, content in contents.items():
        (annex / name).write_bytes(content)
    rules = Rules(
        attributes=lambda path, names: {LARGEFILES: None if attribute is None else attribute.encode()},
        largefiles=config,
        fallback=annex_config,
        backend="SHA256E",
        has_annex=True,
        find_magic=lambda: magic_of(program),
    )
    chooser = Chooser(rules, bytes(annex))
    ours = {name for name, content in contents.items() if chooser.choose(name.encode(), len(content))[0]}
    if chooser.hand_over:
        pytest.skip("this git-annex does not bring its libmagic along")
    ask(annex, "add", "--quiet", *contents)
    assert {name for name in contents if (annex / name).is_symlink()} == ours
