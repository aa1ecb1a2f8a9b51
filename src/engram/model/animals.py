"""People, subjects, probes and implants, as the lab's catalogue has them."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from shlex import quote
from typing import Any


def how_to_add(subject: str) -> str:
    r"""What to do about a subject that the catalogue has not; its name may come from anybody, and is to be pasted.

    >>> how_to_add("12347"), how_to_add("-x; rm y")
    ('add it: engram subjects add 12347', "add it: engram subjects add -- '-x; rm y'")
    >>> how_to_add("a\nb")
    'rename it: nobody can type that name'
    """
    if not subject.isprintable():
        return "rename it: nobody can type that name"
    return f"add it: engram subjects add {'-- ' if subject.startswith('-') else ''}{quote(subject)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """One more name of a subject, while it had it."""

    #: What kind of name: ``water-restriction``, ``colony``, …
    kind: str
    name: str
    #: First and last day; ``None``: always, still.
    since: date | None = None
    until: date | None = None

    def as_json(self) -> dict[str, Any]:
        """One of the *aliases* of a subject."""
        return _plain(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An animal, or a person, that is recorded from."""

    #: What it is called in the lab.
    name: str
    species: str = ""
    #: F, M, U (unknown) or O (other), as NWB has it; '' when nobody said.
    sex: str = ""
    born: date | None = None
    died: date | None = None
    #: Strain, line or genotype.
    strain: str = ""
    #: The breeder, the colony.
    source: str = ""
    cage: str = ""
    #: Date of its first experiment or restriction.
    started: date | None = None
    #: Its weight on that day, in grams.
    start_weight_g: float | None = None
    #: Who is responsible for it: a person's name.
    responsible: str = ""
    note: str = ""
    aliases: tuple[Alias, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The record behind ``subjects list --json``. Fields may be added, never changed."""
        aliases = [alias.as_json() for alias in self.aliases]
        return {"record": "subject", **_plain(self, but="aliases"), "aliases": aliases}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody of the lab."""

    #: The account's name.
    name: str
    full_name: str = ""
    email: str = ""
    orcid: str = ""
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """The record behind ``people list --json``. Fields may be added, never changed."""
        return {"record": "person", **_plain(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where one shank of an implant was to go, and where it is."""

    #: From 0; -1: the whole probe.
    shank: int = -1
    #: Brain area that was aimed at, and that histology found.
    intended: str = ""
    actual: str = ""
    #: Anterior of bregma, right of the midline.
    ap_mm: float | None = None
    ml_mm: float | None = None
    #: Of the tip, along the shank.
    depth_um: float | None = None

    def as_json(self) -> dict[str, Any]:
        """One of the *sites* of an implant."""
        return _plain(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Implant:
    """A probe in a subject, from its insertion to its removal."""

    subject: str
    #: Its serial number.
    probe: str
    #: By the clock of the lab; no zone is kept.
    inserted: datetime
    removed: datetime | None = None
    #: What the lab calls it: ``1``, ``left``.
    name: str = ""
    note: str = ""
    sites: tuple[Site, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """One of the *implants* of a probe."""
        return {**_plain(self, but="sites"), "sites": [site.as_json() for site in self.sites]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A probe, and where it was implanted."""

    #: The serial number that its maker gave it.
    serial: str
    #: As its maker says: ``NP1010``.
    type: str = ""
    maker: str = ""
    shanks: int | None = None
    note: str = ""
    implants: tuple[Implant, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The record behind ``probes list --json``. Fields may be added, never changed."""
        return {"record": "probe", **_plain(self, but="implants"), "implants": [one.as_json() for one in self.implants]}


def _plain(record: "Alias | Subject | Person | Site | Implant | Probe", but: str = "") -> dict[str, Any]:
    values = ((entry.name, getattr(record, entry.name)) for entry in fields(record) if entry.name != but)
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values}
