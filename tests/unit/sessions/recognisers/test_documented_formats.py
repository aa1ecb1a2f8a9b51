"""Formats with a specification: Open Ephys, Neuralynx, Axona, NWB, BIDS, and others in containers."""

from collections.abc import Mapping
from datetime import datetime

import pytest

from engram.model.findings import Finding
from engram.model.recordings import Recording
from engram.sessions.recogniser import Recogniser
from engram.sessions.recognisers import axona, bids, containers, neuralynx, neurologger, nwb, open_ephys
from engram.testing.recognisers import FakeFolder
from tests.rig import AXONA, BIDS, EPHYS
from tests.rig import neuralynx as neuralynx_files
from tests.rig import open_ephys as open_ephys_files

PLACE = "Record Node 101/experiment1/recording1"


def recordings(recogniser: Recogniser, folder: FakeFolder) -> list[Recording]:
    return [one for one in recogniser.recognise(folder) if isinstance(one, Recording)]


def findings(recogniser: Recogniser, folder: FakeFolder) -> list[tuple[str, str]]:
    return [(one.code, one.path) for one in recogniser.recognise(folder) if isinstance(one, Finding)]


def known(recogniser: Recogniser, folder: FakeFolder) -> set[str]:
    """The files that somebody accounts for."""
    return {path for one in recogniser.recognise(folder) for path in getattr(one, "paths", ())}


class TestOpenEphys:
    DATA = f"{PLACE}/continuous/Neuropix-PXI-100.ProbeA-AP/continuous.dat"

    def test_every_stream_is_a_recording_and_every_file_is_known(self) -> None:
        folder = FakeFolder(open_ephys_files())
        probe, board = recordings(open_ephys.RECOGNISER, folder)
        assert (probe.kind, probe.device, probe.serial) == ("neuropixels-ap", "ProbeA-AP", "18194810652")
        assert (probe.samples, probe.channels, probe.sampling_rate_hz) == (30, 4, 30000.0)
        assert probe.started == datetime.fromisoformat("2022-04-19T10:51:13.374+00:00")
        assert (board.kind, board.device, board.samples, board.serial) == ("ephys", "PXI-6133", 10, "")
        assert known(open_ephys.RECOGNISER, folder) == set(folder.files())
        assert findings(open_ephys.RECOGNISER, folder) == []

    def test_with_two_probes_no_serial_number_is_guessed(self) -> None:
        files = open_ephys_files()
        settings = files["Record Node 101/settings.xml"]
        files["Record Node 101/settings.xml"] = settings + settings.replace(b"18194810652", b"1")
        assert [one.serial for one in recordings(open_ephys.RECOGNISER, FakeFolder(files))] == ["", ""]

    @pytest.mark.parametrize(("size_bytes", "code"), [(232, "truncated"), (248, "size-mismatch")])
    def test_samples_and_their_numbers_must_be_as_many(self, size_bytes: int, code: str) -> None:
        folder = FakeFolder({**open_ephys_files(), self.DATA: bytes(size_bytes)})
        assert findings(open_ephys.RECOGNISER, folder) == [(code, self.DATA)]

    def test_half_a_sample_is_told(self) -> None:
        folder = FakeFolder({**open_ephys_files(), self.DATA: bytes(8 * 30 - 1)})
        assert ("truncated", self.DATA) in findings(open_ephys.RECOGNISER, folder)

    def test_a_stream_without_its_data_is_told(self) -> None:
        files = open_ephys_files()
        del files[self.DATA]
        assert findings(open_ephys.RECOGNISER, FakeFolder(files)) == [("missing-binary", f"{PLACE}/structure.oebin")]

    @pytest.mark.parametrize(
        "said", [b"", b"[]", b"{}", b'{"continuous": [1]}', b'{"continuous": [{"folder_name": "a"}]}']
    )
    def test_a_structure_that_says_nothing_is_malformed(self, said: bytes) -> None:
        folder = FakeFolder({"structure.oebin": said})
        assert findings(open_ephys.RECOGNISER, folder) == [("malformed", "structure.oebin")]


