"""Horizontal bars: what each status captures in each report, and how many bodies have which status."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal

from engram.connectome.reports.plots.colours import INK
from engram.connectome.reports.plots.drawing import Chart
from engram.connectome.reports.plots.style import (
    BESIDE_PX,
    Colours,
    Datasets,
    by_status,
    drafted,
    finished,
    named,
    shortened,
    whole,
)

if TYPE_CHECKING:
    import altair as alt

#: A bar is so thick on average, and no thicker than the most; its name needs a slot of so many pixels.
_MEAN_PX, _MOST_PX, _LEAST_PX, _SLOT_PX = 14.0, 80.0, 2.5, 15.0
#: So many pixels have all bars together before they become thinner.
_ROOM_PX = 1200.0
_WIDTH, _LABELS_PX = 620, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One report."""

    name: str
    #: Points that the bar's thickness stands for.
    points: int
    #: What each status adds, best first.
    added: Sequence[float]

    @property
    def total(self) -> float:
        """Where the bar ends."""
        return sum(self.added)


def thicknesses(points: Sequence[int]) -> list[float]:
    """Pixels of each bar, as the numbers of points are to each other, but for those that would be too thick or thin.

    >>> thicknesses([100, 100, 100])
    [14.0, 14.0, 14.0]
    >>> thicknesses([998, 20, 10, 1, 1, 1, 1, 1])
    [80.0, 18.29, 9.14, 2.5, 2.5, 2.5, 2.5, 2.5]
    """
    room = max(min(_MEAN_PX * len(points), _ROOM_PX), _MEAN_PX / 2 * len(points))
    rest = sum(points)
    scale = room / max(rest, 1)
    for largest in sorted(points, reverse=True):  # what the largest do not get is for the others
        scale = room / max(rest, 1)
        if scale * largest <= _MOST_PX:
            break
        room, rest = room - _MOST_PX, rest - largest
    return [round(min(max(scale * one, _LEAST_PX), _MOST_PX), 2) for one in points]


def captured_chart(
    bars: Sequence[Bar],
    statuses: Sequence[str],
    colours: Mapping[str, str],
    *,
    title: str,
    lines: Sequence[str],
    points: str,
) -> Chart:
    """What each status captures in each report: a bar that is as thick as the report has points.

    Args:
        statuses: best first.
        points: what is counted, in the plural.
    """
    thick = thicknesses([bar.points for bar in bars])
    slots = [max(_SLOT_PX, one + 3) for one in thick]
    middles = [end - slot / 2 for end, slot in zip(accumulate(slots), slots, strict=True)]
    segments, names = [], []
    for bar, px, middle in zip(bars, thick, middles, strict=True):
        ends = list(accumulate(bar.added))
        about = {"report": bar.name, "points": bar.points, "top": middle - px / 2, "bottom": middle + px / 2}
        for status, added, end in zip(statuses, bar.added, ends, strict=True):
            if added > 0:
                segments.append(about | {"status": status, "added": added, "from": end - added, "to": end})
        told = {"name": shortened(bar.name), "y": middle, "report": bar.name, "end": bar.total}
        names.append(told | {"count": whole(bar.points), "percent": f"{100 * bar.total:.1f} %"})
    datasets: Datasets = {"segments": segments, "bars": names, "head": [{"text": points}]}
    draft = _draft(tuple((status, colours[status]) for status in statuses), axis=lines[0], points=points)
    chart = finished(draft | {"height": sum(slots)}, title, lines[1:], datasets)
    return Chart(title=title, page=chart, picture=chart)


@cache
def _draft(colours: Colours, *, axis: str, points: str) -> dict[str, Any]:
    import altair as alt

    whole_height = alt.Scale(domainMin=0, domainMax=alt.ExprRef("height"), reverse=True, nice=False, zero=False)
    y = alt.Y("top:Q", scale=whole_height, axis=None)
    x = alt.X(
        "from:Q", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=10, title=axis, orient="top")
    )
    tooltip = [
        alt.Tooltip("report:N"),
        alt.Tooltip("points:Q", title=points, format=","),
        alt.Tooltip("status:N"),
        alt.Tooltip("added:Q", title="this status", format=".2%"),
        alt.Tooltip("to:Q", title="with better ones", format=".2%"),
    ]
    pieces = alt.Chart(named("segments")).mark_rect(stroke="white", strokeWidth=0.4)
    colour = by_status(colours, lines=False)
    pieces = pieces.encode(x=x, x2="to:Q", y=y, y2="bottom:Q", color=colour, tooltip=tooltip)
    labels = alt.Chart(named("bars"))
    beside = alt.value(_WIDTH + BESIDE_PX)
    head = alt.Chart(named("head")).mark_text(align="right", dy=-12, color="#5a5a5a", fontSize=_LABELS_PX)
    chart = alt.layer(
        pieces,
        _text(labels, "name", alt.value(-10), align="right"),
        _text(labels, "percent", alt.X("end:Q"), align="left", dx=5),
        _text(labels, "count", beside, align="right"),
        head.encode(x=beside, y=alt.value(0), text="text:N"),
    )
    return drafted(chart.properties(width=_WIDTH))


def _text(
    base: "alt.Chart",
    column: str,
    x: Any,  # noqa: ANN401 (a channel or a value)
    *,
    align: Literal["left", "right"],
    dx: int = 0,
) -> "alt.Chart":
    import altair as alt

    marks: alt.Chart = base.mark_text(align=align, baseline="middle", dx=dx, fontSize=_LABELS_PX, color=INK)
    told: alt.Chart = marks.encode(x=x, y=alt.Y("y:Q"), text=f"{column}:N", tooltip=alt.Tooltip("report:N"))
    return told


def counts_chart(counts: Mapping[str, int], colours: Mapping[str, str], *, title: str, lines: Sequence[str]) -> Chart:
    """How many bodies have which status, best first."""
    import altair as alt

    rows = [
        {"status": status, "name": shortened(status), "count": count, "told": whole(count), "place": place}
        for place, (status, count) in enumerate(counts.items())
    ]
    y = alt.Y("place:O", axis=None, scale=alt.Scale(paddingInner=0.2))
    base = alt.Chart(named("statuses")).encode(y=y)
    bars = base.mark_bar().encode(
        x=alt.X("count:Q", axis=alt.Axis(title="bodies", format=",d", tickCount=6, tickMinStep=1, orient="top")),
        color=alt.Color(
            "status:N",
            legend=None,
            scale=alt.Scale(domain=list(counts), range=[colours.get(one, INK) for one in counts]),
        ),
        tooltip=[alt.Tooltip("status:N"), alt.Tooltip("count:Q", title="bodies", format=",")],
    )
    label: dict[str, Any] = {"baseline": "middle", "fontSize": _LABELS_PX, "color": INK}
    chart = alt.layer(
        bars,
        base.mark_text(align="left", dx=5, **label).encode(x="count:Q", text="told:N"),
        base.mark_text(align="right", **label).encode(x=alt.value(-8), text="name:N"),
    ).properties(width=_WIDTH, height=alt.Step(22))
    told = finished(drafted(chart), title, lines, {"statuses": rows})
    return Chart(title=title, page=told, picture=told)
