"""Dataset verbs: every public operation on versioned datasets is one method here."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from engram.durable import Steps
from engram.model.errors import EngramError, UsageError
from engram.model.outcome import Outcome
from engram.workspace.context import Context
from engram.workspace.opening import Opening, after, item_of, refusals_told, told

if TYPE_CHECKING:
    from engram.datasets.arguments import Part
    from engram.datasets.dataset import Dataset
    from engram.datasets.saving.save import Saver
    from engram.model.plan import Plan


class _Wish(NamedTuple):
    updated: bool
    tag: str
    to_git: bool
    amend: bool
    jobs: int
    recursive: bool
    recursion_limit: int | None


class Datasets:
    """The dataset verbs, in one context. Paths are as the user typed them, relative to the context's folder."""

    def __init__(self, context: Context, *, steps: Steps | None = None) -> None:
        self._context = context
        self._opening = Opening(context, steps=steps)

    # --- create

    def create(
        self,
        path: str | None = None,
        *,
        dataset: str | None = None,
        procedures: Sequence[str] = (),
        force: bool = False,
        annex: bool = True,
        message: str | None = None,
        description: str | None = None,
        backend: str | None = None,
        init_options: Sequence[str] = (),
    ) -> Iterator[Outcome]:
        """Make a dataset, run *procedures* in it, and register it in *dataset* if that is given.

        Raises:
            TargetExists, NoIdentity, ExtraMissing, NoDataset: before anything is written.
        """
        from engram.workspace.creating import CreateWish, Creation

        wish = CreateWish(
            path=path or dataset or ".",
            superdataset=dataset if path else None,
            procedures=tuple(procedures),
            force=force,
            annex=annex,
            message=message or "",
            description=description or "",
            backend=backend or "",
            init_options=tuple(init_options),
        )
        with refusals_told():
            creation = Creation(self._opening, wish)
            creation.check()
        return told(creation.carry_out())

    def plan_create(
        self,
        path: str | None = None,
        *,
        dataset: str | None = None,
        procedures: Sequence[str] = (),
        force: bool = False,
        annex: bool = True,
        message: str | None = None,
        description: str | None = None,
        backend: str | None = None,
        init_options: Sequence[str] = (),
    ) -> "Plan":
        """What `create` would do. Raises as it does."""
        from engram.workspace.creating import CreateWish, Creation

        wish = CreateWish(
            path=path or dataset or ".",
            superdataset=dataset if path else None,
            procedures=tuple(procedures),
            force=force,
            annex=annex,
            message=message or "",
            description=description or "",
            backend=backend or "",
            init_options=tuple(init_options),
        )
        creation = Creation(self._opening, wish)
        creation.check()
        from engram.workspace.asked import asked_for

        return asked_for(creation.plan(), self.plan_create, self._context, locals())

    # --- save

    def save(
        self,
        paths: Sequence[str] = (),
        *,
        dataset: str | None = None,
        message: str | None = None,
        message_file: str | None = None,
        updated: bool = False,
        tag: str | None = None,
        to_git: bool = False,
        amend: bool = False,
        jobs: int | None = None,
        recursive: bool = False,
        recursion_limit: int | None = None,
    ) -> Iterator[Outcome]:
        """Record changes. Outcomes come once they are durable.

        Raises:
            NoDataset, PathNotFound, NoIdentity, NotTrusted, ExtraMissing, BadExpression: before anything is written.
        """
        wish = _Wish(updated, tag or "", to_git, amend, jobs or 0, recursive, recursion_limit)
        savers, problems = self._savers(paths, dataset, message, message_file, wish)
        for saver in savers:
            saver.check_tag()
        return after(problems, "save", chain.from_iterable(saver.carry_out() for saver in savers))

    def plan_save(
        self,
        paths: Sequence[str] = (),
        *,
        dataset: str | None = None,
        message: str | None = None,
        message_file: str | None = None,
        updated: bool = False,
        tag: str | None = None,
        to_git: bool = False,
        amend: bool = False,
        jobs: int | None = None,
        recursive: bool = False,
        recursion_limit: int | None = None,
    ) -> "Plan":
        """What `save` would do. Raises as it does."""
        wish = _Wish(updated, tag or "", to_git, amend, jobs or 0, recursive, recursion_limit)
        savers, problems = self._savers(paths, dataset, message, message_file, wish)
        for saver in savers:
            saver.check_tag()
        from engram.datasets.saving.planning import joined
        from engram.model.plan import PlannedStep
        from engram.workspace.asked import asked_for

        plan = joined([(saver.work_tree, saver.plan()) for saver in savers], savers[-1].work_tree)
        unknown = [PlannedStep(action="save", item=item_of(problem), why=problem.what) for problem in problems]
        tagged = [PlannedStep(action="tag", item=tag or "", why="this version")] * any(
            not one.has_tag() for one in savers
        )
        plan = replace(plan, steps=(*plan.steps, *tagged), refused=(*unknown, *plan.refused))
        return asked_for(plan, self.plan_save, self._context, locals())

    # --- status

    def status(
        self,
        paths: Sequence[str] = (),
        *,
        dataset: str | None = None,
        annex: str | None = None,
        untracked: str = "normal",
        evaluate_subdatasets: str = "full",
        recursive: bool = False,
        recursion_limit: int | None = None,
        report_clean: bool = True,
    ) -> Iterator[Outcome]:
        """What changed since the last save. Starts no program.

        Raises:
            NoDataset, PathNotFound: at once.
        """
        from engram.datasets.git.problems import NotUnderstood
        from engram.datasets.status import StatusReader, StatusRequest
        from engram.datasets.worktree import Untracked

        opened = self._opening.dataset(dataset)
        parts, problems = self._opening.parts(opened, paths, whole_subdatasets=dataset is None)
        request = StatusRequest(
            scopes=(b"",),
            annex=annex or "",
            untracked=Untracked(untracked),
            evaluate_subdatasets=evaluate_subdatasets,
            report_clean=report_clean,
            levels=recursion_limit if recursive else 0,
        )
        try:
            opened.check_format()
            with refusals_told():
                readers = [
                    StatusReader(part.dataset, replace(request, scopes=part.scopes), refds=opened.work_tree)
                    for part in reversed(parts)
                ]
            outcomes = chain.from_iterable(reader.read() for reader in readers)
        except NotUnderstood as problem:
            raise UsageError(
                f"engram cannot read {opened.work_tree} itself ({problem.reason}).",
                "Ask git: git status. Saving works: engram save hands it to git-annex.",
            ) from problem
        return after(problems, "status", outcomes)

    # --- trust

    def trust(self, dataset: str) -> Iterator[Outcome]:
        """Allow the programs that a dataset brings along, exactly as they are now, to run for this user."""
        from engram.workspace.trusting import trust

        return told(trust(self._opening.dataset(dataset), self._opening.around))

    def plan_trust(self, dataset: str) -> "Plan":
        """What `trust` would allow."""
        from engram.workspace.asked import only_looked_at
        from engram.workspace.trusting import plan_trust

        plan = plan_trust(self._opening.dataset(dataset), self._opening.around)
        return only_looked_at(plan, "trust", self._context)

    # --- arguments

    def _savers(
        self, paths: Sequence[str], dataset: str | None, message: str | None, message_file: str | None, wish: "_Wish"
    ) -> "tuple[list[Saver], list[EngramError]]":
        from engram.datasets.saving.save import Saver
        from engram.datasets.saving.survey import SaveRequest

        if wish.amend and wish.recursive:
            raise UsageError("--amend cannot reach into subdatasets (-r).", "Amend each dataset by itself, with -d.")
        opened = self._opening.dataset(dataset)
        parts, problems = self._opening.parts(opened, paths, whole_subdatasets=dataset is None)
        request = SaveRequest(
            scopes=(b"",),
            message=self._read_message(message, message_file),
            updated=wish.updated,
            tag=wish.tag,
            to_git=wish.to_git,
            amend=wish.amend,
            jobs=wish.jobs or self._context.settings.datasets_jobs,
            backend=self._context.settings.datasets_backend,
        )
        savers = []
        for part in self._with_records(opened, parts, recorded=dataset is not None):
            below = self._opening.subdatasets(*part, wish.recursion_limit) if wish.recursive else []
            inner = replace(request, refds=opened.work_tree, amend=False)
            savers += [Saver(one, inner, progress=self._context.progress) for one in below]
            outer = part.dataset.work_tree == opened.work_tree
            named = replace(request, scopes=part.scopes, refds="" if outer else opened.work_tree)
            savers.append(Saver(part.dataset, named, progress=self._context.progress))
        return savers, problems

    def _with_records(self, opened: "Dataset", parts: "list[Part]", *, recorded: bool) -> "list[Part]":
        """*parts*, the deepest first; if they are to be *recorded*, each subdataset's place in what holds it, too."""
        if not recorded:
            return parts
        from engram.datasets.arguments import with_records

        return with_records(opened, parts)

    def _read_message(self, message: str | None, message_file: str | None) -> str:
        if message and message_file:
            raise UsageError("A message and a file with one (-m and -F) were both given.", "Give one of them.")
        if not message_file:
            return message or ""
        place = os.path.join(self._context.folder, message_file)
        try:
            with open(place, encoding="utf-8", errors="surrogateescape") as file:
                return file.read()
        except OSError as error:
            raise UsageError(
                f"The message file {message_file} cannot be read ({error.strerror}).", "Check its name."
            ) from error
