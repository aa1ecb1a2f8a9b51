"""A command, option, setting, error or record without its reference entry, or an entry without its thing, fails."""

from pathlib import Path

from engram.cli.reference import differences, reference

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


def test_the_reference_says_what_the_code_says() -> None:
    stale = differences(str(FOLDER), reference())
    assert not stale, f"./dev run python -m engram.cli.reference docs/reference would change {stale}"
