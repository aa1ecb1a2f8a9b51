"""Plots of reports: what is asked of the tables for each of them, and the files that they become.

Source: flyem-snapshot, ``flyem_snapshot/outputs/reports.py`` and ``flyem_snapshot/inputs/annotations.py`` (names of
files, and what each plot shows)
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engram.connectome.engine import Work
from engram.connectome.outputs import BytesOutput
from engram.connectome.reports.plots.bars import Bar, captured_chart, counts_chart
from engram.connectome.reports.plots.colours import colours
from engram.connectome.reports.plots.curves import MOST_POINTS, Curve, curve_chart
from engram.connectome.reports.plots.drawing import Chart, page_of, picture_of
from engram.connectome.reports.plots.histograms import BINS, Histogram, histogram_chart
from engram.connectome.reports.plots.style import counted
from engram.connectome.reports.promises import FRACTIONS
from engram.connectome.reports.ranking import Scope, fractions
from engram.connectome.reports.summaries import Summary
from engram.connectome.sql import selected

#: What statistics are called in the names of files, in titles, and what they are parts of.
_CALLED = {
    "traced_presyn_frac": ("presyn", "T-bars"),
    "traced_postsyn_frac": ("postsyn", "PSDs"),
    "traced_conn_frac": ("connectivity", "connectivity"),
    "traced_synweight_frac": ("synweight", "synweight"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plotting:
    """How the reports of a snapshot are drawn."""

    tag: str
    #: Colour by status, best first; none where statuses have no order.
    colours: Mapping[str, str]
    #: Statuses from the worst to the best.
    order: Sequence[str]


def plotting_of(work: Work, order: Sequence[str], tag: str) -> Plotting:
    """How to draw: a status has one colour in all plots of a snapshot."""
    found = {str(status or "") for (status,) in work.rows("SELECT DISTINCT status FROM annotation")}
    return Plotting(tag=tag, colours=colours([*found, ""], order) if order else {}, order=order)


def drawn(folder: str, name: str, chart: Chart) -> Iterator[BytesOutput]:
    """The files of a plot."""
    yield BytesOutput(path=f"{folder}/html/{name}.html", content=page_of(chart).encode())
    yield BytesOutput(path=f"{folder}/png/{name}.png", content=picture_of(chart))


def report_plots(
    work: Work, scope: Scope, plotting: Plotting, captured: Sequence[str], *, report: str, folder: str, link: str
) -> Iterator[BytesOutput]:
    """The plots of one report, as far as there is something to show.

    Args:
        captured: statuses of captured bodies.
        folder: of its files, whose name is that of the report with dashes.
        link: where a click on a body leads; '' for nowhere.
    """
    name = folder.rpartition("/")[2]
    bodies, synapses = (work.count(f'SELECT count(*) FROM "report {one}"') for one in ("body", "synapse"))
    where = ", ".join(scope.rois) if len(scope.rois) <= _MOST_ROIS else f"{len(scope.rois)} ROIs"
    of = f"{counted(bodies, 'body', 'bodies')} and {counted(synapses, 'connection', 'connections')}"
    about = f"snapshot {plotting.tag}; {of} in {where or 'all ROIs'}"
    rows = curve_rows(work)
    if rows:
        by = "status from the best on, then synweight" if plotting.order else "synweight"
        curve = Curve(
            rows=rows,
            title=f"{report}: what is captured as bodies are traced",
            lines=[about, f"Ranks: {by} (inputs + outputs) from the largest on."],
            colours=plotting.colours,
            link=link,
        )
        kind = "cumulative-connectivity-with-links" if plotting.order else "cumulative-connectivity"
        yield from drawn(folder, f"{name}-{kind}-{plotting.tag}", curve_chart(curve))
    counts, half = _capture(work)
    if counts:
        histogram = Histogram(
            counts=counts,
            median_fraction=half,
            title=f"{report}: downstream capture of captured bodies",
            lines=[about, f"Captured: {captured_words(captured, plotting.order)}."],
        )
        yield from drawn(folder, f"{name}-downstream-capture-{plotting.tag}", histogram_chart(histogram))


_MOST_ROIS = 4


def captured_words(statuses: Sequence[str], order: Sequence[str]) -> str:
    """Which bodies are captured, in words.

    >>> captured_words(["Traced", "Anchor"], ["Glia", "", "Anchor", "Traced"])
    'bodies whose status is Anchor or better'
    >>> captured_words(["Glia", "Traced"], ["Glia", "", "Anchor", "Traced"])
    'bodies whose status is one of Glia, Traced'
    """
    worst = min((order.index(one) for one in statuses if one in order), default=-1)
    if worst >= 0 and set(order[worst:]) <= set(statuses):
        return f"bodies whose status is {order[worst] or 'empty'} or better"
    return f"bodies whose status is one of {', '.join(statuses)}"


def curve_rows(work: Work) -> list[dict[str, Any]]:
    """Rows of the curve: at most as many as a page has, with both sides of each change of status."""
    count = work.count('SELECT count(*) FROM "report curve"')
    changes = 2 * work.count('SELECT count(DISTINCT status) FROM "report body"') + 2
    step = -(-count // max(MOST_POINTS - changes, 1)) or 1
    columns = {
        "rank": "max_rank",
        "body": "CAST(body AS VARCHAR)",
        "status": "CAST(status AS VARCHAR)",
        **{one: one for one in (*FRACTIONS, "presyn", "postsyn", "synweight")},
    }
    reached = {one: f"round({expression}, 6)" for one, expression in fractions(work).items()}
    reached_by = f'SELECT max_rank, {selected(reached)} FROM "report curve"'
    joined = f'FROM ({reached_by}) JOIN "report body" ON rank = max_rank'
    turns = " OR ".join(f"{side}(status) OVER (ORDER BY rank) IS DISTINCT FROM status" for side in ("lag", "lead"))
    found = work.rows(
        f"SELECT {selected(columns)} {joined}"
        f" QUALIFY (row_number() OVER (ORDER BY max_rank) - 1) % {step} = 0 OR {turns} ORDER BY max_rank"
    )
    return [dict(zip(columns, row, strict=True)) for row in found]


def _capture(work: Work) -> tuple[list[int], float]:
    """Bodies of ``report capture`` in each bin, and the middle of them; none if there are none."""
    part = "captured / downstream"
    binned = f"least(CAST(floor({part} * {BINS}) AS INTEGER), {BINS - 1})"
    found = dict(work.rows(f'SELECT {binned} AS bin, count(*) FROM "report capture" GROUP BY bin'))
    if not found:
        return [], 0.0
    ((half,),) = work.rows(f'SELECT median({part}) FROM "report capture"')
    return [found.get(place, 0) for place in range(BINS)], float(half)


def group_plots(plotting: Plotting, summary: Summary, roiset: str, group: str) -> Iterator[BytesOutput]:
    """The plots of a group of reports: *summary* is of these alone."""
    if not summary.statuses or not summary.reports:
        return
    for statistic, (word, title) in _CALLED.items():
        counted = summary.presyn if word == "presyn" else summary.postsyn
        points = "T-bars" if word == "presyn" else "PSDs"
        bars = [
            Bar(name=report, points=counted[report], added=summary.added(report, statistic))
            for report in summary.reports
        ]
        by_total = sorted(bars, key=lambda bar: bar.total)
        name = "-".join(f"{group} captured {word} by status and roi".lower().split())
        for end, shown, order in (
            ("", bars, "in the configuration's order"),
            ("-sorted", by_total, "least captured first"),
        ):
            chart = captured_chart(
                shown,
                summary.statuses,
                plotting.colours,
                title=f"{group}: captured {title} by status and ROI",
                lines=[
                    FRACTIONS[statistic],
                    f"snapshot {plotting.tag}; what bodies of each status add when traced after the better ones",
                    f"Reports {order}; bars are as thick as there are {points}, within limits.",
                ],
                points=points,
            )
            yield from drawn(f"reports/{roiset}/{group}", f"{name}{end}", chart)


def status_plot(work: Work, plotting: Plotting) -> Iterator[BytesOutput]:
    """The plot of how many bodies have which status."""
    order = "annotation.status DESC" if plotting.order else "annotation.status"
    counts: dict[str, int] = dict(
        work.rows(
            "SELECT CAST(status AS VARCHAR), count(*) FROM annotation WHERE status <> ''"
            f" GROUP BY annotation.status ORDER BY {order}"
        )
    )
    if counts:
        lines = [f"snapshot {plotting.tag}; bodies without a status are left out"]
        chart = counts_chart(counts, plotting.colours, title="Annotated bodies by status", lines=lines)
        yield from drawn("reports", f"body-status-counts-{plotting.tag}", chart)
