"""The configuration of the sample that flyem-snapshot was run on, and what flyem-snapshot made of it."""

import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parents[3] / "data" / "connectome" / "golden_5k.tar.xz"


@pytest.fixture(scope="session")
def sample_texts() -> Mapping[str, str]:
    """Text of each YAML file of the sample, by its path: ``input/config.yaml``, ``expected/final-config.yaml``."""
    with tarfile.open(SAMPLE) as packed:
        found = {}
        for member in packed:
            file = packed.extractfile(member) if member.name.endswith(".yaml") else None
            if file is not None:
                found["/".join(Path(member.name).parts[-2:])] = file.read().decode()
    return found


@pytest.fixture
def sample(sample_texts: Mapping[str, str], tmp_path: Path) -> Path:
    """The sample's configuration in a folder of its own."""
    for name in ("config.yaml", "neuprint-meta.yaml"):
        (tmp_path / name).write_text(sample_texts[f"input/{name}"])
    return tmp_path / "config.yaml"
