"""Subdatasets: every public operation on them is one method here."""

from collections.abc import Iterator, Sequence

from engram.durable import Steps
from engram.model.outcome import Outcome
from engram.workspace.context import Context
from engram.workspace.opening import Opening, after


class Nesting:
    """What there is to know and to set about subdatasets. Paths are as the user typed them."""

    def __init__(self, context: Context, *, steps: Steps | None = None) -> None:
        self._opening = Opening(context, steps=steps)

    def subdatasets(
        self,
        paths: Sequence[str] = (),
        *,
        dataset: str | None = None,
        state: str = "any",
        contains: Sequence[str] = (),
        bottom_up: bool = False,
        properties: Sequence[tuple[str, str]] = (),
        without: Sequence[str] = (),
        recursive: bool = False,
        recursion_limit: int | None = None,
    ) -> Iterator[Outcome]:
        """The subdatasets, and what is recorded about each. Starts no program unless properties are changed.

        Raises:
            NoDataset, PathNotFound, UsageError: before anything is written.
        """
        from engram.datasets.listing import Listing, ListRequest

        opened = self._opening.dataset(dataset)
        scopes, problems = self._opening.scopes(opened, paths)
        request = ListRequest(
            scopes=scopes,
            state=state,
            levels=recursion_limit if recursive else 1,
            contains=tuple(self._opening.place(path) for path in contains),
            bottom_up=bottom_up,
            properties=tuple(properties),
            without=tuple(without),
        )
        request.check()
        return after(problems, "subdataset", Listing(opened, request).records() if scopes else iter(()))
