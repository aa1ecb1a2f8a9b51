"""An ingest does what its plan says, once, however often it is begun, killed, or run beside another."""

import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engram.catalogue.addresses import Address
from engram.catalogue.opening import Catalogue, open_catalogue
from engram.catalogue.subjects import put_subject
from engram.model.outcome import Outcome, Status
from engram.model.progress import Silent
from engram.model.recordings import Recording, Session, Task, session_id
from engram.sessions.from_catalogue import known_of
from engram.sessions.ingesting import Helpers, ingest
from engram.sessions.known import Known
from engram.sessions.planning import IngestPlan, plan
from engram.sessions.scanned import FileSeen, Scanned
from tests.catalogues import ADA, Catalogues, on_server, on_sqlite

pytestmark = pytest.mark.integration

START = datetime.fromisoformat("2020-01-01T10:00:30")
WRITTEN_NS = 1_577_872_830_000_000_000


@dataclass(frozen=True)
class Lab:
    """A share, and a catalogue that knows two subjects."""

    share: Path
    address: Address

    @contextmanager
    def catalogue(self) -> Iterator[Catalogue]:
        with open_catalogue(self.address) as catalogue:
            yield catalogue

    @property
    def helpers(self) -> Helpers:
        return Helpers(author=ADA, roots={"raw": str(self.share)}, progress=Silent())

    def scan(self, *probes: int, folder: str, subject: str = "12347", samples: int = 60, **more: object) -> Scanned:
        """A session as a scan tells it, and its files on the share."""
        recordings = tuple(recording(folder, probe, samples) for probe in probes)
        started = START.replace(day=1 + sum(map(ord, folder)) % 28)
        files = [path for each in recordings for path in each.paths]
        for path in files:
            place = self.share / folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(b"")
            os.truncate(place, samples * 770)
            os.utime(place, ns=(WRITTEN_NS, WRITTEN_NS))
        session = Session(
            id=session_id(subject, started, folder),
            subject=subject,
            started=started,
            share="raw",
            folder=folder,
            recordings=recordings,
        )
        seen = tuple(FileSeen(path, samples * 770, WRITTEN_NS) for path in sorted(files))
        return Scanned(replace(session, **more), seen)  # type: ignore[arg-type]  # fields of a session, by name

    def known(self) -> Known:
        with self.catalogue() as catalogue:
            return known_of(catalogue)

    def plan(self, scanned: Sequence[Scanned]) -> IngestPlan:
        return plan(scanned, self.known())

    def ingest(self, planned: IngestPlan) -> list[Outcome]:
        with self.catalogue() as catalogue:
            return list(ingest(planned, catalogue, self.helpers))

    def told(self) -> Mapping[str, object]:
        """What the catalogue says, without the numbers that it gives out."""
        return {name: (known.session, known.files) for name, known in self.known().sessions.items()}


def recording(folder: str, probe: int, samples: int) -> Recording:
    stem = f"probe_{probe}/npx.imec.ap"
    return Recording(
        kind="neuropixels-ap",
        device=f"imec{probe}",
        paths=(f"{stem}.bin", f"{stem}.meta"),
        serial=f"{folder}-{probe}",
        started=START,
        duration_s=samples / 30000,
        sampling_rate_hz=30000.0,
        channels=385,
        samples=samples,
        size_bytes=samples * 770,
        facts=(("probe type", 24), ("noise", None), ("note", "a:b")),
    )


@pytest.fixture(scope="module")
def make_lab(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Lab]:
    return maker(on_sqlite(tmp_path_factory.mktemp("catalogues")), tmp_path_factory.mktemp("share"))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def make_lab_to_kill(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Lab]:
    """The same, on a database in this process and on one that goes on when the process dies."""
    share = tmp_path_factory.mktemp("share")
    if request.param == "sqlite":
        return maker(on_sqlite(tmp_path_factory.mktemp("catalogues")), share)
    return maker(on_server(request.getfixturevalue("postgresql_server"), "engram_kills"), share)


