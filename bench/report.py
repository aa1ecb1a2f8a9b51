"""What a run of the bench found, as a table for people and as JSON."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bench.harness import Series
from bench.rows import Figures, Goal, Row


def as_json(rows: Iterable[Row], figures: Figures, about: Mapping[str, object]) -> dict[str, Any]:
    """The whole run; the form is described by `SCHEMA`."""
    return {"record": "bench", "version": 1, **about, "rows": [_row_as_json(row, figures) for row in rows]}


def _row_as_json(row: Row, figures: Figures) -> dict[str, Any]:
    return {
        "name": row.name,
        "title": row.title,
        "series": [
            {"scenario": scenario, "step": step, "program": program, **_series_as_json(series)}
            for scenario, step, program, series in shown(row, figures)
        ],
        "quoted": [{"program": program, "cpu_s": cpu_s} for program, cpu_s in row.quoted.items()],
        "goals": [_goal_as_json(goal, figures) for goal in row.goals],
        "broken": broken(row, figures),
    }


def _series_as_json(series: Series) -> dict[str, Any]:
    return {
        "cpu_s": round(series.cpu_s, 4),
        "median_cpu_s": round(series.median_cpu_s, 4),
        "wall_s": round(series.wall_s, 4),
        "peak_bytes": series.peak_bytes,
        "disk_bytes": series.disk_bytes,
        "runs_cpu_s": [round(sample.cpu_s, 4) for sample in series.samples],
    }


def _goal_as_json(goal: Goal, figures: Figures) -> dict[str, Any]:
    value = goal.of(figures)
    return {
        "text": goal.text,
        "bound": goal.bound,
        "value": None if value is None else round(value, 4),
        "met": None if value is None else goal.is_met_by(value),
    }


def shown(row: Row, figures: Figures) -> Iterator[tuple[str, str, str, Series]]:
    """Scenario, step, program and runs of everything that *row* shows, in its order."""
    for scenario, step in row.shows:
        for (program, its_step), series in figures.found[scenario].series.items():
            if its_step == step:
                yield scenario, step, program, series


def broken(row: Row, figures: Figures) -> dict[str, str]:
    """Why programs are missing from *row*."""
    return {program: why for name in sorted(row.scenarios) for program, why in figures.found[name].broken.items()}


def as_markdown(rows: Sequence[Row], figures: Figures, about: Mapping[str, str]) -> str:
    """The same as a page of tables: goals, then every figure."""
    lines = [f"- {name}: {value}" for name, value in about.items()]
    lines += ["", *_table(("row", "goal", "bound", "measured", "met"), _goal_cells(rows, figures)), ""]
    head = ("row", "step", "program", "CPU s", "median", "wall s", "peak MB", "disk MB", "runs", "engram = 1")
    return "\n".join([*lines, *_table(head, _figure_cells(rows, figures)), *_remarks(rows, figures), ""])


def _goal_cells(rows: Iterable[Row], figures: Figures) -> Iterator[tuple[str, ...]]:
    for row in rows:
        for goal in row.goals:
            value = goal.of(figures)
            if value is None:
                yield (row.name, goal.text, goal.bound, "not measured", "")
            else:
                verdict = "yes" if goal.is_met_by(value) else "**no**"
                yield (row.name, goal.text, goal.bound, f"{_short(value)} {goal.unit}", verdict)


def _figure_cells(rows: Iterable[Row], figures: Figures) -> Iterator[tuple[str, ...]]:
    before: set[tuple[str, str, str]] = set()
    for row in rows:
        for scenario, step, program, series in shown(row, figures):
            if (scenario, step, program) in before:
                continue
            before.add((scenario, step, program))
            yield (
                row.name,
                f"{figures.found[scenario].scenario.title}: {step}",
                program,
                f"{series.cpu_s:.3f}",
                f"{series.median_cpu_s:.3f}",
                f"{series.wall_s:.3f}",
                f"{series.peak_bytes / 1e6:.0f}",
                f"{series.disk_bytes / 1e6:.0f}",
                str(len(series.samples)),
                _ratio(figures, series, scenario, step),
            )
        yield from _quoted_cells(row, figures)


def _quoted_cells(row: Row, figures: Figures) -> Iterator[tuple[str, ...]]:
    measured = {program for _, _, program, _ in shown(row, figures)}
    for program, cpu_s in row.quoted.items():
        if program.split()[0].lower() not in measured:
            yield (row.name, "*quoted, not measured in this run*", program, f"{cpu_s:g}", "", "", "", "", "", "")


def _ratio(figures: Figures, series: Series, scenario: str, step: str) -> str:
    ours = figures.found[scenario].series.get(("engram", step))
    return f"{_short(series.cpu_s / ours.cpu_s)}" if ours else ""


def _remarks(rows: Iterable[Row], figures: Figures) -> list[str]:
    reasons = {f"{program}: {why}" for row in rows for program, why in broken(row, figures).items()}
    return ["", *(f"- does not count, {' '.join(reason.split())}" for reason in sorted(reasons))] if reasons else []


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _table(head: tuple[str, ...], body: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """A Markdown table whose columns line up, so that it reads well as it is."""
    rows = [head, *body]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for number, row in enumerate(rows):
        yield f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |"
        if number == 0:
            yield f"|{'|'.join('-' * (width + 2) for width in widths)}|"


def put_into(page: str, tables: str, mark: str = "bench") -> str:
    """*page* with *tables* between ``<!-- MARK: begin -->`` and ``<!-- MARK: end -->``; what stood there is gone."""
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    before, has_begin, rest = page.partition(begin)
    _, has_end, after = rest.partition(end)
    if not (has_begin and has_end):
        raise ValueError(f"the page has no {begin} and {end}")
    return f"{before}{begin}\n\n{tables}\n{end}{after}"


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


_NUMBER, _TEXT, _WORDS = (
    {"type": "number"},
    {"type": "string"},
    {"type": "object", "additionalProperties": {"type": "string"}},
)

#: The form of the JSON document.
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **_object(
        {
            "record": {"const": "bench"},
            "version": {"const": 1},
            "date": {"type": "string", "format": "date-time"},
            "command": _TEXT,
            "commit": _TEXT,
            "machine": _WORDS,
            "programs": _WORDS,
            "place": _TEXT,
            "load": {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2},
            "rows": {
                "type": "array",
                "items": _object(
                    {
                        "name": _TEXT,
                        "title": _TEXT,
                        "series": {
                            "type": "array",
                            "items": _object(
                                {
                                    "scenario": _TEXT,
                                    "step": _TEXT,
                                    "program": _TEXT,
                                    "cpu_s": _NUMBER,
                                    "median_cpu_s": _NUMBER,
                                    "wall_s": _NUMBER,
                                    "peak_bytes": {"type": "integer"},
                                    "disk_bytes": {"type": "integer"},
                                    "runs_cpu_s": {"type": "array", "items": _NUMBER, "minItems": 1},
                                }
                            ),
                        },
                        "quoted": {"type": "array", "items": _object({"program": _TEXT, "cpu_s": _NUMBER})},
                        "goals": {
                            "type": "array",
                            "items": _object(
                                {
                                    "text": _TEXT,
                                    "bound": _TEXT,
                                    "value": {"type": ["number", "null"]},
                                    "met": {"type": ["boolean", "null"]},
                                }
                            ),
                        },
                        "broken": _WORDS,
                    }
                ),
            },
        }
    ),
}
