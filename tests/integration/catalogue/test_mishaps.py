"""What is killed, cut off, refused or done by two at once leaves a catalogue as if nothing had happened."""

import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from engram.catalogue.addresses import Address, read_address
from engram.catalogue.checking import problems
from engram.catalogue.known import known_sessions
from engram.catalogue.migrating import create_catalogue
from engram.catalogue.opening import Catalogue, open_catalogue
from engram.catalogue.subjects import names_of_subjects, put_subject
from engram.catalogue.tables.changes import CHANGE
from engram.durable import Steps
from engram.model.errors import CatalogueUnavailable, EngramError, StorageFailed
from engram.testing.disks import Disk
from engram.testing.faults import die_at_every_step, fail_at_every_step
from engram.testing.places import fresh_folder
from engram.testing.processes import Command, finished, kill_at_random_times, started
from engram.workspace.context import Context
from engram.workspace.lab import Labs
from tests.catalogues import ADA, Catalogues
from tests.integration.catalogue import recorder

pytestmark = [pytest.mark.integration, pytest.mark.slow]

COUNT = 30


def recording(address: Address, count: int = COUNT) -> Command:
    words = (sys.executable, "-m", "tests.integration.catalogue.recorder", address.url.render_as_string(), str(count))
    return Command(arguments=words, folder=Path(__file__).parents[3])


def expect_all(address: Address) -> None:
    with open_catalogue(address) as catalogue, catalogue.reading() as connection:
        assert list(problems(connection)) == []
        found = list(known_sessions(connection))
        changes = connection.execute(select(func.count()).select_from(CHANGE)).scalar()
    wanted = list(recorder.sessions(COUNT))
    assert [one.session.id for one in found] == [session.id for session, _ in wanted]
    assert all(len(one.files) == recorder.FILES_OF_ONE for one in found)
    assert all(len(one.session.recordings[0].paths) == 2 for one in found)
    assert changes == COUNT + 1


def expect_only_whole_ones(address: Address) -> None:
    with open_catalogue(address) as catalogue, catalogue.reading() as connection:
        assert list(problems(connection)) == []
        for one in known_sessions(connection):
            assert len(one.files) == recorder.FILES_OF_ONE
            assert len(one.session.recordings[0].paths) == 2


def test_a_killed_run_leaves_whole_sessions_and_the_same_again_does_the_rest(catalogues: Catalogues) -> None:
    kill_at_random_times(recording, catalogues.fresh, expect_all, count=3, seed=7, when_killed=expect_only_whole_ones)


def test_two_at_once_end_as_one(address: Address) -> None:
    with started(recording(address)) as one, started(recording(address)) as other:
        ended = [one.end(), other.end()]
    assert [(end.exit_code, end.errors) for end in ended] == [(0, ""), (0, "")]
    expect_all(address)


def test_what_was_told_was_kept(address: Address) -> None:
    with started(recording(address, 500)) as running:
        running.wait_for_output("\n7\n")
        ended = running.end(9)
    told = len(ended.output.splitlines())
    with open_catalogue(address) as catalogue, catalogue.reading() as connection:
        kept = len(list(known_sessions(connection)))
    assert kept in (told, told + 1)
    finished(recording(address))


@pytest.mark.root
@pytest.mark.usefixtures("loop_mounts")
def test_a_full_disk_is_called_full_and_the_same_again_ends_well_when_there_is_room() -> None:
    with Disk.new(size_bytes=16 << 20) as disk:
        address = read_address("sqlite:///catalogue.db", str(disk.folder))
        create_catalogue(address, Steps())
        disk.fill_to(0)
        with pytest.raises(StorageFailed, match="there is no room left on its disk"):
            add_subject(address)
        disk.empty()
        add_subject(address)
        with open_catalogue(address) as catalogue, catalogue.reading() as connection:
            assert list(names_of_subjects(connection)) == ["m1"]


def add_subject(address: Address) -> None:
    with open_catalogue(address) as catalogue, catalogue.changing(ADA) as unit:
        put_subject(unit, "m1", {})


def test_a_lab_is_made_whole_whenever_the_world_ends(tmp_path: Path) -> None:
    def make(folder: Path, steps: Steps) -> None:
        labs = Labs(Context(folder=str(folder)), steps=steps)
        try:
            list(labs.create("lab", catalogue=None, name="", timezone=""))
        except EngramError as error:
            if "this is a lab" not in error.what:  # it died after its last word was on the disk
                raise

    def check(folder: Path) -> None:
        assert [report.name for report in Labs(Context(folder=str(folder / "lab"))).show()] == ["lab"]
        left = {path.name for path in folder.glob("lab/**/*") if path.is_file()}
        assert left <= {"engram.toml", "catalogue.db", "catalogue.db-wal", "catalogue.db-shm"}

    make(fresh_folder(tmp_path), Steps())  # children find all modules loaded
    died_at = die_at_every_step(make, lambda: fresh_folder(tmp_path), check)
    assert {"create", "rename", "sync"} <= {step.kind for step in died_at}
    fail_at_every_step(make, lambda: fresh_folder(tmp_path), check, must_tell=frozenset())


