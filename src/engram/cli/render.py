"""The only place that prints: results to stdout, everything else to stderr."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, TextIO

from engram.cli.text import ink, printable
from engram.config import Switch
from engram.model.errors import UsageError
from engram.model.outcome import DatasetOutcome, Outcome, Status
from engram.model.records import record

if TYPE_CHECKING:
    from engram.cli.view import Record, View

#: Results that come slower than this are handed on at once; faster ones are gathered.
_GATHER_S = 0.05


class Screen:
    """Where results (*out*) and everything else (*err*) go, and what can be shown there."""

    def __init__(self, out: TextIO, err: TextIO, environment: Mapping[str, str], colour: Switch = Switch.AUTO) -> None:
        self.out = out
        self.err = err
        self._environment = environment
        self.colour = colour
        #: Nobody reads the results any more (``| head``), or they cannot be written.
        self.closed = False
        #: Why results could not be written; '' when all went well, or their reader went away.
        self.trouble = ""
        #: A progress bar stands in the last line of *err*.
        self._bar = False
        self._last_s = 0.0

    @property
    def is_terminal(self) -> bool:
        """Whether results go to a terminal."""
        return _is_terminal(self.out)

    @property
    def has_bars(self) -> bool:
        """Whether a progress bar can be drawn: messages go to a terminal that can move its cursor."""
        return _is_terminal(self.err) and self._environment.get("TERM", "") != "dumb"

    @property
    def colours(self) -> bool:
        """Whether results are coloured."""
        return self._coloured(self.out)

    def _coloured(self, stream: TextIO) -> bool:
        if self.colour is not Switch.AUTO:
            return self.colour is Switch.ON
        plain = self._environment.get("NO_COLOR") or self._environment.get("TERM", "") == "dumb"
        return not plain and _is_terminal(stream)

    @property
    def err_colours(self) -> bool:
        """Whether messages are coloured."""
        return self._coloured(self.err)

    @property
    def columns(self) -> int:
        """Width of the window that messages go to."""
        return self._columns_of(self.err)

    @property
    def out_columns(self) -> int:
        """Width of the window that results go to; 80 where they go to none."""
        return self._columns_of(self.out)

    def _columns_of(self, stream: TextIO) -> int:
        said = self._environment.get("COLUMNS", "")
        if said.isascii() and said.isdigit() and int(said) > 0:
            return int(said)
        with suppress(ValueError, OSError):
            return os.get_terminal_size(stream.fileno()).columns or 80  # 0: a terminal that does not know
        return 80

    def line(self, text: str) -> None:
        """Print one line of results. When nobody reads them any more, this and all later ones are dropped."""
        if self.closed:
            return
        self.clear_bar()
        try:
            self.out.write(text + "\n")
            now_s = monotonic()
            if now_s - self._last_s > _GATHER_S:
                self.out.flush()
            self._last_s = now_s
        except OSError as error:
            self._close(error)

    def message(self, text: str) -> None:
        """Print one line for people, beside the results."""
        self.clear_bar()
        with suppress(OSError, ValueError):  # nobody left to tell
            self.err.write(text + "\n")
            self.err.flush()

    def draw_bar(self, text: str) -> None:
        """Put a progress bar into the last line."""
        self._bar = True
        with suppress(OSError, ValueError):
            self.err.write(f"\r{text}\x1b[K")
            self.err.flush()

    def clear_bar(self) -> None:
        """Take the progress bar away."""
        if self._bar:
            self._bar = False
            with suppress(OSError, ValueError):
                self.err.write("\r\x1b[K")
                self.err.flush()

    def flush(self) -> None:
        """Hand on what was gathered."""
        self.clear_bar()
        if not self.closed:
            try:
                self.out.flush()
            except OSError as error:
                self._close(error)

    def _close(self, error: OSError) -> None:
        self.closed = True
        if not isinstance(error, BrokenPipeError):
            self.trouble = error.strerror or str(error)
        if self.out is sys.__stdout__:  # else Python complains when it flushes at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.out.fileno())


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed before we were called
        return False


def standard_screen(environment: Mapping[str, str]) -> Screen:
    """The screen of this process. What its encoding lacks is escaped; a stream that is closed swallows everything."""
    out, err = (_writable(stream) for stream in (sys.stdout, sys.stderr))
    return Screen(out, err, environment)


def _writable(stream: TextIO | None) -> TextIO:
    if stream is None:  # `engram … >&-`
        return open(os.devnull, "w", encoding="utf-8")
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
    return stream


@record(eq=False)
class Style:
    """What of the results is shown, and how."""

    #: ``tailored``, ``generic``, ``json``, ``json_pp``, ``disabled``, or a template with fields in braces.
    form: str = "tailored"
    #: Only what failed is shown to people.
    quiet: bool = False
    #: Statuses and types that are shown; empty: all.
    statuses: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    #: Lines alike before the rest is folded; 0: never.
    fold_after: int = 10

    @property
    def is_json(self) -> bool:
        """Whether stdout carries nothing but JSON."""
        return self.form in ("json", "json_pp")

    @property
    def for_people(self) -> bool:
        """Whether lines are written that people read, with summaries."""
        return self.form in ("tailored", "generic")


class Report:
    """The results of one operation on the screen, one by one."""

    def __init__(self, screen: Screen, style: Style, view: "View | None" = None) -> None:
        self._screen = screen
        self._style = style
        self._for_people = style.for_people
        self._is_tailored = style.form == "tailored"
        self._view = view
        self._colours = screen.colours
        self._write = writer(screen, style)
        self._fold_after = style.fold_after if screen.is_terminal else 0
        self._alike: tuple[str, ...] = ()
        self._repeats = 0
        self._remedy = ""
        self._counts: dict[tuple[str, str], int] = {}

    @property
    def failures(self) -> int:
        """How many outcomes were failures."""
        return sum(count for (_, status), count in self._counts.items() if status in _FAILED)

    @property
    def something_was_done(self) -> bool:
        """Whether an outcome said that something was changed or made."""
        return any(status == Status.OK for _, status in self._counts)

    def take(self, outcome: Outcome) -> None:
        """Show one outcome, or count it where it is not shown."""
        counted = (outcome.action, outcome.status)
        self._counts[counted] = self._counts.get(counted, 0) + 1
        if not self._for_people:
            if self._wants(outcome):
                self._write(outcome)
            return
        line = None if self._view is None else self._view.line(outcome, self._colours)
        if line == "" and outcome.status is Status.OK and self._is_tailored:  # nearly every one, of some verbs
            return
        if self._wants(outcome):
            self._show(outcome, line if self._is_tailored else None)

    def finish(self, *, whole: bool = True) -> None:
        """Show what was folded, and the summary; a view's only when it saw the *whole*: it might claim too much."""
        self._unfold()
        if self._for_people and not self._style.quiet and (whole or self._view is None):
            for line in self._summary() if self._view is None else self._view.summary():
                self._screen.line(line)
        self._screen.flush()

    def _wants(self, outcome: Outcome) -> bool:
        style = self._style
        if style.quiet and self._for_people and not outcome.failed:
            return False
        if style.statuses and outcome.status not in style.statuses:
            return False
        return not style.types or getattr(outcome, "type", "") in style.types

    def _show(self, outcome: Outcome, line: str | None) -> None:
        if line is None and outcome.status is not Status.NOT_NEEDED:
            if self._folds(outcome):
                return
            line = outcome_line(outcome, self._colours)
        if line:
            self._screen.line(line)
        if outcome.failed and outcome.remedy and outcome.remedy != self._remedy:
            self._remedy = outcome.remedy
            self._screen.line(ink(f"  {printable(outcome.remedy)}", "remedy", self._colours))

    def _folds(self, outcome: Outcome) -> bool:
        """Whether this is one more of too many alike. What failed is never folded: each must be found."""
        if not self._fold_after or outcome.failed:
            return False
        alike = (outcome.action, outcome.status, getattr(outcome, "type", ""), getattr(outcome, "refds", ""))
        if alike != self._alike:
            self._unfold()
            self._alike = alike
        self._repeats += 1
        return self._repeats > self._fold_after

    def _unfold(self) -> None:
        folded = self._repeats - self._fold_after
        if self._fold_after and folded > 0:
            self._screen.line(f"  [{folded} more like these; to see all: {SEE_ALL}]")
        self._repeats = 0

    def _summary(self) -> Iterable[str]:
        if sum(self._counts.values()) > 1:
            yield "action summary:"
            for action in sorted({action for action, _ in self._counts}):
                counts = sorted((status, count) for (act, status), count in self._counts.items() if act == action)
                yield f"  {action} ({', '.join(f'{status}: {count}' for status, count in counts)})"


