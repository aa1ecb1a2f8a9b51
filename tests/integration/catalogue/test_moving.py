"""A catalogue moves from any database to any other: proven to be the same, by one that may be killed at any moment."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from functools import cache, partial
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect, select, text

from engram.catalogue.addresses import Address, read_address
from engram.catalogue.backing_up import back_up
from engram.catalogue.checking import problems
from engram.catalogue.closing import NOTE_TABLE, reopen
from engram.catalogue.history import history_of
from engram.catalogue.migrating import create_catalogue, migrate
from engram.catalogue.moving import Move, move_catalogue, rows_to_move
from engram.catalogue.opening import Catalogue, engine_for, open_catalogue
from engram.catalogue.sessions import record_session
from engram.catalogue.subjects import names_of_subjects, put_subject
from engram.catalogue.tables import whole_schema
from engram.catalogue.tables.animals import SUBJECT
from engram.catalogue.tables.behaviour import LIGHT
from engram.catalogue.tables.changes import COUNTER
from engram.durable import Steps
from engram.model.errors import CatalogueMoving, CatalogueUnavailable, CatalogueUnusable, MoveNotProven
from engram.model.progress import Silent
from engram.testing.databases import Server
from engram.testing.faults import ActingAt, die_at_every_step
from engram.workspace.context import Context
from engram.workspace.lab import Labs
from tests.catalogues import ADA, empty, new_database
from tests.integration.catalogue.test_sessions import FILES, SESSION, Seen

pytestmark = pytest.mark.integration

KINDS = ("sqlite", "postgresql", "mariadb")
PAIRS = [(one, other) for one in KINDS for other in KINDS if one != other or one == "sqlite"]
Place = Callable[[str], Address]
NOW = datetime.fromisoformat("2026-01-02T03:04")


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return count()


@pytest.fixture(scope="module")
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, numbers: Iterator[int]) -> Place:
    """Give a place of a kind where nothing is yet."""
    folder = tmp_path_factory.mktemp("moving")

    def give(kind: str) -> Address:
        name = f"moving_{next(numbers)}"
        if kind == "sqlite":
            return read_address(f"sqlite:///{folder}/{name}.db", "/")
        server: Server = request.getfixturevalue(f"{kind}_server")
        return new_database(server, name)

    return give


@pytest.fixture(scope="module")
def made(place: Place) -> Place:
    return cache(lambda kind: filled(place(kind)))


@pytest.fixture
def full(made: Place) -> Iterator[Place]:
    """Give the one catalogue of a kind that holds whatever databases write down in different ways; do not change it."""
    given: list[Address] = []

    def give(kind: str) -> Address:
        given.append(made(kind))
        return given[-1]

    yield give
    for address in given:
        _reopen(address)


@pytest.fixture(scope="module")
def set_up(place: Place) -> Place:
    def give(kind: str) -> Address:
        address = place(kind)
        create_catalogue(address, Steps())
        return address

    return cache(give)


@pytest.fixture
def blank(set_up: Place) -> Place:
    """Give the one catalogue of a kind that holds nothing: to set up one for each test would take a minute."""

    def give(kind: str) -> Address:
        empty(set_up(kind))
        return set_up(kind)

    return give


def moved(source: Address, target: Address, steps: Steps | None = None) -> int:
    move = Move(source=source, target=target, by="ada@rig", now=NOW)
    return sum(one.rows for one in move_catalogue(move, steps or Steps(), Silent()))


def simple(address: Address) -> Address:
    """A small catalogue of one's own."""
    create_catalogue(address, Steps())
    with open_catalogue(address) as catalogue, catalogue.changing(ADA) as unit:
        put_subject(unit, "12347", {"sex": "F"})
    return address


