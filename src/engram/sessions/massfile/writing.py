"""Write mass files: what was recognised of sessions, as YAML, JSON or a table that reads back as the same."""

import json
import posixpath
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from engram.model.recordings import Recording, Session, Task
from engram.sessions.annotating import seconds, task_rows
from engram.sessions.gathering import Spot, place_of
from engram.sessions.massfile.parsing import YES

#: A value of a mass file: numbers stay as they are written.
Plain: TypeAlias = "str | float | bool | list[Plain] | dict[str, Plain]"

_HEADING = """\
# What was recognised. Say who and where, mend what is wrong, let confirmed be yes where it is right,
# then: engram sessions plan --from THIS_FILE -o plan.json
# What the keys mean: engram help mass-file
"""
#: Columns that a table has even where nothing is to be said in them yet: people fill them in.
_TO_FILL_IN = ("subject", "location", "experimenter", "project", "room", "notes")
_OF_CLUSTERING = ("curator", "curation_time", "location", "confirmed")
_OF_TASKS = ("task_type", "arena_apparatus", "task_start", "task_stop", "notes", "light_level", "confirmed")


def documents(
    sessions: Iterable[Session], location: Callable[[Spot], str], *, curator: str = ""
) -> list[dict[str, Plain]]:
    """What a mass file says of sessions, one document for each subject.

    *location*: what their folders are called; *curator*: who is taken to have curated what was clustered, if anybody.
    """
    by_subject: dict[str, list[Session]] = defaultdict(list)
    for session in sessions:
        by_subject[session.subject].append(session)
    return [
        {"subject": {"name": subject}, "sessions": [_session(one, location, curator) for one in each]}
        for subject, each in sorted(by_subject.items())
    ]


def _session(session: Session, location: Callable[[Spot], str], curator: str) -> dict[str, Plain]:
    tasks = [_task(task, stop_s) for task, stop_s in _with_stops(session)]
    place = location((session.share, session.folder))
    found: dict[str, Plain] = {"location": place, "experimenter": [], "tasks": [*tasks]}
    clustered = [one for one in session.recordings if one.kind == "sorting"]
    if clustered and curator:
        found["clustering"] = [_clustering(one, session, location, curator) for one in clustered]
    return found


def _clustering(
    recording: Recording, session: Session, location: Callable[[Spot], str], curator: str
) -> dict[str, Plain]:
    share, path = place_of(session, recording.path, recording.share)
    place = location((share, posixpath.dirname(path)))
    return {"curator": curator, "curation_time": True, "location": place, "confirmed": False}


def _with_stops(session: Session) -> Iterator[tuple[Task, float | None]]:
    for task, row in zip(session.tasks, task_rows(session.id, "", session.tasks), strict=False):
        yield task, row.stop_s


def _task(task: Task, stop_s: float | None) -> dict[str, Plain]:
    said: dict[str, Plain] = {"task_type": task.type or task.name, "task_start": task.start_s}
    if stop_s is not None:
        said["task_stop"] = stop_s
    if task.name.lower() not in YES:  # it is inherited anyway, and a table has no quotes
        said["notes"] = task.name
    return {**said, "confirmed": False}


def as_json(found: Sequence[Mapping[str, Plain]]) -> bytes:
    """As JSON: one subject alone is an object, as in Kavli's files; several are a list of them."""
    whole = found[0] if len(found) == 1 else list(found)
    return (json.dumps(whole, indent=2) + "\n").encode("ascii")


def as_yaml(found: Sequence[Mapping[str, Plain]]) -> bytes:
    """As YAML: one document for each subject. Text stands in quotes, so that no reader makes a number or date of it."""
    lines = [_HEADING]
    for document in found:
        lines += ["---", *_yaml(document, "")]
    return ("\n".join(lines) + "\n").encode()


def _yaml(value: Mapping[str, Plain], indent: str) -> Iterator[str]:
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            yield f"{indent}{key}:"
            yield from _yaml(inner, f"{indent}  ")
        elif isinstance(inner, list) and inner:
            yield f"{indent}{key}:"
            for item in inner:
                yield from _yaml_item(item, f"{indent}  ")
        else:
            yield f"{indent}{key}: {_scalar(inner)}"


def _yaml_item(item: Plain, indent: str) -> Iterator[str]:
    if isinstance(item, Mapping):
        first, *rest = _yaml(item, f"{indent}  ")
        yield f"{indent}- {first.strip()}"
        yield from rest
    else:
        yield f"{indent}- {_scalar(item)}"


def _scalar(value: Plain) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return seconds(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f") if value != [] else "[]"


def as_rows(found: Sequence[Mapping[str, Plain]]) -> list[tuple[str, ...]]:
    """As a table: a row for each task of a session, at least one for each session."""
    of_tasks = (f"tasks.{name}" for name in _OF_TASKS)
    heading = (*_TO_FILL_IN, *of_tasks, *(f"clustering.{name}" for name in _OF_CLUSTERING))
    return [heading, *(tuple(row.get(name, "") for name in heading) for row in _rows(found))]


def _rows(found: Iterable[Mapping[str, Plain]]) -> Iterator[dict[str, str]]:
    for document in found:
        subject, sessions = document["subject"], document["sessions"]
        assert isinstance(subject, dict)
        assert isinstance(sessions, list)
        for session in sessions:
            assert isinstance(session, dict)
            own = {"subject": str(subject["name"]), "location": str(session["location"])}
            tasks, clustered = _entries(session, "tasks"), _entries(session, "clustering")
            for number in range(max(len(tasks), len(clustered), 1)):
                yield own | _cells(tasks, number, "tasks") | _cells(clustered, number, "clustering")


def _entries(session: Mapping[str, Plain], name: str) -> list[Plain]:
    found = session.get(name, [])
    assert isinstance(found, list)
    return found


def _cells(entries: Sequence[Plain], number: int, above: str) -> dict[str, str]:
    """The cells of one entry of a list, if it has so many."""
    entry = entries[number] if number < len(entries) else {}
    assert isinstance(entry, dict)
    return {f"{above}.{name}": _cell(value) for name, value in entry.items()}


def _cell(value: Plain) -> str:
    text = _scalar(value)
    return str(value) if isinstance(value, str) else text
