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
        taken = {each.id for each in scanned.session.recordings}
        for name, other in sessions.items():  # a recording is in one session alone
            rest = tuple(each for each in other.session.recordings if each.id not in taken)
            sessions[name] = InCatalogue(replace(other.session, recordings=rest), tuple(other.files), other.version)  # type: ignore[arg-type]  # FileSeen
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

    @pytest.mark.parametrize("name", ["12347/2020-01-01T10-00-30", "raw:12347/2020-01-01_10-00-30", "raw:12347"])
    def test_that_is_excluded_is_left_with_the_reason(self, name: str) -> None:
        planned = plan([scan(ap())], Known(subjects=SUBJECTS, excluded={name: "pilot"}))
        assert (planned.steps, planned.left[0].why) == ((), "excluded: pilot")


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
        assert step.why == "1 recording is gone: imec1 (neuropixels-ap); 2 files are gone"

    def test_keeps_the_tasks_that_a_person_confirmed(self) -> None:
        known = after(scan(ap(), tasks=(Task(name="open field", start_s=0, confirmed=True),)))
        assert plan([scan(ap(), tasks=(Task(name="run", start_s=30),))], known).steps == ()

    def test_follows_the_tasks_that_nobody_confirmed(self) -> None:
        (step,) = plan([scan(ap(), tasks=(Task(name="run", start_s=30),))], after(scan(ap()))).steps
        assert step.why == "it has 1 tasks now, had 0"


DAY = "12347/2020-01-01"
SIDE = Recording(kind="video", device="side", paths=("side.mp4",), size_bytes=9)
UNITS = Recording(kind="sorting", device="kilosort", paths=("ks/spike_times.npy",), size_bytes=5)


def of_video(*recordings: Recording, **more: object) -> Scanned:
    return scan(*(recordings or (SIDE,)), share="video", folder="MAP/12347", **more)  # type: ignore[arg-type]  # by name


