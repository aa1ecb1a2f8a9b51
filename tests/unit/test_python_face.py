"""``import engram`` costs nothing, and its functions have DataLad's names and arguments."""

import inspect
import subprocess
import sys

import pytest

import engram
from engram.model.outcome import IncompleteResults, Outcome, Status
from engram.workspace.verbs import arguments, comparing, nesting, recording, upkeep

OK = Outcome(action="save", item="a", status=Status.OK)


def test_importing_engram_loads_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import engram; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["engram"]


@pytest.mark.parametrize("name", engram.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(engram, name).__doc__
    assert name in dir(engram)


def test_any_other_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        engram.nothing  # noqa: B018  # it is the look that counts


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        (recording.create, "path initopts dataset cfg_proc force annex message description backend"),
        (
            recording.save,
            "path message dataset version_tag updated message_file to_git jobs amend recursive recursion_limit",
        ),
        (upkeep.configuration, "action spec scope dataset recursive recursion_limit"),
        (upkeep.clean, "dataset what recursive recursion_limit"),
        (upkeep.wtf, "dataset sections"),
        (comparing.diff, "path fr to dataset annex untracked recursive recursion_limit"),
        (
            nesting.subdatasets,
            "path dataset state recursive recursion_limit contains bottomup set_property delete_property",
        ),
        (recording.status, "path dataset annex untracked recursive recursion_limit eval_subdataset_state"),
    ],
)
def test_arguments_are_datalads(verb: object, arguments: str) -> None:
    assert list(inspect.signature(verb).parameters) == arguments.split()  # type: ignore[arg-type]  # all are functions


def test_when_something_failed_the_outcomes_are_raised() -> None:
    bad = Outcome(action="save", item="b", status=Status.IMPOSSIBLE)
    assert arguments.collected(iter([OK])) == [OK]
    with pytest.raises(IncompleteResults) as raised:
        arguments.collected(iter([OK, bad, OK]))
    assert raised.value.outcomes == (OK, bad, OK)
