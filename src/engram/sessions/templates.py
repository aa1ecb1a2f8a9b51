"""Templates: how a lab names the folders of its sessions; read and printed by the same words.

A template is declared, never guessed: ``{subject}/{session:%Y%m%d}/Session{ident}``. Text stands for itself; a field in
braces for a part that varies; what stands in square brackets may be missing. Doubled braces and brackets stand for
themselves. A field that comes twice must say the same twice. Reading and printing undo each other.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import TypeAlias

from engram.model.errors import BadTemplate, UsageError
from engram.model.records import record
from engram.sessions.dates import TIMES, Moment, moment_pattern, printed, read_moment

#: Fields, and what each stands for.
FIELDS: Mapping[str, str] = {
    "subject": "The subject's name.",
    "subject.alias": "Another name of the subject: its number at the rig, say.",
    "session": "When the session was: {session:%Y-%m-%d_%H-%M-%S}.",
    "date": "Its day: {date:%m%d%y}.",
    "time": "Its time of day, beside a day: {time:%H%M%S}.",
    "ident": "Which of several sessions of a day; any text, kept as it is.",
    "project": "Its project.",
    "experimenter": "Who recorded it.",
    "rig": "The rig that recorded it.",
    "task": "What the subject did.",
}
#: Types of fields that are text.
TYPES: Mapping[str, str] = {"": r"[^/]+?", "d": r"[0-9]+", "w": r"[A-Za-z0-9-]+"}
#: What a share's folders are called when it declares no template: what can be read in one way only.
DEFAULTS = tuple(
    f"{above}{{subject}}/{below}"
    for above in ("", "recordings/")
    for below in (
        "{session:%Y%m%d}/Session{ident}",
        "{session:%Y-%m-%d_%H-%M-%S}",
        "{session:%Y-%m-%d_%H:%M:%S}",
        "{session:%Y%m%d_%H%M%S}",
        "{session:%Y-%m-%d}[_{ident}]",
        "{session:%Y_%m_%d}[_{ident}]",
        "{session:%Y%m%d}[_{ident}]",
    )
)

_TOKEN = re.compile(r"(\{\{|\}\}|\[\[|\]\])|\{([^{}\[\]:/]*)(?::([^{}\[\]/]*))?\}|([\[\]{}])|([^{}\[\]]+)")
#: An element of a template: literal text, a field's name and format, or an optional part.
_Part: TypeAlias = "str | tuple[str, str] | list[_Part]"


@record
class Named:
    """What a folder's name says."""

    #: Each field as it was written; those in optional parts that are missing are left out.
    fields: Mapping[str, str]
    #: Day, or day and time; ``None`` where the template holds neither.
    started: Moment | None = None

    @property
    def subject(self) -> str:
        """The subject, by name or alias."""
        return self.fields.get("subject", "") or self.fields.get("subject.alias", "")

    @property
    def ident(self) -> str:
        """Which of several sessions of a day."""
        return self.fields.get("ident", "")