class TestASessionInSeveralFolders:
    home = "12347/2020-01-01T10-00-30"

    def test_is_gathered_with_the_reason(self) -> None:
        planned = plan([of_video(), scan(ap(0))], Known(subjects=SUBJECTS))
        add, link = planned.steps
        assert (add.action, add.item, add.why) == ("add", self.home, "new: imec0 (neuropixels-ap), 2 files")
        assert (link.action, link.item) == ("link", self.home)
        assert link.why == (
            "video:MAP/12347 is of the same subject and time as raw:12347/2020-01-01_10-00-30: side (video)"
        )
        found = planned.sessions[self.home]
        assert found.session.folders == (("raw", "12347/2020-01-01_10-00-30"), ("video", "MAP/12347"))
        assert [(each.share, each.path) for each in found.session.recordings] == [
            ("", "probe_0/npx.imec.ap.bin"),
            ("video", "MAP/12347/side.mp4"),
        ]
        assert planned.bytes == 60 * 770 + 9

    def test_on_one_share_is_gathered_too(self) -> None:
        (found,) = plan([scan(ap(0)), scan(ap(1), folder="b")], Known(subjects=SUBJECTS)).sessions.values()
        assert [(each.share, each.path) for each in found.session.recordings] == [
            ("", "probe_0/npx.imec.ap.bin"),
            ("", "../../b/probe_1/npx.imec.ap.bin"),
        ]

    def test_gets_what_another_share_has_when_that_is_scanned_later_and_alone(self) -> None:
        known = after(scan(ap(0)))
        planned = plan([of_video()], known)
        assert [(step.action, step.item) for step in planned.steps] == [("link", self.home), ("update", self.home)]
        assert planned.sessions[self.home].not_looked_at == (("raw", "12347/2020-01-01_10-00-30"),)
        both = carried_out(planned, known)
        for again in ([of_video()], [scan(ap(0))], [scan(ap(0)), of_video()]):
            assert plan(again, both) == IngestPlan()

    def test_gets_what_it_is_of_when_a_folder_that_names_the_day_alone_came_first(self) -> None:
        known = after(of_video(id=DAY, started=START.date()))
        planned = plan([scan(ap(0))], known)
        assert ("link", DAY) in [(step.action, step.item) for step in planned.steps]
        assert {step.item for step in planned.steps} == {DAY}
        both = carried_out(planned, known)
        assert [(each.share, each.device) for each in both.sessions[DAY].session.recordings] == [
            ("", "side"),
            ("raw", "imec0"),
        ]
        assert both.sessions[DAY].session.started == START
        for again in ([scan(ap(0))], [of_video(id=DAY)], [scan(ap(0)), of_video(id=DAY)]):
            assert plan(again, both) == IngestPlan()

    @pytest.mark.parametrize("there", [[], [scan(ap(2), share="third", id=f"{DAY}T19-00-30")]])
    def test_takes_no_folder_that_may_be_of_another_session_of_that_day(self, there: list[Scanned]) -> None:
        known = after(of_video(id=DAY), *there)
        late = START.replace(hour=15)
        second = scan(ap(1, start=late), folder="b", id=f"{DAY}T15-00-30", started=late)
        found = [scan(ap(0)), second] if not there else [scan(ap(0))]
        assert {step.action for step in plan(found, known).steps} == {"add"}

    def test_takes_no_folder_of_its_own_share_that_names_the_day_alone(self) -> None:
        known = after(scan(SIDE, folder="b", id=DAY))
        assert actions(plan([scan(ap(0))], known)) == [("add", self.home)]

    def test_under_another_name_of_its_subject_is_the_same(self) -> None:
        first = scan(ap(0), subject="SC026")
        (found,) = plan([first, of_video(subject="M1")], Known(subjects=SUBJECTS)).sessions.values()
        assert (found.session.id, found.session.subject) == ("SC026/2020-01-01T10-00-30", "SC026")
        assert len(found.session.recordings) == 2

    def test_does_not_take_a_copy(self) -> None:
        planned = plan([scan(ap(0)), scan(ap(0), share="backup", folder="z")], Known(subjects=SUBJECTS))
        assert [step.action for step in planned.steps] == ["add"]
        assert planned.left[0].why == "a copy of backup:z"
        assert planned.sessions[self.home].session.share == "backup"

    def test_refuses_the_same_recording_with_other_content(self) -> None:
        other = of_video(replace(SIDE, size_bytes=8), ap(1))
        planned = plan([other, scan(ap(0), SIDE)], Known(subjects=SUBJECTS))
        assert [step.why for step in planned.refused] == [
            "video:MAP/12347/side.mp4 is the same recording as raw:12347/2020-01-01_10-00-30/side.mp4,"
            " with another length"
        ]
        assert len(planned.sessions[self.home].session.recordings) == 3

    def test_refuses_another_visit_of_that_day(self) -> None:
        later = ap(1, start=START.replace(hour=15))
        planned = plan([scan(ap(0), id=DAY), scan(later, share="video", folder="x", id=DAY)], Known(subjects=SUBJECTS))
        assert [step.action for step in planned.steps] == ["add"]
        assert "was recorded at another time; tell them apart" in planned.refused[0].why

    def test_does_not_lose_what_lies_where_nobody_can_look(self) -> None:
        known = after(scan(ap(0)), of_video())
        planned = plan([scan(ap(0), samples := ap(1)), of_video(state="incomplete")], known)
        assert [(step.action, step.why) for step in planned.steps] == [
            ("link", "new in a known session: imec1 (neuropixels-ap)"),
            ("update", "2 new files"),
        ]
        assert samples.device in {each.device for each in planned.sessions[self.home].session.recordings}
        assert "side" in {each.device for each in planned.sessions[self.home].session.recordings}

    def test_is_moved_folder_by_folder(self) -> None:
        known = after(scan(ap(0)), of_video())
        moved = scan(SIDE, share="video", folder="MAP/archive")
        planned = plan([scan(ap(0)), moved], known)
        assert [(step.action, step.why) for step in planned.steps] == [("move", "was in video:MAP/12347")]
        assert plan([scan(ap(0)), moved], carried_out(planned, known)) == IngestPlan()

    def test_follows_a_folder_whose_name_says_something_else_now(self) -> None:
        known = after(scan(ap(0)), of_video())
        renamed = scan(ap(0), folder="12347/renamed", id="12347/2021-05-05")
        for scanned in ([renamed], [renamed, of_video()]):
            planned = plan(scanned, known)
            assert actions(planned) == [("move", self.home)]
            assert plan(scanned, carried_out(planned, known)) == IngestPlan()

    def test_tells_what_went_away_of_one_of_them(self) -> None:
        known = after(scan(ap(0)), of_video())
        other = scan(ap(3, serial="9"), share="video", folder="x", id="12347/2020-02-02")
        (update,) = [step for step in plan([scan(ap(0)), other], known).steps if step.item == self.home]
        assert update.why == "1 recording is gone: side (video); 1 file is gone"

    def test_keeps_what_only_the_other_folder_tells(self) -> None:
        run = Task(name="run", start_s=30)
        known = after(scan(ap(0), tasks=(run,)), of_video())
        top = replace(SIDE, device="top", paths=("top.mp4",))
        found = plan([of_video(SIDE, top)], known).sessions[self.home]
        assert (found.session.tasks, found.session.started) == ((run,), START)

    def test_names_the_share_of_a_finding_that_lies_on_another(self) -> None:
        odd = Finding(code="misnamed", path="MAP/12347/side.mp4", message="x")
        known = after(scan(ap(0)), of_video(findings=(odd,)))
        assert [each.path for each in known.sessions[self.home].session.findings] == ["video:MAP/12347/side.mp4"]
        found = plan([scan(ap(0), ap(1))], known).sessions[self.home]
        assert [each.path for each in found.session.findings] == ["video:MAP/12347/side.mp4"]