def filled(address: Address) -> Address:
    create_catalogue(address, Steps())
    with open_catalogue(address) as catalogue:
        with catalogue.changing(ADA) as unit:
            put_subject(unit, "12347", {"sex": "F"})
        with catalogue.changing(ADA) as unit:
            put_subject(unit, "12347", {"sex": "M", "born": date(1999, 12, 31)})
            record_session(unit, SESSION, FILES, roots={"recordings": "N:\\rec\udcff"})
        with catalogue.changing(ADA) as unit:
            record_session(unit, replace(SESSION, tasks=()), (*FILES[1:], Seen("x/" * 2000 + "é", 0, -1)))
            for name in ("a", "A", "ä", "a\u0308", "a ", "’😀\u202e", "\t\n'\"\\%s :x ?", "N" * 255):
                unit.add(SUBJECT, {"subject_name": name, "subject_note": name * 3})
            lights = (0.1, -0.0, 5e-324, 1.7976931348623157e308, 1 / 3, 2.0**53 + 2, None)
            for number, lux in enumerate(lights):
                unit.add(LIGHT, {"light_name": str(number), "light_lux": lux})
    return address


def contents(address: Address) -> dict[str, list[tuple[object, ...]]]:
    """Of a catalogue that may be closed, too."""
    engine = engine_for(address)
    try:
        with engine.connect() as connection:
            tables = (table for table in whole_schema().sorted_tables if table is not COUNTER)
            ordered = {table.name: select(table).order_by(*table.primary_key) for table in tables}
            rows = {name: connection.execute(asked).all() for name, asked in ordered.items()}
            return {name: [tuple(row) for row in found] for name, found in rows.items()}
    finally:
        engine.dispose()


def use(address: Address) -> None:
    """Add something, and find nothing wrong."""
    with open_catalogue(address) as catalogue:
        with catalogue.changing(ADA) as unit:
            put_subject(unit, "next", {})
        with catalogue.reading() as connection:
            assert list(problems(connection)) == []
            assert "next" in names_of_subjects(connection)


