"""Git or the annex: which rule counts, which backend, and when only git itself could say what it keeps."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from engram.datasets.saving.choosing import Chooser, Rules
from engram.model.errors import BadExpression

Values = Mapping[bytes, bytes | bool | None]


def chooser(top: Path, attributes: Values, **rules: str | bool | None) -> Chooser:
    given = {"largefiles": None, "fallback": None, "backend": "SHA256E", "has_annex": True, **rules}
    return Chooser(Rules(attributes=lambda path, names: attributes, **given), bytes(top))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ruling", "attribute", "fallback", "large"),
    [
        (None, None, None, True),
        (None, b"", "nothing", False),
        (None, b"nothing", "anything", False),
        ("anything", b"nothing", "nothing", True),
        ("largerthan=5b", None, "anything", False),
        (None, None, "largerthan=5b", False),
    ],
)
def test_configuration_rules_over_attributes_and_these_over_what_clones_agreed_on(
    tmp_path: Path, ruling: str | None, attribute: bytes | None, fallback: str | None, large: bool
) -> None:
    chosen = chooser(tmp_path, {b"annex.largefiles": attribute}, largefiles=ruling, fallback=fallback)
    assert chosen.choose(b"a.dat", 5)[0] is large
    assert chosen.hand_over == ""


@pytest.mark.parametrize(
    ("attribute", "backend"),
    [
        (None, "SHA256E"),
        (b"MD5E", "MD5E"),
        (b"NONSENSE", "SHA256E"),
        (b"WORM", "WORM"),
        (b"Xours", "Xours"),
        (True, "SHA256E"),
    ],
)
def test_a_backend_that_an_attribute_misspells_is_passed_over(
    tmp_path: Path, attribute: bytes | bool | None, backend: str
) -> None:
    assert chooser(tmp_path, {b"annex.backend": attribute}).choose(b"a", 1) == (True, backend)


@pytest.mark.parametrize("rules", [{"to_git": True}, {"has_annex": False}])
def test_without_an_annex_or_when_asked_for_everything_goes_to_git(tmp_path: Path, rules: dict[str, bool]) -> None:
    assert chooser(tmp_path, {b"annex.largefiles": b"anything"}, **rules).choose(b"a", 1)[0] is False


@pytest.mark.parametrize("value", [True, False])
def test_an_attribute_without_an_expression_is_refused(tmp_path: Path, value: bool) -> None:
    with pytest.raises(BadExpression):
        chooser(tmp_path, {b"annex.largefiles": value}).choose(b"a", 1)


@pytest.mark.parametrize("where", ["largefiles", "fallback"])
def test_a_rule_that_does_not_parse_is_refused_before_any_file_is_looked_at(tmp_path: Path, where: str) -> None:
    with pytest.raises(BadExpression):
        chooser(tmp_path, {}, **{where: "largerthan="})


@pytest.mark.parametrize(
    ("attributes", "content", "converted"),
    [
        ({b"filter": b"lfs"}, b"text\n", True),
        ({b"filter": b"annex"}, b"text\n", False),
        ({b"filter": False}, b"text\n", False),
        ({b"ident": True}, b"$Id$\n", True),
        ({b"text": b"auto"}, b"text\n", False),
        ({b"text": b"auto"}, b"te\r\nxt\n", True),
        ({b"eol": b"crlf"}, b"te\r\nxt\n", True),
        ({b"text": False}, b"te\r\nxt\n", False),
    ],
)
def test_what_git_would_convert_on_its_way_into_git_is_left_to_it(
    tmp_path: Path, attributes: dict[bytes, bytes | bool | None], content: bytes, converted: bool
) -> None:
    (tmp_path / "a").write_bytes(content)
    to_annex, to_git = chooser(tmp_path, attributes), chooser(tmp_path, attributes, to_git=True)
    for one in (to_annex, to_git):
        one.choose(b"a", len(content))
    assert (to_annex.hand_over, bool(to_git.hand_over)) == ("", converted)


def test_line_ends_that_a_setting_converts_are_looked_for_in_what_goes_to_git(tmp_path: Path) -> None:
    (tmp_path / "unix").write_bytes(b"x" * (2 << 20))
    (tmp_path / "dos").write_bytes(b"x" * (2 << 20) + b"\r\n")
    for name, handed_over in ((b"unix", False), (b"dos", True), (b"went away", True)):
        one = chooser(tmp_path, {}, to_git=True, converts_line_ends=True)
        one.choose(name, 2 << 20)
        assert bool(one.hand_over) is handed_over