class TestComputedData:
    home = "12347/2020-01-01T10-00-30"

    @pytest.mark.parametrize("name", [home, DAY])
    def test_on_another_share_are_linked_to_their_session(self, name: str) -> None:
        computed = replace(scan(UNITS, share="derived", folder="analysis/12347", id=name), computed=True)
        for known, scanned in (
            (Known(subjects=SUBJECTS), [computed, scan(ap(0))]),
            (after(scan(ap(0))), [computed]),
        ):
            planned = plan(scanned, known)
            assert {step.item for step in planned.steps} == {self.home}
            assert [each.kind for each in planned.sessions[self.home].session.recordings] == [
                "neuropixels-ap",
                "sorting",
            ]
            assert plan(scanned, carried_out(planned, known)) == IngestPlan()

    def test_of_a_share_of_their_own_need_not_name_the_time(self) -> None:
        clustering = scan(UNITS, share="derived", folder="12347/20200101", id=DAY)
        assert actions(plan([clustering, scan(ap(0))], Known(subjects=SUBJECTS))) == [
            ("add", self.home),
            ("link", self.home),
        ]

    def test_are_left_where_two_sessions_can_be_meant(self) -> None:
        computed = replace(scan(UNITS, share="derived", folder="analysis/12347", id=DAY), computed=True)
        second = scan(ap(1, start=START.replace(hour=15)), folder="b", id="12347/2020-01-01T15-00-30")
        planned = plan([computed, scan(ap(0)), second], Known(subjects=SUBJECTS))
        assert [step.action for step in planned.steps] == ["add", "add"]
        assert planned.left[0].why.endswith("derived:analysis/12347 belongs to one of 2 sessions of that day")

    def test_without_a_session_are_left(self) -> None:
        computed = replace(scan(UNITS, share="derived", folder="analysis/12347", id=DAY), computed=True)
        planned = plan([computed], Known(subjects=SUBJECTS))
        assert (planned.steps, planned.left[0].action) == ((), "leave")


