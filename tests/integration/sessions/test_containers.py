"""HDF5 files as their programs write them, through the worker: the whole way from a file to a recording."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import h5py
import numpy
import pytest

from engram.model.findings import Finding
from engram.model.recordings import Recording
from engram.sessions.recognisers import containers, nwb
from engram.sessions.workers import Worker
from engram.testing.recognisers import FakeFolder
from tests.rig import RIG

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker() as worker:
        yield worker


def folder(worker: Worker, path: Path, reader: str) -> FakeFolder:
    answers = {(path.name, reader): worker.examine(str(path), reader)}
    return FakeFolder({path.name: path.read_bytes()}, answers=answers)


def test_what_pynwb_writes_is_read(worker: Worker) -> None:
    whole = folder(worker, RIG.parent / "made" / "session.nwb", "nwb_summary")
    (one,) = nwb.RECOGNISER.recognise(whole)
    assert isinstance(one, Recording)
    assert one.started == datetime.fromisoformat("2022-04-19T10:51:13+02:00")
    facts = dict(one.facts)
    assert facts["identifier"] == "7b7f6f0e-3f0a-4a57-9d3c-2d8a5a0c1e11"
    assert (facts["subject"], facts["session_id"], facts["lab"]) == ("23457", "20220419", "Systems neuroscience")


def test_an_nwb_file_with_data_of_many_objects_is_read(worker: Worker, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "large.nwb", "w") as file:
        file.attrs["nwb_version"] = "2.7.0"
        file["identifier"] = "x"
        for number in range(6_000):
            file.create_group(f"acquisition/sweep_{number}")
    (one,) = nwb.RECOGNISER.recognise(folder(worker, tmp_path / "large.nwb", "nwb_summary"))
    assert isinstance(one, Recording)


def sleap(file: h5py.File) -> None:
    file["tracks"] = numpy.zeros((2, 2, 5, 40))
    file["track_names"] = [b"a", b"b"]
    file["node_names"] = [b"nose"] * 5
    file["track_occupancy"] = numpy.ones((40, 2), "u1")


def wavesurfer(file: h5py.File) -> None:
    file["header/AcquisitionSampleRate"] = numpy.full((1, 1), 20000.0)
    for number in range(1, 3):
        file[f"sweep_{number:04}/analogScans"] = numpy.zeros((3, 100), "i2")
        file[f"sweep_{number:04}/timestamp"] = numpy.zeros((1, 1))


def femtonics(file: h5py.File) -> None:
    for number in range(3):
        unit = file.create_group(f"MSession_0/MUnit_{number}")
        unit.attrs["MeasurementDatePosix"] = numpy.int64(1650365473 + number)
        unit["Channel_0"] = numpy.zeros((4, 8, 8), "u2")


@pytest.mark.parametrize(
    ("name", "reader", "make", "expected"),
    [
        ("side.analysis.h5", "hdf5_outline", sleap, ("pose", "side", 40, None)),
        ("day_0001.h5", "hdf5_outline", wavesurfer, ("daq", "wavesurfer", 200, 20000.0)),
        ("day.mesc", "hdf5_units", femtonics, ("imaging", "femtonics", None, None)),
    ],
)
def test_what_other_programs_write_is_read(
    worker: Worker,
    tmp_path: Path,
    name: str,
    reader: str,
    make: Callable[[h5py.File], None],
    expected: tuple[str, str, int | None, float | None],
) -> None:
    with h5py.File(tmp_path / name, "w") as file:
        make(file)
    seen = list(containers.RECOGNISER.recognise(folder(worker, tmp_path / name, reader)))
    assert not any(isinstance(one, Finding) for one in seen)
    (one,) = seen
    assert isinstance(one, Recording)
    assert (one.kind, one.device, one.samples, one.sampling_rate_hz) == expected
