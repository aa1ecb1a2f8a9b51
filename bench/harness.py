"""Measure programs that do the same work: in turns, each in a fresh place, and only when the result is right.

CPU seconds (user and system) of the whole process tree are what is compared: on a shared machine they are steady where
wall clock is not. The time of kernel threads (writing back to the disk, say) belongs to no process and is not in them.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from bench.places import Space, mounted, plain
from bench.tools import Tool

_RUNNER = Path(__file__).with_name("runner.py")
_TIMEOUT_S = 3600.0


class Broken(Exception):
    """A run that must not count: the program failed, or its result is not what it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one run of one command cost."""

    cpu_s: float
    wall_s: float
    #: Of the largest process.
    peak_bytes: int
    #: By how much the file system was fuller than before, at the worst moment.
    disk_bytes: int


@dataclass(frozen=True, slots=True)
class Series:
    """All runs of one command by one program: at least one."""

    samples: tuple[Sample, ...]

    @property
    def cpu_s(self) -> float:
        """The least: whatever else runs on the machine makes a program use more, never less than it needs."""
        return min(sample.cpu_s for sample in self.samples)

    @property
    def median_cpu_s(self) -> float:
        return median(sample.cpu_s for sample in self.samples)

    @property
    def wall_s(self) -> float:
        return min(sample.wall_s for sample in self.samples)

    @property
    def peak_bytes(self) -> int:
        return max(sample.peak_bytes for sample in self.samples)

    @property
    def disk_bytes(self) -> int:
        return max(sample.disk_bytes for sample in self.samples)


@dataclass(frozen=True, slots=True)
class Run:
    """Who did what, and what it cost."""

    program: str
    step: str
    sample: Sample


@dataclass(slots=True, kw_only=True)
class Stage:
    """One turn of one program: a fresh place, its environment, and what was measured there."""

    program: str
    tool: Tool
    #: All that are installed, by name.
    tools: Mapping[str, Tool]
    folder: Path
    home: Path
    #: 0 for the first turn: costly verification is for that one.
    turn: int
    #: How many times less data than the scenario says.
    shrink: int = 1
    runs: list[Run] = field(default_factory=list)

    def shrunk(self, count: int) -> int:
        """*count*, or less when the bench itself is tried out."""
        return max(1, count // self.shrink)

    def by(self, tool: str, program: str = "") -> "Stage":
        """The same place in the hands of another *tool*; its runs count for *program*, if that is another name."""
        return replace(self, program=program or tool, tool=self.tools[tool])

    def run(self, *command: str, at: Path | None = None) -> str:
        """What *command* prints; it is not measured, and must succeed."""
        done = subprocess.run(
            ("env", *command),
            cwd=at or self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
        )
        if done.returncode:
            raise Broken(
                f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-1000:]}{done.stdout[-1000:]}"
            )
        return done.stdout

    def measure(self, step: str, *command: str, at: Path | None = None, times: int = 1) -> None:
        """Run *command*, *times* over, and keep what it cost as *step*; it must succeed."""
        for _ in range(times):
            self.runs.append(Run(self.program, step, self._measured(command, at or self.folder)))

    def settle(self) -> None:
        """Bring to the disk what was written there, so that the next to be measured does not pay for it."""
        self.run("sync", "-f", str(self.folder))

    @property
    def environment(self) -> dict[str, str]:
        return self.tool.environment(self.home)

    def _measured(self, command: Sequence[str], at: Path) -> Sample:
        report, output = self.home / "report", self.home / "output"
        with output.open("wb") as sink:
            subprocess.run(
                (sys.executable, "-I", "-S", str(_RUNNER), str(report), *command),
                cwd=at,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                check=True,
                timeout=_TIMEOUT_S,
            )
        found = json.loads(report.read_text())
        if found["exit_code"]:
            printed = output.read_text(errors="replace")[-2000:]
            raise Broken(f"{' '.join(command)} ended with {found['exit_code']}: {printed}")
        return Sample(
            cpu_s=found["user_s"] + found["system_s"],
            wall_s=found["wall_s"],
            peak_bytes=found["peak_bytes"],
            disk_bytes=found["disk_bytes"],
        )


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to do the work of a scenario."""

    #: What the tables call it.
    name: str
    #: Sets up, measures, verifies.
    act: Callable[[Stage], None]
    #: What must be installed for it, by the names of `bench.tools.find_tools`; empty: what its name says.
    needs: str = ""
    #: The steps that it measures, so that it can be left out when nobody asks for them; empty: it is always there.
    gives: tuple[str, ...] = ()

    @property
    def tool(self) -> str:
        return self.needs or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Work that several contenders do in turns."""

    name: str
    #: What is done, and on what.
    title: str
    contenders: tuple[Contender, ...]
    space: Space = Space(size_mib=2048)
    repeat: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a run of the bench found out, for one scenario."""

    scenario: Scenario
    #: By program and step.
    series: Mapping[tuple[str, str], Series]
    #: Why a contender's turns do not count, by its name.
    broken: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Carries out scenarios."""

    tools: Mapping[str, Tool]
    #: In memory, if there is such a place.
    scratch: Path
    #: For what would not fit into memory.
    disk: Path
    home: Path
    loop_mounts: bool
    #: 0: as often as each scenario says.
    repeat: int = 0
    shrink: int = 1
    tell: Callable[[str], None]

    def carry_out(self, scenario: Scenario, steps: Collection[str]) -> Found:
        """Every contender that is installed and gives one of *steps*, in turns: what disturbs one disturbs all."""
        contenders = [one for one in scenario.contenders if one.tool in self.tools and _is_wanted(one, steps)]
        runs: list[Run] = []
        broken: dict[str, str] = {}
        for turn in range(self.repeat or scenario.repeat):
            for contender in contenders:
                if contender.name in broken:
                    continue
                try:
                    runs += self._turn(scenario, contender, turn)
                except (Broken, subprocess.SubprocessError) as reason:
                    broken[contender.name] = str(reason)
                    self.tell(f"  {contender.name}: BROKEN: {reason}")
        return Found(
            scenario=scenario, series=series_of(run for run in runs if run.program not in broken), broken=broken
        )

    def _turn(self, scenario: Scenario, contender: Contender, turn: int) -> list[Run]:
        with self._place(scenario.space) as place:
            stage = Stage(
                program=contender.name,
                tool=self.tools[contender.tool],
                tools=self.tools,
                folder=place,
                home=self.home,
                turn=turn,
                shrink=self.shrink,
            )
            contender.act(stage)
        for (program, step), series in series_of(stage.runs).items():
            self.tell(
                f"  {scenario.name} {turn + 1}: {program} {step}: {series.cpu_s:.3f} CPU s ({series.wall_s:.3f} s)"
            )
        return stage.runs

    def _place(self, space: Space) -> AbstractContextManager[Path]:
        where = self.disk if space.on_disk else self.scratch
        return mounted(where, space) if self.loop_mounts else plain(where)


def _is_wanted(contender: Contender, steps: Collection[str]) -> bool:
    return not contender.gives or not set(contender.gives).isdisjoint(steps)


def series_of(runs: Iterable[Run]) -> dict[tuple[str, str], Series]:
    """The runs of each program and step together."""
    together: dict[tuple[str, str], list[Sample]] = {}
    for run in runs:
        together.setdefault((run.program, run.step), []).append(run.sample)
    return {key: Series(tuple(samples)) for key, samples in together.items()}
