"""Formulas in ``x``, the id of a ROI: names of ROIs, and properties of synapses that follow from where they lie.

flyem-snapshot gives them to Python's ``eval``. Here they are read by a small reader: what is not on its lists is
refused before anything is computed, and whatever is computed stays small. What it takes gives what Python gives.

A ROI set has a few thousand ids at most: a formula is computed once for each, and the table is joined to that.
"""

import ast
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from engram.connectome.operations import (
    BINARY,
    COMPARE,
    FUNCTIONS,
    METHODS,
    UNARY,
    BadFormula,
    Compiled,
    Inner,
    constant,
    formatted,
    joined,
    of_kind,
    small,
)

#: What a formula may give.
Value: TypeAlias = int | float | str | bool | None

#: A formula is longer than people write them, or has more parts: it is refused.
LONGEST, MOST_PARTS = 1000, 200

_SPEC = re.compile(r"(?:[^{}]?[<>=^])?[-+ ]?#?0?[0-9]{0,3}[,_]?(?:\.[0-9]{1,2})?[bcdeEfFgGosxX%]?")


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that was read; two are equal when their texts are."""

    text: str
    _compute: Compiled

    def __call__(self, x: int) -> Value:
        """What it gives for an id. Raises `BadFormula` where Python would raise, and for what is too large.

        >>> read_formula("x // 100")(1905)
        19
        """
        try:
            value = self._compute(x)
        except BadFormula:
            raise
        except (ArithmeticError, TypeError, ValueError, LookupError, RecursionError) as error:
            reason = "nothing is there" if isinstance(error, LookupError) else str(error)
            raise BadFormula(f"it cannot be computed for x = {x}: {reason}") from error
        if value is None or isinstance(value, int | float | str):
            return value
        raise BadFormula("it gives a list or a dictionary, not one value")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Formula) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def of_each(self, ids: Iterable[int]) -> dict[int, Value]:
        """What it gives for each id."""
        return {x: self(x) for x in ids}


def read_formula(text: str) -> Formula:
    """A Python expression in ``x``, as ``x // 100``. Raises `BadFormula`.

    There are numbers, text, lists, dictionaries, arithmetic, bits, comparisons, ``and or not``, ``a if b else c``,
    f-strings, ``[…]``, the functions abs bool float int len max min round str, and the methods upper, lower, zfill of
    text, get of a dictionary.

    >>> read_formula("'left' if x < 1000 else 'right'")(1905)
    'right'
    """
    _check_length(text)
    tree = _parsed(text)
    return Formula(text, _Reader().compiled(tree))


def read_template(text: str) -> Formula:
    """Text in which ``{…}`` stands for what an expression in ``x`` gives, as in an f-string. Raises `BadFormula`.

    >>> read_template("ME_R_col_{x // 100:02d}_{x % 100:02d}")(1905)
    'ME_R_col_19_05'
    """
    _check_length(text)
    reader = _Reader()
    return Formula(text, partial(joined, [reader.part(piece) for piece in _pieces(text)]))


# ---- reading ---------------------------------------------------------------------------------------------------------


def _check_length(text: str) -> None:
    if len(text) > LONGEST:
        raise BadFormula(f"it is longer than {LONGEST} characters")


def _parsed(text: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what Python merely warns of is no formula
            return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else type(error).__name__
        raise BadFormula(f"it is no expression: {reason}") from error


@dataclass(frozen=True, slots=True)
class _Field:
    """What stands in braces."""

    expression: str
    conversion: str
    spec: str


def _pieces(text: str) -> Iterable[str | _Field]:
    """The texts and fields of a template."""
    place, plain = 0, ""
    while place < len(text):
        two = text[place : place + 2]
        if two in ("{{", "}}"):
            plain, place = plain + two[0], place + 2
        elif two[0] == "{":
            if plain:
                yield plain
            end = _end_of_field(text, place + 1)
            yield _field(text[place + 1 : end])
            plain, place = "", end + 1
        elif two[0] in "}\\":
            raise BadFormula(f"a {two[0]} stands alone in it")
        else:
            plain, place = plain + two[0], place + 1
    if plain:
        yield plain


def _end_of_field(text: str, place: int) -> int:
    """Where the brace closes that was opened before *place*."""
    closing = _outside(text, place, "}")
    if closing < 0:
        raise BadFormula("a { is not closed")
    return closing


def _outside(text: str, start: int, wanted: str) -> int:
    """The first of some characters that stands in no quotes and no brackets; -1 for none."""
    depth, quote = 0, ""
    for place in range(start, len(text)):
        character = text[place]
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif depth == 0 and character in wanted and text[place : place + 2] != "!=":
            return place
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
    return -1


def _field(text: str) -> _Field:
    cut = _outside(text, 0, "!:")
    if cut < 0:
        return _Field(text, "", "")
    conversion, spec = "", text[cut + 1 :]
    if text[cut] == "!":
        conversion, _, spec = spec.partition(":")
        if conversion not in ("s", "r", "a"):
            raise BadFormula(f"there is no conversion !{conversion}")
    return _Field(text[:cut], conversion, spec)


class _Reader:
    """Makes functions of syntax trees, and counts their parts."""

    def __init__(self) -> None:
        self._parts = 0

    def part(self, piece: str | _Field) -> Compiled:
        """A piece of a template."""
        if isinstance(piece, str):
            return partial(constant, piece)
        _check_spec(piece.spec)
        return partial(formatted, self.compiled(_parsed(piece.expression)), piece.conversion, piece.spec)

    def compiled(self, node: ast.expr | None) -> Compiled:
        """An expression as a function of x. Raises `BadFormula` for what is not on the lists."""
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise BadFormula(f"it has more than {MOST_PARTS} parts")
        reading = _READINGS.get(type(node))
        if reading is None:
            raise BadFormula(f"{_shown(node)} may not stand in it")
        compute = reading(self, node)
        return lambda x: small(compute(x))

    def constant(self, node: ast.Constant) -> Compiled:
        """A number, a text, a truth or None."""
        if node.value is not None and type(node.value) not in (int, float, str, bool):
            raise BadFormula(f"{_shown(node)} may not stand in it")
        return partial(constant, node.value)

    def name(self, node: ast.Name) -> Compiled:
        """``x``."""
        if node.id != "x":
            raise BadFormula(f"there is no {node.id} in it: the ROI's id is x")
        return lambda x: x

    def sequence(self, node: ast.List | ast.Tuple) -> Compiled:
        """A list to choose from."""
        items, kind = [self.compiled(item) for item in node.elts], tuple if isinstance(node, ast.Tuple) else list
        return lambda x: kind(item(x) for item in items)

    def dictionary(self, node: ast.Dict) -> Compiled:
        """A dictionary to look something up in."""
        keys, values = [self.compiled(key) for key in node.keys], [self.compiled(value) for value in node.values]
        return lambda x: {key(x): value(x) for key, value in zip(keys, values, strict=True)}

    def unary(self, node: ast.UnaryOp) -> Compiled:
        """``-a``, ``+a``, ``~a``, ``not a``."""
        operate, operand = UNARY[type(node.op)], self.compiled(node.operand)
        return lambda x: operate(operand(x))

    def binary(self, node: ast.BinOp) -> Compiled:
        """Arithmetic, bits, and texts joined or repeated."""
        operate = BINARY.get(type(node.op))
        if operate is None:
            raise BadFormula(f"{_shown(node)} may not stand in it")
        left, right = self.compiled(node.left), self.compiled(node.right)
        return lambda x: operate(left(x), right(x))

    def truth(self, node: ast.BoolOp) -> Compiled:
        """``a and b``, ``a or b``: the last one that was looked at."""
        operands, wanted = [self.compiled(value) for value in node.values], isinstance(node.op, ast.Or)

        def compute(x: int) -> Inner:
            value: Inner = None
            for operand in operands:
                value = operand(x)
                if bool(value) is wanted:
                    break
            return value

        return compute

    def comparison(self, node: ast.Compare) -> Compiled:
        """``a < b <= c``, ``a in b``."""
        if any(type(one) not in COMPARE for one in node.ops):
            raise BadFormula(f"{_shown(node)} may not stand in it")
        operators = [COMPARE[type(one)] for one in node.ops]
        operands = [self.compiled(one) for one in (node.left, *node.comparators)]

        def compute(x: int) -> Inner:
            left = operands[0](x)
            for compare, operand in zip(operators, operands[1:], strict=True):
                right = operand(x)
                if not compare(left, right):
                    return False
                left = right
            return True

        return compute

    def choice(self, node: ast.IfExp) -> Compiled:
        """``a if b else c``."""
        test, then, other = (self.compiled(one) for one in (node.test, node.body, node.orelse))
        return lambda x: then(x) if test(x) else other(x)

    def subscript(self, node: ast.Subscript) -> Compiled:
        """``a[b]``, ``a[b:c]``."""
        owner = self.compiled(node.value)
        if not isinstance(node.slice, ast.Slice):
            index = self.compiled(node.slice)
            return lambda x: owner(x)[index(x)]
        ends = [self.compiled(end) if end else None for end in (node.slice.lower, node.slice.upper, node.slice.step)]
        return lambda x: owner(x)[slice(*(end(x) if end else None for end in ends))]

    def call(self, node: ast.Call) -> Compiled:
        """A function or a method that is on its list."""
        if node.keywords or any(isinstance(one, ast.Starred) for one in node.args):
            raise BadFormula(f"{_shown(node)} may not stand in it: only plain arguments are read")
        arguments = [self.compiled(one) for one in node.args]
        if isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
            function = FUNCTIONS[node.func.id]
            return lambda x: function(*(one(x) for one in arguments))
        if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            owner, (kind, method) = self.compiled(node.func.value), METHODS[node.func.attr]
            return lambda x: method(of_kind(kind, owner(x)), *(one(x) for one in arguments))
        raise BadFormula(f"{_shown(node.func)} may not be called in it")

    def joined(self, node: ast.JoinedStr) -> Compiled:
        """An f-string."""
        return partial(joined, [self.compiled(value) for value in node.values])

    def formatted(self, node: ast.FormattedValue) -> Compiled:
        """What stands in the braces of an f-string."""
        spec = ""
        if isinstance(node.format_spec, ast.JoinedStr):
            values = [one.value for one in node.format_spec.values if isinstance(one, ast.Constant)]
            if len(values) != len(node.format_spec.values):
                raise BadFormula("a format may not hold braces")
            spec = "".join(map(str, values))
        _check_spec(spec)
        conversion = chr(node.conversion) if node.conversion > 0 else ""
        return partial(formatted, self.compiled(node.value), conversion, spec)


def _shown(node: ast.AST | None) -> str:
    text = ast.unparse(node) if node is not None else "**"
    return text if len(text) <= 40 else f"{text[:37]}..."


def _check_spec(spec: str) -> None:
    if not _SPEC.fullmatch(spec):
        raise BadFormula(f"the format {spec} is not read")


_READINGS: Mapping[type, Callable[[_Reader, Any], Compiled]] = {
    ast.Constant: _Reader.constant,
    ast.Name: _Reader.name,
    ast.List: _Reader.sequence,
    ast.Tuple: _Reader.sequence,
    ast.Dict: _Reader.dictionary,
    ast.UnaryOp: _Reader.unary,
    ast.BinOp: _Reader.binary,
    ast.BoolOp: _Reader.truth,
    ast.Compare: _Reader.comparison,
    ast.IfExp: _Reader.choice,
    ast.Subscript: _Reader.subscript,
    ast.Call: _Reader.call,
    ast.JoinedStr: _Reader.joined,
    ast.FormattedValue: _Reader.formatted,
}
