"""Keeping a dataset, and what works on it, in order: settings, leftovers, a report for whoever is to help."""

import os
import platform
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain

from engram.durable import Steps
from engram.model.errors import NoDataset, UsageError
from engram.model.outcome import DatasetOutcome, Leaf, Outcome, Status
from engram.model.plan import Plan, joined
from engram.workspace.asked import asked_for
from engram.workspace.context import Context
from engram.workspace.opening import Opening, told

#: What `wtf` tells, in its order.
SECTIONS = ("engram", "python", "system", "programs", "environment", "dataset")


class Upkeep:
    """Settings, leftovers and reports, in one context."""

    def __init__(self, context: Context, *, steps: Steps | None = None) -> None:
        self._context = context
        self._opening = Opening(context, steps=steps)

    def configuration(
        self,
        action: str = "dump",
        items: Sequence[str] = (),
        *,
        scope: str | None = None,
        dataset: str | None = None,
        recursive: bool = False,
        recursion_limit: int | None = None,
    ) -> Iterator[Outcome]:
        """Tell or change settings of git and DataLad.

        Raises:
            UsageError, NoDataset, NotTrusted: before anything is written.
        """
        from engram.datasets.configuring import Configure, configure, configure_user

        changes = action in ("set", "unset")
        wish = Configure(action=action, items=tuple(items), scope=scope or ("local" if changes else ""))
        wish.check()
        if wish.scope == "global":
            return told(configure_user(self._opening.around, self._context.folder, wish))
        opened = self._opening.dataset(dataset)
        below = self._opening.subdatasets(opened, [b""], recursion_limit)[::-1] if recursive else []
        return told(chain.from_iterable(configure(one, wish, refds=opened.work_tree) for one in (opened, *below)))

    def plan_configuration(
        self,
        action: str,
        items: Sequence[str],
        *,
        scope: str | None = None,
        dataset: str | None = None,
        recursive: bool = False,
        recursion_limit: int | None = None,
    ) -> Plan:
        """What `configuration` would set or take away. Raises as it does."""
        from engram.datasets.configuring import Configure, plan_configure, plan_configure_user
        from engram.workspace.asked import only_looked_at

        wish = Configure(action=action, items=tuple(items), scope=scope or "local")
        wish.check()
        if wish.scope == "global":
            return only_looked_at(plan_configure_user(self._opening.around, wish), "configuration", self._context)
        opened = self._opening.dataset(dataset)
        below = self._opening.subdatasets(opened, [b""], recursion_limit)[::-1] if recursive else []
        plans = [plan_configure(one, wish, refds=opened.work_tree) for one in (opened, *below)]
        return only_looked_at(joined(plans), "configuration", self._context)

    def clean(
        self,
        *,
        dataset: str | None = None,
        what: Sequence[str] = (),
        recursive: bool = False,
        recursion_limit: int | None = None,
        only: Collection[str] | None = None,
    ) -> Iterator[Outcome]:
        """Remove temporary files that others left behind. Raises `NoDataset`, `NotTrusted`, `DatasetBusy`.

        Args:
            only: of all these, the places that `plan_clean` named.
        """
        from engram.datasets.cleaning import clean

        opened = self._opening.dataset(dataset)
        below = self._opening.subdatasets(opened, [b""], recursion_limit)[::-1] if recursive else []
        refds = opened.work_tree
        return told(chain.from_iterable(clean(one, tuple(what), refds=refds, only=only) for one in (opened, *below)))

    def plan_clean(
        self,
        *,
        dataset: str | None = None,
        what: Sequence[str] = (),
        recursive: bool = False,
        recursion_limit: int | None = None,
    ) -> Plan:
        """What `clean` would remove. Raises `NoDataset`."""
        from engram.datasets.cleaning import plan_clean

        opened = self._opening.dataset(dataset)
        below = self._opening.subdatasets(opened, [b""], recursion_limit)[::-1] if recursive else []
        plans = [plan_clean(one, tuple(what), refds=opened.work_tree) for one in (opened, *below)]
        return asked_for(joined(plans), self.plan_clean, self._context, locals())

    def wtf(self, *, dataset: str | None = None, sections: Sequence[str] = ()) -> Iterator[Outcome]:
        """What whoever is to help needs to know, one outcome for each section. No secret is told.

        Raises `UsageError` for an unknown section, `NoDataset` when the dataset that was named is none.
        """
        unknown = set(sections) - {*SECTIONS, "*"}
        if unknown:
            raise UsageError(f"There is no section {min(unknown)}.", f"Known are: {', '.join(SECTIONS)}.")
        wanted = SECTIONS if not sections or "*" in sections else tuple(name for name in SECTIONS if name in sections)
        if dataset is not None:
            self._opening.dataset(dataset)
        return told(self._section(name, dataset) for name in wanted)

    def _section(self, name: str, dataset: str | None) -> Outcome:
        facts, note = self._facts(name, dataset)
        return DatasetOutcome(
            action="wtf",
            item=name,
            status=Status.OK,
            path=self._context.folder,
            type="section",
            note=note,
            extra=tuple(facts.items()),
        )

    def _facts(self, name: str, dataset: str | None) -> tuple[Mapping[str, Leaf], str]:
        from engram.datasets import reporting
        from engram.datasets.git.problems import NotUnderstood

        if name == "engram":
            return _engram(), ""
        if name == "python":
            return {"version": sys.version.split()[0], "program": sys.executable}, ""
        if name == "system":
            return _system(self._context.folder), ""
        if name == "programs":
            return reporting.programs(self._opening.around, self._context.folder), ""
        if name == "environment":
            return reporting.locale_facts(self._context.environment), ""
        try:
            return reporting.dataset_facts(self._opening.dataset(dataset)), ""
        except NoDataset as none:
            return {}, none.what
        except NotUnderstood as problem:
            return {}, f"engram cannot read it itself ({problem.reason}); ask git: git status"


def _engram() -> dict[str, Leaf]:
    import engram

    return {"version": engram.__version__, "folder": os.path.dirname(os.path.abspath(engram.__file__))}


def _system(folder: str) -> dict[str, Leaf]:
    return {
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "file names": sys.getfilesystemencoding(),
        "current folder": folder,
    }
