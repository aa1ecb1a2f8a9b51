"""Laws of what the reports of a ROI set say together: of each status and each report, what is captured.

The tables are as small as the number of reports times that of statuses, so that they are compared in Python.
"""

import csv
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from engram.connectome.batches import add_table
from engram.connectome.engine import Work
from engram.connectome.proving.schema import promise_of
from engram.connectome.proving.scope import has_flat
from engram.connectome.proving.seen import Seen
from engram.connectome.proving.told import Wrong
from engram.connectome.reports.exporting import dashed
from engram.connectome.reports.promises import (
    ALL_COUNTS,
    ALL_STATS,
    BY_STATUS,
    CONNECTIONS,
    CUMULATIVE,
    FRACTIONS,
    STATUS_STATS,
)
from engram.connectome.sql import name, names, text

#: Columns of the wide tables that are no status.
_NO_STATUS = ("name", "PostSyn", "PreSyn", "report_index")
_KINDS = ("PreSyn", "PostSyn")
_NEARLY = 1e-9


@dataclass(slots=True)
class _Set:
    """What the files of one ROI set say."""

    #: Paths by table; of groups, by table, group and statistic.
    paths: dict[str, str] = field(default_factory=dict)
    wide: list[tuple[str, str, str]] = field(default_factory=list)
    #: Fractions by report and status, in the order of `FRACTIONS`.
    reached: dict[tuple[str, str], tuple[float, ...]] = field(default_factory=dict)
    #: Points by report and kind.
    counts: dict[tuple[str, str], float] = field(default_factory=dict)
    #: Tables of synapses by the name of the report's folder, and the fractions that their last rows of a status have.
    reports: dict[str, str] = field(default_factory=dict)
    curves: dict[str, dict[str, tuple[float, ...]]] = field(default_factory=dict)


def summary_laws(work: Work, seen: Seen, folder: str, paths: Sequence[str]) -> Iterator[Wrong]:
    """What is wrong with the tables of each ROI set's reports, which are those of *paths*."""
    for roiset, found in _by_set(paths).items():
        try:
            yield from _of_set(work, seen, folder, roiset, found)
        except (OSError, UnicodeDecodeError, csv.Error, ValueError, KeyError) as error:
            path = found.paths.get(STATUS_STATS.name) or f"reports/{roiset}"
            yield Wrong(path=path, message=f"holds values that cannot be compared: {error}")


def _by_set(paths: Sequence[str]) -> dict[str, _Set]:
    found: dict[str, _Set] = defaultdict(_Set)
    for path in paths:
        table, _ = promise_of(path)
        parts = path.split("/")
        if table in (ALL_STATS, ALL_COUNTS, STATUS_STATS):
            found[parts[1]].paths[table.name] = path
        elif table in (CUMULATIVE, BY_STATUS):
            found[parts[1]].wide.append((table.name, parts[2], path))
        elif table is CONNECTIONS:
            found[parts[1]].reports[parts[3]] = path
    return found


def _of_set(work: Work, seen: Seen, folder: str, roiset: str, found: _Set) -> Iterator[Wrong]:
    found.curves = {report: _curve(work, folder, path) for report, path in found.reports.items()}
    if path := found.paths.get(STATUS_STATS.name):
        yield from _read_stats(path, _rows(folder, path), found)
        for (title, status), values in found.reached.items():
            yield from _from_synapses(path, found, title, status, values)
    for table in (ALL_STATS, ALL_COUNTS):
        if path := found.paths.get(table.name):
            add_table(work, "report_summary", os.path.join(folder, path))
            compare = _read_all_stats if table is ALL_STATS else _read_counts
            yield from compare(work, path, found)
            work.run("DROP TABLE report_summary")
    if path := found.paths.get(ALL_COUNTS.name):
        yield from _from_points(work, seen, roiset, path, found)
    for kind, group, path in found.wide:
        yield from _wide(kind, group, path, _rows(folder, path), found)
    yield from _steps(folder, found)


