"""The files of ``reports/``: a ranking of bodies for each report, and what the reports of a ROI set say together.

Source: flyem-snapshot, ``flyem_snapshot/outputs/reports.py``
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from engram.connectome.config.outputs import NonSynaptic, ReportSet
from engram.connectome.elements import Elements
from engram.connectome.engine import Work
from engram.connectome.outputs import BytesOutput, Output, TextOutput
from engram.connectome.points import narrowest
from engram.connectome.reports.plotting import group_plots, plotting_of, report_plots
from engram.connectome.reports.promises import BODIES, CAPTURE, CONNECTIONS
from engram.connectome.reports.ranking import Scope, forget, rank_bodies, trace_synapses, traced_query
from engram.connectome.reports.summaries import (
    add_to_summary,
    begin_summary,
    end_summary,
    group_tables,
    read_summary,
    whole_tables,
)
from engram.connectome.sql import name, names, selected, text
from engram.connectome.synapses import Synapses
from engram.connectome.tables import ORDERED, Table


def dashed(report: str) -> str:
    """The name of a report, as files have it.

    >>> dashed("mushroom  body")
    'mushroom-body'
    """
    return "-".join(report.split())


def folder_of(roiset: str, report: str) -> str:
    """The folder of a report's files."""
    return f"reports/{roiset}/reports/{dashed(report)}"


def report_outputs(
    work: Work,
    synapses: Synapses,
    elements: Sequence[Elements],
    wanted: ReportSet,
    *,
    tag: str,
    plots: bool,
    link: str = "",
) -> Iterator[Output | TextOutput | BytesOutput]:
    """The files of the reports of one ROI set.

    Args:
        plots: whether plots are drawn, too.
        link: leads from a plot to one body, in whose place `engram.connectome.neuroglancer.BODY` stands; '' for none.
    """
    order = synapses.annotations.order
    plotting = plotting_of(work, order, tag) if plots else None
    begin_summary(work)
    for place, report in enumerate(wanted.reports):
        scope = Scope(
            roiset=wanted.roiset,
            rois=report.rois,
            stop_at_rank=wanted.stop_at_rank,
            status=synapses.annotations.columns["status"] if order else "",
        )
        bodies = report.non_synaptic_bodies or wanted.non_synaptic_bodies
        scope = replace(scope, more_bodies=_without_synapses(bodies, scope, elements))
        rank_bodies(work, scope)
        trace_synapses(work, scope)
        yield from _tables(work, synapses, scope, wanted.capture_statuses, report=report.name, tag=tag)
        if plotting:
            folder = folder_of(wanted.roiset, report.name)
            about = {"report": report.name, "folder": folder, "link": link}
            yield from report_plots(work, scope, plotting, wanted.capture_statuses, **about)
        add_to_summary(work, scope, report.name, place)
        forget(work, scope)
    reports = [report.name for report in wanted.reports]
    summary = read_summary(work, reports, order) if order else None
    yield from whole_tables(summary, wanted.roiset)
    if summary:
        for group, members in {wanted.roiset: reports, **wanted.capture_summary_subsets}.items():
            yield from group_tables(summary.of(members), wanted.roiset, group)
            if plotting:
                yield from group_plots(plotting, summary.of(members), wanted.roiset, group)
    end_summary(work)


def _without_synapses(wanted: NonSynaptic, scope: Scope, elements: Sequence[Elements]) -> tuple[str, ...]:
    """Queries of the annotated bodies that take a place in the ranking even if they have no synapse in the report."""
    if wanted == "all":
        return ("SELECT body FROM annotation",)
    if wanted == "none":
        return ()
    tables = [one.table for one in elements if scope.roiset in one.rois or not scope.rois]
    inside = (f"SELECT body FROM {name(table)} WHERE {scope.within}" for table in tables)
    return tuple(f"SELECT body FROM annotation WHERE body IN ({query})" for query in inside)


def _tables(
    work: Work, synapses: Synapses, scope: Scope, captured: Sequence[str], *, report: str, tag: str
) -> Iterator[Output]:
    """The tables of one report."""
    given = {"status": ORDERED if scope.is_ordered else "VARCHAR"}

    def promised(table: Table, body: str = synapses.body) -> tuple[Table, str]:
        path = table.file.format(roiset=scope.roiset, report=dashed(report), tag=tag)
        return table.concrete(body=body, given=given), path

    promise, path = promised(CONNECTIONS)
    yield Output(path=path, query=traced_query(work, [one.name for one in promise.columns]), promise=promise)
    largest = work.count('SELECT coalesce(max(body), 0) FROM "report body"')  # of those without synapses, too
    promise, path = promised(BODIES, narrowest(largest))
    query = f'SELECT {names(one.name for one in promise.columns)} FROM "report body" ORDER BY rank'
    yield Output(path=path, query=query, promise=promise)
    promise, path = promised(CAPTURE)
    work.pass_on("report capture", capture_query(scope, captured))
    yield Output(path=path, query='SELECT * FROM "report capture" ORDER BY body_pre', promise=promise)


def capture_query(scope: Scope, statuses: Sequence[str]) -> str:
    """How much of the output of captured bodies ends on captured bodies: synapses count by their PSD alone."""
    known = f"SELECT body FROM annotation WHERE status IN ({', '.join(map(text, statuses)) or 'NULL'})"
    columns = {
        "body_pre": "body_pre",
        "captured": "CAST(count(post.body) AS INTEGER)",
        "not_captured": "CAST(count(*) - count(post.body) AS INTEGER)",
        "downstream": "CAST(count(*) AS INTEGER)",
        "presyn": "count(DISTINCT pre_id)",
        "capture_frac": "CAST(count(post.body) / count(*) AS FLOAT)",
    }
    return (
        f"WITH captured AS ({known}) SELECT {selected(columns)}"
        " FROM partner LEFT JOIN captured AS post ON post.body = body_post"
        f" WHERE body_pre IN (SELECT body FROM captured) AND {scope.within} GROUP BY body_pre ORDER BY body_pre"
    )
