"""What the Python functions refuse, where the command line's own options would have."""

from typing import Any

import pytest

import engram
from engram.model.errors import NoDataset, UsageError


@pytest.fixture(autouse=True)
def outside_of_any_dataset(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [("annex", "each"), ("untracked", "some"), ("eval_subdataset_state", ""), ("recursion_limit", -1)],
)
def test_status_refuses_what_an_argument_cannot_be(name: str, value: object) -> None:
    with pytest.raises(UsageError, match=name):
        engram.status(**{name: value})  # type: ignore[arg-type]  # that is what is wrong with it


@pytest.mark.parametrize("name", ["jobs", "recursion_limit"])
def test_save_refuses_what_a_number_cannot_be(name: str) -> None:
    with pytest.raises(UsageError, match=name):
        engram.save(**{name: -1})  # type: ignore[arg-type]  # that is what is wrong with it


def test_what_an_argument_can_be_is_no_obstacle() -> None:
    with pytest.raises(NoDataset):
        engram.status(annex="all", untracked="no", eval_subdataset_state="commit", recursion_limit=0)


def test_an_empty_list_of_paths_lets_go_of_nothing() -> None:
    """A search that found nothing is no wish to remove all there is."""
    nothing: list[str] = []
    for verb in (engram.drop, engram.remove):
        with pytest.raises(UsageError, match="empty"):
            verb(nothing, dataset=".")
