"""The command line's frame: the options before a command, those that hold on both sides, and how commands are found."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from engram import __version__
from engram.cli.call import Call
from engram.cli.render import fill
from engram.model.errors import UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = "engram.cli.commands"
#: The variable with which a shell asks for completions.
COMPLETE = "_ENGRAM_COMPLETE"
FORMATS = ("tailored", "generic", "default", "json", "json_pp", "disabled")
LEVELS = ("critical", "error", "warning", "info", "debug", *"123456789")
STATUSES = {
    "success": ("ok", "notneeded"),
    "failure": ("impossible", "error"),
    **{status: (status,) for status in ("ok", "notneeded", "impossible", "error")},
}
TYPES = ("dataset", "file", "symlink", "directory", "sibling", "key")
_SETTINGS = {"help_option_names": ["-h", "--help", "--help-np"], "max_content_width": 100}


def call_of(context: click.Context) -> Call:
    """The call that click is at work on."""
    call = context.find_object(Call)
    assert call is not None, "main hands one in"
    return call


def _noted(note: Callable[[Call, Any], None]) -> Callable[[click.Context, click.Parameter, object], None]:
    """What an option of the frame does with its value: it is noted in the call, no command sees it."""

    def callback(context: click.Context, _: click.Parameter, value: object) -> None:
        if value not in (None, False, ()) and not context.resilient_parsing:  # a shell only asks for completions
            note(call_of(context), value)

    return callback


def _json(call: Call, _: bool) -> None:
    call.style = replace(call.style, form="json")


def _quiet(call: Call, _: bool) -> None:
    call.style = replace(call.style, quiet=True)


def _lab(call: Call, folder: str) -> None:
    call.lab = folder


def _no_progress(call: Call, _: bool) -> None:
    call.shows_progress = False


def _yes(call: Call, _: bool) -> None:
    call.says_yes = True


def _flag(*names: str, note: Callable[[Call, Any], None], tells: str) -> click.Option:
    return click.Option(names, is_flag=True, help=tells, expose_value=False, callback=_noted(note))


#: Options that hold before and after a command's name.
SHARED: tuple[click.Parameter, ...] = (
    _flag("--json", note=_json, tells="Print JSON lines, nothing else (= -f json)."),
    click.Option(
        ["--lab"],
        metavar="DIR",
        help="The lab to use, instead of the one around this folder.",
        expose_value=False,
        callback=_noted(_lab),
    ),
    _flag("-q", "--quiet", note=_quiet, tells="Show only what failed."),
    _flag("--no-progress", note=_no_progress, tells="Show no progress."),
    _flag("--yes", note=_yes, tells="Agree to amounts and deletions (never to trust)."),
)


def _folder(call: Call, folders: Sequence[str]) -> None:
    for folder in folders:
        call.folder = os.path.realpath(call.absolute(folder))  # as if one had gone there
        if not os.path.isdir(call.folder):
            raise UsageError(f"There is no folder {folder} (-C).", "Check the spelling.")


def _overrides(call: Call, overrides: Sequence[str]) -> None:
    for override in overrides:
        name = override[1:] if override.startswith(":") else override.partition("=")[0]
        if "." not in name.strip(".") or not (override.startswith(":") or "=" in override):
            raise UsageError(f"-c {override} sets nothing.", "Write -c SECTION.NAME=VALUE, or -c :SECTION.NAME.")
    call.overrides = tuple(overrides)


def _form(call: Call, form: str) -> None:
    if "{" in form:
        fill(form, {})
    elif form not in FORMATS:
        raise UsageError(
            f"There is no output format {form!r}.",
            f"There are {', '.join(FORMATS)}, or a template: '{{path}}: {{state}}'",
        )
    call.style = replace(call.style, form="generic" if form == "default" else form)


def _level(call: Call, level: str) -> None:
    from engram.cli.log import listen  # here, because only a developer asks for it

    call.shows_tracebacks = listen(call.screen, level)


def _on_failure(call: Call, choice: str) -> None:
    call.on_failure = choice


def _report_status(call: Call, status: str) -> None:
    call.style = replace(call.style, statuses=frozenset(STATUSES[status]))


def _report_type(call: Call, types: Sequence[str]) -> None:
    call.style = replace(call.style, types=frozenset(types))


#: Options that hold only before a command's name; DataLad's.
BEFORE: tuple[click.Parameter, ...] = (
    click.Option(
        ["-C", "change_path"],
        metavar="PATH",
        multiple=True,
        help="Work as if started in PATH.",
        expose_value=False,
        callback=_noted(_folder),
    ),
    click.Option(
        ["-c", "overrides"],
        metavar="(:NAME|NAME=VALUE)",
        multiple=True,
        help="A setting (engram.…) or a piece of git's configuration for this call; :NAME unsets.",
        expose_value=False,
        callback=_noted(_overrides),
    ),
    click.Option(
        ["-f", "--output-format"],
        metavar="FORMAT",
        help="tailored (default), generic, json, json_pp, disabled, or a template as '{path}: {state}'.",
        expose_value=False,
        callback=_noted(_form),
    ),
    click.Option(
        ["-l", "--log-level"],
        metavar="LEVEL",
        type=click.Choice(LEVELS),
        help="Show the developers' log from this level on: critical, error, warning, info, debug, or 1-9.",
        expose_value=False,
        callback=_noted(_level),
    ),
    click.Option(
        ["--on-failure"],
        metavar="CHOICE",
        type=click.Choice(("ignore", "continue", "stop")),
        help="When an item fails: continue (default), stop at the first, or ignore it (and exit with 0).",
        expose_value=False,
        callback=_noted(_on_failure),
    ),
    click.Option(
        ["--report-status"],
        metavar="STATUS",
        type=click.Choice(tuple(STATUSES)),
        help=f"Show only results with this status: {', '.join(STATUSES)}.",
        expose_value=False,
        callback=_noted(_report_status),
    ),
    click.Option(
        ["--report-type"],
        metavar="TYPE",
        type=click.Choice(TYPES),
        multiple=True,
        help=f"Show only results of this type (repeatable): {', '.join(TYPES)}.",
        expose_value=False,
        callback=_noted(_report_type),
    ),
)


def _on_our_screen(option: click.Option | None) -> click.Option | None:
    """The option ``--help``, shown as results are: a reader that goes away is no bug, a full disk is no success."""
    if option is not None:
        option.callback = _show_help
    return option


def _show_help(context: click.Context, _: click.Parameter, wanted: object) -> None:
    if wanted and not context.resilient_parsing:
        call_of(context).show_lines(context.get_help())
        context.exit()


def _show_version(context: click.Context, _: click.Parameter, wanted: object) -> None:
    if wanted and not context.resilient_parsing:
        call_of(context).show_lines(f"engram {__version__}")
        context.exit()


class Verb(click.Command):
    """A command: its own options, and those that hold on both sides of its name."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), *SHARED]

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        return _on_our_screen(super().get_help_option(ctx))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_options(formatter, ctx, self.params, super().get_params(ctx))

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
        _write_text(formatter, self.help or "")