_FAILED = (Status.IMPOSSIBLE, Status.ERROR)
SEE_ALL = "-c engram.ui.suppress-similar-results-threshold=off"


def outcome_line(outcome: Outcome, colours: bool = False) -> str:
    """DataLad's line for one outcome: ``save(ok): path (file) [note]``."""
    kind = ""
    item = outcome.item
    if isinstance(outcome, DatasetOutcome):
        item = relative_path(outcome.path, outcome.refds)
        kind = f" ({ink(outcome.type, 'type', colours)})" if outcome.type else ""
    remarks = "".join(f" [{printable(remark)}]" for remark in (outcome.message, outcome.note) if remark)
    action, status = ink(outcome.action, "action", colours), ink(outcome.status, outcome.status, colours)
    return f"{action}({status}): {printable(item)}{kind}{remarks}"


def relative_path(path: str, dataset: str) -> str:
    """A path as seen from a dataset, both absolute; unchanged when there is no dataset."""
    if not dataset:
        return path
    if path.startswith(dataset) and path[len(dataset) : len(dataset) + 1] == "/":
        return path[len(dataset) + 1 :]
    return os.path.relpath(path, dataset)


def writer(screen: Screen, style: Style) -> "Callable[[Record], None]":
    """What prints one record for programs."""
    if style.is_json:
        import json  # here, because people do not need it

        # ASCII: a byte of a name that is not UTF-8 becomes \udc80 … \udcff, and os.fsencode brings it back
        encode = json.JSONEncoder(indent=2 if style.form == "json_pp" else None).encode
        return lambda record: screen.line(encode(record.as_json()))
    if style.form == "disabled" or style.for_people:
        return lambda _: None
    return lambda record: screen.line(fill(style.form, record.as_json()))


