"""What a mass file tells of the sessions that were found: all of it looked up and inherited, or told why not."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from engram.catalogue.said import label
from engram.model.animals import Implant
from engram.model.recordings import Recording, Session, Task
from engram.sessions.annotating import Row, What
from engram.sessions.answers import impossible_times, overlaps
from engram.sessions.asking import OF_IMPLANTS, duration_s
from engram.sessions.gathering import place_of
from engram.sessions.massfile.nodes import Problem
from engram.sessions.massfile.parsing import LONGEST_NAME, Entry
from engram.sessions.massfile.surroundings import Surroundings
from engram.sessions.told import CurationTold, TaskTold, Told

_COLUMNS = {"start_s": "task_start", "stop_s": "task_stop"}
_WORD = re.compile("[A-Za-z0-9]+")


class Teller:
    """One session's entry, and the session that it is about; *problems* gets what cannot be."""

    def __init__(self, entry: Entry, session: Session, subject: str, around: Surroundings) -> None:
        """*session*: as the plan would take it, with the tasks that were recognised."""
        self._entry = entry
        self._session = session
        self._subject = subject
        self._around = around
        self.problems: list[Problem] = []

    def told(self) -> Told:
        """What is told of it."""
        entry = self._entry
        place = ", ".join(part for part in (str(entry.where), entry.path) if part)
        return Told(
            source=f"{self._around.source}, {place}",
            experimenters=entry.texts("experimenter"),
            projects=entry.texts("project"),
            room=entry.text("room"),
            note=entry.text("notes"),
            tasks=tuple(self._tasks()),
            implants=tuple(self._implants()),
            curations=tuple(self._curations()),
        )

    # --- tasks

    def _tasks(self) -> list[TaskTold]:
        entries = self._entry.entries("tasks")
        read = [self._task(entry, index) for index, entry in enumerate(entries)]
        told = [(entry, task) for entry, task in zip(entries, read, strict=True) if task is not None]
        duration = duration_s(self._session)
        for entry, task in told:
            row = Row(session="", what=What.TASK, value=task.name, start_s=task.start_s, stop_s=task.stop_s)
            for problem in impossible_times(task.number, row, duration):
                self.problems.append(entry.problem(_COLUMNS[problem.column], problem.message))
        by_number = {task.number: entry for entry, task in told}
        times = [(task.start_s, task.stop_s, task.number) for _, task in told]
        for problem in overlaps(times, called="task"):
            self.problems.append(by_number[problem.row].problem(_COLUMNS[problem.column], problem.message))
        return [task for entry, task in told if entry.truth("confirmed", default=True)]

    def _task(self, entry: Entry, index: int) -> TaskTold | None:
        """One task, with what it inherits from the task of the same place in the rig's list."""
        listed = self._session.tasks
        base = listed[index] if index < len(listed) else None
        start_s = entry.number("task_start")
        if start_s is None and base is not None and not _is_wrong(entry, "task_start"):
            start_s = base.start_s
        missing = [name for name in ("task_start", "task_stop", "notes") if name in entry.inherited and base is None]
        if start_s is None and "task_start" not in (*entry.places, *missing):
            missing.insert(0, "task_start")
        for name in missing:
            self.problems.append(entry.problem(name, f"there is nothing to inherit: {_counted(listed)}", _GIVE))
        if start_s is None:
            return None
        stop_s, note = entry.number("task_stop"), entry.text("notes")
        return TaskTold(
            number=index + 1,
            name=entry.text("task_type") if base is None else base.name,
            type=entry.text("task_type"),
            start_s=start_s,
            stop_s=_stop(listed, index) if stop_s is None and base is not None else stop_s,
            arena=entry.text("arena_apparatus") or None,
            light=entry.text("light_level") or None,
            note=None if base is not None and note == base.name else note or None,
            things=self._things(entry),
        )

    def _things(self, entry: Entry) -> tuple[tuple[str, str], ...] | None:
        if not {"objects", "cue_cards", "curtains"} & entry.places.keys():
            return None
        found = []
        for name, one in _standing(entry):
            where = _place(one)
            if len(where) > LONGEST_NAME:
                self.problems.append(one.problem("note", f"with its place it is longer than {LONGEST_NAME} characters"))
            found.append((name, where))
        return tuple(dict.fromkeys(found))

    # --- probes

    def _implants(self) -> Iterator[tuple[str, str]]:
        recorded = [one for one in self._session.recordings if one.kind in OF_IMPLANTS]
        for disk, name in self._entry.pairs("probe_association"):
            key = f"probe_association.{disk}"
            mine = [one for one in recorded if disk.casefold() in _called(one)]
            if not mine:
                there = sorted({part for one in recorded for part in _called(one)})
                what = f"; there are {', '.join(there[:12])}" if there else ""
                self.problems.append(self._entry.problem(key, f"nothing of a probe {disk} was recognised{what}"))
            if (implant := self._implant(key, name)) is None:
                continue
            for one in mine:
                if one.serial and one.serial != implant.probe:
                    message = f"{one.path} was recorded with the probe {one.serial}, not with {implant.probe}"
                    self.problems.append(self._entry.problem(key, message))
                else:
                    yield one.id, label(implant.name, implant.probe, implant.inserted)

    def _implant(self, key: str, name: str) -> Implant | None:
        """The one implant of the subject that is called so: by its name, its probe's serial number, or both."""
        day = f"{self._session.started:%Y-%m-%d}"
        every = [one for one in self._around.implants.get(self._subject, ()) if _was_in(one, day)]
        fits = [one for one in every if name in (one.name, one.probe, label(one.name, one.probe, one.inserted))]
        fits = fits or [one for one in every if one.probe in _WORD.findall(name)]
        if len(fits) == 1:
            return fits[0]
        labels = [label(one.name, one.probe, one.inserted) for one in fits or every]
        which = f"; there are {', '.join(labels)}" if labels else ""
        message = f"several implants are called {name}" if fits else f"{self._subject} has no implant {name} on {day}"
        remedy = f"Add it: engram probes implant SERIAL {self._subject} --at TIME; or name one that there is."
        self.problems.append(self._entry.problem(key, f"{message}{which}", remedy))
        return None

    # --- clustering

    def _curations(self) -> Iterator[CurationTold]:
        sorted_ = [one for one in self._session.recordings if one.kind == "sorting"]
        if isinstance(self._entry.values.get("clustering", True), bool):
            curator = self._around.account
            if curator and self._entry.truth("clustering", default=True):
                for one in sorted_:
                    yield CurationTold(recording=one.id, curator=curator, curated=self._when(one), confirmed=False)
            return
        for entry in self._entry.entries("clustering"):
            location = entry.text("location")
            mine = [one for one in sorted_ if self._lies_in(one, location)]
            if location and not mine:
                self.problems.append(self._no_clustering(entry, sorted_))
            if not entry.truth("confirmed", default=True):
                continue
            for one in mine:
                yield CurationTold(
                    recording=one.id,
                    curator=entry.text("curator") or None,
                    curated=entry.moment("curation_time") or self._when(one),
                    note=entry.text("notes") or None,
                )

    def _lies_in(self, recording: Recording, location: str) -> bool:
        on, whole = place_of(self._session, recording.path, recording.share)
        places = self._around.places(location)
        return any(share.name == on and whole.startswith(f"{path}/") for share, path in places)

    def _no_clustering(self, entry: Entry, there: Iterable[Recording]) -> Problem:
        folders = sorted({posixpath.dirname(one.path) or "." for one in there})
        if not any(True for _ in self._around.places(entry.text("location"))):
            message = f"it lies on no share of the lab: {self._around.where_shares_begin()}"
            return entry.problem("location", message)
        found = f"; the session has some in {', '.join(folders[:4])}" if folders else ""
        message = f"no clustering was recognised in it{found}"
        return entry.problem("location", message, "See what is there: engram sessions scan")

    def _when(self, recording: Recording) -> datetime | None:
        written = recording.fact("curated")
        if not isinstance(written, str):
            return None
        return self._around.by_the_labs_clock(datetime.fromisoformat(written))


