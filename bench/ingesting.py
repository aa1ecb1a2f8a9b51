"""What the catalogue costs: sessions and their files, a durable transaction for each session."""

import json
import os
import shutil
import sqlite3
from contextlib import closing

from bench import bare_ingest
from bench.harness import Contender, Scenario, Stage
from bench.places import Space
from bench.results import expect
from bench.rows import Figures, Goal, Room, Row
from bench.scanning import make_metas

START, INGEST, LAB, LIST, FIND = "an empty catalogue", "ingest", "lab show", "sessions list", "sessions find"
MOVE, PLAN, AS_MASSFILE, FROM_MASSFILE = "lab move", "sessions plan", "plan --as-massfile", "plan --from a mass file"
_ALONE = "sqlite3 alone"


def _by_engram(stage: Stage) -> None:
    made = stage.shrunk(1000)
    folder = str(stage.folder)

    def command(how: str, count: int) -> tuple[str, ...]:
        return ("python", bare_ingest.__file__, how, folder, str(count))

    stage.measure(START, *command("engram-made", made), times=3)
    stage.measure(INGEST, *command("engram", made))
    with closing(sqlite3.connect(stage.folder / "engram.db")) as catalogue:
        (files,) = catalogue.execute("SELECT count(*) FROM file").fetchone()
        expect(files == 100 * made, f"{files} files, not {100 * made}")
    stage.by("python", _ALONE).measure(START, *command("sqlite3-read", made), times=3)
    stage.by("python", _ALONE).measure(INGEST, *command("sqlite3", made))
    lab = stage.folder / "lab"
    (lab / ".engram").mkdir(parents=True, exist_ok=True)
    (lab / "engram.toml").touch()
    shutil.copyfile(stage.folder / "engram.db", lab / ".engram/catalogue.db")
    stage.measure(LAB, "engram", "lab", "show", at=lab, times=3)
    stage.measure(LIST, "engram", "sessions", "list", at=lab, times=3)
    stage.measure(FIND, "engram", "sessions", "find", "part042", at=lab, times=3)
    lines = stage.run("engram", "sessions", "find", "part042", at=lab).splitlines()
    expect(len(lines) >= made, f"{len(lines)} lines, not one for each of {made} sessions")
    stage.measure(MOVE, "engram", "lab", "move", "--to", f"sqlite:///{folder}/moved.db", at=lab)
    with closing(sqlite3.connect(stage.folder / "moved.db")) as catalogue:
        (files,) = catalogue.execute("SELECT count(*) FROM file").fetchone()
        expect(files == 100 * made, f"{files} files after the move, not {100 * made}")
    stage.by("python", _ALONE).measure(MOVE, *command("sqlite3-move", made))


def _mass_files(stage: Stage) -> None:
    made = stage.shrunk(1000)
    lab, share = stage.folder / "lab", stage.folder / "share"
    make_metas(share, made)
    lab.mkdir()
    stage.run("engram", "lab", "create", at=lab)
    stage.run("engram", "share", "add", "share", str(share), at=lab)
    stage.run("engram", "subjects", "add", *sorted(os.listdir(share)), at=lab)
    plan = ("engram", "sessions", "plan", "-o", "plan.json")
    stage.run(*plan, at=lab)  # so that what was scanned is known to all that is measured
    stage.measure(PLAN, *plan, at=lab, times=3)
    stage.measure(AS_MASSFILE, "engram", "sessions", "plan", "--as-massfile", "mass.yml", at=lab)
    stage.measure(FROM_MASSFILE, *plan[:3], "--from", "mass.yml", "-o", "from.json", at=lab, times=3)
    steps = len(json.loads((lab / "from.json").read_text())["steps"])
    expect(steps == made, f"{steps} steps by the mass file, not {made}")


_SCENARIOS = (
    Scenario(
        name="ingest-1000",
        title="1,000 sessions with 100,000 file rows into SQLite",
        contenders=(Contender("engram", _by_engram),),
        space=Space(size_mib=512, block_bytes=4096, inodes=10_000),
        repeat=3,
    ),
    Scenario(
        name="massfile-1000",
        title="1,000 sessions of three recordings, none ingested yet",
        contenders=(Contender("engram", _mass_files),),
        space=Space(size_mib=1024, block_bytes=1024, inodes=50_000),
        repeat=2,
    ),
)


def _above(figures: Figures, program: str, step: str, start: str) -> float:
    return figures.cpu_s("ingest-1000", program, step) - figures.cpu_s("ingest-1000", program, start)


def _ingest(figures: Figures) -> float:
    return _above(figures, "engram", INGEST, START)


_ROWS = (
    Row(
        name="ingest-1000",
        title="1,000 sessions with 100,000 file rows into SQLite",
        shows=(("ingest-1000", START), ("ingest-1000", INGEST)),
        goals=(
            Goal(text="ingest, above an empty catalogue", limit=2.0, unit="s", value=_ingest),
            Goal(
                text="the same beside what sqlite3 alone needs for these rows",
                limit=1.5,
                unit="×",
                value=lambda figures: _ingest(figures) / _above(figures, _ALONE, INGEST, START),
            ),
        ),
        quoted={"DataJoint 2.3.5, bulk insert of the files alone": 2.04},
    ),
    Row(
        name="list-1000",
        title="list and find among 1,000 sessions with 100,000 files",
        shows=tuple(("ingest-1000", step) for step in (LAB, LIST, FIND)),
        goals=tuple(
            Goal(
                text=f"{step}, above lab show",
                limit=0.5,
                unit="s",
                value=lambda figures, step=step: _above(figures, "engram", step, LAB),  # type: ignore[misc]  # bound now
            )
            for step in (LIST, FIND)
        ),
    ),
    Row(
        name="move-1000",
        title="a catalogue of 1,000 sessions with 100,000 files into another database, proven to be the same",
        shows=(("ingest-1000", MOVE),),
        goals=(
            Goal(
                text="lab move, above lab show, beside copying and comparing with sqlite3 alone",
                limit=5,
                unit="×",
                value=lambda figures: (
                    (figures.cpu_s("ingest-1000", "engram", MOVE) - figures.cpu_s("ingest-1000", "engram", LAB))
                    / figures.cpu_s("ingest-1000", _ALONE, MOVE)
                ),
            ),
        ),
    ),
    Row(
        name="massfile-1000",
        title="mass files of 1,000 sessions, written and read",
        shows=tuple(("massfile-1000", step) for step in (PLAN, AS_MASSFILE, FROM_MASSFILE)),
        goals=(
            Goal(
                text="plan --from a mass file, above the plan without",
                limit=1.0,
                unit="s",
                value=lambda figures: (
                    figures.cpu_s("massfile-1000", "engram", FROM_MASSFILE)
                    - figures.cpu_s("massfile-1000", "engram", PLAN)
                ),
            ),
        ),
    ),
)

INGESTING = Room(rows=_ROWS, scenarios=_SCENARIOS)
