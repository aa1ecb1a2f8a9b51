"""``annex.largefiles``: which files go to the annex, and which to git.

Expressions come from three places; the first that says something about a file holds for it:

1. ``annex.largefiles`` in git's configuration (an empty one means: everything is large),
2. the ``annex.largefiles`` attribute in ``.gitattributes`` (an empty one says nothing, one without value is an error),
3. ``annex.largefiles`` in the git-annex branch (``git annex config``).

Without any, everything is large. Terms are taken strictly from left to right: ``and`` binds no closer than ``or``.
`parse` reads an expression, `Expression.matches` asks it about a file; `saving.choosing` picks the one that holds.

Source: https://git-annex.branchable.com/git-annex-matching-expression/ and
https://git-annex.branchable.com/tips/largefiles/, and answers of ``git annex matchexpression --largefiles``
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from engram.datasets.annex.globs import NoGlob, UnusualGlob, pattern_of
from engram.datasets.annex.mime import LOOK_BYTES, encoding_of
from engram.datasets.annex.sizes import size_in
from engram.model.errors import BadExpression

if TYPE_CHECKING:
    from engram.datasets.annex.magic import Magic

#: What separates terms; brackets stand alone without it.
_SPACE = re.compile("[\t-\r \xa0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_BRACKET = re.compile(r"([()])")
_DEEPEST = 100


class NotNative(Exception):
    """git-annex has to be asked; the text says why."""


class File(NamedTuple):
    """A file that is asked about. Nothing is read before a term needs it."""

    #: Relative to the top of the work tree.
    path: bytes
    size_bytes: int
    #: Where its content is read from.
    place: bytes

    def head(self, count: int) -> bytes:
        """The first bytes of the content, *count* of them where there are so many."""
        descriptor = os.open(self.place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            head = os.read(descriptor, count)
            while len(head) < min(count, self.size_bytes) and (more := os.read(descriptor, count - len(head))):
                head += more
        finally:
            os.close(descriptor)
        return head


#: Gives what tells media types, once one is asked for; ``None`` if nothing here would answer as git-annex does.
FindMagic: TypeAlias = "Callable[[], Magic | None]"

_Test: TypeAlias = "Callable[[File], bool] | Expression"


@dataclass(frozen=True, slots=True)
class _Step:
    """How one term changes what the terms before it said."""

    #: Whether it is joined by ``or`` instead of ``and``.
    widens: bool
    negated: bool
    #: ``None`` says yes to everything.
    test: "_Test | None"

    def holds(self, file: File) -> bool:
        if self.test is None:
            return not self.negated
        found = self.test.matches(file) if isinstance(self.test, Expression) else self.test(file)
        return found != self.negated


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression.

    >>> expression = parse("largerthan=100kb and (include=*.dat or include=raw/*)", "git config")
    >>> expression.matches(File(b"raw/notes.txt", 200_000, b""))
    True
    """

    steps: tuple[_Step, ...]

    def matches(self, file: File) -> bool:
        """Whether the file is large. Raises `NotNative` where only git-annex can tell.

        A file that cannot be read has no encoding and no media type.
        """
        large = True
        for step in self.steps:
            if step.widens != large:
                large = step.holds(file)
        return large


def no_magic() -> None:
    """For those who have no libmagic to ask: files whose media type is asked for are `NotNative`."""


def parse(text: str, source: str, find_magic: FindMagic = no_magic) -> Expression:
    """Read an expression. Raises `BadExpression` for what git-annex would not take.

    Args:
        source: where it stands, for the error.
        find_magic: gives what tells media types; without it a file that is asked for its own is `NotNative`.
    """
    words = [part for word in _SPACE.split(text) for part in _BRACKET.split(word) if part]
    try:
        return Expression(tuple(_Parser(words, find_magic).steps()))
    except ValueError as problem:
        raise BadExpression(expression=text, source=source, problem=str(problem)) from problem


