"""What the bench compares, as data: rows, the figures that they show, and the goals that they are held to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bench.harness import Found, Scenario, Series


@dataclass(frozen=True, slots=True)
class Figures:
    """What was found in all scenarios of a run. A figure that was not measured is a `LookupError`."""

    found: Mapping[str, Found]
    #: False when the bench itself was tried out, with less data: then no goal is judged.
    count: bool = True

    def series(self, scenario: str, program: str, step: str) -> Series:
        return self.found[scenario].series[program, step]

    def cpu_s(self, scenario: str, program: str, step: str) -> float:
        return self.series(scenario, program, step).cpu_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A bound on one figure."""

    text: str
    limit: float
    #: ``s``, ``ms``, ``MB`` or ``×``.
    unit: str
    value: Callable[[Figures], float]
    at_least: bool = False

    def of(self, figures: Figures) -> float | None:
        """The figure, or None if it was not measured."""
        try:
            return self.value(figures) if figures.count else None
        except LookupError:
            return None

    def is_met_by(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit

    @property
    def bound(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g} {self.unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One comparison, chosen by its name."""

    name: str
    title: str
    #: Scenario and step of every figure that it shows.
    shows: tuple[tuple[str, str], ...]
    goals: tuple[Goal, ...]
    #: CPU seconds of programs that cannot be installed everywhere, by name and version: measured earlier, on two
    #: cores of an AMD EPYC.
    quoted: Mapping[str, float] = field(default_factory=dict)
    #: Only with ``--long``, or by name.
    long: bool = False

    @property
    def scenarios(self) -> frozenset[str]:
        return frozenset(scenario for scenario, _ in self.shows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What one room of the house has to show."""

    rows: tuple[Row, ...]
    scenarios: tuple[Scenario, ...]