_GIVE = "Say when it was."


def _is_wrong(entry: Entry, name: str) -> bool:
    """Whether a key holds what cannot be, which was told already."""
    return name in entry.places and name not in entry.values


def _counted(tasks: Sequence[Task]) -> str:
    return f"the rig's sessions.txt tells of {len(tasks)} tasks" if tasks else "no sessions.txt was recognised"


def _stop(tasks: Sequence[Task], index: int) -> float | None:
    """When a listed task ended: when the next one began, where its list does not say."""
    following = tasks[index + 1].start_s if index + 1 < len(tasks) else None
    return following if tasks[index].stop_s is None else tasks[index].stop_s


def _standing(entry: Entry) -> Iterator[tuple[str, Entry]]:
    """Everything that stood in an arena, with what it is called."""
    yield from ((one.text("object_name"), one) for one in entry.entries("objects") if one.text("object_name"))
    yield from ((one.text("card_name"), one) for one in entry.entries("cue_cards") if one.text("card_name"))
    yield from (("curtain", one) for one in entry.entries("curtains"))


def _place(one: Entry) -> str:
    """Where it stood, in words.

    >>> from engram.sessions.massfile.nodes import Where
    >>> _place(Entry("", Where(), {"coord_x": 13.0, "coord_y": -5.5, "note": "off centre"}))
    'x 13, y -5.5: off centre'
    """
    if {"coord_x", "coord_y"} & one.values.keys():
        place = ", ".join(f"{axis} {one.number(f'coord_{axis}') or 0.0:g}" for axis in ("x", "y"))
        return place + (f": {one.text('note')}" if one.text("note") else "")
    return f"from {one.text('start_point')}, {one.text('direction')}, coverage {one.number('coverage') or 0.0:g}"


def _called(recording: Recording) -> set[str]:
    """All that a mass file can call a recording's probe by."""
    folders = posixpath.dirname(recording.path).casefold().split("/")
    return {name for name in (*folders, recording.device.casefold(), recording.serial.casefold()) if name}


def _was_in(implant: Implant, day: str) -> bool:
    removed = implant.removed
    return f"{implant.inserted:%Y-%m-%d}" <= day and (removed is None or day <= f"{removed:%Y-%m-%d}")
