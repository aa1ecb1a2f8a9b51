"""Pages of help: a topic, or a command, as plain text for a terminal and as Markdown for the reference."""

import inspect
from collections.abc import Callable, Iterator, Sequence

import click

import engram
from engram.cli.root import BEFORE, SHARED, Verbs, paragraphs
from engram.cli.topic import Topic
from engram.model.notes import plain


def topic_text(topic: Topic, columns: int) -> str:
    """A topic for a terminal."""
    formatter = click.HelpFormatter(width=min(columns, 100))
    for section in topic.sections:
        if section.title:
            formatter.write(f"\n{section.title}\n")
        if section.text:
            formatter.write_text(section.text)
            formatter.write("\n" if section.rows and not section.title else "")
        with formatter.indentation():
            if section.rows:
                formatter.write_dl(section.rows, col_max=24)
    return f"{topic.title}\n\n{formatter.getvalue().strip()}"


def topic_markdown(topic: Topic) -> str:
    """A topic as a page of the reference."""
    parts = [f"# {topic.title}\n"]
    for section in topic.sections:
        parts += [f"## {section.title}\n"] if section.title else []
        parts += [f"{escaped(section.text)}\n"] if section.text else []
        parts += [f"![{escaped(section.picture[1])}]({section.picture[0]})\n"] if section.picture else []
        parts += [_table(("", ""), section.rows)] if section.rows else []
    return "\n".join(parts)


def escaped(text: str) -> str:
    """Text that Markdown takes as it is."""
    marked = "".join(f"\\{char}" if char in "\\*_[]<>`|#$" else char for char in text)
    return marked.replace("{", "\\{").replace("}", "\\}")


def _table(heads: tuple[str, str], rows: tuple[tuple[str, str], ...]) -> str:
    lines = [f"| {heads[0]} | {heads[1]} |", "|---|---|"]
    lines += [f"| {_code(term)} | {escaped(meaning)} |" for term, meaning in rows]
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    return "`` " + text.replace("|", "\\|") + " ``" if "`" in text else "`" + text.replace("|", "\\|") + "`"


def commands(root: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command with its name as it is typed, and a context to ask it with; nouns before their verbs."""
    if not isinstance(root, Verbs):
        return
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        assert command is not None, "it was listed"
        below = click.Context(command, info_name=name, parent=context)
        yield " ".join(below.command_path.split()[1:]), command, below
        yield from commands(command, below)


def command_markdown(name: str, command: click.Command, context: click.Context) -> str:
    """A command as a page of the reference: its help, and every option of its own."""
    usage = context.get_usage().removeprefix("Usage: ")
    words = (f"    {usage}", *paragraphs(command.help or ""))
    rows = _options(command.params, context)
    parts = [f"# engram {name}\n", *(_paragraph(word) for word in words)]
    parts += ["## Options\n", _table(("option", "meaning"), rows)] if rows else []
    return "\n".join(parts)


def options_markdown(context: click.Context) -> str:
    """The options of the frame, as a page of the reference."""
    before = "These stand before the command's name, and mean what they mean in DataLad."
    both = "These may stand before the command's name or after it. So may -h and --help."
    return "\n".join(
        [
            "# Options of every command\n",
            "## Before the command\n",
            f"{before}\n",
            _table(("option", "meaning"), (*_options(BEFORE, context), ("--version", "Show the version and exit."))),
            "## Before and after the command\n",
            f"{both}\n",
            _table(("option", "meaning"), _options(SHARED, context)),
        ]
    )


def python_markdown() -> str:
    """The functions of the Python interface, as a page of the reference."""
    parts = [
        "# Python\n",
        "Names, arguments and records are those of the command line. `import engram` costs nothing.\n",
    ]
    for name, function in _functions():
        signature = _signature(name.rpartition(".")[2], function)
        parts += [f"## engram.{name}\n", f"```text\n{signature}\n```\n", *_docstring(function)]
    return "\n".join(parts)


def _functions() -> Iterator[tuple[str, Callable[..., object]]]:
    """Every function of the Python interface by its name, those of a namespace with its name before theirs."""
    for name in sorted(engram.__all__):
        found = getattr(engram, name)
        if inspect.isfunction(found):
            yield name, found
        elif inspect.ismodule(found):
            for inner, function in sorted(vars(found).items()):
                if inspect.isfunction(function) and function.__module__ == found.__name__:
                    yield f"{name}.{inner}", function


def _signature(name: str, function: Callable[..., object]) -> str:
    """A line for each argument, as it would be written with its default."""
    lines = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "    *," not in lines:
            lines.append("    *,")
        stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
        stars = "**" if parameter.kind is parameter.VAR_KEYWORD else stars
        default = "" if parameter.default is parameter.empty else f"={parameter.default!r}"
        lines.append(f"    {stars}{parameter.name}{default},")
    return "\n".join([f"{name}(", *lines, ")"])


def _docstring(function: Callable[..., object]) -> Iterator[str]:
    """A docstring as Markdown, its arguments as a table."""
    text, _, arguments = (inspect.getdoc(function) or "").partition("\nArgs:\n")
    for paragraph in paragraphs(text):
        yield escaped(plain(" ".join(paragraph.split()))) + "\n"
    rows = [line.strip().partition(": ") for line in arguments.splitlines() if line.strip()]
    if rows:
        yield _table(("argument", "meaning"), tuple((name, plain(meaning)) for name, _, meaning in rows))


def _options(parameters: Sequence[click.Parameter], context: click.Context) -> tuple[tuple[str, str], ...]:
    records = (parameter.get_help_record(context) for parameter in parameters if isinstance(parameter, click.Option))
    return tuple(record for record in records if record is not None)


def _paragraph(text: str) -> str:
    """A paragraph of a docstring; one that is indented becomes a block that is shown, not run."""
    if not text.startswith("    "):
        return escaped(" ".join(text.split())) + "\n"
    return "```text\n" + "\n".join(line.removeprefix("    ") for line in text.splitlines()) + "\n```\n"
