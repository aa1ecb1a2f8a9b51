"""An error has a message, a remedy and an exit code, stands in the drawn tree, and has its reference entry."""

import ast
import inspect
import re
from pathlib import Path
from string import Formatter

import pytest

from engram.model import errors
from engram.model.errors import EngramError
from engram.model.outcome import IncompleteResults

DEFINED = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, EngramError)]
#: What is raised; the others are groups, which have no message.
ERRORS = [*(kind for kind in DEFINED if hasattr(kind, "message")), IncompleteResults]
SOURCE = Path(__file__).parents[2] / "src"
REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
#: Name, exit code and depth in the tree, as the module's docstring draws them.
DRAWN = {
    found["name"]: (int(found["code"]), len(found["lead"]) // 4)
    for found in re.finditer(
        r"^ {4}(?P<lead>[│ ├└─]+)(?P<name>\w+) +(?P<code>\d+) {4}\S", errors.__doc__ or "", re.MULTILINE
    )
}


def _all_below(kind: type[EngramError]) -> list[type[EngramError]]:
    below = [each for each in kind.__subclasses__() if each.__module__.startswith("engram.model.")]
    return [kind, *(deeper for each in below for deeper in _all_below(each))]


@pytest.mark.parametrize("error", ERRORS)
class TestErrors:
    def test_says_what_happened_and_what_to_do_in_one_line_each(self, error: type[EngramError]) -> None:
        for text in (error.message, error.remedy):
            assert text
            assert "\n" not in text

    def test_fills_in_nothing_but_its_fields(self, error: type[EngramError]) -> None:
        named = {name for text in (error.message, error.remedy) for _, name, _, _ in Formatter().parse(text) if name}
        assert named <= set(error.field_names())

    def test_survives_a_process_pool(self, error: type[EngramError]) -> None:
        made = error(*("7" for _ in error.field_names()))
        kind, values = made.__reduce__()[:2]
        assert vars(kind(*values)) == vars(made)

    def test_has_an_entry_in_the_reference(self, error: type[EngramError]) -> None:
        assert f"\n## {error.__name__}\n" in (REFERENCE / "errors.md").read_text()


@pytest.mark.parametrize("module", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_what_is_wrong_is_said_in_a_sentence(module: Path) -> None:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "UsageError" and node.args:
            end = node.args[0].values[-1] if isinstance(node.args[0], ast.JoinedStr) else node.args[0]
            assert not isinstance(end, ast.Constant) or str(end.value)[-1] in ".?", f"{module}, line {node.lineno}"


@pytest.mark.parametrize("error", [kind for kind in _all_below(EngramError) if kind is not EngramError])
def test_the_drawn_tree_shows_every_class_where_it_belongs(error: type[EngramError]) -> None:
    ancestors = [kind for kind in error.__mro__[1:] if issubclass(kind, EngramError)]
    assert DRAWN.get(error.__name__) == (error.exit_code, len(ancestors))


def test_the_drawn_tree_holds_nothing_else() -> None:
    assert set(DRAWN) == {kind.__name__ for kind in _all_below(EngramError)} - {"EngramError"}


def test_what_a_room_refines_for_itself_says_nothing_else_than_what_it_refines() -> None:
    kinds = list(EngramError.__subclasses__())
    for kind in kinds:
        kinds += kind.__subclasses__()
        if kind.__module__.startswith("engram.") and not kind.__module__.startswith("engram.model."):
            assert not {"message", "remedy", "exit_code"} & vars(kind).keys(), kind


def test_a_group_is_never_raised() -> None:
    groups = {kind.__name__ for kind in DEFINED} - {kind.__name__ for kind in ERRORS}
    for module in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in groups, f"{module}, line {node.lineno}"
