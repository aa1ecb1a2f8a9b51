"""One call from its words to its exit code."""

import os
from collections.abc import Sequence
from dataclasses import replace

import click

from engram.cli.call import SOME_FAILED, Call
from engram.cli.render import show_error, show_records, standard_screen
from engram.cli.root import BEFORE, COMMANDS, COMPLETE, build
from engram.model.errors import EngramError, StorageFailed, UsageError
from engram.model.outcome import Outcome, Status, failure

_BUG = 1


def call_here() -> Call:
    """A call from this process's folder, environment and streams."""
    environment = dict(os.environ)
    try:
        folder = os.getcwd()
    except FileNotFoundError:
        folder = ""
    return Call(screen=standard_screen(environment), environment=environment, folder=folder)


def run(call: Call, words: Sequence[str], *, commands: str = COMMANDS, heard: Sequence[KeyboardInterrupt] = ()) -> int:
    """Do what the words say; gives the exit code. A signal's `KeyboardInterrupt` is reported and passed on.

    Args:
        heard: the signal, once it came: a library that it ended may say so by an error of its own.
    """
    try:
        return _done(call, words, commands)
    except click.exceptions.NoArgsIsHelpError as error:
        call.screen.message(error.format_message())
        return UsageError.exit_code
    except click.ClickException as error:
        return _failed(call, _as_usage_error(call, error), words)
    except KeyboardInterrupt:
        _interrupted(call, words)
        raise
    except Exception as error:  # whatever was not foreseen is a bug of ours, and says so in one line
        if heard:
            _interrupted(call, words)
            raise heard[0] from error
        return _failed(call, error, words) if isinstance(error, EngramError) else _bug(call, error, words)


def _done(call: Call, words: Sequence[str], commands: str) -> int:
    if not call.folder:
        raise UsageError("The current folder is gone.", "Go into another one: cd")
    root = build(commands)
    if instruction := call.environment.get(COMPLETE):
        from click.shell_completion import shell_complete  # here, because only a shell asks

        return shell_complete(root, {"obj": call}, "engram", COMPLETE, instruction)
    try:
        with root.make_context("engram", list(words), obj=call) as context:
            root.invoke(context)
    except click.exceptions.Exit as end:
        call.exit_code = int(end.exit_code)
    call.screen.flush()
    if call.screen.trouble:
        raise StorageFailed("Standard output", call.screen.trouble)
    return call.exit_code


def _as_usage_error(call: Call, error: click.ClickException) -> UsageError:
    if isinstance(error, click.NoSuchOption):
        return _no_such_option(call, error)
    return UsageError(error.format_message(), _help_of(call))


def _help_of(call: Call) -> str:
    return f"See: engram {call.command} --help".replace("  ", " ")


def _no_such_option(call: Call, error: click.NoSuchOption) -> UsageError:
    from difflib import get_close_matches  # both here, because they are needed for a mistake alone

    from engram.cli.datalad_words import missing_option

    before = [name for option in BEFORE for name in option.opts] + ["--version"]
    if known := missing_option(call.command, error.option_name, before):
        return known
    names = {name.strip("-"): name for name in error.possibilities or ()}
    close = get_close_matches(error.option_name.strip("-"), names, n=1)
    nearest = f"; did you mean {names[close[0]]}?" if close else "."
    return UsageError(f"There is no option {error.option_name}{nearest}", _help_of(call))


def _failed(call: Call, error: EngramError, words: Sequence[str]) -> int:
    """Report an error. When something was done before, the code says so: only a part failed."""
    _report(call, failure(error, action=call.command, item=getattr(error, "path", "")), words, error.lines)
    return SOME_FAILED if call.something_was_done else error.exit_code


def _report(call: Call, outcome: Outcome, words: Sequence[str], lines: Sequence[str] = ()) -> None:
    """Say what is wrong in two lines (or in *lines*, and one), and in a JSON line where a program listens.

    A call that does not parse may not have got to its ``--json``, so that the words decide, too.
    """
    show_error(call.screen, outcome, lines)
    if not call.style.is_json and "--json" in words:
        call.style = replace(call.style, form="json")
    if call.style.is_json:
        show_records(call.screen, call.style, outcome, "")
    call.screen.flush()


def _interrupted(call: Call, words: Sequence[str]) -> None:
    remedy = "Nothing that was reported is lost. Run the same command again: it does the rest."
    _report(call, _ended(call, "Interrupted", "Interrupted.", remedy), words)


def _bug(call: Call, error: Exception, words: Sequence[str]) -> int:
    from engram.cli.files import save_traceback, traceback_of  # here, because there are no bugs

    text = traceback_of(error)
    path = save_traceback(text)
    if call.shows_tracebacks or not path:
        call.screen.message(text)
    kept = f"its traceback was saved in {path}" if path else "its traceback stands above"
    message = f"This is a bug in engram ({type(error).__name__}: {error}); {kept}."
    remedy = "Nothing that was reported is lost. Please report it, with that traceback."
    _report(call, _ended(call, "Bug", message, remedy), words)
    return _BUG


def _ended(call: Call, error: str, message: str, remedy: str) -> Outcome:
    """An end that nobody foresaw, as an outcome."""
    return Outcome(action=call.command, item="", status=Status.ERROR, message=message, error=error, remedy=remedy)
