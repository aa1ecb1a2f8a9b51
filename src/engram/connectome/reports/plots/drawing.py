"""Charts as files: a page that needs no network, and a picture.

Both are drawn by Vega, which vl-convert holds, with its fonts: no browser is asked, and the same chart gives the same
bytes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any

#: vl-convert has the first of them; a browser takes one that it has.
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
#: Pixels of a picture for each of the chart.
_SCALE = 1.5

#: A page runs only what stands in it, and loads nothing from anywhere.
_POLICY = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:"
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>body {{ margin: 24px; font-family: {font}; }}</style>
<script>{script}</script>
</head>
<body>
<div id="plot"></div>
<script>
const spec = {spec};
const link = {link};
const options = {{renderer: "canvas", actions: {{export: true, source: false, compiled: false, editor: false}}}};
vegaEmbed("#plot", spec, options).then(result => {{
  if (link) result.view.addEventListener("click", (event, item) => {{
    const datum = item && item.datum && (item.datum.datum || item.datum);
    if (datum && /^[0-9]+$/.test(datum.body)) window.open(link.replaceAll("BODY", datum.body), "_blank", "noopener");
  }});
}}).catch(error => {{ document.getElementById("plot").textContent = "This plot cannot be drawn: " + error.message; }});
</script>
</body>
</html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One plot, in Vega-Lite's words."""

    title: str
    #: With what moves, for a page.
    page: Mapping[str, Any]
    #: Without it, for a picture.
    picture: Mapping[str, Any]
    #: Where a click on a body leads, with BODY in place of its id; '' for nowhere.
    link: str = ""


def page_of(chart: Chart) -> str:
    """The plot as HTML, with all that it needs."""
    return _PAGE.format(
        policy=escape(_POLICY),
        title=escape(chart.title),
        font=FONT,
        script=_script(),
        spec=_embedded(chart.page),
        link=_embedded(chart.link),
    )


def picture_of(chart: Chart) -> bytes:
    """The plot as PNG."""
    import vl_convert

    return vl_convert.vegalite_to_png(dict(chart.picture), vl_version=_version(), scale=_SCALE)


def _embedded(value: object) -> str:
    """JSON that ends no script, whatever names stand in it."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@cache
def _script() -> str:
    """Vega, Vega-Lite and Vega-Embed in one."""
    import vl_convert

    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=_version())


def _version() -> str:
    """The version of Vega-Lite that charts are made for, as vl-convert names it."""
    import altair

    return "_".join(altair.SCHEMA_VERSION.split(".")[:2])
