"""ScanImage, suite2p and DeepLabCut: what is imaged, what was found in it, and where the animal was."""

import os
import pickle
from dataclasses import replace
from datetime import datetime

import pytest

from engram.model.findings import Finding
from engram.model.recordings import Recording
from engram.sessions.recogniser import Known, Recogniser
from engram.sessions.recognisers import deeplabcut, scanimage, suite2p
from engram.testing.recognisers import FakeFolder
from tests.rig import IMAGING, POSES, npy, sample


def recordings(recogniser: Recogniser, folder: FakeFolder) -> list[Recording]:
    return [one for one in recogniser.recognise(folder) if isinstance(one, Recording)]


def findings(recogniser: Recogniser, folder: FakeFolder) -> list[tuple[str, str]]:
    return [(one.code, one.path) for one in recogniser.recognise(folder) if isinstance(one, Finding)]


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("true",)


EVIL = npy((), "|O", pickle.dumps({"fs": 1.0, "x": Evil()}, 4))


class TestScanImage:
    TIFF = (IMAGING / "openfield_00001_00001.tif").read_bytes()

    def test_all_files_of_one_base_name_are_one_recording(self) -> None:
        folder = sample(IMAGING, only=(".tif",))
        (one,) = recordings(scanimage.RECOGNISER, folder)
        assert (one.device, one.channels, one.sampling_rate_hz) == ("scanimage", 2, 7.5)
        assert one.started == datetime.fromisoformat("2022-04-19T10:51:13.374")
        assert one.paths == tuple(
            f"openfield_{restart}_{split}.tif" for restart in ("00001", "00002") for split in ("00001", "00002")
        )
        assert (one.fact("base"), one.fact("restarts"), one.fact("rig")) == ("openfield", 2, "MINI2P")
        assert findings(scanimage.RECOGNISER, folder) == []
        assert folder.looks <= 4  # the first file of the base alone, twice

    def test_each_base_name_is_a_recording(self) -> None:
        folder = FakeFolder(dict.fromkeys(["a_00001_00001.tif", "b_00001_00001.tif", "x/a_00001.tif"], self.TIFF))
        assert [one.path for one in recordings(scanimage.RECOGNISER, folder)] == sorted(folder.files())

    def test_an_underscore_in_a_base_name_is_told(self) -> None:
        folder = FakeFolder({"open_field_00001_00001.tif": self.TIFF})
        assert findings(scanimage.RECOGNISER, folder) == [("misnamed", "open_field_00001_00001.tif")]
        assert [one.fact("base") for one in recordings(scanimage.RECOGNISER, folder)] == ["open_field"]

    def test_splits_between_others_must_not_be_missing(self) -> None:
        names = ["a_00001_00001.tif", "a_00001_00004.tif", "a_00002_00001.tif", "a_00002_99999.tif"]
        folder = FakeFolder(dict.fromkeys(names, self.TIFF))
        (finding,) = [one for one in scanimage.RECOGNISER.recognise(folder) if isinstance(one, Finding)]
        assert finding.code == "missing-binary"
        assert finding.message == (
            "99999 between the others are missing: a_00001_00002.tif, a_00001_00003.tif, a_00002_00002.tif, …."
        )

    def test_pictures_of_other_programs_are_left_alone(self) -> None:
        other = self.TIFF.replace(b"SI.", b"XX.").replace(b"frameNum", b"imageNum").replace(b"\1\3\3\7", b"\0\0\0\0")
        assert list(scanimage.RECOGNISER.recognise(FakeFolder({"a_00001.tif": other, "b.tif": self.TIFF}))) == []

    def test_one_that_is_no_picture_is_malformed(self) -> None:
        assert findings(scanimage.RECOGNISER, FakeFolder({"a_00001.tif": b""})) == [("malformed", "a_00001.tif")]


class TestSuite2p:
    def test_all_planes_of_a_run_are_one_recording_and_combined_is_preferred(self) -> None:
        folder = sample(IMAGING, only=(".npy",))
        (one,) = recordings(suite2p.RECOGNISER, folder)
        assert (one.device, one.processing, one.path) == ("suite2p", "combined", "suite2p/combined/ops.npy")
        assert sorted(one.paths) == sorted(folder.files())
        assert (one.sampling_rate_hz, one.fact("planes"), one.fact("regions")) == (7.25, 2, 6)
        assert (one.fact("suite2p_version"), one.fact("processed")) == ("0.9.0", "2022-04-20T08:00:00")
        assert str(one.fact("made_of")).startswith("openfield_00001_00001.tif, ")
        assert findings(suite2p.RECOGNISER, folder) == []

    def test_a_run_without_combined_is_told_by_its_first_plane(self) -> None:
        whole = sample(IMAGING, only=(".npy",)).contents
        folder = FakeFolder({path: data for path, data in whole.items() if "combined" not in path})
        (one,) = recordings(suite2p.RECOGNISER, folder)
        assert (one.processing, one.path, one.fact("combined")) == ("", "suite2p/plane0/ops.npy", False)

    def test_what_was_split_off_has_the_name_of_its_recording(self) -> None:
        whole = sample(IMAGING, only=(".npy",)).contents
        folder = FakeFolder(
            {f"{above}/{path}": data for path, data in whole.items() for above in ("split_a", "split_b")}
        )
        assert [one.device for one in recordings(suite2p.RECOGNISER, folder)] == ["suite2p split_a", "suite2p split_b"]

    @pytest.mark.parametrize("name", ["suite2p/combined/ops.npy", "suite2p/plane1/stat.npy"])
    def test_a_pickle_that_would_run_code_is_told_and_not_opened(self, name: str) -> None:
        whole = sample(IMAGING, only=(".npy",))
        folder = replace(whole, contents={**whole.contents, name: EVIL})
        assert ("unsafe-pickle", name) in findings(suite2p.RECOGNISER, folder)

    def test_parts_of_different_runs_are_told(self) -> None:
        whole = sample(IMAGING, only=(".npy",))
        folder = replace(whole, contents={**whole.contents, "suite2p/plane0/iscell.npy": npy((9, 2), "<f4")})
        assert findings(suite2p.RECOGNISER, folder) == [("stale-copy", "suite2p/plane0/ops.npy")]


