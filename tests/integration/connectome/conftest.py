"""What flyem-snapshot made of a small connectome, and what we make of it."""

from pathlib import Path

import pytest

from engram.connectome.building import Limits, build
from engram.connectome.config.reading import read_config
from engram.durable import Steps
from tests.connectomes import unpack_golden


@pytest.fixture(scope="session")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample: ``input`` and ``expected``."""
    return unpack_golden(tmp_path_factory.getbasetemp().parent)


@pytest.fixture(scope="session")
def ours(golden: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The snapshot that engram builds of the sample."""
    folder = tmp_path_factory.mktemp("ours") / "out"
    config = read_config(str(golden / "input" / "config.yaml"), here=str(folder.parent), output_dir=str(folder))
    limits = Limits(memory_bytes=1 << 30, threads=2)
    now = "2026-01-01T00:00:00+00:00"
    list(build(config, Steps(), limits, version="1", now=lambda: now, plots=False))  # plots have tests of their own
    return folder
