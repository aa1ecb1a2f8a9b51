"""Laws of connectivity reports: what the tables of each follow from, one report after the other."""

import os
from collections.abc import Iterator, Sequence

import duckdb

from engram.connectome.batches import add_table
from engram.connectome.engine import Work
from engram.connectome.proving.flat_laws import partner_rows
from engram.connectome.proving.laws import Law, Never, Same, ranked, unique
from engram.connectome.proving.scope import has_flat
from engram.connectome.proving.seen import Seen
from engram.connectome.proving.settings import MadeReport
from engram.connectome.reports.promises import FRACTIONS, SUMMED
from engram.connectome.sql import name, selected, text

#: Tables of a report: how the name of its file goes on, what the engine calls it, and which of its columns are read.
_TABLES = {
    "conn_df": (
        "report_synapses",
        (
            *("pre_id", "post_id", "body_pre", "body_post", "body_pre_rank", "body_post_rank", "min_rank", "max_rank"),
            *(f"cumulative_traced_{one}" for one in (*SUMMED, "conn")),
            *(*FRACTIONS, "body_max_rank", "synweight_max_rank", "status"),
        ),
    ),
    "syn_counts_df": (
        "report_bodies",
        ("body", "rank", "status", "presyn", "postsyn", "outputpartners", "synweight"),
    ),
    "downstream-capture": (
        "report_capture",
        ("body_pre", "captured", "not_captured", "downstream", "presyn", "capture_frac"),
    ),
}
#: A fraction of 64-bit floats is what it is computed from, but for its last digits.
_NEARLY = 1e-9


def report_laws(work: Work, seen: Seen, folder: str, paths: Sequence[str]) -> Iterator[Law]:
    """The laws of those reports that are there; tables of the work file are made for each, and dropped.

    Args:
        paths: files that can be read and are what their table promises.
    """
    for place, files in _by_report(paths).items():
        there: dict[str, str] = {}
        for table, (path, columns) in files.items():
            try:
                known = add_table(work, table, os.path.join(folder, path), only=columns)
            except duckdb.InvalidInputException:  # told already: it cannot be read
                continue
            there |= {table: path} if {*columns} - {"status"} <= known.keys() else {}
        made = seen.made.reports.get(place)
        yield from _laws(work, seen, there, made)
        for table in files:
            work.run(f"DROP TABLE IF EXISTS {table}")


def _by_report(paths: Sequence[str]) -> dict[tuple[str, str], dict[str, tuple[str, tuple[str, ...]]]]:
    """The files of each report, by ROI set and name of its folder."""
    found: dict[tuple[str, str], dict[str, tuple[str, tuple[str, ...]]]] = {}
    for path in paths:
        parts = path.split("/")
        if len(parts) == 5 and parts[::2][:2] == ["reports", "reports"]:
            rest = parts[4].removeprefix(f"{parts[3]}-")
            for kind, (table, columns) in _TABLES.items():
                if rest.startswith(f"{kind}-"):
                    found.setdefault((parts[1], parts[3]), {})[table] = (path, columns)
    return found


def _laws(work: Work, seen: Seen, there: dict[str, str], made: MadeReport | None) -> Iterator[Law]:
    if path := there.get("report_bodies"):
        yield from _bodies(path)
    if path := there.get("report_synapses"):
        yield from _synapses(path)
    if path := there.get("report_capture"):
        yield from _capture(path)
    stop = made.stop_at_rank if made else MadeReport.stop_at_rank
    whole = "report_bodies" in there and work.count("SELECT count(*) FROM report_bodies") <= stop
    if {"report_bodies", "report_synapses"} <= there.keys():
        yield from _both(there, whole=whole)
    if made is not None and has_flat(seen) and (not made.rois or made.roiset in seen.columns["points"]):
        yield from _from_flat(seen, there, made, whole=whole)


