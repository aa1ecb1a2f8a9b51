"""How much is captured as bodies are traced one after the other, in the order of their ranks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
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
_DASHES = {"T-bars": [8, 3], "synweight": [2, 2], "PSDs": [5, 2, 1, 2], "connections": [1, 0]}
#: A page has at most so many bodies; a picture, which nobody can zoom, fewer.
MOST_POINTS = 20_000
_POINTS_OF_PICTURE = 700
_WIDTH, _HEIGHT, _HEIGHT_BELOW = 760, 420, 110
#: How far labels of curves are apart, as a part of the axis.
_APART_RATIO = 0.045


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
    datasets = {"bodies": rows, "labels": _labelled(rows)}
    return finished(_draft(colours, moves=moves), curve.title, [*curve.lines, *hint], datasets)


@cache
def _draft(colours: Colours, *, moves: bool) -> dict[str, Any]:
    """Both panels: what is captured, and below it the size of the body that was traced last."""
    import altair as alt

    colour = by_status(colours, lines=True) if colours else alt.value(INK)
    base = alt.Chart(named("bodies")).properties(width=_WIDTH)
    tens = [10**power for power in range(10)]
    domain = alt.Scale(type="sqrt", nice=False, zero=False)  # what is traced first is few bodies of many
    of_rank = alt.X("rank:Q", scale=domain, title="body rank, in the order in which bodies are traced (square root)")
    silent = alt.X("rank:Q", scale=domain, axis=alt.Axis(title=None, labels=False, ticks=False))
    captured = _captured(base).encode(x=silent, color=colour)
    size = base.mark_line(clip=True).encode(
        x=of_rank,
        y=alt.Y("synweight:Q", scale=alt.Scale(type="log"), axis=alt.Axis(title="synweight", format="~s", values=tens)),
        color=colour,
        detail="status:N",
    )
    panels = [[captured, *_labels()], [size]]
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


def _captured(base: "alt.Chart") -> "alt.Chart":
    """A line for each of `CURVES` and status."""
    import altair as alt

    names = ", ".join(f"{column}: '{name}'" for column, name in CURVES.items())
    folded = base.transform_fold(list(CURVES), as_=["column", "captured"])
    folded = folded.transform_calculate(curve=f"{{{names}}}[datum.column]")
    dashes = alt.Scale(domain=list(_DASHES), range=list(_DASHES.values()))
    found: alt.Chart = folded.mark_line(clip=True).encode(
        y=alt.Y(
            "captured:Q",
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(format="%", title="captured, of all in these ROIs", tickCount=10),
        ),
        detail="status:N",
        strokeDash=alt.StrokeDash("curve:N", scale=dashes, sort=list(_DASHES), legend=None),
        strokeWidth=alt.condition("datum.curve == 'connections'", alt.value(3.2), alt.value(1.8)),
    )
    return found


def _labelled(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The name of each curve and its place, where the curves are farthest from each other."""
    widest = max(rows, key=lambda row: row["traced_presyn_frac"] - row["traced_conn_frac"])
    places = sorted((widest[column], name) for column, name in CURVES.items())
    told: list[dict[str, Any]] = []
    for value, name in places:
        lowest = told[-1]["y"] + _APART_RATIO if told else 0.0
        told.append({"rank": widest["rank"], "y": max(value, lowest), "name": name})
    return told


def _labels() -> list["alt.Chart"]:
    """What is written beside curves, with some room around it."""
    import altair as alt

    base = alt.Chart(named("labels")).encode(x="rank:Q", y="y:Q", text="name:N")
    halo: dict[str, Any] = {"align": "left", "dx": 8, "fontSize": 12, "fontWeight": "bold"}
    return [base.mark_text(stroke="white", strokeWidth=4, **halo), base.mark_text(color=INK, **halo)]


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
