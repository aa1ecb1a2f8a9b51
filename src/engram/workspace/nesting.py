"""Subdatasets: every public operation on them is one method here."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from engram.durable import Steps
from engram.model.outcome import Outcome
from engram.workspace.context import Context
from engram.workspace.opening import Opening, after, item_of

if TYPE_CHECKING:
    from engram.datasets.listing import Listing, ListRequest
    from engram.model.errors import EngramError
    from engram.model.plan import Plan


class Nesting:
    """What there is to know and to set about subdatasets. Paths are as the user typed them."""

    def __init__(self, context: Context, *, steps: Steps | None = None) -> None:
        self._context = context
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
        from engram.datasets.listing import ListRequest

        request = ListRequest(
            state=state,
            levels=recursion_limit if recursive else 1,
            contains=tuple(self._opening.place(path) for path in contains),
            bottom_up=bottom_up,
            properties=tuple(properties),
            without=tuple(without),
        )
        listing, problems = self._listing(paths, dataset, request)
        return after(problems, "subdataset", listing.records() if listing.request.scopes else iter(()))

    def plan_subdatasets(
        self,
        paths: Sequence[str] = (),
        *,
        dataset: str | None = None,
        state: str = "any",
        contains: Sequence[str] = (),
        properties: Sequence[tuple[str, str]] = (),
        without: Sequence[str] = (),
        recursive: bool = False,
        recursion_limit: int | None = None,
    ) -> "Plan":
        """Which properties `subdatasets` would set and take away. Raises as it does."""
        from engram.datasets.listing import ListRequest
        from engram.model.plan import Plan, PlannedStep
        from engram.workspace.asked import only_looked_at

        request = ListRequest(
            state=state,
            levels=recursion_limit if recursive else 1,
            contains=tuple(self._opening.place(path) for path in contains),
            properties=tuple(properties),
            without=tuple(without),
        )
        listing, problems = self._listing(paths, dataset, request)
        plan = listing.plan() if listing.request.scopes else Plan()
        unknown = [PlannedStep(action="set", item=item_of(problem), why=problem.what) for problem in problems]
        plan = replace(plan, refused=(*unknown, *plan.refused))
        return only_looked_at(plan, "subdatasets", self._context)

    def _listing(
        self, paths: Sequence[str], dataset: str | None, request: "ListRequest"
    ) -> "tuple[Listing, list[EngramError]]":
        from engram.datasets.listing import Listing

        opened = self._opening.dataset(dataset)
        scopes, problems = self._opening.scopes(opened, paths)
        request.check()
        return Listing(opened, replace(request, scopes=scopes)), problems
