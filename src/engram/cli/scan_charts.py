"""The pictures of a scan's report, as SVG within a page: no script, nothing from elsewhere, colours of the page."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, date, timedelta

from engram.cli.report_page import picture, shown

#: How bad it is with a session, the best first: the word for it. The page has a colour for each, by its place here.
GRADES = ("nothing wrong", "with a note", "with a warning", "with an error")
#: More subjects than these are told by the table alone.
MOST_SUBJECTS = 300

_ROW = 15
_LABEL_LETTERS = 26
_MOST_BARS = 120
_DAYS_ONE_BY_ONE = 62
_PLOT_X, _PLOT_WIDTH = 190, 660
_BARS_X, _BARS_WIDTH, _BARS_HEIGHT, _BARS_TOP = 46, 860, 170, 12
_TICKS = 4
_WIDEST_BAR = 48


@dataclass(frozen=True, slots=True)
class Mark:
    """One session, as far as pictures show it."""

    subject: str
    day: date
    #: The place of its word in `GRADES`.
    grade: int


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the calendar: what one bar stands for."""

    first: date
    label: str


def spans(days: Iterable[date]) -> list[Span]:
    """All parts from the first day to the last: days, months, years, or so many years that a page can show them."""
    found = sorted(set(days))
    if not found:
        return []
    first, last = found[0], found[-1]
    if (last - first).days <= _DAYS_ONE_BY_ONE:
        every = (first + timedelta(days=number) for number in range((last - first).days + 1))
        return [Span(day, f"{day:%Y-%m-%d}") for day in every]
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    if months <= _MOST_BARS:
        counted = (first.month - 1 + number for number in range(months))
        starts = (date(first.year + number // 12, number % 12 + 1, 1) for number in counted)
        return [Span(start, f"{start:%Y-%m}") for start in starts]
    years = -(-(last.year - first.year + 1) // _MOST_BARS)
    starts = (date(year, 1, 1) for year in range(first.year, last.year + 1, years))
    return [
        Span(start, f"{start.year:04d}" + (f"–{min(start.year + years - 1, MAXYEAR):04d}" if years > 1 else ""))
        for start in starts
    ]


def by_span(marks: Iterable[Mark], parts: Sequence[Span]) -> list[Counter[int]]:
    """How many sessions of each grade each part has."""
    from bisect import bisect_right

    starts = [part.first for part in parts]
    counted: list[Counter[int]] = [Counter() for _ in parts]
    for mark in marks:
        counted[bisect_right(starts, mark.day) - 1][mark.grade] += 1
    return counted


def over_time(parts: Sequence[Span], counted: Sequence[Counter[int]]) -> str:
    """A bar for each part of the calendar, of a piece for each grade."""
    top = _round_up(max((sum(one.values()) for one in counted), default=1))
    most = max(counted, key=lambda one: sum(one.values()), default=Counter[int]())
    label = parts[counted.index(most)].label if parts else ""
    said = f"{sum(sum(one.values()) for one in counted)} sessions; most, {sum(most.values())}, in {label}"
    height = _BARS_TOP + _BARS_HEIGHT + 34
    return "".join(picture("time", "Sessions over time", said, height, _bars(parts, counted, top)))


def _bars(parts: Sequence[Span], counted: Sequence[Counter[int]], top: int) -> Iterator[str]:
    bottom = _BARS_TOP + _BARS_HEIGHT
    for number in range(_TICKS + 1):
        value = top * number / _TICKS
        height = bottom - _BARS_HEIGHT * number // _TICKS
        yield f'<path class="g" d="M{_BARS_X} {height}h{_BARS_WIDTH}"/>'
        yield f'<text x="{_BARS_X - 6}" y="{height + 4}" class="r">{value:g}</text>'
    step = _BARS_WIDTH / max(len(parts), 1)
    wide = min(max(step * 0.86, 1), _WIDEST_BAR)
    every = -(-len(parts) // 12)
    for number, (part, counts) in enumerate(zip(parts, counted, strict=True)):
        x, done = _BARS_X + number * step, 0
        told = ", ".join(f"{counts[grade]} {GRADES[grade]}" for grade in range(len(GRADES)) if counts[grade])
        yield f"<g><title>{part.label}: {told or 'none'}</title>"
        for grade in range(len(GRADES)):
            done += counts[grade]
            place = f'x="{x:.1f}" y="{bottom - _BARS_HEIGHT * done / top:.1f}" width="{wide:.1f}"'
            if counts[grade]:
                yield f'<rect class="s{grade}" {place} height="{_BARS_HEIGHT * counts[grade] / top:.1f}"/>'
        yield "</g>"
        if number % every == 0:
            yield f'<text x="{x:.1f}" y="{bottom + 18}">{part.label}</text>'


def _round_up(most: int) -> int:
    """The least number of the sort 4, 8, 20, 40, 80, 200, … that is not below."""
    size = 1
    while True:
        for factor in (4, 8, 20):
            if factor * size >= most:
                return factor * size
        size *= 10


def per_subject(marks: Sequence[Mark]) -> str:
    """A row for each subject, a mark where it has sessions, their number behind it."""
    rows: dict[str, list[Mark]] = defaultdict(list)
    for mark in marks:
        rows[mark.subject].append(mark)
    names = sorted(rows, key=lambda name: (-len(rows[name]), name))[:MOST_SUBJECTS]
    days = [mark.day for mark in marks]
    said = f"{len(rows)} subjects, from {min(days):%Y-%m-%d} to {max(days):%Y-%m-%d}" if days else "No subject"
    height = 30 + _ROW * len(names)
    lines = _lanes({name: rows[name] for name in sorted(names)}, min(days), max(days)) if days else iter(())
    return "".join(picture("subjects", "Sessions of each subject", said, height, lines))


def _lanes(rows: Mapping[str, Sequence[Mark]], first: date, last: date) -> Iterator[str]:
    yield f'<text x="{_PLOT_X}" y="12">{first:%Y-%m-%d}</text>'
    yield f'<text x="{_PLOT_X + _PLOT_WIDTH}" y="12" class="r">{last:%Y-%m-%d}</text>'
    length = max((last - first).days, 1)
    for number, (name, marks) in enumerate(rows.items()):
        y = 20 + number * _ROW
        yield f"<g><title>{shown(name)}: {len(marks)} sessions</title>"
        yield f'<text x="{_PLOT_X - 8}" y="{y + 11}" class="r">{shown(name, _LABEL_LETTERS)}</text>'
        yield f'<path class="g" d="M{_PLOT_X} {y + _ROW // 2}h{_PLOT_WIDTH}"/>'
        worst: dict[int, int] = {}
        for mark in marks:
            x = _PLOT_X + (mark.day - first).days * (_PLOT_WIDTH - 4) // length
            worst[x] = max(mark.grade, worst.get(x, 0))
        for x, grade in sorted(worst.items()):
            tall = (6, 7, 9, 12)[grade]  # who sees no colours sees the height
            yield f'<rect class="s{grade}" x="{x}" y="{y + (_ROW - tall) // 2}" width="4" height="{tall}"/>'
        yield f'<text x="{_PLOT_X + _PLOT_WIDTH + 8}" y="{y + 11}">{len(marks)}</text></g>'


def by_kind(kinds: Sequence[tuple[str, int, int]]) -> str:
    """A bar for each kind of finding: its code, the place of its severity in `GRADES`, and how many there are."""
    most = max((count for _, _, count in kinds), default=1)
    said = "; ".join(f"{count} {code}" for code, _, count in kinds) or "No finding"
    height = 8 + (_ROW + 4) * len(kinds)
    return "".join(picture("kinds", "Findings by kind", said, height, _kinds(kinds, most)))


def _kinds(kinds: Sequence[tuple[str, int, int]], most: int) -> Iterator[str]:
    for number, (code, grade, count) in enumerate(kinds):
        y = 4 + number * (_ROW + 4)
        wide = max(_PLOT_WIDTH * count / most, 2)
        yield f'<text x="{_PLOT_X - 8}" y="{y + 12}" class="r">{shown(code)}</text>'
        yield f'<rect class="s{grade}" x="{_PLOT_X}" y="{y}" width="{wide:.1f}" height="{_ROW}"/>'
        yield f'<text x="{_PLOT_X + wide + 6:.1f}" y="{y + 12}">{count}</text>'