class UserCommandVerb(Verb):
    """A command that is given a user's own command: from its first word on, everything belongs to that."""

    allow_interspersed_args = False


class Verbs(click.Group):
    """Commands by the names of their files: *package* is a folder with one file for each, or a folder for a noun.

    Nothing is imported before it is called; the help lists the first lines of the files' docstrings.
    """

    def __init__(self, package: str, *, params: Sequence[click.Parameter] = (), settings: dict[str, Any]) -> None:
        module = import_module(package)
        super().__init__(params=list(params), help=module.__doc__, context_settings=settings)
        self._package = package
        self._folder = os.path.dirname(module.__file__ or "")

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), *SHARED]

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        return _on_our_screen(super().get_help_option(ctx))

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return sorted(_files(self._folder))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        file = _files(self._folder).get(cmd_name)
        if file is None:
            return None
        module = f"{self._package}.{os.path.basename(file).removesuffix('.py')}"
        if file.endswith(".py"):
            command: click.Command = import_module(module).command
            return command
        return Verbs(module, settings={})

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in _files(self._folder) and not args[0].startswith("-") and not ctx.resilient_parsing:
            from engram.cli.datalad_words import missing_command  # here, because it is needed for a mistake alone

            known = " ".join([*ctx.command_path.split()[1:], "--help"])
            if ctx.parent is None and (elsewhere := missing_command(args[0])):
                raise elsewhere
            raise UsageError(f"There is no command {args[0]!r}{self._nearest(args[0])}", f"See all: engram {known}")
        if not ctx.resilient_parsing:
            call_of(ctx).command = " ".join([*ctx.command_path.split()[1:], args[0]])
        return super().resolve_command(ctx, args)

    def _nearest(self, name: str) -> str:
        from difflib import get_close_matches  # here, because it is needed for a mistake alone

        close = get_close_matches(name, _files(self._folder), n=1)
        return f"; did you mean {close[0]}?" if close else "."

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        files = sorted(_files(self._folder).items())
        verbs = [(name, first_line(file)) for name, file in files if file.endswith(".py")]
        nouns = [(name, first_line(os.path.join(file, "__init__.py"))) for name, file in files if file[-3:] != ".py"]
        for title, rows in (("Commands", verbs), ("Commands with verbs of their own", nouns)):
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
        _write_options(formatter, ctx, self.params, super().get_params(ctx))

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
        _write_text(formatter, self.help or "")

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        from click.shell_completion import CompletionItem  # here, because only a shell asks

        names = [CompletionItem(name) for name in self.list_commands(ctx) if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]


