"""Tracking, tasks, synchronisation, behaviour, films and clusterings."""

import struct
from collections.abc import Mapping
from datetime import datetime

import pytest

from engram.model.findings import Finding
from engram.model.recordings import Recording, Task
from engram.sessions.recogniser import Recogniser
from engram.sessions.recognisers import kilosort, matlab, matmot, motive, sessions_txt, tetrodes, video
from engram.testing.recognisers import FakeFolder, sound
from tests.rig import ARCHIVE, EPHYS, IMAGING, PHY, RIG, TETRODES, npy, sample


def recordings(recogniser: Recogniser, folder: FakeFolder) -> list[Recording]:
    return [one for one in recogniser.recognise(folder) if isinstance(one, Recording)]


def findings(recogniser: Recogniser, folder: FakeFolder) -> list[tuple[str, str]]:
    return [(one.code, one.path) for one in recogniser.recognise(folder) if isinstance(one, Finding)]


class TestMatmot:
    META = (RIG / "motive" / "matmot.meta").read_bytes()

    def with_size(self, size_bytes: int, meta: bytes = META) -> FakeFolder:
        return FakeFolder({"matmot.mtv": b"", "matmot.meta": meta}, sizes={"matmot.mtv": size_bytes})

    def test_the_real_sample_holds_to_the_law(self) -> None:
        folder = sample(RIG / "motive")
        (one,) = recordings(matmot.RECOGNISER, folder)
        assert (one.samples, one.started) == (1200, datetime.fromisoformat("2018-07-14T20:47:58"))
        assert (one.fact("rigid_bodies"), one.fact("markers"), one.fact("matmot_version")) == (1, 20, "0.2.0")
        assert findings(matmot.RECOGNISER, folder) == []

    def test_a_copy_of_another_time_is_stale(self) -> None:
        assert findings(matmot.RECOGNISER, sample(EPHYS)) == [("stale-copy", "motive/matmot.mtv")]

    @pytest.mark.parametrize(
        ("size_bytes", "code"), [(538_800 - 7, "truncated"), (538_800 + 7, "size-mismatch"), (0, "stale-copy")]
    )
    def test_a_size_that_breaks_the_law_is_told(self, size_bytes: int, code: str) -> None:
        assert [found[0] for found in findings(matmot.RECOGNISER, self.with_size(size_bytes))] == [code]

    def test_one_without_its_number_of_frames_is_still_recorded(self) -> None:
        meta = self.META.replace(b"n_frames", b"n_frimes")
        assert [found[0] for found in findings(matmot.RECOGNISER, self.with_size(449, meta))] == ["still-acquiring"]

    def test_one_half_of_it_is_told(self) -> None:
        assert findings(matmot.RECOGNISER, FakeFolder({"a.mtv": b""})) == [("missing-meta", "a.mtv")]
        alone = FakeFolder({"matmot.meta": self.META})
        assert findings(matmot.RECOGNISER, alone) == [("missing-binary", "matmot.meta")]


class TestMotive:
    def test_an_export_tells_of_its_take(self) -> None:
        (one,) = recordings(motive.RECOGNISER, sample(RIG / "motive_csv"))
        assert one.started == datetime.fromisoformat("2022-04-19T10:51:13.344")
        assert (one.samples, one.sampling_rate_hz, one.processing) == (4, 120.0, "exported")
        assert one.duration_s == pytest.approx(4 / 120)

    def test_afternoons_and_takes_by_name_are_read(self) -> None:
        line = b"Format Version,1.23,Capture Start Time,2022-04-19 01.51.13.5 PM\r\n"
        folder = FakeFolder({"a.csv": line, "Take 2022-04-19 12.00.01 AM.tak": b"", "run.tak": b""})
        starts = [one.started and one.started.isoformat() for one in recordings(motive.RECOGNISER, folder)]
        assert starts == ["2022-04-19T13:51:13.500000", "2022-04-19T00:00:01", None]

    def test_a_folder_full_of_tables_is_not_read_as_a_whole(self) -> None:
        names = [f"a{number:04}.csv" for number in range(1000)]
        take = b"Format Version,1.23,Take Name,x\r\n"
        folder = FakeFolder({**dict.fromkeys(names, b"x,y\n"), "Take 2022-04-19.csv": take})
        assert [one.path for one in recordings(motive.RECOGNISER, folder)] == ["Take 2022-04-19.csv"]
        assert folder.looks <= 32

    def test_other_tables_are_left_alone(self) -> None:
        assert list(motive.RECOGNISER.recognise(FakeFolder({"a.csv": b"x,y\n1,2\n"}))) == []


