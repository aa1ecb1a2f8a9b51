"""Subdatasets of a dataset, with what is recorded about each: installed or not, at any depth.

Source: datalad-subdatasets(1); the records, and their order, from runs of DataLad 1.7.1.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from engram import durable
from engram.datasets.dataset import Dataset, open_dataset
from engram.datasets.git.objects import SUBMODULE_MODE
from engram.datasets.git.refs import holds_repository
from engram.datasets.git.small_files import read_file
from engram.datasets.gitmodules import Submodule, read_gitmodules, with_property
from engram.datasets.locks import only_engram, private_folder
from engram.datasets.permission import check_may_write
from engram.datasets.saving.save import Saver
from engram.datasets.saving.survey import SaveRequest
from engram.model.errors import UsageError
from engram.model.outcome import DatasetOutcome, Leaf, Outcome, Status
from engram.model.plan import Plan, PlannedStep, joined
from engram.model.records import record

#: DataLad's subject of the commit.
MESSAGE = "[DATALAD] modified subdataset properties"
_PROPERTY = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_-]*)\}")


@record(eq=False)
class ListRequest:
    """Which subdatasets to tell about, and what to change in their records."""

    #: Paths in the dataset: those at, below or around them.
    scopes: tuple[bytes, ...] = (b"",)
    #: ``present``, ``absent`` or ``any``.
    state: str = "any"
    #: Levels down; ``None`` for all.
    levels: int | None = 1
    #: Absolute paths: only subdatasets that hold one of them.
    contains: tuple[str, ...] = ()
    #: What is inside of a subdataset before itself.
    bottom_up: bool = False
    #: Properties to set, name and value; ``<…>`` is a template.
    properties: tuple[tuple[str, str], ...] = ()
    #: Properties to take away.
    without: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether anything is to be changed."""
        return bool(self.properties or self.without)

    def check(self) -> None:
        """Raises `UsageError` for what is no property, or one that must not be changed here."""
        for name in (*(name for name, _ in self.properties), *self.without):
            if not _PROPERTY.fullmatch(name):
                raise UsageError(
                    f"{name!r} is no property of a subdataset.", "It starts with a letter; then letters, digits, '-'."
                )
            if name.lower() == "path":
                raise UsageError(
                    "The path of a subdataset is not changed like this: it would be lost.",
                    "Move it: git mv OLD NEW && engram save",
                )


