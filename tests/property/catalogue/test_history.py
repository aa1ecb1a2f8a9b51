"""The history tells what the catalogue said at any time, whatever was done to it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from engram.catalogue.opening import Catalogue, open_catalogue
from engram.catalogue.tables.animals import SUBJECT
from engram.catalogue.tables.changes import EDIT
from engram.catalogue.tables.sessions import TAG
from engram.catalogue.unit import Became
from tests.catalogues import ADA, Catalogues, on_sqlite

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
names = st.sampled_from(["m1", "M1", "m1 ", "é"])
puts = st.tuples(st.just("put"), names, st.dictionaries(st.sampled_from(["subject_sex", "subject_note"]), texts))
removals: st.SearchStrategy[tuple[str, str, dict[str, str]]] = st.tuples(st.just("remove"), names, st.just({}))
changes = st.lists(st.lists(puts | removals, max_size=3), max_size=6)


@pytest.fixture(scope="module")
def catalogues(tmp_path_factory: pytest.TempPathFactory) -> Catalogues:
    return on_sqlite(tmp_path_factory.mktemp("history"))


def rows(connection: Connection) -> dict[str, dict[str, object]]:
    found = connection.execute(select(SUBJECT)).mappings()
    return {str(row["subject_id"]): {name: _leaf(value) for name, value in row.items()} for row in found}


def _leaf(value: object) -> object:
    return value if value is None or isinstance(value, str | int | float) else str(value)


def before(
    state: dict[str, dict[str, object]], edits: Iterator[dict[str, object]], change: int
) -> dict[str, dict[str, object]]:
    """The state before *change*: what came later is undone, the latest first."""
    state = {number: dict(row) for number, row in state.items()}
    for edit in edits:
        number, was = str(edit["edit_row"]), json.loads(str(edit["edit_was"]))
        if edit["edit_action"] == "edit":
            state[number] |= was
        else:
            state[number] = was
    return {number: row for number, row in state.items() if int(str(row["subject_added_in"])) < change}


@settings(max_examples=60)
@given(script=changes)
def test_every_earlier_state_can_be_made_again(catalogues: Catalogues, script: list) -> None:
    states: list[tuple[int, dict[str, dict[str, object]]]] = []
    with open_catalogue(catalogues.fresh()) as catalogue:
        for steps in script:
            with catalogue.reading() as connection:
                state = rows(connection)
            with catalogue.changing(ADA) as unit:
                for what, name, values in steps:
                    row = unit.find(SUBJECT, {"subject_name": name})
                    if what == "put":
                        unit.put(SUBJECT, {"subject_name": name}, values)
                    elif row is not None:
                        unit.remove(SUBJECT, row)
                if unit.changed_something:
                    states.append((unit.change_id, state))
        with catalogue.reading() as connection:
            now = rows(connection)
            latest_first = select(EDIT).order_by(EDIT.c.edit_id.desc())
            edits = [dict(edit) for edit in connection.execute(latest_first).mappings()]
    for change, state in states:
        later = (edit for edit in edits if edit["change_id"] >= change)
        assert before(now, later, change) == state


@settings(max_examples=40)
@given(script=st.lists(puts, min_size=1, max_size=8))
def test_what_is_said_twice_changes_nothing_and_leaves_no_change(catalogues: Catalogues, script: list) -> None:
    with open_catalogue(catalogues.fresh()) as catalogue:
        last: dict[str, dict[str, str]] = {}
        for _, name, values in script:
            last[name] = last.get(name, {}) | values
            with catalogue.changing(ADA) as unit:
                unit.put(SUBJECT, {"subject_name": name}, values)
        for name, values in last.items():
            with catalogue.changing(ADA) as unit:
                assert unit.put(SUBJECT, {"subject_name": name}, values).became is Became.SAME
                assert not unit.changed_something


def test_a_number_is_never_given_twice(catalogues: Catalogues) -> None:
    given_out: list[int] = []
    with open_catalogue(catalogues.fresh()) as catalogue:
        for _ in range(3):
            with catalogue.changing(ADA) as unit:
                given_out.append(unit.add(TAG, {"tag_name": "x"}))
                row = unit.find(TAG, {"tag_name": "x"})
                assert row is not None
                unit.remove(TAG, row)
            _undone(catalogue)
    assert given_out == sorted(set(given_out))


def _undone(catalogue: Catalogue) -> None:
    with catalogue.rehearsing(ADA) as unit:
        unit.add(TAG, {"tag_name": "never"})


def test_the_history_is_kept_with_the_rows(catalogues: Catalogues, tmp_path: Path) -> None:
    with open_catalogue(catalogues.fresh()) as catalogue:
        with catalogue.changing(ADA) as unit:
            unit.put(TAG, {"tag_name": "x"}, {})
        with catalogue.changing(ADA) as unit:
            row = unit.find(TAG, {"tag_name": "x"})
            assert row is not None
            unit.remove(TAG, row)
        with catalogue.reading() as connection:
            (edit,) = connection.execute(select(EDIT)).mappings().all()
    assert (edit["edit_action"], json.loads(edit["edit_was"])["tag_name"]) == ("remove", "x")