class TestSessionsTxt:
    def tasks(self, text: str) -> list[tuple[str, float, str]]:
        seen = sessions_txt.RECOGNISER.recognise(FakeFolder({"sessions.txt": text.encode()}))
        return [(one.name, one.start_s, one.type) for one in seen if isinstance(one, Task)]

    def test_both_documented_forms_are_read(self) -> None:
        expected = [("open_field_1", 30.0, "RUNNING"), ("sleep_1", 1587.5, "SLEEP")]
        with_commas = "#1, open_field_1, start=30, <RUNNING>\n#2, sleep_1, start=1587.5, <SLEEP>\n"
        without = "#1,    open_field_1    start=30    <RUNNING>\r\n\r\n#2,\tsleep_1\tstart = 1587.5\t<SLEEP>"
        assert self.tasks(with_commas) == expected
        assert self.tasks(without) == expected
        assert self.tasks("\ufeff#1, open field, start=0") == [("open field", 0.0, "")]

    def test_the_sample_is_read(self) -> None:
        seen = list(sessions_txt.RECOGNISER.recognise(sample(EPHYS)))
        assert [one.start_s for one in seen if isinstance(one, Task)] == [30.0, 1587.0, 2200.5]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("#1, a, start=3\nnonsense\n#2, b, start=5\n", "Line 2 is no task ('nonsense')."),
            ("#1, a, start=30\n#2, b, start=5\n", "Line 2 starts before the one above it."),
            ("#1, a, start=-1\n", "Line 1 is no task ('#1, a, start=-1')."),
            ("\n", "There is no task in it."),
            ("#1, a, start=1e400\n", "Line 1 is no task ('#1, a, start=1e400')."),
        ],
    )
    def test_what_is_wrong_is_told_by_its_line(self, text: str, message: str) -> None:
        seen = list(sessions_txt.RECOGNISER.recognise(FakeFolder({"x/sessions.txt": text.encode()})))
        assert [(one.code, one.message) for one in seen if isinstance(one, Finding)] == [("malformed", message)]

    def test_a_list_without_end_is_refused(self) -> None:
        folder = FakeFolder({"sessions.txt": b"#"}, sizes={"sessions.txt": 1 << 40})
        assert findings(sessions_txt.RECOGNISER, folder) == [("malformed", "sessions.txt")]


class TestMatlab:
    def test_files_are_known_by_their_names_and_tell_their_variables(self) -> None:
        synchronised = (EPHYS / "sync_all.mat").read_bytes()
        contents = {**sample(RIG / "map_rig").contents, "sync_all.mat": synchronised, "probe_2/sync.mat": synchronised}
        found = {one.path: one for one in recordings(matlab.RECOGNISER, FakeFolder(contents))}
        assert {path: (one.kind, one.device, one.fact("variables")) for path, one in found.items()} == {
            "behavior/dl25_tw2_20180225_102508.mat": ("behaviour", "behaviour", "SessionData"),
            "ephys/dl25/2018-02-25/1/dl25_bitcode.mat": ("events", "bitcode", "bitCodeS, bitcode"),
            "sync_all.mat": ("sync", "sync_all", "sync, probes"),
            "probe_2/sync.mat": ("sync", "probe_2", "sync, probes"),
        }
        behaviour = found["behavior/dl25_tw2_20180225_102508.mat"]
        assert behaviour.started == datetime.fromisoformat("2018-02-25T10:25:08")
        assert (behaviour.fact("alias"), behaviour.fact("task")) == ("dl25", "tw2")

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("SC022_030319_Imec3_bitcode.mat", ("events", "bitcode imec3")),
            ("dl7_TW_autoTrain_20180104_132813.mat", ("behaviour", "behaviour")),
        ],
    )
    def test_names_of_the_archive_are_known(self, name: str, expected: tuple[str, str]) -> None:
        (one,) = recordings(matlab.RECOGNISER, FakeFolder({name: b""}))
        assert (one.kind, one.device) == expected

    def test_version_73_asks_the_worker_and_tells_when_there_is_none(self) -> None:
        head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Mon Jan  1 00:00:00 2024"
        folder = FakeFolder({"sync_all.mat": head.ljust(600)})
        assert findings(matlab.RECOGNISER, folder) == [("missing-extra", "sync_all.mat")]
        assert len(recordings(matlab.RECOGNISER, folder)) == 1
        said: dict[str, object] = {"objects": {"/sync": {}, "/#refs#": {}, "/probes": {}}}
        asked = FakeFolder(folder.contents, answers={("sync_all.mat", "hdf5_top"): said})
        assert [one.fact("variables") for one in recordings(matlab.RECOGNISER, asked)] == ["sync, probes"]

    def test_other_matlab_files_are_left_alone(self) -> None:
        assert (
            list(matlab.RECOGNISER.recognise(FakeFolder({"results.mat": b"", "dl56_20181120_204201_s9_p1.mat": b""})))
            == []
        )


