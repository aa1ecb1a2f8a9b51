"""Configurations to start from: every key with its default, and what it means beside it.

Made from the records, so that they cannot drift: a template reads back as the defaults.
"""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

import msgspec

from engram.connectome.config.meta import Meta
from engram.connectome.config.records import Config
from engram.connectome.config.shaping import Kind, hints_of
from engram.connectome.config.writing import inline, plain_data
from engram.model.notes import field_notes, plain

_WIDTH = 100
_HEAD = "Relative paths start from the folder of this file. A key that is left out has the value that stands here."
#: What stands for a name that the file chooses.
NAME = "NAME"


def template(*, meta: bool = False, comments: bool = False) -> str:
    """A configuration with every key and its default; *meta*: the file that describes the dataset for neuPrint."""
    kind: type[msgspec.Struct] = Meta if meta else Config
    head = [*_comment(f"{_first(kind)} {_HEAD}", 0), ""] if comments else []
    return "\n".join([*head, *_lines(kind(), 0, comments)]) + "\n"


def _lines(record: msgspec.Struct, indent: int, comments: bool) -> Iterator[str]:
    kind, margin = type(record), " " * indent
    hints, notes = hints_of(kind), field_notes(kind)
    for field in sorted(msgspec.structs.fields(kind), key=lambda one: one.name == named_field(kind)):
        value = getattr(record, field.name)
        if comments:
            yield from _comment(told(kind, field.name, notes, hints), indent)
        if field.name in own_fields(kind):
            yield from _value(field.encode_name, value, f"{margin}# ") if comments else ()
        elif field.name == named_field(kind):
            yield from _example(hints[field.name], indent, NAME) if comments else ()
        else:
            yield from _field(field.encode_name, value, indent, comments)
            if comments and not value:
                yield from _example(hints[field.name], indent + 2, NAME)


def _field(key: str, value: object, indent: int, comments: bool) -> Iterator[str]:
    margin = " " * indent
    if isinstance(value, msgspec.Struct):
        yield f"{margin}{key}:"
        yield from _lines(value, indent + 2, comments)
    elif isinstance(value, Mapping) and any(isinstance(inner, msgspec.Struct) for inner in value.values()):
        yield f"{margin}{key}:"
        for name, inner in value.items():
            yield f"{margin}  {name}:"
            yield from _lines(inner, indent + 4, comments)
    else:
        yield from _value(key, value, margin)


def _value(key: str, value: object, margin: str) -> Iterator[str]:
    """A key and its value: in one line, or a long list with an item in each."""
    data = plain_data(value)
    line = f"{margin}{key}: {inline(data)}"
    if len(line) <= _WIDTH or not isinstance(data, list | Mapping):
        yield line
        return
    yield f"{margin}{key}:"
    if isinstance(data, list):
        yield from (f"{margin}- {inline(item)}" for item in data)
    else:
        yield from (f"{margin}  {inline(name)}: {inline(inner)}" for name, inner in data.items())


def _example(kind: Kind, indent: int, name: str) -> Iterator[str]:
    """An entry of a list or a mapping that is empty by default, as a comment."""
    inner = entry_kind(kind)
    if inner is None:
        return
    lines = list(_lines(inner(), 0, comments=False))
    origin: Any = get_origin(kind)
    if origin is tuple:
        lines = [f"{'- ' if number == 0 else '  '}{line}" for number, line in enumerate(lines)]
    else:
        lines = [f"{name}:", *(f"  {line}" for line in lines)]
    yield from (f"{' ' * indent}# {line}" for line in lines)


def _comment(text: str, indent: int) -> Iterator[str]:
    margin = f"{' ' * indent}# "
    yield from textwrap.wrap(text, _WIDTH, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)


# ---- what the reference is made from, too ----------------------------------------------------------------------------


def named_field(kind: type[msgspec.Struct]) -> str:
    """The field that takes the keys which a file chooses freely; '' for none."""
    return str(getattr(kind, "NAMED", ""))


def own_fields(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """The fields that flyem-snapshot does not know: a template shows them as comments, so that both take it."""
    return tuple(getattr(kind, "OWN", ()))


def entry_kind(kind: Kind) -> type[msgspec.Struct] | None:
    """The record that a list or mapping holds; None when it holds none."""
    for inner in get_args(kind):
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            return inner
    return None


def told(kind: type[msgspec.Struct], name: str, notes: Mapping[str, str], hints: Mapping[str, Kind]) -> str:
    """What a field means, whether it must be given, and which words it takes."""
    choices = _choices(hints[name])
    words = f" One of: {', '.join(choice or repr(choice) for choice in choices)}." if choices else ""
    return f"{notes[name]}{words}{' Must be given.' if name in getattr(kind, 'REQUIRED', ()) else ''}"


def _choices(kind: Any) -> tuple[str, ...]:  # noqa: ANN401 (a type, or an annotation around one)
    return get_args(kind) if get_origin(kind) is Literal else ()


def _first(kind: type) -> str:
    return plain((kind.__doc__ or "").strip().partition("\n")[0])
