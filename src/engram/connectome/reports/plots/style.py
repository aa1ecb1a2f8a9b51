"""What all plots have in common: fonts, axes, titles, legends of statuses."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from engram.connectome.reports.plots.colours import INK
from engram.connectome.reports.plots.drawing import FONT

if TYPE_CHECKING:
    import altair as alt

_PALE = "#e8e8e8"
#: Longer names are cut in the middle of a plot, and whole where the pointer is.
LONGEST_LABEL = 28
#: Pixels beside bars, for how long they are, and for the numbers of points.
BESIDE_PX = 130
_MARGIN_PX = 18
#: Legends below each other.
_APART = {"right": {"anchor": "start", "direction": "vertical", "margin": 18}}


#: Colour by status, best first; in pairs, so that a draft is made once for all reports that have the same.
Colours: TypeAlias = tuple[tuple[str, str], ...]
#: Rows by the name under which charts have them: Altair would look at each of them for minutes.
Datasets: TypeAlias = Mapping[str, Sequence[Mapping[str, Any]]]


def named(dataset: str) -> "alt.NamedData":
    """Rows that `finished` puts into the chart."""
    import altair as alt

    return alt.NamedData(name=dataset)


def shortened(name: str) -> str:
    """A name that has room beside a bar.

    >>> shortened("a ROI with a name that nobody should have given it(L)")
    'a ROI with a name th…n it(L)'
    """
    return name if len(name) <= LONGEST_LABEL else f"{name[: LONGEST_LABEL - 8]}…{name[-7:]}"


def whole(count: int) -> str:
    """A number with its thousands apart.

    >>> whole(1234567)
    '1,234,567'
    """
    return f"{count:,}"


def counted(count: int, one: str, several: str) -> str:
    """So many of something.

    >>> counted(1, "body", "bodies"), counted(1200, "body", "bodies")
    ('1 body', '1,200 bodies')
    """
    return f"{whole(count)} {one if count == 1 else several}"


def by_status(colours: Colours, *, lines: bool) -> "alt.Color":
    """Colours of statuses, with a legend of them, best first.

    Args:
        lines: whether lines have them; else bars, beside which there is something, have.
    """
    import altair as alt

    statuses = [status for status, _ in colours]
    scale = alt.Scale(domain=statuses, range=[colour for _, colour in colours])
    symbol: dict[str, Any] = {"symbolType": "square", "symbolSize": 190}
    if lines:
        symbol = {"symbolType": "stroke", "symbolSize": 260, "symbolStrokeWidth": 6}
    offset = _MARGIN_PX if lines else _MARGIN_PX + BESIDE_PX
    legend = alt.Legend(title="status", offset=offset, labelExpr="datum.label || 'no status'", **symbol)
    return alt.Color("status:N", scale=scale, sort=statuses, legend=legend)


def drafted(chart: "alt.LayerChart | alt.FacetChart | alt.VConcatChart") -> dict[str, Any]:
    """The chart in Vega-Lite's words, without its rows: the same for all reports."""
    told = chart.configure(background="white", padding=14, font=FONT).configure_view(stroke=None)
    told = told.configure_legend(titleFontSize=12, labelFontSize=12, labelLimit=220)
    lines = {"gridColor": _PALE, "domainColor": "#9a9a9a", "tickColor": "#9a9a9a", "labelColor": INK, "titleColor": INK}
    found: dict[str, Any] = told.configure_axis(
        labelFontSize=12, titleFontSize=12, titleFontWeight="normal", titlePadding=8, labelFlush=False, **lines
    ).to_dict()
    found["config"]["legend"]["layout"] = _APART  # Altair knows it by no name
    return found


def finished(draft: Mapping[str, Any], title: str, lines: Sequence[str], datasets: Datasets) -> dict[str, Any]:
    """A chart with its rows, its title, and what more must be said, in lines of their own."""
    heading = {
        "text": title,
        "subtitle": list(lines),
        "anchor": "start",
        "frame": "bounds",
        "fontSize": 17,
        "subtitleFontSize": 12,
        "subtitleColor": "#5a5a5a",
        "subtitlePadding": 6,
        "offset": 14,
    }
    rows = {name: list(rows) for name, rows in datasets.items()}
    return {**draft, "title": heading, "datasets": rows}
