"""The steps of a build as data, and which of them need not be carried out again.

A step's key is a digest of its name, its version, the keys of what it needs (digests of tables, where those are needed)
and the parts of the configuration that it reads. The same key gives the same result. Files of an earlier build are kept
when their step has the key that it had, and each of them is there with the digest that it had.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from engram.connectome.contents import Contents, Presence
from engram.connectome.folder import Left, Provenance, ToldFile, is_inside

Doer = TypeVar("Doer")

#: A key of the configuration that changes no result.
PROCESSES = "processes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Generic[Doer]):
    """One step. It is carried out again when its version, what it needs or its part of the configuration changes."""

    #: What it makes: tables of the work file, or a part of the snapshot.
    name: str
    #: Names of the steps and of the input tables that it reads.
    needs: tuple[str, ...]
    #: The parts of the configuration that it reads, as ``inputs.synapses``.
    reads: tuple[str, ...]
    #: Does it, and gives what is to be written.
    carry_out: Callable[[Doer], Iterable[Any] | None] = field(repr=False, compare=False)
    #: The files and folders of the snapshot that it writes; none for tables of the work file.
    writes: tuple[str, ...] = ()
    #: Keys in these parts that change nothing of what it gives.
    ignores: tuple[str, ...] = (PROCESSES,)
    #: Raised with every change of what it gives.
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned(Generic[Doer]):
    """A step of a build that is to come."""

    step: Step[Doer]
    key: str
    #: What the key is made of: a digest for each thing that the step depends on.
    grounds: Mapping[str, str]
    #: Whether it is carried out; otherwise its files are there already, or nobody needs its tables.
    wanted: bool
    #: Why, or why not.
    why: str
    #: What an interrupted build has made of it, which is put in its place.
    left: Left | None = None

    def as_json(self) -> dict[str, Any]:
        """What provenance tells of it."""
        return {"name": self.step.name, "version": self.step.version, "key": self.key, "grounds": dict(self.grounds)}


def plan_steps(
    steps: Sequence[Step[Doer]], config: Mapping[str, Any], inputs: Mapping[str, str], before: "Earlier"
) -> list[Planned[Doer]]:
    """Which steps are to be carried out, and why.

    Args:
        config: the whole configuration, as it is written.
        inputs: digests of the input tables, by what they are; those that there are not are missing.
        before: what an earlier build left.
    """
    keys = dict(inputs)
    found = []
    for step in steps:
        grounds = {"version": str(step.version)} | {need: keys[need] for need in step.needs if need in keys}
        grounds |= {path: _digest(_part(config, path, step.ignores)) for path in step.reads}
        keys[step.name] = _digest([step.name, grounds])
        key = keys[step.name]
        why = before.why_again(step, key, grounds) if step.writes else ""
        left = before.finished(step, key) if why else None
        why = "an interrupted build has made it" if left else why or "nothing has changed"
        wanted = why not in ("nothing has changed", "an interrupted build has made it")
        found.append(Planned(step=step, key=key, grounds=grounds, wanted=wanted, why=why, left=left))
    return list(_with_needs(found))


def _with_needs(planned: Sequence[Planned[Doer]]) -> Iterator[Planned[Doer]]:
    """The same, with those steps whose tables are needed by some that are carried out."""
    needed_by: dict[str, str] = {}
    for one in reversed(planned):
        if one.wanted or one.step.name in needed_by:
            needed_by |= {need: one.step.name for need in one.step.needs if need not in needed_by}
    for one in planned:
        if one.step.writes:
            yield one
        else:
            by = needed_by.get(one.step.name, "")
            why = f"{by} is made of it" if by else "nothing is made of it"
            yield Planned(step=one.step, key=one.key, grounds=one.grounds, wanted=bool(by), why=why)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _part(config: Mapping[str, Any], path: str, ignored: Sequence[str]) -> Any:  # noqa: ANN401 (of a YAML file)
    part: Any = config
    for word in path.split("."):
        part = part[word]
    return _without(part, ignored)


def _without(part: Any, ignored: Sequence[str]) -> Any:  # noqa: ANN401 (of a YAML file)
    if not isinstance(part, Mapping):
        return part
    kept = {name: one for name, one in part.items() if name not in ignored or isinstance(one, Mapping)}
    return {name: _without(one, ignored) for name, one in kept.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What an earlier build left in a snapshot's folder."""

    folder: str
    provenance: Provenance
    contents: Contents
    #: Tells the digest of a file.
    digest_of: Callable[[str], str] = field(repr=False)
    #: What an interrupted build finished of another one, and where it lies.
    left: Mapping[str, Left] = field(default_factory=dict)
    left_in: str = ""

    def finished(self, step: Step[Any], key: str) -> Left | None:
        """What an interrupted build made of a step, if it is what would be made now, and whole."""
        found = self.left.get(step.name)
        if found is None or found.key != key or any(self._why_not(self.left_in, file) for file in found.files):
            return None
        return found

    def files_of(self, step: Step[Any]) -> list[ToldFile]:
        """What provenance tells of the files that a step wrote."""
        told = (one for one in self.provenance.tables if is_inside(one.path))
        return [one for one in told if one.path.partition("/")[0] in step.writes]

    def why_again(self, step: Step[Any], key: str, grounds: Mapping[str, str]) -> str:
        """Why the files of a step must be written; '' if all of them are there as they should be."""
        told = next((one for one in self.provenance.steps if one.name == step.name), None)
        if told is None:
            return "it was not built before"
        if told.key != key:
            changed = [name for name in {**told.grounds, **grounds} if told.grounds.get(name) != grounds.get(name)]
            return f"{', '.join(changed)} changed"
        return next(filter(None, (self._why_not(self.folder, file) for file in self.files_of(step))), "")

    def _why_not(self, folder: str, file: ToldFile) -> str:
        place = os.path.join(folder, file.path)
        presence = self.contents.look(place, size_bytes=file.size_bytes)
        if presence is Presence.ABSENT:
            return f"the content of {file.path} is not here"
        if presence is not Presence.HERE:
            return f"{file.path} is not there"
        if os.path.getsize(place) != file.size_bytes or self.digest_of(place) != file.sha256:
            return f"{file.path} is not what was built"
        return ""
