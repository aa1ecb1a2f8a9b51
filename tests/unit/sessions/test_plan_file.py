"""A plan that was kept is read back as it was, and nothing else is taken for one."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.model.errors import UsageError
from engram.model.findings import FINDINGS, Finding
from engram.model.plan import PlannedStep
from engram.model.recordings import KINDS, Recording, Session, Task
from engram.sessions.plan_file import plan_from_json
from engram.sessions.planning import IngestPlan
from engram.sessions.scanned import FileSeen, Scanned

words = st.text(min_size=1, max_size=8)
#: Also what is not UTF-8, as the file system gives it.
names = st.binary(min_size=1, max_size=8).map(lambda raw: raw.replace(b"/", b"").replace(b"\0", b"").replace(b".", b""))
paths = names.filter(bool).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
counts = st.none() | st.integers(0, 2**53)
measures = st.none() | st.floats(0, 1e9)
recordings = st.builds(
    Recording,
    kind=st.sampled_from(KINDS),
    device=words,
    paths=st.lists(paths, min_size=1, max_size=2).map(tuple),
    id=words,
    serial=words,
    started=st.none() | st.datetimes(),
    duration_s=measures,
    sampling_rate_hz=measures,
    channels=counts,
    samples=counts,
    size_bytes=counts,
    sha1=words,
    processing=words,
    facts=st.dictionaries(words, st.none() | st.booleans() | st.integers(0, 9) | words, max_size=2).map(
        lambda facts: tuple(facts.items())
    ),
)
sessions = st.builds(
    Session,
    id=words,
    subject=words,
    started=st.datetimes() | st.dates(),
    share=words,
    folder=paths,
    ident=words,
    groups=st.lists(words, max_size=2).map(tuple),
    tasks=st.lists(st.builds(Task, name=words, start_s=st.floats(0, 9), stop_s=measures), max_size=2).map(tuple),
    recordings=st.lists(recordings, max_size=2).map(tuple),
    findings=st.lists(
        st.builds(Finding, code=st.sampled_from(list(FINDINGS)), path=paths, message=words), max_size=1
    ).map(tuple),
    unknown=st.dictionaries(words, st.integers(1, 9), max_size=2).map(lambda kinds: tuple(kinds.items())),
)
scans = st.builds(Scanned, sessions, st.lists(st.builds(FileSeen, paths, counts, counts), max_size=2).map(tuple))


@given(st.lists(scans, max_size=2, unique_by=lambda one: one.session.id), words)
def test_what_was_written_is_read_back_as_itself(scanned: list[Scanned], why: str) -> None:
    steps = tuple(PlannedStep(action="add", item=one.session.id, why=why, ground="g") for one in scanned)
    plan = IngestPlan(steps=steps, refused=steps, left=steps, sessions={one.session.id: one for one in scanned})
    assert plan_from_json(json.loads(json.dumps(plan.as_json()))) == plan


SESSION = Session(
    id="s",
    subject="1",
    started=date(2020, 1, 1),
    share="raw",
    folder="1/a",
    recordings=(Recording(kind="video", device="side", paths=("a.avi",), id="v"),),
)
PLAN = IngestPlan(
    steps=(PlannedStep(action="add", item="s"),), sessions={"s": Scanned(SESSION, (FileSeen("a.avi", 1, 1),))}
)


def session_of(record: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = record["sessions"][0]
    return found


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda record: record.update(record="outcome"), "not a plan"),
        (lambda record: record.update(sessions={}), "sessions is no list"),
        (lambda record: record.update(sessions=[]), "no such session"),
        (lambda record: session_of(record).pop("folder"), "folder"),
        (lambda record: session_of(record).update(started="yesterday"), "yesterday"),
        (lambda record: session_of(record).update(folder="../../etc"), "leads out"),
        (lambda record: session_of(record).update(files=[["/etc/passwd", 1, 1]]), "leads out"),
        (lambda record: session_of(record).update(files=[["a", "1", 1]]), "int"),
        (lambda record: session_of(record)["recordings"][0].update(kind="spell"), "no recording"),
        (lambda record: session_of(record)["recordings"][0].update(paths=[]), "no recording"),
        (lambda record: session_of(record)["recordings"][0].update(paths=["a/../../../../b"]), "leads out"),
        (lambda record: session_of(record).update(findings=[{"code": "x", "path": "", "message": ""}]), "no finding"),
    ],
)
def test_what_is_damaged_is_refused_with_what_is_wrong(spoil: Callable[[dict[str, Any]], object], said: str) -> None:
    record = json.loads(json.dumps(PLAN.as_json()))
    spoil(record)
    with pytest.raises(UsageError, match=said):
        plan_from_json(record)


def test_fields_of_a_later_version_are_passed_over() -> None:
    record = json.loads(json.dumps(PLAN.as_json()))
    record["later"] = session_of(record)["later"] = 1
    assert plan_from_json(record) == PLAN


def test_a_time_zone_is_kept() -> None:
    started = datetime.fromisoformat("2020-01-01T10:00:30+02:00")
    plan = replace(PLAN, sessions={"s": Scanned(replace(SESSION, started=started))})
    assert plan_from_json(json.loads(json.dumps(plan.as_json()))).sessions["s"].session.started.isoformat() == (
        "2020-01-01T10:00:30+02:00"
    )