@pytest.mark.parametrize(("old", "new"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
def test_it_says_the_same_on_every_other_database_and_goes_on_there(
    old: str, new: str, full: Place, blank: Place
) -> None:
    source, target = full(old), blank(new)
    before = contents(source)
    with open_catalogue(source) as catalogue, catalogue.reading() as connection:
        told = list(history_of(connection, SESSION.id))
    assert moved(source, target) == sum(map(len, before.values())) + 1
    assert contents(target) == before == contents(source)
    with open_catalogue(target) as catalogue, catalogue.reading() as connection:
        assert list(history_of(connection, SESSION.id)) == told
    use(target)
    with pytest.raises(CatalogueUnusable) as refused, open_catalogue(source):
        pass
    assert f"has moved to {target.shown} (ada@rig, 2026-01-02 03:04 UTC)" in refused.value.what


def test_the_old_one_can_still_be_saved_as_a_file_that_takes_its_place(
    full: Place, blank: Place, tmp_path: Path
) -> None:
    source = full("mariadb")
    before = contents(source)
    moved(source, blank("sqlite"))
    back_up(source, str(tmp_path / "safe.db"), Steps())
    saved = read_address(f"sqlite:///{tmp_path}/safe.db", "/")
    assert contents(saved) == before
    use(saved)


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_had_it_open_changes_nothing_in_the_old_one(kind: str, full: Place, blank: Place) -> None:
    source = full(kind)
    before = contents(source)

    def change(catalogue: Catalogue) -> None:
        with catalogue.changing(ADA) as unit:
            put_subject(unit, "lost", {})

    with open_catalogue(source) as catalogue:
        moved(source, blank("sqlite"))
        with pytest.raises(CatalogueUnusable, match="has moved to"):
            change(catalogue)
    assert contents(source) == before


def test_nobody_changes_it_meanwhile(full: Place, place: Place) -> None:
    source, target = full("sqlite"), place("sqlite")

    def change() -> None:
        with (
            pytest.raises(CatalogueMoving, match="is being moved to another database"),
            open_catalogue(source, patience_s=0) as catalogue,
            catalogue.changing(ADA) as unit,
        ):
            put_subject(unit, "lost", {})

    steps = ActingAt(1, change)
    moved(source, target, steps)
    assert steps.stopped_at is not None
    assert contents(source) == contents(target)


def test_a_place_that_holds_something_is_left_alone(full: Place, place: Place, tmp_path: Path) -> None:
    source, target = simple(place("sqlite")), full("postgresql")
    with pytest.raises(CatalogueUnusable, match="is not empty: it holds rows of catalogue_change"):
        moved(source, target)
    others = place("mariadb")
    with _connected(others) as connection:
        connection.execute(text("CREATE TABLE accounts (name varchar(9))"))
    with pytest.raises(CatalogueUnusable, match="tables of something else"):
        moved(source, others)
    (tmp_path / "letter.txt").write_text("Dear all, " * 1000)
    with pytest.raises(CatalogueUnusable, match="is no database"):
        moved(source, read_address(f"sqlite:///{tmp_path}/letter.txt", "/"))
    use(source)


def test_a_catalogue_that_was_set_up_and_holds_nothing_yet_is_moved_into(place: Place) -> None:
    source, target = simple(place("sqlite")), place("sqlite")
    create_catalogue(target, Steps())
    assert moved(source, target) > 1
    use(target)


def test_a_place_where_setting_up_was_cut_off_is_moved_into(full: Place, place: Place) -> None:
    source, target = full("sqlite"), place("sqlite")
    Path(target.file).touch()
    with _connected(target) as connection, connection.begin():
        migrate(connection, "0003")  # as MariaDB leaves it; another test asks MariaDB itself
    moved(source, target)
    assert contents(target) == contents(source)


def test_an_empty_catalogue_moves_as_well_and_twice_is_once(place: Place) -> None:
    source, target = place("sqlite"), place("sqlite")
    create_catalogue(source, Steps())
    assert moved(source, target) == 1
    assert moved(source, target) == 0
    use(target)
    assert moved(source, target) == 0  # whatever was done there since


def test_what_has_moved_does_not_move_elsewhere_and_knows_when_it_was_lost(place: Place) -> None:
    source, target = simple(place("sqlite")), place("sqlite")
    moved(source, target)
    with pytest.raises(CatalogueUnusable, match="has moved to"):
        moved(source, place("sqlite"))
    Path(target.file).unlink()
    with pytest.raises(CatalogueUnusable, match=r"does not hold what .* says has moved there") as refused:
        moved(source, target)
    assert "engram lab backup" in refused.value.next_step


def test_a_copy_that_differs_is_found_out_and_the_old_one_stays_in_use(place: Place) -> None:
    source, target = simple(place("sqlite")), place("sqlite")
    create_catalogue(target, Steps())
    with sqlite3.connect(target.file) as connection:
        connection.execute(
            "CREATE TRIGGER tidy AFTER INSERT ON subject BEGIN"
            " UPDATE subject SET subject_note = ' ' WHERE subject_id = new.subject_id; END"
        )
    with pytest.raises(MoveNotProven) as refused:
        moved(source, target)
    assert refused.value.table == "subject"
    with pytest.raises(CatalogueUnusable, match=r"a copy of .* that was not finished"), open_catalogue(target):
        pass
    use(source)
    with sqlite3.connect(target.file) as connection:
        connection.execute("DROP TRIGGER tidy")
    moved(source, target)  # with what was added meanwhile
    assert contents(target) == contents(source)


def test_a_value_that_the_new_database_does_not_take_is_named(place: Place, blank: Place) -> None:
    source = simple(place("sqlite"))
    with sqlite3.connect(source.file) as connection:  # SQLite itself knows no longest name
        connection.execute("UPDATE subject SET subject_name = ?", ("n" * 300,))
    for kind in ("postgresql", "mariadb"):
        with pytest.raises(CatalogueUnusable, match="does not take a row of subject") as refused:
            moved(source, blank(kind))
        assert "\n" not in refused.value.what
    use(source)


def test_many_rows_are_moved_in_pieces(place: Place) -> None:
    source, target = simple(place("sqlite")), place("sqlite")
    files = tuple(Seen(f"{number:05d}") for number in range(6_001))
    halves = [tuple(file.path for file in files[start::2]) for start in range(2)]
    recordings = tuple(replace(one, paths=paths) for one, paths in zip(SESSION.recordings, halves, strict=True))
    with open_catalogue(source) as catalogue, catalogue.changing(ADA) as unit:
        record_session(unit, replace(SESSION, recordings=recordings), files)
    assert moved(source, target) > 12_000
    assert contents(target) == contents(source)


def test_a_plan_counts_the_rows_and_touches_nothing(place: Place) -> None:
    source, target = simple(place("sqlite")), place("sqlite")
    before = Path(source.file).read_bytes()
    rows = dict(rows_to_move(Move(source=source, target=target, by="ada@rig", now=NOW)))
    assert rows["subject"] == 1
    assert Path(source.file).read_bytes() == before
    assert not Path(target.file).exists()


def test_a_connection_that_is_lost_is_told_and_the_same_again_ends_well(full: Place, blank: Place) -> None:
    source, target = full("postgresql"), blank("mariadb")
    before = contents(source)
    for lost in (source, target):
        steps = ActingAt(6, partial(_cut_off, lost))
        with pytest.raises(CatalogueUnavailable) as refused:
            moved(source, target, steps)
        assert refused.value.catalogue == lost.shown
        assert "\n" not in refused.value.what
    moved(source, target)
    assert contents(target) == before
    use(target)


def _cut_off(address: Address) -> None:
    """End all connections to a database but this."""
    with _connected(address) as connection:
        if address.database == "postgresql":
            mine = "datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}"))
            return
        mine = "db = database() AND id <> connection_id()"
        for number in connection.execute(text(f"SELECT id FROM information_schema.processlist WHERE {mine}")).scalars():
            connection.execute(text(f"KILL {number}"))