def _files(folder: str) -> dict[str, str]:
    """The file or folder of each command, by its name: ``foreach_dataset.py`` is ``foreach-dataset``.

    A trailing underscore keeps a name from being a word of Python's: ``import_.py`` is ``import``.
    """
    found = {}
    for entry in os.listdir(folder):
        stem = entry.removesuffix(".py")
        if not entry.startswith(("_", ".")) and (stem != entry or "." not in entry):
            found[stem.rstrip("_").replace("_", "-")] = os.path.join(folder, entry)
    return found


def first_line(file: str) -> str:
    """The first line of a file's docstring, without importing it."""
    with open(file, encoding="utf-8") as text:
        return text.readline().strip().strip('"').rstrip(".")


def _write_options(
    formatter: click.HelpFormatter,
    context: click.Context,
    own: Sequence[click.Parameter],
    with_help: Sequence[click.Parameter],
) -> None:
    """The command's own parameters, and below them those that hold everywhere."""
    everywhere = [*SHARED, *(parameter for parameter in with_help if parameter not in own)]
    own = [parameter for parameter in own if isinstance(parameter, click.Option)]
    for title, parameters in (("Options", own), ("Options before and after a command", everywhere)):
        rows = [row for row in (parameter.get_help_record(context) for parameter in parameters) if row is not None]
        if rows:
            with formatter.section(title):
                formatter.write_dl(rows)


def _write_text(formatter: click.HelpFormatter, text: str) -> None:
    """A docstring: paragraphs are wrapped, what is indented stays as it is."""
    for paragraph in paragraphs(text):
        formatter.write_paragraph()
        with formatter.indentation():
            if paragraph.startswith("    "):
                formatter.write(paragraph + "\n")
            else:
                formatter.write_text(" ".join(paragraph.split()))


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a docstring; one that is indented is to be shown as it is."""
    from inspect import cleandoc  # click has it loaded

    return [paragraph.rstrip() for paragraph in cleandoc(text).split("\n\n") if paragraph.strip()]


def build(commands: str = COMMANDS) -> click.Command:
    """The whole command line. *commands* is the package that holds the commands."""
    ends = click.Option(["--cmd"], is_flag=True, hidden=True, expose_value=False)  # DataLad's: here the command begins
    version = click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        help="Show the version and exit.",
        expose_value=False,
        callback=_show_version,
    )
    return Verbs(commands, params=(*BEFORE, version, ends), settings=_SETTINGS)
