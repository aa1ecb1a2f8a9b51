"""Sessions in the catalogue, on each database: told twice they are recorded once, and nothing that was is forgotten."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from sqlalchemy import func, select

from engram.catalogue.directory import Directory
from engram.catalogue.known import SessionKnown, known_sessions
from engram.catalogue.opening import Catalogue
from engram.catalogue.probes import put_implant, put_probe
from engram.catalogue.sessions import Recorded, record_session
from engram.catalogue.subjects import put_subject
from engram.catalogue.tables import whole_schema
from engram.catalogue.tables.changes import CHANGE, EDIT
from engram.catalogue.tables.recordings import FILE, RECORDING
from engram.catalogue.unit import Became
from engram.model.errors import NotInCatalogue
from engram.model.findings import Finding
from engram.model.recordings import Recording, Session, Task
from tests.catalogues import ADA

pytestmark = pytest.mark.integration


at = datetime.fromisoformat  # a rig's clock shows no zone


@dataclass(frozen=True)
class Seen:
    path: str
    size_bytes: int | None = None
    modified_ns: int | None = None
    share: str = ""


AP = Recording(
    kind="neuropixels-ap",
    device="imec0",
    paths=("probe_1/npx.imec.ap.bin", "probe_1/npx.imec.ap.meta"),
    id="neuropixels-ap:18005123491:2020-01-01T10:00:30",
    serial="18005123491",
    started=at("2020-01-01T10:00:30.000250"),
    duration_s=1.5,
    sampling_rate_hz=30000.000263,
    channels=385,
    samples=2**40,
    size_bytes=2**50,
    sha1="ab" * 20,
    facts=(("gain", 500), ("nan", None), ("probe", "NP1010"), ("rate", 2.5)),
)
VIDEO = Recording(kind="video", device="side", paths=("video/side.avi",), id="video:side:2020-01-01T10:00:30")
SESSION = Session(
    id="12347/2020-01-01T10-00-30",
    subject="12347",
    started=datetime(2020, 1, 1, 10, 0, 30, tzinfo=timezone(timedelta(hours=1))),
    share="recordings",
    folder="12347/2020-01-01_10-00-30",
    ident="surface",
    groups=("cohort 1",),
    tasks=(Task(name="open_field_1", start_s=30.0), Task(name="sleep", start_s=630.5, stop_s=1200.25, type="REST")),
    recordings=(AP, VIDEO),
    findings=(Finding(code="misnamed", path="12347/2020-01-01_10-00-30/x", message="Not quite."),),
)
FILES = (
    Seen("logs/sessions.txt", 120, 1_577_869_230_000_000_001),
    Seen("probe_1/npx.imec.ap.bin", 2**50, 2**62),
    Seen("probe_1/npx.imec.ap.meta", 3000, 1_577_869_230_000_000_000),
    Seen("video/side.avi"),
    Seen("video/SIDE.avi"),
    Seen("video/\udcff\\side.avi", 1, 1),
)


def record(catalogue: Catalogue, session: Session, files: tuple[Seen, ...] = FILES) -> Recorded:
    with catalogue.changing(ADA) as unit:
        return record_session(unit, session, files, roots={"recordings": "/mnt/N/recordings"})


def known(catalogue: Catalogue) -> list[SessionKnown]:
    with catalogue.reading() as connection:
        return list(known_sessions(connection))


def contents(catalogue: Catalogue) -> dict[str, list[tuple[object, ...]]]:
    with catalogue.reading() as connection:
        tables = whole_schema().sorted_tables
        return {table.name: [tuple(row) for row in connection.execute(select(table))] for table in tables}


@pytest.fixture
def subjects(catalogue: Catalogue) -> Catalogue:
    with catalogue.changing(ADA) as unit:
        for name in ("12347", "12348"):
            put_subject(unit, name, {})
    return catalogue


def test_what_is_recorded_is_read_back_as_it_was(subjects: Catalogue) -> None:
    assert record(subjects, SESSION).became is Became.ADDED
    (found,) = known(subjects)
    assert found.session == replace(SESSION, state="known")
    assert [(one.path, one.size_bytes, one.modified_ns) for one in found.files] == [
        (one.path, one.size_bytes, one.modified_ns) for one in sorted(FILES, key=lambda one: one.path)
    ]


SPREAD = replace(
    SESSION,
    also_in=(("recordings", "second/12347"), ("video", "12347/20200101")),
    recordings=(
        AP,
        replace(VIDEO, share="video", paths=("12347/20200101/side.avi",)),
        replace(VIDEO, id="video:top", device="top", paths=("../../second/12347/top.avi",)),
    ),
)
SPREAD_FILES = (
    Seen("../../second/12347/top.avi", 1, 1),
    *FILES[:3],
    Seen("12347/20200101/side.avi", 7, 2**60, "video"),
    Seen("video/side.avi", 1, 1, "video"),
)


def test_a_session_in_several_folders_on_two_shares_is_read_back_as_it_was(subjects: Catalogue) -> None:
    record(subjects, SPREAD, SPREAD_FILES)
    (found,) = known(subjects)
    assert found.session == replace(SPREAD, state="known")
    told = [(one.path, one.size_bytes, one.modified_ns, one.share) for one in found.files]
    assert told == [(one.path, one.size_bytes, one.modified_ns, one.share) for one in SPREAD_FILES]
    assert record(subjects, SPREAD, SPREAD_FILES).became is Became.SAME


def test_one_of_its_folders_moves_and_its_files_go_with_it(subjects: Catalogue) -> None:
    record(subjects, SPREAD, SPREAD_FILES)
    with subjects.reading() as connection:
        before = {row.file_path: row.file_id for row in connection.execute(select(FILE))}
    side = replace(VIDEO, share="video", paths=("archive/20200101/side.avi",))
    moved = replace(
        SPREAD,
        also_in=(("recordings", "second/12347"), ("video", "archive/20200101")),
        recordings=(AP, side, SPREAD.recordings[2]),
    )
    files = (*SPREAD_FILES[:4], Seen("archive/20200101/side.avi", 7, 2**60, "video"), SPREAD_FILES[5])
    changes = record(subjects, moved, files).changes
    assert changes[:2] == ("it was in 12347/20200101", "it is in archive/20200101")
    with subjects.reading() as connection:
        after = {row.file_path: row.file_id for row in connection.execute(select(FILE))}
    assert after["archive/20200101/side.avi"] == before["12347/20200101/side.avi"]
    assert len(after) == len(before)
    assert known(subjects)[0].session.folders == moved.folders


@pytest.mark.parametrize(
    "started",
    [
        date(2020, 1, 1),
        at("2020-01-01T10:00:00"),
        datetime(2020, 1, 1, 10, tzinfo=UTC),
        at("2020-07-01T23:59:59.000001"),
    ],
)
def test_a_start_is_kept_as_exactly_as_it_is_known(subjects: Catalogue, started: datetime | date) -> None:
    record(subjects, replace(SESSION, started=started))
    (found,) = known(subjects)
    assert (type(found.session.started), found.session.started) == (type(started), started)


def test_told_twice_it_is_recorded_once(subjects: Catalogue) -> None:
    record(subjects, SESSION)
    before = contents(subjects)
    again = record(subjects, SESSION)
    assert (again.became, again.changes) == (Became.SAME, ())
    assert contents(subjects) == before


def test_a_correction_is_an_edit_and_the_history_has_what_was(subjects: Catalogue) -> None:
    record(subjects, SESSION)
    (before,) = known(subjects)
    longer = replace(AP, samples=7)
    again = record(subjects, replace(SESSION, recordings=(longer, VIDEO)))
    assert again.became is Became.EDITED
    assert again.changes == (f"{AP.id}: samples was {2**40}",)
    (after,) = known(subjects)
    assert after.session.recordings == (longer, VIDEO)
    assert after.version > before.version
    with subjects.reading() as connection:
        edits = connection.execute(select(EDIT, CHANGE.c.change_by).join(CHANGE)).mappings().all()
    assert [(edit["edit_table"], json.loads(edit["edit_was"]), edit["change_by"]) for edit in edits] == [
        ("recording", {"recording_samples": 2**40}, "ada@rig")
    ]


def test_a_file_that_changed_or_went_is_told_and_one_that_came_back_is_the_same(subjects: Catalogue) -> None:
    record(subjects, SESSION)
    changed = (replace(FILES[0], size_bytes=121), *FILES[1:3], *FILES[4:])
    assert record(subjects, SESSION, changed).changes == (
        "12347/2020-01-01_10-00-30/logs/sessions.txt: size bytes was 120",
        "12347/2020-01-01_10-00-30/video/side.avi is gone",
        "its recordings have other files",
    )
    assert [file.path for file in known(subjects)[0].files] == sorted(file.path for file in changed)
    assert record(subjects, SESSION, changed).became is Became.SAME
    record(subjects, SESSION)
    (found,) = known(subjects)
    assert found.session == replace(SESSION, state="known")
    with subjects.reading() as connection:
        assert connection.execute(select(func.count()).select_from(FILE)).scalar() == len(FILES)


def test_what_nobody_looked_at_is_not_forgotten(subjects: Catalogue) -> None:
    record(subjects, SESSION)
    assert record(subjects, SESSION, tuple(Seen(file.path) for file in FILES)).became is Became.SAME
    assert known(subjects)[0].files[0].size_bytes == 120


def test_a_session_that_moved_keeps_its_rows(subjects: Catalogue) -> None:
    record(subjects, SESSION)
    before = contents(subjects)
    moved = replace(SESSION, share="archive", folder="old/12347")
    done = record(subjects, moved)
    assert done.became is Became.EDITED
    (found,) = known(subjects)
    assert found.session == replace(moved, state="known")
    assert [file.path for file in found.files] == sorted(file.path for file in FILES)
    after = contents(subjects)
    assert [row[0] for row in after["file"]] == [row[0] for row in before["file"]]
    assert after["recording"] == before["recording"]
    assert record(subjects, moved).became is Became.SAME


def test_a_recording_and_its_files_can_go_to_another_session(subjects: Catalogue) -> None:
    record(subjects, SESSION)
    other = replace(SESSION, id="12347/2020-01-01", started=date(2020, 1, 1))
    assert record(subjects, other).became is Became.ADDED
    first, second = known(subjects)
    assert first.session == replace(other, state="known")
    assert (second.session.recordings, second.files) == ((), ())
    with subjects.reading() as connection:
        assert connection.execute(select(func.count()).select_from(FILE)).scalar() == len(FILES)
        assert connection.execute(select(func.count()).select_from(RECORDING)).scalar() == 2


def test_tasks_that_a_person_confirmed_are_left_alone(subjects: Catalogue) -> None:
    confirmed = replace(SESSION, tasks=tuple(replace(task, confirmed=True) for task in SESSION.tasks))
    record(subjects, confirmed)
    assert record(subjects, replace(SESSION, tasks=())).became is Became.SAME
    assert known(subjects)[0].session.tasks == confirmed.tasks


def test_inferred_tasks_and_findings_follow_what_is_seen(subjects: Catalogue) -> None:
    record(subjects, SESSION)
    now = replace(
        SESSION,
        tasks=(Task(name="open_field_1", start_s=30.0, stop_s=600.0),),
        findings=(Finding(code="truncated", path="p", message="7 bytes short."),),
    )
    assert record(subjects, now).changes == ("2 tasks are others", "2 findings are others")
    assert known(subjects)[0].session == replace(now, state="known")
    with subjects.reading() as connection:
        removed = connection.execute(select(EDIT.c.edit_was).where(EDIT.c.edit_action == "remove")).scalars().all()
    assert sorted(json.loads(was).get("task_name", "finding") for was in removed) == ["finding", "sleep"]


def test_a_session_of_an_unknown_subject_leaves_nothing_behind(subjects: Catalogue) -> None:
    before = contents(subjects)
    with pytest.raises(NotInCatalogue) as refused:
        record(subjects, replace(SESSION, subject="it's new"))
    assert refused.value.next_step == "Add it: engram subjects add 'it'\"'\"'s new'"
    assert contents(subjects) == before


def test_a_session_is_recorded_whole_or_not_at_all(subjects: Catalogue) -> None:
    before = contents(subjects)

    def interrupted() -> None:
        with subjects.changing(ADA) as unit:
            record_session(unit, SESSION, FILES)
            raise RuntimeError("the plug was pulled")

    with pytest.raises(RuntimeError, match="plug"):
        interrupted()
    assert contents(subjects) == before
    with subjects.rehearsing(ADA) as unit:
        assert record_session(unit, SESSION, FILES).became is Became.ADDED
    assert contents(subjects) == before


def test_a_probe_is_found_by_its_serial_number_and_its_implant_by_the_day(subjects: Catalogue) -> None:
    with subjects.changing(ADA) as unit:
        put_probe(unit, AP.serial, {"type": "NP1010"})
        early = put_implant(unit, "12347", AP.serial, at("2019-01-01"), {"removed": at("2019-06-01")}, {})
        here = put_implant(unit, "12347", AP.serial, at("2019-12-01T09:30:00"), {}, {})
    record(subjects, SESSION)
    with subjects.reading() as connection:
        rows = connection.execute(select(RECORDING.c.recording_device, RECORDING.c.implant_id)).all()
    assert dict(map(tuple, rows)) == {"imec0": here.row_id, "side": None}
    assert early.row_id != here.row_id


def test_a_probe_that_is_added_later_is_found_in_what_was_recorded_before(subjects: Catalogue) -> None:
    record(subjects, SESSION)
    with subjects.changing(ADA) as unit:
        probe = put_probe(unit, AP.serial, {})
        implant = put_implant(unit, "12347", AP.serial, at("2019-12-01"), {}, {})
    with subjects.reading() as connection:
        columns = (RECORDING.c.recording_device, RECORDING.c.probe_id, RECORDING.c.implant_id)
        rows = {row[0]: tuple(row[1:]) for row in connection.execute(select(*columns))}
    assert rows == {"imec0": (probe.row_id, implant.row_id), "side": (None, None)}
    assert record(subjects, SESSION).became is Became.SAME


def test_many_sessions_ask_for_the_same_names_once(subjects: Catalogue) -> None:
    directory = Directory()
    for number in range(3):
        one = replace(SESSION, id=f"12347/{number}", folder=f"f/{number}", recordings=())
        with subjects.changing(ADA) as unit:
            record_session(unit, one, FILES, directory=directory)
    with subjects.changing(ADA) as unit:
        put_subject(unit, "new", {})
    with subjects.changing(ADA) as unit:
        record_session(unit, replace(SESSION, id="new/1", subject="new", folder="n"), FILES, directory=directory)
    assert len(known(subjects)) == 4