def _reopen(address: Address) -> None:
    with _connected(address) as connection, connection.begin():
        if inspect(connection).has_table(NOTE_TABLE):
            reopen(connection)


@contextmanager
def _connected(address: Address) -> Iterator[Connection]:
    engine = engine_for(address)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "kinds"),
    [
        ("sqlite", "sqlite", ("close", "open", "rename")),
        ("postgresql", "mariadb", ("commit", "close", "open")),
    ],
    ids=["sqlite-sqlite", "postgresql-mariadb"],
)
def test_whenever_it_dies_nothing_is_lost_and_the_same_again_ends_as_once(
    old: str, new: str, kinds: tuple[str, ...], place: Place, blank: Place, tmp_path: Path, numbers: Iterator[int]
) -> None:
    folders = (tmp_path / str(number) for number in numbers)
    source = simple(place(old))

    def prepare() -> tuple[Path, Address, Address]:
        folder = next(folders)
        folder.mkdir()
        _reopen(source)
        list(Labs(Context(folder=str(folder))).create(None, catalogue=_url(source), name="lab", timezone=""))
        return folder, source, place(new) if new == "sqlite" else blank(new)

    def move(state: tuple[Path, Address, Address], steps: Steps) -> None:
        folder, _, target = state
        list(Labs(Context(folder=str(folder)), steps=steps).move(_url(target)))

    def one_holds_all(state: tuple[Path, Address, Address]) -> None:
        _, source, target = state
        usable = [address for address in (source, target) if _is_open(address)]
        assert len(usable) <= 1
        assert "'12347'" in str(contents(source)["subject"])

    def check(state: tuple[Path, Address, Address]) -> None:
        folder, source, target = state
        assert contents(target) == contents(source)
        assert not _is_open(source)
        assert {outcome.status for outcome in Labs(Context(folder=str(folder))).check()} == {"ok"}
        use(target)
        assert _url(target) in (folder / "engram.toml").read_text()

    # The steps in between change what nobody uses yet; all of them would take a minute.
    die_at_every_step(move, prepare, check, when_dead=one_holds_all, limit=0, also=kinds)


def _url(address: Address) -> str:
    return address.url.render_as_string()


def _is_open(address: Address) -> bool:
    """Whether it can be used, with what the lab held."""
    try:
        with open_catalogue(address) as catalogue, catalogue.reading() as connection:
            return "12347" in names_of_subjects(connection)
    except CatalogueUnusable:
        return False
