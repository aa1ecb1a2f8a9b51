"""What formulas compute with: Python's own operations, but nothing that becomes large and nothing that runs code."""

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

#: What may stand within a formula: values, and lists or dictionaries of them to choose from.
Inner: TypeAlias = Any
Compiled: TypeAlias = Callable[[int], Inner]

#: A value is larger than any id, or longer than any name.
MOST_BITS, LONGEST_TEXT = 256, 1000
_FARTHEST_PLACE = 30


class BadFormula(ValueError):
    """A formula that is not read, or that gives nothing for an id: why, as a part of a sentence."""


def constant(value: Inner, x: int) -> Inner:  # noqa: ARG001 (it is the same for all)
    """A value that is the same for all ids."""
    return value


def joined(parts: Iterable[Compiled], x: int) -> str:
    """Texts one after the other."""
    return str(small("".join(part(x) for part in parts)))


def formatted(compute: Compiled, conversion: str, spec: str, x: int) -> str:
    """A value as text, in a format that was checked."""
    value = compute(x)
    if isinstance(value, dict | tuple | list):
        raise TypeError("a list has no text")
    return format(_CONVERSIONS[conversion](value) if conversion else value, spec)


def small(value: Inner) -> Inner:
    """The value. Raises `BadFormula` when it is larger than a formula may make it."""
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        raise BadFormula("it gives numbers that are too large")
    if isinstance(value, float) and not abs(value) < float("inf"):
        raise BadFormula("it gives no number, or one without end")
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise BadFormula("it gives text that is too long")
    return value


def of_kind(kind: type, value: Inner) -> Inner:
    """The value. Raises `TypeError` when it is of another kind."""
    if not isinstance(value, kind):
        raise TypeError("the method belongs to another kind of value")
    return value


def _is_number(value: Inner) -> bool:
    return isinstance(value, int | float)


def _numbers(operate: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """An operation that only numbers have here: % of a text is a format, + of lists makes longer ones."""

    def compute(left: Inner, right: Inner) -> Inner:
        if not (_is_number(left) and _is_number(right)):
            raise TypeError("it takes numbers")
        return operate(left, right)

    return compute


def _add(left: Inner, right: Inner) -> Inner:
    return left + right if isinstance(left, str) and isinstance(right, str) else _numbers(operator.add)(left, right)


def _multiply(left: Inner, right: Inner) -> Inner:
    for text, count in ((left, right), (right, left)):
        if isinstance(text, str) and isinstance(count, int):
            if len(text) * count > LONGEST_TEXT:
                raise BadFormula("it gives text that is too long")
            return text * count
    return _numbers(operator.mul)(left, right)


def _power(base: Inner, exponent: Inner) -> Inner:
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * max(exponent, 0) > 2 * MOST_BITS:
        raise BadFormula("it gives numbers that are too large")
    value = _numbers(operator.pow)(base, exponent)
    if isinstance(value, complex):
        raise TypeError("the root of a negative number")
    return value


def _shift_left(value: Inner, places: Inner) -> Inner:
    if isinstance(places, int) and places > MOST_BITS:
        raise BadFormula("it gives numbers that are too large")
    return _numbers(operator.lshift)(value, places)


def _round(value: Inner, places: Inner = None) -> Inner:
    if isinstance(places, int) and abs(places) > _FARTHEST_PLACE:
        raise BadFormula(f"it rounds to more than {_FARTHEST_PLACE} places")
    return round(value) if places is None else round(value, places)


def _zfill(text: str, width: Inner) -> str:
    if isinstance(width, int) and width > LONGEST_TEXT:
        raise BadFormula("it gives text that is too long")
    return text.zfill(width)


def _text(value: Inner = "") -> str:
    if isinstance(value, dict | tuple | list):
        raise TypeError("a list has no text")
    return str(value)


_CONVERSIONS: Mapping[str, Callable[[Any], str]] = {"s": str, "r": repr, "a": ascii}
UNARY: Mapping[type, Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
    ast.Not: operator.not_,
}
BINARY: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: _add,
    ast.Sub: _numbers(operator.sub),
    ast.Mult: _multiply,
    ast.Div: _numbers(operator.truediv),
    ast.FloorDiv: _numbers(operator.floordiv),
    ast.Mod: _numbers(operator.mod),
    ast.Pow: _power,
    ast.LShift: _shift_left,
    ast.RShift: _numbers(operator.rshift),
    ast.BitAnd: _numbers(operator.and_),
    ast.BitOr: _numbers(operator.or_),
    ast.BitXor: _numbers(operator.xor),
}
COMPARE: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": abs,
    "bool": bool,
    "float": float,
    "int": int,
    "len": len,
    "max": max,
    "min": min,
    "round": _round,
    "str": _text,
}
METHODS: Mapping[str, tuple[type, Callable[..., Any]]] = {
    "get": (dict, dict.get),
    "lower": (str, str.lower),
    "upper": (str, str.upper),
    "zfill": (str, _zfill),
}
