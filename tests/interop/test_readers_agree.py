"""What our cheap readers say about every sample is what the field's own readers say."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from engram.model.recordings import Recording
from engram.sessions import discovery
from engram.sessions.reading.lines import pairs
from engram.sessions.reading.npy import npy_header
from engram.sessions.reading.pickles import PickledArray, unpickled
from engram.sessions.reading.tiff import scanimage
from engram.sessions.reading.window import Window
from engram.sessions.workers import Worker
from engram.testing.recognisers import FakeFolder, folder_on_disk
from tests.rig import AXONA, RIG, neuralynx, open_ephys

pytestmark = pytest.mark.integration

#: neo 0.14.6 stops at these ("list index out of range"): probes whose electrodes are set in groups.
NOT_READ_BY_NEO = "NP1110"


def ask(folder: Path) -> dict[str, Any]:
    """What neo, probeinterface, tifffile, pandas and numpy say of a folder."""
    for peer in os.environ.get("ENGRAM_PEERS", "").split(os.pathsep):
        python = Path(peer, "bin", "python")
        if "peers-readers" in peer and python.exists():
            script = Path(__file__).with_name("readers_say.py")
            done = subprocess.run([str(python), str(script), str(folder)], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout)
    pytest.skip("the field's readers are not installed: ./dev services")


@pytest.fixture(scope="module")
def said() -> dict[str, dict[str, Any]]:
    """What they say of the samples, by file."""
    return ask(RIG)


def window(path: str) -> Window:
    data = (RIG / path).read_bytes()
    return Window(path, lambda count, offset: data[offset : offset + count])


def of(said: dict[str, dict[str, Any]], suffix: str, least: int) -> dict[str, dict[str, Any]]:
    found = {path: value for path, value in said.items() if path.endswith(suffix)}
    assert len(found) >= least, "the readers were not asked about enough files"
    return found


def recorded(path: str) -> Recording:
    """What is recognised when a binary of the size that the metadata promises lies beside it."""
    described = (RIG / path).read_bytes()
    binary = path.removesuffix(".meta") + ".bin"
    size = int(pairs(described).get("fileSizeBytes", 3850))
    folder = FakeFolder({path: described, binary: b""}, sizes={binary: size})
    (spikeglx,) = (one for one in discovery.built_in() if one.name == "SpikeGLX")
    (found,) = (one for one in spikeglx.recognise(folder) if isinstance(one, Recording))
    return found


def test_neo_reads_the_same_text_from_every_meta(said: dict[str, dict[str, Any]]) -> None:
    for path, theirs in of(said, ".meta", 30).items():
        ours = pairs((RIG / path).read_bytes())
        assert {name: ours[name] for name in theirs["meta"].keys() & ours.keys()}.items() <= theirs["meta"].items()
        assert all(
            name.startswith("catGTCmdline") for name in ours.keys() - theirs["meta"].keys()
        )  # neo takes it apart
        tables = {"imroTbl", "snsChanMap", "snsShankMap", "snsGeomMap", "muxTbl", "svySBTT"}
        assert set(theirs["meta"]) - set(ours) <= tables, path


def test_neo_makes_the_same_stream_of_every_meta(said: dict[str, dict[str, Any]]) -> None:
    for path, theirs in of(said, ".meta", 30).items():
        ours, neo = recorded(path), theirs["neo"]
        if "error" in neo:
            assert NOT_READ_BY_NEO in path
            continue
        assert (ours.device, ours.kind) == (neo["device"], f"neuropixels-{neo['stream_kind']}")
        assert (ours.sampling_rate_hz, ours.channels) == (neo["sampling_rate"], neo["num_chan"])
        assert ours.fact("gate") == neo["gate_num"]
        assert ours.fact("trigger") == (None if neo["trigger_num"] is None else str(neo["trigger_num"]))
        if ours.samples is not None and (RIG / path).parent.name == "spikeglx_meta":
            assert ours.samples == neo["sample_length"]


def test_probeinterface_names_the_same_probe_for_every_meta(said: dict[str, dict[str, Any]]) -> None:
    for path, theirs in of(said, ".meta", 30).items():
        ours, probe = recorded(path), theirs["probeinterface"]
        assert "error" not in probe, f"{path}: {probe}"
        assert ours.serial == probe["serial"]
        part = ours.fact("probe_part")
        assert probe["model"] == part or part is None or ours.fact("probe") == "Neuropixels 3A"


def test_tifffile_reads_the_same_header_of_scanimage(said: dict[str, dict[str, Any]]) -> None:
    for path, theirs in of(said, ".tif", 4).items():
        ours = scanimage(window(path))
        assert ours is not None
        assert [ours.lines, ours.width] == theirs["shape"]
        assert ours.number("SI.hRoiManager.scanFrameRate") == theirs["rate_hz"]
        assert ours.count("SI.hChannels.channelSave") == theirs["channels"]
        assert ours.started is not None
        told = f"{ours.started:%Y} {ours.started.month:2} {ours.started:%d %H %M} {ours.started:%S.%f}"[:-3]
        assert f"epoch = [{told}]" in theirs["description"]


def test_numpy_reads_the_same_arrays(said: dict[str, dict[str, Any]]) -> None:
    for path, theirs in of(said, ".npy", 19).items():
        opened = window(path)
        header = npy_header(path, opened.head)
        assert (list(header.shape), header.dtype) == (theirs["shape"], theirs["dtype"])
        if "value" in theirs:
            ours = unpickled(opened, header.data_at).value
            assert isinstance(ours, PickledArray)
            assert ours.values is not None
            assert isinstance(ours.values[0], dict)
            assert {name: ours.values[0][name] for name in theirs["value"]} == theirs["value"]


def test_pandas_reads_the_same_poses(said: dict[str, dict[str, Any]]) -> None:
    with Worker() as worker:
        share = folder_on_disk(str(RIG / "kavli_share"), worker=worker, readers=("hdf5_outline",))
    (deeplabcut,) = (one for one in discovery.built_in() if one.name == "DeepLabCut")
    poses = {one.path: one for one in deeplabcut.recognise(share) if isinstance(one, Recording)}
    for path, theirs in of(said, ".h5", 2).items():
        ours = poses[path.removeprefix("kavli_share/")]
        assert ours.samples == theirs["frames"]
        assert {ours.fact("scorer")} == {column[0] for column in theirs["columns"]}
        assert ours.fact("bodyparts") == ", ".join(dict.fromkeys(column[1] for column in theirs["columns"]))


def test_pickle_reads_the_same_metadata(said: dict[str, dict[str, Any]]) -> None:
    for path, theirs in of(said, ".pickle", 2).items():
        assert json.loads(json.dumps(unpickled(window(path)).value)) == theirs


def written(files: Mapping[str, bytes], folder: Path) -> Path:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def seen(name: str, folder: FakeFolder) -> list[Recording]:
    (recogniser,) = (one for one in discovery.built_in() if one.name == name)
    return [one for one in recogniser.recognise(folder) if isinstance(one, Recording)]


def test_neo_reads_the_same_streams_of_open_ephys(tmp_path: Path) -> None:
    theirs = ask(written(open_ephys(), tmp_path / "open_ephys"))
    ours = {one.device: one for one in seen("Open Ephys", FakeFolder(open_ephys()))}
    assert len(theirs) == len(ours) == 2
    for name, stream in theirs.items():
        (one,) = (one for device, one in ours.items() if name.endswith(device))
        assert (one.samples, one.sampling_rate_hz, one.channels) == (
            *(stream["samples"], stream["rate_hz"], stream["channels"]),
        )


def test_neo_reads_the_same_header_of_neuralynx(tmp_path: Path) -> None:
    continuous = {path: data for path, data in neuralynx().items() if path.endswith(".ncs")}
    theirs = ask(written(continuous, tmp_path / "neuralynx"))
    (one,) = seen("Neuralynx", FakeFolder(continuous))
    assert one.started is not None
    assert (one.sampling_rate_hz, one.channels, one.started.isoformat()) == (
        *(theirs["rate_hz"], theirs["channels"], theirs["started"]),
    )


def test_neo_reads_the_same_of_axona(tmp_path: Path) -> None:
    theirs = ask(written({path: data for path, data in AXONA.items() if "eeg" not in path}, tmp_path / "axona"))
    (one,) = seen("Axona", FakeFolder(AXONA))
    assert one.started is not None
    assert (one.sampling_rate_hz, one.channels, one.samples, one.started.isoformat(), one.fact("tetrodes")) == (
        *(theirs["rate_hz"], theirs["channels"], theirs["samples"], theirs["started"], theirs["tetrodes"]),
    )
