"""Dataset verbs that let go: `drop` and `remove`."""

import os
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from engram.durable import Steps
from engram.model.errors import EngramError, NotDropped, UsageError
from engram.model.outcome import DatasetOutcome, Outcome, Status
from engram.model.plan import Plan, PlannedStep
from engram.workspace.asked import asked_for
from engram.workspace.context import Context
from engram.workspace.drop_wishes import DropWish, wish_of, wish_to_remove
from engram.workspace.opening import Opening, after, item_of, refusals_told

if TYPE_CHECKING:
    from engram.datasets.arguments import Part
    from engram.datasets.dataset import Dataset
    from engram.datasets.dropping.dropping import Dropper
    from engram.datasets.dropping.uninstalling import Uninstaller

#: DataLad's own message for a removal nobody described.
DEFAULT_MESSAGE = "[DATALAD] removed content"


class Dropping:
    """The dataset verbs that let go of something, in one context."""

    def __init__(self, context: Context, *, steps: Steps | None = None) -> None:
        self._context = context
        self._opening = Opening(context, steps=steps)

    # --- drop

    def drop(
        self,
        paths: Sequence[str] = (),
        *,
        dataset: str | None = None,
        what: str = "filecontent",
        reckless: str | None = None,
        recursive: bool = False,
        recursion_limit: int | None = None,
        jobs: int | None = None,
        only: Collection[str] | None = None,
    ) -> Iterator[Outcome]:
        """Let go of contents, or of whole datasets, once nothing is lost by it. Outcomes come when it is done.

        Args:
            only: of all this, what `plan_drop` called so.

        Raises:
            NoDataset, PathNotFound, NotTrusted, ExtraMissing, UsageError: before anything is written.
        """
        wish = wish_of(what, reckless, recursive, recursion_limit, jobs=1 if jobs is None else jobs)
        wish = replace(wish, only=only)
        if dataset and not paths and wish.whole and self._is_half_wiped(dataset):
            return self._finish(self._opening.place(dataset))
        opened, parts, problems = self._open(paths, dataset, wish)
        return after(problems, "drop", self._carry_out(opened, parts, wish))

    def plan_drop(
        self,
        paths: Sequence[str] = (),
        *,
        dataset: str | None = None,
        what: str = "filecontent",
        reckless: str | None = None,
        recursive: bool = False,
        recursion_limit: int | None = None,
        jobs: int | None = None,
    ) -> Plan:
        """What `drop` would do. Raises as it does."""
        wish = wish_of(what, reckless, recursive, recursion_limit, jobs=1 if jobs is None else jobs)
        opened, parts, problems = self._open(paths, dataset, wish)
        unknown = tuple(PlannedStep(action="drop", item=item_of(one), why=one.what) for one in problems)
        with refusals_told():
            plan = _joined([Plan(refused=unknown), self._plan(opened, parts, wish)])
        return asked_for(plan, self.plan_drop, self._context, locals())

    def doomed(
        self,
        paths: Sequence[str] = (),
        *,
        dataset: str | None = None,
        what: str = "filecontent",
        reckless: str | None = None,
        recursive: bool = False,
        recursion_limit: int | None = None,
    ) -> tuple[str, ...]:
        """The places of the datasets that `drop` would remove from this machine. Raises as it does."""
        wish = wish_of(what, reckless, recursive, recursion_limit)
        if not wish.whole or (dataset and not paths and self._is_half_wiped(dataset)):
            return ()
        _, parts, _ = self._open(paths, dataset, wish)
        datasets = (one for part in parts for one, scopes in self._datasets(part, wish) if b"" in scopes)
        return tuple(one.work_tree for one in datasets)

    # --- remove

    def remove(
        self,
        paths: Sequence[str] = (),
        *,
        dataset: str | None = None,
        drop: str = "datasets",
        reckless: str | None = None,
        message: str | None = None,
        jobs: int | None = None,
    ) -> Iterator[Outcome]:
        """Remove files, folders and whole datasets, and record that. Outcomes come when it is durable.

        Raises:
            NoDataset, PathNotFound, NoIdentity, NotTrusted, ExtraMissing, UsageError: before anything is written.
        """
        wish = wish_to_remove(paths, dataset, drop, reckless, jobs=1 if jobs is None else jobs)
        if dataset and not paths and self._is_half_wiped(dataset):
            return self._finish(self._opening.place(dataset))
        opened, parts, problems = self._open(paths, dataset, wish)
        if not paths:
            return after(problems, "remove", self._carry_out(opened, parts, wish))
        records, _ = self._opening.parts(opened, _without_slashes(paths), whole_subdatasets=False)
        opened.identity("author", now_s=time.time())  # before anything is deleted
        from engram.datasets.dropping.removing import check_can_record

        for part in records:
            check_can_record(part.dataset)
        removing = self._remove(opened, parts, records, wish, message=message or DEFAULT_MESSAGE)
        return after(problems, "remove", removing)

    def plan_remove(
        self,
        paths: Sequence[str] = (),
        *,
        dataset: str | None = None,
        drop: str = "datasets",
        reckless: str | None = None,
        message: str | None = None,
        jobs: int | None = None,
    ) -> Plan:
        """What `remove` would do. Raises as it does."""
        wish = wish_to_remove(paths, dataset, drop, reckless, jobs=1 if jobs is None else jobs)
        opened, parts, problems = self._open(paths, dataset, wish)
        unknown = tuple(PlannedStep(action="remove", item=item_of(one), why=one.what) for one in problems)
        with refusals_told():
            dropped = self._plan(opened, parts, wish)
            removed = self._plan_removal(opened, _without_slashes(paths), wish) if paths else Plan()
        saved = PlannedStep(action="save", item=".", why=message or DEFAULT_MESSAGE)
        stops = (*unknown, *dropped.refused, *removed.refused)
        if dropped.refused or removed.refused:
            stays = tuple(replace(step, why="something that is to go with it may not") for step in removed.steps)
            plan = Plan(refused=(*stops, *stays))
        else:
            steps = (*removed.steps, saved) if paths else ()
            plan = Plan(steps=(*dropped.steps, *steps), refused=stops)
        return asked_for(plan, self.plan_remove, self._context, locals())

    def _plan_removal(self, opened: "Dataset", paths: Sequence[str], wish: DropWish) -> Plan:
        from engram.datasets.dropping.removing import plan_to_take_away

        records, _ = self._opening.parts(opened, paths, whole_subdatasets=False)
        looks, refds = wish.reckless not in ("modification", "kill"), opened.work_tree
        return _joined([plan_to_take_away(one, scopes, looks=looks, refds=refds) for one, scopes in records])

    # --- what both need

    def _open(
        self, paths: Sequence[str], dataset: str | None, wish: DropWish
    ) -> "tuple[Dataset, list[Part], list[EngramError]]":
        opened = self._opening.dataset(dataset)
        parts, problems = self._opening.parts(opened, paths, whole_subdatasets=wish.whole or dataset is None)
        if wish.whole:
            _check_not_inside(self._context.folder, parts)
        return opened, parts, problems

    def _datasets(self, part: "Part", wish: DropWish) -> "Iterator[tuple[Dataset, tuple[bytes, ...]]]":
        """The datasets that are meant, the deepest first, and what of each."""
        if wish.recursive:
            for inner in self._opening.subdatasets(part.dataset, part.scopes, wish.limit):
                yield inner, (b"",)
        yield part.dataset, part.scopes

    def _carry_out(self, opened: "Dataset", parts: "list[Part]", wish: DropWish) -> Iterator[Outcome]:
        for part in parts:
            for one, scopes in self._datasets(part, wish):
                whole = b"" in scopes and wish.whole and wish.only is not None
                if whole and os.path.relpath(one.work_tree, opened.work_tree) not in (wish.only or ()):
                    continue
                if os.path.isdir(one.work_tree):
                    yield from self._let_go(one, scopes, wish, refds=opened.work_tree)

    def _let_go(self, one: "Dataset", scopes: tuple[bytes, ...], wish: DropWish, *, refds: str) -> Iterator[Outcome]:
        """Drop from one dataset, or drop it."""
        inner = refds if one.work_tree != refds else ""
        if wish.whole:
            yield from self._finish_inside(one, scopes)
        if b"" in scopes and wish.whole:
            yield from self._uninstaller(one, wish, inner).carry_out()
            return
        if refusal := _refusal(one, scopes, wish):
            yield _failure(refusal, refds, wish)
        elif wish.what == "datasets":
            yield from self._dropper(one, scopes, wish, inner).unsaved()
        else:
            for outcome in self._dropper(one, scopes, wish, inner).carry_out():
                yield _hinting(outcome, one, wish)

    def _dropper(self, one: "Dataset", scopes: tuple[bytes, ...], wish: DropWish, refds: str) -> "Dropper":
        from engram.datasets.dropping.dropping import Dropper, DropRequest

        request = DropRequest(
            scopes=scopes,
            all_keys=wish.what == "allkeys",
            ignores_changes=wish.reckless in ("modification", "kill"),
            ignores_copies=wish.reckless in ("availability", "kill"),
            jobs=wish.jobs,
            only=wish.only,
            refds=refds,
        )
        return Dropper(one, request, progress=self._context.progress)

    def _uninstaller(self, one: "Dataset", wish: DropWish, refds: str) -> "Uninstaller":
        from engram.datasets.dropping.uninstalling import Uninstaller, UninstallRequest

        request = UninstallRequest(
            ignores_changes=wish.reckless == "modification",
            ignores_copies=wish.reckless == "availability",
            ignores_siblings=wish.reckless == "undead",
            kill=wish.kills,
            jobs=wish.jobs,
            refds=refds,
        )
        return Uninstaller(one, request, progress=self._context.progress)

    def _plan(self, opened: "Dataset", parts: "list[Part]", wish: DropWish) -> Plan:
        plans: list[Plan] = []
        gone: set[str] = set()
        for part in parts:
            for one, scopes in self._datasets(part, wish):
                inner = opened.work_tree if one.work_tree != opened.work_tree else ""
                if b"" in scopes and wish.whole:
                    plans.append(self._uninstaller(one, wish, inner).plan(gone=frozenset(gone)))
                    gone.add(one.work_tree)
                elif refusal := _refusal(one, scopes, wish, gone=gone):
                    step = PlannedStep(
                        action="drop", item=os.path.relpath(one.work_tree, opened.work_tree), why=refusal.what
                    )
                    plans.append(Plan(refused=(step,)))
                elif wish.what != "datasets":
                    plans.append(self._dropper(one, scopes, wish, inner).plan())
        return _joined(plans)

    def _remove(
        self, opened: "Dataset", parts: "list[Part]", records: "list[Part]", wish: DropWish, *, message: str
    ) -> Iterator[Outcome]:
        from engram.datasets.arguments import with_records
        from engram.datasets.dropping.removing import take_away, to_record
        from engram.datasets.saving.save import Saver
        from engram.datasets.saving.survey import SaveRequest

        failed = False
        for outcome in self._carry_out(opened, parts, wish):
            failed = failed or outcome.failed
            yield outcome
        for part in () if failed else records:
            looks = wish.reckless not in ("modification", "kill")
            for outcome in take_away(part.dataset, part.scopes, looks=looks, refds=opened.work_tree):
                failed = failed or outcome.failed
                yield outcome
        for part in () if failed else with_records(opened, records):
            refds = opened.work_tree if part.dataset.work_tree != opened.work_tree else ""
            scopes = to_record(part.dataset, part.scopes)
            request = SaveRequest(scopes=scopes, message=message, jobs=wish.jobs, refds=refds)
            for outcome in Saver(part.dataset, request, progress=self._context.progress).carry_out():
                yield replace(outcome, action="remove") if outcome.action == "delete" else outcome

    # --- removals that were interrupted

    def _is_half_wiped(self, dataset: str) -> bool:
        from engram.datasets.dropping.uninstalling import is_half_wiped

        return is_half_wiped(self._opening.place(dataset))

    def _finish(self, place: str) -> Iterator[Outcome]:
        """Go on with the removal of a dataset that was interrupted."""
        from engram.datasets.dropping.uninstalling import finish_wiping

        finish_wiping(self._opening.around.steps, place, keep_folder=False)
        yield _uninstalled(place)

    def _finish_inside(self, one: "Dataset", scopes: tuple[bytes, ...]) -> Iterator[Outcome]:
        from engram.datasets.dropping.uninstalling import finish_wiping, is_half_wiped, recorded_subdatasets

        for place in recorded_subdatasets(one, scopes):
            if is_half_wiped(place):
                finish_wiping(one.steps, place, keep_folder=True)
                yield _uninstalled(place)


