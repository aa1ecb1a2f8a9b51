"""What clean hands to the workspace, and what it shows."""

from collections.abc import Iterator
from typing import Any

from engram.model.outcome import DatasetOutcome, Outcome, Status
from engram.workspace.context import Context
from tests.cli.conftest import Engram


class FakeUpkeep:
    def __init__(self, *outcomes: Outcome) -> None:
        self.given = outcomes
        self.asked: dict[str, Any] = {}

    def __call__(self, context: Context) -> "FakeUpkeep":
        return self

    def clean(self, **asked: Any) -> Iterator[Outcome]:
        self.asked = asked
        return iter(self.given)


def looked_at(place: str, status: Status, note: str = "") -> DatasetOutcome:
    return DatasetOutcome(
        action="clean", item=place, status=status, path=f"/ds/{place}", type="directory", refds="/ds", note=note
    )


def test_where_nothing_was_left_behind_one_line_says_so(engram: Engram) -> None:
    there = FakeUpkeep(*(looked_at(name, Status.NOT_NEEDED) for name in ("a", "b")))
    assert engram("clean", rooms={"Upkeep": there}).out == "nothing to clean\n"
    assert engram("-q", "clean", rooms={"Upkeep": there}).out == ""


def test_what_was_removed_stands_in_a_line_each(engram: Engram) -> None:
    there = FakeUpkeep(looked_at("a", Status.OK, "Removed 2"), looked_at("b", Status.NOT_NEEDED))
    assert engram("clean", rooms={"Upkeep": there}).out == "clean(ok): a (directory) [Removed 2]\n"


def test_several_kinds_may_follow_one_option_as_in_datalad(engram: Engram) -> None:
    there = FakeUpkeep()
    assert engram("clean", "--what", "annex-tmp", "annex-transfer", rooms={"Upkeep": there}).code == 0
    assert there.asked["what"] == ("annex-tmp", "annex-transfer")
