"""What `run` and `rerun` have in common on the screen: exit codes of commands, dry runs."""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from engram.cli.call import Call
from engram.cli.text import printable
from engram.model.counting import plural
from engram.model.errors import CommandFailed, PathNotFound, RequestRefused, UnsavedChanges
from engram.model.outcome import Outcome, Status

if TYPE_CHECKING:
    from engram.datasets.provenance.run_outcomes import RunOutcome
    from engram.datasets.provenance.run_records import RunRecord

_NAMED = 10
#: What stands for nothing but a file.
_PLAIN = re.compile(r"[\w@%+=:,./*?-]+")


def ends_as_its_command(call: Call, outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    """The same outcomes; when they are through, the exit code of the call is that of the command that failed.

    Where nothing was begun, because of changes from before or an input that is not there, the request is refused.
    """
    code, begun = 0, False
    for outcome in outcomes:
        yield outcome
        begun = begun or outcome.status is Status.OK
        if outcome.error == CommandFailed.__name__:
            code = getattr(outcome, "exit_code", 0)
        elif outcome.error in (UnsavedChanges.__name__, PathNotFound.__name__) and not begun:
            code = RequestRefused.exit_code
    if code and call.on_failure != "ignore":
        call.failing_code = code


def allowed(call: Call, records: "Sequence[RunRecord]") -> bool:
    """Whether the user allows commands that somebody else recorded, having seen them. No ``--yes`` does."""
    from engram.cli.files import answer  # here, because few calls ask
    from engram.datasets.provenance.commands import as_line

    call.screen.flush()
    for record in records:
        call.screen.message(f"Recorded by somebody else, to be run in {printable(record.pwd)}:")
        for line in as_line(record.cmd).split("\n"):
            call.screen.message(f"  {printable(line)}")
        named = {"inputs": record.inputs, "further inputs": record.extra_inputs, "outputs": record.outputs}
        for kind, names in named.items():
            if names:
                call.screen.message(f"  {kind}: {printable(_some(names))}")
    return answer(call.screen, f"Run {plural(len(records), 'such command')}?")


def _some(names: Sequence[str]) -> str:
    """The first of some names, and all that may be more than names: a placeholder makes them part of a command."""
    shown = [name for place, name in enumerate(names) if place < _NAMED or not _PLAIN.fullmatch(name)]
    more = f", and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return ", ".join(shown) + more


def show_dry_run(call: Call, planned: "RunOutcome", *, whole: bool) -> None:
    """Show what would be run: for programs its record, for people its parts or the line alone."""
    if not call.style.for_people:
        call.show(iter([planned]))
        return
    info = planned.details["dry_run_info"]
    for line in _lines(planned.details["run_info"]["cmd"], info) if whole else info["cmd_expanded"].split("\n"):
        call.screen.line(printable(line))
    call.screen.flush()


def _lines(command: str, info: dict[str, Any]) -> Iterator[str]:
    yield "Dry run information"
    yield f" location: {info['pwd_full']}"
    for name in ("inputs", "outputs"):
        if info[name]:
            yield f" expanded {name}:"
            yield from (f"  {path}" for path in info[name])
    yield " command:"
    yield from (f"  {line}" for line in command.split("\n"))
    if command != info["cmd_expanded"]:
        yield " expanded command:"
        yield from (f"  {line}" for line in info["cmd_expanded"].split("\n"))


def show_script(call: Call, text: str) -> None:
    """Show a script as it is; on a terminal, where somebody else's bytes could do harm, made visible."""
    for line in text.removesuffix("\n").split("\n"):
        call.screen.line(printable(line) if call.screen.is_terminal else line)
    call.screen.flush()