class TestDeepLabCut:
    def test_both_folders_of_the_page_are_read_and_what_is_odd_is_told(self) -> None:
        folder = sample(IMAGING, subject="23457", only=(".h5", ".pickle", ".yaml"))
        found = recordings(deeplabcut.RECOGNISER, folder)
        assert [one.device for one in found] == ["23456_openfield_00001", "23456_openfield_00002"]
        assert {(one.samples, one.sampling_rate_hz) for one in found} == {(50, 30.0)}
        assert {one.started for one in found} == {datetime.fromisoformat("2022-04-19T10:51:13")}
        assert found[0].fact("scorer") == "DLC_resnet50_mouse_openfieldJun30shuffle1_1030000"
        assert (found[0].fact("task"), found[0].fact("iteration"), found[0].fact("snapshot")) == (
            *("mouse_openfield", "0", "-1"),
        )
        assert findings(deeplabcut.RECOGNISER, folder) == [
            ("misnamed", "dlc23456_openfield_00001/23456.h5"),
            ("subject-mismatch", "dlc23456_openfield_00001/23456.h5"),
            ("subject-mismatch", "dlc_23456_openfield_00002/23456.h5"),
        ]

    def test_with_its_own_subject_nothing_is_told(self) -> None:
        folder = sample(IMAGING, subject="23456", only=(".h5", ".pickle", ".yaml"))
        assert findings(deeplabcut.RECOGNISER, folder) == [("misnamed", "dlc23456_openfield_00001/23456.h5")]

    @pytest.mark.parametrize("subject", ["SC026", "", "123"])
    def test_a_subject_that_is_no_such_number_is_not_compared(self, subject: str) -> None:
        folder = sample(IMAGING, subject=subject, only=("dlc_23456_openfield_00002/23456.h5",))
        assert findings(deeplabcut.RECOGNISER, folder) == []

    def test_without_the_library_the_pickle_tells_what_it_can(self) -> None:
        whole = sample(IMAGING, only=("00002/23456.h5", "00002/23456_meta.pickle"))
        folder = replace(whole, answers={})
        (one,) = recordings(deeplabcut.RECOGNISER, folder)
        assert one.samples == 50
        assert findings(deeplabcut.RECOGNISER, folder) == [("missing-extra", "dlc_23456_openfield_00002/23456.h5")]

    def test_a_table_of_another_run_is_stale(self) -> None:
        folder = sample(IMAGING, only=("00002/23456.h5", "00002/23456_meta.pickle"))
        table = "dlc_23456_openfield_00002/23456.h5"
        objects = {**dict(POSES)["objects"], "/df_with_missing/table": {"shape": [49]}}  # type: ignore[dict-item]
        other = replace(folder, answers={(table, "hdf5_outline"): {"objects": objects}})
        assert findings(deeplabcut.RECOGNISER, other) == [("stale-copy", table)]

    def test_a_pickle_that_would_run_code_is_told(self) -> None:
        folder = FakeFolder({"dlc_a/a_meta.pickle": pickle.dumps(Evil())})
        assert ("unsafe-pickle", "dlc_a/a_meta.pickle") in findings(deeplabcut.RECOGNISER, folder)

    def test_names_of_deeplabcuts_own_are_known_beside_the_video(self) -> None:
        stem = "rat_side-0000DLC_resnet50_openfieldJun30shuffle1_1030000"
        names = [f"{stem}.h5", f"{stem}_meta.pickle", f"{stem}.csv", "other.h5", "config.yaml", "other.csv"]
        folder = FakeFolder(dict.fromkeys(names, b""))
        (one,) = recordings(deeplabcut.RECOGNISER, folder)
        assert one.device == "rat_side-0000"
        assert sorted(one.paths) == sorted(names[:3])

    def test_tables_of_trials_are_one_recording_for_each_camera(self) -> None:
        table = b"scorer,DLC_a,DLC_a,DLC_a\nbodyparts,nose,nose,tail\ncoords,x,y,x\n0,1,2,3\n"
        names = ["dl59_side_10-0000.csv", "dl59_side_9-0000.csv", "dl59_side_face_1-0000.csv", "dl59_x_1-0000.csv"]
        folder = FakeFolder({**dict.fromkeys(names, table), "dl59_x_1-0000.csv": b"x,y\n"})
        side, face = recordings(deeplabcut.RECOGNISER, folder)
        assert (side.device, side.paths, side.fact("bodyparts")) == ("side", (names[1], names[0]), "nose, tail")
        assert (face.device, face.fact("videos")) == ("side_face", 1)

    def test_a_configuration_alone_is_known(self) -> None:
        assert list(deeplabcut.RECOGNISER.recognise(FakeFolder({"dlc_a/config.yaml": b"Task: a"}))) == [
            Known(("dlc_a/config.yaml",), "DeepLabCut configuration")
        ]

    def test_a_yaml_bomb_goes_off_nowhere(self) -> None:
        layers = [f"l{n}: &l{n} [{','.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 30)]
        bomb = "\n".join(["l0: &l0 [x]", *layers, "Task: a", "scorer: b"]).encode()
        folder = FakeFolder({"dlc_a/a.h5": b"", "dlc_a/config.yaml": bomb})
        (one,) = recordings(deeplabcut.RECOGNISER, folder)
        assert one.fact("task") == "a"
