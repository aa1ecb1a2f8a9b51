"""Heavy libraries look into files in a process of its own, which hostile files cannot leave or hold up."""

import os
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy
import pytest
import scipy.io

from engram.model.errors import ExtraMissing, Malformed, Unreadable
from engram.sessions import heavy
from engram.sessions.workers import Worker
from tests.rig import IMAGING, POSES

POSE = IMAGING / "dlc_23456_openfield_00002" / "23456.h5"

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker() as worker:
        yield worker


def test_it_outlines_an_hdf5_file(worker: Worker) -> None:
    objects = worker.examine(str(POSE), "hdf5_outline")["objects"]
    assert isinstance(objects, dict)
    assert objects["/df_with_missing/table"]["shape"] == [50]
    axes = objects["/df_with_missing"]["attributes"]["non_index_axes"]
    assert isinstance(POSES["objects"], dict)
    told = POSES["objects"]["/df_with_missing"]["attributes"]["non_index_axes"]
    assert pickle.loads(axes.encode()) == pickle.loads(told.encode())
    assert POSES["objects"].keys() <= objects.keys()


def test_it_gives_single_values_and_attributes(worker: Worker, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.nwb", "w") as file:
        file.attrs["nwb_version"] = "2.7.0"
        file["session_start_time"] = "2022-04-19T10:51:13+02:00"
        file["units/id"] = numpy.arange(7)
        file.attrs["nothing"] = h5py.Empty("f")
        file.attrs["itself"] = file["units"].ref
        file["again"] = file["units"]
        file["soft"] = h5py.SoftLink("/units")
    said = worker.examine(str(tmp_path / "a.nwb"), "hdf5_outline")
    assert said["attributes"] == {"nwb_version": "2.7.0"}
    objects = said["objects"]
    assert isinstance(objects, dict)
    assert objects["/session_start_time"]["value"] == "2022-04-19T10:51:13+02:00"
    ids = [path for path in objects if path.endswith("/id")]
    assert [objects[path]["shape"] for path in ids] == [[7]]  # reached once, though two names lead there


def test_it_lists_the_variables_of_an_old_matlab_file(worker: Worker, tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "old.mat", {"a": numpy.zeros((2, 3))}, format="4")
    assert worker.examine(str(tmp_path / "old.mat"), "mat_variables") == {"variables": [["a", [2, 3], "double"]]}


def external_link(file: h5py.File) -> None:
    file["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/")


def external_storage(file: h5py.File) -> None:
    file.create_dataset("elsewhere", shape=(10,), dtype="u1", external=[("/etc/passwd", 0, 10)])


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout(shape=(10,), dtype="u1")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", shape=(10,))
    file.create_virtual_dataset("elsewhere", layout)


def many_objects(file: h5py.File) -> None:
    for number in range(6_000):
        file.create_group(f"g{number}")


def many_attributes(file: h5py.File) -> None:
    for number in range(200):
        file.attrs[f"a{number}"] = number


@pytest.mark.parametrize("spoil", [external_link, external_storage, virtual, many_objects, many_attributes])
def test_what_leads_elsewhere_or_is_too_much_is_refused(worker: Worker, tmp_path: Path, spoil: object) -> None:
    with h5py.File(tmp_path / "evil.h5", "w", libver="latest") as file:
        assert callable(spoil)
        spoil(file)
    with pytest.raises(Malformed):
        worker.examine(str(tmp_path / "evil.h5"), "hdf5_outline")


def test_an_attribute_of_many_bytes_is_refused(worker: Worker, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "evil.h5", "w", libver="latest") as file:
        file.attrs["big"] = numpy.zeros(1 << 20, "u1")
    with pytest.raises(Malformed, match="attribute of 1048576 bytes"):
        worker.examine(str(tmp_path / "evil.h5"), "hdf5_outline")


def test_a_group_that_holds_itself_comes_to_an_end(worker: Worker, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "loop.h5", "w") as file:
        inner = file.create_group("a/b")
        inner["a"] = file["a"]
    objects = worker.examine(str(tmp_path / "loop.h5"), "hdf5_outline")["objects"]
    assert isinstance(objects, dict)
    assert sorted(objects) == ["/a", "/a/b"]


@pytest.mark.parametrize("end", [0, 8, 100, 2000, 80_000])
def test_a_file_that_was_cut_short_is_malformed_or_read(worker: Worker, tmp_path: Path, end: int) -> None:
    (tmp_path / "cut.h5").write_bytes(POSE.read_bytes()[:end])
    with pytest.raises(Malformed):
        worker.examine(str(tmp_path / "cut.h5"), "hdf5_outline")


def test_neither_links_nor_pipes_are_opened(worker: Worker, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(POSE)
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", "nothing"):
        with pytest.raises(Unreadable):
            worker.examine(str(tmp_path / name), "hdf5_outline")


def test_names_that_are_not_utf8_are_opened(worker: Worker, tmp_path: Path) -> None:
    place = os.fsencode(tmp_path) + b"/\xff.h5"
    Path(os.fsdecode(place)).write_bytes(POSE.read_bytes())
    assert "objects" in worker.examine(os.fsdecode(place), "hdf5_outline")


def test_one_that_died_is_replaced() -> None:
    with Worker() as worker:
        worker.examine(str(POSE), "hdf5_outline")
        assert worker._process is not None
        first = worker._process.pid
        os.kill(first, 9)
        worker._process.wait()
        worker.examine(str(POSE), "hdf5_outline")
        assert worker._process.pid != first


def test_one_that_takes_too_long_is_ended() -> None:
    with Worker(patience_s=0.0) as worker:
        with pytest.raises(Malformed, match="without an end"):
            worker.examine(str(POSE), "hdf5_outline")
        assert worker._process is None


def test_it_inherits_nothing(worker: Worker) -> None:
    worker.examine(str(POSE), "hdf5_outline")
    assert worker._process is not None
    place = Path("/proc", str(worker._process.pid))
    if not place.exists():
        pytest.skip("not on this machine: no /proc")
    assert b"HOME=" not in (place / "environ").read_bytes()
    open_files = {os.readlink(entry) for entry in (place / "fd").iterdir()}
    assert {name.partition(":")[0] for name in open_files} <= {"socket", "/dev/null"}
    limits = (place / "limits").read_text()
    assert f"{heavy.MOST_MEMORY_BYTES}" in limits


def test_a_library_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)  # as if it was not installed
    assert heavy.answer({"path": str(POSE), "reader": "hdf5_outline"}) == {"missing": "h5py"}


def test_what_is_missing_is_told_with_how_to_get_it() -> None:
    class Without(Worker):
        def _ask(self, path: str, request: bytes) -> dict[str, object]:
            return {"missing": "h5py"}

    with Without() as worker, pytest.raises(ExtraMissing, match=r"\.\[rig\]"):
        worker.examine(str(POSE), "hdf5_outline")


def test_only_readers_can_be_asked_for(worker: Worker) -> None:
    with pytest.raises(Malformed, match="no reader"):
        worker.examine(str(POSE), "serve")