def test_a_step_stands_on_what_was_seen_and_what_was_known() -> None:
    known = after(scan(ap(samples=60)))
    grounds = {plan([scan(ap(samples=samples))], known).steps[0].ground for samples in (61, 62)}
    later = replace(known, sessions={name: InCatalogue(one.session, version=7) for name, one in known.sessions.items()})
    grounds |= {plan([scan(ap(samples=61))], later).steps[0].ground}
    assert len(grounds) == 3


recordings = st.lists(
    st.builds(ap, st.integers(0, 3), samples=st.sampled_from([60, 120])), max_size=3, unique_by=lambda one: one.device
)
videos = st.lists(
    st.builds(
        lambda name, size: Recording(kind="video", device=name, paths=(f"{name}.mp4",), size_bytes=size),
        st.sampled_from(["side", "top"]),
        st.sampled_from([1, 2]),
    ),
    max_size=2,
    unique_by=lambda one: one.device,
)
#: Share, subject, what the folder says of the time, and the rest of its name: a folder is read in one way only.
spots = st.tuples(
    st.sampled_from(["raw", "video"]),
    st.sampled_from(["12347", "SC026", "99"]),
    st.sampled_from(["a", "b", "2020-01-01"]),
    st.sampled_from(["", "x"]),
)
scans = st.dictionaries(spots, st.tuples(recordings, videos), max_size=4).map(
    lambda folders: [
        scan(*probes, *films, share=share, folder=f"{subject}/{name}{rest}", subject=subject, id=f"{subject}/{name}")
        for (share, subject, name, rest), (probes, films) in folders.items()
    ]
)


@given(scans, scans)
def test_once_carried_out_the_same_shares_give_no_steps(first: list[Scanned], second: list[Scanned]) -> None:
    known = after(*second, known=after(*first))
    assert plan(second, known).steps == ()


def ids(known: Known) -> dict[str, set[str]]:
    return {name: {each.id for each in one.session.recordings} for name, one in known.sessions.items()}


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["raw", "video", "third"]), st.sampled_from(["12347", "SC026"])), videos, max_size=6
    )
)
def test_shares_that_are_planned_one_by_one_come_to_the_same_as_all_at_once(
    found: dict[tuple[str, str], list[Recording]],
) -> None:
    every = [
        scan(*films, share=share, folder=f"{subject}/x", subject=subject) for (share, subject), films in found.items()
    ]
    together, apart = after(*every), Known(subjects=SUBJECTS)
    for share in ("raw", "third", "video"):
        apart = after(*(one for one in every if one.session.share == share), known=apart)
    assert ids(apart) == ids(together)


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["raw", "video", "third"]), st.sampled_from(["12347", "SC026"])),
        st.tuples(videos, st.booleans()),
        max_size=6,
    ),
    st.permutations(["raw", "third", "video"]),
)
def test_shares_that_name_the_day_alone_come_to_the_same_sessions_in_any_order(
    found: dict[tuple[str, str], tuple[list[Recording], bool]], order: list[str]
) -> None:
    every = [
        scan(
            *films,
            share=share,
            folder=f"{subject}/x",
            subject=subject,
            id=f"{subject}/2020-01-01{'T10-00-30' if timed else ''}",
        )
        for (share, subject), (films, timed) in found.items()
    ]
    apart = Known(subjects=SUBJECTS)
    for share in order:
        apart = after(*(one for one in every if one.session.share == share), known=apart)
    assert visits(apart) == visits(after(*every))


def visits(known: Known) -> list[tuple[str, list[str]]]:
    """The devices of each session, whatever it is called: it keeps the name that it got first.

    Of two copies that which was seen first counts, wherever it lies.
    """
    sessions = [one.session for one in known.sessions.values()]
    return sorted((one.subject, sorted(each.device for each in one.recordings)) for one in sessions)


@given(scans, scans, st.randoms(use_true_random=False))
def test_the_order_of_the_scan_does_not_matter(first: list[Scanned], second: list[Scanned], random: object) -> None:
    known = after(*first)
    shuffled: Iterable[Scanned] = sorted(second, key=lambda _: random.random())  # type: ignore[attr-defined]  # a Random
    assert plan(shuffled, known) == plan(second, known)
