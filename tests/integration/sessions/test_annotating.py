"""What was handed out and confirmed is confirmed, and nothing that was answered is asked again."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engram.catalogue.addresses import Address
from engram.catalogue.opening import Catalogue, open_catalogue
from engram.catalogue.probes import put_implant, put_probe
from engram.catalogue.sessions import record_session
from engram.catalogue.subjects import put_subject
from engram.model.errors import NotInCatalogue
from engram.model.recordings import Recording, Session, Task, session_id
from engram.sessions.annotating import COLUMNS, Row, What, read_rows
from engram.sessions.answers import check
from engram.sessions.asking import answer, asked_of, missing, vocabulary
from tests.catalogues import ADA, on_sqlite

pytestmark = pytest.mark.integration

START = datetime.fromisoformat("2020-01-01T10:00:30")
times = st.floats(0, 1e6, allow_nan=False)
tasks = st.lists(st.tuples(times, st.sampled_from(["run", "sleep"])), max_size=4, unique_by=lambda task: task[0])


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Address]:
    return on_sqlite(tmp_path_factory.mktemp("catalogues")).fresh


@contextmanager
def lab(address: Address, *sessions: Session) -> Iterator[Catalogue]:
    with open_catalogue(address) as catalogue:
        with catalogue.changing(ADA) as unit:
            put_subject(unit, "m1", {"responsible": "ada"})
            for session in sessions:
                record_session(unit, session, ())
        yield catalogue


def session(said: list[tuple[float, str]], number: int = 0, curator: str | None = None) -> Session:
    started = START.replace(hour=number)
    sorting = Recording(kind="sorting", device="ks", paths=(), id=f"ks-{number}", facts=(("curator", curator),))
    return Session(
        id=session_id("m1", started),
        subject="m1",
        started=started,
        share="raw",
        folder=f"m1/{number}",
        tasks=tuple(Task(name=name, start_s=start_s, type="T") for start_s, name in sorted(said)),
        recordings=(sorting,),
    )


def say(catalogue: Catalogue, rows: list[Row], *, adds: bool = False) -> None:
    for name in dict.fromkeys(row.session for row in rows):
        with catalogue.changing(ADA) as unit:
            answer(unit, name, [row for row in rows if row.session == name], adds=adds)


def told(catalogue: Catalogue) -> list[Task]:
    return [task for session in asked_of(catalogue).sessions.values() for task in session.tasks]


@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(said=st.lists(tasks, min_size=1, max_size=3), curator=st.sampled_from([None, "ada", "bob"]))
def test_what_was_handed_out_and_confirmed_is_not_asked_again(
    make: Callable[[], Address], said: list[list[tuple[float, str]]], curator: str | None
) -> None:
    with lab(make(), *(session(each, number, curator) for number, each in enumerate(said))) as catalogue:
        before = told(catalogue)
        table = [COLUMNS, *(replace(row, confirmed=bool(row.value)).cells() for row in missing(asked_of(catalogue)))]
        rows, problems = read_rows(table)
        assert problems == check(rows, vocabulary(asked_of(catalogue), adds=True)) == []
        say(catalogue, [row for _, row in rows], adds=True)
        after = told(catalogue)
        assert [(task.name, task.start_s, task.type, task.confirmed) for task in after] == [
            (task.name, task.start_s, task.type, True) for task in before
        ]
        answered = {(row.session, row.what, row.item) for _, row in rows if row.value}
        still = list(missing(asked_of(catalogue)))
        assert not answered & {(row.session, row.what, row.item) for row in still}
        assert not any(row.value for row in still)


changes = st.lists(st.tuples(st.integers(0, 3), times, st.sampled_from(["run", "-", "rest"])), max_size=4)


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(said=tasks, history=st.lists(changes, max_size=3))
def test_corrections_however_many_end_in_what_was_said_last(
    make: Callable[[], Address], said: list[tuple[float, str]], history: list[list[tuple[int, float, str]]]
) -> None:
    """Each task is told by its start: so two rows never end as one, and none that was named is lost."""
    with lab(make(), session(said)) as catalogue:
        name = session([]).id
        for change in history:
            rows = [
                Row(session=name, what=What.TASK, item=str(number), value=value, start_s=start_s, confirmed=True)
                for number, start_s, value in {one[1]: one for one in change}.values()
            ]
            say(catalogue, rows)
            starts = {task.start_s: task for task in told(catalogue)}
            for row in rows:
                if row.value == "-":
                    assert row.start_s not in starts
                else:
                    assert starts[row.start_s or 0.0].name == row.value
                    assert starts[row.start_s or 0.0].confirmed


def test_confirmed_and_inferred_stay_apart(make: Callable[[], Address]) -> None:
    with lab(make(), session([(0, "run"), (10, "sleep")])) as catalogue:
        rows = [row for row in missing(asked_of(catalogue)) if row.what is What.TASK]
        say(catalogue, [replace(rows[0], confirmed=True), rows[1]])
        assert [(task.name, task.confirmed) for task in told(catalogue)] == [("run", True), ("sleep", False)]
        with catalogue.changing(ADA) as unit:
            record_session(unit, session([(0, "other")]), ())
        assert [task.name for task in told(catalogue)] == ["run", "sleep"]


def test_a_name_that_went_meanwhile_is_refused_and_nothing_of_that_session_is_kept(make: Callable[[], Address]) -> None:
    with lab(make(), session([(0, "run")])) as catalogue:
        name = session([]).id
        rows = [
            Row(session=name, what=What.EXPERIMENTER, value="ada", confirmed=True),
            Row(session=name, what=What.PROJECT, value="nobody knows", confirmed=True),
        ]
        with pytest.raises(NotInCatalogue):
            say(catalogue, rows)
        assert asked_of(catalogue).said[name].experimenters == ()


def test_several_people_are_all_of_them(make: Callable[[], Address]) -> None:
    with lab(make(), session([])) as catalogue:
        name = session([]).id
        both = [Row(session=name, what=What.EXPERIMENTER, value=who, confirmed=True) for who in ("ada", "bob")]
        say(catalogue, both, adds=True)
        assert asked_of(catalogue).said[name].experimenters == ("ada", "bob")
        say(catalogue, both[1:])
        assert asked_of(catalogue).said[name].experimenters == ("bob",)


def test_the_implant_that_a_person_named_outlives_the_next_scan(make: Callable[[], Address]) -> None:
    probe = Recording(kind="neuropixels-ap", device="imec0", paths=(), id="ap", serial="P1", started=START)
    found = replace(session([]), recordings=(probe,))
    with lab(make()) as catalogue:
        with catalogue.changing(ADA) as unit:
            for serial in ("P1", "P2"):
                put_probe(unit, serial, {})
                put_implant(unit, "m1", serial, START.replace(year=2019), {}, {})
            record_session(unit, found, ())
        assert asked_of(catalogue).said[found.id].implants == {"ap": "P1@2019-01-01T10:00"}
        label = "P2@2019-01-01T10:00"
        say(catalogue, [Row(session=found.id, what=What.IMPLANT, item="ap", value=label, confirmed=True)])
        with catalogue.changing(ADA) as unit:
            assert record_session(unit, replace(found, tasks=(Task(name="run", start_s=0),)), ()).changes
        assert asked_of(catalogue).said[found.id].implants == {"ap": label}


def test_a_number_of_a_task_that_no_task_can_have_is_none(make: Callable[[], Address]) -> None:
    with lab(make(), session([(0, "run")])) as catalogue:
        name = session([]).id
        rows = [Row(session=name, what=What.TASK, item="9" * 5000, value="rest", start_s=5, confirmed=True)]
        say(catalogue, rows)
        assert [task.name for task in told(catalogue)] == ["run", "rest"]


def test_what_is_killed_midway_is_whole_sessions_and_the_same_table_says_the_rest(make: Callable[[], Address]) -> None:
    sessions = [session([(0, "run")], number) for number in range(3)]
    with lab(make(), *sessions) as catalogue:
        rows = [Row(session=one.id, what=What.EXPERIMENTER, value="ada", confirmed=True) for one in sessions]
        child = os.fork()
        if child == 0:
            try:
                with open_catalogue(catalogue.address) as again:
                    say(again, rows[:1])
                    with again.changing(ADA) as unit:
                        answer(unit, rows[1].session, rows[1:2], adds=False)
                        os.kill(os.getpid(), signal.SIGKILL)
            finally:
                os._exit(1)
        os.waitpid(child, 0)
        assert [bool(each.experimenters) for each in asked_of(catalogue).said.values()] == [True, False, False]
        say(catalogue, rows)
        assert [each.experimenters for each in asked_of(catalogue).said.values()] == [("ada",)] * 3
