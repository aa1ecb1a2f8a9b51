"""YAML as nodes.

YAML 1.1 makes 1021 of ``102_1``, 30,600 of ``08:30:00``, a truth of ``no``, and a million rows of ten aliases: so only
its parser is used, which makes nothing of a scalar, and anchors, aliases and tags are refused.

Source: https://yaml.org/spec/1.1/
"""

from collections.abc import Iterator
from itertools import islice

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    Event,
    MappingEndEvent,
    NodeEvent,
    ScalarEvent,
)

from engram.sessions.massfile.nodes import DEEPEST, MOST_NODES, Listed, Mapped, Node, Refused, Text, Where

#: How YAML writes that there is nothing.
_NOTHING = ("~", "null", "Null", "NULL")


def nodes_of_yaml(text: str) -> Iterator[Node]:
    """What each document holds. Raises `Refused`."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same events, in a twentieth of the time
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=loader):
            yield from builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(str(part) for part in (error.context, error.problem) if part)
        raise Refused(f"it is no YAML: {what}", mark.line + 1 if mark else 0) from error
    except (yaml.YAMLError, ValueError) as error:
        raise Refused(f"it is no YAML: {str(error).splitlines()[0]}") from error


class _Builder:
    """Puts nodes together from the events of a YAML stream."""

    def __init__(self) -> None:
        #: Lists and mappings that are not closed: what is in each so far, and where it began.
        self._open: list[tuple[list[Node], Where]] = []
        self._count = 0

    def take(self, event: Event) -> Iterator[Node]:
        """What a document holds, when the event ends it."""
        where = Where(event.start_mark.line + 1 if event.start_mark else 0)
        if isinstance(event, NodeEvent):
            self._look_at(event, where.number)
        if isinstance(event, CollectionStartEvent):
            self._open.append(([], where))
        elif isinstance(event, ScalarEvent):
            yield from self._put(_scalar(event, where))
        elif isinstance(event, CollectionEndEvent):
            inner, began = self._open.pop()
            is_mapping = isinstance(event, MappingEndEvent)
            yield from self._put(_mapped(inner, began) if is_mapping else Listed(tuple(inner), began))

    def _look_at(self, event: NodeEvent, line: int) -> None:
        """Refuse what a file of facts has no use for, and what is too much of it."""
        self._count += 1
        if isinstance(event, AliasEvent):
            raise Refused(f"*{event.anchor} is an alias: write out what it stands for", line)
        if event.anchor is not None:
            raise Refused(f"&{event.anchor} is an anchor: write out each place where it is used", line)
        if (tag := getattr(event, "tag", None)) is not None:
            raise Refused(f"the tag {tag} is not read: put text into quotes instead", line)
        if len(self._open) > DEEPEST:
            raise Refused(f"it is deeper than {DEEPEST} levels", line)
        if self._count > MOST_NODES:
            raise Refused(f"it holds more than {MOST_NODES} values", line)

    def _put(self, node: Node) -> Iterator[Node]:
        if self._open:
            self._open[-1][0].append(node)
        else:
            yield node


def _scalar(event: ScalarEvent, where: Where) -> Text:
    quoted = bool(event.style)  # None or "" of what stands plain, as the parser is
    return Text("" if not quoted and event.value in _NOTHING else event.value, where, quoted)


def _mapped(inner: list[Node], where: Where) -> Mapped:
    entries = []
    for key, value in zip(islice(inner, 0, None, 2), islice(inner, 1, None, 2), strict=True):
        if not isinstance(key, Text):
            raise Refused("a key is a list or a mapping: keys are words", where.number)
        entries.append((key, value))
    return Mapped(tuple(entries), where)
