"""Differences between states of a dataset."""

from collections.abc import Iterator, Sequence

from engram.durable import Steps
from engram.model.errors import UsageError
from engram.model.outcome import Outcome
from engram.workspace.context import Context
from engram.workspace.opening import Opening, after


class Comparing:
    """What differs between two states of a dataset. Paths are as the user typed them."""

    def __init__(self, context: Context, *, steps: Steps | None = None) -> None:
        self._opening = Opening(context, steps=steps)

    def diff(
        self,
        paths: Sequence[str] = (),
        *,
        dataset: str | None = None,
        before: str = "HEAD",
        later: str | None = None,
        annex: str | None = None,
        untracked: str = "normal",
        recursive: bool = False,
        recursion_limit: int | None = None,
        report_clean: bool = True,
    ) -> Iterator[Outcome]:
        """What differs between two states; *later*: ``None`` for the work tree as it is now.

        A path need not be there now: it may have been in one of the two.

        Raises:
            NoDataset, NoSuchVersion, OutsideDataset: at once.
        """
        from engram.datasets.diffing import Diff, DiffRequest
        from engram.datasets.git.problems import NotUnderstood
        from engram.datasets.status import StatusRequest
        from engram.datasets.worktree import Untracked

        opened = self._opening.dataset(dataset)
        status = StatusRequest(
            scopes=tuple(opened.relative(self._opening.place(path)) for path in paths) or (b"",),
            annex=annex or "",
            untracked=Untracked(untracked),
            report_clean=report_clean,
            levels=recursion_limit if recursive else 0,
        )
        try:
            opened.check_format()
            outcomes = Diff(opened, DiffRequest(before=before, after=later or "", status=status)).read()
        except NotUnderstood as problem:
            raise UsageError(
                f"engram cannot read {opened.work_tree} itself ({problem.reason}).", "Ask git: git diff"
            ) from problem
        return after([], "diff", outcomes)
