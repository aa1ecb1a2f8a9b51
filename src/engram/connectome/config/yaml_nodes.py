"""YAML as nodes.

Only the parser of the YAML library is used, which makes nothing of a scalar: its reader follows YAML 1.1, in which
``no`` is a truth and ``08:30`` a number. Anchors and merge keys may be used; ten aliases of ten aliases are counted as
what they stand for.
"""

from collections.abc import Iterator
from itertools import islice

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    NodeEvent,
    ScalarEvent,
)

from engram.connectome.config.nodes import DEEPEST, MOST_NODES, Listed, Mapped, Node, Refused, Scalar, Where

_TEXT_TAGS = ("!", "tag:yaml.org,2002:str")
_COLLECTION_TAGS = ("!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_MERGE = "<<"


def node_of_yaml(text: str) -> Node | None:
    """What the only document of a text holds; None of a text without any. Raises `Refused`."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same events, in a twentieth of the time
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(str(part) for part in (error.context, error.problem) if part)
        raise Refused(f"it is no YAML: {what}", Where(mark.line + 1, mark.column + 1) if mark else Where()) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Refused(f"it is no YAML: {(str(error) or type(error).__name__).splitlines()[0]}") from error
    return builder.root


class _Builder:
    """Puts nodes together from the events of a YAML stream."""

    def __init__(self) -> None:
        self.root: Node | None = None
        #: Lists and mappings that are not closed: what is in each so far, where it began, its anchor, its size before.
        self._open: list[tuple[list[Node], Where, str | None, int]] = []
        self._anchored: dict[str, tuple[Node, int, int]] = {}
        self._count = 0
        self._documents = 0

    def take(self, event: Event) -> None:
        """Go on by one event. Raises `Refused`."""
        mark = event.start_mark
        where = Where(mark.line + 1, mark.column + 1) if mark else Where()
        if isinstance(event, DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise Refused("a second document begins here (---): a configuration is one", where)
        if isinstance(event, NodeEvent):
            self._look_at(event, where)
        if isinstance(event, AliasEvent):
            self._put(self._of_alias(event, where), None, 1)
        elif isinstance(event, CollectionStartEvent):
            self._open.append(([], where, event.anchor, self._count))
        elif isinstance(event, ScalarEvent):
            self._put(Scalar(event.value, where, quoted=bool(event.style) or event.tag is not None), event.anchor, 1)
        elif isinstance(event, CollectionEndEvent):
            inner, began, anchor, before = self._open.pop()
            is_mapping = isinstance(event, MappingEndEvent)
            node = Mapped(tuple(_merged(inner)), began) if is_mapping else Listed(tuple(inner), began)
            self._put(node, anchor, self._count - before)

    def _look_at(self, event: NodeEvent, where: Where) -> None:
        self._count += 1
        tag = getattr(event, "tag", None)
        if tag is not None and tag not in (_TEXT_TAGS if isinstance(event, ScalarEvent) else _COLLECTION_TAGS):
            raise Refused(f"the tag {tag} is not read: take it away", where)
        if len(self._open) > DEEPEST:
            raise Refused(f"it is deeper than {DEEPEST} levels", where)
        if self._count > MOST_NODES:
            raise Refused(f"it holds more than {MOST_NODES} values, or its aliases stand for so many", where)

    def _of_alias(self, event: AliasEvent, where: Where) -> Node:
        if event.anchor not in self._anchored:
            raise Refused(f"*{event.anchor} stands for what is not there yet", where)
        node, size, depth = self._anchored[event.anchor]
        self._count += size
        if self._count > MOST_NODES or len(self._open) + depth > DEEPEST:
            raise Refused(f"*{event.anchor} stands for more than a configuration may hold", where)
        return node

    def _put(self, node: Node, anchor: str | None, size: int) -> None:
        if anchor is not None:
            self._anchored[anchor] = (node, size, _depth(node))
        if self._open:
            self._open[-1][0].append(node)
        else:
            self.root = node


def _depth(node: Node) -> int:
    if isinstance(node, Scalar):
        return 0
    inner = node.items if isinstance(node, Listed) else [value for _, value in node.entries]
    return 1 + max(map(_depth, inner), default=0)


def _merged(inner: list[Node]) -> Iterator[tuple[Node, Node]]:
    """The entries of a mapping, with those that its merge keys bring and that it lacks itself."""
    entries = list(zip(islice(inner, 0, None, 2), islice(inner, 1, None, 2), strict=True))
    own = [entry for entry in entries if not _is_merge(entry[0])]
    yield from own
    known = {key.text for key, _ in own if isinstance(key, Scalar)}
    for key, value in entries:
        if _is_merge(key):
            for source in value.items if isinstance(value, Listed) else (value,):
                if not isinstance(source, Mapped):
                    raise Refused("<< takes a mapping, or a list of mappings", key.where)
                new = [entry for entry in source.entries if isinstance(entry[0], Scalar) and entry[0].text not in known]
                known.update(key.text for key, _ in new if isinstance(key, Scalar))
                yield from new


def _is_merge(key: Node) -> bool:
    return isinstance(key, Scalar) and key.text == _MERGE and not key.quoted
