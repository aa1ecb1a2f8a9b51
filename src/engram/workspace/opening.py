"""What the user named, opened: a dataset, paths in it, its subdatasets."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engram.datasets.dataset import Dataset, Surroundings, open_dataset
from engram.datasets.git.objects import SUBMODULE_MODE
from engram.datasets.git.problems import MissingObject, NotUnderstood
from engram.durable import Steps
from engram.model.errors import (
    BrokenDataset,
    DamagedRepository,
    EngramError,
    NoDataset,
    NotADataset,
    NotInstalled,
    StorageFailed,
)
from engram.model.outcome import Outcome, failure
from engram.workspace.context import Context, trust_folder

if TYPE_CHECKING:
    from engram.datasets.arguments import Part

#: Instead of a path: the topmost superdataset of the current folder, and the dataset that holds it.
TOPMOST = "^"
HERE = "^."


class Opening:
    """Opens what one call names. Paths are as the user typed them, relative to the context's folder."""

    def __init__(self, context: Context, *, steps: Steps | None = None) -> None:
        self.context = context
        self.around = Surroundings(
            environment=context.environment,
            configuration=context.git_configuration,
            steps=steps or Steps(),
            trust_folder=trust_folder(context),
        )

    def dataset(self, dataset: str | None) -> Dataset:
        """The dataset that a ``-d`` names; without one that around the current folder.

        Raises `NoDataset`; `NotADataset` for a folder that only lies in one: else a typo would change the wrong one.
        """
        with refusals_told():
            if dataset == TOPMOST:
                from engram.datasets.nesting import topmost

                return topmost(open_dataset(self.context.folder, self.around))
            if dataset is None or dataset == HERE:
                return open_dataset(self.context.folder, self.around)
            return self._named(self.place(dataset))

    def _named(self, place: str) -> Dataset:
        try:
            found = open_dataset(place, self.around)
        except BrokenDataset:
            raise
        except NoDataset as error:
            raise NotADataset(place) from error
        if found.work_tree != place:
            raise _problem_of(place, found)
        return found

    def place(self, path: str) -> str:
        """The absolute path that a user means."""
        return os.path.normpath(os.path.join(self.context.folder, path))

    def scopes(self, dataset: Dataset, paths: Sequence[str]) -> tuple[tuple[bytes, ...], list[EngramError]]:
        """The parts of a dataset that *paths* name, all of it if there are none; and what is wrong with others.

        Raises the first problem, unless the user asked that unknown arguments be reported.
        """
        if not paths:
            return (b"",), []
        from engram.datasets.arguments import scopes_of

        with refusals_told():
            scopes, problems = scopes_of(dataset, self.context.folder, paths)
        if problems and not self.context.reports_unknown:
            raise problems[0]
        return scopes, problems

    def parts(
        self, dataset: Dataset, paths: Sequence[str], *, whole_subdatasets: bool
    ) -> "tuple[list[Part], list[EngramError]]":
        """What *paths* name of a dataset and of the subdatasets in it, the deepest first; and what is wrong.

        A subdataset's path means what is in it where it ends in a slash, or with *whole_subdatasets*; else its record.
        Raises the first problem, unless the user asked that unknown arguments be reported.
        """
        from engram.datasets.arguments import Part, parts_of

        if not paths:
            return [Part(dataset, (b"",))], []
        with refusals_told():
            parts, problems = parts_of(dataset, self.context.folder, paths, whole_subdatasets=whole_subdatasets)
        if problems and not self.context.reports_unknown:
            raise problems[0]
        return parts, problems

    def subdatasets(self, dataset: Dataset, scopes: Sequence[bytes], limit: int | None) -> list[Dataset]:
        """The installed subdatasets within *scopes*, the deepest first."""
        from engram.datasets.nesting import installed

        def within(path: bytes) -> bool:
            return any(not scope or path == scope or path.startswith(scope + b"/") for scope in scopes)

        return [one for one in installed(dataset, limit=limit) if within(dataset.relative(one.work_tree))]


def _problem_of(place: str, above: Dataset) -> NoDataset:
    """What is wrong with a folder in a dataset that was named as one itself."""
    try:
        position = above.read_index().find(above.relative(place))
    except (EngramError, NotUnderstood):
        return NotADataset(place)
    recorded = position is not None and above.read_index().mode(position) == SUBMODULE_MODE
    return NotInstalled(place) if recorded else NotADataset(place)


@contextmanager
def refusals_told() -> Iterator[None]:
    """What the system does not let this user do, and what git has lost, is no bug of ours."""
    try:
        yield
    except PermissionError as error:
        raise StorageFailed(os.fsdecode(error.filename or ""), error.strerror or "Permission denied") from error
    except MissingObject as error:
        raise DamagedRepository(str(error), "git has lost the object") from error


def told(outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    """The same outcomes, with `refusals_told` meanwhile."""
    with refusals_told():
        yield from outcomes


def after(problems: list[EngramError], action: str, outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    """The arguments that name nothing first, then what was done."""
    for problem in problems:
        yield failure(problem, action=action, item=item_of(problem))
    yield from told(outcomes)


def item_of(problem: EngramError) -> str:
    """What an error is about, as the user would type it."""
    return str(getattr(problem, "path", "."))