def maker(catalogues: Catalogues, share: Path) -> Callable[[], Lab]:
    def make() -> Lab:
        shutil.rmtree(share)
        share.mkdir()
        address = catalogues.fresh()
        with open_catalogue(address) as catalogue, catalogue.changing(ADA) as unit:
            put_subject(unit, "12347", {})
            put_subject(unit, "SC026", {})
        return Lab(share, address)

    return make


@pytest.fixture
def lab(make_lab: Callable[[], Lab]) -> Lab:
    return make_lab()


def statuses(outcomes: Sequence[Outcome]) -> list[tuple[str, Status]]:
    return [(outcome.action, outcome.status) for outcome in outcomes]


def test_a_plan_that_was_carried_out_leaves_nothing_to_plan(lab: Lab) -> None:
    scanned = [lab.scan(0, 1, folder="a"), lab.scan(0, folder="b", subject="SC026")]
    assert statuses(lab.ingest(lab.plan(scanned))) == [("add", Status.OK)] * 2
    assert lab.plan(scanned).steps == ()
    (a, _) = lab.told().values()
    assert isinstance(a, tuple)
    assert [each.device for each in a[0].recordings] == ["imec0", "imec1"]
    assert set(a[0].recordings[0].facts) == set(recording("a", 0, 60).facts)


def test_the_same_plan_twice_is_once(lab: Lab) -> None:
    planned = lab.plan([lab.scan(0, folder="a")])
    lab.ingest(planned)
    before = lab.told()
    (again,) = lab.ingest(planned)
    assert (again.status, again.note) == (Status.NOT_NEEDED, "the catalogue says so already")
    assert lab.told() == before


def test_what_was_written_to_since_is_refused_alone(lab: Lab) -> None:
    planned = lab.plan([lab.scan(0, folder="a"), lab.scan(0, folder="b")])
    os.truncate(lab.share / "a/probe_0/npx.imec.ap.bin", 1)
    moved, done = lab.ingest(planned)
    assert (moved.status, moved.error) == (Status.ERROR, "SessionMoved")
    assert "probe_0/npx.imec.ap.bin was written to since" in moved.message
    assert done.status is Status.OK


@pytest.mark.parametrize("what", ["gone", "a link", "no share"])
def test_what_is_not_there_any_more_is_refused(lab: Lab, what: str) -> None:
    planned = lab.plan([lab.scan(0, folder="a")])
    place = lab.share / "a/probe_0/npx.imec.ap.bin"
    place.unlink()
    if what == "a link":
        place.symlink_to(lab.share / "a/probe_0/npx.imec.ap.meta")
    helpers = replace(lab.helpers, roots={}) if what == "no share" else lab.helpers
    with lab.catalogue() as catalogue:
        (outcome,) = ingest(planned, catalogue, helpers)
    assert outcome.error == "SessionMoved"
    assert lab.told() == {}


def test_what_somebody_else_has_changed_since_is_refused(lab: Lab) -> None:
    first = lab.scan(0, folder="a")
    lab.ingest(lab.plan([first]))
    stale = lab.plan([lab.scan(0, 1, folder="a")])
    lab.ingest(lab.plan([lab.scan(0, 1, 2, folder="a")]))
    before = lab.told()
    assert {outcome.error for outcome in lab.ingest(stale)} == {"SessionMoved"}
    assert lab.told() == before


def test_a_session_that_moved_keeps_its_name_and_its_recordings(lab: Lab) -> None:
    lab.ingest(lab.plan([lab.scan(0, folder="a")]))
    (name,) = lab.told()
    there = replace(lab.scan(0, folder="a").session, folder="archive/a")
    os.rename(lab.share / "a", lab.share / "moved")
    (lab.share / "archive").mkdir()
    os.rename(lab.share / "moved", lab.share / "archive/a")
    scanned = [Scanned(there, lab.known().sessions[name].files)]  # type: ignore[arg-type]  # the same by its fields
    assert statuses(lab.ingest(lab.plan(scanned))) == [("move", Status.OK)]
    assert lab.known().sessions[name].session.folder == "archive/a"
    assert lab.plan(scanned).steps == ()


