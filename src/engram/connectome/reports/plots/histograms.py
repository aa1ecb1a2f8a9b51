"""How much of the output of captured bodies ends on captured bodies."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from engram.connectome.reports.plots.colours import INK
from engram.connectome.reports.plots.drawing import Chart
from engram.connectome.reports.plots.style import counted, drafted, finished, named

#: Bins from 0 to 1; a body with 1 is in the last.
BINS = 20
_WIDTH, _HEIGHT = 620, 300
#: Beyond this the median's label stands to the left of it.
_FAR_RIGHT = 0.75
_FILL = "#38588c"


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Bodies by the part of their output that is captured."""

    #: Bodies in each of `BINS`.
    counts: Sequence[int]
    median_fraction: float
    title: str
    lines: Sequence[str]


def histogram_chart(wanted: Histogram) -> Chart:
    """The plot of a report's downstream capture."""
    rows = [
        {"from": place / BINS, "to": (place + 1) / BINS, "bodies": count, "none": 0}
        for place, count in enumerate(wanted.counts)
    ]
    half = wanted.median_fraction
    middle = [{"from": half, "text": f"median {100 * half:.1f} %"}]
    lines = [*wanted.lines, counted(sum(wanted.counts), "captured body", "captured bodies")]
    told = finished(_draft(label_left=half > _FAR_RIGHT), wanted.title, lines, {"bins": rows, "median": middle})
    return Chart(title=wanted.title, page=told, picture=told)


@cache
def _draft(*, label_left: bool) -> dict[str, Any]:
    import altair as alt

    parts = alt.Axis(
        format="%", tickCount=10, title="outputs of a body that end on captured bodies, of all its outputs"
    )
    x = alt.X("from:Q", scale=alt.Scale(domain=[0, 1], nice=False), axis=parts)
    y = alt.Y("bodies:Q", axis=alt.Axis(title="captured bodies", format="~s", tickMinStep=1))
    tooltip = [
        alt.Tooltip("from:Q", format=".0%"),
        alt.Tooltip("to:Q", format=".0%"),
        alt.Tooltip("bodies:Q", format=","),
    ]
    bars = alt.Chart(named("bins")).mark_rect(color=_FILL, stroke="white")
    bars = bars.encode(x=x, x2="to:Q", y=y, y2="none:Q", tooltip=tooltip)
    median = alt.Chart(named("median")).encode(x="from:Q")
    label = median.mark_text(
        align="right" if label_left else "left", dx=-6 if label_left else 6, fontSize=12, fontWeight="bold", color=INK
    )
    around = median.mark_rule(color="white", strokeWidth=4)
    rule = median.mark_rule(color=INK, strokeWidth=1.5, strokeDash=[5, 3])
    chart = alt.layer(bars, around, rule, label.encode(y=alt.value(-8), text="text:N"))
    return drafted(chart.properties(width=_WIDTH, height=_HEIGHT))