@dataclass(frozen=True, slots=True)
class Template:
    """One template, ready to be used.

    >>> template = parse_template("{subject}/{session:%Y%m%d}[_{ident}]")
    >>> named = template.read("SC033/20191112_surface")
    >>> named.subject, named.started, named.ident
    ('SC033', datetime.date(2019, 11, 12), 'surface')
    >>> template.print(named.fields)
    'SC033/20191112_surface'
    >>> template.read("SC033/20191312") is None, template.why_not("SC033/20191312")
    (True, "'20191312' is no date in the form %Y%m%d")
    """

    text: str
    #: How many folders deep it reaches.
    depth: int
    _parts: list[_Part] = field(repr=False, compare=False)
    _pattern: re.Pattern[str] = field(repr=False, compare=False)
    #: Group of the pattern, field, format.
    _groups: tuple[tuple[str, str, str], ...] = field(repr=False, compare=False)

    def read(self, path: str) -> Named | None:
        """What a path says, ``None`` when it does not follow the template."""
        match = self._pattern.fullmatch(path)
        return None if match is None else self._named(match)

    def _named(self, match: re.Match[str]) -> Named | None:
        texts: dict[str, str] = {}
        moments: list[tuple[str, str]] = []
        for (_, name, form), text in zip(self._groups, match.groups(), strict=True):
            if text is not None:
                texts[name] = text
                if name in TIMES:
                    moments.append((text, form))
        if not moments:
            return Named(fields=texts)
        started = read_moment(moments)
        return None if started is None else Named(fields=texts, started=started)

    def print(self, fields: Mapping[str, str], started: Moment | None = None) -> str:
        """The path of a session. *fields* as they are written; times that are not among them come from *started*.

        Raises `UsageError` when a field is missing, or when the path would be read as something else.
        """
        values = dict(fields)
        for _, name, form in self._groups:
            if name in TIMES and name not in values and started is not None:
                values[name] = printed(started, form)
        path = _print(self._parts, values, self.text)
        named = self.read(path)
        if named is None or dict(named.fields) != {name: text for name, text in values.items() if name in self.names}:
            raise UsageError(
                f"{path!r} would not be read back by {self.text!r} as what it was printed from.",
                "A field holds a separator of the template, or no date of its form: change the template.",
            )
        return path

    @property
    def names(self) -> frozenset[str]:
        """The fields that it holds."""
        return frozenset(name for _, name, _ in self._groups)

    def may_hold(self, path: str) -> bool:
        """Whether a path that follows it may begin with the folders of *path*.

        >>> template = parse_template("{subject}/{session:%Y%m%d}/Session{ident}")
        >>> [template.may_hold(path) for path in ("M1", "M1/20200101", "M1/20200101/Session2/x", "M1/2020-01-01")]
        [True, True, False, False]
        """
        depth = path.count("/") + 1
        if depth >= self.depth:
            return depth == self.depth and self.read(path) is not None
        beginning = _beginning(self.text, depth)
        return beginning is None or beginning.read(path) is not None

    def why_not(self, path: str) -> str:
        """Why a path does not follow the template, as a clause; '' when it does."""
        if self.read(path) is not None:
            return ""
        match = self._pattern.fullmatch(path)
        if match is None:
            given = path.count("/") + 1
            deep = f"it is {given} folders deep, not {self.depth}" if given != self.depth else ""
            return deep or f"it does not look like {self.text}"
        for group, name, form in self._groups:
            if name in TIMES and match[group] is not None and read_moment([(match[group], form)], alone=True) is None:
                return f"{match[group]!r} is no date in the form {form}"
        return "its day and its time do not go together"


def parse_template(text: str) -> Template:
    """Read a template. Raises `BadTemplate`."""
    parts = _parts(text)
    groups: list[tuple[str, str, str]] = []
    pattern = _pattern(parts, groups, text)
    template = Template(text, text.count("/") + 1, parts, re.compile(pattern, re.DOTALL), tuple(groups))
    if "time" in template.names and not {"date", "session"} & template.names:
        raise BadTemplate(text, "{time} needs a {date} beside it")
    return template


@lru_cache(maxsize=256)
def _beginning(text: str, depth: int) -> Template | None:
    """The first folders of a template; ``None`` where they alone are none: a time without its day."""
    try:
        return parse_template("/".join(text.split("/")[:depth]))
    except BadTemplate:
        return None


def session_templates(texts: Iterable[str]) -> tuple[Template, ...]:
    """The templates of a share: each must tell subject and time. Raises `BadTemplate`."""
    templates = tuple(parse_template(text) for text in tuple(texts) or DEFAULTS)
    for template in templates:
        names = template.names
        if not {"subject", "subject.alias"} & names:
            raise BadTemplate(template.text, "it names no {subject}")
        if not {"session", "date"} & names:
            raise BadTemplate(template.text, "it tells no time: {session:%Y%m%d}")
    return templates


