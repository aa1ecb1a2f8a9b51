"""What flyem-snapshot makes of a configuration, we make of it, too."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from engram.connectome.config.reading import parse_config, parse_meta, read_config, read_meta, read_whole
from engram.connectome.config.writing import as_data, as_yaml


def with_folder(data: Any, folder: str) -> Any:
    """The data, in which files lie in a folder: the sample has a point in the place of its own."""
    if isinstance(data, dict):
        return {key: folder if key == "syndir" else with_folder(value, folder) for key, value in data.items()}
    if isinstance(data, list):
        return [with_folder(value, folder) for value in data]
    return f"{folder}{data[1:]}" if isinstance(data, str) and data.startswith("./") else data


def without(data: dict[str, Any], *path: str) -> Any:
    """Take a key out of the data; what it held."""
    for key in path[:-1]:
        data = data[key]
    return data.pop(path[-1])


NAMES = ("inputs", "neurotransmitters", "translate-names")


def test_the_completed_configuration_is_that_of_flyem_snapshot(sample: Path, sample_texts: Mapping[str, str]) -> None:
    """But two default names of neurotransmitters, which flyem-snapshot spells gluatmate and dopmaine."""
    theirs = with_folder(yaml.safe_load(sample_texts["expected/final-config.yaml"]), str(sample.parent))
    ours = as_data(read_config(str(sample), here="/nowhere"))
    wrong, right = without(theirs, *NAMES), without(ours, *NAMES)
    assert (wrong["glut"], wrong["da"]) == ("gluatmate", "dopmaine")
    assert right == {**wrong, "glut": "glutamate", "da": "dopamine"}
    assert ours == theirs


def test_the_completed_description_is_that_of_flyem_snapshot(sample: Path, sample_texts: Mapping[str, str]) -> None:
    theirs = yaml.safe_load(sample_texts["expected/neuprint-meta.yaml"])
    assert as_data(read_meta(str(sample.parent / "neuprint-meta.yaml"))) == theirs


def test_what_is_written_reads_back(sample: Path) -> None:
    config = read_config(str(sample), here="/nowhere")
    again = sample.parent / "final-config.yaml"
    again.write_text(as_yaml(config))
    assert parse_config(again.read_text()) == config
    assert read_config(str(again), here="/elsewhere") == config
    assert config.meta is not None
    assert parse_meta(as_yaml(config.meta)) == config.meta


def test_the_files_that_were_read_are_told(sample: Path) -> None:
    assert read_whole(str(sample), here="/nowhere").files == (str(sample), str(sample.parent / "neuprint-meta.yaml"))


def test_paths_are_relative_to_the_file_and_absolute_afterwards(sample: Path) -> None:
    config = read_config(str(sample), here="/nowhere")
    folder = str(sample.parent)
    assert config.inputs.synapses.points_path == f"{folder}/syn-points.feather"
    assert config.inputs.synapses.partners_path == f"{folder}/syn-partners.feather"
    assert config.inputs.neurotransmitters.synister_feather == f"{folder}/tbar-nt.feather"
    assert config.job_settings.output_dir == f"{folder}/out"


def test_reports_without_a_name_get_that_of_their_rois(sample: Path) -> None:
    (reports,) = read_config(str(sample), here="/nowhere").outputs.connectivity_reports
    assert [report.name for report in reports.reports][:3] == ["all", "AL(L)", "AL(R)"]
    assert reports.reports[-1].name == "mushroom body"
