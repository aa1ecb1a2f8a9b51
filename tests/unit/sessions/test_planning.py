"""A plan says what is new, changed, moved, left and refused, and why; carried out, nothing is left to do."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.model.findings import Finding
from engram.model.recordings import Recording, Session, Task, session_id
from engram.sessions.known import Known, KnownSession
from engram.sessions.planning import IngestPlan, plan
from engram.sessions.scanned import FileSeen, Scanned


@dataclass(frozen=True)
class InCatalogue:
    session: Session
    files: tuple[FileSeen, ...] = ()
    version: int = 1


SUBJECTS = {"12347": "12347", "SC026": "SC026", "M1": "SC026"}
START = datetime.fromisoformat("2020-01-01T10:00:30")


def ap(probe: int = 0, *, samples: int = 60, serial: str = "", start: datetime = START) -> Recording:
    stem = f"probe_{probe}/npx.imec.ap"
    return Recording(
        kind="neuropixels-ap",
        device=f"imec{probe}",
        paths=(f"{stem}.bin", f"{stem}.meta"),
        serial=serial or f"1800{probe}",
        started=start,
        samples=samples,
        size_bytes=samples * 770,
    )


def scan(
    *recordings: Recording,
    folder: str = "12347/2020-01-01_10-00-30",
    subject: str = "12347",
    share: str = "raw",
    **more: object,
) -> Scanned:
    session = Session(
        id=session_id(subject, START),
        subject=subject,
        started=START,
        share=share,
        folder=folder,
        recordings=recordings,
    )
    files = tuple(FileSeen(path, recording.size_bytes, 1) for recording in recordings for path in recording.paths)
    return Scanned(replace(session, **more), files)  # type: ignore[arg-type]  # fields of a session, by name


def carried_out(planned: IngestPlan, known: Known) -> Known:
    """What the catalogue knows once a plan was carried out, in the plainest way."""
    sessions: dict[str, KnownSession] = dict(known.sessions)
    for step in planned.steps:
        scanned = planned.sessions[step.item]
        version = sessions[step.item].version if step.item in sessions else 0
        sessions[step.item] = InCatalogue(scanned.session, scanned.files, version + 1)
    return replace(known, sessions=sessions)


def after(*scans: Scanned, known: Known | None = None) -> Known:
    before = known or Known(subjects=SUBJECTS)
    return carried_out(plan(scans, before), before)


def actions(planned: IngestPlan) -> list[tuple[str, str]]:
    return [(step.action, step.item) for step in planned.steps]


class TestASessionThatIsNew:
    def test_is_added_with_its_recordings_and_files(self) -> None:
        planned = plan([scan(ap(0), ap(1))], Known(subjects=SUBJECTS))
        (step,) = planned.steps
        assert (step.action, step.item) == ("add", "12347/2020-01-01T10-00-30")
        assert step.why == "new: imec0 (neuropixels-ap), imec1 (neuropixels-ap), 4 files"
        assert step.bytes == 2 * 60 * 770
        assert [each.id for each in planned.sessions[step.item].session.recordings] == [
            "neuropixels-ap:18000:20200101T100030",
            "neuropixels-ap:18001:20200101T100030",
        ]

    def test_belongs_to_the_subject_that_an_alias_stands_for(self) -> None:
        planned = plan([scan(ap(), subject="M1")], Known(subjects=SUBJECTS))
        assert next(iter(planned.sessions.values())).session.subject == "SC026"

    def test_of_an_unknown_subject_is_refused_with_the_command_that_adds_it(self) -> None:
        planned = plan([scan(ap(), subject="99")], Known(subjects=SUBJECTS))
        assert planned.steps == ()
        assert planned.refused[0].why.endswith("engram subjects add 99")

    def test_without_anything_recognised_in_it_is_left(self) -> None:
        assert [step.why for step in plan([scan()], Known(subjects=SUBJECTS)).left] == ["nothing was recognised in it"]

    def test_that_is_still_being_written_is_left(self) -> None:
        planned = plan([scan(ap(), state="incomplete")], Known(subjects=SUBJECTS))
        assert (planned.steps, planned.left[0].why) == ((), "something in it is still being written")

    @pytest.mark.parametrize("name", ["12347/2020-01-01T10-00-30", "raw:12347/2020-01-01_10-00-30"])
    def test_that_is_excluded_is_left_with_the_reason(self, name: str) -> None:
        planned = plan([scan(ap())], Known(subjects=SUBJECTS, excluded={name: "pilot"}))
        assert (planned.steps, planned.left[0].why) == ((), "excluded: pilot")

    def test_with_the_name_of_another_is_refused(self) -> None:
        planned = plan([scan(ap(0)), scan(ap(1), folder="12347/x")], Known(subjects=SUBJECTS))
        assert len(planned.steps) == 1
        assert "tell them apart" in planned.refused[0].why


class TestWhatIsWrong:
    truncated = Finding(
        code="truncated", path="12347/2020-01-01_10-00-30/probe_0/npx.imec.ap.bin", message="7 bytes short."
    )

    def test_is_refused_and_the_rest_of_its_session_goes_on(self) -> None:
        planned = plan([scan(ap(0), ap(1), findings=(self.truncated,))], Known(subjects=SUBJECTS))
        assert [each.device for each in planned.sessions[planned.steps[0].item].session.recordings] == ["imec1"]
        assert planned.refused[0].why == "truncated: 7 bytes short."

    @pytest.mark.parametrize("item", ["12347/2020-01-01T10-00-30", "neuropixels-ap:18000:20200101T100030"])
    def test_is_taken_once_a_person_accepted_it(self, item: str) -> None:
        known = Known(subjects=SUBJECTS, waived=frozenset({(item, "truncated")}))
        planned = plan([scan(ap(0), findings=(self.truncated,))], known)
        assert [step.action for step in planned.steps] == ["add"]
        assert planned.refused == ()

    def test_leaves_a_recording_that_is_known_as_it_is_known(self) -> None:
        cut = scan(replace(ap(0), size_bytes=46193), findings=(self.truncated,))
        planned = plan([cut], after(scan(ap(0))))
        assert [(step.action, step.why) for step in planned.steps] == [
            ("update", "2 files have another size or time"),
        ]
        assert planned.sessions[planned.steps[0].item].session.recordings[0].size_bytes == 46200
        assert planned.refused[0].why == "truncated: 7 bytes short."

    def test_a_warning_refuses_nothing(self) -> None:
        misnamed = Finding(code="misnamed", path=self.truncated.path, message="x")
        assert plan([scan(ap(0), findings=(misnamed,))], Known(subjects=SUBJECTS)).refused == ()


class TestASessionThatIsKnown:
    def test_and_did_not_change_is_nothing_to_do(self) -> None:
        assert plan([scan(ap())], after(scan(ap()))) == IngestPlan()

    def test_has_new_recordings_linked(self) -> None:
        (step, files) = plan([scan(ap(0), ap(1))], after(scan(ap(0)))).steps
        assert (step.action, step.why) == ("link", "new in a known session: imec1 (neuropixels-ap)")
        assert (files.action, files.why) == ("update", "2 new files")

    def test_has_what_grew_updated(self) -> None:
        (step,) = plan([scan(ap(samples=120))], after(scan(ap(samples=60)))).steps
        assert step.action == "update"
        assert step.why.startswith("neuropixels-ap:18000:20200101T100030 has 120 samples now, had 60")

    def test_is_moved_when_it_lies_elsewhere(self) -> None:
        planned = plan([scan(ap(), folder="archive/12347")], after(scan(ap())))
        assert [(step.action, step.why) for step in planned.steps] == [("move", "was in raw:12347/2020-01-01_10-00-30")]

    def test_is_not_moved_by_a_copy(self) -> None:
        copy = scan(ap(), folder="copy/12347", id="12347/2020-01-01T10-00-30_copy")
        planned = plan([scan(ap()), copy], after(scan(ap())))
        assert planned.steps == ()
        assert "a copy of raw:12347/2020-01-01_10-00-30" in planned.left[0].why

    def test_is_not_moved_from_a_share_that_nobody_looked_at(self) -> None:
        planned = plan([scan(ap(), share="other")], after(scan(ap())))
        assert planned.steps == ()
        assert len(planned.left) == 1

    def test_keeps_the_name_that_the_catalogue_gave_it(self) -> None:
        renamed = scan(ap(), folder="12347/renamed", id="12347/2021-05-05")
        (step,) = plan([renamed], after(scan(ap()))).steps
        assert (step.action, step.item) == ("move", "12347/2020-01-01T10-00-30")

    def test_tells_of_recordings_that_are_gone(self) -> None:
        (step,) = plan([scan(ap(0))], after(scan(ap(0), ap(1)))).steps
        assert step.why == "1 recordings are gone: imec1 (neuropixels-ap); 2 files are gone"

    def test_keeps_the_tasks_that_a_person_confirmed(self) -> None:
        known = after(scan(ap(), tasks=(Task(name="open field", start_s=0, confirmed=True),)))
        assert plan([scan(ap(), tasks=(Task(name="run", start_s=30),))], known).steps == ()

    def test_follows_the_tasks_that_nobody_confirmed(self) -> None:
        (step,) = plan([scan(ap(), tasks=(Task(name="run", start_s=30),))], after(scan(ap()))).steps
        assert step.why == "it has 1 tasks now, had 0"


def test_a_step_stands_on_what_was_seen_and_what_was_known() -> None:
    known = after(scan(ap(samples=60)))
    grounds = {plan([scan(ap(samples=samples))], known).steps[0].ground for samples in (61, 62)}
    later = replace(known, sessions={name: InCatalogue(one.session, version=7) for name, one in known.sessions.items()})
    grounds |= {plan([scan(ap(samples=61))], later).steps[0].ground}
    assert len(grounds) == 3


recordings = st.lists(
    st.builds(ap, st.integers(0, 3), samples=st.sampled_from([60, 120])), max_size=3, unique_by=lambda one: one.device
)
scans = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d"]), st.tuples(recordings, st.sampled_from(["12347", "SC026", "99"])), max_size=4
).map(
    lambda folders: [
        scan(*found, folder=folder, subject=subject, id=f"{subject}/{folder}")
        for folder, (found, subject) in folders.items()
    ]
)


@given(scans, scans)
def test_once_carried_out_the_same_shares_give_no_steps(first: list[Scanned], second: list[Scanned]) -> None:
    known = after(*second, known=after(*first))
    assert plan(second, known).steps == ()


@given(scans, scans, st.randoms(use_true_random=False))
def test_the_order_of_the_scan_does_not_matter(first: list[Scanned], second: list[Scanned], random: object) -> None:
    known = after(*first)
    shuffled: Iterable[Scanned] = sorted(second, key=lambda _: random.random())  # type: ignore[attr-defined]  # a Random
    assert plan(shuffled, known) == plan(second, known)
