"""How much is captured as bodies are traced one after the other, in the order of their ranks."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from itertools import chain, pairwise
from math import log10, sqrt
from typing import TYPE_CHECKING, Any

from engram.connectome.reports.plots.colours import INK
from engram.connectome.reports.plots.drawing import Chart
from engram.connectome.reports.plots.style import Colours, by_status, drafted, finished, named

if TYPE_CHECKING:
    import altair as alt

#: Curves by the column of the statistic: what each is called.
CURVES = {
    "traced_presyn_frac": "T-bars",
    "traced_synweight_frac": "synweight",
    "traced_postsyn_frac": "PSDs",
    "traced_conn_frac": "connections",
}
#: Bodies of one status are one line, and so are the ends of a joint. Without an order of statuses, which are mixed
#: then, all bodies are one.
_ONE_LINE, _ALL_ONE_LINE = ["status:N", "joint:N"], ["joint:N"]
_DASHES = {"T-bars": [8, 3], "synweight": [2, 2], "PSDs": [5, 2, 1, 2], "connections": [1, 0]}
#: A page has at most so many bodies; a picture, which nobody can zoom, fewer.
MOST_POINTS = 20_000
_POINTS_OF_PICTURE = 700
_WIDTH, _HEIGHT, _HEIGHT_BELOW = 760, 420, 110
#: How far ticks are apart, as a part of the axis.
_TICK_RATIO = 0.06
#: What ticks begin with, the roundest first.
_ROUND = (10, 50, 20, 30, 40, 60, 80, 15, 12, 18, 25, 70, 90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What becomes captured with each body, best rank first."""

    #: Of each body: `CURVES`, rank, body, status, presyn, postsyn, synweight.

    rows: Sequence[Mapping[str, Any]]
    title: str
    lines: Sequence[str]
    #: By status, best first; none where statuses have no order.
    colours: Mapping[str, str]
    link: str = ""


