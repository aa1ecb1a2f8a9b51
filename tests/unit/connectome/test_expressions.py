"""Formulas of ROIs: what people write works, what attackers write is refused, before anything was computed."""

import pytest

from engram.connectome.expressions import LONGEST, read_formula, read_template
from engram.connectome.operations import BadFormula


@pytest.mark.parametrize(
    ("text", "x", "value"),
    [
        ("x", 1905, 1905),
        ("x // 100", 1905, 19),
        ("x % 100", 1905, 5),
        ("(x >> 8) & 0xff", 0x1234, 0x12),
        ("x / 100", 1950, 19.5),
        ("int(x / 100) - 18", 1905, 1),
        ("'L' if x < 1000 else 'R'", 1905, "R"),
        ("{1: 'alpha', 2: 'beta'}[x]", 2, "beta"),
        ("{1: 'alpha'}.get(x, 'none')", 2, "none"),
        ("['alpha', 'beta'][x - 1]", 2, "beta"),
        ("str(x)[:2]", 1905, "19"),
        ("str(x).zfill(6)", 1905, "001905"),
        ("f'{x // 100:02d}-{x % 100:02d}'", 1905, "19-05"),
        ("x in (1, 2, 3) and not x == 2", 3, True),
        ("min(x, 7) + max(x, 7) * abs(-x) ** 2", 3, 66),
        ("round(x / 7, 2)", 3, 0.43),
        ("None if x > 10 else x", 11, None),
        ("1 < x <= 5", 5, True),
    ],
)
def test_what_people_write_gives_what_python_gives(text: str, x: int, value: object) -> None:
    assert read_formula(text)(x) == value
    assert eval(text, {}, {"x": x}) == value


@pytest.mark.parametrize(
    ("text", "x", "name"),
    [
        ("ME_R_col_{x // 100}_{x % 100}", 1905, "ME_R_col_19_5"),
        ("ME_R_col_{x // 100:02d}_{x % 100:02d}", 1905, "ME_R_col_19_05"),
        ("ME_R_layer_{x:02}", 7, "ME_R_layer_07"),
        ("layer {x!r:>4} of {{10}}", 7, "layer    7 of {10}"),
        ("{'odd' if x % 2 != 0 else 'even'}:{x}", 7, "odd:7"),
        ("{ {1: 'a', 7: 'b'}[x] }{x}", 7, "b7"),
        ("no field at all", 7, "no field at all"),
    ],
)
def test_a_template_is_an_f_string(text: str, x: int, name: str) -> None:
    assert read_template(text)(x) == name
    assert eval(f'f"{text}"', {}, {"x": x}) == name


#: Each would run code, read what is secret, take all memory or never end, were it given to Python.
ATTACKS = [
    "__import__('os').system('id')",
    "open('/etc/passwd').read()",
    "eval('1')",
    "exec('1')",
    "compile('1', '', 'eval')",
    "x.__class__",
    "().__class__.__base__.__subclasses__()",
    "''.__class__.__mro__",
    "(lambda: 1)()",
    "[y for y in (1, 2)]",
    "{y for y in (1, 2)}",
    "(y for y in (1, 2))",
    "(y := 5)",
    "globals()",
    "vars()",
    "getattr(x, 'real')",
    "input()",
    "breakpoint()",
    "print(x)",
    "type(x)",
    "'{0.__class__}'.format(x)",
    "'%1000000000d' % x",
    "'a'.join(['b'] * 1000000000)",
    "9 ** 9 ** 9 ** 9",
    "2 ** 100000000",
    "1 << 10 ** 9",
    "'a' * 10 ** 9",
    "10 ** 9 * 'a'",
    "[0] * 10 ** 9",
    "b'a' * 1000",
    "f'{x:1000000000d}'",
    "f'{x:{x}}'",
    "str(x).zfill(10 ** 9)",
    "round(x, -10 ** 9)",
    "float('inf')",
    "float('nan')",
    "1e308 * 10",
    "(-8) ** 0.5",
    "int('9' * 1000)",
    "x if x else x.real",
    "x; x",
    "x\nx",
    "import os",
    "x = 1",
    "(1)(2)",
    "(1, 2)",
    "*x",
    "str(*[x])",
    "max(x, key=x)",
    "{**{}}",
    "await x",
    "yield x",
    "1j",
    "...",
    "x @ x",
    "x\0",
    "os",
    "",
    "'" + "a" * LONGEST,
    "(" * 500 + "x" + ")" * 500,
    "-" * 900 + "x",
    "+".join(["x"] * 400),
    "'\\N{DIGIT ONE}' 'x",
]


@pytest.mark.parametrize("text", ATTACKS, ids=range(len(ATTACKS)))
def test_an_attack_is_refused(text: str) -> None:
    with pytest.raises(BadFormula):
        read_formula(text)(5)


@pytest.mark.parametrize(
    "text",
    [
        "{__import__('os').system('id')}",
        '" + __import__("os").getcwd() + "',
        "{x.__class__}",
        "{x:{x}}",
        "{x:999999999d}",
        "{x!z}",
        "{x=}",
        "{",
        "{x",
        "}",
        "{}",
        "a\\n{x}",
        "{[1, 2]}",
        "{open('a')}",
    ],
)
def test_an_attack_in_a_template_is_refused_or_is_plain_text(text: str) -> None:
    if "{" in text or "}" in text:
        with pytest.raises(BadFormula):
            read_template(text)(5)
    else:
        assert read_template(text)(5) == text


@pytest.mark.parametrize("text", ["1 // (x - 5)", "[1][x]", "{}[x]", "int('a')", "x + 'a'", "len(x)", "'a' < x"])
def test_what_cannot_be_computed_says_for_which_id(text: str) -> None:
    with pytest.raises(BadFormula, match="x = 5"):
        read_formula(text)(5)


def test_an_unknown_name_is_told() -> None:
    with pytest.raises(BadFormula, match="there is no y in it: the ROI's id is x"):
        read_formula("y + 1")


def test_equal_texts_are_equal_formulas() -> None:
    assert read_formula("x + 1") == read_formula("x + 1") != read_formula("x + 2")
    assert len({read_formula("x"), read_formula("x")}) == 1


def test_each_id_gets_its_value() -> None:
    assert read_template("c{x}").of_each([3, 1]) == {3: "c3", 1: "c1"}
