"""What pages of reports have in common: one file, no script, nothing from elsewhere, light and dark."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from engram.cli.text import printable

#: Width of a picture; its height is its own.
WIDTH = 920
_LIGHT = "--page:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--s0:#3f78b5;--s1:#8a94a0;--s2:#d99000;--s3:#b3205f"
_DARK = "--page:#14181d;--ink:#e6e9ed;--soft:#9aa4af;--line:#38404a;--s0:#6ea8e6;--s1:#7d8894;--s2:#f0b440;--s3:#f0609c"
_STYLE = f"""
:root {{ color-scheme: light dark; {_LIGHT} }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ {_DARK} }} }}
body {{ background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }}
body {{ max-width: 60rem; margin: 0 auto; padding: 1.5rem; }}
h1 {{ font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; }}
h2 {{ font-size: 1.15rem; margin: 2rem 0 .5rem; }}
p {{ margin: .3rem 0; overflow-wrap: anywhere; }}
.soft, caption {{ color: var(--soft); }}
svg {{ width: 100%; height: auto; display: block; }}
svg text {{ font: 11px system-ui, sans-serif; fill: var(--ink); }}
.r {{ text-anchor: end; }}
.g {{ stroke: var(--line); fill: none; }}
.s0 {{ fill: var(--s0); background: var(--s0); }}
.s1 {{ fill: var(--s1); background: var(--s1); }}
.s2 {{ fill: var(--s2); background: var(--s2); }}
.s3 {{ fill: var(--s3); background: var(--s3); }}
.key {{ display: inline-block; width: .8em; height: .8em; margin: 0 .35em 0 1em; }}
table {{ border-collapse: collapse; width: 100%; font-size: .87rem; }}
th, td {{ text-align: start; vertical-align: top; padding: .2rem .6rem .2rem 0; border-bottom: 1px solid var(--line); }}
td {{ overflow-wrap: anywhere; }}
.n {{ text-align: end; white-space: nowrap; }}
caption {{ text-align: start; }}
summary {{ cursor: pointer; color: var(--soft); }}
@media print {{
  body {{ padding: 0; max-width: none; }}
  h2 {{ break-after: avoid; }}
  tr {{ break-inside: avoid; }}
  * {{ print-color-adjust: exact; -webkit-print-color-adjust: exact; }}
}}
"""
_HEAD = """<!DOCTYPE html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
"""


def page_head(title: str) -> str:
    """The beginning of a page, up to its body. *title* is safe already."""
    return _HEAD.format(title=title, style=_STYLE)


def shown(text: str, longest: int = 0) -> str:
    """A name that is safe in HTML, with all that could hide or turn text around made visible; '…' when it is cut."""
    safe = printable(text)
    return escape(safe if not longest or len(safe) <= longest else safe[: longest - 1] + "…")


def folded(summary: str, lines: Iterable[str]) -> Iterator[str]:
    """What is shown when somebody asks for it."""
    yield f"<details><summary>{shown(summary)}</summary>"
    yield from lines
    yield "</details>"


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str | int]]) -> Iterator[str]:
    """A table; numbers stand to the right."""
    lines = list(rows)
    first = lines[0] if lines else heads
    yield f"<table><caption>{shown(caption)}</caption><thead><tr>"
    for head, value in zip(heads, first, strict=True):
        number = ' class="n"' if isinstance(value, int) else ""
        yield f'<th scope="col"{number}>{shown(head)}</th>'
    yield "</tr></thead><tbody>"
    for row in lines:
        yield f"<tr>{''.join(map(_cell, row))}</tr>"
    yield "</tbody></table>"


def _cell(value: str | int) -> str:
    return f'<td class="n">{value:,}</td>' if isinstance(value, int) else f"<td><bdi>{shown(value)}</bdi></td>"


def picture(name: str, title: str, said: str, height: int, lines: Iterable[str]) -> Iterator[str]:
    """A picture, with words for those who do not see it."""
    yield f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{name}-title {name}-said">'
    yield f'<title id="{name}-title">{title}</title><desc id="{name}-said">{escape(said)}.</desc>'
    yield from lines
    yield "</svg>"
