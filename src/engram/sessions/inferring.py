"""Make a template from examples: a person points at folders of sessions, and sees what would match and what nearly."""

import heapq
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from engram.model.errors import BadTemplate, UsageError
from engram.sessions.dates import COMMON_TIMES, days_in, moment_pattern
from engram.sessions.templates import Named, Template, session_templates

#: So many folders of each kind are shown.
_SHOWN = 5
_SEPARATORS = "_- ."
_DIGITS = re.compile("[0-9]")
#: The gate of a SpikeGLX run at the end of a name stays as it is.
_GATE = re.compile(r"_g[0-9]+$")


@dataclass(frozen=True, slots=True)
class Fit:
    """One folder that follows a template, with what is read in it."""

    folder: str
    subject: str
    #: ISO 8601: a day, or a day and time.
    started: str
    ident: str


@dataclass(frozen=True, slots=True)
class NearMiss:
    """One folder of the same depth that does not."""

    folder: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inferred:
    """A template that reads all examples, and how it fits the share."""

    #: The share's name.
    share: str
    #: As it would stand in engram.toml.
    template: str
    #: How many folders of the share follow it.
    matches: int
    #: Some of them.
    fits: tuple[Fit, ...] = ()
    #: How many folders of that depth do not.
    others: int = 0
    #: Those that look most like an example, with the reason.
    near_misses: tuple[NearMiss, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The record behind ``sessions template --json``."""
        record: dict[str, Any] = {"record": "template"}
        record |= {name: getattr(self, name) for name in ("share", "template", "matches", "others")}
        record["fits"] = [{entry.name: getattr(one, entry.name) for entry in fields(one)} for one in self.fits]
        misses = [{entry.name: getattr(one, entry.name) for entry in fields(one)} for one in self.near_misses]
        return record | {"near_misses": misses}


def infer(share: str, examples: Sequence[str], folders: Sequence[str]) -> list[Inferred]:
    """The templates that read all *examples*, the one that fits most *folders* of the share first.

    There are several when the examples' dates can be read in several ways. Raises `UsageError` when there is none.
    """
    found = [fitted(share, template, folders, examples) for template in candidates(examples)]
    return sorted(found, key=lambda one: (-one.matches, one.others, one.template))


def candidates(examples: Sequence[str]) -> list[Template]:
    """Every template that reads all examples. Raises `UsageError` when there is none.

    >>> for template in candidates(["SC033/catgt_SC033_121119_g0", "SC033/catgt_SC033_111219_1_g0"]):
    ...     print(template.text)
    {subject}/catgt_{subject}_{session:%m%d%y}[_{ident}]_g0
    {subject}/catgt_{subject}_{session:%y%m%d}[_{ident}]_g0
    {subject}/catgt_{subject}_{session:%d%m%y}[_{ident}]_g0
    """
    if len({example.count("/") for example in examples}) > 1:
        raise UsageError(
            "The examples are not equally deep.", "Give examples of one kind; a share may have several templates."
        )
    dates = [_dates(example) for example in examples]
    found: dict[str, Template] = {}
    for form in dates[0]:
        if all(form in each for each in dates):
            text = _template([_cut(example, each[form]) for example, each in zip(examples, dates, strict=True)], form)
            template = _read_by_all(text, examples)
            if template is not None:
                found[template.text] = template
    if not found:
        raise UsageError(
            f"No template reads {' and '.join(examples)}.",
            "Each must name a subject and a date: 12347/20200101. What can be declared: engram help templates",
        )
    return list(found.values())


def _read_by_all(text: str, examples: Iterable[str]) -> Template | None:
    try:
        (template,) = session_templates([text])
    except BadTemplate:
        return None
    return template if all(template.read(example) is not None for example in examples) else None


def _dates(example: str) -> dict[str, tuple[int, int]]:
    """Every way to read a date in a path, with where it stands; that in the deepest folder counts."""
    found: dict[str, tuple[int, int]] = {}
    for text, form, _ in days_in(example):
        start = example.rfind(text)
        rest = example[start + len(text) :]
        for time in COMMON_TIMES:
            match = re.match(moment_pattern("", time), rest)
            if match is not None and not rest[match.end() : match.end() + 1].isdigit():
                found[form + time] = (start, start + len(text) + match.end())
                break
        else:
            found[form] = (start, start + len(text))
    deepest = max((example[:start].count("/") for start, _ in found.values()), default=0)
    return {form: place for form, place in found.items() if example[: place[0]].count("/") == deepest}


@dataclass(frozen=True, slots=True)
class _Cut:
    """An example around its date."""

    before: str
    after: str


def _cut(example: str, place: tuple[int, int]) -> _Cut:
    return _Cut(example[: place[0]], example[place[1] :])


def _template(cuts: Sequence[_Cut], form: str) -> str:
    subjects = [_subject(cut.before) for cut in cuts]
    before = _alike([_with_subject(cut.before, subject) for cut, subject in zip(cuts, subjects, strict=True)])
    after = _behind([_with_subject(cut.after, subject) for cut, subject in zip(cuts, subjects, strict=True)])
    return f"{before}{{session:{form}}}{after}"


def _subject(before: str) -> str:
    """The folder above that with the date, else the first word of that folder."""
    above, slash, name = before.rpartition("/")
    if slash:
        return above.rpartition("/")[2]
    return name.rstrip(_SEPARATORS)


def _with_subject(text: str, subject: str) -> str:
    """*text* as a piece of a template, with the subject's name as its field; whole words only."""
    if not subject:
        return _escaped(text)
    pieces = re.split(rf"(?<![A-Za-z0-9]){re.escape(subject)}(?![A-Za-z0-9])", text)
    return "{subject}".join(map(_escaped, pieces))


def _escaped(text: str) -> str:
    return re.sub(r"([{}\[\]])", r"\1\1", text)


def _alike(texts: Sequence[str]) -> str:
    """The text that all share; '' when they differ, which no template reads."""
    return texts[0] if len(set(texts)) == 1 else ""


def _behind(texts: Sequence[str]) -> str:
    """What stands behind the date: what is alike at the end stays, what varies tells sessions of a day apart."""
    ending = _common_ending(texts)
    middles = [text[: len(text) - len(ending)] if ending else text for text in texts]
    return _ident(middles) + ending


def _common_ending(texts: Sequence[str]) -> str:
    """What all end in, from a separator on, leaving what tells sessions apart."""
    if len(set(texts)) == 1:
        gate = _GATE.search(texts[0])
        return gate[0] if gate else ""
    ending = _common_start([text[::-1] for text in texts])[::-1]
    place = min((ending.find(mark) for mark in _SEPARATORS if mark in ending), default=-1)
    return "" if place < 0 else ending[place:]


def _common_start(texts: Sequence[str]) -> str:
    shortest = min(texts, key=len)
    count = next((place for place, char in enumerate(shortest) if any(text[place] != char for text in texts)), None)
    return shortest[:count]


def _ident(middles: Sequence[str]) -> str:
    given = [middle for middle in middles if middle]
    if not given:
        return ""
    start = _common_start(given) if len(set(given)) > 1 else given[0]
    lead = re.match(r"(?:/[^0-9]*)?[_\-. ]?[^0-9]*(?=[0-9])|/?[_\-. ]?", start)
    mark = lead[0] if lead is not None else ""
    if "/" in mark:
        return f"{mark}{{ident}}"
    mark = mark[:1] if mark[:1] in _SEPARATORS else ""
    return f"[{mark}{{ident}}]"


def fitted(share: str, template: Template, folders: Iterable[str], examples: Sequence[str]) -> Inferred:
    """How a template that was made of *examples* fits the folders of a share."""
    fits: list[Fit] = []
    misses: list[str] = []
    matches = 0
    for folder in folders:
        if folder.count("/") + 1 != template.depth:
            continue
        named = template.read(folder)
        if named is not None:
            matches += 1
            fits += [_fit(folder, named)] if len(fits) < _SHOWN else []
        else:
            misses.append(folder)
    shapes = [_shape(example) for example in examples]
    nearest = heapq.nsmallest(_SHOWN, misses, key=lambda folder: (_distance(_shape(folder), shapes), folder))
    return Inferred(
        share=share,
        template=template.text,
        matches=matches,
        fits=tuple(fits),
        others=len(misses),
        near_misses=tuple(NearMiss(folder, template.why_not(folder)) for folder in nearest),
    )


def _shape(folder: str) -> str:
    """A path with all digits alike."""
    return _DIGITS.sub("0", folder)


def _distance(shape: str, shapes: Iterable[str]) -> float:
    """How much of a path is not as the nearest of *shapes* has it, at its beginning and its end; 0 for nothing."""
    return min(1 - _alike_at_the_ends(shape, one) / max(len(shape), len(one), 1) for one in shapes)


def _alike_at_the_ends(one: str, other: str) -> int:
    start = len(_common_start((one, other)))
    return start + len(_common_start((one[:start:-1], other[:start:-1])))


def _fit(folder: str, named: Named) -> Fit:
    return Fit(folder, named.subject, "" if named.started is None else named.started.isoformat(), named.ident)


def below_a_root(path: str, roots: Iterable[str]) -> Iterator[str]:
    r"""A path as seen from each of *roots* that it lies below; drives are written in several ways.

    >>> list(below_a_root(r"n:\recordings\12347\20200101", ["/mnt/N/recordings", "N:/recordings"]))
    ['12347/20200101']
    """
    plain = path.replace("\\", "/").rstrip("/")
    for root in roots:
        above = root.replace("\\", "/").rstrip("/") + "/"
        if plain.lower().startswith(above.lower()) if above[1:2] == ":" else plain.startswith(above):
            yield plain[len(above) :]
