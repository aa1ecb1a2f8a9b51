"""The long form: a save in which the k-th system call of any process fails, or kills it; git and git-annex included."""

import re
from pathlib import Path

import pytest

from engram.testing.places import Template
from engram.testing.processes import Ended
from engram.testing.syscalls import KILLS, REFUSALS, Fault, fault_at_every_call, why_no_strace
from tests.conftest import NOT_HERE
from tests.integration.faults.operations import Expected, save_command

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(3600)]


def _is_about_a_pipe(errors: str) -> bool:
    """Whether the write that strace let fail went to a program that was started; no pipe is ever full, or sick."""
    report = re.search(r"saved in (\S+\.txt)", errors)
    return report is not None and "self._input_offset += os.write" in Path(report[1]).read_text()


@pytest.fixture(autouse=True)
def strace() -> None:
    if reason := why_no_strace():
        pytest.skip(f"{NOT_HERE} {reason}" if "ptrace" in reason else f"{reason}: ./dev services")


@pytest.mark.parametrize("fault", [*KILLS, *REFUSALS], ids=str)
def test_a_save_withstands_a_fault_at_every_system_call(changed: Template, expected: Expected, fault: Fault) -> None:
    def plainly(folder: Path, ended: Ended) -> None:
        assert "Traceback" not in ended.errors
        assert "bug in engram" not in ended.errors or _is_about_a_pipe(ended.errors)
        expected.nothing_lost(folder)

    fault_at_every_call(save_command, changed.fresh, expected.all_saved, fault, when_ended=plainly)