def _parts(text: str) -> list[_Part]:
    if not text or text.startswith("/") or text.endswith("/") or "//" in text:
        raise BadTemplate(text, "it must name folders below the share, as {subject}/{session:%Y%m%d}")
    whole: list[_Part] = []
    inner: list[_Part] | None = None
    for match in _TOKEN.finditer(text):
        doubled, name, form, bracket, literal = match.groups()
        here = whole if inner is None else inner
        if doubled or literal:
            here.append(doubled[0] if doubled else literal)
        elif bracket:
            inner = _turn(text, bracket, whole, inner)
        else:
            here.append(_field(text, name, form or ""))
    if inner is not None:
        raise BadTemplate(text, "a [ is not closed")
    return whole


def _turn(text: str, bracket: str, whole: list[_Part], inner: list[_Part] | None) -> list[_Part] | None:
    """Go into an optional part, or out of it."""
    if bracket == "[" and inner is None:
        return []
    if bracket == "]" and inner:
        if any(isinstance(part, str) and "/" in part for part in inner):
            raise BadTemplate(text, "what stands in brackets cannot hold a /")
        whole.append(inner)
        return None
    problems = {"[": "brackets cannot stand in brackets", "]": "a ] closes nothing"}
    raise BadTemplate(text, problems.get(bracket, f"a {bracket} stands alone; to mean itself it is doubled"))


def _field(text: str, name: str, form: str) -> tuple[str, str]:
    if name not in FIELDS:
        raise BadTemplate(text, f"there is no field {{{name}}}; there are {', '.join(FIELDS)}")
    if name in TIMES:
        if not form:
            raise BadTemplate(text, f"{{{name}}} needs a format, as {{{name}:{TIMES[name]}}}")
    elif form not in TYPES:
        raise BadTemplate(text, f"{{{name}:{form}}}: a text is of type d (digits) or w (a word)")
    return name, form


def _pattern(parts: Iterable[_Part], groups: list[tuple[str, str, str]], text: str) -> str:
    """The regular expression of *parts*; each field's group is noted in *groups*."""
    found = ""
    for part in parts:
        if isinstance(part, str):
            found += re.escape(part)
        elif isinstance(part, list):
            found += f"(?:{_pattern(part, groups, text)})?"
        else:
            found += _group(part, groups, text)
    return found


def _group(part: tuple[str, str], groups: list[tuple[str, str, str]], text: str) -> str:
    name, form = part
    for group, known, other in groups:
        if known == name:
            if other != form:
                raise BadTemplate(text, f"{{{name}}} stands there twice, in two formats")
            return f"(?P={group})"
    group = f"f{len(groups)}"
    groups.append((group, name, form))
    return f"(?P<{group}>{moment_pattern(text, form) if name in TIMES else TYPES[form]})"


def _print(parts: Iterable[_Part], values: Mapping[str, str], text: str) -> str:
    found = ""
    for part in parts:
        if isinstance(part, str):
            found += part
        elif isinstance(part, list):
            if all(values.get(inner[0]) for inner in part if isinstance(inner, tuple)):
                found += _print(part, values, text)
        elif not values.get(part[0]):
            raise UsageError(
                f"{text!r} needs {{{part[0]}}}, which is not known here.", "Put it into brackets: [_{ident}]"
            )
        else:
            found += values[part[0]]
    return found


@record(kw_only=False)
class Reading:
    """What the first template that matches says, and what others would."""

    template: Template
    named: Named
    #: Later templates that read another day in the same name.
    others: tuple[tuple[Template, Named], ...] = ()


def first_reading(templates: Iterable[Template], path: str) -> Reading | None:
    """The reading of a folder by the first template that matches it."""
    found = [(template, named) for template in templates if (named := template.read(path)) is not None]
    if not found:
        return None
    (template, named), *rest = found
    others = tuple((one, other) for one, other in rest if day_of(other.started) != day_of(named.started))
    return Reading(template, named, others)


def near_misses(templates: Iterable[Template], path: str) -> Iterator[str]:
    """What each template of that depth has against a path, as clauses."""
    for template in templates:
        if template.depth == path.count("/") + 1 and (why := template.why_not(path)):
            yield why


def day_of(moment: Moment | None) -> date | None:
    """The day of a time."""
    return moment.date() if isinstance(moment, datetime) else moment