class TestNeuralynx:
    def test_files_that_lie_side_by_side_are_one_recording_of_each_kind(self) -> None:
        folder = FakeFolder(neuralynx_files())
        found = recordings(neuralynx.RECOGNISER, folder)
        assert [(one.kind, one.device, one.channels, one.sampling_rate_hz) for one in found] == [
            ("ephys", "neuralynx", 2, 32000.0),
            ("ephys", "neuralynx tetrodes", 4, 32000.0),
            ("events", "neuralynx", None, None),
            ("tracking", "neuralynx", None, None),
        ]
        assert {one.started for one in found} == {datetime.fromisoformat("2018-02-25T10:25:08")}
        assert known(neuralynx.RECOGNISER, folder) == set(folder.files())
        assert findings(neuralynx.RECOGNISER, folder) == []

    def test_the_time_of_older_versions_is_read(self) -> None:
        old = b"######## Neuralynx Data File Header\r\n## Time Opened (m/d/y): 2/5/2018  (h:m:s.ms) 9:5:8.123\r\n"
        (one,) = recordings(neuralynx.RECOGNISER, FakeFolder({"CSC1.ncs": old.ljust(16_384, b"\0")}))
        assert one.started == datetime.fromisoformat("2018-02-05T09:05:08")

    def test_a_record_that_was_cut_short_is_told(self) -> None:
        files = neuralynx_files()
        files["CSC1.ncs"] = files["CSC1.ncs"][:-1]
        assert findings(neuralynx.RECOGNISER, FakeFolder(files)) == [("truncated", "CSC1.ncs")]

    def test_what_has_no_header_is_malformed(self) -> None:
        assert findings(neuralynx.RECOGNISER, FakeFolder({"a.ncs": b"x"})) == [("malformed", "a.ncs")]


class TestAxona:
    def test_a_set_has_its_files(self) -> None:
        folder = FakeFolder({**AXONA, "r2142/other.1": b"", "r2142/day1.txt": b""})
        (one,) = recordings(axona.RECOGNISER, folder)
        assert (one.started, one.duration_s) == (datetime.fromisoformat("2010-12-14T10:44:07"), 600.0)
        assert (one.fact("tetrodes"), one.fact("experimenter")) == (2, "Ada")
        assert set(one.paths) == AXONA.keys()

    def test_a_raw_bin_tells_channels_and_samples_and_a_part_of_a_packet_is_told(self) -> None:
        whole = FakeFolder(AXONA, sizes={"r2142/day1.bin": 4 * 432})
        (one,) = recordings(axona.RECOGNISER, whole)
        assert (one.sampling_rate_hz, one.channels, one.samples) == (48000.0, 8, 12)
        assert findings(axona.RECOGNISER, whole) == []
        part = FakeFolder(AXONA, sizes={"r2142/day1.bin": 4 * 432 - 7})
        assert findings(axona.RECOGNISER, part) == [("size-mismatch", "r2142/day1.bin")]

    def test_another_set_is_malformed(self) -> None:
        assert findings(axona.RECOGNISER, FakeFolder({"a.set": b"<xml>"})) == [("malformed", "a.set")]


class TestNWB:
    SAID: Mapping[str, object] = {
        "attributes": {"nwb_version": "2.7.0"},
        "objects": {
            "/session_start_time": {"value": "2022-04-19T10:51:13+02:00"},
            "/identifier": {"value": "7b7f"},
            "/general/subject/subject_id": {"value": "23457"},
        },
    }

    def folder(self, said: Mapping[str, object] = SAID, subject: str = "23457") -> FakeFolder:
        return FakeFolder({"a.nwb": b""}, subject=subject, answers={("a.nwb", "nwb_summary"): said})

    def test_it_tells_when_it_began_and_whose_it_is(self) -> None:
        (one,) = recordings(nwb.RECOGNISER, self.folder())
        assert one.started == datetime.fromisoformat("2022-04-19T10:51:13+02:00")
        assert (one.fact("nwb_version"), one.fact("identifier"), one.fact("subject")) == ("2.7.0", "7b7f", "23457")
        assert findings(nwb.RECOGNISER, self.folder()) == []

    def test_another_subject_is_told(self) -> None:
        assert findings(nwb.RECOGNISER, self.folder(subject="23456")) == [("subject-mismatch", "a.nwb")]
        assert findings(nwb.RECOGNISER, self.folder(subject="SC026")) == []

    def test_without_the_library_it_is_there_all_the_same(self) -> None:
        folder = FakeFolder({"a.nwb": b""})
        assert len(recordings(nwb.RECOGNISER, folder)) == 1
        assert findings(nwb.RECOGNISER, folder) == [("missing-extra", "a.nwb")]

    def test_hdf5_that_is_no_nwb_is_malformed(self) -> None:
        assert findings(nwb.RECOGNISER, self.folder({"attributes": {}, "objects": {}})) == [("malformed", "a.nwb")]