class _Missing:
    """A field that a record does not have, however it is asked for."""

    def __getitem__(self, _: object) -> "_Missing":
        return self

    def __getattr__(self, _: str) -> "_Missing":
        return self

    def __format__(self, _: str) -> str:
        return "N/A"

    def __str__(self) -> str:
        return "N/A"


class _Fields(dict[str, Any]):
    """The fields of a record as a template sees them: ``#`` stands for ``:``, what is not there is ``N/A``."""

    def __getitem__(self, name: str) -> object:
        return _shown(self.get(name.replace("#", ":"), _MISSING))


def _shown(value: object) -> object:
    """A value as a template may print it: what came from a file name has no control characters."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list | tuple):
        return [_shown(each) for each in value]
    return _Fields(value) if isinstance(value, dict) else value


_MISSING = _Missing()


def fill(template: str, fields: Mapping[str, Any]) -> str:
    """A record in the user's own template. Raises `UsageError` when that does not parse.

    >>> fill("{path}: {status:>8} {nothing[like][that]:>5} {a[b#c]}", {"path": "x", "status": "ok", "a": {"b:c": 1}})
    'x:       ok N/A 1'
    """
    try:
        return template.format_map(_Fields(fields))
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        advice = "Fields stand in braces: -f '{path}: {status}'; which there are: engram help json"
        raise UsageError(f"The output format {template!r} cannot be filled in: {error}.", advice) from error


def show_records(screen: Screen, style: Style, record: "Record", text: str) -> None:
    """A record that is no outcome: its JSON line for programs, *text* for people."""
    if style.for_people:
        screen.line(printable(text))
    else:
        writer(screen, style)(record)


def show_error(screen: Screen, outcome: Outcome, lines: Sequence[str] = ()) -> None:
    """Two lines beside the results: what is wrong (or *lines* that say it), and what to type next."""
    for line in lines or (outcome.message,):
        screen.message(ink(printable(line), "error", screen.err_colours))
    screen.message(printable(outcome.remedy))
