"""Where results come from: commands that are run and recorded, repeated, and traced back. Each verb is one method."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from engram.durable import Steps
from engram.model.outcome import Outcome, Status
from engram.workspace.context import Context, trust_folder
from engram.workspace.opening import Opening, after, told

if TYPE_CHECKING:
    from engram.datasets.dataset import Dataset
    from engram.datasets.provenance.commands import RunRequest
    from engram.datasets.provenance.ledger import Ledger
    from engram.datasets.provenance.run_outcomes import RunOutcome
    from engram.datasets.provenance.run_records import RunRecord
    from engram.datasets.provenance.running import Helpers
    from engram.datasets.provenance.unlocking import Unlocker
    from engram.datasets.provenance.versions import Version
    from engram.model.errors import EngramError
    from engram.model.plan import Plan


def _nothing(_: str) -> None:
    """What is done before a command starts when nobody wants to know."""


def _nobody(_: object) -> bool:
    """What is answered where there is nobody to be asked."""
    return False


class Provenance:
    """The verbs about commands, in one context. Paths are as the user typed them, relative to the context's folder."""

    def __init__(self, context: Context, *, steps: Steps | None = None) -> None:
        self._context = context
        self._opening = Opening(context, steps=steps)

    # --- run

    def run(
        self,
        command: str | Sequence[str],
        *,
        dataset: str | None = None,
        inputs: Sequence[str] = (),
        outputs: Sequence[str] = (),
        expand: str | None = None,
        assume_ready: str | None = None,
        explicit: bool = False,
        message: str | None = None,
        sidecar: bool | None = None,
        on_command_failure: str | None = None,
        jobs: int | None = None,
        extra_inputs: Sequence[str] = (),
        starting: Callable[[str], object] = _nothing,
    ) -> Iterator[Outcome]:
        """Run a command, and save what it changed with a record of it. *starting* is called just before it begins.

        Raises:
            NoDataset, OutsideDataset, UsageError, NotTrusted, NoIdentity, ExtraMissing: before anything is done.
        """
        from engram.datasets.provenance.running import Runner

        opened = self._opening.dataset(dataset)
        request = self._request(
            command,
            folder=self._folder(opened, dataset),
            inputs=inputs,
            outputs=outputs,
            extra_inputs=extra_inputs,
            expand=expand,
            assume_ready=assume_ready,
            explicit=explicit,
            message=message,
            sidecar=sidecar,
            on_command_failure=on_command_failure,
            jobs=jobs,
        )
        return told(Runner(opened, request, self._helpers(starting)).carry_out())

    def plan_run(
        self,
        command: str | Sequence[str],
        *,
        dataset: str | None = None,
        inputs: Sequence[str] = (),
        outputs: Sequence[str] = (),
        expand: str | None = None,
        assume_ready: str | None = None,
        explicit: bool = False,
        message: str | None = None,
        sidecar: bool | None = None,
        on_command_failure: str | None = None,
        jobs: int | None = None,
        extra_inputs: Sequence[str] = (),
    ) -> "RunOutcome":
        """What `run` would run, and what it would record. Raises as it does."""
        from engram.datasets.provenance.running import Runner

        opened = self._opening.dataset(dataset)
        request = self._request(
            command,
            folder=self._folder(opened, dataset),
            inputs=inputs,
            outputs=outputs,
            extra_inputs=extra_inputs,
            expand=expand,
            assume_ready=assume_ready,
            explicit=explicit,
            message=message,
            sidecar=sidecar,
            on_command_failure=on_command_failure,
            jobs=jobs,
        )
        return Runner(opened, request, self._helpers(_nothing)).plan()

    def _request(
        self,
        command: str | Sequence[str],
        *,
        folder: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        extra_inputs: Sequence[str],
        expand: str | None,
        assume_ready: str | None,
        explicit: bool,
        message: str | None,
        sidecar: bool | None,
        on_command_failure: str | None,
        jobs: int | None,
    ) -> "RunRequest":
        from engram.datasets.provenance.commands import RunRequest
        from engram.model.errors import UsageError

        words = command if isinstance(command, str) else tuple(command)
        if not words or not any(words):
            raise UsageError("There is no command to run.", "Write it behind the options: engram run -m WHY COMMAND")
        return RunRequest(
            command=words,
            folder=folder,
            inputs=tuple(inputs),
            extra_inputs=tuple(extra_inputs),
            outputs=tuple(outputs),
            expand=expand or "",
            assume_ready=assume_ready or "",
            explicit=explicit,
            message=message,
            sidecar=sidecar,
            on_command_failure=on_command_failure or "error",
            goes_on=self._context.reports_unknown,
            jobs=jobs or self._context.settings.datasets_jobs,
        )

    def _folder(self, dataset: "Dataset", named: str | None) -> str:
        """Where a command runs: at the top of a dataset that was named, else where the user is."""
        return self._context.folder if named is None else dataset.work_tree

    def _helpers(self, starting: Callable[[str], object]) -> "Helpers":
        from engram.datasets.provenance.running import Helpers

        return Helpers(
            ledger=self._ledger(),
            get=self._get,
            progress=self._context.progress,
            starting=starting,
            backend=self._context.settings.datasets_backend,
        )

    def _ledger(self) -> "Ledger":
        from engram.datasets.provenance.ledger import Ledger

        return Ledger.beside(trust_folder(self._context), self._opening.around.steps)

    def _get(self, dataset: "Dataset", places: Sequence[str], data: bool) -> Iterator[Outcome]:
        """Bring the contents of inputs here, or with *data* off only the subdatasets that hold them."""
        from engram.workspace.getting import Getting

        return Getting(self._context, steps=self._opening.around.steps).get(
            places, dataset=dataset.work_tree, data=data
        )

    # --- rerun

    def rerun(
        self,
        revision: str | None = None,
        *,
        since: str | None = None,
        dataset: str | None = None,
        branch: str | None = None,
        message: str | None = None,
        onto: str | None = None,
        report: bool = False,
        assume_ready: str | None = None,
        explicit: bool = False,
        on_command_failure: str | None = None,
        jobs: int | None = None,
        starting: Callable[[str], object] = _nothing,
        ask: "Callable[[Sequence[RunRecord]], bool]" = _nobody,
    ) -> Iterator[Outcome]:
        """Repeat recorded commands; with *report*, only tell what would be repeated.

        *ask* shows records that came from elsewhere, and gives whether the user allows them.

        Raises:
            NoDataset, UsageError, BadRecord, NotTrusted, NoIdentity, ExtraMissing: before anything is run.
        """
        from engram.datasets.provenance.rerun_range import RerunRequest
        from engram.datasets.provenance.rerunning import Rerunner

        opened = self._opening.dataset(dataset)
        request = RerunRequest(
            revision=revision or "",
            since=since,
            branch=branch or "",
            onto=onto,
            message=message,
            assume_ready=assume_ready or "",
            explicit=explicit,
            on_command_failure=on_command_failure or "error",
            goes_on=self._context.reports_unknown,
            jobs=jobs or self._context.settings.datasets_jobs,
        )
        rerunner = Rerunner(opened, request, self._helpers(starting), ask)
        return told(rerunner.report() if report else rerunner.carry_out())

    def script(self, revision: str | None = None, *, since: str | None = None, dataset: str | None = None) -> str:
        """The recorded commands as a script for the shell. Raises as `rerun` does."""
        from engram.datasets.provenance.rerun_range import RerunRequest
        from engram.datasets.provenance.rerun_script import script

        return script(self._opening.dataset(dataset), RerunRequest(revision=revision or "", since=since))

    def write_script(
        self, path: str, revision: str | None = None, *, since: str | None = None, dataset: str | None = None
    ) -> Iterator[Outcome]:
        """Write the recorded commands into a file. Raises as `rerun` does."""
        from engram import durable

        text = self.script(revision, since=since, dataset=dataset)
        place = self._opening.place(path)
        durable.replace(self._opening.around.steps, place, text.encode("utf-8", "surrogateescape"))
        yield Outcome(action="run", item=path, status=Status.OK, note=f"Script written to {path}")

    # --- history

    def history(self, path: str, *, dataset: str | None = None) -> "Iterator[Version]":
        """Every version of a file, newest first; it may be gone by now. Starts no program.

        Raises:
            NoDataset, OutsideDataset: at once.
            UsageError: for a folder of which no file ever had the name.
            PathNotFound: for what no commit ever held.
        """
        from engram.datasets.nesting import holding
        from engram.datasets.provenance.history import History
        from engram.model.errors import PathNotFound, UsageError

        opened = self._opening.dataset(dataset)
        place = self._opening.place(path)
        opened.relative(place)  # refuses what lies elsewhere
        holder = holding(opened, os.path.dirname(place)) if place != opened.work_tree else opened
        scope = holder.relative(place)
        found = False
        for version in History(holder, scope).read() if scope else ():
            found = True
            yield version
        if not found and os.path.isdir(place):
            raise UsageError(f"{path} is a folder, and a history is that of a file.", "Name one: engram history FILE")
        if not found:
            raise PathNotFound(path)

    # --- unlock

    def unlock(
        self,
        paths: Sequence[str] = (),
        *,
        dataset: str | None = None,
        recursive: bool = False,
        recursion_limit: int | None = None,
    ) -> Iterator[Outcome]:
        """Give annexed files a content that can be written to. Outcomes come once they are durable.

        Raises:
            NoDataset, PathNotFound, NotTrusted, ExtraMissing: before anything is done.
        """
        unlockers, problems = self._unlockers(paths, dataset, recursive, recursion_limit)
        return after(problems, "unlock", (outcome for one in unlockers for outcome in one.carry_out()))

    def plan_unlock(
        self,
        paths: Sequence[str] = (),
        *,
        dataset: str | None = None,
        recursive: bool = False,
        recursion_limit: int | None = None,
    ) -> "Plan":
        """What `unlock` would do. Raises as it does."""
        from engram.model.plan import Plan
        from engram.workspace.asked import asked_for

        unlockers, _ = self._unlockers(paths, dataset, recursive, recursion_limit)
        plans = [one.plan() for one in unlockers]
        steps = tuple(step for plan in plans for step in plan.steps)
        plan = Plan(steps=steps, refused=tuple(step for plan in plans for step in plan.refused))
        return asked_for(plan, self.plan_unlock, self._context, locals())

    def _unlockers(
        self, paths: Sequence[str], dataset: str | None, recursive: bool, limit: int | None
    ) -> "tuple[list[Unlocker], list[EngramError]]":
        from engram.datasets.provenance.unlocking import Unlocker, UnlockRequest

        opened = self._opening.dataset(dataset)
        parts, problems = self._opening.parts(opened, paths, whole_subdatasets=True)
        wanted: dict[str, tuple[Dataset, tuple[bytes, ...]]] = {}
        for part in parts:  # the deepest first
            below = self._opening.subdatasets(part.dataset, part.scopes, limit) if recursive else []
            wanted |= {inner.work_tree: (inner, (b"",)) for inner in below}
            wanted.setdefault(part.dataset.work_tree, (part.dataset, part.scopes))
        refds = opened.work_tree
        unlockers = [Unlocker(one, UnlockRequest(scopes=scopes, refds=refds)) for one, scopes in wanted.values()]
        return unlockers, problems

    # --- run-procedure

    def run_procedure(
        self,
        name: str,
        arguments: Sequence[str] = (),
        *,
        dataset: str | None = None,
        starting: Callable[[str], object] = _nothing,
    ) -> Iterator[Outcome]:
        """Run a procedure in a dataset.

        Raises:
            NoDataset, UsageError, ExtraMissing: before anything is done.
            NotTrusted: for one that the dataset itself holds, until the user allowed it.
        """
        from engram.datasets.provenance.commands import RunRequest
        from engram.datasets.provenance.procedures import run_procedure
        from engram.datasets.provenance.running import Runner
        from engram.workspace.procedures import Choice

        choice = Choice.of(self._opening, self._context, name, dataset)
        choice.check(arguments, self._ledger())
        if choice.built_in is not None:
            return told(run_procedure(choice.built_in, choice.dataset, self._opening.around))
        line, folder = choice.found.line(choice.dataset, arguments), choice.dataset.work_tree
        request = RunRequest(command=line, folder=folder, explicit=True)
        return told(Runner(choice.dataset, request, self._helpers(starting)).carry_out())

    def plan_run_procedure(self, name: str, arguments: Sequence[str] = (), *, dataset: str | None = None) -> "Plan":
        """What `run_procedure` would run, or write if it is a built-in one. Raises as it does."""
        from engram.workspace.asked import only_looked_at
        from engram.workspace.procedures import Choice

        choice = Choice.of(self._opening, self._context, name, dataset)
        choice.check(arguments, self._ledger())
        return only_looked_at(choice.plan(arguments), "run-procedure", self._context)

    def discover_procedures(self, *, dataset: str | None = None) -> Iterator[Outcome]:
        """Every procedure there is, in the order in which they are looked for. Runs none."""
        from engram.workspace.procedures import discovered

        yield from discovered(self._opening, self._context, dataset)

    def procedure_help(self, name: str, *, dataset: str | None = None) -> Iterator[Outcome]:
        """What a procedure says of itself. Raises `UsageError` when there is none of that name."""
        from engram.datasets.provenance.procedure_search import about
        from engram.workspace.procedures import Choice

        choice = Choice.of(self._opening, self._context, name, dataset)
        yield about(choice.found, "procedure_help", "executable", choice.dataset)
