"""A snapshot is an RO-Crate: read strictly, it holds together, and says what provenance says."""

import base64
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from engram.connectome.building import Limits, build
from engram.connectome.config.reading import read_config
from engram.connectome.proving.told import Kind, Sound, Unproven
from engram.connectome.writing import digest_of
from engram.durable import Steps
from engram.model.errors import TargetExists
from tests.integration.connectome.test_building import CONNECTOME, DyingAtPath, build_into, files_in
from tests.integration.connectome.test_snapshot_check import checked, wrong_in
from tests.naive_connectome import write_connectome

pytestmark = pytest.mark.integration
CRATE = "ro-crate-metadata.json"
SPECIFICATION = "https://w3id.org/ro/crate/1.1"


def references(value: Any) -> Iterator[str]:
    """Every @id that is referred to."""
    if isinstance(value, list):
        for one in value:
            yield from references(one)
    elif isinstance(value, dict) and value.keys() == {"@id"}:
        yield value["@id"]


def read_crate(folder: Path) -> dict[str, dict[str, Any]]:
    """The entities of a crate by their @id. Whatever RO-Crate 1.1 demands of any crate is asserted."""
    crate = json.loads((folder / CRATE).read_text())
    assert crate.keys() == {"@context", "@graph"}
    assert crate["@context"] == [f"{SPECIFICATION}/context", {"sha256": "http://schema.org/sha256"}]
    entities = {one["@id"]: one for one in crate["@graph"]}
    assert len(entities) == len(crate["@graph"]), "an @id stands there twice"
    for one in crate["@graph"]:
        assert isinstance(one["@type"], str)
        for key, value in one.items():
            assert isinstance(value, str | list | dict), f"{one['@id']} {key}: {value!r}"
            assert set(references(value)) <= {*entities, SPECIFICATION}, f"{one['@id']} {key}"
    assert entities[CRATE] == {
        "@id": CRATE,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": SPECIFICATION},
    }
    root = entities["./"]
    assert root["@type"] == "Dataset"
    assert root.keys() >= {"name", "description", "datePublished", "license", "hasPart"}
    parts = list(references(root["hasPart"]))
    assert len(parts) == len(set(parts))
    assert {one["@id"] for one in crate["@graph"] if one["@type"] in ("File", "Dataset")} == {*parts, "./"}
    for part in parts:
        assert re.fullmatch(r"[A-Za-z0-9._~%/-]+", part), f"{part} is no relative address"
        assert (folder / unquote(part)).is_file()
    return entities


def test_every_file_is_part_of_the_crate_with_its_size_digest_and_format(ours: Path) -> None:
    entities = read_crate(ours)
    files = {unquote(one): entities[one] for one in references(entities["./"]["hasPart"])}
    found = files_in(ours)
    assert files.keys() == found.keys() - {CRATE}
    del files["provenance.json"]  # which tells the digest of the crate
    assert {path: one["sha256"] for path, one in files.items()} == {path: found[path] for path in files}
    assert {path: one["contentSize"] for path, one in files.items()} == {
        path: str((ours / path).stat().st_size) for path in files
    }
    formats = {Path(path).suffix: one["encodingFormat"] for path, one in files.items()}
    assert formats == {
        ".yaml": "application/yaml",
        ".csv": "text/csv",
        ".feather": "application/vnd.apache.arrow.file",
        ".json": "application/json",
        ".cypher": "text/plain",
        ".parquet": "application/vnd.apache.parquet",
    }


def test_the_build_is_an_action_that_says_what_it_used_made_and_with_what(ours: Path, golden: Path) -> None:
    entities, told = read_crate(ours), json.loads((ours / "provenance.json").read_text())
    action = entities["#build"]
    assert action["@type"] == "CreateAction"
    assert list(references(entities["./"]["mentions"])) == ["#build"]
    assert datetime.fromisoformat(action["startTime"]) <= datetime.fromisoformat(action["endTime"])
    (tool,) = (entities[one] for one in references(action["instrument"]))
    assert (tool["@type"], tool["name"], tool["softwareVersion"]) == ("SoftwareApplication", "engram", "1")
    libraries = [entities[one] for one in references(tool["softwareRequirements"])]
    assert {one["name"]: one["softwareVersion"] for one in libraries} == told["libraries"]
    assert {"python", "duckdb", "pyarrow"} <= told["libraries"].keys()
    used = [entities[one] for one in references(action["object"])]
    assert used.pop() == entities["final-config.yaml"]
    assert {one["name"]: one["sha256"] for one in used} == {one["table"]: one["sha256"] for one in told["inputs"]}
    points = next(one for one in used if one["name"] == "points table")
    assert points["contentSize"] == str((golden / "input" / "syn-points.feather").stat().st_size)
    for one in used:
        digits = one["@id"].removeprefix("ni:///sha-256;")
        assert base64.urlsafe_b64decode(digits + "=").hex() == one["sha256"]
    made = {one["path"] for one in told["tables"]} - {"final-config.yaml"}
    assert {unquote(one) for one in references(action["result"])} == made


