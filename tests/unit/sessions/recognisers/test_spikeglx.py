"""SpikeGLX: what a probe is comes from its metadata, and what is wrong is told."""

import json
from collections.abc import Mapping
from datetime import datetime

import pytest

from engram.model.findings import Finding
from engram.model.recordings import Recording
from engram.sessions.reading.lines import pairs
from engram.sessions.recogniser import Known
from engram.sessions.recognisers.spikeglx import RECOGNISER
from engram.testing.recognisers import FakeFolder, sound
from tests.rig import ARCHIVE, EPHYS, RIG, SHARE, sample

METAS = sorted((RIG / "spikeglx_meta").glob("*.meta"))


def recordings(folder: FakeFolder) -> list[Recording]:
    return [one for one in RECOGNISER.recognise(folder) if isinstance(one, Recording)]


def findings(folder: FakeFolder) -> list[tuple[str, str]]:
    return [(one.code, one.path) for one in RECOGNISER.recognise(folder) if isinstance(one, Finding)]


def meta(**tags: object) -> bytes:
    """A .meta of a probe with 385 channels and 60 samples, changed by *tags*; ``None`` takes one away."""
    whole: dict[str, object] = {
        "fileCreateTime": "2020-01-01T10:00:30",
        "fileName": "D:/SGLX/run_g0/run_g0_imec0/run_g0_t0.imec0.ap.bin",
        "fileSHA1": "651C5F01E8C5DC4E22911A4F34BA29E93CF31BA7",
        "fileSizeBytes": 46200,
        "fileTimeSecs": 0.002,
        "imDatPrb_pn": "PRB_1_4_0480_1",
        "imDatPrb_sn": 18408403232,
        "imDatPrb_type": 0,
        "imSampRate": 30000,
        "nSavedChans": 385,
        "snsApLfSy": "384,0,1",
        "typeThis": "imec",
    }
    lines = [f"{name}={value}" for name, value in (whole | tags).items() if value is not None]
    return "\r\n".join([*lines, "~imroTbl=(0,384)(0 0 0 500 250 1)", ""]).encode()


NAME = "run_g0_t0.imec0.ap"


def folder(described: bytes, size_bytes: int = 46200, name: str = NAME, **others: bytes) -> FakeFolder:
    contents = {f"{name}.meta": described, f"{name}.bin": b"", **others}
    return FakeFolder(contents, sizes={f"{name}.bin": size_bytes})


@pytest.mark.parametrize("path", METAS, ids=lambda path: path.stem)
def test_all_generations_of_probes_are_known_and_hold_together(path: object) -> None:
    described = RIG.joinpath("spikeglx_meta", str(path)).read_bytes()
    tags = pairs(described)
    name = f"{RIG.joinpath(str(path)).stem.removesuffix('.meta')}"
    seen = list(RECOGNISER.recognise(folder(described, int(tags["fileSizeBytes"]), name)))
    (recording,) = [one for one in seen if isinstance(one, Recording)]
    assert {one.code for one in seen if isinstance(one, Finding)} <= {"misnamed"}
    assert recording.kind == "neuropixels-ap"
    assert recording.serial == tags.get("imDatPrb_sn", tags.get("imProbeSN"))
    assert str(recording.fact("probe")).startswith("Neuropixels")
    assert recording.duration_s == pytest.approx(float(tags["fileTimeSecs"]), abs=1e-3)


def test_a_probe_is_what_its_metadata_says_in_a_folder_for_each() -> None:
    found = recordings(sample(EPHYS, only=("npx.imec.ap.bin", "npx.imec.ap.meta")))
    assert [(one.device, one.serial, one.path) for one in found] == [
        ("imec0", "18408403232", "probe_1/npx.imec.ap.bin"),
        ("imec1", "18408405241", "probe_2/npx.imec.ap.bin"),
        ("imec2", "19011116954", "probe_3/npx.imec.ap.bin"),
    ]
    assert {one.started for one in found} == {datetime.fromisoformat("2020-01-01T10:00:30")}
    assert {one.samples for one in found} == {60}


def test_a_sound_recording_has_no_finding_and_its_digest() -> None:
    (one,) = recordings(folder(meta()))
    assert one.sha1 == "651c5f01e8c5dc4e22911a4f34ba29e93cf31ba7"
    assert (one.fact("run"), one.fact("gate"), one.fact("trigger")) == ("run", 0, "0")
    assert findings(folder(meta())) == []


def test_it_costs_one_look_and_one_size() -> None:
    one = folder(meta())
    list(RECOGNISER.recognise(one))
    assert one.looks == 2


def test_a_binary_that_was_cut_short_is_truncated() -> None:
    truncated = sample(SHARE / "12347" / "2020-01-02_11-13-17")
    assert findings(truncated) == [("truncated", "probe_1/npx.imec.ap.bin")]
    assert len(recordings(truncated)) == 1


