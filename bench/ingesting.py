"""What the catalogue costs: sessions and their files, a durable transaction for each session."""

import sqlite3
from contextlib import closing

from bench import bare_ingest
from bench.harness import Contender, Scenario, Stage
from bench.places import Space
from bench.results import expect
from bench.rows import Figures, Goal, Room, Row

START, INGEST = "an empty catalogue", "ingest"


def _by_engram(stage: Stage) -> None:
    made = stage.shrunk(1000)
    folder = str(stage.folder)

    def command(how: str, count: int) -> tuple[str, ...]:
        return ("python", bare_ingest.__file__, how, folder, str(count))

    stage.measure(START, *command("engram", 0), times=3)
    stage.measure(INGEST, *command("engram", made))
    with closing(sqlite3.connect(stage.folder / "engram.db")) as catalogue:
        (files,) = catalogue.execute("SELECT count(*) FROM file").fetchone()
        expect(files == 100 * made, f"{files} files, not {100 * made}")
    stage.by("python", "sqlite3 alone").measure(INGEST, *command("sqlite3", made))


_SCENARIOS = (
    Scenario(
        name="ingest-1000",
        title="1,000 sessions with 100,000 file rows into SQLite",
        contenders=(Contender("engram", _by_engram),),
        space=Space(size_mib=512, block_bytes=4096, inodes=10_000),
        repeat=3,
    ),
)


def _above_start(figures: Figures) -> float:
    return figures.cpu_s("ingest-1000", "engram", INGEST) - figures.cpu_s("ingest-1000", "engram", START)


_ROWS = (
    Row(
        name="ingest-1000",
        title="1,000 sessions with 100,000 file rows into SQLite",
        shows=(("ingest-1000", START), ("ingest-1000", INGEST)),
        goals=(Goal(text="ingest, above an empty catalogue", limit=2.0, unit="s", value=_above_start),),
        quoted={"DataJoint 2.3.5, bulk insert of the files alone": 2.04},
    ),
)

INGESTING = Room(rows=_ROWS, scenarios=_SCENARIOS)