class TestVideo:
    def test_films_of_trials_are_one_recording_for_each_camera(self) -> None:
        avi = (ARCHIVE / "SC026" / "08082019" / "video" / "SC026_side_735-0000.avi").read_bytes()
        names = [f"SC026_{camera}_{number}-0000.avi" for camera in ("side", "side_face") for number in (2, 10, 1)]
        folder = FakeFolder(
            {**dict.fromkeys(names, avi), "SC026_20190808_side.txt": b"1\t1\n", "SC026_030319_x.txt": b""}
        )
        side, face = recordings(video.RECOGNISER, folder)
        assert (side.device, face.device) == ("side", "side_face")
        assert [path.split("_")[-1] for path in side.paths] == ["1-0000.avi", "2-0000.avi", "10-0000.avi", "side.txt"]
        assert (side.fact("videos"), side.fact("first_video"), side.fact("last_video")) == (3, 1, 10)
        assert (side.samples, side.sampling_rate_hz) == (None, 30.0)
        assert len(face.paths) == 3

    def test_the_archive_and_the_share_are_read(self) -> None:
        assert [one.device for one in recordings(video.RECOGNISER, sample(ARCHIVE))] == ["bottom", "side", "side"]
        films = recordings(video.RECOGNISER, sample(IMAGING))
        assert [(one.device, one.samples, one.duration_s) for one in films] == [
            ("openfield_00001", 120, 4.0),
            ("openfield_00002", 120, 4.0),
        ]

    def test_a_film_that_was_cut_short_is_told(self) -> None:
        avi = (ARCHIVE / "SC026" / "08082019" / "video" / "SC026_side_735-0000.avi").read_bytes()
        mp4 = (IMAGING / "openfield_00001.mp4").read_bytes()
        folder = FakeFolder({"a.avi": avi[:-100], "b.mp4": mp4[:3000], "c.mp4": mp4[:-10], "d.mp4": b"", "e.avi": b"x"})
        assert [found[0] for found in findings(video.RECOGNISER, folder)] == [
            *("truncated", "truncated", "truncated", "malformed", "malformed"),
        ]
        assert len(recordings(video.RECOGNISER, folder)) == 5

    def test_the_boxes_of_motion_jpeg_2000_are_those_of_an_mp4(self) -> None:
        mp4 = (IMAGING / "openfield_00001.mp4").read_bytes()
        signature = struct.pack(">I4sI", 12, b"jP  ", 0x0D0A870A)
        (one,) = recordings(video.RECOGNISER, FakeFolder({"SC026_side_7-0000.mj2": signature + mp4}))
        assert (one.device, one.samples, one.fact("first_video")) == ("side", 120, 7)