def thinned(rows: Sequence[Mapping[str, Any]], most: int) -> list[Mapping[str, Any]]:
    """At most so many rows, evenly; with the first and the last, and both sides of each change of status.

    >>> [row["rank"] for row in thinned([{"rank": one, "status": one > 6} for one in range(10)], 6)]
    [0, 5, 6, 7, 9]
    """
    changes = {place for place, (one, other) in enumerate(pairwise(rows)) if one["status"] != other["status"]}
    kept = {0, len(rows) - 1, *changes, *(place + 1 for place in changes)} if rows else set()
    kept = kept if len(kept) < most else {0, len(rows) - 1}
    if len(rows) <= most:
        return list(rows)
    step = -(-len(rows) // (most - len(kept)))
    return [row for place, row in enumerate(rows) if place % step == 0 or place in kept]


def curve_chart(curve: Curve) -> Chart:
    """The plot of a report's curve."""
    present = {row["status"] for row in curve.rows}
    statuses = tuple((status, colour) for status, colour in curve.colours.items() if status in present)
    page, picture = (
        _specified(thinned(curve.rows, most), curve, statuses, moves=moves)
        for most, moves in ((MOST_POINTS, True), (_POINTS_OF_PICTURE, False))
    )
    return Chart(title=curve.title, page=page, picture=picture, link=curve.link)


def _specified(rows: Sequence[Mapping[str, Any]], curve: Curve, colours: Colours, *, moves: bool) -> dict[str, Any]:
    hint = ["A click on the plot opens the body in Neuroglancer."] if moves and curve.link else []
    datasets = {"bodies": rows, "joints": _joints(rows) if colours else []}
    draft = _draft(colours, moves=moves, dots=len(rows) == 1)
    draft = draft if moves else _ticked(draft, ticks(rows[0]["rank"], rows[-1]["rank"]))
    return finished(draft, curve.title, [*curve.lines, *hint], datasets)


def _joints(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Both ends of what joins one status to the next, in the colour of the next."""
    turns = [(one, other) for one, other in pairwise(rows) if one["status"] != other["status"]]
    return [
        {**end, "status": other["status"], "joint": place}
        for place, (one, other) in enumerate(turns)
        for end in (one, other)
    ]


def ticks(first: int, last: int) -> list[int]:
    """Round ranks for the axis, on which places are square roots, none too close to another.

    >>> ticks(1, 419)
    [1, 10, 20, 50, 70, 100, 150, 200, 250, 300, 400]
    >>> ticks(2, 18)
    [2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 18]
    >>> ticks(3, 3)
    [3]
    """
    kept: list[int] = []
    powers = range(int(log10(last)) + 1)
    for rank in chain.from_iterable((start * 10**power // 10 for power in powers) for start in _ROUND):
        whole = rank >= first and rank <= last
        if whole and all(abs(_place(rank, first, last) - _place(one, first, last)) >= _TICK_RATIO for one in kept):
            kept.append(rank)
    return sorted(kept) or [last]


def _place(rank: int, first: int, last: int) -> float:
    """Where a rank is on the axis, from 0 to 1."""
    return (sqrt(rank) - sqrt(first)) / ((sqrt(last) - sqrt(first)) or 1.0)


def _ticked(draft: Mapping[str, Any], values: Sequence[int]) -> dict[str, Any]:
    """The draft with ticks of its own: a picture does not move."""
    found: dict[str, Any] = deepcopy(dict(draft))
    for panel in found["vconcat"]:
        for layer in panel["layer"]:
            axis = layer["encoding"]["x"].get("axis")
            if axis is not None:
                axis["values"] = list(values)
    return found


@cache
def _draft(colours: Colours, *, moves: bool, dots: bool) -> dict[str, Any]:
    """Both panels: what is captured, and below it the size of the body that was traced last."""
    import altair as alt

    colour = by_status(colours, lines=True) if colours else alt.value(INK)
    base = alt.Chart(named("bodies")).properties(width=_WIDTH)
    tens = [10**power for power in range(10)]
    domain = alt.Scale(type="sqrt", nice=False, zero=False)  # what is traced first is few bodies of many
    told = alt.Axis(
        title="body rank, in the order in which bodies are traced (square root)",
        labelOverlap="greedy",
        labelSeparation=6,
    )
    of_rank = alt.X("rank:Q", scale=domain, axis=told)
    silent = alt.X("rank:Q", scale=domain, axis=alt.Axis(title=None, labels=False, ticks=False))
    joints = alt.Chart(named("joints")).properties(width=_WIDTH)
    lines = _ONE_LINE if colours else _ALL_ONE_LINE
    captured, joined = (_captured(one, lines, dots=dots).encode(x=silent, color=colour) for one in (base, joints))
    sized = alt.Y(
        "synweight:Q", scale=alt.Scale(type="log"), axis=alt.Axis(title="synweight", format="~s", values=tens)
    )
    size, sizes_joined = (
        one.mark_line(clip=True, point=dots).encode(x=of_rank, y=sized, color=colour, detail=lines)
        for one in (base, joints)
    )
    panels = [[captured, joined], [size, sizes_joined]]
    if moves:
        for panel, column in zip(panels, ("traced_conn_frac", "synweight"), strict=True):
            panel.append(_pointed_at(base, column, f"pointed_{column}"))
        zoom = alt.selection_interval(name="zoom", bind="scales", encodings=["x"])
        panels[0][0] = captured.properties(name=_view("zoom")).add_params(zoom)
    heights = (_HEIGHT, _HEIGHT_BELOW)
    layers = [alt.layer(*panel).properties(height=height) for panel, height in zip(panels, heights, strict=True)]
    draft = drafted(alt.vconcat(*layers, spacing=14).resolve_scale(x="shared"))
    # Altair gives what moves to every part of a panel that has a name, and Vega takes nothing twice.
    parts = [part["name"] for panel in draft["vconcat"] for part in panel["layer"] if "name" in part]
    for one in draft.get("params", ()):
        one["views"] = [part for part in parts if part.startswith(_view(one["name"]))]
    return draft


def _view(parameter: str) -> str:
    """What the name of the part of the chart begins with that a parameter belongs to: Altair adds a number."""
    return f"view_{parameter}"


def _captured(base: "alt.Chart", lines: list[str], *, dots: bool) -> "alt.Chart":
    """A line for each of `CURVES` and of *lines*; with *dots* its points, too, since a single one is no line."""
    import altair as alt

    names = ", ".join(f"{column}: '{name}'" for column, name in CURVES.items())
    folded = base.transform_fold(list(CURVES), as_=["column", "captured"])
    folded = folded.transform_calculate(curve=f"{{{names}}}[datum.column]")
    dashes = alt.Scale(domain=list(_DASHES), range=list(_DASHES.values()))
    legend = alt.Legend(title="captured of all", symbolType="stroke", symbolSize=700, symbolStrokeColor=INK, offset=18)
    found: alt.Chart = folded.mark_line(clip=True, point=dots).encode(
        y=alt.Y(
            "captured:Q",
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(format="%", title="captured, of all in these ROIs", tickCount=10),
        ),
        detail=lines,
        strokeDash=alt.StrokeDash("curve:N", scale=dashes, sort=list(_DASHES), legend=legend),
        strokeWidth=alt.condition("datum.curve == 'connections'", alt.value(3.2), alt.value(1.8)),
    )
    return found


def _pointed_at(base: "alt.Chart", column: str, name: str) -> "alt.Chart":
    """What is told of the body under the pointer."""
    import altair as alt

    pointed = alt.selection_point(
        name=name, fields=["rank"], nearest=True, on="pointerover", clear="pointerout", empty=False
    )
    seen = alt.condition(pointed, alt.value(1), alt.value(0))
    # The whole row: of single columns, Vega-Lite finds only numbers where the nearest point is told.
    told = alt.TooltipContent("data")
    dots = base.mark_point(filled=True, size=70, color=INK, tooltip=told)
    dots = dots.encode(x="rank:Q", y=f"{column}:Q", opacity=seen)
    found: alt.Chart = dots.properties(name=_view(name)).add_params(pointed)
    return found
