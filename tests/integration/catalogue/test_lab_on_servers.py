"""A lab whose catalogue lies on a server: one line in its file, everything else the same."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from engram.catalogue.checking import problems
from engram.catalogue.migrating import migrate
from engram.catalogue.opening import open_catalogue
from engram.durable import Steps
from engram.model.errors import CatalogueUnusable
from engram.testing.databases import Server
from engram.workspace.catalogue_here import address_of
from engram.workspace.context import Context
from engram.workspace.lab import Labs
from engram.workspace.lab_here import lab_here
from engram.workspace.subjects import Subjects
from tests.catalogues import new_database

pytestmark = pytest.mark.integration


@pytest.fixture(params=["postgresql", "mariadb"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(f"{request.param}_server")
    return found


def made(folder: Path, url: str) -> Context:
    list(Labs(Context(folder=str(folder))).create(None, catalogue=url, name="", timezone=""))
    return Context(folder=str(folder))


def test_a_lab_lives_on_a_server_and_is_saved_as_a_file(server: Server, tmp_path: Path) -> None:
    new_database(server, "whole_lab")
    here = made(tmp_path, server.url("whole_lab"))
    list(Subjects(here).add(["1"], {"sex": "F"}))
    list(Subjects(here).add(["1"], {"sex": "M"}))
    assert [(subject.name, subject.sex) for subject in Subjects(here).list()] == [("1", "M")]
    (report,) = Labs(here).show()
    assert report.database == {"postgresql": "postgresql", "mariadb": "mysql"}[server.kind]
    assert all(outcome.status == "ok" for outcome in Labs(here).check())
    (saved,) = Labs(here).backup(str(tmp_path / "safe.db"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    there = made(elsewhere, f"sqlite:///{saved.item}")
    assert [(subject.name, subject.sex) for subject in Subjects(there).list()] == [("1", "M")]
    with open_catalogue(address_of(lab_here(there))) as catalogue, catalogue.reading() as connection:
        assert list(problems(connection)) == []


def test_a_database_that_others_use_is_left_alone(server: Server, tmp_path: Path) -> None:
    address = new_database(server, "of_others")
    engine = create_engine(address.url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE accounts (name varchar(9))"))
    engine.dispose()
    with pytest.raises(CatalogueUnusable, match="tables of something else"):
        made(tmp_path, server.url("of_others"))
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_not_there_is_told(server: Server, tmp_path: Path) -> None:
    with pytest.raises(CatalogueUnusable) as refused:
        made(tmp_path, server.url("nowhere"))
    assert "\n" not in refused.value.what
    assert list(tmp_path.iterdir()) == []


def test_setting_up_goes_on_behind_the_migrations_that_were_done(server: Server, tmp_path: Path) -> None:
    address = new_database(server, "some_migrations")
    engine = create_engine(address.url)
    with engine.begin() as connection:
        migrate(connection, "0003")
        connection.execute(text("DELETE FROM catalogue_counter"))  # it comes last
    engine.dispose()
    here = made(tmp_path, server.url("some_migrations"))
    assert all(outcome.status == "ok" for outcome in Labs(here, steps=Steps()).check())
    engine = create_engine(address.url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE engram_version SET version_num = '0003'"))
        connection.execute(text("INSERT INTO catalogue_change VALUES (1, '2020-01-01', 'ada', 'test', '', '')"))
    engine.dispose()
    (tmp_path / "other").mkdir()
    with pytest.raises(CatalogueUnusable, match="is of version 0003"):  # it is in use
        made(tmp_path / "other", server.url("some_migrations"))


def test_setting_up_goes_on_where_it_was_cut_off(server: Server, tmp_path: Path) -> None:
    """MariaDB keeps the tables of a migration that died in the middle."""
    address = new_database(server, "half_made")
    engine = create_engine(address.url)
    with engine.begin() as connection:
        from engram.catalogue.tables.changes import CHANGE

        CHANGE.create(connection)
    engine.dispose()
    here = made(tmp_path, server.url("half_made"))
    assert all(outcome.status == "ok" for outcome in Labs(here, steps=Steps()).check())