def test_one_that_is_still_written_is_told_of() -> None:
    growing = sample(SHARE / "12347" / "2020-01-03_09-00-00")
    assert findings(growing) == [("still-acquiring", "probe_1/npx.imec.ap.bin")]
    (one,) = recordings(growing)
    assert (one.samples, one.duration_s, one.device) == (None, None, "imec1")


@pytest.mark.parametrize(
    ("tags", "size_bytes", "code"),
    [
        ({}, 46201, "size-mismatch"),
        ({"fileSizeBytes": 46201}, 46201, "size-mismatch"),
        ({"fileTimeSecs": 0.004}, 46200, "size-mismatch"),
        ({"nSavedChans": None}, 46200, "malformed"),
        ({"nSavedChans": "many"}, 46200, "malformed"),
        ({"nSavedChans": 0}, 46200, "malformed"),
        ({"imSampRate": "nan"}, 46200, "malformed"),
        ({"fileCreateTime": "yesterday"}, 46200, "malformed"),
        ({"typeThis": "imeq"}, 46200, "malformed"),
        ({"typeThis": None}, 46200, "malformed"),
        ({"fileSizeBytes": "9" * 30}, 46200, "malformed"),
        ({"fileName": "D:/run_g0_t0.imec1.ap.bin"}, 46200, "misnamed"),
    ],
)
def test_what_does_not_hold_together_is_told(tags: Mapping[str, object], size_bytes: int, code: str) -> None:
    one = folder(meta(**tags), size_bytes)
    assert [found[0] for found in findings(one)] == [code]
    sound(list(RECOGNISER.recognise(one)), one)


def test_a_recording_whose_metadata_does_not_parse_is_no_unknown_file() -> None:
    seen = list(RECOGNISER.recognise(folder(meta(nSavedChans="many"))))
    assert [one.paths for one in seen if isinstance(one, Known)] == [(f"{NAME}.bin",)]


@pytest.mark.parametrize("missing", ["fileTimeSecs", "fileSHA1", "firstSample", "fileName", "imDatPrb_type"])
def test_what_older_versions_did_not_write_is_not_missed(missing: str) -> None:
    assert findings(folder(meta(**{missing: None}))) == []


def test_a_meta_without_its_binary_and_a_binary_without_its_meta_are_told() -> None:
    assert findings(FakeFolder({"a.imec0.ap.meta": meta()})) == [("missing-binary", "a.imec0.ap.meta")]
    lonely = {
        "a.imec0.lf.bin": b"",
        "b.nidq.bin": b"",
        "c.obx0.obx.bin": b"",
        "d/data.bin": b"",
        "e.imec1.ap.cbin": b"",
    }
    assert findings(FakeFolder(lonely)) == [
        ("missing-meta", path) for path in ("a.imec0.lf.bin", "b.nidq.bin", "c.obx0.obx.bin", "e.imec1.ap.cbin")
    ]


def test_the_slip_of_a_pen_in_a_name_is_read_and_told() -> None:
    slip = folder(meta(), name="probe_1/np.ximec.ap")
    assert findings(slip) == [("misnamed", "probe_1/np.ximec.ap.meta")]
    (finding,) = [one for one in RECOGNISER.recognise(slip) if isinstance(one, Finding)]
    assert finding.message == "np.ximec.ap.meta was read as npx.imec.ap.meta."
    assert [one.device for one in recordings(slip)] == ["imec0"]


@pytest.mark.parametrize(
    ("name", "tags", "expected"),
    [
        (
            "r_g0_t0.imec3.lf",
            {"fileName": "C:/r_g0_t0.imec3.lf.bin", "snsApLfSy": "0,384,1"},
            ("neuropixels-lf", "imec3", ""),
        ),
        ("r_g0_t0.imec.ap", {"fileName": "N://r_g0_t0.imec.ap.bin"}, ("neuropixels-ap", "imec", "")),
        ("r_g0_tcat.imec12.ap", {"fileName": r"C:\x\r_g0_tcat.imec12.ap.bin"}, ("neuropixels-ap", "imec12", "catgt")),
        (
            "SC023_053119_g0_tcat.exported.imec0.ap",
            {"fileName": "D:/SC023_053119_g0_tcat.exported.imec0.ap.bin"},
            ("neuropixels-ap", "imec0", "catgt-exported"),
        ),
        (
            "r_g0_t0.nidq",
            {"typeThis": "nidq", "niSampRate": 30000, "fileName": "C:/r_g0_t0.nidq.bin"},
            ("nidq", "nidq", ""),
        ),
        (
            "r_g0_t0.obx0.obx",
            {"typeThis": "obx", "obSampRate": 30000, "fileName": "C:/r_g0_t0.obx0.obx.bin"},
            ("daq", "obx0", ""),
        ),
    ],
)
def test_every_stream_has_its_kind_and_device(
    name: str, tags: Mapping[str, object], expected: tuple[str, str, str]
) -> None:
    one = folder(meta(**tags), name=name)
    assert [(seen.kind, seen.device, seen.processing) for seen in recordings(one)] == [expected]
    assert findings(one) == []


