"""Reading and printing by a template undo each other."""

from contextlib import suppress
from datetime import date, datetime

from hypothesis import assume, given
from hypothesis import strategies as st

from engram.model.errors import BadTemplate, UsageError
from engram.sessions.dates import DIRECTIVES, TIMES, printed
from engram.sessions.templates import FIELDS, Template, parse_template

_LITERALS = st.text("ab0_-. é", max_size=4)
_DAYS = st.sampled_from(["%Y%m%d", "%Y-%m-%d", "%m%d%y", "%d%m%Y", "%d-%b-%Y", "%Y_%j", "%y%m%d"])
_CLOCKS = st.sampled_from(["", "_%H%M%S", "T%H-%M-%S", "_%H%M", "_%H%M%S%f"])
_TEXT_FIELDS = st.sampled_from(sorted(set(FIELDS) - set(TIMES)))


@st.composite
def templates(draw: st.DrawFn) -> Template:
    parts = [draw(_LITERALS)]
    for name in draw(st.lists(_TEXT_FIELDS, min_size=1, max_size=3)):
        kind = draw(st.sampled_from(["", ":d", ":w"]))
        field = f"{{{name}{kind}}}"
        parts.append(f"[{draw(st.sampled_from(['_', '-x']))}{field}]" if draw(st.booleans()) else field)
        parts.append(draw(st.sampled_from(["", "/", "_", "-"])))
    parts.append(f"{{session:{draw(_DAYS)}{draw(_CLOCKS)}}}")
    parts.append(draw(_LITERALS))
    try:
        return parse_template("".join(parts))
    except BadTemplate:
        assume(False)
        raise


_NAMES = st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=8)
_MOMENTS = st.datetimes(datetime.fromisoformat("1969-01-01"), datetime.fromisoformat("2068-12-31"))


@given(templates(), st.dictionaries(_TEXT_FIELDS, _NAMES | st.text("019", min_size=1)), _MOMENTS)
def test_what_is_printed_is_read_back(template: Template, fields: dict[str, str], moment: datetime) -> None:
    try:
        path = template.print(fields, moment)
    except UsageError:
        return
    named = template.read(path)
    assert named is not None
    assert {name: text for name, text in named.fields.items() if name not in TIMES} == {
        name: text for name, text in fields.items() if name in template.names
    }
    assert template.print(named.fields) == path


@given(templates(), st.data())
def test_what_is_read_is_printed_again(template: Template, data: st.DataObject) -> None:
    path = data.draw(st.from_regex(template._pattern, fullmatch=True))
    named = template.read(path)
    if named is not None:
        assert template.print(named.fields) == path


@given(templates(), st.data())
def test_every_folder_above_one_that_is_read_may_hold_it(template: Template, data: st.DataObject) -> None:
    path = data.draw(st.from_regex(template._pattern, fullmatch=True))
    if template.read(path) is not None:
        parts = path.split("/")
        assert all(template.may_hold("/".join(parts[:depth])) for depth in range(1, len(parts) + 1))


@given(_MOMENTS, st.sampled_from(sorted(DIRECTIVES)))
def test_every_directive_has_one_width(moment: datetime, letter: str) -> None:
    width = {"Y": 4, "b": 3, "j": 3, "f": 6}.get(letter, 2)
    assert len(printed(moment, f"%{letter}")) == width
    assert len(printed(date(moment.year, moment.month, moment.day), f"%{letter}")) == width


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_any_text_is_a_template_or_refused(text: str) -> None:
    with suppress(BadTemplate):
        assert parse_template(text).text == text
