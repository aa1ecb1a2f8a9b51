"""What people say and decide, and its history, on each database."""

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import select

from engram.catalogue.clusterings import sessions_of_clusterings
from engram.catalogue.finding import files_with
from engram.catalogue.history import history_of
from engram.catalogue.known import excluded, known_sessions, waived
from engram.catalogue.marks import exclude, include, is_known, put_in_group, waive
from engram.catalogue.opening import Catalogue
from engram.catalogue.probes import put_implant, put_probe
from engram.catalogue.said import names_in, said_of_sessions
from engram.catalogue.saying import Saying, TaskSaid
from engram.catalogue.sessions import record_session
from engram.catalogue.subjects import put_subject
from engram.catalogue.tables.outputs import CLUSTERING
from engram.model.errors import NotInCatalogue
from engram.model.recordings import Recording, Session, Task
from engram.sessions.annotating import What, read_rows
from engram.sessions.answers import check
from engram.sessions.asking import answer, asked_of, missing, vocabulary
from engram.sessions.scanned import FileSeen
from tests.catalogues import ADA

pytestmark = pytest.mark.integration

START = datetime.fromisoformat("2020-01-01T10:00:30")
NAME = "m1/2020-01-01T10-00-30"


SECOND = Session(
    id="m1/2020-01-02T10-00-30",
    subject="m1",
    started=START.replace(day=2),
    share="raw",
    folder="m1/2",
    recordings=(Recording(kind="neuropixels-ap", device="imec0", paths=("b.bin",), id="ap:2", serial="7"),),
)


@pytest.fixture
def lab(catalogue: Catalogue) -> Catalogue:
    sorting = Recording(
        kind="sorting",
        device="Kilosort",
        paths=("ks/spike_times.npy",),
        id="sorting:1",
        facts=(("curated", "2020-01-03T09:00:00+00:00"),),
    )
    probe = Recording(kind="neuropixels-ap", device="imec0", paths=("a%b_c.bin",), id="ap:1", started=START)
    found = Session(
        id=NAME,
        subject="m1",
        started=START,
        share="raw",
        folder="m1/Ä",
        tasks=(Task(name="run", start_s=0.1), Task(name="rest", start_s=10.0)),
        recordings=(probe, sorting),
    )
    with catalogue.changing(ADA) as unit:
        put_subject(unit, "m1", {"responsible": "ada"})
        put_probe(unit, "P1", {})
        put_implant(unit, "m1", "P1", START.replace(year=2019), {"name": "left"}, {})
        record_session(unit, found, [FileSeen("a%b_c.bin"), FileSeen("ks/spike_times.npy")])
    return catalogue


def test_answers_are_there_and_corrections_are_in_the_history(lab: Catalogue) -> None:
    with lab.changing(ADA) as unit:
        saying = Saying(unit, NAME, adds=True)
        saying.experimenters(["ada", "bob"])
        saying.projects(["grid"])
        saying.room("2.1")
        saying.implant("ap:1", "left P1@2019-01-01T10:00")
        saying.curator("sorting:1", "ada")
        saying.tasks([TaskSaid(task=Task(name="run", start_s=0.1, stop_s=9.5, arena="box"), number=1)])
        assert saying.finish()
    with lab.changing(ADA) as unit:
        again = Saying(unit, NAME)
        again.experimenters(["bob"])
        again.tasks([TaskSaid(task=Task(name="", start_s=10.0), never=True)])
        assert again.finish() == ("not experimenter ada", "no task rest")
    with lab.reading() as connection:
        said = said_of_sessions(connection)[NAME]
        assert (said.experimenters, said.projects, said.room, said.responsible) == (("bob",), ("grid",), "2.1", "ada")
        assert said.implants["ap:1"] == "left P1@2019-01-01T10:00"
        assert said.curators == {"sorting:1": "ada"}
        assert names_in(connection).arenas == {"box"}
        (known,) = known_sessions(connection)
        assert known.session.tasks == (Task(name="run", start_s=0.1, stop_s=9.5, confirmed=True, arena="box"),)
        recorded, answered, corrected = history_of(connection, NAME)
    assert f"session {NAME} added" in recorded.said
    assert "task run corrected, stop s: nothing → 9.5, standing: inferred → confirmed, arena: nothing → box" in (
        answered.said
    )
    assert set(corrected.said) == {"experimenter ada removed", "task rest removed"}


