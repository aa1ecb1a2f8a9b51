"""Getting: bring contents, and the subdatasets on the way to them, here. Each operation is one method."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from engram.durable import Steps
from engram.model.errors import PathNotFound, RequestRefused, UsageError
from engram.model.outcome import DatasetOutcome, Outcome, Status, failure
from engram.workspace.context import Context
from engram.workspace.opening import Opening, refusals_told, told

if TYPE_CHECKING:
    from engram.datasets.copying.getting import Getter
    from engram.datasets.copying.reaching import Reach
    from engram.datasets.dataset import Dataset
    from engram.datasets.provenance.procedures import Procedure
    from engram.model.plan import Plan

#: Instead of a number of levels: only subdatasets that are installed already.
EXISTING = "existing"
#: Which contents are got: what this copy prefers if it prefers some, all, only what it prefers, none.
WHICH = ("auto-if-wanted", "anything", "auto", "nothing")


class _Wish(NamedTuple):
    data: bool
    which: str
    source: str
    jobs: int | None
    recipes: "tuple[Procedure, ...]"


class Getting:
    """Gets contents. Paths are as the user typed them, relative to the context's folder."""

    def __init__(self, context: Context, *, steps: Steps | None = None) -> None:
        self._context = context
        self._opening = Opening(context, steps=steps)

    def get(
        self,
        paths: Sequence[str] = (),
        *,
        dataset: str | None = None,
        source: str | None = None,
        data: bool = True,
        which: str = WHICH[0],
        procedures: Sequence[str] = (),
        description: str | None = None,
        reckless: str | None = None,
        recursive: bool = False,
        recursion_limit: int | str | None = None,
        jobs: int | None = None,
    ) -> Iterator[Outcome]:
        """Bring contents here. Outcomes come once they are durable.

        Args:
            data: the contents of files, too; otherwise only the subdatasets that hold them.
            which: one of `WHICH`.
            procedures: what is run in each subdataset that is installed.
            recursion_limit: levels, or ``existing``.

        Raises:
            NoDataset, PathNotFound, OutsideDataset, NotTrusted, ExtraMissing, UsageError: before anything is written.
        """
        from engram.datasets.copying.clone_limits import check_reckless

        check_reckless(reckless or "")
        _check_which(which)
        recipes = self._recipes(procedures)
        opened, places = self._arguments(paths, dataset)
        reach = self._reach(opened, recursive, recursion_limit, reckless=reckless, description=description)
        self._check(reach, places)
        wish = _Wish(data and which != "nothing", which, source or "", jobs, recipes)
        return told(self._carry_out(reach, places, wish))

    def plan_get(
        self,
        paths: Sequence[str] = (),
        *,
        dataset: str | None = None,
        source: str | None = None,
        data: bool = True,
        which: str = WHICH[0],
        procedures: Sequence[str] = (),
        description: str | None = None,
        reckless: str | None = None,
        recursive: bool = False,
        recursion_limit: int | str | None = None,
        jobs: int | None = None,
    ) -> "Plan":
        """What `get` would do, as far as it is known before subdatasets are installed. Raises as it does."""
        from engram.model.plan import Plan
        from engram.workspace.asked import asked_for

        self._recipes(procedures)
        opened, places = self._arguments(paths, dataset)
        reach = self._reach(opened, recursive, recursion_limit, reckless=reckless, description=description)
        self._check(reach, places)
        with refusals_told():
            steps = [step for folder, path in places for step in reach.plan(folder, path)]
            wish = _Wish(data and which != "nothing", which, source or "", jobs, ())
            plans = [getter.plan() for getter in self._getters(reach, wish)] if wish.data else []
        plan = Plan(
            steps=(*dict.fromkeys(steps), *(step for plan in plans for step in plan.steps)),
            refused=tuple(step for plan in plans for step in plan.refused),
        )
        return asked_for(plan, self.plan_get, self._context, locals())

    def _recipes(self, procedures: Sequence[str]) -> "tuple[Procedure, ...]":
        """Every procedure that is to be run. Raises `UsageError` for one that there is not."""
        if not procedures:
            return ()
        from engram.datasets.provenance.procedures import find_procedure

        environment, configuration = self._context.environment, self._context.git_configuration
        return tuple(find_procedure(name, environment=environment, configuration=configuration) for name in procedures)

    def _carry_out(self, reach: "Reach", places: Sequence[tuple[str, str]], wish: "_Wish") -> Iterator[Outcome]:
        installed: set[str] = set()
        for folder, path in places:
            for outcome in reach.to(folder, path):
                if isinstance(outcome, DatasetOutcome) and outcome.action == "install" and not outcome.failed:
                    installed.add(outcome.path)
                    yield from self._set_up(outcome.path, wish.recipes)
                yield outcome
        if not wish.data:
            yield from self._there_already(reach, installed)
            return
        for number, getter in enumerate(self._getters(reach, wish)):
            try:
                yield from getter.carry_out()
            except RequestRefused as error:  # of one dataset among many it must not keep the others from theirs
                if not number:
                    raise
                yield failure(error, action="get", item=getter.name)

    def _set_up(self, place: str, recipes: "Sequence[Procedure]") -> Iterator[Outcome]:
        for recipe in recipes:
            from engram.datasets.dataset import open_dataset
            from engram.datasets.provenance.procedures import run_procedure

            yield from run_procedure(recipe, open_dataset(place, self._opening.around), self._opening.around)

    def _there_already(self, reach: "Reach", installed: set[str]) -> Iterator[Outcome]:
        top = reach.dataset.work_tree
        for place in reach.found:
            if place not in installed and place != top:
                yield DatasetOutcome(
                    action="get",
                    item=place.removeprefix(top + "/"),
                    status=Status.NOT_NEEDED,
                    note="installed already",
                    path=place,
                    type="dataset",
                    refds=top,
                )

    def _arguments(self, paths: Sequence[str], dataset: str | None) -> "tuple[Dataset, list[tuple[str, str]]]":
        """The dataset, and the folder and name of each path."""
        if not paths and dataset is None:
            raise UsageError("Say what to get.", "Everything below this folder: engram get .")
        opened = self._opening.dataset(dataset)
        folder = self._context.folder
        return opened, [(folder, path) for path in paths] or [(opened.work_tree, ".")]

    def _check(self, reach: "Reach", places: Sequence[tuple[str, str]]) -> None:
        """Look at all arguments before anything is done; unknown ones may be asked to be reported instead."""
        with refusals_told():
            for folder, path in places:
                try:
                    reach.check(folder, path)
                except PathNotFound:
                    if not self._context.reports_unknown:
                        raise

    def _reach(
        self,
        opened: "Dataset",
        recursive: bool,
        limit: int | str | None,
        *,
        reckless: str | None,
        description: str | None,
    ) -> "Reach":
        from engram.datasets.copying.installing import Installer
        from engram.datasets.copying.reaching import Reach

        installer = Installer(refds=opened.work_tree, reckless=reckless or "", description=description or "")
        levels = limit if isinstance(limit, int) else None
        return Reach(opened, installer, levels=levels if recursive else 0, existing=limit == EXISTING)

    def _getters(self, reach: "Reach", wish: "_Wish") -> "Iterator[Getter]":
        from engram.datasets.copying.getting import GetRequest, Getter
        from engram.datasets.dataset import open_dataset

        for place, scopes in reach.found.items():
            request = GetRequest(
                scopes=tuple(scopes),
                source=wish.source,
                which=wish.which,
                jobs=wish.jobs if wish.jobs is not None else self._context.settings.datasets_jobs,
                refds=reach.dataset.work_tree,
            )
            opened = open_dataset(place, reach.dataset.around)
            yield Getter(opened, request, progress=self._context.progress)


def _check_which(which: str) -> None:
    if which not in WHICH:
        raise UsageError(f"{which!r} is nothing that --data knows.", f"It knows {', '.join(WHICH)}.")
