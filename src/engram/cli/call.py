"""One call of the command line: what its options ask for, and what commands do with it."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from engram.cli.render import Report, Screen, Style, show_records
from engram.config import Settings, lab_file_in, read_settings
from engram.model.errors import OutsideDataset, PathNotFound, UsageError
from engram.model.outcome import Outcome
from engram.model.progress import Progress, Silent
from engram.workspace.context import Context, trust_folder, user_file

if TYPE_CHECKING:
    from engram.cli.schemas import Help
    from engram.cli.view import Record, View
    from engram.model.plan import Plan

Room = TypeVar("Room")
AnyRecord = TypeVar("AnyRecord", bound="Record")

SOME_FAILED = 3


class Call:
    """What holds for this call alone. The options before and after the command's name fill it in."""

    def __init__(
        self,
        *,
        screen: Screen,
        environment: Mapping[str, str],
        folder: str,
        rooms: Mapping[str, Callable[[Context], Any]] | None = None,
    ) -> None:
        self.screen = screen
        self.environment = environment
        #: Absolute path that relative paths start from.
        self.folder = folder
        #: What `open` gives instead of a class of `engram.workspace`, by the class's name: tests put their fakes here.
        self._rooms = rooms or {}
        #: The command, as it was typed: ``save``, ``config explain``.
        self.command = ""
        self.style = Style()
        #: ``ignore``, ``continue`` or ``stop``.
        self.on_failure = "continue"
        #: ``NAME=VALUE`` or ``:NAME`` of ``-c``.
        self.overrides: tuple[str, ...] = ()
        self.lab = ""
        self.shows_progress = True
        self.says_yes = False
        #: ``-l debug``: the traceback of a bug is printed, too.
        self.shows_tracebacks = False
        #: The exit code when the command itself ended well.
        self.exit_code = 0
        #: What it becomes when an outcome says that something failed: that of a user's own command, perhaps.
        self.failing_code = SOME_FAILED
        self._settings: Settings | None = None
        #: Whether an outcome said that something was changed.
        self.something_was_done = False

    @property
    def _own_overrides(self) -> tuple[str, ...]:
        """Overrides of engram's own settings, without ``engram.``."""
        return tuple(override.replace("engram.", "", 1) for override in self.overrides if _is_own(override))

    def settings(self) -> Settings:
        """The settings of this call, read when they are first asked for. Raises `BadSetting`."""
        if self._settings is None:
            self._settings = read_settings(
                user_file(self.environment),
                environment=self.environment,
                options=self._own_overrides,
                lab_file=self._lab_file(),
            )
            self.screen.colour = self._settings.ui_color
        return self._settings

    def _lab_file(self) -> str:
        if not self.lab:
            return ""
        around = Context(folder=self.folder, environment=self.environment)
        return lab_file_in(self.absolute(self.lab), trust_folder(around))

    def absolute(self, path: str) -> str:
        """A path that the user typed, from the root; ``..`` stays, because links may stand before it."""
        return os.path.join(self.folder, path)

    def context(self) -> Context:
        """What the workspace is told about this call."""
        settings = self.settings()
        return Context(
            folder=self.folder,
            settings=settings,
            git_configuration=tuple(override for override in self.overrides if not _is_own(override)),
            environment=self.environment,
            progress=self._progress(settings),
            lab_file=self._lab_file(),
            options=self._own_overrides,
            reports_unknown=self.on_failure == "ignore",
        )

    def _progress(self, settings: Settings) -> Progress:
        wanted = self.shows_progress and settings.ui_progress and not self.style.quiet and not self.style.is_json
        return _LateBar(self.screen) if wanted else Silent()

    def open(self, room: Callable[[Context], Room]) -> Room:
        """A part of the workspace, as `Datasets`, for this call."""
        chosen: Callable[[Context], Room] = self._rooms.get(getattr(room, "__name__", ""), room)
        return chosen(self.context())

    def show(self, outcomes: Iterator[Outcome], *, view: "View | None" = None, reads_only: bool = False) -> None:
        """Let an operation happen, and show its outcomes as they come.

        When nobody reads them any more, one that only reads is ended; any other is carried out to its end.
        """
        report = Report(self.screen, self._full_style(), view)
        refused = whole = False
        try:
            for outcome in outcomes:
                report.take(outcome)
                refused = refused or outcome.error in _UNKNOWN_ARGUMENT
                if (self.on_failure == "stop" and outcome.failed) or (self.screen.closed and reads_only):
                    break
            whole = True
        finally:
            close = getattr(outcomes, "close", None)  # a generator's own finally blocks, now
            if close is not None:
                close()
            report.finish(whole=whole)
            self.something_was_done = self.something_was_done or (report.something_was_done and not reads_only)
        if report.failures and (refused or self.on_failure != "ignore"):
            self.exit_code = self.failing_code

    def show_either(
        self, result: "Iterator[Outcome] | Plan", plan_file: str | None, *, view: "View | None" = None
    ) -> None:
        """Show what a command that has a ``--dry-run`` gave: the plan that it asks for, or what happens."""
        if isinstance(result, Iterator):
            self.show(result, view=view)
        else:
            self.show_plan(result, into=plan_file)

    def show_plan(self, plan: "Plan", *, into: str | None = None) -> None:
        """Show what would be done, and write it into a file for later where the user named one."""
        from engram.cli.plans import show_plan, write_plan  # here, because few calls show one

        if into is not None:
            write_plan(plan, self.absolute(into))
        show_plan(self.screen, self._full_style(), plan)

    def show_records(self, records: Iterable[AnyRecord], text: Callable[[AnyRecord], str]) -> None:
        """Show records that are no outcomes, in *text* for people."""
        style = self._full_style()
        for record in records:
            show_records(self.screen, style, record, text(record))
        self.screen.flush()

    def show_blocks(self, records: Iterable[AnyRecord], lines: Callable[[AnyRecord], Iterable[str]]) -> None:
        """Show records that are no outcomes, each in several *lines* for people, which are printable already."""
        style = self._full_style()
        for record in records:
            if style.for_people:
                for line in lines(record):
                    self.screen.line(line)
            else:
                show_records(self.screen, style, record, "")
            if self.screen.closed:
                break
        self.screen.flush()

    def show_text(self, record: "Help") -> None:
        """Show text of ours, line breaks and all. Reads no settings: what is wrong with them may be asked about."""
        if self.style.for_people:
            self.show_lines(record.text)
        else:
            show_records(self.screen, self.style, record, "")
            self.screen.flush()

    def show_lines(self, text: str) -> None:
        """Show text of ours as it is, whoever reads it."""
        for line in text.splitlines():
            self.screen.line(line)
        self.screen.flush()

    def confirm(self, question: str) -> None:
        """Go on only when the user agrees; ``--yes`` does. Raises `UsageError` otherwise. Never about trust."""
        if self.says_yes:
            return
        from engram.cli.files import answer  # here, because few calls ask

        if not answer(self.screen, question):
            raise UsageError("Nothing was changed: this needs your consent.", "Add --yes to agree beforehand.")

    def _full_style(self) -> Style:
        threshold = self.settings().ui_suppress_similar_results_threshold
        return replace(self.style, fold_after=threshold)


#: Failures that say an argument names nothing: they count even when failures are ignored.
_UNKNOWN_ARGUMENT = {PathNotFound.__name__, OutsideDataset.__name__}


def _is_own(override: str) -> bool:
    return override.removeprefix(":").startswith("engram.")


class _LateBar:
    """A progress bar that is loaded when something is counted for the first time: most calls are over before."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._bar: Progress = Silent()

    def start(self, label: str, total: int | None, unit: str) -> None:
        if isinstance(self._bar, Silent):
            from engram.cli.progress import Bar

            self._bar = Bar(self._screen)
        self._bar.start(label, total, unit)

    def advance(self, count: int = 1) -> None:
        self._bar.advance(count)

    def finish(self) -> None:
        self._bar.finish()
