"""Laws of mass files: what is written reads back as the same, in each language; and nothing breaks the reader."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from engram.model.recordings import Recording, Session, Task
from engram.sessions.massfile.nodes import Node, Problem
from engram.sessions.massfile.parsing import Entry, read_entries
from engram.sessions.massfile.sheet import read_sheet
from engram.sessions.massfile.texts import read_text
from engram.sessions.massfile.writing import as_json, as_rows, as_yaml, documents

# Names as a share can have them; a name that begins or ends with a blank is no name of the catalogue.
_CHARACTERS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/")
names = st.text(_CHARACTERS, min_size=1, max_size=20).filter(lambda text: text == text.strip() and text.isprintable())
traps = st.sampled_from(["102_1", "no", "08:30", "1e3", "null", "~", "2020-01-01", "- a", "a: b", "#1", "'", '"', "[]"])
words = names | traps
times = st.floats(min_value=0, max_value=1e6, allow_nan=False)
tasks = st.builds(
    lambda name, type_, start_s, stop_s: Task(name=name, type=type_, start_s=start_s, stop_s=stop_s),
    words,
    words | st.just(""),
    times,
    st.none() | times,
)
sessions = st.builds(
    lambda subject, folder, tasks, sorting: Session(
        id="s",
        subject=subject,
        started=date(2020, 1, 1),
        share="raw",
        folder=folder,
        tasks=tuple(tasks),
        recordings=(Recording(kind="sorting", device="ks", paths=("a",)),) if sorting else (),
    ),
    words,
    words,
    st.lists(tasks, max_size=3),
    st.booleans(),
)


def meaning(roots: list[Entry]) -> object:
    """Entries without their places and paths."""

    def of(entry: Entry) -> object:
        values = {
            name: [of(one) if isinstance(one, Entry) else one for one in value] if isinstance(value, tuple) else value
            for name, value in entry.values.items()
        }
        return values, entry.inherited

    return [of(one) for one in roots]


def read(found: tuple[list[Node], list[Problem]]) -> object:
    assert found[1] == []
    roots, problems = read_entries(found[0])
    assert problems == []
    return meaning(roots)


@given(st.lists(sessions, min_size=1, max_size=4, unique_by=lambda one: (one.subject, one.folder)))
def test_what_is_written_reads_back_as_the_same_in_each_language(some: list[Session]) -> None:
    found = documents(some, lambda spot: f"/mnt/{spot[1]}", curator="ada")
    of_yaml = read(read_text(as_yaml(found), is_json=False))
    assert read(read_text(as_json(found), is_json=True)) == of_yaml
    told = {(one["subject"]["name"], len(one["sessions"])) for one in found}  # type: ignore[index,call-overload,arg-type]
    assert len(told) == len({session.subject for session in some})
    assert read(read_sheet(as_rows(found))) == of_yaml


@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_break_the_reader(data: bytes, is_json: bool) -> None:
    documents_, problems = read_text(data, is_json=is_json)
    assert not (documents_ and problems)
    read_entries(documents_)


_pieces = st.sampled_from(
    [
        "subject",
        "sessions",
        "tasks",
        ":",
        "- ",
        "\n",
        "  ",
        "[",
        "]",
        "{",
        "}",
        ",",
        "yes",
        "1",
        '"',
        "name",
        "clustering",
    ]
)


@given(st.lists(_pieces, max_size=40), st.booleans())
def test_no_text_breaks_the_reader(pieces: list[str], is_json: bool) -> None:
    documents_, _ = read_text("".join(pieces).encode(), is_json=is_json)
    _, problems = read_entries(documents_)
    assert all(problem.message for problem in problems)


@given(
    st.lists(
        st.lists(st.sampled_from(["", "subject", "location", "tasks.task_type", "group.curator", "x"])), max_size=6
    )
)
def test_no_table_breaks_the_reader(rows: list[list[str]]) -> None:
    documents_, _ = read_sheet(rows)
    read_entries(documents_)
