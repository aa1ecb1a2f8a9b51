"""What a snapshot of a connectome costs: all tables, files for neuPrint and nine reports; and these, plotted or not."""

import json
from collections.abc import Callable

from bench.connectomes import make_connectome
from bench.harness import Contender, Scenario, Stage
from bench.places import Space
from bench.results import expect
from bench.rows import Figures, Goal, Room, Row

BUILD, AGAIN = "snapshot build", "the same again"
TABLES, PLOTS = "nine reports, no plots", "nine reports with all plots"
#: Connections that are kept, of all of them: those of a confidence below 0.4 are left out.
_KEPT_RATIO = 0.9


def _build(psds: int, memory: str) -> Callable[[Stage], None]:
    def by_engram(stage: Stage) -> None:
        made = stage.shrunk(psds)
        config = make_connectome(stage.folder / "made", made)
        out = stage.folder / "out"
        words = ("-c", str(config), "-o", str(out), "--memory", memory, "-J", "2", "--no-plots")
        stage.measure(BUILD, "engram", "snapshot", "build", *words)
        stage.measure(AGAIN, "engram", "snapshot", "build", *words)
        told = json.loads((out / "provenance.json").read_text())
        rows = {table["path"]: table["rows"] for table in told["tables"]}
        edges = rows["neuprint/Neuprint_Synapse_Connections.csv"]
        expect(_KEPT_RATIO * made < edges <= made, f"{edges} synapses of {made}")
        reports = [path for path in rows if path.startswith("reports/")]
        expect((len(rows), len(reports)) == (78, 46), f"{len(rows)} files and {len(reports)} of reports, not 78 and 46")

    return by_engram


def _report(psds: int, memory: str) -> Callable[[Stage], None]:
    def by_engram(stage: Stage) -> None:
        config = make_connectome(stage.folder / "made", stage.shrunk(psds)).with_name("reports.yaml")
        words = ("engram", "snapshot", "build", "-c", str(config), "--memory", memory, "-J", "2")
        stage.measure(TABLES, *words, "-o", str(stage.folder / "tables"), "--no-plots")
        stage.measure(PLOTS, *words, "-o", str(stage.folder / "plots"))
        plots = [path for path in (stage.folder / "plots").rglob("*") if path.suffix in (".html", ".png")]
        expect(len(plots) == 70, f"{len(plots)} files of plots, not 70")

    return by_engram


def _large(psds: int, title: str) -> Scenario:
    """A GB of outputs a million connections, half as much again at the worst moment, and what it is made from."""
    return Scenario(
        name=f"snapshot-{psds // 1_000_000}m",
        title=title,
        contenders=(Contender("engram", _build(psds, "4GB")),),
        space=Space(size_mib=2048 * psds // 1_000_000, block_bytes=4096, inodes=10_000, on_disk=True),
        repeat=1,
    )


_SCENARIOS = (
    Scenario(
        name="snapshot-100k",
        title="A connectome of 100,000 connections",
        contenders=(Contender("engram", _build(100_000, "1500MB")),),
        space=Space(size_mib=1024, block_bytes=4096, inodes=10_000),
        repeat=3,
    ),
    Scenario(
        name="snapshot-1m",
        title="A connectome of a million connections",
        contenders=(Contender("engram", _build(1_000_000, "1500MB")),),
        space=Space(size_mib=6144, block_bytes=4096, inodes=10_000),
        repeat=3,
    ),
    _large(5_000_000, "A connectome of five million connections"),
    _large(10_000_000, "A connectome of ten million connections"),
    _large(20_000_000, "A connectome of twenty million connections"),
    Scenario(
        name="reports-1m",
        title="Reports on a million connections",
        contenders=(Contender("engram", _report(1_000_000, "1500MB")),),
        space=Space(size_mib=3072, block_bytes=4096, inodes=10_000),
        repeat=3,
    ),
)


def _peak(scenario: str) -> Callable[[Figures], float]:
    return lambda figures: figures.series(scenario, "engram", BUILD).peak_bytes / 1e6


def _cpu(scenario: str, step: str = BUILD) -> Callable[[Figures], float]:
    return lambda figures: figures.cpu_s(scenario, "engram", step)


def _growth(larger: str, smaller: str, times: int) -> Callable[[Figures], float]:
    """How much more a connection costs in the *larger* one, which has so many *times* more of them."""
    return lambda figures: _cpu(larger)(figures) / _cpu(smaller)(figures) / times


_PEER = "flyem-snapshot b7c8db8, with nine reports, without plots"
_ROWS = (
    Row(
        name="snapshot-100k",
        title="a snapshot of 100,000 connections",
        shows=(("snapshot-100k", BUILD), ("snapshot-100k", AGAIN)),
        goals=(),
        quoted={_PEER: 82},
    ),
    Row(
        name="snapshot-1m",
        title="a snapshot of 1,000,000 connections",
        shows=(("snapshot-1m", BUILD), ("snapshot-1m", AGAIN)),
        goals=(
            Goal(text="snapshot build of a million connections", limit=25, unit="s", value=_cpu("snapshot-1m")),
            Goal(text="an unchanged second build", limit=2, unit="s", value=_cpu("snapshot-1m", AGAIN)),
            Goal(text="peak memory of it", limit=1500, unit="MB", value=_peak("snapshot-1m")),
        ),
        quoted={_PEER: 807},
        long=True,
    ),
    Row(
        name="snapshot-20m",
        title="snapshots of 5, 10 and 20 million connections, with --memory 4GB",
        shows=tuple((f"snapshot-{millions}m", step) for millions in (5, 10, 20) for step in (BUILD, AGAIN)),
        goals=(
            Goal(text="snapshot build of ten million connections", limit=250, unit="s", value=_cpu("snapshot-10m")),
            Goal(text="peak memory of it", limit=4000, unit="MB", value=_peak("snapshot-10m")),
            Goal(text="peak memory of twenty million", limit=4000, unit="MB", value=_peak("snapshot-20m")),
            Goal(
                text="a connection among ten million, beside one among five",
                limit=1.15,
                unit="×",
                value=_growth("snapshot-10m", "snapshot-5m", 2),
            ),
            Goal(
                text="a connection among twenty million, beside one among five",
                limit=1.15,
                unit="×",
                value=_growth("snapshot-20m", "snapshot-5m", 4),
            ),
        ),
        quoted={f"{_PEER}, ten million: about": 10_000},
        long=True,
    ),
    Row(
        name="reports-1m",
        title="nine reports on 1,000,000 connections",
        shows=(("reports-1m", TABLES), ("reports-1m", PLOTS)),
        goals=(
            Goal(
                text="nine reports of a million connections, with all plots",
                limit=40,
                unit="s",
                value=_cpu("reports-1m", PLOTS),
            ),
        ),
        quoted={"flyem-snapshot b7c8db8: the plots alone, wall seconds": 85},
        long=True,
    ),
)

SNAPSHOTS = Room(rows=_ROWS, scenarios=_SCENARIOS)
