"""The workers of a test run get all tests, each once, and the heavy ones first."""

from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from tests.dealing import HEAVY, dealt

ROOT = Path(__file__).parents[2]
HEAVIEST = list(HEAVY)[:3]


@pytest.mark.parametrize("module", HEAVY)
def test_a_heavy_module_is_still_there(module: str) -> None:
    assert (ROOT / module).is_file()


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("count", [0, 1, 5, 13])
def test_every_test_is_dealt_once(workers: int, count: int) -> None:
    tests = [(module, f"{module}::{number}") for module in ("light.py", *HEAVIEST) for number in range(count)]
    assert Counter(dealt(tests, workers)) == Counter(test for _, test in tests)


def test_each_worker_begins_with_a_heavy_module() -> None:
    tests = [("light.py", ("light.py", number)) for number in range(21)]
    tests += [(module, (module, number)) for module in HEAVIEST for number in range(2)]
    all_of_them = iter(dealt(tests, 3))
    parts = [list(islice(all_of_them, 9)) for _ in range(3)]
    assert {part[0][0] for part in parts} == set(HEAVIEST)
    assert all(part[0] == (part[0][0], 0) and part[1] == (part[0][0], 1) for part in parts), "in their order"
    assert {module for part in parts for module, _ in part[2:]} == {"light.py"}


def test_light_tests_keep_their_order() -> None:
    tests = [(module, (module, number)) for number in range(9) for module in ("a.py", HEAVIEST[0], "b.py")]
    assert [test for test in dealt(tests, 3) if test[0] != HEAVIEST[0]] == [
        test for module, test in tests if module != HEAVIEST[0]
    ]


def test_a_module_with_more_tests_than_a_worker_has_room_for_is_no_trouble() -> None:
    tests = [(HEAVIEST[0], number) for number in range(10)]
    assert dealt(tests, 4) == list(range(10))
