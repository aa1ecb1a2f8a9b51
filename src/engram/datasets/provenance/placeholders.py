"""Placeholders in commands and in the names of inputs and outputs: ``{inputs}``, ``{outputs[0]}``, ``{dspath}``, ….

A record may come from anywhere, so that a placeholder reaches what it names and nothing behind it: no attributes, no
calls, no widths that fill the memory. Source: datalad-run(1), "Command format"; runs of DataLad 1.7.1.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from string import Formatter
from typing import TypeAlias

from engram.model.errors import UsageError

#: What a placeholder stands for.
Value: TypeAlias = str | Sequence[str]

_FIELD = re.compile(r"([^\[\].]+)(?:\[([0-9]{1,9})\])?")
_SPEC = re.compile(r"([^0-9]?[<>^])?[0-9]{0,3}(\.[0-9]{1,3})?s?")
_PARSER = Formatter()


def filled(text: str, values: Mapping[str, Value]) -> str:
    """The text with its placeholders replaced; several values are joined by a space, ``{{`` is a brace.

    >>> filled("cp {inputs} {outputs[1]} {{x}}", {"inputs": ["a", "b"], "outputs": ["c", "d"]})
    'cp a b d {x}'

    Raises:
        UsageError: for one that stands for nothing.
    """
    return "".join(_pieces(text, values))


def _pieces(text: str, values: Mapping[str, Value]) -> Iterator[str]:
    try:
        parts = list(_PARSER.parse(text))
    except ValueError as error:
        raise _bad(text, f"a brace stands alone ({error})") from error
    for literal, field, spec, conversion in parts:
        yield literal
        if field is not None:
            value = _value(text, field, values)
            if not _SPEC.fullmatch(spec or "") or conversion not in (None, "s"):
                raise _bad(text, f"{{{field}}} is to be formatted in a way that is not known here")
            texts = (value,) if isinstance(value, str) else value
            yield " ".join(format(one, spec or "") for one in texts)


def _value(text: str, field: str, values: Mapping[str, Value]) -> Value:
    match = _FIELD.fullmatch(field)
    if match is None or match[1] not in values:
        raise _bad(text, f"{{{field}}} stands for nothing")
    value = values[match[1]]
    if match[2] is None:
        return value
    place = int(match[2])
    if isinstance(value, str) or place >= len(value):
        raise _bad(text, f"there is no {{{field}}}")
    return value[place]


def _bad(text: str, problem: str) -> UsageError:
    return UsageError(
        f"The placeholders in {text!r} cannot be filled in: {problem}.",
        "A brace that is meant as one is written twice: {{ and }}. Which placeholders there are: engram run --help",
    )


def filled_names(names: Sequence[str], values: Mapping[str, Value]) -> tuple[str, ...]:
    """Names of inputs or outputs with their placeholders replaced; one that is ``{outputs}`` stands for all of them."""
    if len(names) == 1 and names[0].startswith("{") and names[0].endswith("}"):
        value = values.get(names[0][1:-1])
        if value is not None and not isinstance(value, str):
            return tuple(value)
    return tuple(filled(name, values) for name in names)
