"""Scanning a share: first, again, after a few changes; beside loops that only walk."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from bench import bare_scan, slow_share
from bench.harness import Contender, Scenario, Stage
from bench.places import Space
from bench.results import expect
from bench.rows import Figures, Goal, Room, Row

START, FIRST, AGAIN, CHANGED = "an empty share", "scan", "scan again", "scan after ten changes"
METAS, SLOW, SLOW_AGAIN = "scan of 3,000 metas", "scan at 2 ms a call", "scan again at 2 ms a call"
_BARE = (sys.executable, "-I", bare_scan.__file__)
#: What there is in a session, and the files of each folder.
_FOLDERS = ("", "probe_1", "probe_2", "motive", "logs", "suite2p", "suite2p/plane0", "suite2p/plane1")
_EXTENSIONS = (".bin", ".dat", ".npy", ".txt")
_PER_SESSION = 100
#: A share that was recorded long ago; nothing on it is young.
_THEN = 1_600_000_000
_META_BYTES = 18_000

#: What no scan can do without that is to tell recordings, and to know tomorrow what it saw.
_KEPT = "walk, read, split, convert, keep"

Act = Callable[[Stage], None]


def _make_share(share: Path, sessions: int) -> None:
    """So many sessions of a hundred files in eight folders, twenty to a subject."""
    for number in range(sessions):
        session = share / str(10_000 + number // 20) / _day(number)
        folders = [session / folder for folder in _FOLDERS]
        for place, folder in enumerate(folders):
            folder.mkdir(parents=True, exist_ok=True)
            for file in range(13 if place % 2 else 12):
                (folder / f"file_{file:05d}{_EXTENSIONS[file % 4]}").touch()
        _age(folders)


def make_metas(share: Path, sessions: int) -> None:
    """So many sessions of three Neuropixels streams each."""
    for number in range(sessions):
        session = share / str(10_000 + number // 20) / _day(number)
        folders = [session, *(session / f"probe_{probe}" for probe in (1, 2, 3))]
        for probe, folder in enumerate(folders[1:], start=1):
            folder.mkdir(parents=True)
            (folder / "npx.imec.ap.meta").write_text(_meta(number, probe))
            with (folder / "npx.imec.ap.bin").open("wb") as file:
                file.truncate(385 * 2 * 60)
        _age(folders)


def _day(number: int) -> str:
    return f"20{10 + number % 10:02d}-{1 + number % 12:02d}-{1 + number % 28:02d}_10-00-{number % 60:02d}"


def _meta(number: int, probe: int) -> str:
    """As long as a real one.

    Source: https://billkarsh.github.io/SpikeGLX/Sgl_help/Metadata_Help.html
    """
    day = _day(number)[:10]
    said = {
        "fileCreateTime": f"{day}T10:00:{number % 60:02d}",
        "fileName": f"D:/SGLX/run_g0_t0.imec{probe}.ap.bin",
        "fileSHA1": f"{number * 10 + probe:040X}",
        "fileSizeBytes": 385 * 2 * 60,
        "fileTimeSecs": 60 / 30_000,
        "imDatPrb_pn": "NP1010",
        "imDatPrb_sn": number * 10 + probe,
        "imDatPrb_type": 0,
        "imSampRate": 30_000,
        "nSavedChans": 385,
        "snsApLfSy": "384,0,1",
        "typeThis": "imec",
    }
    text = "".join(f"{name}={value}\n" for name, value in said.items())
    table = "".join(f"({channel} 0 0 500 250 1)" for channel in range(384))
    long = f"~imroTbl=(0,384){table}\n~snsChanMap=(384,384,1){table}\n"
    return text + long + "~muxTbl=" + "(0)" * ((_META_BYTES - len(text) - len(long)) // 3) + "\n"


def _age(folders: list[Path]) -> None:
    for folder in reversed(folders):
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file():
                    os.utime(entry.path, (_THEN, _THEN))
        os.utime(folder, (_THEN, _THEN))


def _make_lab(stage: Stage) -> Path:
    lab = stage.folder / "lab"
    lab.mkdir()
    (stage.folder / "empty").mkdir()
    shares = "".join(f'[shares.{name}]\nroot = "../{name}"\n' for name in ("share", "empty"))
    (lab / "engram.toml").write_text(shares)
    return lab


def _by_engram(sessions: int) -> Act:
    def act(stage: Stage) -> None:
        made = stage.shrunk(sessions)
        lab, share = _make_lab(stage), stage.folder / "share"
        _make_share(share, made)
        scan = ("engram", "sessions", "scan", "share")
        stage.measure(START, *scan[:-1], "empty", at=lab, times=3)
        stage.measure(FIRST, *scan, at=lab)
        stage.measure(AGAIN, *scan, at=lab, times=3)
        _expect(stage, lab, sessions=made, unchanged=made)
        for number in range(min(10, made)):
            (share / str(10_000 + number // 20) / _day(number) / "motive" / "new.dat").touch()
        stage.measure(CHANGED, *scan, at=lab)
        _expect(stage, lab, sessions=made, unchanged=made)
        for name, how in (("os.scandir", "scandir"), ("os.scandir, stat", "scandir-stat"), ("os.walk", "walk")):
            stage.by("python", name).measure(FIRST, *_BARE, how, str(share))
        stage.by("python", "pathlib.rglob").measure(FIRST, *_BARE, "rglob", str(share))

    return act


def _expect(stage: Stage, lab: Path, **counts: int) -> None:
    lines = stage.run("engram", "--json", "sessions", "scan", "share", at=lab).splitlines()
    (found,) = [one for one in map(json.loads, lines) if one["record"] == "scan"]
    for name, count in counts.items():
        expect(found[name] == count, f"{found[name]} {name}, not {count}")


def _metas_by_engram(stage: Stage) -> None:
    made = stage.shrunk(1000)
    lab, share = _make_lab(stage), stage.folder / "share"
    make_metas(share, made)
    stage.measure(START, "engram", "sessions", "scan", "empty", at=lab, times=3)
    stage.measure(METAS, "engram", "sessions", "scan", "share", at=lab)
    _expect(stage, lab, sessions=made, recordings=3 * made)
    stage.by("python", "walk, read, split").measure(METAS, *_BARE, "metas", str(share), times=3)
    stage.by("python", _KEPT).measure(METAS, *_BARE, "metas-kept", str(share), times=3)


def _slowly_by_engram(stage: Stage) -> None:
    share, state = stage.folder / "share", str(stage.folder / "state.db")
    made = stage.shrunk(1000)
    _make_share(share, made)
    command = ("python", slow_share.__file__, str(share), state, "2")
    stage.measure(SLOW, *command)
    stage.measure(SLOW_AGAIN, *command)
    told = json.loads(stage.run(*command))
    expect(told["seen"] == made + 1, f"{told['seen']} were seen, not {made + 1}")


_SCENARIOS = (
    Scenario(
        name="scan-100k",
        title="100,000 files in 8,000 folders, 1,000 sessions",
        contenders=(Contender("engram", _by_engram(1000)),),
        space=Space(size_mib=1024, block_bytes=1024, inodes=200_000),
        repeat=3,
    ),
    Scenario(
        name="scan-metas",
        title="1,000 sessions of three Neuropixels streams",
        contenders=(Contender("engram", _metas_by_engram),),
        space=Space(size_mib=1024, block_bytes=1024, inodes=50_000),
        repeat=3,
    ),
    Scenario(
        name="scan-slow",
        title="the same share when every call takes 2 ms",
        contenders=(Contender("engram", _slowly_by_engram),),
        space=Space(size_mib=1024, block_bytes=1024, inodes=200_000),
        repeat=2,
    ),
    Scenario(
        name="scan-1m",
        title="1,000,000 files in 80,000 folders, 10,000 sessions",
        contenders=(Contender("engram", _by_engram(10_000)),),
        space=Space(size_mib=4096, block_bytes=1024, inodes=1_400_000),
        repeat=1,
    ),
)


def _above_start(scenario: str, step: str, limit: float) -> Goal:
    def value(figures: Figures) -> float:
        return figures.cpu_s(scenario, "engram", step) - figures.cpu_s(scenario, "engram", START)

    return Goal(text=f"{step}, above start-up", limit=limit, unit="s", value=value)


def _memory(scenario: str, limit: float) -> Goal:
    return Goal(
        text=f"peak memory of {scenario}",
        limit=limit,
        unit="MB",
        value=lambda figures: figures.series(scenario, "engram", FIRST).peak_bytes / 1e6,
    )


_ROWS = (
    Row(
        name="scan-100k",
        title="scan of 100,000 files in 8,000 folders, 1,000 sessions",
        shows=tuple(("scan-100k", step) for step in (START, FIRST, AGAIN, CHANGED)),
        goals=(
            _above_start("scan-100k", FIRST, 0.8),
            _above_start("scan-100k", AGAIN, 0.15),
            _above_start("scan-100k", CHANGED, 0.2),
            _memory("scan-100k", 100),
        ),
        quoted={"neuroconv 0.10.2 LocalPathExpander": 4.64, "map-ephys: walk and 41 globs": 1.10},
    ),
    Row(
        name="scan-metas",
        title="scan of 3,000 SpikeGLX metas of 18 KB",
        shows=(("scan-metas", METAS),),
        goals=(
            _above_start("scan-metas", METAS, 0.3),
            Goal(
                text="the same beside a loop that walks, reads, splits, converts and keeps it",
                limit=1.5,
                unit="×",
                value=lambda figures: (
                    (figures.cpu_s("scan-metas", "engram", METAS) - figures.cpu_s("scan-metas", "engram", START))
                    / figures.series("scan-metas", _KEPT, METAS).cpu_s
                ),
            ),
        ),
    ),
    Row(
        name="scan-slow",
        title="scan of 8,000 folders at 2 ms a call",
        shows=(("scan-slow", SLOW), ("scan-slow", SLOW_AGAIN)),
        goals=(
            Goal(
                text=f"wall time of {SLOW}",
                limit=5,
                unit="s",
                value=lambda figures: figures.series("scan-slow", "engram", SLOW).wall_s,
            ),
        ),
    ),
    Row(
        name="scan-1m",
        title="scan of 1,000,000 files against 100,000",
        shows=(("scan-1m", FIRST), ("scan-1m", AGAIN)),
        goals=(
            Goal(
                text="scan of 1,000,000 files against 100,000, above start-up",
                limit=12,
                unit="×",
                value=lambda figures: (
                    (figures.cpu_s("scan-1m", "engram", FIRST) - figures.cpu_s("scan-1m", "engram", START))
                    / (figures.cpu_s("scan-100k", "engram", FIRST) - figures.cpu_s("scan-100k", "engram", START))
                ),
            ),
            _memory("scan-1m", 300),
        ),
        long=True,
    ),
)

SCANNING = Room(rows=_ROWS, scenarios=_SCENARIOS)
