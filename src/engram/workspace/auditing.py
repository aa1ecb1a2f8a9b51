"""Auditing: where contents are, how many copies are wanted, what is unused, what is sound. One method each."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from engram.durable import Steps
from engram.model.errors import NotAKey, UsageError
from engram.model.outcome import Outcome
from engram.workspace.asked import asked_for
from engram.workspace.context import Context
from engram.workspace.opening import Opening, after, item_of, refusals_told, told

if TYPE_CHECKING:
    from engram.datasets.auditing.drop_unused import UnusedDropper
    from engram.datasets.auditing.fsck import Fsck
    from engram.datasets.dataset import Dataset
    from engram.model.errors import EngramError
    from engram.model.plan import Plan


class Custody:
    """Tells about the contents of datasets. Paths are as the user typed them, relative to the context's folder."""

    def __init__(self, context: Context, *, steps: Steps | None = None) -> None:
        self._context = context
        self._opening = Opening(context, steps=steps)

    # --- where

    def whereis(
        self,
        paths: Sequence[str] = (),
        *,
        dataset: str | None = None,
        keys: Sequence[str] = (),
        all_keys: bool = False,
        unused: bool = False,
        recursive: bool = False,
        recursion_limit: int | None = None,
    ) -> Iterator[Outcome]:
        """Which repositories hold the content of each file, or of each of *keys*.

        Raises:
            NoDataset, PathNotFound, NotAKey, UsageError: at once.
        """
        from engram.datasets.auditing.whereis import WhereisReader, WhereisRequest

        opened, chosen = self._keys(dataset, paths, keys, all_keys=all_keys, unused=unused)
        if chosen is not None:
            request = WhereisRequest(keys=chosen, all_keys=all_keys)
            with _readable(opened):
                readers = [WhereisReader(opened, request)]
            return told(chain.from_iterable(_read(opened, reader.read()) for reader in readers))
        places, problems = self._places(opened, paths, recursive, recursion_limit)
        outcomes = chain.from_iterable(
            _read(one, WhereisReader(one, WhereisRequest(scopes=scopes), refds=opened.work_tree).read())
            for one, scopes in places
        )
        return after(problems, "whereis", outcomes)

    # --- how many

    def numcopies(self, number: int | None = None, *, dataset: str | None = None) -> Iterator[Outcome]:
        """How many copies are wanted; with a *number*, that from now on.

        Raises:
            NoDataset, UsageError, NotTrusted, NoIdentity, ExtraMissing: before anything is written.
        """
        from engram.datasets.auditing.numcopies import Numcopies

        numcopies = Numcopies(self._opening.dataset(dataset))
        with refusals_told():
            return iter([numcopies.read() if number is None else numcopies.change(number)])

    def plan_numcopies(self, number: int, *, dataset: str | None = None) -> "Plan":
        """What `numcopies` would change. Raises as it does."""
        from engram.datasets.auditing.numcopies import Numcopies
        from engram.model.plan import Plan, PlannedStep

        why = Numcopies(self._opening.dataset(dataset)).planned(number)
        steps = (PlannedStep(action="set", item=f"numcopies {number}", why=why, ground=why),) if why else ()
        return asked_for(Plan(steps=steps), self.plan_numcopies, self._context, locals())

    # --- what for

    def unused(
        self, *, dataset: str | None = None, fast: bool = False, used_refspec: str | None = None
    ) -> Iterator[Outcome]:
        """What the annex holds and no version uses any more, numbered.

        Raises:
            NoDataset, UsageError, NotTrusted, ExtraMissing: before anything is written.
        """
        from engram.datasets.auditing.unused import UnusedFinder, UnusedRequest

        opened = self._opening.dataset(dataset)
        finder = UnusedFinder(opened, UnusedRequest(fast=fast, used_refspec=used_refspec or ""))
        return told(finder.read())

    def dropunused(
        self,
        numbers: Sequence[str],
        *,
        dataset: str | None = None,
        force: bool = False,
        only: Collection[str] | None = None,
    ) -> Iterator[Outcome]:
        """Drop what `unused` has numbered: numbers, ranges (``3-9``), ``all``. Outcomes come once they are durable.

        Args:
            only: of all these, the keys that `plan_dropunused` named.

        Raises:
            NoDataset, UsageError, NotTrusted, ExtraMissing: before anything is dropped.
        """
        return told(self._unused_dropper(numbers, dataset, force=force, only=only).carry_out())

    def plan_dropunused(self, numbers: Sequence[str], *, dataset: str | None = None, force: bool = False) -> "Plan":
        """What `dropunused` would do. Raises as it does."""
        with refusals_told():
            plan = self._unused_dropper(numbers, dataset, force=force).plan()
        return asked_for(plan, self.plan_dropunused, self._context, locals())

    def _unused_dropper(
        self, numbers: Sequence[str], dataset: str | None, *, force: bool, only: Collection[str] | None = None
    ) -> "UnusedDropper":
        from engram.datasets.auditing.drop_unused import DropUnusedRequest, UnusedDropper

        if not numbers:
            raise UsageError("Which of them?", "Give numbers that engram unused has shown, as 1 3-9, or all.")
        request = DropUnusedRequest(numbers=tuple(numbers), force=force, only=only)
        return UnusedDropper(self._opening.dataset(dataset), request, progress=self._context.progress)

    # --- how well

    def fsck(
        self,
        paths: Sequence[str] = (),
        *,
        dataset: str | None = None,
        full: bool = False,
        keys: Sequence[str] = (),
        all_keys: bool = False,
        unused: bool = False,
        jobs: int | None = None,
        recursive: bool = False,
        recursion_limit: int | None = None,
        count_sound: Callable[[], None] | None = None,
    ) -> Iterator[Outcome]:
        """Find what is wrong with contents, mend what can be mended. Outcomes come once they are durable.

        Args:
            count_sound: called for each file that *full* finds to be sound, instead of an outcome that says so: for
                who only counts them.

        Raises:
            NoDataset, PathNotFound, NotAKey, NotTrusted, NoIdentity, ExtraMissing, UsageError: before anything is
            written.
        """
        checks, problems = self._checks(
            paths,
            dataset,
            keys,
            full=full,
            all_keys=all_keys,
            unused=unused,
            jobs=jobs,
            levels=(recursive, recursion_limit),
            count_sound=count_sound,
        )
        return after(problems, "fsck", chain.from_iterable(check.carry_out() for check in checks))

    def plan_fsck(
        self,
        paths: Sequence[str] = (),
        *,
        dataset: str | None = None,
        full: bool = False,
        keys: Sequence[str] = (),
        all_keys: bool = False,
        unused: bool = False,
        jobs: int | None = None,
        recursive: bool = False,
        recursion_limit: int | None = None,
    ) -> "Plan":
        """What `fsck` would mend; reads as much as it does. Raises as it does."""
        from engram.model.plan import Plan, PlannedStep

        checks, problems = self._checks(
            paths,
            dataset,
            keys,
            full=full,
            all_keys=all_keys,
            unused=unused,
            jobs=jobs,
            levels=(recursive, recursion_limit),
        )
        with refusals_told():
            plans = [check.plan() for check in checks]
        unknown = [PlannedStep(action="fsck", item=item_of(problem), why=problem.what) for problem in problems]
        joined = Plan(
            steps=tuple(chain.from_iterable(plan.steps for plan in plans)),
            refused=(*unknown, *chain.from_iterable(plan.refused for plan in plans)),
        )
        return asked_for(joined, self.plan_fsck, self._context, locals())

    def _checks(
        self,
        paths: Sequence[str],
        dataset: str | None,
        keys: Sequence[str],
        *,
        full: bool,
        all_keys: bool,
        unused: bool,
        jobs: int | None,
        levels: tuple[bool, int | None],
        count_sound: Callable[[], None] | None = None,
    ) -> "tuple[list[Fsck], list[EngramError]]":
        from engram.datasets.auditing.fsck import Fsck, FsckRequest

        opened, chosen = self._keys(dataset, paths, keys, all_keys=all_keys, unused=unused)
        number = jobs or self._context.settings.datasets_jobs
        progress = self._context.progress
        if chosen is not None:
            request = FsckRequest(keys=chosen, all_keys=all_keys, full=full, jobs=number)
            return [Fsck(opened, request, progress=progress)], []
        places, problems = self._places(opened, paths, *levels)
        request = FsckRequest(full=full, jobs=number, refds=opened.work_tree, count_sound=count_sound)
        checks = [
            Fsck(one, replace(request, scopes=scopes), progress=progress)
            for one, scopes in places
            if one is opened or one.has_annex or one.wants_annex
        ]
        return checks, problems

    # --- what is meant

    def _keys(
        self, dataset: str | None, paths: Sequence[str], keys: Sequence[str], *, all_keys: bool, unused: bool
    ) -> "tuple[Dataset, tuple[bytes, ...] | None]":
        """The dataset, and the keys that were named instead of files; ``None`` when files are meant."""
        opened = self._opening.dataset(dataset)
        if not (keys or all_keys or unused):
            return opened, None
        if paths:
            raise UsageError("Either paths or keys can be meant, not both.", "Leave out the paths, or the keys.")
        return opened, (*map(_parsed, keys), *(_unused_keys(opened) if unused else ()))

    def _places(
        self, opened: "Dataset", paths: Sequence[str], recursive: bool, limit: int | None
    ) -> "tuple[list[tuple[Dataset, tuple[bytes, ...]]], list[EngramError]]":
        """What *paths* name, dataset by dataset from the outermost in."""
        with refusals_told():
            parts, problems = self._opening.parts(opened, paths, whole_subdatasets=True)
            places: list[tuple[Dataset, tuple[bytes, ...]]] = []
            for part in reversed(parts):
                places.append((part.dataset, part.scopes))
                if recursive:
                    below = self._opening.subdatasets(part.dataset, part.scopes, limit)
                    places += [(inner, (b"",)) for inner in reversed(below)]
        return places, problems


def _parsed(key: str) -> bytes:
    from engram.model.keys import normal_form

    parsed = normal_form(key.encode(errors="surrogateescape"))
    if parsed is None:
        raise NotAKey(key)
    return parsed


def _unused_keys(dataset: "Dataset") -> tuple[bytes, ...]:
    from engram.datasets.annex.inventory import read_list

    listed = read_list(dataset.git_dir, "unused")
    if not listed:
        raise UsageError("Nothing is listed as unused.", "See what is unused now: engram unused")
    return tuple(line.key for line in listed.values())


@contextmanager
def _readable(dataset: "Dataset") -> Iterator[None]:
    """What only git can read is named as such."""
    from engram.datasets.git.problems import MissingObject, NotUnderstood

    with refusals_told():
        try:
            yield
        except (NotUnderstood, MissingObject) as problem:
            reason = problem.reason if isinstance(problem, NotUnderstood) else f"object {problem} is missing"
            raise UsageError(
                f"engram cannot read {dataset.work_tree} itself ({reason}).", "Ask git-annex: git annex whereis"
            ) from problem


def _read(dataset: "Dataset", outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    with _readable(dataset):
        yield from outcomes
