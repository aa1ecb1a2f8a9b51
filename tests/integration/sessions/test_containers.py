"""HDF5 files as their programs write them, through the worker: the whole way from a file to a recording."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import h5py
import numpy
import pytest

from engram.model.recordings import Recording
from engram.sessions.recognisers import containers, nwb
from engram.sessions.workers import Worker
from engram.testing.recognisers import FakeFolder
from tests.rig import RIG

pytestmark = pytest.mark.integration

MADE = RIG.parent / "made"


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker() as worker:
        yield worker


def folder(worker: Worker, path: Path, reader: str) -> FakeFolder:
    answers = {(path.name, reader): worker.examine(str(path), reader)}
    return FakeFolder({path.name: path.read_bytes()}, answers=answers)


def test_what_pynwb_writes_is_read(worker: Worker) -> None:
    whole = folder(worker, MADE / "session.nwb", "nwb_summary")
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


@pytest.mark.parametrize("name", ["side.analysis.h5", "standard.analysis.h5"])
def test_what_sleap_io_exports_is_read_in_each_order_of_axes(worker: Worker, name: str) -> None:
    (one,) = containers.RECOGNISER.recognise(folder(worker, MADE / name, "hdf5_outline"))
    assert isinstance(one, Recording)
    assert (one.kind, one.samples, one.processing) == ("pose", 30, "exported")
    assert (one.fact("tracks"), one.fact("nodes")) == (2, 4)


def test_a_project_of_sleap_tells_its_labelled_frames(worker: Worker) -> None:
    (one,) = containers.RECOGNISER.recognise(folder(worker, MADE / "side.slp", "hdf5_outline"))
    assert isinstance(one, Recording)
    assert (one.kind, one.device, one.samples, one.processing) == ("pose", "side", 12, "")


def wavesurfer(file: h5py.File) -> None:
    """As a file of WaveSurfer 0.982 with two channels lists its content; pywavesurfer 0.0.9 reads it."""
    one = {"AcquisitionSampleRate": 20000.0, "NAIChannels": 2.0, "ExpectedSweepScanCount": 400.0}
    columns = {"AIChannelScales": [1.0, 1.0], "IsAIChannelActive": [1.0, 1.0]}
    columns |= {"ClockAtRunStart": [2022.0, 4.0, 19.0, 10.0, 51.0, 13.344]}
    for name, value in one.items():
        file[f"header/{name}"] = numpy.full((1, 1), value)
    for name, values in columns.items():
        file[f"header/{name}"] = numpy.array(values).reshape(-1, 1)
    file["header/AIScalingCoefficients"] = numpy.array([[0.0, 3e-4, 0, 0]] * 2)
    file["header/VersionString"] = numpy.array([b"0.982"])
    for number in range(1, 3):
        file.create_dataset(f"sweep_{number:04}/analogScans", data=numpy.zeros((2, 400), "i2"), chunks=(2, 200))
        file[f"sweep_{number:04}/timestamp"] = numpy.zeros((1, 1))


def test_what_wavesurfer_writes_is_read(worker: Worker, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "day_0001-0002.h5", "w") as file:
        wavesurfer(file)
    (one,) = containers.RECOGNISER.recognise(folder(worker, tmp_path / "day_0001-0002.h5", "hdf5_outline"))
    assert isinstance(one, Recording)
    assert one.started == datetime.fromisoformat("2022-04-19T10:51:13.344")
    assert (one.samples, one.channels, one.sampling_rate_hz, one.duration_s) == (800, 2, 20000.0, 0.04)


def femtonics(file: h5py.File, *, periods_ms: tuple[float, ...]) -> None:
    """Films, and a stack behind them, with the attributes that mesc-io 0.3.10 reads, among far more."""
    axes = [*((0, period_ms) for period_ms in periods_ms), (3, 1.0)]
    for number, (role, scale) in enumerate(axes):
        unit = file.create_group(f"MSession_0/MUnit_{number}", track_order=True)
        unit.attrs["MeasurementDatePosix"] = numpy.uint64(1650365473 + 60 * number)
        unit.attrs["VecChannelsSize"] = numpy.uint32(2)
        unit.attrs["ZAxisGeomRole"] = numpy.int32(role)
        unit.attrs["ZAxisConversionConversionLinearScale"] = scale
        unit.attrs["Comment"] = numpy.frombuffer(b"first\0", "u1")
        unit.attrs["MeasurementParamsXML"] = b"<Task>" + b"x" * 60_000 + b"</Task>"
        for setting in range(140):
            unit.attrs[f"Setting_{setting}"] = setting
        for channel in range(2):
            unit[f"Channel_{channel}"] = numpy.zeros((4, 8, 8), "u2")


@pytest.mark.parametrize(("periods_ms", "rate_hz"), [((32.0, 32.0), 31.25), ((32.0, 16.0), None), ((), None)])
def test_what_femtonics_writes_is_read(
    worker: Worker, tmp_path: Path, periods_ms: tuple[float, ...], rate_hz: float | None
) -> None:
    with h5py.File(tmp_path / "day.mesc", "w") as file:
        femtonics(file, periods_ms=periods_ms)
    (one,) = containers.RECOGNISER.recognise(folder(worker, tmp_path / "day.mesc", "hdf5_units"))
    assert isinstance(one, Recording)
    assert one.started == datetime.fromisoformat("2022-04-19T10:51:13+00:00")
    assert (one.sampling_rate_hz, one.channels) == (rate_hz, 2)
    assert (one.kind, one.device, one.fact("units")) == ("imaging", "femtonics", len(periods_ms) + 1)
