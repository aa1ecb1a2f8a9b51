"""Every recogniser keeps its promises, whatever is in a file, and whatever is missing."""

from collections.abc import Callable, Iterator, Mapping

import pytest

from engram.sessions import discovery
from engram.sessions.recogniser import Folder, Known, Recogniser, Seen
from engram.sessions.recognisers import (
    axona,
    bids,
    containers,
    deeplabcut,
    kilosort,
    matlab,
    matmot,
    motive,
    neuralynx,
    neurologger,
    nwb,
    open_ephys,
    scanimage,
    sessions_txt,
    spikeglx,
    suite2p,
    tetrodes,
    video,
)
from engram.testing.recognisers import FakeFolder, RecogniserContract
from tests import rig
from tests.rig import ARCHIVE, EPHYS, IMAGING, PHY, RIG, TETRODES, sample


class TestSpikeGLX(RecogniserContract):
    recogniser = spikeglx.RECOGNISER

    def sample(self) -> FakeFolder:
        whole = sample(EPHYS, only=("probe_1/npx.imec.ap.bin", "probe_1/npx.imec.ap.meta"))
        packed = (RIG / "mtscomp" / "_spikeglx_ephysData_g0_t0.imec0.ap.ch").read_bytes()
        others = {"probe_1/npx.imec.ap.cbin": b"", "probe_1/npx.imec.ap.ch": packed, "a_g0_fyi.txt": b""}
        return FakeFolder({**whole.contents, **others})


class TestScanImage(RecogniserContract):
    recogniser = scanimage.RECOGNISER

    def sample(self) -> FakeFolder:
        return sample(IMAGING, only=(".tif",))


class TestSuite2p(RecogniserContract):
    recogniser = suite2p.RECOGNISER

    def sample(self) -> FakeFolder:
        return sample(IMAGING, only=(".npy",))


class TestDeepLabCut(RecogniserContract):
    recogniser = deeplabcut.RECOGNISER

    def sample(self) -> FakeFolder:
        return sample(IMAGING, subject="23457", only=(".h5", ".pickle", ".yaml"))


class TestMatmot(RecogniserContract):
    recogniser = matmot.RECOGNISER

    def sample(self) -> FakeFolder:
        return sample(EPHYS, only=(".mtv", "matmot.meta"))


class TestMotive(RecogniserContract):
    recogniser = motive.RECOGNISER

    def sample(self) -> FakeFolder:
        whole = sample(RIG / "motive_csv")
        return FakeFolder({**whole.contents, "Take 2022-04-19 10.51.13 AM.tak": b""})


class TestSessionsTxt(RecogniserContract):
    recogniser = sessions_txt.RECOGNISER

    def sample(self) -> FakeFolder:
        return sample(EPHYS, only=("sessions.txt",))


class TestMatlab(RecogniserContract):
    recogniser = matlab.RECOGNISER

    def sample(self) -> FakeFolder:
        bits = sample(RIG / "map_rig", only=("bitcode.mat",))
        return FakeFolder({**bits.contents, **sample(EPHYS, only=(".mat",)).contents})


class TestVideo(RecogniserContract):
    recogniser = video.RECOGNISER

    def sample(self) -> FakeFolder:
        films = sample(IMAGING, only=("00001.mp4",))
        return FakeFolder({**films.contents, **sample(ARCHIVE / "SC026" / "08082019" / "video").contents})


class TestKilosort(RecogniserContract):
    recogniser = kilosort.RECOGNISER

    def sample(self) -> FakeFolder:
        return FakeFolder(PHY)


class TestTetrodes(RecogniserContract):
    recogniser = tetrodes.RECOGNISER

    def sample(self) -> FakeFolder:
        return FakeFolder(TETRODES)


class TestOpenEphys(RecogniserContract):
    recogniser = open_ephys.RECOGNISER

    def sample(self) -> FakeFolder:
        return FakeFolder(rig.open_ephys())


class TestNeuralynx(RecogniserContract):
    recogniser = neuralynx.RECOGNISER

    def sample(self) -> FakeFolder:
        return FakeFolder(rig.neuralynx())


class TestAxona(RecogniserContract):
    recogniser = axona.RECOGNISER

    def sample(self) -> FakeFolder:
        return FakeFolder(rig.AXONA)


class TestNWB(RecogniserContract):
    recogniser = nwb.RECOGNISER

    def sample(self) -> FakeFolder:
        said = {"attributes": {"nwb_version": "2.7.0"}, "objects": {"/identifier": {"shape": [], "value": "x"}}}
        return FakeFolder({"a.nwb": b"\x89HDF"}, answers={("a.nwb", "nwb_summary"): said})


class TestBIDS(RecogniserContract):
    recogniser = bids.RECOGNISER

    def sample(self) -> FakeFolder:
        return FakeFolder({**rig.BIDS, "x/sub-02_T1w.nii.gz": b"", "x/sub-02_T1w.json": b""}, subject="23457")


class TestContainers(RecogniserContract):
    recogniser = containers.RECOGNISER

    def sample(self) -> FakeFolder:
        answers: dict[tuple[str, str], Mapping[str, object]] = {
            ("a.slp", "hdf5_outline"): {"objects": {"/frames": {"shape": [7]}}},
            ("b.mesc", "hdf5_units"): {"objects": {"/MSession_0/MUnit_0": {"attributes": {}}}},
            ("c_0001.h5", "hdf5_outline"): {"objects": {"/header": {}, "/sweep_0001/analogScans": {"shape": [2, 9]}}},
        }
        return FakeFolder({path: b"\x89HDF" for path, _ in answers}, answers=answers)


class TestNeurologger(RecogniserContract):
    recogniser = neurologger.RECOGNISER

    def sample(self) -> FakeFolder:
        header = (EPHYS / "sync_all.mat").read_bytes()
        return FakeFolder({"neurologger_header.mat": header, "NEUR0000.DT2": b"", "NEUR0001.DT2": b""})


def test_all_that_come_with_engram_are_tried_here() -> None:
    tried = {contract.recogniser for contract in RecogniserContract.__subclasses__() if contract.__module__ == __name__}
    assert tried == set(discovery.built_in())


def _raises(folder: Folder) -> Iterator[Seen]:
    yield from ()
    raise ZeroDivisionError


def _names_what_is_not_there(folder: Folder) -> Iterator[Seen]:
    yield Known(("elsewhere.txt",), "a mistake")


@pytest.mark.parametrize(
    ("recognise", "error"), [(_raises, ZeroDivisionError), (_names_what_is_not_there, AssertionError)]
)
def test_a_plugin_that_breaks_its_promise_is_found_out(
    recognise: Callable[[Folder], Iterator[Seen]], error: type[Exception]
) -> None:
    careless = Recogniser(name="careless", suffixes=(".txt",), recognise=recognise, source="https://example.org")
    contract = type("Careless", (TestSessionsTxt,), {"recogniser": careless})()
    with pytest.raises(error):
        contract.test_what_it_says_can_be_kept()