def _bodies(path: str) -> Iterator[Law]:
    yield unique(path, "report_bodies", "body", "bodies stand in several rows")
    yield ranked(path, "report_bodies")
    shown = "body, rank, synweight, outputpartners, postsyn"
    yield Never(
        path=path,
        what="bodies have another synweight than outputpartners and postsyn together",
        query=f"SELECT {shown} FROM report_bodies WHERE synweight <> outputpartners + postsyn",
    )
    before = "lag({0}) OVER (ORDER BY rank) AS {0}_before"
    ordered = f"SELECT *, {before.format('synweight')}, {before.format('status')} FROM report_bodies"
    yield Never(
        path=path,
        what="bodies are ranked behind others of their status with a smaller synweight",
        query=f"SELECT {shown} FROM ({ordered}) WHERE status_before = status AND synweight_before < synweight",
    )


def _synapses(path: str) -> Iterator[Law]:
    ranks = "body_pre_rank, body_post_rank"
    odd = f"min_rank <> least({ranks}) OR max_rank <> greatest({ranks})"
    odd += " OR body_max_rank <> if(body_pre_rank > body_post_rank, body_pre, body_post)"
    yield Never(
        path=path,
        what="synapses have other ranks than their bodies",
        query=f"SELECT pre_id, post_id, {ranks}, min_rank, max_rank, body_max_rank FROM report_synapses WHERE {odd}",
    )
    grows = [f"cumulative_traced_{one}" for one in SUMMED] + ["max_rank"]
    before = ", ".join(f"lag({one}) OVER () AS {name(one + ' before')}" for one in grows)
    falls = " OR ".join(f"{one} < {name(one + ' before')}" for one in grows)
    yield Never(
        path=path,
        what="synapses are out of their order, or have sums that are less than those before them",
        query="SELECT pre_id, post_id, cumulative_traced_conn AS number FROM"
        f" (SELECT *, rowid, {before} FROM report_synapses) WHERE {falls} OR number <> rowid + 1",
    )
    sums = dict(zip(FRACTIONS, (*SUMMED, "conn"), strict=True))
    # Every fraction of a report has the same divisor, which the last row gives.
    last = ", ".join(
        f"max(cumulative_traced_{one}) / nullif(max({fraction}), 0) AS {name(f'whole {one}')}"
        for fraction, one in sums.items()
    )
    apart = " OR ".join(
        f"abs({fraction} * {name(f'whole {one}')} - cumulative_traced_{one}) > {_NEARLY} * {name(f'whole {one}')}"
        for fraction, one in sums.items()
    )
    shown = ", ".join(("pre_id", "post_id", *sums))
    yield Never(
        path=path,
        what="synapses have fractions that are not those of their sums",
        query=f"SELECT {shown} FROM report_synapses, (SELECT {last} FROM report_synapses) WHERE {apart}",
    )


def _capture(path: str) -> Iterator[Law]:
    yield unique(path, "report_capture", "body_pre", "bodies stand in several rows")
    odd = "downstream <> captured + not_captured OR downstream < 1 OR presyn > downstream OR presyn < 1"
    odd += f" OR abs(capture_frac - captured / downstream) > {1e-6}"
    yield Never(
        path=path,
        what="bodies have another downstream or capture_frac than captured and not_captured give",
        query=f"SELECT * FROM report_capture WHERE {odd}",
    )