def test_all_that_is_asked_can_be_answered_in_one_table_and_is_asked_no_more(lab: Catalogue) -> None:
    second = replace(SECOND, tasks=(Task(name="run", start_s=0.1),))
    with lab.changing(ADA) as unit:
        record_session(unit, second, [FileSeen("b.bin")])
        Saying(unit, NAME, adds=True).tasks([TaskSaid(task=Task(name="run", start_s=0.1, arena="square"))])
        seed = Saying(unit, second.id, adds=True)
        seed.apparatus("other", "open field")
    asked = {(row.session, row.what): row for row in missing(asked_of(lab))}
    assert asked[NAME, What.CURATOR].curated == "2020-01-03 09:00:00"
    assert asked[NAME, What.APPARATUS].item == "square"
    table = [
        ("session", "what", "item", "value", "start_s", "light", "objects", "curated", "confirmed"),
        (NAME, "curator", "sorting:1", "ada", "", "", "", "2020-01-04 10:30:00", "yes"),
        (NAME, "clustering", "", "week 1", "", "", "", "", "yes"),
        (second.id, "clustering", "", "week 1", "", "", "", "", "yes"),
        (NAME, "apparatus", "square", "open field", "", "", "", "", "yes"),
        (NAME, "task", "1", "run", "0.1", "dim", "box @ north; cue card", "", "yes"),
    ]
    rows, problems = read_rows(table)
    assert problems == []
    assert [one.column for one in check(rows, vocabulary(asked_of(lab), adds=False))] == ["light", "objects", "objects"]
    assert check(rows, vocabulary(asked_of(lab), adds=True)) == []
    for expected in (True, False):
        for name in (NAME, second.id):
            with lab.changing(ADA) as unit:
                mine = [row for _, row in rows if row.session == name]
                assert bool(answer(unit, name, mine, adds=True)) is expected
    again = {(row.session, row.what) for row in missing(asked_of(lab))}
    assert not again & {(NAME, What.CURATOR), (NAME, What.APPARATUS), (NAME, What.CLUSTERING)}
    with lab.reading() as connection:
        assert sessions_of_clusterings(connection) == {"week 1": frozenset({NAME, second.id})}
        assert names_in(connection).apparatus_of == {"square": "open field", "other": "open field"}
        curated = connection.execute(select(CLUSTERING.c.clustering_curated)).scalars().all()
        assert datetime.fromisoformat("2020-01-04T10:30:00") in curated
        task = next(one for one in known_sessions(connection) if one.session.id == NAME).session.tasks[0]
    assert (task.light, task.objects) == ("dim", (("box", "north"), ("cue card", "")))


def test_said_twice_it_is_said_once(lab: Catalogue) -> None:
    for changes in (2, 0):
        with lab.changing(ADA) as unit:
            saying = Saying(unit, NAME, adds=True)
            saying.projects(["grid"])
            assert len(saying.finish()) == changes


def test_decisions_are_kept_and_taken_back(lab: Catalogue) -> None:
    with lab.changing(ADA) as unit:
        exclude(unit, "m1/*", "pilots")
        waive(unit, "ap:1", "truncated", "sound")
        assert put_in_group(unit, "cohort", NAME)
        assert not put_in_group(unit, "cohort", NAME)
        assert is_known(unit.connection, "ap:1")
        assert not is_known(unit.connection, "AP:1")
    with lab.reading() as connection:
        assert excluded(connection) == {"m1/*": "pilots"}
        assert waived(connection) == {("ap:1", "truncated")}
        (known,) = known_sessions(connection)
        assert known.session.groups == ("cohort",)
    with lab.changing(ADA) as unit:
        include(unit, "m1/*")
        with pytest.raises(NotInCatalogue):
            include(unit, "m1/*")
    with lab.reading() as connection:
        assert excluded(connection) == {}


@pytest.mark.parametrize(("text", "found"), [("A%B_", 1), ("%", 1), ("SPIKE", 1), ("Ä/", 2), ("x", 0)])
def test_files_are_found_by_a_text_whatever_its_case_and_signs(lab: Catalogue, text: str, found: int) -> None:
    with lab.reading() as connection:
        assert len(list(files_with(connection, text))) == found