def _places(part: "Part") -> Iterator[str]:
    for scope in part.scopes:
        yield os.path.join(part.dataset.work_tree, os.fsdecode(scope)) if scope else part.dataset.work_tree


def _check_not_inside(folder: str, parts: "list[Part]") -> None:
    """Refuse to remove the ground under the user's feet."""
    here = os.path.realpath(folder) + "/"
    for place in (place for part in parts for place in _places(part)):
        if here.startswith(os.path.realpath(place) + "/"):
            raise UsageError(
                "refuse to perform actions that would remove the current working directory.",
                f"Leave it first: cd {os.path.dirname(place)}",
            )


def _refusal(
    one: "Dataset", scopes: tuple[bytes, ...], wish: DropWish, *, gone: "set[str] | frozenset[str]" = frozenset()
) -> NotDropped | None:
    """Why nothing of one dataset is dropped, whatever it holds."""
    from engram.datasets.dropping.uninstalling import present_subdatasets, subdatasets_present

    if wish.what == "allkeys" and b"" not in scopes:
        named = ", ".join(os.fsdecode(scope) for scope in scopes)
        return NotDropped(
            one.work_tree, f"cannot drop allkeys, with path constraints given: {named}", "Name no paths with it."
        )
    if wish.what == "datasets" and not wish.kills:
        there = [place for place in present_subdatasets(one, scopes) if place not in gone]
        return subdatasets_present(one.work_tree, there)
    return None


