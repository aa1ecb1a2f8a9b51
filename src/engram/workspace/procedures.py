"""Which procedure a name means here, and what it would do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from engram.datasets.dataset import Dataset
from engram.datasets.provenance.ledger import Ledger
from engram.datasets.provenance.procedure_search import FoundProcedure, about, every_procedure, find
from engram.datasets.provenance.procedures import BUILT_IN, Procedure, plan_procedure
from engram.model.errors import NoDataset, NotTrusted, UsageError
from engram.model.outcome import Outcome
from engram.model.plan import Plan, PlannedStep
from engram.workspace.context import Context
from engram.workspace.opening import Opening


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A procedure, and the dataset that it is to be run in."""

    found: FoundProcedure
    dataset: Dataset
    #: The dataset that brings it along; ``None`` for one that is the user's, the machine's or built in.
    holder: Dataset | None

    @classmethod
    def of(cls, opening: Opening, context: Context, name: str, dataset: str | None) -> Self:
        """What *name* means. Raises `NoDataset`; `UsageError` when there is no procedure of that name."""
        opened = opening.dataset(dataset)
        found = find(name, every_procedure(opened, context.environment, context.git_configuration))
        holder = opening.dataset(found.dataset) if found.dataset else None
        return cls(found=found, dataset=opened, holder=holder)

    @property
    def built_in(self) -> Procedure | None:
        """The recipe to follow, if it is a built-in one."""
        if self.found.kind != "built-in":
            return None
        short = self.found.name.removeprefix("cfg_")
        return Procedure(name=short, recipe=BUILT_IN[short])

    def check(self, arguments: Sequence[str], ledger: Ledger) -> None:
        """Raises `UsageError` for arguments that it does not take, `NotTrusted` when the user has not allowed it."""
        if self.built_in is not None and arguments:
            raise UsageError(f"{self.found.name} takes no arguments.", f"Write: engram run-procedure {self.found.name}")
        if self.holder is not None and not ledger.has(self.holder, self.found.digest):
            raise NotTrusted(self.holder.work_tree, f"procedure {self.found.name}")

    def plan(self, arguments: Sequence[str]) -> Plan:
        """What would be run; of a built-in procedure, which files it would write."""
        if self.built_in is not None:
            return plan_procedure(self.built_in, self.dataset)
        line = self.found.line(self.dataset, arguments)
        return Plan(steps=(PlannedStep(action="run", item=self.found.name, why=line),))


def discovered(opening: Opening, context: Context, dataset: str | None) -> Iterator[Outcome]:
    """Every procedure there is; without a dataset around, all but those that datasets hold."""
    try:
        opened = opening.dataset(dataset)
    except NoDataset:
        if dataset is not None:
            raise
        opened = None
    names: set[str] = set()
    for one in every_procedure(opened, context.environment, context.git_configuration):
        state = "overridden" if one.name in names else "executable"
        names.add(one.name)
        yield about(one, "discover_procedure", state, opened)