class TestBIDS:
    def test_a_data_set_is_one_recording(self) -> None:
        (one,) = recordings(bids.RECOGNISER, FakeFolder(BIDS))
        assert (one.device, one.fact("bids_version"), one.fact("name"), one.fact("subjects")) == (
            "bids",
            "1.9.0",
            "Arena",
            1,
        )
        assert set(one.paths) == BIDS.keys() - {"other/notes.md"}

    def test_a_derivative_inside_another_is_its_own(self) -> None:
        inner = b'{"Name": "fmriprep", "BIDSVersion": "1.9.0", "DatasetType": "derivative"}'
        more = {"derivatives/dataset_description.json": inner, "derivatives/sub-01/anat/sub-01_T1w.nii.gz": b""}
        found = recordings(bids.RECOGNISER, FakeFolder({**BIDS, **more}))
        assert [(one.device, one.processing) for one in found] == [("derivatives", "derivative"), ("bids", "")]

    def test_a_part_is_known_by_its_names(self) -> None:
        names = [
            "anat/sub-01_ses-2_T1w.nii.gz",
            "anat/sub-01_ses-2_T1w.json",
            "func/sub-01_ses-2_task-a_bold.nii",
            "x.nii",
        ]
        (one,) = recordings(bids.RECOGNISER, FakeFolder(dict.fromkeys(names, b"")))
        assert one.device == "sub-01/ses-2"
        assert set(one.paths) == set(names[:3])

    def test_a_part_of_another_subject_is_told(self) -> None:
        files = {"sub-01_T1w.nii": b""}
        assert findings(bids.RECOGNISER, FakeFolder(files, subject="02")) == [("subject-mismatch", "sub-01_T1w.nii")]
        assert findings(bids.RECOGNISER, FakeFolder(files, subject="01")) == []
        assert findings(bids.RECOGNISER, FakeFolder(files)) == []

    def test_another_description_is_malformed(self) -> None:
        folder = FakeFolder({"dataset_description.json": b'{"Name": "x"}'})
        assert findings(bids.RECOGNISER, folder) == [("malformed", "dataset_description.json")]


