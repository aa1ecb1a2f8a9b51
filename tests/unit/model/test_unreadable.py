"""What cannot be read is told with what helps."""

import os

import pytest

from engram.model.errors import Unreadable


@pytest.mark.parametrize(
    ("number", "advice"),
    [(2, "Put it there, or mend its path where it is named"), (13, "Make it readable (chmod u+r)")],
)
def test_a_file_that_is_not_there_needs_no_other_mode(number: int, advice: str) -> None:
    assert Unreadable("a.feather", os.strerror(number)).next_step.startswith(advice)
