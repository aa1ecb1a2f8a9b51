"""What changed between two snapshots, on the screen and as a page with pictures."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from engram.cli.report_page import page_head, picture, shown, table
from engram.cli.text import printable
from engram.connectome.asking.changes import SnapshotChange, SnapshotDifference

Told: TypeAlias = SnapshotChange | SnapshotDifference
_WORDS = {"bodies": "Bodies", "types": "Cell types", "connections": "Connections", "rois": "ROIs"}
#: Colours of the page, by what happened.
_CLASS = {"added": "s0", "changed": "s2", "removed": "s3"}
_MARKS = {"added": "+", "removed": "-", "changed": "~"}
_LABEL, _PLOT, _ROW = 190, 640, 22
_MOST_BARS = 40


def difference_line(told: Told) -> str:
    """One line for people: how much of a part changed, or one change of it."""
    if isinstance(told, SnapshotChange):
        counts = f"{told.added:,} added, {told.removed:,} removed, {told.changed:,} changed"
        return f"{_WORDS[told.part]}: {told.old:,} -> {told.new:,} ({counts})"
    return f"  {_MARKS[told.change]} {told.item} [{values_of(told)}]"


def values_of(told: SnapshotDifference) -> str:
    """The values of a change, in one line."""
    if told.change == "changed":
        pairs = ((one, told.old[one], told.new[one]) for one in told.old)
        return ", ".join(f"{one} {_word(old)} -> {_word(new)}" for one, old, new in pairs)
    side: Mapping[str, Any] = told.new if told.change == "added" else told.old
    return ", ".join(f"{one} {_word(value)}" for one, value in side.items() if value is not None)


def _word(value: object) -> str:
    return "none" if value is None else str(value)


class DiffReport:
    """Hands on what changed, and makes a page of it in the end."""

    def __init__(self, old: str, new: str) -> None:
        self._old, self._new = old, new
        self._changes: list[SnapshotChange] = []
        self._differences: dict[str, list[SnapshotDifference]] = {}

    def watch(self, told: Iterable[Told]) -> Iterator[Told]:
        """The same, noted."""
        for one in told:
            if isinstance(one, SnapshotChange):
                self._changes.append(one)
            else:
                self._differences.setdefault(one.part, []).append(one)
            yield one

    def page(self) -> str:
        """The whole page."""
        title = shown(f"What changed from {self._old} to {self._new}")
        parts = [page_head(title), f"<h1>{title}</h1>", "<main>"]
        heads = ("", "before", "now", "added", "removed", "changed")
        rows = [(_WORDS[one.part], one.old, one.new, one.added, one.removed, one.changed) for one in self._changes]
        keys = "".join(f'<span class="key {kind}"></span>{word}' for word, kind in _CLASS.items())
        parts += [
            *table("How much changed", heads, rows),
            f"<p>Of all that either of them has: {keys}</p>",
            *self._shares(),
        ]
        for one in self._changes:
            parts += self._part(one)
        return "\n".join([*parts, "</main>", "</body>", "</html>", ""])

    def _shares(self) -> Iterator[str]:
        """A bar for each part: which share of all that either has was added, changed or removed."""
        said = "; ".join(difference_line(one) for one in self._changes)
        lines: list[str] = []
        for number, one in enumerate(self._changes):
            y, x = 6 + number * _ROW, float(_LABEL)
            whole = max(one.old + one.added, 1)
            lines.append(f'<text x="{_LABEL - 8}" y="{y + 12}" class="r">{_WORDS[one.part]}</text>')
            lines.append(f'<path class="g" d="M{_LABEL} {y + 16}h{_PLOT}"/>')
            for word, kind in _CLASS.items():
                count = getattr(one, word)
                wide = _PLOT * count / whole
                place = f'x="{x:.1f}" y="{y}" width="{wide:.1f}" height="{_ROW - 6}"'
                if count:
                    lines.append(f'<g><title>{count:,} {word}</title><rect class="{kind}" {place}/></g>')
                x += wide
            share = 100 * (one.added + one.removed + one.changed) / whole
            lines.append(f'<text x="{_LABEL + _PLOT + 6}" y="{y + 12}">{share:.1f} %</text>')
        yield from picture("shares", "Shares that changed", said, 8 + _ROW * len(self._changes), lines)

    def _part(self, change: SnapshotChange) -> Iterator[str]:
        told = self._differences.get(change.part, [])
        if not told:
            return
        yield f"<section><h2>{_WORDS[change.part]}</h2>"
        sized = [(one, size) for one in told if (size := _growth(one))][:_MOST_BARS]
        if sized:
            most = max(abs(size) for _, size in sized)
            height = 8 + _ROW * len(sized)
            said = f"The largest change is {most:,} synapses"
            yield '<p class="soft">Synapses: fewer to the left, more to the right</p>'
            yield from picture(change.part, f"Largest changes of {change.part}", said, height, _bars(sized, most))
        rows = ((one.change, one.item, values_of(one)) for one in told)
        yield from table(f"The largest {len(told)} changes", ("what", "which", "values"), rows)
        yield "</section>"


def _growth(one: SnapshotDifference) -> int:
    """By how many synapses it grew: the first of its numbers says so."""
    for key in ("synweight", "weight", "post"):
        if key in one.old or key in one.new:
            return int(one.new.get(key) or 0) - int(one.old.get(key) or 0)
    return 0


def _bars(sized: list[tuple[SnapshotDifference, int]], most: int) -> Iterator[str]:
    """A bar to the right for what grew, to the left for what shrank."""
    middle = _LABEL + _PLOT / 2
    yield f'<path class="g" d="M{middle:.1f} 2v{4 + _ROW * len(sized)}"/>'
    for number, (one, size) in enumerate(sized):
        y = 6 + number * _ROW
        wide = max(abs(size) * (_PLOT / 2 - 60) / most, 1)
        x = middle if size >= 0 else middle - wide
        yield f"<g><title>{shown(one.item)}: {shown(values_of(one))}</title>"
        yield f'<text x="{_LABEL - 8}" y="{y + 12}" class="r">{shown(printable(one.item), 26)}</text>'
        yield f'<rect class="{_CLASS[one.change]}" x="{x:.1f}" y="{y}" width="{wide:.1f}" height="{_ROW - 6}"/>'
        beside, side = (x + wide + 6, "") if size >= 0 else (x - 6, ' class="r"')
        yield f'<text x="{beside:.1f}" y="{y + 12}"{side}>{size:+,}</text></g>'
