"""A snapshot appears whole or not at all, and the same inputs give the same bytes."""

import errno
import json
from pathlib import Path

import pytest

from engram.connectome.building import Limits, build
from engram.connectome.config.reading import read_config
from engram.connectome.folder import Folder
from engram.connectome.writing import digest_of
from engram.durable import AnyPath, Steps
from engram.model.errors import SnapshotBusy, StorageFailed, TargetExists
from tests.naive_connectome import Connectome, Point, write_connectome

LIMITS = Limits(memory_bytes=1 << 29, threads=1)


def point(number: int, kind: str, body: int) -> Point:
    return Point(x=number, y=0, z=0, kind=kind, conf=0.9, body=body, big="A", small=None, compartment="axon")


CONNECTOME = Connectome(points=(point(1, "PreSyn", 5), point(2, "PostSyn", 6)), partners=((0, 1),))


def build_into(config: Path, folder: Path, steps: Steps | None = None, limits: Limits = LIMITS) -> None:
    read = read_config(str(config), here=str(folder.parent), output_dir=str(folder))
    list(build(read, steps or Steps(), limits, version="0", now=lambda: "2026-01-01T00:00:00+00:00"))


def files_in(folder: Path) -> dict[str, str]:
    """Digests by path of everything that belongs to a snapshot."""
    paths = (path for path in folder.rglob("*") if path.is_file() and ".engram" not in path.parts)
    return {path.relative_to(folder).as_posix(): digest_of(str(path)) for path in paths}


def test_bytes_depend_neither_on_threads_nor_on_memory(golden: Path, ours: Path, tmp_path: Path) -> None:
    build_into(golden / "input" / "config.yaml", tmp_path / "out", limits=Limits(memory_bytes=1 << 28, threads=3))
    again = files_in(tmp_path / "out")
    apart = {"provenance.json", "final-config.yaml"}  # both name the output folder
    assert {path: digest for path, digest in again.items() if path not in apart} == {
        path: digest for path, digest in files_in(ours).items() if path not in apart
    }


def test_provenance_tells_every_file_and_input_with_its_digest(golden: Path, ours: Path) -> None:
    told = json.loads((ours / "provenance.json").read_text())
    found = files_in(ours)
    del found["provenance.json"]
    assert {table["path"]: table["sha256"] for table in told["tables"]} == found
    assert {one["table"]: one["sha256"] for one in told["inputs"]}["points"] == digest_of(
        str(golden / "input" / "syn-points.feather")
    )
    assert [step["name"] for step in told["steps"]][:3] == ["points", "rois", "bodies"]
    assert len({step["key"] for step in told["steps"]}) == len(told["steps"])


class SickDisk(Steps):
    """A disk that is full from the *k*-th step on."""

    def __init__(self, healthy: int) -> None:
        self.left = healthy

    def take(self, kind: str, path: AnyPath) -> None:
        self.left -= 1
        if self.left < 0 and kind != "remove" and kind != "rmdir":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))


def test_a_full_disk_leaves_no_half_snapshot(tmp_path: Path) -> None:
    config, folder = write_connectome(CONNECTOME, tmp_path / "in"), tmp_path / "out"
    build_into(config, folder)
    whole = files_in(folder)
    failed = 0
    for healthy in (0, 1, 3, 8, 20, 30, 40, 44, 48, 52, 56, 60, 64, 68, 72):
        try:
            build_into(config, folder, SickDisk(healthy))
        except (StorageFailed, OSError):
            failed += 1
        if (folder / "provenance.json").exists():
            assert files_in(folder) == whole, healthy
    assert failed > 8
    build_into(config, folder)
    assert files_in(folder) == whole
    assert [path.name for path in (folder / ".engram").iterdir()] == ["lock"]


def test_what_is_not_wanted_any_more_goes(tmp_path: Path) -> None:
    config, folder = write_connectome(CONNECTOME, tmp_path / "in"), tmp_path / "out"
    build_into(config, folder)
    assert (folder / "neuprint").is_dir()
    config.write_text(config.read_text().replace("export-neuprint-snapshot: true", "export-neuprint-snapshot: false"))
    build_into(config, folder)
    assert not (folder / "neuprint").exists()


def test_a_second_build_is_kept_out(tmp_path: Path) -> None:
    config, folder = write_connectome(CONNECTOME, tmp_path / "in"), tmp_path / "out"
    with Folder(Steps(), str(folder)).held(), pytest.raises(SnapshotBusy):
        build_into(config, folder)
    build_into(config, folder)


def test_what_somebody_else_made_is_not_replaced(tmp_path: Path) -> None:
    config, folder = write_connectome(CONNECTOME, tmp_path / "in"), tmp_path / "out"
    (folder / "neuprint").mkdir(parents=True)
    with pytest.raises(TargetExists):
        build_into(config, folder)
    assert [path.name for path in folder.iterdir()] == ["neuprint"]
