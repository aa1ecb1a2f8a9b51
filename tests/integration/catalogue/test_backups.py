"""A backup of a catalogue on any database is an SQLite catalogue that says the same."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from engram.catalogue.addresses import read_address
from engram.catalogue.backing_up import back_up
from engram.catalogue.checking import problems
from engram.catalogue.opening import Catalogue, open_catalogue
from engram.catalogue.tables import whole_schema
from engram.durable import Steps
from engram.model.errors import TargetExists
from tests.integration.catalogue.test_sessions import SESSION, contents, record, subjects

pytestmark = pytest.mark.integration
__all__ = ["subjects"]


def test_a_backup_says_the_same(subjects: Catalogue, tmp_path: Path) -> None:
    record(subjects, SESSION)
    record(subjects, replace(SESSION, tasks=()))
    saved = tmp_path / "safe.db"
    count = back_up(subjects.address, str(saved), Steps())
    before = contents(subjects)
    assert count == sum(map(len, before.values()))
    with open_catalogue(read_address(f"sqlite:///{saved}", "/")) as copy:
        assert contents(copy) == before
        with copy.reading() as connection:
            assert list(problems(connection)) == []
    with pytest.raises(TargetExists):
        back_up(subjects.address, str(saved), Steps())


def test_many_rows_are_copied_in_pieces(subjects: Catalogue, tmp_path: Path) -> None:
    from tests.integration.catalogue.test_sessions import Seen

    record(subjects, SESSION, tuple(Seen(f"{number:05d}") for number in range(12_001)))
    back_up(subjects.address, str(tmp_path / "safe.db"), Steps())
    with open_catalogue(read_address(f"sqlite:///{tmp_path}/safe.db", "/")) as copy, copy.reading() as connection:
        found = connection.execute(select(whole_schema().tables["file"])).all()
    assert len(found) == 12_001
