"""Explain a topic, or a command.

Without a TOPIC the topics are listed. A command's name shows the same as its --help.

    engram help exit-codes
    engram help save
    engram --json help json          the schemas of the JSON lines
    engram --json help settings      the schema of the settings file
"""

from collections.abc import Callable, Mapping

import click

from engram.cli.call import Call
from engram.cli.pages import topic_text
from engram.cli.root import Verb, Verbs
from engram.cli.schemas import Help, Published, Schema, schemas, settings_schema
from engram.cli.topics import TOPICS
from engram.model.errors import UsageError


@click.command(cls=Verb, help=__doc__)
@click.argument("topic", nargs=-1)
@click.pass_context
def command(context: click.Context, topic: tuple[str, ...]) -> None:
    call = context.find_object(Call)
    assert call is not None, "main hands one in"
    published = _PUBLISHED.get(" ".join(topic))
    if published and call.style.is_json:
        call.show_records((Published(describes=name, schema=schema) for name, schema in published().items()), str)
        return
    name = " ".join(topic)
    call.show_text(Help(topic=name, text=_text(context, topic, call.screen.columns)))


#: What these topics give to programs instead of their text.
_PUBLISHED: Mapping[str, Callable[[], dict[str, Schema]]] = {
    "json": schemas,
    "settings": lambda: {"settings": settings_schema()},
}


def _text(context: click.Context, topic: tuple[str, ...], columns: int) -> str:
    if not topic:
        return _list(columns)
    if len(topic) == 1 and topic[0] in TOPICS:
        return topic_text(TOPICS[topic[0]][1](), columns)
    return _help_of(context.find_root(), topic)


def _list(columns: int) -> str:
    formatter = click.HelpFormatter(width=min(columns, 100))
    formatter.write_dl([(name, tells) for name, (tells, _) in TOPICS.items()])
    return f"engram help TOPIC\n\n{formatter.getvalue()}\nOf a command: engram help COMMAND, or engram COMMAND --help"


def _help_of(root: click.Context, words: tuple[str, ...]) -> str:
    """What a command says with ``--help``."""
    context = root
    for word in words:
        group = context.command
        found = group.get_command(context, word) if isinstance(group, Verbs) else None
        if found is None:
            raise UsageError(f"There is neither a topic nor a command {' '.join(words)!r}.", "See: engram help")
        context = click.Context(found, info_name=word, parent=context)
    return context.get_help()