def _rows(folder: str, path: str) -> list[dict[str, str]]:
    with open(os.path.join(folder, path), newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


# ---- what each status captures ---------------------------------------------------------------------------------------


def _read_stats(path: str, rows: Sequence[Mapping[str, str]], found: _Set) -> Iterator[Wrong]:
    """Fractions lie between 0 and 1, and are the larger the more statuses count."""
    before: dict[str, tuple[float, ...]] = {}
    for row in rows:
        key, values = (row["name"], row["status"]), tuple(float(row[one]) for one in FRACTIONS)
        where = f"report {key[0]}, status {key[1]!r}"
        if key in found.reached:
            yield Wrong(path=path, message=f"{where}: stands in several rows")
        if not all(0 <= one <= 1 + _NEARLY for one in values):
            yield Wrong(path=path, message=f"{where}: a fraction is not from 0 to 1")
        last = before.get(key[0], values)
        if any(one < other for one, other in zip(values, last, strict=True)):
            yield Wrong(path=path, message=f"{where}: a fraction is less than that of better statuses alone")
        found.reached[key] = before[key[0]] = values


def _curve(work: Work, folder: str, path: str) -> dict[str, tuple[float, ...]]:
    """What each status captures: what the last synapse of a body of that status says; nothing without statuses."""
    wanted = ("max_rank", "status", *FRACTIONS)
    known = add_table(work, "report_curve", os.path.join(folder, path), only=wanted)
    largest = ", ".join(f"max({one})" for one in FRACTIONS)
    query = f"SELECT CAST(status AS VARCHAR), {largest} FROM report_curve GROUP BY ALL"
    rows = work.rows(query) if {*wanted} <= known.keys() else []
    work.run("DROP TABLE report_curve")
    return {status: tuple(values) for status, *values in rows}


def _from_synapses(path: str, found: _Set, title: str, status: str, values: Sequence[float]) -> Iterator[Wrong]:
    report = dashed(title)
    told = found.curves.get(report, {}).get(status)
    if told is not None and not _alike(values, told):
        of = found.reports[report]
        message = f"report {title}, status {status!r}: its fractions are not those of the last synapse in {of}"
        yield Wrong(path=path, message=message)


def _read_all_stats(work: Work, path: str, found: _Set) -> Iterator[Wrong]:
    """The same once more, of statuses that are worse than none, too."""
    rows = work.rows(f"SELECT name, CAST(status AS VARCHAR), {names(FRACTIONS)} FROM report_summary")
    for title, status, *values in rows:
        yield from _from_synapses(path, found, title, status, values)
        told = found.reached.get((title, status))
        if told is not None and not _alike(told, values):
            other = found.paths[STATUS_STATS.name]
            yield Wrong(path=path, message=f"report {title}, status {status!r}: {other} has other fractions")
    listed = [(dashed(title), status) for title, status, *_ in rows if dashed(title) in found.curves]
    known = [(report, status) for report, curve in found.curves.items() for status in curve]
    if sorted(listed) != sorted(known):
        odd = sorted({*listed} ^ {*known}) or sorted(listed)
        yield Wrong(path=path, message=f"has not one row for each report and status; among these: {', '.join(odd[0])}")


def _alike(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(abs(a - b) <= _NEARLY for a, b in zip(one, other, strict=True))


# ---- how many points there are ---------------------------------------------------------------------------------------


def _read_counts(work: Work, path: str, found: _Set) -> Iterator[Wrong]:
    for title, kind, count in work.rows("SELECT name, CAST(kind AS VARCHAR), count FROM report_summary"):
        if (title, kind) in found.counts:
            yield Wrong(path=path, message=f"report {title}: {kind} stands in several rows")
        found.counts[title, kind] = float(count)


def _from_points(work: Work, seen: Seen, roiset: str, path: str, found: _Set) -> Iterator[Wrong]:
    made = [one for one in seen.made.reports.values() if one.roiset == roiset]
    if not has_flat(seen) or (any(one.rois for one in made) and roiset not in seen.columns["points"]):
        return
    for one in made:
        inside = f"CAST({name(roiset)} AS VARCHAR) IN ({', '.join(map(text, one.rois))})" if one.rois else "true"
        rows = work.rows(f"SELECT CAST(kind AS VARCHAR), count(*) FROM points WHERE {inside} GROUP BY 1")
        counted = dict(rows)
        for kind in _KINDS:
            told = found.counts.get((one.name, kind), 0)
            if told != counted.get(kind, 0):
                message = (
                    f"report {one.name}: counts {told:.0f} {kind}; {seen.paths['points']} has {counted.get(kind, 0)}"
                )
                yield Wrong(path=path, message=message)


# ---- groups of reports -----------------------------------------------------------------------------------------------


def _wide(kind: str, group: str, path: str, rows: Sequence[Mapping[str, str]], found: _Set) -> Iterator[Wrong]:
    statistic = _statistic(path, kind, group)
    for number, row in enumerate(rows):
        where = f"report {row['name']}"
        if int(row["report_index"]) != number:
            yield Wrong(path=path, message=f"{where}: its report_index is not its place, {number}")
        for point in _KINDS:
            told = found.counts.setdefault((row["name"], point), float(row[point]))
            if told != float(row[point]):
                yield Wrong(path=path, message=f"{where}: counts {row[point]} {point}, and elsewhere {told}")
        if kind == CUMULATIVE.name:
            yield from _reached(path, row, found, statistic)
    known = {title for title, _ in found.reached}
    listed = {row["name"] for row in rows}
    if len(listed) < len(rows) or (known and not listed <= known):
        yield Wrong(path=path, message="has a report twice, or one that no other table has")


def _reached(path: str, row: Mapping[str, str], found: _Set, statistic: str) -> Iterator[Wrong]:
    if statistic not in FRACTIONS:
        return
    place = list(FRACTIONS).index(statistic)
    for status, value in row.items():
        told = found.reached.get((row["name"], status)) if status not in _NO_STATUS else None
        if told is not None and abs(told[place] - float(value)) > _NEARLY:
            other = found.paths[STATUS_STATS.name]
            message = f"report {row['name']}, status {status!r}: has {value}; {other} has {told[place]}"
            yield Wrong(path=path, message=message)


def _statistic(path: str, kind: str, group: str) -> str:
    stem = path.rpartition("/")[2].removesuffix("-by-status.csv").removeprefix(f"{group}-")
    return stem.removeprefix("cumulative-") if kind == CUMULATIVE.name else stem


def _steps(folder: str, found: _Set) -> Iterator[Wrong]:
    """What each status adds, one after the other, is what all of them reach."""
    by_place = {(kind, group, _statistic(path, kind, group)): path for kind, group, path in found.wide}
    for (kind, group, statistic), path in by_place.items():
        other = by_place.get((CUMULATIVE.name, group, statistic))
        if kind == CUMULATIVE.name or other is None:
            continue
        for added, reached in zip(_rows(folder, path), _rows(folder, other), strict=False):
            statuses = [one for one in reached if one not in _NO_STATUS]
            sums = [0.0, *(float(reached[one]) for one in statuses)]
            steps = [after - before for before, after in pairwise(sums)]
            told = [float(added[one]) for one in statuses]
            if added["name"] != reached["name"] or not _alike(told, steps):
                message = f"report {added['name']}: what statuses add is not what they reach in {other}"
                yield Wrong(path=path, message=message)
        if len(_rows(folder, path)) != len(_rows(folder, other)):
            yield Wrong(path=path, message=f"has other reports than {other}")