class TestContainers:
    def one(self, path: str, reader: str, objects: Mapping[str, object]) -> FakeFolder:
        return FakeFolder({path: b""}, answers={(path, reader): {"objects": objects}})

    def test_an_analysis_of_sleap_tells_frames_and_nodes(self) -> None:
        folder = self.one("side.analysis.h5", "hdf5_outline", {"/tracks": {"shape": [1, 2, 13, 500]}})
        (one,) = recordings(containers.RECOGNISER, folder)
        assert (one.kind, one.device, one.samples, one.fact("nodes"), one.processing) == (
            "pose",
            "side",
            500,
            13,
            "exported",
        )

    def test_a_wavesurfer_file_tells_sweeps_and_rate(self) -> None:
        objects: dict[str, object] = {
            "/header": {},
            "/header/AcquisitionSampleRate": {"shape": [1, 1], "value": 10000.0},
            "/sweep_0001/analogScans": {"shape": [4, 20000]},
            "/sweep_0002/analogScans": {"shape": [4, 20000]},
        }
        objects |= {"/sweep_0001": {}, "/sweep_0002": {}}
        (one,) = recordings(containers.RECOGNISER, self.one("day1_0001-0002.h5", "hdf5_outline", objects))
        assert (one.kind, one.samples, one.channels, one.duration_s) == ("daq", 40000, 4, 4.0)
        assert (one.fact("sweeps"), one.fact("base")) == (2, "day1")

    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ([2022, 4, 19, 10, 51, 13.344], "2022-04-19T10:51:13.344000"),
            ([9999, 12, 31, 23, 59, 59.9999999], None),
            ([2022, 4, 19, 10, 51, 60], None),
            ([2022, 13, 19, 10, 51, 0], None),
            ([2022, 4, 19, 10, 51], None),
            ([2022, 4, 19, 10, 51, float("nan")], None),
            ([2022, 4, 19, 10, 51, "x"], None),
            ("now", None),
        ],
    )
    def test_a_wavesurfer_file_tells_when_it_began_where_that_can_be(
        self, values: object, expected: str | None
    ) -> None:
        objects = {"/header": {}, "/header/ClockAtRunStart": {"shape": [6, 1], "values": values}}
        (one,) = recordings(containers.RECOGNISER, self.one("day_0001.h5", "hdf5_outline", objects))
        assert (one.started and one.started.isoformat()) == expected

    def test_the_units_of_a_femtonics_file_are_counted(self) -> None:
        objects = {
            "/MSession_0": {"attributes": {}},
            "/MSession_0/MUnit_0": {"attributes": {"MeasurementDatePosix": 1650365473}},
            "/MSession_0/MUnit_1": {"attributes": {"MeasurementDatePosix": 1650365999}},
        }
        (one,) = recordings(containers.RECOGNISER, self.one("a.mesc", "hdf5_units", objects))
        assert one.started == datetime.fromisoformat("2022-04-19T10:51:13+00:00")
        assert (one.fact("units"), one.fact("unit_names")) == (2, "MUnit_0, MUnit_1")

    def test_other_hdf5_files_are_left_alone(self) -> None:
        assert list(containers.RECOGNISER.recognise(self.one("a_0001.h5", "hdf5_outline", {"/x": {}}))) == []
        assert list(containers.RECOGNISER.recognise(FakeFolder({"a.h5": b"", "dlc_a/23456_0001.h5": b""}))) == []

    def test_without_the_library_it_is_told(self) -> None:
        assert findings(containers.RECOGNISER, FakeFolder({"a.slp": b""})) == [("missing-extra", "a.slp")]


class TestNeurologger:
    HEADER = (EPHYS / "sync_all.mat").read_bytes()

    def test_a_header_has_its_files(self) -> None:
        folder = FakeFolder({"a/neurologger_header.mat": self.HEADER, "a/NEUR0000.DT2": b"", "b/x.mat": b""})
        (one,) = recordings(neurologger.RECOGNISER, folder)
        assert one.paths == ("a/neurologger_header.mat", "a/NEUR0000.DT2")
        assert (one.fact("files"), one.fact("variables")) == (1, "sync, probes")

    def test_a_session_as_its_users_lay_it_out_is_one_recording(self) -> None:
        raw = ["EVENTLOG.CSV", "EVENTLOG.NLE", "NEUR0000.DT2", "NEUR0001.DT2"]
        folder = FakeFolder({"neurologger_header.mat": self.HEADER, **{f"Raw/{name}": b"" for name in raw}})
        (one,) = recordings(neurologger.RECOGNISER, folder)
        assert findings(neurologger.RECOGNISER, folder) == []
        assert one.paths[0] == "neurologger_header.mat"
        assert set(one.paths[1:]) == {f"Raw/{name}" for name in raw}
        assert one.fact("files") == 2

    def test_each_of_several_headers_has_the_files_below_it(self) -> None:
        files = {f"{place}/neurologger_header.mat": self.HEADER for place in ("a", "a/b")}
        folder = FakeFolder({**files, "a/Raw/N0.DT2": b"", "a/b/Raw/N1.DT2": b"", "c/N2.DT2": b""})
        found = {one.path: one.paths[1:] for one in recordings(neurologger.RECOGNISER, folder)}
        assert found == {
            "a/neurologger_header.mat": ("a/Raw/N0.DT2",),
            "a/b/neurologger_header.mat": ("a/b/Raw/N1.DT2",),
        }
        assert findings(neurologger.RECOGNISER, folder) == [("missing-meta", "c/N2.DT2")]

    def test_one_half_of_it_is_told(self) -> None:
        alone = FakeFolder({"NEUR0000.DT2": b""})
        assert findings(neurologger.RECOGNISER, alone) == [("missing-meta", "NEUR0000.DT2")]
        header = FakeFolder({"neurologger_header.mat": self.HEADER})
        assert findings(neurologger.RECOGNISER, header) == [("missing-binary", "neurologger_header.mat")]
