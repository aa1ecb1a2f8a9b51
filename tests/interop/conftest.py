"""The peers that engram's datasets are held against."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.peers import DataLad


@pytest.fixture(scope="session")
def datalad_api(datalad: Path) -> Iterator[DataLad]:
    """The real DataLad, kept running for all tests."""
    api = DataLad(datalad)
    yield api
    api.close()


@pytest.fixture(scope="session")
def made_by_datalad(datalad_api: DataLad, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh dataset of DataLad's own making. Copy it; do not change it."""
    folder = tmp_path_factory.mktemp("datalad") / "ds"
    datalad_api("create", folder.parent, path=str(folder))
    return folder
