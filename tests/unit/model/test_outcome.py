"""Outcomes and plans as JSON: fields are added, never renamed or removed."""

import pickle
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.model.errors import EngramError, NotInstalled, PathNotFound, Unavailable, UsageError
from engram.model.outcome import (
    OUTCOME_FIELDS,
    SPARE_FIELDS,
    DatasetOutcome,
    IncompleteResults,
    Outcome,
    Status,
    failure,
)
from engram.model.plan import Plan, PlannedStep

STEPS = st.builds(
    PlannedStep,
    action=st.text(max_size=5),
    item=st.text(max_size=5),
    bytes=st.integers(0, 1 << 60),
    why=st.text(max_size=5),
    ground=st.text(max_size=5),
)


def test_an_outcome_keeps_its_published_fields() -> None:
    record = Outcome(action="save", item="a", status=Status.OK).as_json()
    assert record == {
        "record": "outcome",
        "action": "save",
        "status": "ok",
        "item": "a",
        "message": "",
        "note": "",
        "moved_bytes": 0,
        "error": "",
        "remedy": "",
    }


def test_a_dataset_outcome_adds_datalads_fields_where_they_say_something() -> None:
    outcome = DatasetOutcome(
        action="status",
        item="a",
        status=Status.OK,
        path="/ds/a",
        type="file",
        refds="/ds",
        bytesize=0,
        extra=(("backend", "MD5E"), ("has_content", False)),
    )
    added = {name: value for name, value in outcome.as_json().items() if name not in ("record", *OUTCOME_FIELDS)}
    assert added == {
        "path": "/ds/a",
        "type": "file",
        "refds": "/ds",
        "bytesize": 0,
        "backend": "MD5E",
        "has_content": False,
    }


def test_null_stands_where_datalad_writes_it() -> None:
    def written(action: str) -> dict[str, object]:
        return DatasetOutcome(action=action, item="a", status=Status.OK, path="/ds/a", type="file").as_json()

    assert written("add")["key"] is None
    assert "refds" not in written("add")
    assert written("create")["refds"] is None
    assert not {"key", "refds"} & set(written("get"))


def test_every_field_is_written() -> None:
    own = set(DatasetOutcome.__dataclass_fields__) - {"extra"}
    assert own == {*OUTCOME_FIELDS, "path", "type", *SPARE_FIELDS}


def test_an_error_becomes_an_outcome_with_its_remedy() -> None:
    outcome = failure(PathNotFound("x"), action="save", item="x")
    assert (outcome.failed, outcome.error) == (True, "PathNotFound")
    assert outcome.message
    assert outcome.remedy


def test_incomplete_results_carry_all_outcomes() -> None:
    outcomes = (
        Outcome(action="save", item="a", status=Status.OK),
        Outcome(action="save", item="b", status=Status.ERROR, message="broken"),
    )
    error = IncompleteResults(outcomes)
    assert error.what == "1 of 2 failed; first b: broken"
    assert pickle.loads(pickle.dumps(error)).outcomes == outcomes


@given(st.builds(Plan, steps=st.lists(STEPS).map(tuple), refused=st.lists(STEPS).map(tuple)))
def test_a_plan_reads_back_from_its_json(plan: Plan) -> None:
    record = plan.as_json()
    assert Plan.from_json({**record, "added_later": 1}) == plan
    assert record["bytes"] == sum(step.bytes for step in plan.steps)


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        {},
        {"record": "outcome"},
        {"record": "plan"},
        {"record": "plan", "steps": 3},
        {"record": "plan", "steps": [3]},
        {"record": "plan", "steps": [{"action": "add"}]},
        {"record": "plan", "steps": [{"action": "add", "item": "a", "bytes": "1"}]},
        {"record": "plan", "steps": [{"action": "add", "item": 7}]},
    ],
)
def test_what_is_no_plan_is_refused(record: object) -> None:
    with pytest.raises(UsageError):
        Plan.from_json(record)


@pytest.mark.parametrize("name", ["a b", "x; touch owned", "$(touch owned)", "it's"])
def test_a_name_in_a_remedy_is_one_word_for_the_shell(name: str, tmp_path: Path) -> None:
    """Names come from elsewhere, and what a remedy says is pasted."""
    errors: list[EngramError] = [Unavailable(name, "nobody has it"), NotInstalled(name)]
    for error in errors:
        line = error.next_step.partition(": ")[2]
        said = subprocess.run(
            ["sh", "-c", f'engram() {{ printf "%s\\n" "$@"; }}; {line}'],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert said.stdout.splitlines()[-1] == name
    assert not any(tmp_path.iterdir())
