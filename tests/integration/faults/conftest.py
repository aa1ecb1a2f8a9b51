"""What the fault tests start from."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engram.durable import Steps
from engram.testing.places import Template, fresh_folder, scratch
from tests.integration.faults.operations import DATASET, Expected, create, dataset_with_changes, save


@pytest.fixture(scope="module")
def scene() -> Iterator[Path]:
    """A folder in memory for the tests of one module."""
    with scratch() as folder:
        yield folder


@pytest.fixture(scope="module")
def changed(scene: Path, git_annex: Path) -> Template:
    """A folder with a dataset in which every kind of change waits.

    It was saved once here, so that the children in which faults happen find all modules loaded.
    """
    template = Template(dataset_with_changes(fresh_folder(scene)), scene)
    assert save(template.fresh(), Steps()) == 0
    return template


@pytest.fixture(scope="module")
def expected(changed: Template) -> Expected:
    """What must be kept of it."""
    return Expected(changed.original / DATASET)


@pytest.fixture(scope="module")
def empty(scene: Path, git_annex: Path) -> Callable[[], Path]:
    """A new empty folder at each call; a dataset was created once here, so that children find all modules loaded."""
    assert create(fresh_folder(scene), Steps()) == 0
    return lambda: fresh_folder(scene)


@pytest.fixture(scope="session")
def stride(request: pytest.FixtureRequest) -> Callable[[int], int]:
    """How many steps lie between two that are tried: as many as asked for, none in a long run."""
    return lambda usually: 1 if request.config.getoption("--long") else usually