def test_a_backup_is_whole_whenever_the_world_ends(tmp_path: Path) -> None:
    list(Labs(Context(folder=str(tmp_path))).create("lab", catalogue=None, name="", timezone=""))

    def save(target: Path, steps: Steps) -> None:
        labs = Labs(Context(folder=str(tmp_path / "lab")), steps=steps)
        if not (target / "safe.db").exists():
            list(labs.backup(str(target / "safe.db")))

    def check(target: Path) -> None:
        with open_catalogue(_at(target / "safe.db")) as catalogue, catalogue.reading() as connection:
            assert list(problems(connection)) == []

    save(fresh_folder(tmp_path), Steps())  # children find all modules loaded
    die_at_every_step(save, lambda: fresh_folder(tmp_path), check)


def _at(path: Path) -> Address:
    from engram.catalogue.addresses import read_address

    return read_address(f"sqlite:///{path}", "/")


def test_a_change_that_waits_too_long_for_another_says_so(address: Address) -> None:
    with open_catalogue(address) as first, open_catalogue(address, patience_s=1) as second:

        def change() -> None:
            with second.changing(ADA) as unit:
                put_subject(unit, "2", {})

        with first.changing(ADA) as unit:
            with pytest.raises(CatalogueUnavailable) as refused:  # though nothing was written yet
                change()
            put_subject(unit, "1", {})
        assert refused.value.exit_code == 30
        change()
        with second.reading() as connection:
            assert names_of_subjects(connection) == {"1": "1", "2": "2"}


def test_a_reader_is_not_kept_waiting_and_sees_only_what_was_kept(address: Address) -> None:
    with open_catalogue(address) as first, open_catalogue(address, patience_s=1) as second:
        with first.changing(ADA) as unit:
            put_subject(unit, "1", {})
            with second.reading() as connection:
                assert names_of_subjects(connection) == {}
        with second.reading() as connection:
            assert names_of_subjects(connection) == {"1": "1"}


def test_a_reader_sees_one_state_however_long_it_reads(address: Address) -> None:
    with open_catalogue(address) as first, open_catalogue(address) as second, second.reading() as connection:
        assert names_of_subjects(connection) == {}
        with first.changing(ADA) as unit:
            put_subject(unit, "1", {})
        assert names_of_subjects(connection) == {}


def test_a_connection_that_is_cut_is_told_and_nothing_of_the_change_is_kept(catalogue: Catalogue) -> None:
    kind = catalogue.address.database
    if kind == "sqlite":
        return  # it has no connection that could be cut

    def change() -> None:
        with catalogue.changing(ADA) as unit:
            put_subject(unit, "1", {})
            mine = {"postgresql": "SELECT pg_backend_pid()", "mysql": "SELECT connection_id()"}[kind]
            cut = {"postgresql": "SELECT pg_terminate_backend({})", "mysql": "KILL {}"}[kind]
            number = unit.connection.execute(text(mine)).scalar_one()
            with catalogue.reading() as connection:
                connection.execute(text(cut.format(number)))
            put_subject(unit, "2", {})

    with pytest.raises(CatalogueUnavailable) as refused:
        change()
    assert "\n" not in refused.value.what
    with catalogue.reading() as connection:
        assert names_of_subjects(connection) == {}


def test_a_server_that_is_not_there_is_told(catalogue: Catalogue) -> None:
    if catalogue.address.file:
        return  # a file that is missing is told by another test
    gone = Address(catalogue.address.url.set(port=1))
    with pytest.raises(CatalogueUnavailable) as refused, open_catalogue(gone):
        pass
    assert "\n" not in refused.value.what


def test_a_disk_without_room_is_told_and_nothing_of_the_change_is_kept(tmp_path: Path) -> None:
    address = _at(tmp_path / "small.db")
    create_catalogue(address, Steps())

    def change(catalogue: Catalogue) -> None:
        with catalogue.changing(ADA) as unit:
            pages = unit.connection.execute(text("PRAGMA page_count")).scalar_one()
            unit.connection.execute(text(f"PRAGMA max_page_count = {pages}"))
            for number in range(1000):
                put_subject(unit, str(number), {"note": "x" * 1000})

    with open_catalogue(address) as catalogue, pytest.raises(StorageFailed):
        change(catalogue)
    with open_catalogue(address) as catalogue, catalogue.reading() as connection:
        assert names_of_subjects(connection) == {}