class TestKilosort:
    def test_an_output_tells_probe_spikes_groups_and_when_it_was_curated(self) -> None:
        folder = FakeFolder(PHY, modified={"imec0_ks2/cluster_group.tsv": 1_650_000_000 * 10**9})
        (one,) = recordings(kilosort.RECOGNISER, folder)
        assert (one.device, one.processing, one.channels, one.sampling_rate_hz) == (
            "imec0_ks2",
            "curated",
            385,
            30000.0,
        )
        assert one.fact("probe") == "imec0"
        assert (one.fact("spikes"), one.fact("clusters_good"), one.fact("clusters_noise")) == (3, 2, 1)
        assert one.fact("curated") == "2022-04-15T05:20:00+00:00"
        assert one.fact("made_of") == "D:/run_g0_tcat.imec0.ap.bin"
        assert sorted(one.paths) == sorted(PHY)
        assert findings(kilosort.RECOGNISER, folder) == []

    @pytest.mark.parametrize(
        ("place", "device"),
        [("probe_1/ks", "probe_1"), ("a_imec12", "imec12"), ("x/curations", "curations"), ("", "kilosort")],
    )
    def test_the_probe_is_that_of_the_nearest_folder(self, place: str, device: str) -> None:
        path = f"{place}/spike_times.npy".lstrip("/")
        (one,) = recordings(kilosort.RECOGNISER, FakeFolder({path: npy((3,)), "readme.md": b""}))
        assert (one.device, one.processing) == (device, "")

    def test_tables_of_different_runs_are_told(self) -> None:
        folder = FakeFolder({**PHY, "imec0_ks2/spike_clusters.npy": npy((4,))})
        assert findings(kilosort.RECOGNISER, folder) == [("stale-copy", "imec0_ks2/spike_times.npy")]

    def test_a_program_is_not_run(self) -> None:
        folder = FakeFolder({**PHY, "imec0_ks2/params.py": b"import os\nos.abort()\nsample_rate = os.abort()\n"})
        (one,) = recordings(kilosort.RECOGNISER, folder)
        assert one.sampling_rate_hz is None

    def test_settings_alone_are_no_clustering(self) -> None:
        assert list(kilosort.RECOGNISER.recognise(FakeFolder({"params.py": b""}))) == []


class TestTetrodes:
    def test_each_program_has_a_recording_for_each_tetrode(self) -> None:
        found = recordings(tetrodes.RECOGNISER, FakeFolder(TETRODES))
        assert [(one.fact("sorter"), one.device, one.fact("clusters"), len(one.paths)) for one in found] == [
            ("mclust", "TT1", 2, 3),
            ("klustakwik", "tetrode3", 4, 2),
            ("tint", "tetrode2", 5, 1),
        ]
        assert findings(tetrodes.RECOGNISER, FakeFolder(TETRODES)) == []

    @pytest.mark.parametrize(
        "contents", [{"TT1_1.t": b"x"}, {"a.clu.1": b"x"}, {"a_1.cut": b"x"}, {"a.clu.1": b""}, {"a.clu.2": b"9" * 40}]
    )
    def test_what_is_no_clustering_is_malformed(self, contents: Mapping[str, bytes]) -> None:
        assert [found[0] for found in findings(tetrodes.RECOGNISER, FakeFolder(contents))] == ["malformed"]

    def test_a_cut_of_another_recording_is_stale(self) -> None:
        cut = b"n_clusters: 5\n\nExact_cut_for: day2    spikes: 10\n"
        assert findings(tetrodes.RECOGNISER, FakeFolder({"day1_2.cut": cut})) == [("stale-copy", "day1_2.cut")]


#: What a pattern that can be matched in two ways would try in billions of ways.
RUN = " " * 100_000


@pytest.mark.parametrize(
    ("recogniser", "path", "content"),
    [
        (sessions_txt.RECOGNISER, "sessions.txt", f"#1, a{RUN}b, start=3"),
        (sessions_txt.RECOGNISER, "sessions.txt", f"#1, a start{RUN}=3{RUN}x"),
        (tetrodes.RECOGNISER, "day1_2.cut", f"n_clusters: 5\nExact_cut_for: {RUN}x{RUN}"),
        (kilosort.RECOGNISER, "params.py", f"sample_rate = {RUN}1{RUN}x\n" + "\n" * 30_000),
    ],
)
def test_long_runs_of_blanks_cost_no_time(recogniser: Recogniser, path: str, content: str) -> None:
    folder = FakeFolder({path: content.encode(), "spike_times.npy": npy((1,))})
    list(recogniser.recognise(folder))


@pytest.mark.parametrize("stem", ["x" * 250, "film\nof the day", "\udcff" * 40])
def test_a_device_is_called_so_that_a_catalogue_can_keep_it(stem: str) -> None:
    folder = FakeFolder(
        {f"{stem}.mp4": b"", f"{stem}y.mp4": b"", f"dlc_{stem}/a.h5": b"", f"{stem}/spike_times.npy": npy((1,))}
    )
    seen = [one for recogniser in (video, kilosort) for one in recogniser.RECOGNISER.recognise(folder)]
    sound(seen, folder)
    devices = [one.device for one in seen if isinstance(one, Recording) and one.kind == "video"]
    assert len(set(devices)) == 2
