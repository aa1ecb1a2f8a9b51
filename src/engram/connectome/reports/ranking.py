"""One report: bodies ranked as they are to be traced, and what of the synapses is captured as they are.

Source: neuclease, ``neuclease/misc/completeness.py``
"""

from collections.abc import Sequence
from dataclasses import dataclass

from engram.connectome.engine import Work
from engram.connectome.reports.promises import FRACTIONS, SUMMED
from engram.connectome.sql import name, names, selected, text

#: A rank and another one in one number: the first decides.
_PAIR = "CAST({} AS BIGINT) * 4294967296 + {}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What of a snapshot one report tells."""

    roiset: str
    #: The ROIs that are taken together; none for all synapses.
    rois: tuple[str, ...]
    #: Bodies after this rank are left out.
    stop_at_rank: int
    #: Type of statuses where their order is known: then they decide the ranks of bodies. '' elsewhere.
    status: str
    #: Queries of bodies that take a place in the ranking even if they have no synapse.
    more_bodies: tuple[str, ...] = ()

    @property
    def is_ordered(self) -> bool:
        """Whether the order of statuses is known."""
        return bool(self.status)

    @property
    def within(self) -> str:
        """The condition for points of the report, and for synapses by their PSD."""
        return f"{name(self.roiset)} IN ({', '.join(map(text, self.rois))})" if self.rois else "true"


#: Tables of the work file that a report has to itself, beside its synapses.
_TABLES = ("report body", "report ranked", "report traced", "report curve", "report capture")


def rank_bodies(work: Work, scope: Scope) -> None:
    """Make the view or table ``report synapse``, and the table ``report body``: bodies with their counts and ranks.

    A synapse counts if both of its points lie in the ROIs of the report, and none of its bodies is 0.
    """
    columns = {**{one: one for one in ("pre_id", "post_id", "body_pre", "body_post")}, "roi": name(scope.roiset)}
    synapses = f"SELECT {selected(columns)} FROM partner WHERE body_pre <> 0 AND body_post <> 0 AND {scope.within}"
    if scope.rois:
        within = f"SELECT point_id FROM point WHERE kind = 'PreSyn' AND {scope.within}"
        work.pass_on("report synapse", f"{synapses} AND pre_id IN ({within})")
    else:
        work.view("report synapse", synapses)
    _make_bodies(work, scope)


def _make_bodies(work: Work, scope: Scope) -> None:
    """Make the table ``report body``: each body with its counts and its rank.

    What is counted of bodies is counted one after the other: a question for all of it at once holds all of it.
    """
    by_roi = 'SELECT {} AS body, roi, count(*) AS weight FROM "report synapse" GROUP BY ALL'
    distinct = 'SELECT DISTINCT body_{0} AS body, {0}_id FROM "report synapse"'
    points = f"SELECT body, count(*) AS {{1}} FROM ({distinct}) GROUP BY body"
    parts = {
        "report tbars": points.format("pre", "presyn"),
        "report psds": points.format("post", "postsyn"),
        "report senders": f"SELECT body, sum(weight) AS outputpartners, {_top('output')}"
        f" FROM ({by_roi.format('body_pre')}) GROUP BY body",
        "report receivers": f"SELECT body, {_top('input')} FROM ({by_roi.format('body_post')}) GROUP BY body",
    }
    for part, query in parts.items():
        work.pass_on(part, query)
    kind = scope.status or "VARCHAR"
    counts = {
        "presyn": "CAST(coalesce(max(presyn), 0) AS INTEGER)",
        "postsyn": "CAST(coalesce(max(postsyn), 0) AS INTEGER)",
        "outputpartners": "CAST(coalesce(max(outputpartners), 0) AS BIGINT)",
        "synweight": "CAST(coalesce(max(outputpartners), 0) + coalesce(max(postsyn), 0) AS BIGINT)",
    }
    for side in ("output", "input"):
        roi, weight = f"top_{side}_roi", f"top_{side}_roi_weight"
        counts |= {roi: f"any_value({roi})", weight: f"CAST(coalesce(max({weight}), 0) AS BIGINT)"}
    known = " UNION ALL BY NAME ".join([*(f"SELECT * FROM {name(part)}" for part in parts), *scope.more_bodies])
    counted = f"SELECT body, {selected(counts)} FROM ({known}) WHERE body <> 0 GROUP BY body"
    columns = {
        "body": "counted.body",
        "presyn": "presyn",
        "postsyn": "postsyn",
        "status": f"coalesce(CAST(status AS {kind}), CAST('' AS {kind}))",
        **{column: column for column in counts if column not in ("presyn", "postsyn")},
    }
    order = ("status DESC", *_LARGEST) if scope.is_ordered else _LARGEST
    work.pass_on(
        "report body",
        f"WITH counted AS ({counted}),"
        f" told AS (SELECT {selected(columns)} FROM counted LEFT JOIN annotation ON annotation.body = counted.body)"
        f" SELECT *, row_number() OVER (ORDER BY {', '.join(order)}) AS rank FROM told ORDER BY rank",
    )
    for part in parts:
        work.run(f"DROP TABLE {name(part)}")


