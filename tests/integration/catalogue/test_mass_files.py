"""What a mass file tells, carried out on each database: once however often, and corrected as an edit."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice

import pytest
from sqlalchemy import select

from engram.catalogue.clusterings import subjects_of_clusterings
from engram.catalogue.history import history_of
from engram.catalogue.known import known_sessions
from engram.catalogue.opening import Catalogue
from engram.catalogue.probes import implants_of_subjects, put_implant, put_probe
from engram.catalogue.said import names_in, said_of_sessions
from engram.catalogue.subjects import put_subject
from engram.catalogue.tables.behaviour import LIGHT, STIMULUS_OBJECT, TASK, TASK_OBJECT
from engram.catalogue.tables.outputs import CLUSTERING, CLUSTERING_RECORDING
from engram.model.outcome import Outcome, Status
from engram.model.plan import PlannedStep
from engram.model.progress import Silent
from engram.model.recordings import Recording, Session, Task
from engram.sessions.ingesting import Helpers, ingest
from engram.sessions.planning import IngestPlan, ground_of
from engram.sessions.rehearsing import Rehearsed, rehearse
from engram.sessions.scanned import Scanned
from engram.sessions.told import ANNOTATE, CLUSTER, CurationTold, GroupTold, TaskTold, Told
from tests.catalogues import ADA

pytestmark = pytest.mark.integration

START = datetime.fromisoformat("2020-01-01T10:00:30")
ONE, TWO = "m1/2020-01-01T10-00-30", "m1/2020-01-02T10-00-30"
ROOTS = {"raw": "/nowhere"}


def session(name: str, day: int) -> Scanned:
    probe = Recording(kind="neuropixels-ap", device="imec0", paths=("a.bin",), id=f"ap:{day}", started=START)
    sorting = Recording(kind="sorting", device="Kilosort", paths=("ks/spike_times.npy",), id=f"sorting:{day}")
    found = Session(
        id=name,
        subject="m1",
        started=START.replace(day=day),
        share="raw",
        folder=f"m1/{day}",
        tasks=(Task(name="run", start_s=0.5), Task(name="rest", start_s=10.0)),
        recordings=(probe, sorting),
    )
    return Scanned(found)  # without files: nothing on a share is looked at


TOLD = Told(
    source="batch.yml (sha256 0), line 3, sessions[0]",
    experimenters=("ada", "bob"),
    projects=("grid",),
    room="2.345",
    note="abc",
    tasks=(
        TaskTold(
            number=1,
            name="run",
            type="OpenField",
            start_s=0.5,
            stop_s=9.5,
            arena="150_square",
            light="dim",
            note="calm",
            things=(("tower", "x 27, y 34: plastic"), ("tower", "x 1, y 2"), ("curtain", "from left, clockwise")),
        ),
    ),
    implants=(("ap:1", "left P1@2019-01-01T10:00"),),
    curations=(CurationTold(recording="sorting:1", curator="ada", curated=START, note="good"),),
)
GROUP = GroupTold(source="batch.yml (sha256 0), line 9", name="g1", sessions=(ONE, TWO), curator="ada", share="raw")
NAMES = {
    "add-person": ("ada", "bob"),
    "add-project": ("grid",),
    "add-room": ("2.345",),
    "add-arena": ("150_square",),
    "add-light": ("dim",),
    "add-object": ("tower", "curtain"),
}


def planned(told: Told = TOLD, group: GroupTold = GROUP, *, versions: Sequence[int] = (0, 0)) -> IngestPlan:
    """A plan of both sessions, as a mass file makes it."""
    both = {ONE: session(ONE, 1), TWO: session(TWO, 2)}
    names = [PlannedStep(action=action, item=name) for action, some in NAMES.items() for name in some]
    grounds = {name: ground_of(one, version) for (name, one), version in zip(both.items(), versions, strict=True)}
    added = [PlannedStep(action="add", item=name, ground=ground) for name, ground in grounds.items()]
    annotated = PlannedStep(action=ANNOTATE, item=ONE, ground=grounds[ONE])
    clustered = PlannedStep(action=CLUSTER, item=group.name)
    steps = (*names, *added, annotated, clustered)
    return IngestPlan(steps=steps, sessions=both, told={ONE: told}, groups={group.name: group})


@pytest.fixture
def lab(catalogue: Catalogue) -> Catalogue:
    with catalogue.changing(ADA) as unit:
        put_subject(unit, "m1", {})
        put_probe(unit, "P1", {})
        put_implant(unit, "m1", "P1", START.replace(year=2019), {"name": "left"}, {})
    return catalogue


def carried_out(lab: Catalogue, plan: IngestPlan) -> list[Outcome]:
    return list(ingest(plan, lab, Helpers(author=ADA, roots=ROOTS, progress=Silent())))


def rehearsed(lab: Catalogue, plan: IngestPlan) -> list[Rehearsed]:
    return list(rehearse(plan, lab, ADA, ROOTS, Silent()))


def test_all_that_is_told_is_there_with_its_source(lab: Catalogue) -> None:
    assert {outcome.status for outcome in carried_out(lab, planned())} == {Status.OK}
    with lab.reading() as connection:
        said = said_of_sessions(connection)[ONE]
        assert (said.experimenters, said.projects, said.room) == (("ada", "bob"), ("grid",), "2.345")
        assert said.implants["ap:1"] == "left P1@2019-01-01T10:00"
        assert said.curators == {"sorting:1": "ada"}
        first, _ = known_sessions(connection, files=False)
        assert first.session.tasks[0] == Task(
            name="run",
            start_s=0.5,
            stop_s=9.5,
            type="OpenField",
            confirmed=True,
            arena="150_square",
            light="dim",
            note="calm",
            objects=TOLD.tasks[0].things or (),
        )
        assert said.note == "abc"
        assert not first.session.tasks[1].confirmed
        things = select(STIMULUS_OBJECT.c.object_name, TASK_OBJECT.c.placement_where).select_from(
            TASK_OBJECT.join(STIMULUS_OBJECT).join(TASK)
        )
        assert {tuple(row) for row in connection.execute(things)} == set(TOLD.tasks[0].things or ())
        lit = select(LIGHT.c.light_name, TASK.c.task_note).select_from(TASK.join(LIGHT))
        assert [tuple(row) for row in connection.execute(lit)] == [("dim", "calm")]
        curated = select(CLUSTERING).where(CLUSTERING.c.clustering_name == "sorting:1")
        (row,) = connection.execute(curated).mappings()
        assert (row["clustering_curated"], row["clustering_note"]) == (START, "good")
        (change,) = history_of(connection, ONE)
    assert change.source == TOLD.source
    assert "task run corrected, type: nothing → OpenField" in str(change.said)


def test_told_twice_it_is_told_once(lab: Catalogue) -> None:
    carried_out(lab, planned())
    with lab.reading() as connection:
        before = names_in(connection), subjects_of_clusterings(connection), list(history_of(connection, ONE))
    assert {outcome.status for outcome in carried_out(lab, planned())} == {Status.NOT_NEEDED}
    assert [(one.item, one.changes, one.error) for one in rehearsed(lab, planned())] == [
        (ONE, False, None),
        (TWO, False, None),
        ("g1", False, None),
    ]
    with lab.reading() as connection:
        after = names_in(connection), subjects_of_clusterings(connection), list(history_of(connection, ONE))
    assert before == after


def test_a_clustering_of_several_sessions_is_of_all_that_they_recorded(lab: Catalogue) -> None:
    carried_out(lab, planned())
    with lab.reading() as connection:
        assert subjects_of_clusterings(connection)["g1"] == {"m1"}
        assert [said.clusterings for said in said_of_sessions(connection).values()] == [("g1",), ("g1",)]
        linked = select(CLUSTERING_RECORDING).select_from(CLUSTERING_RECORDING.join(CLUSTERING))
        assert len(connection.execute(linked.where(CLUSTERING.c.clustering_name == "g1")).all()) == 2
    smaller = GroupTold(source="batch.yml", name="g1", sessions=(ONE,), curator="bob", curated=START, note="mended")
    (*_, last) = carried_out(lab, planned(group=smaller))
    assert (last.action, last.item, last.status) == (CLUSTER, "g1", Status.OK)
    with lab.reading() as connection:
        assert len(connection.execute(linked.where(CLUSTERING.c.clustering_name == "g1")).all()) == 1
        assert implants_of_subjects(connection)["m1"][0].probe == "P1"


def test_a_rehearsal_keeps_nothing(lab: Catalogue) -> None:
    assert [(one.item, one.changes, one.error) for one in rehearsed(lab, planned())] == [
        (ONE, True, None),
        (TWO, True, None),
        ("g1", True, None),
    ]
    with lab.reading() as connection:
        assert list(known_sessions(connection)) == []
        assert names_in(connection).people == frozenset()


def test_a_rehearsal_tells_what_would_fail(lab: Catalogue) -> None:
    wrong = Told(source="batch.yml", implants=(("ap:1", "right P2@2019-01-01T10:00"),))
    first, second, _ = rehearsed(lab, planned(wrong))
    assert first.error is not None
    assert "right P2@2019-01-01T10:00" in first.error.what
    assert second.error is None


def test_what_somebody_else_changed_since_is_not_told_over(lab: Catalogue) -> None:
    carried_out(lab, planned())
    other = Told(source="batch.yml", room="2.345", experimenters=("bob",))
    outcomes = {(one.action, one.item): one for one in carried_out(lab, planned(other))}
    assert outcomes[ANNOTATE, ONE].error == "SessionMoved"
    with lab.reading() as connection:
        assert said_of_sessions(connection)[ONE].experimenters == ("ada", "bob")
        version = next(known.version for known in known_sessions(connection) if known.session.id == ONE)
    outcomes = {(one.action, one.item): one for one in carried_out(lab, planned(other, versions=(version, 0)))}
    assert outcomes[ANNOTATE, ONE].status is Status.OK
    with lab.reading() as connection:
        assert said_of_sessions(connection)[ONE].experimenters == ("bob",)
        assert "experimenter ada removed" in str([change.said for change in history_of(connection, ONE)])


def test_a_name_that_was_taken_out_of_the_plan_is_not_added(lab: Catalogue) -> None:
    plan = planned()
    steps = tuple(step for step in plan.steps if step.item != "bob")
    failed = [
        one
        for one in carried_out(lab, IngestPlan(steps=steps, sessions=plan.sessions, told=plan.told, groups=plan.groups))
        if one.failed
    ]
    assert {(one.item, one.error) for one in failed} >= {(ONE, "NotInCatalogue")}
    with lab.reading() as connection:
        assert names_in(connection).people == {"ada"}


def test_what_is_taken_to_be_so_does_not_replace_what_somebody_said(lab: Catalogue) -> None:
    guessed = Told(source="a", curations=(CurationTold(recording="sorting:1", curator="bob", confirmed=False),))
    carried_out(lab, planned(guessed))
    with lab.reading() as connection:
        assert said_of_sessions(connection)[ONE].curators == {}
        assert said_of_sessions(connection)[ONE].likely_curators == {"sorting:1": "bob"}
        version = next(known.version for known in known_sessions(connection) if known.session.id == ONE)
    carried_out(lab, planned(versions=(version, 0)))
    carried_out(lab, planned(guessed))
    with lab.reading() as connection:
        assert said_of_sessions(connection)[ONE].curators == {"sorting:1": "ada"}


def test_however_often_it_is_stopped_and_begun_again_it_ends_as_one(lab: Catalogue) -> None:
    plan = planned()
    for count in range(1, len(plan.steps)):
        running = ingest(plan, lab, Helpers(author=ADA, roots=ROOTS, progress=Silent()))
        assert not [one for one in islice(running, count) if one.failed]
        del running  # nobody asks for the rest
    carried_out(lab, plan)
    with lab.reading() as connection:
        assert len(list(history_of(connection, ONE))) == 1
        assert said_of_sessions(connection)[ONE].experimenters == ("ada", "bob")
        assert subjects_of_clusterings(connection)["g1"] == {"m1"}
    assert not [one for one in rehearsed(lab, plan) if one.changes]
