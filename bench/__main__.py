"""``python -m bench [ROW...]``: do the work of the rows with engram and its peers, and print what it cost."""

import argparse
import json
import signal
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from bench.auditing import AUDITING
from bench.copies import COPIES
from bench.datasets import DATASETS
from bench.dropping import DROPPING
from bench.getting import GETTING
from bench.harness import Bench
from bench.ingesting import INGESTING
from bench.machine import describe_machine, load
from bench.nesting import NESTING
from bench.places import has_loop_mounts, scratch
from bench.provenance import PROVENANCE
from bench.report import as_json, as_markdown, put_into
from bench.rows import Figures, Row
from bench.scanning import SCANNING
from bench.snapshots import SNAPSHOTS
from bench.tools import compile_all, engram_commit, find_tools, make_home

_ROOMS = (DATASETS, NESTING, COPIES, PROVENANCE, GETTING, DROPPING, AUDITING, SCANNING, INGESTING, SNAPSHOTS)
_ROWS = {row.name: row for room in _ROOMS for row in room.rows}
_SCENARIOS = {scenario.name: scenario for room in _ROOMS for scenario in room.scenarios}


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)
    rows = _chosen(options)
    began = datetime.now(UTC)
    begin_load = load()
    loop_mounts = has_loop_mounts()
    with scratch() as folder, scratch(on_disk=True) as disk:
        home = make_home(folder)
        tools = find_tools(home, peers=not options.no_peers)
        compile_all(tools.values())
        bench = Bench(
            tools=tools,
            scratch=folder,
            disk=disk,
            home=home,
            loop_mounts=loop_mounts,
            repeat=options.repeat,
            shrink=options.shrink,
            tell=_tell,
        )
        found = {name: bench.carry_out(_SCENARIOS[name], steps) for name, steps in _wanted(rows).items()}
        figures = Figures(found, count=options.shrink == 1)
    about = {
        "date": began.isoformat(timespec="seconds"),
        "command": _command(options),
        "commit": engram_commit(),
        "machine": describe_machine(),
        "programs": {tool.name: tool.version for tool in tools.values()},
        "place": _place(loop_mounts=loop_mounts),
        "load": [begin_load, load()],
    }
    _write(options, rows, figures, about)
    return 1 if any(found.broken for found in figures.found.values()) else 0


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(
        f"  {row.name:12} {row.title}{' (only with --long)' if row.long else ''}" for row in _ROWS.values()
    )
    parser = argparse.ArgumentParser(
        prog="./dev bench",
        description="Do the same work with engram and its peers, in turns, and compare CPU seconds and memory.",
        epilog=f"rows:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help="which rows (default: all but the long ones)")
    parser.add_argument("--long", action="store_true", help="the long rows, too")
    parser.add_argument("--repeat", type=int, default=0, metavar="N", help="turns of each (default: 1 to 15, by row)")
    parser.add_argument(
        "--shrink",
        type=int,
        default=1,
        metavar="N",
        help="N times less data, to try the bench itself: no goal is judged",
    )
    parser.add_argument("--no-peers", action="store_true", help="only engram, git and the floors")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, as JSON")
    parser.add_argument(
        "--into", type=Path, metavar="PAGE", help="put the tables between the marks of this Markdown page"
    )
    parser.add_argument("--mark", default="bench", help="which marks: <!-- MARK: begin --> and <!-- MARK: end -->")
    return parser


def _command(options: argparse.Namespace) -> str:
    """What was asked for: without where it was written."""
    said = ["--long"] * options.long + ["--no-peers"] * options.no_peers
    numbers = {"--repeat": (options.repeat, 0), "--shrink": (options.shrink, 1)}
    said += [f"{name} {value}" for name, (value, default) in numbers.items() if value != default]
    return " ".join(["./dev bench", *options.rows, *said])


def _chosen(options: argparse.Namespace) -> list[Row]:
    if unknown := [name for name in options.rows if name not in _ROWS]:
        _parser().error(f"there is no row {unknown[0]}; rows are {', '.join(_ROWS)}")
    if options.rows:
        return [row for name, row in _ROWS.items() if name in options.rows]
    return [row for row in _ROWS.values() if options.long or not row.long]


def _wanted(rows: Iterable[Row]) -> dict[str, set[str]]:
    """The scenarios that *rows* need, in their own order, with the steps that are shown of each."""
    shown = {shows for row in rows for shows in row.shows}
    steps = {name: {step for scenario, step in shown if scenario == name} for name in _SCENARIOS}
    return {name: wanted for name, wanted in steps.items() if wanted}


def _write(options: argparse.Namespace, rows: list[Row], figures: Figures, about: dict[str, Any]) -> None:
    tables = as_markdown(rows, figures, {name: _as_text(value) for name, value in about.items()})
    print(tables)
    if options.json:
        options.json.write_text(json.dumps(as_json(rows, figures, about), indent=1) + "\n", encoding="utf-8")
    if options.into:
        options.into.write_text(
            put_into(options.into.read_text(encoding="utf-8"), tables, options.mark), encoding="utf-8"
        )


def _place(*, loop_mounts: bool) -> str:
    if loop_mounts:
        return "a fresh ext4 for every turn, in memory unless it is too large"
    return "a fresh folder for every turn (a fresh ext4 in memory needs root and loop mounts)"


def _as_text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {text}" for name, text in value.items())
    return " at the beginning, ".join(map(str, value)) + " at the end" if isinstance(value, list) else str(value)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _stop(signal_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + signal_number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
