"""How much memory a command may take, and what happens when it asks for more."""

import resource

import pytest

from engram.model.errors import TooLittleMemory, UsageError
from engram.workspace.memory import held_to, memory_of

MIB = 1 << 20


@pytest.mark.parametrize("memory", ["much", "1", "255MiB", "-8GB"])
def test_what_is_no_size_or_too_little_is_refused(memory: str) -> None:
    with pytest.raises(UsageError):
        memory_of(memory)


def test_half_of_what_is_free_is_taken_unless_something_is_said() -> None:
    assert memory_of("1GiB") == 1024 * MIB
    assert memory_of("") >= 256 * MIB


def test_far_more_than_was_given_is_not_taken() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(TooLittleMemory) as refused, held_to(300 * MIB, "query"):
        bytearray(2048 * MIB)
    assert (refused.value.step, refused.value.memory_mib, refused.value.advised_mib) == ("query", 300, 600)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_what_was_given_is_there() -> None:
    with held_to(300 * MIB, "query"):
        assert len(bytearray(200 * MIB)) == 200 * MIB


def test_a_limit_that_was_there_before_stays_one() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (before[1] if before[1] != resource.RLIM_INFINITY else 1 << 40, before[1]))
    lower = resource.getrlimit(resource.RLIMIT_DATA)
    try:
        with held_to(1 << 50, "query"):
            assert resource.getrlimit(resource.RLIMIT_DATA) == lower
        assert resource.getrlimit(resource.RLIMIT_DATA) == lower
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