_LARGEST = ("synweight DESC", "presyn DESC", "postsyn DESC", "body")


def _top(side: str) -> str:
    """The ROI with the largest weight of a body, and its weight; among equals the first by name."""
    first = "{'weight': -weight, 'roi': CAST(roi AS VARCHAR)}"
    return f"arg_min(roi, {first}) AS top_{side}_roi, max(weight) AS top_{side}_roi_weight"


def trace_synapses(work: Work, scope: Scope) -> None:
    """Make the tables ``report traced`` (synapses as they are captured) and ``report curve`` (the last by max_rank).

    A body counts as traced, with all of its points, from the first row on that names it.
    """
    ranked = (
        'SELECT synapse.*, pre.rank AS pre_rank, post.rank AS post_rank FROM "report synapse" AS synapse'
        ' JOIN "report body" AS pre ON pre.body = body_pre JOIN "report body" AS post ON post.body = body_post'
        f" WHERE pre.rank <= {scope.stop_at_rank} AND post.rank <= {scope.stop_at_rank}"
    )
    key = _PAIR.format("greatest(pre_rank, post_rank)", "least(pre_rank, post_rank)")
    work.pass_on("report ranked", f"SELECT *, {key} AS pair FROM ({ranked})")
    sides = " UNION ALL ".join(
        f'SELECT {side}_rank AS rank, min(pair) AS pair FROM "report ranked" GROUP BY 1' for side in ("pre", "post")
    )
    first = f"SELECT rank, min(pair) AS pair FROM ({sides}) GROUP BY rank"
    added = ", ".join(f"sum({one}) AS {one}" for one in SUMMED)
    steps = f'SELECT pair, {added} FROM ({first}) JOIN "report body" USING (rank) GROUP BY pair'
    reached = ", ".join(f"CAST(sum({one}) OVER (ORDER BY pair) AS BIGINT) AS {one}" for one in SUMMED)
    # Between two rows that name a new body the sums stay: they are the largest so far.
    stays = ", ".join(f"max({one}) OVER (ROWS UNBOUNDED PRECEDING) AS {one}" for one in SUMMED)
    work.pass_on("report step", f"SELECT pair, {reached} FROM ({steps})")
    in_order = (
        f'SELECT ranked.*, {names(SUMMED)} FROM "report ranked" AS ranked LEFT JOIN "report step" USING (pair)'
        " ORDER BY pair, body_pre, pre_id, post_id"
    )
    # Windows without an order of their own take rows as they come, and sort them no second time.
    others = f"* EXCLUDE ({names(SUMMED)}), {stays}, row_number() OVER () AS number"
    work.pass_on("report traced", f"SELECT {others} FROM ({in_order})")
    work.run('DROP TABLE "report step"')
    last = ", ".join(f"max({one}) AS {one}" for one in (*SUMMED, "number"))
    work.pass_on(
        "report curve",
        f'SELECT greatest(pre_rank, post_rank) AS max_rank, {last} FROM "report traced" GROUP BY 1 ORDER BY 1',
    )


def fractions(work: Work) -> dict[str, str]:
    """Expressions of what is traced, of all there is: over ``report traced`` or ``report curve``."""
    sums = ", ".join(f"sum({one})" for one in SUMMED)
    (whole,) = work.rows(f'SELECT {sums} FROM "report body"')
    synapses = work.count('SELECT count(*) FROM "report synapse"')
    parts = zip((*SUMMED, "number"), (*whole, synapses), strict=True)
    return {
        column: f"CAST({one} AS DOUBLE) / {all_ or 1}" for column, (one, all_) in zip(FRACTIONS, parts, strict=True)
    }


def traced_query(work: Work, columns: Sequence[str]) -> str:
    """The rows of the table of synapses, with what is known of the body with max_rank.

    Args:
        columns: those of the table, in their order.
    """
    of_traced = {
        **{one: one for one in ("pre_id", "post_id", "body_pre", "body_post", "roi")},
        "body_pre_rank": "pre_rank",
        "body_post_rank": "post_rank",
        "min_rank": "least(pre_rank, post_rank)",
        "max_rank": "greatest(pre_rank, post_rank)",
        **{f"cumulative_traced_{one}": one for one in SUMMED},
        **fractions(work),
        "cumulative_traced_conn": "number",
    }
    of_last = {"body_max_rank": "last.body", "synweight_max_rank": "last.synweight"}
    found = {column: of_last.get(column) or f"last.{name(column)}" for column in columns if column not in of_traced}
    everything = {column: f"traced.{name(column)}" if column in of_traced else found[column] for column in columns}
    return (
        f'SELECT {selected(everything)} FROM (SELECT {selected(of_traced)} FROM "report traced") AS traced'
        ' JOIN "report body" AS last ON last.rank = max_rank ORDER BY cumulative_traced_conn'
    )


def forget(work: Work, scope: Scope) -> None:
    """Drop what belongs to one report."""
    work.run(f'DROP {"TABLE" if scope.rois else "VIEW"} "report synapse"')
    for table in _TABLES:
        work.run(f"DROP TABLE {name(table)}")
