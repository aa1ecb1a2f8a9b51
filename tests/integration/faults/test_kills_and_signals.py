"""Create and save survive kill -9 at random times, and stop cleanly when they are told to."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from engram.testing.places import Template
from engram.testing.processes import STOP_SIGNALS, kill_at_random_times, paused, run, signalled
from tests.integration.faults.operations import (
    DATASET,
    Expected,
    create_command,
    git,
    save_command,
)

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SEED = 20_261_121


@pytest.fixture
def count(request: pytest.FixtureRequest) -> int:
    """How often: few times in a usual run, many in a long one."""
    return 200 if request.config.getoption("--long") else 12


def a_dataset(folder: Path) -> None:
    assert git(folder / DATASET, "log", "--format=%s") == "[DATALAD] new dataset\n"
    assert git(folder / DATASET, "status", "--porcelain") == ""
    assert git(folder / DATASET, "annex", "fsck", "--quiet") == ""


def test_a_save_survives_kills_at_random_times(changed: Template, expected: Expected, count: int) -> None:
    kills = kill_at_random_times(
        save_command, changed.fresh, expected.all_saved, count=count, seed=SEED, when_killed=expected.nothing_lost
    )
    assert len(kills) == count


@pytest.mark.usefixtures("git_annex")
def test_a_create_survives_kills_at_random_times(empty: Callable[[], Path], count: int) -> None:
    kills = kill_at_random_times(create_command, empty, a_dataset, count=count, seed=SEED)
    assert len(kills) == count


@pytest.mark.parametrize("number", STOP_SIGNALS)
@pytest.mark.parametrize("share", [0.1, 0.4, 0.7])
def test_a_save_that_is_told_to_stop_leaves_nothing_running_and_can_be_repeated(
    changed: Template, expected: Expected, number: signal.Signals, share: float
) -> None:
    whole_s = run(save_command(changed.fresh())).duration_s
    folder = changed.fresh()
    stopped = signalled(save_command(folder), number, after_s=share * whole_s)
    python_was_starting = "Traceback" in stopped.errors and "import" in stopped.errors
    assert python_was_starting or "Traceback" not in stopped.errors
    assert not stopped.left_running
    if stopped.was_running and stopped.exit_code != 0 and not python_was_starting:
        assert stopped.exit_code in {128 + number, -number}
    expected.nothing_lost(folder)
    assert run(save_command(folder)).exit_code == 0
    expected.all_saved(folder)


def test_a_save_that_slept_goes_on(changed: Template, expected: Expected) -> None:
    folder = changed.fresh()
    assert paused(save_command(folder), after_s=0.1, pause_s=1).exit_code == 0
    expected.all_saved(folder)