def test_no_path_of_the_machine_stands_in_it(ours: Path, golden: Path) -> None:
    text = (ours / CRATE).read_text()
    assert str(ours.parent) not in text
    assert str(golden) not in text


def test_the_check_holds_it_against_provenance(tmp_path: Path) -> None:
    build_into(write_connectome(CONNECTOME, tmp_path / "in"), folder := tmp_path / "out")
    (sound,) = (one for one in checked(folder) if isinstance(one, Sound) and one.path == CRATE)
    assert sound.sha256 == digest_of(str(folder / CRATE))
    text = (folder / CRATE).read_text()
    (folder / CRATE).write_text(text.replace("text/csv", "text/cvs"))
    assert [(one.path, one.kind) for one in wrong_in(folder)] == [(CRATE, Kind.DAMAGED)]
    (folder / CRATE).unlink()
    assert [(one.path, one.message) for one in wrong_in(folder)] == [(CRATE, "is missing")]
    build_into(tmp_path / "in" / "config.yaml", folder)
    assert (folder / CRATE).read_text() == text, "the clock of this build stands still"
    assert wrong_in(folder) == []


def as_an_older_engram(folder: Path) -> None:
    """Make a snapshot one that has no crate, and does not tell of one."""
    told = json.loads((folder / "provenance.json").read_text())
    del told["crate"], told["seal"]
    (folder / "provenance.json").write_text(json.dumps(told))
    (folder / CRATE).unlink()


def test_a_snapshot_of_an_older_engram_has_none_and_gets_one_when_it_is_built_again(tmp_path: Path) -> None:
    config = write_connectome(CONNECTOME, tmp_path / "in")
    build_into(config, folder := tmp_path / "out")
    as_an_older_engram(folder)
    told = checked(folder)
    assert wrong_in(folder) == []
    assert CRATE in [one.path for one in told if isinstance(one, Unproven)]
    build_into(config, folder)
    assert wrong_in(folder) == []
    read_crate(folder)


def test_a_crate_that_somebody_else_wrote_is_not_replaced(tmp_path: Path) -> None:
    config = write_connectome(CONNECTOME, tmp_path / "in")
    build_into(config, folder := tmp_path / "out")
    as_an_older_engram(folder)
    theirs = json.dumps({"@context": f"{SPECIFICATION}/context", "@graph": []})
    (folder / CRATE).write_text(theirs)
    with pytest.raises(TargetExists, match="engram did not write it"):
        build_into(config, folder)
    assert (folder / CRATE).read_text() == theirs
    (folder / CRATE).unlink()
    (folder / CRATE).mkdir()
    with pytest.raises(TargetExists, match="is a folder"):
        build_into(config, folder)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / CRATE).write_text(theirs)
    with pytest.raises(TargetExists):
        build_into(config, tmp_path / "new")


def test_what_the_remedy_says_helps_where_only_the_crate_is_left_of_the_two(tmp_path: Path) -> None:
    config = write_connectome(CONNECTOME, tmp_path / "in")
    build_into(config, folder := tmp_path / "out")
    (folder / "provenance.json").unlink()
    build_into(config, folder)
    assert wrong_in(folder) == []


def test_a_build_that_an_older_engram_was_putting_in_its_place_is_brought_to_its_end(tmp_path: Path) -> None:
    """It noted no crate: the next build makes one."""
    from engram.testing.faults import in_child

    config, folder = write_connectome(CONNECTOME, tmp_path / "in"), tmp_path / "out"
    in_child(lambda place, steps: build_into(config, place, steps), folder, DyingAtPath(CRATE))
    noted = folder / ".engram" / "next.json"
    told = json.loads(noted.read_text())
    del told["crate"]
    noted.write_text(json.dumps(told))
    read = read_config(str(config), here=str(tmp_path), output_dir=str(folder))
    list(build(read, Steps(), Limits(memory_bytes=1 << 29, threads=1), version="0", now=lambda: "", plots=False))
    assert wrong_in(folder) == []
    read_crate(folder)
