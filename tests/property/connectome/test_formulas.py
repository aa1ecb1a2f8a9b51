"""A formula gives what Python gives, or is refused."""

from hypothesis import given
from hypothesis import strategies as st

from engram.connectome.expressions import read_formula, read_template
from engram.connectome.operations import BadFormula

numbers = st.one_of(st.integers(0, 10_000).map(str), st.sampled_from(["x", "0.5", "2.0", "True", "-1"]))
texts = st.sampled_from(["'a'", "'L'", "str(x)", "f'{x:03d}'", "'ab'[0]"])


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def of(form: str) -> st.SearchStrategy[str]:
        return st.tuples(inner, inner, inner).map(lambda parts: form.format(*parts))

    return st.one_of(
        st.tuples(inner, st.sampled_from("+ - * / // % ** << >> & | ^ < <= == != > >= and or".split()), inner).map(
            lambda parts: "({} {} {})".format(*parts)
        ),
        of("({0} if {1} else {2})"),
        of("(not {0})"),
        of("(-{0})"),
        of("(~{0})"),
        of("({0} in ({1}, {2}))"),
        of("({0} < {1} <= {2})"),
        of("max({0}, {1}, {2})"),
        of("min([{0}, {1}])"),
        of("{{{0}: {1}}}.get({2})"),
        of("[{0}, {1}][{2}]"),
        of("str({0})[:3]"),
        of("int({0})"),
        of("round({0}, 2)"),
        of("f'{{{0}}}-{{{1}!r}}'"),
    )


formulas = st.recursive(numbers | texts, _grown, max_leaves=8)


def _is_large(text: str, x: int) -> bool:
    """Whether Python would need long for it: such a power, shift or repetition is refused here."""
    try:
        read_formula(text)(x)
    except BadFormula as error:
        return "large" in str(error) or "long" in str(error) or "without end" in str(error)
    return False


@given(formulas, st.integers(0, 100_000))
def test_what_is_computed_is_what_python_computes(text: str, x: int) -> None:
    try:
        ours = read_formula(text)(x)
    except BadFormula as error:
        reason = str(error)
        if _is_large(text, x) or reason.startswith(("it is no expression", "it gives a list")):
            return
        try:
            theirs = eval(text, {}, {"x": x})
        except (ArithmeticError, LookupError, SyntaxError, TypeError, ValueError):
            return  # neither does Python compute it
        raise AssertionError(f"{text} is refused ({reason}), and is {theirs!r}") from error
    theirs = eval(text, {}, {"x": x})
    assert type(ours) is type(theirs)
    assert ours == theirs


pieces = st.one_of(
    st.text("abcLR_() -", max_size=5), st.sampled_from(["{x}", "{x // 100:02d}", "{x % 7!r:>4}", "{{", "}}"])
)


@given(st.lists(pieces, max_size=6).map("".join), st.integers(0, 100_000))
def test_a_template_gives_what_an_f_string_gives(text: str, x: int) -> None:
    assert read_template(text)(x) == eval(f'f"{text}"', {}, {"x": x})


@given(st.text(max_size=60), st.integers(0, 100))
def test_whatever_is_written_is_computed_or_refused(text: str, x: int) -> None:
    for read in (read_formula, read_template):
        try:
            value = read(text)(x)
        except BadFormula:
            continue
        assert value is None or isinstance(value, int | float | str)