@dataclass(slots=True)
class Listing:
    """One look at the subdatasets of a dataset."""

    dataset: Dataset
    request: ListRequest
    #: Paths of *contains* that lay in one that was told.
    met: set[str] = field(default_factory=set)

    def records(self) -> Iterator[Outcome]:
        """One outcome each; then what lay in none of them.

        Raises:
            DamagedRepository: when a ``.gitmodules`` does not parse.
            NotTrusted, NoIdentity, ExtraMissing: when something is to be changed, before it is.
        """
        self.request.check()
        yield from self._below(self.dataset, self.request.levels)
        for path in self.request.contains:
            if path not in self.met:
                yield _not_contained(self.dataset, path)

    def plan(self) -> Plan:
        """Which properties would change, and what cannot. Raises as `records` does."""
        self.request.check()
        return joined(self._plans(self.dataset, self.request.levels))

    def _plans(self, dataset: Dataset, levels: int | None) -> Iterator[Plan]:
        if levels is not None and levels <= 0:
            return
        recorded = submodules_of(dataset)
        chosen = [path for path, _ in subdatasets_in(dataset) if self._is_within(dataset, path)]
        meant = [recorded[path] for path in chosen if path in recorded and self._is_meant(dataset, path)]
        if meant:
            check_may_write(dataset)
        for module in meant:
            yield self._plan_of(dataset, module)
        for path in chosen:
            place = os.path.join(dataset.work_tree, os.fsdecode(path))
            if holds_repository(os.fsencode(place)):
                inner = open_dataset(place, dataset.around)
                yield from self._plans(inner, None if levels is None else levels - 1)

    def _plan_of(self, dataset: Dataset, module: Submodule) -> Plan:
        item = os.path.relpath(f"{dataset.work_tree}/{os.fsdecode(module.path)}", self.dataset.work_tree)
        facts = self._facts(dataset, module)
        steps, refused = [], []
        for name, given in self.request.properties:
            value, before = _filled(given, facts), module.properties.get(name.lower())
            if value != before:
                was = f", instead of {before}" if before is not None else ""
                steps.append(PlannedStep(action="set", item=item, why=f"{name} = {value}{was}"))
        for name in self.request.without:
            if name.lower() in module.properties:
                steps.append(PlannedStep(action="delete", item=item, why=f"{name}"))
            else:
                refused.append(PlannedStep(action="delete", item=item, why=f"it has no property {name}"))
        return Plan(steps=tuple(steps), refused=tuple(refused))

    def _below(self, dataset: Dataset, levels: int | None) -> Iterator[Outcome]:
        if levels is not None and levels <= 0:
            return
        recorded = submodules_of(dataset)
        chosen = [(path, oid) for path, oid in subdatasets_in(dataset) if self._is_within(dataset, path)]
        matching = [(path, oid) for path, oid in chosen if self._is_meant(dataset, path)]
        before = recorded
        if self.request.changes and matching:
            yield from self._change(dataset, [path for path, _ in matching], recorded)
            recorded = submodules_of(dataset)
        for path, oid in chosen:
            inner = self._inside(dataset, path, levels)
            if self.request.bottom_up:
                yield from inner
            if (path, oid) in matching:
                yield self._record(dataset, path, oid, recorded.get(path), before.get(path))
            if not self.request.bottom_up:
                yield from inner

    def _inside(self, dataset: Dataset, path: bytes, levels: int | None) -> Iterator[Outcome]:
        place = os.path.join(dataset.work_tree, os.fsdecode(path))
        if holds_repository(os.fsencode(place)):
            yield from self._below(open_dataset(place, dataset.around), None if levels is None else levels - 1)

    def _is_within(self, dataset: Dataset, path: bytes) -> bool:
        """Whether it, or something in it, can be meant."""
        top = os.path.relpath(dataset.work_tree, self.dataset.work_tree)
        full = path if top == "." else os.fsencode(top) + b"/" + path
        if not any(_is_in(full, scope) or _is_in(scope, full) for scope in self.request.scopes):
            return False
        place = f"{dataset.work_tree}/{os.fsdecode(path)}"
        return not self.request.contains or any(_lies_in(wanted, place) for wanted in self.request.contains)

    def _is_meant(self, dataset: Dataset, path: bytes) -> bool:
        present = holds_repository(os.path.join(os.fsencode(dataset.work_tree), path))
        return self.request.state in ("any", "present" if present else "absent")

    def _record(
        self, dataset: Dataset, path: bytes, oid: bytes, module: Submodule | None, before: Submodule | None
    ) -> DatasetOutcome:
        place = f"{dataset.work_tree}/{os.fsdecode(path)}"
        holds = tuple(wanted for wanted in self.request.contains if _lies_in(wanted, place))
        self.met.update(holds)
        present = holds_repository(os.fsencode(place))
        extra: tuple[tuple[str, Leaf | tuple[str, ...]], ...] = tuple(_properties(module).items())
        lacking = [name for name in self.request.without if before is None or name.lower() not in before.properties]
        item = os.path.relpath(place, self.dataset.work_tree)
        return DatasetOutcome(
            action="subdataset",
            item=item,
            status=Status.IMPOSSIBLE if lacking else Status.OK,
            message=f"{item} has no property {', '.join(lacking)} to take away." if lacking else "",
            error="ItemFailed" if lacking else "",
            remedy=f"See which it has: engram --json subdatasets {item}" if lacking else "",
            path=place,
            type="dataset",
            refds=self.dataset.work_tree,
            parentds=dataset.work_tree,
            state="present" if present else "absent",
            gitshasum=oid.hex(),
            extra=(("contains", holds), *extra) if holds else extra,
        )

    # --- properties

    def _change(self, dataset: Dataset, paths: list[bytes], recorded: Mapping[bytes, Submodule]) -> Iterator[Outcome]:
        """Write the properties of these subdatasets, and save the file that holds them."""
        check_may_write(dataset)
        place = os.path.join(dataset.work_tree, ".gitmodules")
        with only_engram(dataset.steps, dataset.git_dir):
            before = text = read_file(place, follow=False)
            for path in paths:
                if path in recorded:
                    text = self._with_properties(text, dataset, recorded[path])
            if text != before:
                durable.replace(dataset.steps, place, text, aside=private_folder(dataset.git_dir))
        request = SaveRequest(scopes=(b".gitmodules",), message=MESSAGE, refds=self.dataset.work_tree)
        yield from Saver(dataset, request).carry_out()

    def _with_properties(self, text: bytes, dataset: Dataset, module: Submodule) -> bytes:
        facts = self._facts(dataset, module)
        for name, value in self.request.properties:
            text = with_property(text, module.name, name, _filled(value, facts))
        for name in self.request.without:
            text = with_property(text, module.name, name, None)
        return text

    def _facts(self, dataset: Dataset, module: Submodule) -> dict[str, str]:
        """What a template can fill in."""
        place = f"{dataset.work_tree}/{os.fsdecode(module.path)}"
        relative = os.path.relpath(place, self.dataset.work_tree)
        return {
            **_properties(module),
            "path": place,
            "parentds": dataset.work_tree,
            "refds": self.dataset.work_tree,
            "refds_relpath": relative,
            "refds_relname": relative.replace("/", "-"),
        }


