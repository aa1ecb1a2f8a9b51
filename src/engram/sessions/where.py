"""Choosing sessions: terms ``FIELD OP VALUE`` joined by ``and``. Read, never evaluated."""

import operator
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from engram.model.errors import UsageError
from engram.model.findings import FINDINGS
from engram.model.recordings import KINDS
from engram.sessions.answers import nearest

#: What a term can be about, and what that means; of several values of a session one is enough.
FIELDS: Mapping[str, str] = {
    "id": "The session's id.",
    "subject": "The subject's name.",
    "date": "The day on which it began: 2020-01-31; 2020-01 and 2020 stand for all of a month or year.",
    "ident": "Which of several of a day.",
    "share": "The share that it lies on.",
    "folder": "Its folder, relative to the share.",
    "kind": "The kind of a recording: neuropixels-ap, video, ….",
    "device": "The device of a recording: imec0, ….",
    "serial": "The serial number of a recording's probe or camera.",
    "recordings": "How many recordings it has; a number.",
    "finding": "The code of a finding: truncated, ….",
    "task": "The name of a task.",
    "arena": "The arena of a task.",
    "experimenter": "Who took part.",
    "project": "What it was for.",
    "room": "Where it was.",
    "group": "A group that it is in.",
}
OPERATORS: Mapping[str, str] = {
    "=": "Equal.",
    "!=": "No value is equal.",
    "< <= > >=": "Before or after, less or more.",
    "~": "Holds this text; upper and lower case are the same.",
    "in": "Equal to one of (A, B, …).",
}
#: The values of one session, by field.
Values: TypeAlias = Mapping[str, Sequence[str]]
_CLOSED: Mapping[str, Collection[str]] = {"kind": KINDS, "finding": FINDINGS}
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TOKEN = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|(!=|<=|>=|[=<>~(),])|([^\s=<>~!(),"']+))""")
_DAY = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")
_LONGEST = 10_000
_EXAMPLE = """Write it as: --where 'subject = 12347 and kind in (video, imaging) and project ~ "grid cells"'"""
#: What to do about a word that is not known.
_WHICH = {
    "field": f"The fields are {', '.join(FIELDS)}; what they mean: engram help choosing",
    "kind": f"The kinds are {', '.join(KINDS)}.",
    "finding": "What findings there are: engram help findings",
}


@dataclass(frozen=True, slots=True)
class Term:
    """One condition."""

    field: str
    #: ``=``, ``!=``, ``<``, ``<=``, ``>``, ``>=``, ``~`` or ``in``.
    operator: str
    #: Several after ``in`` alone.
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        """Raise `UsageError` for a field or a value that there cannot be, naming the nearest."""
        _check(self)

    def holds(self, values: Values) -> bool:
        """Whether it is true of a session."""
        mine = values[self.field]
        if self.operator == "!=":
            return not any(self._is(value, self.values[0]) for value in mine)
        if self.operator in ("=", "in"):
            return any(self._is(value, wanted) for value in mine for wanted in self.values)
        (wanted,) = self.values
        if self.operator == "~":
            return any(wanted.lower() in value.lower() for value in mine)
        compare = _COMPARE[self.operator]
        if self.field == "recordings":
            return any(compare(float(value), float(wanted)) for value in mine)
        return any(compare(self._cut(value, wanted), wanted) for value in mine)

    def _is(self, value: str, wanted: str) -> bool:
        if self.field == "recordings":
            return float(value) == float(wanted)
        return self._cut(value, wanted) == wanted

    def _cut(self, value: str, wanted: str) -> str:
        """A day, as exactly as the other is said."""
        return value[: len(wanted)] if self.field == "date" else value


def _check(term: Term) -> None:
    if term.field not in FIELDS:
        raise UsageError(f"There is no field {term.field}{nearest(term.field, FIELDS)}.", _WHICH["field"])
    for value in term.values:
        known = _CLOSED.get(term.field)
        if known is not None and term.operator in ("=", "!=", "in") and value not in known:
            raise UsageError(f"There is no {term.field} {value}{nearest(value, known)}.", _WHICH[term.field])
        if term.field == "date" and term.operator != "~" and not _DAY.fullmatch(value):
            raise UsageError(f"{value} is no day; write it as 2020-01-31, 2020-01 or 2020.", _EXAMPLE)
        if term.field == "recordings" and term.operator != "~" and not re.fullmatch(r"\d{1,9}", value, re.ASCII):
            raise UsageError(f"{value} is no number of recordings.", _EXAMPLE)


def read_terms(text: str) -> tuple[Term, ...]:
    """The terms of an expression. Raises `UsageError`, which says where it goes wrong and what is nearest.

    >>> read_terms("subject = 12347 and kind in (video, 'imaging')")[1]
    Term(field='kind', operator='in', values=('video', 'imaging'))
    """
    tokens = _Tokens(text)
    terms = [tokens.term()]
    while not tokens.done:
        tokens.expect("and")
        terms.append(tokens.term())
    return tuple(terms)


class _Tokens:
    """The words of an expression, taken one by one."""

    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST:
            raise UsageError("That is too long for a condition.", _EXAMPLE)
        self._words = list(_split(text))
        self._next = 0

    @property
    def done(self) -> bool:
        return self._next == len(self._words)

    def term(self) -> Term:
        field = self.word("the name of a field").lower()
        sign = self._take("=, !=, <, <=, >, >=, ~ or in")
        if sign not in ("=", "!=", "~", *_COMPARE, "in"):
            raise UsageError(f"After {field} comes =, !=, <, <=, >, >=, ~ or in, and not {sign}.", _EXAMPLE)
        return Term(field, sign, self._list() if sign == "in" else (self.word("a value"),))

    def expect(self, word: str) -> None:
        found = self._take(word)
        if found.lower() != word:
            advice = "A value of several words stands in quotes." if word == "and" else _EXAMPLE
            raise UsageError(f"{found} stands where {word} is expected.", advice)

    def word(self, what: str) -> str:
        """A word or a quoted text."""
        is_sign = not self.done and self._words[self._next][1]
        found = self._take(what)
        if is_sign:
            raise UsageError(f"{found} stands where {what} is expected.", _EXAMPLE)
        return found

    def _list(self) -> tuple[str, ...]:
        self.expect("(")
        values = [self.word("a value")]
        while (found := self._take(", or )")) == ",":
            values.append(self.word("a value"))
        if found != ")":
            raise UsageError(f"{found} stands where , or ) is expected.", _EXAMPLE)
        return tuple(values)

    def _take(self, what: str) -> str:
        if self.done:
            raise UsageError(f"It ends where {what} is expected.", _EXAMPLE)
        self._next += 1
        return self._words[self._next - 1][0]


def _split(text: str) -> Iterator[tuple[str, bool]]:
    """The words, and whether each is a sign."""
    text, place = text.strip(), 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise UsageError(f"This cannot be read: {text[place : place + 40].strip()}", _EXAMPLE)
        place = found.end()
        double, single, sign, word = found.groups()
        yield next(part for part in (double, single, sign, word) if part is not None), sign is not None
