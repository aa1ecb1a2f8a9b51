"""Nodes into records: by the types of their fields, with every problem at its place.

What a field may be stands in its annotation alone. Nothing is converted but a whole number that is written as 1e6.
"""

import types
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from engram.connectome.config.hierarchy import FILES, ROISET, Written
from engram.connectome.config.kinds import InputFile, Number
from engram.connectome.config.meta import Tree
from engram.connectome.config.nodes import (
    MOST_PROBLEMS,
    Listed,
    Mapped,
    Node,
    Path,
    Problem,
    Scalar,
    Where,
    shortened,
    spelled,
)
from engram.model.nearest import nearest, nearest_of

Record = TypeVar("Record", bound=msgspec.Struct)
Kind: TypeAlias = Any  # a type, or an annotation around one: Python has no type for these

_BELONG_IN_QUOTES = "put it into quotes"
_ALSO_TRUTHS = {"yes", "no", "on", "off", "y", "n"}


#: Stands for a value of which nothing could be made.
NOTHING = object()


class Shaper:
    """Reads nodes of one file as records."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        #: The paths of values that were of the wrong kind.
        self.broken: list[Path] = []
        #: Where each value stands, by its path.
        self.places: dict[Path, Where] = {}

    def complain(self, where: Where, path: Path, message: str) -> object:
        """Note a problem of a value as it is written; what is given stands for that value."""
        self.broken.append(path)
        self.problems.append(Problem(where, self.file, spelled(path), message))
        return NOTHING

    def note(self, path: Path, message: str) -> None:
        """Note a problem of a value of the right kind, where it stands or where it would."""
        known = next(path[:length] for length in range(len(path), -1, -1) if path[:length] in self.places)
        self.problems.append(Problem(self.places[known], self.file, spelled(path), message))

    def shape(self, kind: Kind, node: Node, path: Path) -> Any:  # noqa: ANN401 (it is of that kind)
        """A node as a value of a kind; where that does not do a problem is noted, and `NOTHING` is given."""
        self.places.setdefault(path, node.where)
        origin: Any = get_origin(kind)
        if origin is Annotated:
            return self._annotated(kind, node, path)
        if origin in (Union, types.UnionType):
            return self._one_of(get_args(kind), node, path)
        if origin is Literal:
            return self._choice(get_args(kind), node, path)
        if origin is tuple:
            return self._list(get_args(kind), node, path)
        if origin is not None and issubclass(origin, Mapping):
            return self._mapping(get_args(kind)[1], node, path)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            record = self.record(kind, node, path)
            return NOTHING if record is None else record
        return plain(node) if kind is object else self._scalar(kind, node, path)

    # ---- single values ---------------------------------------------------------------------------------------------

    def _scalar(self, kind: Kind, node: Node, path: Path) -> Any:  # noqa: ANN401 (it is of that kind)
        if not isinstance(node, Scalar):
            return self._wrong(kind, node, path)
        value = node.value
        if kind in (int, float) and node.reads_two_ways:
            return self.complain(node.where, path, f"{node.text} is another number in other programs: drop the 0")
        if kind in (int, float) and node.is_endless:
            return self.complain(node.where, path, f"{node.text} is no number that can be used here")
        if kind is float and type(value) is int:
            return value
        if kind is int and type(value) is float and value.is_integer():
            return int(value)
        return value if type(value) is kind else self._wrong(kind, node, path)

    def _wrong(self, kind: Kind, node: Node, path: Path) -> object:
        hint = ""
        if isinstance(node, Scalar):
            if kind is str:
                hint = f": {_BELONG_IN_QUOTES}" if node.value is not None else ": write '' for none"
            elif kind is bool and node.text.lower() in _ALSO_TRUTHS:
                hint = ": write true or false"
            elif kind in (int, float) and node.quoted and type(Scalar(node.text).value) in (int, float):
                hint = ": take the quotes away"
        return self.complain(node.where, path, f"{told(node)} stands where {named(kind)} is expected{hint}")

    def _choice(self, choices: tuple[str, ...], node: Node, path: Path) -> Any:  # noqa: ANN401 (it is one of these)
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return self._wrong(Literal[choices], node, path)
        if node.text not in choices:
            nearest = nearest_of(node.text, [choice or repr(choice) for choice in choices])
            return self.complain(node.where, path, f"{node.text!r} is none of the words that stand here{nearest}")
        return node.text

    def _annotated(self, kind: Kind, node: Node, path: Path) -> Any:  # noqa: ANN401 (it is of that kind)
        inner, *marks = get_args(kind)
        if any(isinstance(mark, Tree) for mark in marks):
            return self.tree(node, path)
        value = self.shape(inner, node, path)
        for mark in marks:
            problem = ""
            if isinstance(mark, msgspec.Meta) and type(value) in (int, float):
                problem = _out_of_bounds(value, mark)
            elif isinstance(mark, InputFile) and isinstance(value, str):
                problem = _no_such_name(value, mark)
            if problem:
                return self.complain(node.where, path, f"{told(node)} {problem}")
        return value

    # ---- several values --------------------------------------------------------------------------------------------

    def _one_of(self, kinds: tuple[Kind, ...], node: Node, path: Path) -> Any:  # noqa: ANN401 (it is of one of these)
        if isinstance(node, Scalar) and node.value is None and types.NoneType in kinds:
            return None
        fitting = [kind for kind in kinds if _may_be(kind, node)]
        if not fitting:
            wanted = " or ".join(dict.fromkeys(named(kind) for kind in kinds))
            return self.complain(node.where, path, f"{told(node)} stands where {wanted} is expected")
        trials = []
        for kind in fitting:
            trial = Shaper(self.file)
            trials.append((trial, trial.shape(kind, node, path)))
        chosen, value = min(trials, key=lambda one: len(one[0].problems))
        self.problems += chosen.problems
        self.broken += chosen.broken
        self.places |= chosen.places
        return value

    def _list(self, kinds: tuple[Kind, ...], node: Node, path: Path) -> Any:  # noqa: ANN401 (a tuple of that kind)
        if not isinstance(node, Listed):
            return self._wrong(tuple, node, path)
        if kinds[-1] is not Ellipsis and len(kinds) != len(node.items):
            return self.complain(
                node.where, path, f"a list of {len(node.items)} stands where {len(kinds)} are expected"
            )
        items = tuple(self.shape(kinds[0], item, (*path, place)) for place, item in enumerate(node.items))
        taken = tuple(item for item in items if item is not NOTHING)
        return taken if kinds[-1] is Ellipsis or len(taken) == len(items) else NOTHING

    def _mapping(self, kind: Kind, node: Node, path: Path) -> Any:  # noqa: ANN401 (a mapping to that kind)
        if not isinstance(node, Mapped):
            return self._wrong(dict, node, path)
        return _taken({name: self.shape(kind, value, (*path, name)) for name, value in self.entries(node, path)})

    def entries(self, node: Mapped, path: Path) -> Iterable[tuple[str, Node]]:
        """Keys and values of a mapping; keys that are no text, or are there twice, are problems."""
        return ((key.text, value) for key, value in self._keyed(node, path))

    def _keyed(self, node: Mapped, path: Path) -> Iterable[tuple[Scalar, Node]]:
        first: dict[str, Where] = {}
        for key, value in node.entries:
            if not isinstance(key, Scalar):
                self.complain(key.where, path, f"{told(key)} stands where a key is expected: keys are words")
            elif not isinstance(key.value, str):
                self.complain(key.where, path, f"the key {key.text or '~'} is no text: {_BELONG_IN_QUOTES}")
            elif key.text in first:
                line = first[key.text].line
                again = f"the key {shortened(key.text)} is here twice{f', first on line {line}' if line else ''}"
                self.complain(key.where, path, again)
            else:
                first[key.text] = key.where
                yield key, value

    def tree(self, node: Node, path: Path) -> Written:
        """A node as a hierarchy of ROIs."""
        self.places.setdefault(path, node.where)
        if isinstance(node, Mapped):
            return {name: self.tree(value, (*path, name)) for name, value in self.entries(node, path)}
        if isinstance(node, Listed):
            return tuple(self.shape(str, item, (*path, place)) for place, item in enumerate(node.items))
        if node.value is None:
            return None
        if isinstance(node.value, str) and (node.text.startswith(ROISET) or node.text.lower().endswith(FILES)):
            return node.text
        expected = "a mapping, a list, null, a .json or .yaml file or roiset://NAME"
        self.complain(node.where, path, f"{told(node)} stands where the ROIs within are expected: {expected}")
        return None

    def _unknown(self, word: Scalar, fields: Iterable[str], path: Path) -> None:
        """Note a key that there is not, and what may have been meant, which is not missed then."""
        key, is_read = (
            shortened(word.text),
            len(self.problems) < MOST_PROBLEMS,
        )  # looking for what is near takes a while
        self.complain(word.where, path, f"there is no key {key}{nearest_of(key, fields) if is_read else ''}")
        self.broken[-1] = (*path, nearest(key, fields) if is_read else key)

    def record(self, kind: type[Record], node: Node, path: Path) -> Record | None:
        """A mapping as a record: all its keys known, those that are required there. What does not do is left out."""
        self.places.setdefault(path, node.where)
        if not isinstance(node, Mapped):
            self._wrong(dict, node, path)
            return None
        hints, named_field = hints_of(kind), getattr(kind, "NAMED", "")
        fields = {field.encode_name: field.name for field in msgspec.structs.fields(kind) if field.name != named_field}
        values: dict[str, Any] = {}
        others: dict[str, Any] = {}
        for word, value in self._keyed(node, path):
            key = word.text
            if key in fields:
                values[fields[key]] = self.shape(hints[fields[key]], value, (*path, key))
            elif named_field:
                others[key] = self.shape(get_args(hints[named_field])[1], value, (*path, key))
            else:
                self._unknown(word, fields, path)
        for name in getattr(kind, "REQUIRED", ()):
            key = next(key for key, field in fields.items() if field == name)
            if name not in values and (*path, key) not in self.broken:
                self.complain(node.where, path, f"{key} is missing")
                self.broken[-1] = (*path, key)
        if named_field:
            values[named_field] = _taken(others)
        return kind(**_taken(values))


def _taken(values: dict[str, Any]) -> dict[str, Any]:
    """The values without those of which nothing could be made."""
    return {name: value for name, value in values.items() if value is not NOTHING}


def hints_of(kind: type[msgspec.Struct]) -> dict[str, Kind]:
    """The annotation of each field."""
    return get_type_hints(kind, include_extras=True)


def plain(node: Node) -> object:
    """A node as Python's own values."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Listed):
        return [plain(item) for item in node.items]
    return {key.text: plain(value) for key, value in node.entries if isinstance(key, Scalar)}


