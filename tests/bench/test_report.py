"""What the bench makes of its figures: least and median, goals, a table, JSON."""

from pathlib import Path

import jsonschema
import pytest

from bench.harness import Found, Run, Sample, Scenario, Series, series_of
from bench.places import Space
from bench.report import SCHEMA, as_json, as_markdown, put_into
from bench.rows import Figures, Goal, Row

IMAGE = Path("image")
ABOUT = {
    "date": "2026-01-01T00:00:00+00:00",
    "command": "./dev bench save",
    "commit": "0123456",
    "machine": {"cores": "2"},
    "programs": {"engram": "0.1.0"},
    "place": "memory",
    "load": [0.5, 1.0],
}


def sample(cpu_s: float, peak_bytes: int = 1_000_000) -> Sample:
    return Sample(cpu_s=cpu_s, wall_s=cpu_s * 2, peak_bytes=peak_bytes, disk_bytes=0)


def found(broken: dict[str, str] | None = None, **cpu_s: tuple[float, ...]) -> Found:
    runs = [Run(program, "save", sample(value)) for program, values in cpu_s.items() for value in values]
    scenario = Scenario(name="small", title="two files", contenders=())
    return Found(scenario=scenario, series=series_of(runs), broken=broken or {})


def ratio(figures: Figures) -> float:
    return figures.cpu_s("small", "datalad", "save") / figures.cpu_s("small", "engram", "save")


GOAL = Goal(text="as fast as DataLad", limit=10, unit="×", at_least=True, value=ratio)
ROW = Row(
    name="save", title="save two files", shows=(("small", "save"),), goals=(GOAL,), quoted={"DataLad 1.7.1": 20.4}
)


def test_a_series_is_judged_by_its_least_and_its_largest_memory() -> None:
    series = Series((sample(3.0, 5), sample(1.0, 9), sample(1.5, 7)))
    assert (series.cpu_s, series.median_cpu_s, series.wall_s, series.peak_bytes) == (1.0, 1.5, 2.0, 9)


def test_runs_of_the_same_program_and_step_are_one_series() -> None:
    runs = [Run("a", "save", sample(1)), Run("b", "save", sample(2)), Run("a", "save", sample(3))]
    series = series_of(runs)
    assert {key: len(one.samples) for key, one in series.items()} == {("a", "save"): 2, ("b", "save"): 1}


@pytest.mark.parametrize(("datalad", "verdict"), [(11.0, "yes"), (9.0, "**no**")])
def test_a_goal_says_whether_it_is_met(datalad: float, verdict: str) -> None:
    table = as_markdown([ROW], Figures({"small": found(engram=(1.0,), datalad=(datalad,))}), {})
    assert f"| ≥ 10 × | {datalad:.3g} ×" in " ".join(table.split())
    assert verdict in table


def test_what_was_not_measured_is_quoted_and_judged_by_nobody() -> None:
    figures = Figures({"small": found(engram=(1.0,))})
    table = as_markdown([ROW], figures, {})
    assert "not measured" in table
    assert "*quoted, not measured in this run*" in table
    assert as_json([ROW], figures, ABOUT)["rows"][0]["goals"][0]["met"] is None


def test_what_was_measured_is_not_quoted() -> None:
    table = as_markdown([ROW], Figures({"small": found(engram=(1.0,), datalad=(11.0,))}), {})
    assert "*quoted" not in table


def test_no_goal_is_judged_on_less_data() -> None:
    figures = Figures({"small": found(engram=(1.0,), datalad=(11.0,))}, count=False)
    assert GOAL.of(figures) is None


def test_a_broken_run_is_named_with_its_reason() -> None:
    table = as_markdown([ROW], Figures({"small": found(broken={"datalad": "it ended\nwith 1"}, engram=(1.0,))}), {})
    assert "- does not count, datalad: it ended with 1" in table


def test_ratios_are_against_engram() -> None:
    table = as_markdown([ROW], Figures({"small": found(engram=(2.0, 4.0), datalad=(30.0,))}), {})
    assert [line.split("|")[-2].strip() for line in table.splitlines() if "two files" in line] == ["1", "15"]


def test_the_json_has_the_form_that_it_promises() -> None:
    figures = Figures({"small": found(engram=(1.0, 2.0), datalad=(11.0,), broken={"git": "it ended with 1"})})
    document = as_json([ROW], figures, ABOUT)
    jsonschema.validate(document, SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document | {"more": 1}, SCHEMA)


def test_tables_go_between_the_marks_of_a_page() -> None:
    page = "above\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nbelow\n"
    once = put_into(page, "new")
    assert once == "above\n<!-- bench: begin -->\n\nnew\n<!-- bench: end -->\nbelow\n"
    assert put_into(once, "new") == once


def test_a_page_without_marks_is_left_alone() -> None:
    with pytest.raises(ValueError, match="bench: begin"):
        put_into("above\n", "new")


def test_a_space_asks_for_blocks_and_inodes_only_when_they_matter() -> None:
    assert "-N" not in Space(size_mib=8).mkfs(IMAGE)
    assert Space(size_mib=8, inodes=500).mkfs(IMAGE)[-3:-1] == ("-N", "500")