def test_inferred_tasks_are_told_and_follow_the_file(lab: Lab) -> None:
    run = Task(name="open field", start_s=30.0, type="RUNNING")
    lab.ingest(lab.plan([lab.scan(0, folder="a", tasks=(run,))]))
    later = replace(run, start_s=31.0)
    lab.ingest(lab.plan([lab.scan(0, folder="a", tasks=(later,))]))
    (known,) = lab.known().sessions.values()
    assert known.session.tasks == (later,)


class TestAKill:
    def sessions(self, lab: Lab) -> list[Scanned]:
        return [lab.scan(0, 1, folder=f"s{number}") for number in range(25)]

    def test_at_any_moment_loses_nothing_and_the_same_plan_does_the_rest(
        self, make_lab_to_kill: Callable[[], Lab]
    ) -> None:
        make_lab = make_lab_to_kill
        lab = make_lab()
        planned = lab.plan(self.sessions(lab))
        lab.ingest(planned)
        whole = lab.told()
        dice = random.Random(1)  # which moments are tried
        interrupted = 0
        for _ in range(8):
            lab = make_lab()
            planned = lab.plan(self.sessions(lab))
            child = begin(lab, planned)
            time.sleep(dice.uniform(0, 0.3))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            done = lab.told()
            assert done.items() <= whole.items()  # whole sessions, or none of it
            interrupted += len(done) < len(whole)
            assert not [outcome for outcome in lab.ingest(planned) if outcome.failed]
            assert lab.told() == whole
        assert interrupted, "no kill came in time"

    def test_two_at_once_end_as_one(self, make_lab_to_kill: Callable[[], Lab]) -> None:
        lab = make_lab_to_kill()
        planned = lab.plan(self.sessions(lab))
        children = [begin(lab, planned) for _ in range(2)]
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        assert codes == [0, 0]
        assert len(lab.told()) == 25
        assert lab.plan(self.sessions(lab)).steps == ()


def begin(lab: Lab, planned: IngestPlan) -> int:
    """An ingest in a process of its own, which ends with 0 when nothing failed."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = int(any(outcome.failed for outcome in lab.ingest(planned)))
        finally:
            os._exit(code)
    return child


shares = st.dictionaries(
    st.sampled_from(["a", "b", "c"]),
    st.tuples(st.lists(st.integers(0, 2), max_size=2, unique=True), st.sampled_from([60, 120])),
    max_size=3,
)


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(history=st.lists(shares, min_size=1, max_size=3))
def test_after_any_history_of_a_share_nothing_is_left_to_plan(
    make_lab: Callable[[], Lab], history: list[dict[str, tuple[list[int], int]]]
) -> None:
    lab = make_lab()
    for share in history:
        scanned = [lab.scan(*probes, folder=folder, samples=samples) for folder, (probes, samples) in share.items()]
        outcomes = lab.ingest(lab.plan(scanned))
        assert [outcome.message for outcome in outcomes if outcome.failed] == []
        assert lab.plan(scanned).steps == ()


full_shares = st.fixed_dictionaries(
    {
        folder: st.tuples(st.lists(st.integers(0, 2), min_size=1, max_size=2, unique=True), st.sampled_from([60, 120]))
        for folder in ("a", "b", "c")
    }
)


@settings(
    deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    share=full_shares,
    parts=st.lists(st.integers(0, 2), min_size=3, max_size=3),
    random=st.randoms(use_true_random=False),
)
def test_parts_come_to_the_same_as_the_whole_in_any_order_and_twice_is_once(
    make_lab: Callable[[], Lab],
    share: dict[str, tuple[list[int], int]],
    parts: list[int],
    random: random.Random,
) -> None:
    def scanned(lab: Lab) -> list[Scanned]:
        found = [lab.scan(*probes, folder=folder, samples=samples) for folder, (probes, samples) in share.items()]
        random.shuffle(found)
        return found

    whole = make_lab()
    planned = whole.plan(scanned(whole))
    whole.ingest(planned)
    expected = whole.told()
    assert {outcome.status for outcome in whole.ingest(planned)} <= {Status.NOT_NEEDED}
    assert whole.told() == expected
    assert len(expected) == len(share)

    split = make_lab()
    every = scanned(split)
    for part in range(3):
        split.ingest(split.plan([one for one, mine in zip(every, parts, strict=False) if mine == part]))
    assert split.told() == expected