def subdatasets_in(dataset: Dataset) -> list[tuple[bytes, bytes]]:
    """Path and recorded commit of each subdataset, in the order of the index."""
    index = dataset.read_index()
    last = b""
    found = []
    for position, path in enumerate(index.paths):
        if index.mode(position) == SUBMODULE_MODE and path != last:
            found.append((path, index.oid(position)))
            last = path
    return found


def submodules_of(dataset: Dataset) -> dict[bytes, Submodule]:
    """What the ``.gitmodules`` of the work tree says of each subdataset, by path.

    Raises:
        DamagedRepository: when it does not parse, or is no regular file.
    """
    text = read_file(os.path.join(dataset.work_tree, ".gitmodules"), follow=False)
    return {module.path: module for module in read_gitmodules(text)}


def _properties(module: Submodule | None) -> dict[str, str]:
    """DataLad's fields for what ``.gitmodules`` says."""
    if module is None:
        return {}
    return {f"gitmodule_{name}": value for name, value in {"name": module.name, **module.properties}.items()}


def _filled(value: str, facts: Mapping[str, str]) -> str:
    """A value; one in ``<…>`` is a template. Only names are filled in: no expression is evaluated.

    >>> _filled("<http://host/{refds_relname}>", {"refds_relname": "a-b"})
    'http://host/a-b'
    """
    if not (value.startswith("<") and value.endswith(">")):
        return value
    unknown = [name for name in _PLACEHOLDER.findall(value) if name not in facts]
    if unknown:
        raise UsageError(f"{{{unknown[0]}}} is not known here.", f"Known are: {', '.join(sorted(facts))}.")
    return _PLACEHOLDER.sub(lambda match: facts[match[1]], value[1:-1])


def _is_in(path: bytes, scope: bytes) -> bool:
    return not scope or path == scope or path.startswith(scope + b"/")


def _lies_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


def _not_contained(dataset: Dataset, path: str) -> DatasetOutcome:
    return DatasetOutcome(
        action="subdataset",
        item=os.path.relpath(path, dataset.work_tree),
        status=Status.IMPOSSIBLE,
        path=path,
        type="",
        refds=dataset.work_tree,
        message=f"{os.path.relpath(path, dataset.work_tree)} lies in no subdataset that is meant here.",
        error="PathNotFound",
        remedy="See which there are: engram subdatasets -r",
    )