class _Parser:
    """Turns words into steps. Brackets that are missing are supplied, those too many are passed over."""

    def __init__(self, words: list[str], find_magic: FindMagic) -> None:
        self._words = iter(words)
        self._find_magic = find_magic

    def steps(self) -> Iterator[_Step]:
        while (word := next(self._words, None)) is not None:
            if word != ")":
                yield from self._steps_from(word, depth=0)

    def _group(self, depth: int) -> Iterator[_Step]:
        """The steps up to the closing bracket."""
        if depth > _DEEPEST:
            raise ValueError("brackets are nested too deep")
        while (word := next(self._words, None)) not in (")", None):
            yield from self._steps_from(word or "", depth)

    def _steps_from(self, word: str, depth: int) -> Iterator[_Step]:
        if word == "(":
            steps = tuple(self._group(depth + 1))
            if depth == 0:
                yield _Step(widens=False, negated=False, test=Expression(steps))
            else:  # inside brackets, a bracket that no operator precedes goes on where the terms before it stopped
                yield from steps
        elif word in _OPERATORS:
            yield self._joined(word, depth)
        else:
            yield _Step(widens=False, negated=False, test=_term(word, self._find_magic))

    def _joined(self, operator: str, depth: int) -> _Step:
        """The step of an operator, and of those that follow it at once, with its term."""
        widens = operator == "or"
        negated = operator == "not"
        decided = False
        while (word := next(self._words, None)) in _OPERATORS or (depth == 0 and word == ")"):
            negated ^= word == "not" and not decided
            decided |= word == "or"  # it joins "yes" with the term: yes
        test: _Test | None = None
        if word == "(":
            test = Expression(tuple(self._group(depth + 1)))
        elif word == ")":
            self._words = _pushed_back(word, self._words)
        elif word is not None:
            test = _term(word, self._find_magic)
        return _Step(widens, negated, None if decided else test)


_OPERATORS = frozenset({"and", "or", "not"})


def _pushed_back(word: str, words: Iterator[str]) -> Iterator[str]:
    yield word
    yield from words


def _term(word: str, find_magic: FindMagic) -> Callable[[File], bool]:
    if word in ("anything", "nothing", "unused"):  # a file that exists is never unused
        return _answer(word == "anything")
    name, _, value = word.partition("=")
    if name in ("include", "exclude"):
        return _path_test(_glob(value), name == "include")
    if name in ("largerthan", "smallerthan"):
        return _size_test(value, name == "largerthan")
    if name == "mimeencoding":
        return _encoding_test(_glob(value))
    if name == "mimetype":
        return _media_type_test(_glob(value), find_magic)
    raise ValueError(f"near {word!r}")


def _glob(pattern: str) -> Callable[[str], bool]:
    try:
        search = pattern_of(pattern).search
    except NoGlob as problem:
        raise ValueError(f"{pattern!r} is no pattern, {problem}") from problem
    except UnusualGlob as problem:
        return _ask_git_annex(str(problem))
    return lambda text: search(text) is not None


def _ask_git_annex(reason: str) -> Callable[[str], bool]:
    def ask(_: str) -> bool:
        raise NotNative(f"annex.largefiles has {reason}")

    return ask


def _answer(yes: bool) -> Callable[[File], bool]:
    return lambda _: yes


def _path_test(matches: Callable[[str], bool], wanted: bool) -> Callable[[File], bool]:
    return lambda file: matches(file.path.decode(errors="surrogateescape")) == wanted


def _size_test(text: str, larger: bool) -> Callable[[File], bool]:
    size_bytes = size_in(text)
    if size_bytes is None:
        raise ValueError(f"bad size {text!r}")
    if larger:
        return lambda file: file.size_bytes > size_bytes
    return lambda file: file.size_bytes < size_bytes


def _encoding_test(matches: Callable[[str], bool]) -> Callable[[File], bool]:
    def test(file: File) -> bool:
        try:
            encoding = encoding_of(file.head(LOOK_BYTES))
        except OSError:
            return False
        if encoding is None:
            raise NotNative(f"versions of libmagic disagree about {os.fsdecode(file.path)}")
        return matches(encoding)

    return test


def _media_type_test(matches: Callable[[str], bool], find_magic: FindMagic) -> Callable[[File], bool]:
    def test(file: File) -> bool:
        magic = find_magic()
        if magic is None:
            raise NotNative("annex.largefiles asks for media types, which the libmagic of git-annex tells")
        said = magic.describe(file.place)
        return said is not None and matches(said[0])

    return test