def test_after_catgt_the_original_time_counts_and_a_digest_of_zero_is_none() -> None:
    tags = {"fileCreateTime_original": "2019-11-12T10:00:00", "fileSHA1": "0", "catGTCmdline0": "<CatGT -run=a -g=0>"}
    (one,) = recordings(folder(meta(**tags)))
    assert (one.started, one.sha1, one.processing) == (datetime.fromisoformat("2019-11-12T10:00"), "", "catgt")


def test_the_archive_of_the_page_is_read_whole() -> None:
    archive = sample(ARCHIVE / "4ElectrodeRig_Ephys")
    assert findings(archive) == []
    assert [(one.path.split("/")[1], one.device, f"{one.started:%m%d%y}") for one in recordings(archive)] == [
        ("catgt_SC026_080819_g0", "imec0", "080819"),
        ("catgt_SC026_080819_g0", "imec1", "080819"),
        ("catgt_SC033_111219_g0", "imec0", "111219"),
        ("catgt_SC033_111219_surface_g0", "imec0", "111219"),
        ("catgt_SC035_010720_1_g0", "imec0", "010720"),
        ("catgt_SC035_010720_g0", "imec0", "010720"),
        ("catgt_SC036_123019_g0", "imec0", "123019"),
    ]
    assert {one.processing for one in recordings(archive)} == {"catgt"}


def packed(
    *, samples: int = 60, size_bytes: int = 1000, sha1: str = "651c5f01e8c5dc4e22911a4f34ba29e93cf31ba7"
) -> bytes:
    said = {
        "n_channels": 385,
        "chunk_bounds": [0, samples],
        "chunk_offsets": [0, size_bytes],
        "sha1_uncompressed": sha1,
    }
    return json.dumps(said).encode()


@pytest.mark.parametrize("beside_raw", [False, True])
def test_a_packed_recording_is_the_same_recording(beside_raw: bool) -> None:
    contents = {f"{NAME}.meta": meta(), f"{NAME}.cbin": bytes(1000), f"{NAME}.ch": packed()}
    contents |= {f"{NAME}.bin": bytes(46200)} if beside_raw else {}
    one = FakeFolder(contents)
    found = recordings(one)
    assert findings(one) == []
    assert [seen.processing for seen in found] == (["", "compressed"] if beside_raw else ["compressed"])
    assert len({(seen.serial, seen.started, seen.samples, seen.sha1) for seen in found}) == 1
    sound(list(RECOGNISER.recognise(one)), one)


@pytest.mark.parametrize(
    ("header", "found_bytes", "code"),
    [
        (packed(), 999, "truncated"),
        (packed(), 1001, "size-mismatch"),
        (packed(samples=59), 1000, "stale-copy"),
        (packed(sha1="0" * 40), 1000, "stale-copy"),
        (b"{", 1000, "malformed"),
        (b"[" * 100_000, 1000, "malformed"),
        (b'{"n_channels": 385, "chunk_bounds": [], "chunk_offsets": [1]}', 1000, "malformed"),
    ],
)
def test_a_packed_recording_is_held_against_its_header(header: bytes, found_bytes: int, code: str) -> None:
    one = FakeFolder({f"{NAME}.meta": meta(), f"{NAME}.cbin": bytes(found_bytes), f"{NAME}.ch": header})
    assert [found[0] for found in findings(one)] == [code]


def test_what_catgt_writes_beside_a_recording_is_known() -> None:
    names = [
        "a_g0_tcat.imec0.ap.SY_384_6_500.txt",
        "a_g0_tcat.nidq.xd_8_0_500.txt",
        "a_g0_tcat.nidq.XA_0_500.txt",
        "a_g0_fyi.txt",
        "a_g0_ct_offsets.txt",
        "CatGT.log",
    ]
    (known,) = RECOGNISER.recognise(FakeFolder({**dict.fromkeys(names, b""), "notes.txt": b""}))
    assert isinstance(known, Known)
    assert sorted(known.paths) == sorted(names)


def test_metas_of_other_programs_are_left_alone() -> None:
    others = {"asset.meta": b"fileFormatVersion: 2", "matmot.meta": b"MatMot Streamer version 1\n", "matmot.mtv": b""}
    assert list(RECOGNISER.recognise(FakeFolder(others))) == []
