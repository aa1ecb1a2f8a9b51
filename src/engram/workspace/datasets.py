"""Dataset verbs: every public operation on versioned datasets is one method here."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from engram.datasets.dataset import Dataset, Surroundings, open_dataset
from engram.durable import Steps
from engram.model.errors import EngramError, StorageFailed, UsageError
from engram.model.outcome import Outcome, failure
from engram.workspace.context import Context, trust_folder

if TYPE_CHECKING:
    from engram.datasets.save import Saver
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
        self._around = Surroundings(
            environment=context.environment,
            configuration=context.git_configuration,
            steps=steps or Steps(),
            trust_folder=trust_folder(context),
        )

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
        with _refusals_told():
            creation = Creation(self._context, self._around, wish)
            creation.check()
        return _told(creation.carry_out())

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
        creation = Creation(self._context, self._around, wish)
        creation.check()
        return creation.plan()

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
        return _after(problems, "save", chain.from_iterable(saver.carry_out() for saver in savers))

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
        from engram.model.plan import Plan, PlannedStep

        plans = [saver.plan() for saver in savers]
        unknown = [PlannedStep(action="save", item=_item(problem), why=problem.what) for problem in problems]
        refused = (*unknown, *chain.from_iterable(plan.refused for plan in plans))
        return Plan(steps=tuple(chain.from_iterable(plan.steps for plan in plans)), refused=refused)

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

        opened = self._open(dataset)
        scopes, problems = self._scopes(opened, paths)
        request = StatusRequest(
            scopes=scopes,
            annex=annex or "",
            untracked=Untracked(untracked),
            evaluate_subdatasets=evaluate_subdatasets,
            report_clean=report_clean,
            levels=recursion_limit if recursive else 0,
        )
        try:
            opened.check_format()
            with _refusals_told():
                outcomes: Iterator[Outcome] = StatusReader(opened, request).read() if scopes else iter(())
        except NotUnderstood as problem:
            raise UsageError(
                f"engram cannot read {opened.work_tree} itself ({problem.reason}).",
                "Ask git: git status. Saving works: engram save hands it to git-annex.",
            ) from problem
        return _after(problems, "status", outcomes)

    # --- trust

    def trust(self, dataset: str) -> Iterator[Outcome]:
        """Allow the programs that a dataset brings along, exactly as they are now, to run for this user."""
        from engram.workspace.trusting import trust

        return _told(trust(self._open(dataset), self._around))

    # --- arguments

    def _subdatasets(self, dataset: Dataset, scopes: Sequence[bytes], limit: int | None) -> list[Dataset]:
        """The installed subdatasets within *scopes*, the deepest first."""
        from engram.datasets.nesting import installed

        def within(path: bytes) -> bool:
            return any(not scope or path == scope or path.startswith(scope + b"/") for scope in scopes)

        return [one for one in installed(dataset, limit=limit) if within(dataset.relative(one.work_tree))]

    def _open(self, dataset: str | None) -> Dataset:
        folder = self._context.folder
        place = os.path.normpath(os.path.join(folder, dataset)) if dataset is not None else folder
        with _refusals_told():
            return open_dataset(place, self._around)

    def _scopes(self, dataset: Dataset, paths: Sequence[str]) -> tuple[tuple[bytes, ...], list[EngramError]]:
        if not paths:
            return (b"",), []
        from engram.datasets.arguments import scopes_of

        with _refusals_told():
            scopes, problems = scopes_of(dataset, self._context.folder, paths)
        if problems and not self._context.reports_unknown:
            raise problems[0]
        return scopes, problems

    def _savers(
        self, paths: Sequence[str], dataset: str | None, message: str | None, message_file: str | None, wish: "_Wish"
    ) -> "tuple[list[Saver], list[EngramError]]":
        from engram.datasets.save import Saver
        from engram.datasets.survey import SaveRequest

        opened = self._open(dataset)
        scopes, problems = self._scopes(opened, paths)
        request = SaveRequest(
            scopes=scopes or (b"",),
            message=self._read_message(message, message_file),
            updated=wish.updated,
            tag=wish.tag,
            to_git=wish.to_git,
            amend=wish.amend,
            jobs=wish.jobs or self._context.settings.datasets_jobs,
            backend=self._context.settings.datasets_backend,
        )
        if not scopes:
            return [], problems
        inner = replace(request, scopes=(b"",), refds=opened.work_tree, amend=False)
        below = self._subdatasets(opened, scopes, wish.recursion_limit) if wish.recursive else []
        savers = [Saver(one, inner, progress=self._context.progress) for one in below]
        return [*savers, Saver(opened, request, progress=self._context.progress)], problems

    def _read_message(self, message: str | None, message_file: str | None) -> str:
        if message and message_file:
            raise UsageError("A message and a message file were both given.", "Give one of them.")
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


@contextmanager
def _refusals_told() -> Iterator[None]:
    """What the system does not let this user do is no bug of ours."""
    try:
        yield
    except PermissionError as error:
        raise StorageFailed(os.fsdecode(error.filename or ""), error.strerror or "Permission denied") from error


def _told(outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    with _refusals_told():
        yield from outcomes


def _after(problems: list[EngramError], action: str, outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    """The arguments that name nothing first, then what was done."""
    for problem in problems:
        yield failure(problem, action=action, item=_item(problem))
    yield from _told(outcomes)


def _item(problem: EngramError) -> str:
    return str(getattr(problem, "path", "."))
