"""The table that a person fills in: prefilled, read back, and refused by row and column."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.model.recordings import Task
from engram.sessions.annotating import COLUMNS, Problem, Row, What, read_rows, task_rows
from engram.sessions.answers import Vocabulary, check

S = "12347/2020-01-01T10-00-30"
KNOWN = Vocabulary(
    sessions={S: 3000.0, "other": None, "third": None},
    recordings={S: frozenset({"ap:1"})},
    people=frozenset({"may"}),
    projects=frozenset({"grid"}),
    rooms=frozenset({"2.345"}),
    lights=frozenset({"dim"}),
    objects=frozenset({"box", "cue card"}),
    apparatus=frozenset({"open field"}),
    subjects={S: "12347", "other": "12347", "third": "9"},
    days={S: date(2020, 1, 1)},
    clusterings={"first week": frozenset({"other"}), "theirs": frozenset({"third"})},
    arenas=frozenset({"150_square"}),
    implants={S: frozenset({"mec left"})},
)


def table(*rows: Row) -> list[tuple[str, ...]]:
    return [COLUMNS, *(row.cells() for row in rows)]


def told(*rows: Row) -> list[tuple[int, str]]:
    return [(problem.row, problem.column) for problem in check(list(enumerate(rows, start=2)), KNOWN)]


class TestTasksOfASessionsFile:
    def test_are_prefilled_each_until_the_next_begins(self) -> None:
        tasks = [Task(name="open_field_1", start_s=30, type="RUNNING"), Task(name="sleep_1", start_s=1587)]
        assert [(*row.cells()[2:9], row.cells()[12]) for row in task_rows(S, "2020-01-01", tasks)] == [
            ("task", "1", "open_field_1", "30", "1587", "", "RUNNING", "no"),
            ("task", "2", "sleep_1", "1587", "", "", "", "no"),
        ]

    def test_are_one_empty_row_where_nothing_is_known(self) -> None:
        (row,) = task_rows(S, "", [])
        assert (row.item, row.value, row.confirmed) == ("1", "", False)


class TestReading:
    def test_takes_columns_in_any_order_and_passes_over_empty_rows(self) -> None:
        rows, problems = read_rows([["What", "session", "value"], ["", "", ""], ["project", S, "grid"]])
        assert problems == []
        assert rows == [(3, Row(session=S, what=What.PROJECT, value="grid"))]

    @pytest.mark.parametrize(
        ("heading", "column"),
        [(["session", "what", "colour"], "colour"), (["what"], "session"), (["session", "what", "what"], "what")],
    )
    def test_refuses_a_heading_that_it_does_not_know(self, heading: list[str], column: str) -> None:
        rows, problems = read_rows([heading, [S, "project", "x"]])
        assert rows == []
        assert [(problem.row, problem.column) for problem in problems] == [(1, column)]

    @pytest.mark.parametrize(
        ("cell", "text"),
        [
            ("what", "taks"),
            ("session", ""),
            ("start_s", "noon"),
            ("start_s", "-1"),
            ("stop_s", "nan"),
            ("stop_s", "1e999"),
            ("confirmed", "perhaps"),
        ],
    )
    def test_names_the_cell_that_does_not_parse(self, cell: str, text: str) -> None:
        cells = dict(zip(COLUMNS, Row(session=S, what=What.TASK, value="run").cells(), strict=True)) | {cell: text}
        rows, problems = read_rows([COLUMNS, list(cells.values())])
        assert rows == []
        assert [(problem.row, problem.column) for problem in problems] == [(2, cell)]

    def test_takes_a_comma_for_a_point(self) -> None:
        ((_, row),), _ = read_rows([["session", "what", "start_s"], [S, "task", "2200,5"]])
        assert row.start_s == 2200.5

    @given(
        st.lists(
            st.builds(
                Row,
                session=st.sampled_from([S, "other"]),
                what=st.sampled_from(What),
                item=st.sampled_from(["", "1", "ap:1"]),
                value=st.sampled_from(["", "may", "grid; x"]),
                start_s=st.none() | st.integers(0, 10**7).map(lambda ms: ms / 1000),
                stop_s=st.none() | st.integers(0, 10**7).map(lambda ms: ms / 1000),
                note=st.sampled_from(["", "a, b"]),
                light=st.sampled_from(["", "dim"]),
                objects=st.sampled_from(["", "box @ north wall; cue card"]),
                curated=st.sampled_from(["", "2022-04-15 05:20:00"]),
                confirmed=st.booleans(),
            )
        )
    )
    def test_gives_back_what_was_handed_out(self, rows: list[Row]) -> None:
        assert read_rows(table(*rows)) == (list(enumerate(rows, start=2)), [])


class TestWhatWasInTheArena:
    task = Row(
        session=S, what=What.TASK, item="1", value="run", start_s=30, light="dim", objects="box @ wall; cue card"
    )

    def test_is_taken_when_it_is_known(self) -> None:
        assert told(self.task) == []

    @pytest.mark.parametrize(
        ("changed", "column"), [({"light": "dimm"}, "light"), ({"objects": "box; cu card @ wall"}, "objects")]
    )
    def test_is_refused_with_the_nearest_name(self, changed: dict[str, str], column: str) -> None:
        (problem,) = check([(2, replace(self.task, **changed))], KNOWN)  # type: ignore[arg-type]  # fields by name
        assert problem.column == column
        assert "the nearest is" in problem.message
        assert check([(2, replace(self.task, **changed))], replace(KNOWN, adds=True)) == []  # type: ignore[arg-type]

    def test_is_said_of_tasks_alone(self) -> None:
        row = Row(session=S, what=What.PROJECT, value="grid", light="dim", objects="box")
        assert told(row) == [(2, "light"), (2, "objects")]

    @pytest.mark.parametrize("text", ["box;; cue card", "@ wall", "x" * 256])
    def test_that_does_not_parse_is_refused_by_its_cell(self, text: str) -> None:
        _, problems = read_rows([["session", "what", "objects"], [S, "task", text]])
        assert [(problem.row, problem.column) for problem in problems] == [(2, "objects")]

    def test_stays_as_it_is_where_the_table_has_no_such_column(self) -> None:
        ((_, row),), _ = read_rows([["session", "what"], [S, "task"]])
        assert (row.light, row.objects) == (None, None)


class TestClusterings:
    curated = Row(session=S, what=What.CURATOR, item="ap:1", value="may", curated="2020-01-02 10:00")

    def test_were_curated_after_they_were_recorded(self) -> None:
        assert told(self.curated) == []
        assert told(replace(self.curated, curated="2019-12-31")) == [(2, "curated")]
        assert told(Row(session=S, what=What.ROOM, value="2.345", curated="2020-01-02")) == [(2, "curated")]

    @pytest.mark.parametrize("text", ["yesterday", "2020-13-01", "2020-01-02T10:00:00+01:00"])
    def test_have_a_time_by_the_clock_of_the_lab(self, text: str) -> None:
        _, problems = read_rows([["session", "what", "curated"], [S, "curator", text]])
        assert [(problem.row, problem.column) for problem in problems] == [(2, "curated")]

    def test_of_several_sessions_need_two_of_one_subject(self) -> None:
        row = Row(session=S, what=What.CLUSTERING, value="first week", confirmed=True)
        assert told(row) == []
        assert told(replace(row, value="alone")) == [(2, "value")]
        assert told(replace(row, value="theirs")) == [(2, "value")]
        assert told(replace(row, value="x" * 65)) == [(2, "value")]
        assert told(replace(row, value="new"), replace(row, session="other", value="new")) == []


class TestApparatus:
    def test_is_that_of_an_arena_which_is_known(self) -> None:
        row = Row(session=S, what=What.APPARATUS, item="150_square", value="open field", confirmed=True)
        assert told(row) == []
        assert told(replace(row, item="square")) == [(2, "item")]
        assert told(replace(row, value="open feld")) == [(2, "value")]
        assert told(row, replace(row, session="other")) == []
        assert told(row, row) == [(3, "value")]


class TestChecking:
    task = Row(session=S, what=What.TASK, item="1", value="run", start_s=30, stop_s=100)

    def test_finds_nothing_wrong_with_what_is_right(self) -> None:
        assert (
            told(
                self.task,
                replace(self.task, item="2", start_s=100, stop_s=3000, arena="150_square", confirmed=True),
                Row(session=S, what=What.EXPERIMENTER, value="may"),
                Row(session=S, what=What.PROJECT, value="grid"),
                Row(session=S, what=What.ROOM, value="2.345"),
                Row(session=S, what=What.IMPLANT, item="ap:1", value="mec left"),
                Row(session=S, what=What.CURATOR, item="ap:1", value="may"),
            )
            == []
        )

    @pytest.mark.parametrize(
        ("row", "column"),
        [
            (Row(session="9", what=What.PROJECT, value="grid"), "session"),
            (Row(session=S, what=What.EXPERIMENTER, value="mya"), "value"),
            (Row(session=S, what=What.PROJECT, value="x"), "value"),
            (Row(session="other", what=What.IMPLANT, item="ap:1", value="mec left"), "item"),
            (Row(session=S, what=What.IMPLANT, item="ap:9", value="mec left"), "item"),
            (Row(session=S, what=What.PROJECT, confirmed=True), "value"),
            (Row(session=S, what=What.PROJECT, value="grid", start_s=1), "start_s"),
            (replace(task, arena="round"), "arena"),
            (replace(task, stop_s=30), "stop_s"),
            (replace(task, start_s=None), "start_s"),
            (replace(task, stop_s=3061), "stop_s"),
        ],
    )
    def test_names_the_cell_that_cannot_be(self, row: Row, column: str) -> None:
        assert column in [name for number, name in told(row) if number == 2]

    def test_names_the_nearest_person(self) -> None:
        (problem,) = check([(2, Row(session=S, what=What.EXPERIMENTER, value="mya"))], KNOWN)
        assert problem == Problem(2, "value", "the catalogue has no person mya; the nearest is may")

    def test_refuses_tasks_that_overlap_in_whatever_order_they_stand(self) -> None:
        first, second = replace(self.task, start_s=99, stop_s=200), self.task
        assert told(first, second) == [(2, "start_s")]
        assert told(first, replace(second, session="other")) == []