def told(node: Node) -> str:
    """What a node is, for people."""
    if isinstance(node, Listed):
        return "a list"
    if isinstance(node, Mapped):
        return "a mapping"
    value = node.value
    if value is None:
        return "nothing"
    text = shortened(node.text)
    return f"the text {text!r}" if isinstance(value, str) else text


_NAMES: dict[Kind, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    tuple: "a list",
    dict: "a mapping",
    object: "anything",
    types.NoneType: "null",
}


def named(kind: Kind) -> str:
    """What a kind is, for people.

    >>> named(str), named(tuple[str, ...] | None), named(dict[str, bool])
    ('text', 'a list of texts or null', 'a mapping to true or false')
    """
    origin: Any = get_origin(kind)
    if origin is Annotated:
        return _named_marked(kind)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(map(named, get_args(kind))))
    if origin is Literal:
        return " or ".join(repr(choice) if not choice else str(choice) for choice in get_args(kind))
    if origin is tuple:
        inner, *rest = get_args(kind)
        plural = {str: "texts", float: "numbers"}.get(inner, "mappings")
        return f"a list of {plural}" if rest == [Ellipsis] else f"a list of {1 + len(rest)} {plural}"
    if origin is not None:
        return f"a mapping to {named(get_args(kind)[1])}"
    return _NAMES.get(kind, "a mapping")


