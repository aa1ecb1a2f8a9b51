"""Mass files that are text: YAML and JSON, as nodes. Nothing in them is turned into numbers, dates or objects here.

Source: https://www.rfc-editor.org/rfc/rfc8259
"""

import json
import re
from collections.abc import Iterator

from engram.model.errors import ExtraMissing
from engram.sessions.massfile.nodes import (
    DEEPEST,
    LARGEST_BYTES,
    MOST_NODES,
    Listed,
    Mapped,
    Node,
    Problem,
    Refused,
    Text,
    Where,
)


def read_text(data: bytes, *, is_json: bool) -> tuple[list[Node], list[Problem]]:
    """The documents of a file; empty, with the problem, when it cannot be read. Raises `ExtraMissing`."""
    try:
        if len(data) > LARGEST_BYTES:
            raise Refused(f"it is larger than {LARGEST_BYTES >> 20} MiB")
        text = _decoded(data)
        return ([_from_json(text)] if is_json else _from_yaml(text)), []
    except Refused as refused:
        return [], [refused.problem]


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Refused(f"its byte {error.start} is not UTF-8: save it as UTF-8", line) from error


# --- JSON


def _from_json(text: str) -> Node:
    try:
        # Numbers stay the text that they are: 2.50 is the name of a room.
        found = json.loads(
            text, parse_int=_Number, parse_float=_Number, parse_constant=_constant, object_pairs_hook=_Pairs
        )
    except json.JSONDecodeError as error:
        raise Refused(f"it is no JSON: {error.msg[:1].lower()}{error.msg[1:]}", error.lineno) from error
    except RecursionError as error:
        raise Refused(f"it is deeper than {DEEPEST} levels") from error
    return _Nodes(text).node(found, 0)


class _Number(str):
    """A number's text."""

    __slots__ = ()


class _Pairs(list[tuple[str, object]]):
    """An object's members, in their order; a name may be there twice."""


def _constant(word: str) -> object:
    raise Refused(f"{word} is no value of JSON")


class _Nodes:
    """Turns what the JSON reader gives into nodes, as far as there are not too many.

    That reader tells no lines: the words of the text are counted along, which come in the order of the nodes.
    """

    def __init__(self, text: str) -> None:
        self._count = 0
        self._lines = _lines(text)

    def node(self, found: object, depth: int) -> Node:
        """One of them."""
        self._count += 1
        if depth > DEEPEST:
            raise Refused(f"it is deeper than {DEEPEST} levels")
        if self._count > MOST_NODES:
            raise Refused(f"it holds more than {MOST_NODES} values")
        where = Where(next(self._lines))
        if isinstance(found, _Pairs):
            return Mapped(tuple((self._name(name), self.node(value, depth + 1)) for name, value in found), where)
        if isinstance(found, list):
            return Listed(tuple(self.node(value, depth + 1) for value in found), where)
        if isinstance(found, bool):
            return Text("true" if found else "false", where)
        return Text("" if found is None else str(found), where, quoted=type(found) is str)

    def _name(self, name: str) -> Text:
        return Text(name, Where(next(self._lines)), quoted=True)


_WORD = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[-0-9a-z][-+.0-9A-Za-z]*')


def _lines(text: str) -> Iterator[int]:
    """In which line of a sound JSON text each object, list, name and value begins, in their order."""
    line, last = 1, 0
    for word in _WORD.finditer(text):
        line += text.count("\n", last, word.start())
        last = word.start()
        yield line


def _from_yaml(text: str) -> list[Node]:
    try:
        from engram.sessions.massfile.yaml_nodes import nodes_of_yaml  # here, because JSON and tables do not need it
    except ModuleNotFoundError as error:
        if error.name != "yaml":
            raise
        raise ExtraMissing("pyyaml", "pip install '.[lab]' in engram's clone") from error
    return list(nodes_of_yaml(text))
