"""What the migrations make is what the tables say, on each database."""

import re
from collections import defaultdict
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from engram.catalogue import migrating
from engram.catalogue.addresses import Address, read_address
from engram.catalogue.for_datajoint import LINEAGE_TABLE
from engram.catalogue.migrating import migrate, upgrade_catalogue
from engram.catalogue.opening import Catalogue, engine_for, open_catalogue
from engram.catalogue.tables import whole_schema
from engram.catalogue.versions import HEAD, VERSION_TABLE
from engram.model.errors import CatalogueUnusable
from tests.catalogues import Catalogues, on_sqlite

pytestmark = pytest.mark.integration

#: Source: datajoint 2.3.5, user_tables.py (names of manual tables); a test runs the real one.
_DATAJOINT_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*")
#: Reserved by MariaDB or PostgreSQL: a plain SQL reader would have to quote them.
_RESERVED = {"change", "group", "user", "order", "session_user", "table", "column", "key", "index", "condition"}


def test_the_migrations_make_the_tables_that_the_code_declares(address: Address) -> None:
    engine = engine_for(address)
    with engine.connect() as connection:
        options = {
            "version_table": VERSION_TABLE,
            "target_metadata": whole_schema(),
            "include_name": lambda name, kind, _: (name, kind) != (LINEAGE_TABLE, "table"),
        }
        assert compare_metadata(MigrationContext.configure(connection, opts=options), whole_schema()) == []
    engine.dispose()


def test_the_newest_migration_is_the_version_that_the_program_speaks() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrating.__file__).replace("migrating.py", "migrations"))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [HEAD]
    numbers = [script.revision for script in scripts.walk_revisions()]
    assert sorted(numbers) == [f"{number:04d}" for number in range(1, len(numbers) + 1)]


def test_every_table_and_column_says_what_it_means() -> None:
    for table in whole_schema().sorted_tables:
        assert table.comment
        for column in table.columns:
            assert column.comment, f"{table.name}.{column.name}"


def test_every_table_has_a_name_that_datajoint_and_plain_sql_take() -> None:
    for table in whole_schema().sorted_tables:
        assert _DATAJOINT_NAME.fullmatch(table.name)
        assert not {table.name, *(column.name for column in table.columns)} & _RESERVED


def test_a_natural_join_of_any_two_tables_joins_what_belongs_together() -> None:
    """No two tables share the name of a column unless it names the same row of the same table."""
    meanings: dict[str, set[str]] = defaultdict(set)
    for table in whole_schema().sorted_tables:
        for column in table.columns:
            targets = [key.target_fullname for key in column.foreign_keys]
            meanings[column.name].add(targets[0] if targets else f"{table.name}.{column.name}")
    assert {name: found for name, found in meanings.items() if len(found) > 1} == {}


def test_every_row_names_the_change_that_added_it() -> None:
    for table in whole_schema().sorted_tables:
        if not table.name.startswith("catalogue_"):
            names = [column.name for column in table.columns if column.name.endswith("_added_in")]
            assert len(names) == 1, table.name


def test_names_are_kept_byte_for_byte(catalogue: Catalogue) -> None:
    from engram.catalogue.subjects import subjects
    from engram.catalogue.tables.animals import SUBJECT
    from tests.catalogues import ADA

    names = ["m1", "M1", "m1 ", "m\u00e9", "me\u0301", "水", "\U0001f401", "a\\b", "it's", "%s", "x" * 255]
    with catalogue.changing(ADA) as unit:
        for name in names:
            unit.add(SUBJECT, {"subject_name": name, "subject_note": name})
    with catalogue.reading() as connection:
        found = [(subject.name, subject.note) for subject in subjects(connection)]
    assert found == [(name, name) for name in sorted(names)]


@pytest.fixture
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Catalogues:
    return on_sqlite(tmp_path_factory.mktemp("versions"))


def test_a_newer_catalogue_is_refused_with_what_to_do(sqlite: Catalogues) -> None:
    address = sqlite.fresh()
    _set_version(address, "0999")
    with pytest.raises(CatalogueUnusable) as refused, open_catalogue(address):
        pass
    assert "newer engram" in refused.value.what
    assert "pip install -U" in refused.value.next_step
    with pytest.raises(CatalogueUnusable):
        upgrade_catalogue(address)
    assert _version(address) == "0999"


def test_an_older_catalogue_is_refused_until_it_is_upgraded(catalogues: Catalogues) -> None:
    address = catalogues.fresh()
    _down_to(address, "0003")
    with pytest.raises(CatalogueUnusable) as refused, open_catalogue(address):
        pass
    assert "engram lab upgrade" in refused.value.next_step
    assert upgrade_catalogue(address) == ("0003", HEAD)
    test_the_migrations_make_the_tables_that_the_code_declares(address)
    with open_catalogue(address) as catalogue, catalogue.reading() as connection:
        assert connection.execute(text("SELECT counter_next FROM catalogue_counter")).scalars().all() == [1]


@pytest.mark.parametrize("begin", [f"{number:04d}" for number in range(1, int(HEAD))])
def test_every_version_can_be_brought_to_the_newest(tmp_path_factory: pytest.TempPathFactory, begin: str) -> None:
    address = read_address(f"sqlite:///{tmp_path_factory.mktemp('old')}/old.db", "/")
    Path(address.file).touch()
    engine = engine_for(address)
    with engine.connect() as connection, connection.begin():
        migrate(connection, begin)
    engine.dispose()
    assert upgrade_catalogue(address) == (begin, HEAD)
    test_the_migrations_make_the_tables_that_the_code_declares(address)


def _down_to(address: Address, version: str) -> None:
    """A catalogue as an older program left it: without what the later migrations made."""
    engine = engine_for(address)
    keep = create_engine("sqlite://")
    with engine.connect() as connection, connection.begin(), keep.connect() as older:
        migrate(older, version)
        options = {"version_table": VERSION_TABLE}
        old = {name for (name,) in older.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))}
        assert MigrationContext.configure(older, opts=options).get_current_revision() == version
        for table in reversed(whole_schema().sorted_tables):
            if table.name not in old:
                table.drop(connection)
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '{version}'"))
    keep.dispose()
    engine.dispose()


def _set_version(address: Address, version: str) -> None:
    engine = engine_for(address)
    with engine.connect() as connection, connection.begin():
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '{version}'"))
    engine.dispose()


def _version(address: Address) -> str:
    engine = engine_for(address)
    with engine.connect() as connection:
        found = str(connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one())
    engine.dispose()
    return found