def _named_marked(kind: Kind) -> str:
    inner, *marks = get_args(kind)
    for mark in marks:
        if isinstance(mark, InputFile) and mark.is_folder:
            return "a folder"
        if isinstance(mark, InputFile):
            return f"a file ({', '.join(mark.endings)})" + (" or a link" if mark.may_be_link else "")
        if isinstance(mark, Tree):
            return "a hierarchy of ROIs"
        if isinstance(mark, msgspec.Meta):
            return f"{named(inner)} {_bounds(mark)}"
    return named(inner)


def _bounds(mark: msgspec.Meta) -> str:
    if mark.ge is not None and mark.le is not None:
        return f"from {mark.ge} to {mark.le}"
    return f"above {mark.gt}" if mark.gt is not None else f"from {mark.ge} on"


def _no_such_name(value: str, mark: InputFile) -> str:
    if "://" in value:
        return "" if mark.may_be_link else "is a link, and only files are read here"
    fits = not value or not mark.endings or value.lower().endswith(mark.endings)
    return "" if fits else f"ends in none of {', '.join(mark.endings)}"


def _out_of_bounds(value: Number, mark: msgspec.Meta) -> str:
    low = (mark.ge is not None and value < mark.ge) or (mark.gt is not None and value <= mark.gt)
    high = mark.le is not None and value > mark.le
    return f"is not {_bounds(mark)}" if low or high else ""


def _may_be(kind: Kind, node: Node) -> bool:
    """Whether a node has the form of a kind, whatever stands in it."""
    origin: Any = get_origin(kind)
    if origin is Annotated:
        return _may_be(get_args(kind)[0], node)
    if isinstance(node, Listed):
        return origin is tuple
    if isinstance(node, Mapped):
        mapping = origin is not None and isinstance(origin, type) and issubclass(origin, Mapping)
        return mapping or (isinstance(kind, type) and issubclass(kind, msgspec.Struct))
    return origin is Literal or kind in (str, int, float, bool)
