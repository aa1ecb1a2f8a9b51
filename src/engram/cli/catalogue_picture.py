"""The picture of the catalogue's tables: boxes in columns, each behind those that it refers to, as an SVG."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import count
from typing import TypeAlias

from engram.catalogue.describing import TableInWords

#: From the left, or from the top.
Pixels: TypeAlias = float

_COLOURS = {
    "changes": "#d9d9d9",
    "animals": "#cfe3f7",
    "sessions": "#d5ecd4",
    "recordings": "#fbe3c8",
    "behaviour": "#ecd9f2",
    "outputs": "#f7d4d4",
}
_LINE, _PAD, _GAP, _AISLE, _MARGIN = 16, 6, 16, 72, 20
_LETTER = 6.7
_SWEEPS = 24
_STYLE = (
    "text{font:11px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#111}.t{font-weight:bold}"
    ".n{font-style:italic;fill:#444}path{fill:none;stroke:#666;stroke-width:1.1}.b{fill:#fff;stroke:#666}"
)
_LEGEND = "key: tells two rows apart; → names a row of the table at the left that its line leads to"


@dataclass(slots=True, eq=False)
class _Box:
    """One table: its lines, and where it stands."""

    table: TableInWords
    lines: tuple[str, ...]
    #: Of each table that it refers to: the line that does.
    ports: Mapping[str, int]
    column: int = 0
    x: Pixels = 0
    y: Pixels = 0
    #: Whether a line leads to or from it.
    is_tied: bool = False

    @property
    def width(self) -> Pixels:
        return max(map(len, (self.table.name, *self.lines))) * _LETTER + 2 * _PAD

    @property
    def height(self) -> int:
        return (len(self.lines) + 1) * _LINE + _PAD

    def port(self, target: str) -> Pixels:
        """The height of the line that refers to a table."""
        return self.y + (self.ports[target] + 1.5) * _LINE


def catalogue_picture(tables: Iterable[TableInWords]) -> str:
    """The whole picture. Columns that neither number a row, nor tell rows apart, nor refer to others are left out."""
    boxes = {table.name: _box(table) for table in tables}
    _into_columns(boxes)
    columns = [[box for box in boxes.values() if box.column == number] for number in range(_last(boxes) + 1)]
    width = _beside(columns)
    _settle(boxes, columns)
    top = min(box.y for box in boxes.values())
    for box in boxes.values():
        box.y += _MARGIN + 3 * _LINE - top
    height = max(box.y + box.height for box in boxes.values()) + _MARGIN
    return "\n".join(_svg(boxes, width, height)) + "\n"


def _box(table: TableInWords) -> _Box:
    keys = {name for key in table.natural_keys for name in key}
    lines: list[str] = []
    ports: dict[str, int] = {}
    for column in table.columns:
        is_added = column.refers_to == "catalogue_change" and table.group != "changes"  # every table has it
        if is_added or not (column.name in (*table.numbers, *keys) or column.refers_to):
            continue
        if column.refers_to:
            ports[column.refers_to] = len(lines)
        marks = ("→ " if column.refers_to else "") + column.name + ("  key" if column.name in keys else "")
        lines.append(marks)
    return _Box(table, tuple(lines), ports)


def _into_columns(boxes: Mapping[str, _Box]) -> None:
    """Each as near as it can be to those that refer to it, and right of all that it refers to."""
    for box in boxes.values():
        box.column = _depth(boxes, box)
    for box in sorted(boxes.values(), key=lambda one: -one.column):
        behind = [other.column for other in boxes.values() if box.table.name in other.ports]
        if behind:
            box.column = min(behind) - 1


def _depth(boxes: Mapping[str, _Box], box: _Box) -> int:
    return max((_depth(boxes, boxes[name]) + 1 for name in box.ports), default=0)


def _last(boxes: Mapping[str, _Box]) -> int:
    return max(box.column for box in boxes.values())


def _beside(columns: Sequence[Sequence[_Box]]) -> Pixels:
    """Put the columns side by side; how wide all of it is."""
    x: Pixels = _MARGIN
    for column in columns:
        for box in column:
            box.x = x
        x += max(box.width for box in column) + _AISLE
    return x - _AISLE + _MARGIN


def _settle(boxes: Mapping[str, _Box], columns: Sequence[list[_Box]]) -> None:
    """Let each box move to where its lines pull it, as far as the others of its column let it."""
    for column in columns:
        _stack(column)
    for _ in range(_SWEEPS):
        for column in columns:  # one after the other: all at once would swing
            for box in column:
                pulls = list(_pulls(boxes, box))
                box.is_tied = bool(pulls)
                box.y = sum(pulls) / len(pulls) if pulls else box.y
            column.sort(key=lambda one: (not one.is_tied, one.y, one.table.name))
            _stack(column)


def _pulls(boxes: Mapping[str, _Box], box: _Box) -> Iterator[Pixels]:
    """Where each of its lines would have it."""
    for name in box.ports:
        yield boxes[name].y + _LINE / 2 - (box.port(name) - box.y)
    for other in boxes.values():
        if box.table.name in other.ports:
            yield other.port(box.table.name) - _LINE / 2


def _stack(column: Sequence[_Box]) -> None:
    """In this order, without touching; as a whole, in the middle of where they would like to be."""
    wanted = sum(box.y for box in column) / len(column)
    y: Pixels = 0
    for box in column:
        box.y, y = y, y + box.height + _GAP
    shift = wanted - sum(box.y for box in column) / len(column)
    for box in column:
        box.y += shift


def _svg(boxes: Mapping[str, _Box], width: Pixels, height: Pixels) -> Iterator[str]:
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title description">'
    yield '<title id="title">The catalogue\'s tables and what they refer to</title>'
    said = "; ".join(_sentence(box) for box in boxes.values() if box.ports)
    yield f'<desc id="description">{escape(said)}.</desc>'
    yield f"<style>{_STYLE}</style>"
    yield f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fff"/>'
    yield from _legend()
    for box in boxes.values():
        yield from (_line(box, boxes[name]) for name in box.ports)
    for box in boxes.values():
        yield from _drawn(box)
    yield "</svg>"


def _sentence(box: _Box) -> str:
    return f"{box.table.name} refers to {', '.join(box.ports)}"


def _legend() -> Iterator[str]:
    x: Pixels = _MARGIN
    for group, colour in _COLOURS.items():
        yield f'<rect x="{x:.0f}" y="8" width="12" height="12" fill="{colour}" stroke="#666"/>'
        yield f'<text x="{x + 17:.0f}" y="18">{group}</text>'
        x += 17 + (len(group) + 2) * _LETTER
    yield f'<text x="{_MARGIN}" y="38" class="n">{_LEGEND}</text>'


def _line(box: _Box, target: _Box) -> str:
    """From the line that refers to the heading of the table that it means."""
    x, y = box.x, box.port(target.table.name)
    to_x, to_y = target.x + target.width, target.y + _LINE * 0.6
    bend = max((x - to_x) / 2, 20)
    return f'<path d="M{x:.1f} {y:.1f}C{x - bend:.1f} {y:.1f} {to_x + bend:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"/>'


def _drawn(box: _Box) -> Iterator[str]:
    size = f'x="{box.x:.1f}" width="{box.width:.1f}"'
    yield f'<rect class="b" {size} y="{box.y:.1f}" height="{box.height}"/>'
    yield f'<rect {size} y="{box.y:.1f}" height="{_LINE + 2}" fill="{_COLOURS[box.table.group]}" stroke="#666"/>'
    for number, text in zip(count(), (box.table.name, *box.lines)):
        kind = ' class="t"' if number == 0 else ' class="n"' if text in box.table.numbers else ""
        yield f'<text x="{box.x + _PAD:.1f}" y="{box.y + 13 + number * _LINE:.1f}"{kind}>{escape(text)}</text>'