def _failure(refusal: NotDropped, refds: str, wish: DropWish) -> DatasetOutcome:
    return DatasetOutcome(
        action="uninstall" if wish.whole else "drop",
        item=os.path.relpath(refusal.path, refds),
        status=Status.ERROR if wish.whole else Status.IMPOSSIBLE,
        path=refusal.path,
        type="dataset",
        refds=refds,
        message=refusal.what,
        error=type(refusal).__name__,
        remedy=refusal.next_step,
    )


def _hinting(outcome: Outcome, one: "Dataset", wish: DropWish) -> Outcome:
    """Tell who wanted datasets dropped, and named a folder that only holds some, what to add."""
    from engram.datasets.dropping.uninstalling import present_subdatasets

    if wish.what != "all" or wish.recursive or outcome.failed:
        return outcome
    if not isinstance(outcome, DatasetOutcome) or outcome.type != "directory":
        return outcome
    there = present_subdatasets(one, (one.relative(outcome.path),))
    if not there:
        return outcome
    hint = f"the {len(there)} subdatasets in it go with -r" if there[1:] else "the subdataset in it goes with -r"
    return replace(outcome, note="; ".join(filter(None, (outcome.note, hint))))


def _uninstalled(place: str) -> DatasetOutcome:
    return DatasetOutcome(
        action="uninstall", item=place, status=Status.OK, path=place, type="dataset", note="a removal was interrupted"
    )


def _joined(plans: Sequence[Plan]) -> Plan:
    return Plan(
        steps=tuple(chain.from_iterable(plan.steps for plan in plans)),
        refused=tuple(chain.from_iterable(plan.refused for plan in plans)),
    )


def _without_slashes(paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(path.rstrip("/") or path for path in paths)
