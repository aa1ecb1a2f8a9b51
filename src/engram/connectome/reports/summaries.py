"""What the reports of a ROI set say together: how much each status captures, in each report.

Source: flyem-snapshot, ``flyem_snapshot/outputs/reports.py``
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from engram.connectome.engine import Work
from engram.connectome.outputs import Output, TextOutput
from engram.connectome.reports.promises import ALL_COUNTS, ALL_STATS, BY_STATUS, CUMULATIVE, FRACTIONS, STATUS_STATS
from engram.connectome.reports.ranking import Scope, fractions
from engram.connectome.sql import names, text
from engram.connectome.tables import Table

STATISTICS = tuple(FRACTIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What the reports of one ROI set, or of a group of them, say of each status."""

    #: Names of the reports, in their order.
    reports: tuple[str, ...]
    #: Statuses that bodies with max_rank have in some report of the ROI set and that are better than none, best first.
    statuses: tuple[str, ...]
    #: Fractions by report, statistic and status, in the order of `statuses`: of bodies of this status or a better one.
    reached: Mapping[str, Mapping[str, tuple[float, ...]]]
    #: T-bars and PSDs by report.
    presyn: Mapping[str, int]
    postsyn: Mapping[str, int]

    def of(self, reports: Sequence[str]) -> "Summary":
        """The same of some of the reports."""
        return Summary(
            reports=tuple(reports),
            statuses=self.statuses,
            reached=self.reached,
            presyn=self.presyn,
            postsyn=self.postsyn,
        )

    def added(self, report: str, statistic: str) -> tuple[float, ...]:
        """What each status adds to those before it."""
        reached = self.reached[report][statistic]
        return tuple(one - before for one, before in zip(reached, (0.0, *reached), strict=False))


def begin_summary(work: Work) -> None:
    """Make the tables ``report stats`` and ``report kinds``, which each report adds its rows to."""
    status = work.columns("annotation")["status"]
    columns = ", ".join(f"{statistic} DOUBLE" for statistic in STATISTICS)
    work.run(f'CREATE TABLE "report stats" (place BIGINT, name VARCHAR, status {status}, {columns})')
    work.run('CREATE TABLE "report kinds" (place BIGINT, name VARCHAR, kind VARCHAR, count BIGINT)')


def add_to_summary(work: Work, scope: Scope, report: str, place: int) -> None:
    """What one report says: its tables of bodies and of the curve are there."""
    who = f"{place}, {text(report)}"
    kinds = f"SELECT {who}, kind, count(*) FROM point WHERE {scope.within} GROUP BY kind"
    work.run(f'INSERT INTO "report kinds" {kinds}')
    if scope.is_ordered:
        reached = ", ".join(f"max({one})" for one in fractions(work).values())
        curve = '(SELECT curve.*, status FROM "report curve" AS curve JOIN "report body" ON rank = max_rank)'
        work.run(f'INSERT INTO "report stats" SELECT {who}, status, {reached} FROM {curve} GROUP BY status')


def end_summary(work: Work) -> None:
    """Drop what `begin_summary` made."""
    for table in ("report stats", "report kinds"):
        work.run(f'DROP TABLE "{table}"')


def read_summary(work: Work, reports: Sequence[str], order: Sequence[str]) -> Summary:
    """What the reports said.

    Args:
        order: statuses from the worst to the best.
    """
    found: dict[str, dict[str, tuple[float, ...]]] = {report: {} for report in reports}
    for report, status, *values in work.rows(f'SELECT name, status, {names(STATISTICS)} FROM "report stats"'):
        found[report][status] = tuple(values)
    seen = {status for one in found.values() for status in one}
    better = order[order.index("") + 1 :]
    statuses = tuple(status for status in reversed(better) if status in seen)
    counts = {
        (report, kind): count for report, kind, count in work.rows('SELECT name, kind, count FROM "report kinds"')
    }
    return Summary(
        reports=tuple(reports),
        statuses=statuses,
        reached={report: _filled(one, statuses) for report, one in found.items()},
        presyn={report: counts.get((report, "PreSyn"), 0) for report in reports},
        postsyn={report: counts.get((report, "PostSyn"), 0) for report in reports},
    )


def _filled(found: Mapping[str, tuple[float, ...]], statuses: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """Fractions by statistic; a status that the report does not have adds nothing to the one before it."""
    last = (0.0,) * len(STATISTICS)
    rows = [last := found.get(status, last) for status in statuses]
    return {statistic: tuple(row[place] for row in rows) for place, statistic in enumerate(STATISTICS)}


def whole_tables(summary: Summary | None, roiset: str) -> Iterator[Output | TextOutput]:
    """The files of all reports of a ROI set.

    Args:
        summary: ``None`` where statuses have no order: then only points are counted.
    """
    order = "ORDER BY place, "
    if summary:
        columns = names(("status", *STATISTICS, "name"))
        query = f'SELECT {columns} FROM "report stats" {order} status DESC'
        promise = ALL_STATS.concrete()
        yield Output(path=ALL_STATS.file.format(roiset=roiset), query=query, promise=promise)
    query = f'SELECT kind, count, name FROM "report kinds" {order} kind'
    yield Output(path=ALL_COUNTS.file.format(roiset=roiset), query=query, promise=ALL_COUNTS)
    if summary:
        rows = [
            (status, *(summary.reached[report][one][place] for one in STATISTICS), report)
            for report in summary.reports
            for place, status in enumerate(summary.statuses)
        ]
        yield _csv(STATUS_STATS.file.format(roiset=roiset), [one.name for one in STATUS_STATS.columns], rows)


def group_tables(summary: Summary, roiset: str, group: str) -> Iterator[TextOutput]:
    """The files of a group of reports: *summary* is of these alone."""
    for statistic in STATISTICS:
        reached = {report: summary.reached[report][statistic] for report in summary.reports}
        added = {report: summary.added(report, statistic) for report in summary.reports}
        for table, values in ((CUMULATIVE, reached), (BY_STATUS, added)):
            path = table.file.format(roiset=roiset, subset=group, statistic=statistic)
            yield _wide(table, path, summary, values)


def _wide(table: Table, path: str, summary: Summary, values: Mapping[str, tuple[float, ...]]) -> TextOutput:
    first, _, *rest = (column.name for column in table.columns)
    rows = [
        (report, *values[report], float(summary.postsyn[report]), float(summary.presyn[report]), place)
        for place, report in enumerate(summary.reports)
    ]
    return _csv(path, [first, *summary.statuses, *rest], rows)


def _csv(path: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> TextOutput:
    """Numbers are as short as they may be and still say what they are, which is what pandas writes, too."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return TextOutput(path=path, text=file.getvalue(), rows=len(rows), columns=len(header))