def _both(there: dict[str, str], *, whole: bool) -> Iterator[Law]:
    """Bodies and synapses of a report tell the same of each other; *whole*: none were left out for their rank."""
    bodies, synapses = there["report_bodies"], there["report_synapses"]
    ranked = " UNION ".join(
        f"SELECT CAST(body_{side} AS UBIGINT) AS body, CAST(body_{side}_rank AS BIGINT) AS rank FROM report_synapses"
        for side in ("pre", "post")
    )
    known = "SELECT CAST(body AS UBIGINT) AS body, CAST(rank AS BIGINT) AS rank FROM report_bodies"
    yield Never(path=synapses, what=f"bodies have another rank than in {bodies}", query=f"{ranked} EXCEPT {known}")
    if not whole:
        return
    counts = {"presyn": "count(DISTINCT pre_id)", "outputs": "count(*)"}
    sides = (
        f"SELECT CAST(body_pre AS UBIGINT) AS body, {selected(counts)}, 0 AS postsyn FROM report_synapses GROUP BY 1",
        "SELECT CAST(body_post AS UBIGINT) AS body, 0 AS presyn, 0 AS outputs, count(DISTINCT post_id) AS postsyn"
        " FROM report_synapses GROUP BY 1",
    )
    sums = ", ".join(f"CAST(sum({one}) AS BIGINT) AS {one}" for one in (*counts, "postsyn"))
    told = {"presyn": "presyn", "outputs": "outputpartners", "postsyn": "postsyn"}
    here = ", ".join(f"CAST({column} AS BIGINT) AS {one}" for one, column in told.items())
    yield Same(
        path=bodies,
        what="bodies",
        other=f"their synapses in {synapses}",
        here=f"SELECT CAST(body AS UBIGINT) AS body, {here} FROM report_bodies WHERE synweight > 0 OR presyn > 0",
        there=f"SELECT body, {sums} FROM ({' UNION ALL '.join(sides)}) GROUP BY body",
    )
    last = ", ".join(f"CAST(coalesce(max(cumulative_traced_{one}), 0) AS BIGINT) AS {one}" for one in SUMMED)
    all_ = ", ".join(f"CAST(coalesce(sum({one}), 0) AS BIGINT) AS {one}" for one in SUMMED)
    yield Same(
        path=synapses,
        what="last sums",
        other=f"those of all bodies in {bodies}",
        here=f"SELECT {last} FROM report_synapses",
        there=f"SELECT {all_} FROM report_bodies",
    )


def _from_flat(seen: Seen, there: dict[str, str], made: MadeReport, *, whole: bool) -> Iterator[Law]:
    partners = seen.paths["partners"]
    inside = f"CAST({name(made.roiset)} AS VARCHAR) IN ({', '.join(map(text, made.rois))})"
    within = f"IN (SELECT CAST(point_id AS UBIGINT) FROM points WHERE {inside})" if made.rois else "IS NOT NULL"
    rows = f"SELECT * FROM ({partner_rows(seen, 'partners')}) WHERE post_id {within}"
    columns = ("pre_id", "post_id", "body_pre", "body_post")
    if (path := there.get("report_synapses")) and whole:
        plain = ", ".join(f"CAST({one} AS UBIGINT) AS {one}" for one in columns)
        yield Same(
            path=path,
            what="synapses",
            other=f"those of its ROIs in {partners}",
            here=f"SELECT {plain} FROM report_synapses",
            there=f"SELECT {plain} FROM ({rows} AND pre_id {within} AND body_pre <> 0 AND body_post <> 0)",
        )
    if (path := there.get("report_capture")) and seen.has_column("given_annotations", "body", "status"):
        statuses = ", ".join(map(text, made.captured)) or "NULL"
        known = f"SELECT CAST(body AS UBIGINT) FROM given_annotations WHERE CAST(status AS VARCHAR) IN ({statuses})"
        counts = {"captured": f"count(*) FILTER (WHERE body_post IN ({known}))", "downstream": "count(*)"}
        counts["presyn"] = "count(DISTINCT pre_id)"
        here = ", ".join(f"CAST({one} AS BIGINT) AS {one}" for one in counts)
        yield Same(
            path=path,
            what="bodies",
            other=f"their outputs in {partners}, and the statuses in {seen.paths['given_annotations']}",
            here=f"SELECT CAST(body_pre AS UBIGINT) AS body, {here} FROM report_capture",
            there=f"SELECT body_pre AS body, {selected(counts)} FROM ({rows})"
            f" WHERE body_pre IN ({known}) GROUP BY body_pre",
        )
