"""Laws of ``annex.largefiles`` expressions."""

from contextlib import suppress
from functools import cache
from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from engram.datasets.annex.globs import NoGlob, UnusualGlob, pattern_of
from engram.datasets.annex.largefiles import File, NotNative, parse
from engram.datasets.annex.mime import encoding_of
from engram.datasets.annex.sizes import size_in
from engram.model.errors import BadExpression

Tree: TypeAlias = "bool | tuple[str, Tree] | tuple[str, Tree, Tree]"

trees: st.SearchStrategy[Tree] = st.recursive(
    st.booleans(),
    lambda inner: st.tuples(st.just("not"), inner) | st.tuples(st.sampled_from(["and", "or"]), inner, inner),
    max_leaves=12,
)
WORDS = [
    "anything",
    "nothing",
    "(",
    ")",
    "and",
    "or",
    "not",
    "include=*",
    "exclude=a*",
    "largerthan=1kb",
    "x",
    "include=[",
]
A_FILE = File(b"a/b", 5, b"/nowhere")


def text_of(tree: Tree) -> str:
    """The tree with brackets around everything, so that nothing is left to rules of binding."""
    if isinstance(tree, bool):
        return "anything" if tree else "nothing"
    if len(tree) == 2:
        return f"(not ({text_of(tree[1])}))"
    return f"(({text_of(tree[1])}) {tree[0]} ({text_of(tree[2])}))"


def truth_of(tree: Tree) -> bool:
    if isinstance(tree, bool):
        return tree
    if len(tree) == 2:
        return not truth_of(tree[1])
    both = truth_of(tree[1]), truth_of(tree[2])
    return all(both) if tree[0] == "and" else any(both)


@given(trees)
def test_brackets_mean_what_they_say(tree: Tree) -> None:
    assert parse(text_of(tree), "here").matches(A_FILE) == truth_of(tree)


@given(st.lists(st.tuples(st.sampled_from(["and", "or"]), st.booleans(), st.booleans()), min_size=1, max_size=12))
def test_without_brackets_terms_are_taken_from_left_to_right(terms: list[tuple[str, bool, bool]]) -> None:
    words, truth = [], True
    for number, (joiner, negated, answer) in enumerate(terms):
        words += [joiner] * (number > 0) + ["not"] * negated + ["anything" if answer else "nothing"]
        value = answer != negated
        truth = value if number == 0 else (truth and value if joiner == "and" else truth or value)
    assert parse(" ".join(words), "here").matches(A_FILE) == truth


@given(st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join) | st.text(max_size=60))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    with suppress(BadExpression, NotNative):
        assert parse(text, "here").matches(A_FILE) in (True, False)


@given(st.lists(st.sampled_from(WORDS[:7]), max_size=20))
def test_space_around_brackets_does_not_matter(words: list[str]) -> None:
    text = " ".join(words)
    tight = text.replace("( ", "(").replace(" (", "(").replace(") ", ")").replace(" )", ")")
    assert parse(tight, "here").matches(A_FILE) == parse(text, "here").matches(A_FILE)


@given(st.text("ab/*?", max_size=8), st.text("ab/", max_size=10))
def test_a_glob_matches_as_a_plain_search_would(glob: str, text: str) -> None:
    @cache
    def fits(at: int, place: int) -> bool:
        if at == len(glob):
            return place == len(text)
        if glob[at] == "*":
            return fits(at + 1, place) or (place < len(text) and fits(at, place + 1))
        return place < len(text) and glob[at] in ("?", text[place]) and fits(at + 1, place + 1)

    assert (pattern_of(glob).search(text) is not None) == fits(0, 0)


@given(st.text("ab[]!^-*?ä\\'", max_size=10), st.text("ab-]\nä", max_size=6))
def test_any_glob_is_read_refused_or_left_to_git_annex(glob: str, text: str) -> None:
    with suppress(NoGlob, UnusualGlob):
        pattern_of(glob).search(text)


@given(
    st.integers(0, 10**6),
    st.sampled_from([("", 1), ("k", 1000), ("MB", 10**6), ("gib", 1 << 30), ("tbit", 125 * 10**9)]),
)
def test_a_size_is_its_number_times_its_unit(number: int, unit: tuple[str, int]) -> None:
    assert size_in(f"{number}{unit[0]}") == number * unit[1]


@given(st.text(max_size=20))
def test_any_text_is_a_size_or_none(text: str) -> None:
    assert isinstance(size_in(text), int | None)


@given(st.binary(max_size=300))
def test_every_content_has_an_encoding_or_is_disputed(content: bytes) -> None:
    encoding = encoding_of(content)
    if encoding is None:
        assert content.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff"))
    elif encoding == "us-ascii":
        assert b"\0" not in content
    elif encoding == "utf-8":
        content.decode(errors="ignore")


@given(st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs"], exclude_characters="\x7f"), min_size=2))
def test_plain_text_in_utf_8_is_told_as_such(text: str) -> None:
    expected = {"us-ascii"} if text.isascii() else {"utf-8"}
    if text.isascii() and text.startswith("+/v"):
        expected = {"us-ascii", "utf-7"}
    assert encoding_of(text.encode()) in expected
