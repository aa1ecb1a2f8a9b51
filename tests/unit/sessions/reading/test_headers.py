"""Headers of films, pictures, arrays and MATLAB files, sound and spoiled."""

import io
import struct
from collections.abc import Callable
from datetime import UTC, datetime

import numpy
import pytest
import scipy.io
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_st

from engram.model.errors import Malformed
from engram.sessions.reading.avi import avi
from engram.sessions.reading.mat import MatVariable, NotVersion5, is_hdf5, mat_variables
from engram.sessions.reading.mp4 import Unfinished, mp4
from engram.sessions.reading.npy import npy_header
from engram.sessions.reading.tiff import scanimage
from engram.sessions.reading.window import Window
from tests.rig import ARCHIVE, IMAGING

TIFF = (IMAGING / "openfield_00002_00001.tif").read_bytes()
MP4 = (IMAGING / "openfield_00001.mp4").read_bytes()
AVI = (ARCHIVE / "SC026" / "08082019" / "video" / "SC026_side_735-0000.avi").read_bytes()


def window(data: bytes, **limits: int) -> Window:
    return Window("x", lambda count, offset: data[offset : offset + count], **limits)


# --- windows


def test_a_window_looks_again_only_where_it_has_to() -> None:
    asked = []

    def look(count: int, offset: int) -> bytes:
        asked.append((offset, count))
        return bytes(range(256))[offset : offset + count]

    opened = Window("x", look, first_bytes=16)
    assert opened.take(2, 3) == b"\2\3\4"
    assert opened.take(100, 2, ahead=8) == b"de"
    assert opened.take(106, 2) == b"jk"
    assert asked == [(0, 16), (100, 8)]


def test_a_window_does_not_look_beyond_the_end() -> None:
    asked = []

    def look(count: int, offset: int) -> bytes:
        asked.append(offset)
        return b"abc"[offset : offset + count]

    opened = Window("x", look)
    assert [opened.some(place, 9) for place in (0, 2, 3, 99)] == [b"abc", b"c", b"", b""]
    assert asked == [0]


def test_a_window_gives_up_after_so_many_looks() -> None:
    opened = window(bytes(100_000), first_bytes=1, most_looks=3)
    for place in (10, 20_000):
        opened.take(place, 1, ahead=1)
    with pytest.raises(Malformed, match="spread too far"):
        opened.take(50_000, 1)


def test_a_window_says_where_a_file_ends_too_early() -> None:
    with pytest.raises(Malformed, match="ends where 4 bytes at 2"):
        window(b"abc").take(2, 4)


# --- ScanImage


def test_scanimage_tells_when_it_began_and_how_fast_it_was() -> None:
    said = scanimage(window(TIFF))
    assert said is not None
    assert said.started == datetime.fromisoformat("2022-04-19T11:51:13.374")
    assert said.number("SI.hRoiManager.scanFrameRate") == 7.5
    assert said.count("SI.hChannels.channelSave") == 2
    assert (said.width, said.lines) == (16, 16)


def classic(order: str, software: bytes, description: bytes) -> bytes:
    """A TIFF of 32 bits with the two texts."""
    texts = software + b"\0" + description + b"\0"
    entries = [(256, 4, 1, 512), (257, 3, 1, 256 << 16 if order == ">" else 256)]
    at = 8 + 2 + 4 * 12 + 4
    entries += [(270, 2, len(description) + 1, at + len(software) + 1), (305, 2, len(software) + 1, at)]
    table = b"".join(struct.pack(f"{order}HHII", *entry) for entry in entries)
    magic = b"II*\0" if order == "<" else b"MM\0*"
    return magic + struct.pack(f"{order}IH", 8, 4) + table + struct.pack(f"{order}I", 0) + texts


@pytest.mark.parametrize("order", ["<", ">"])
def test_scanimage_is_known_by_its_software_tag_in_small_tiffs(order: str) -> None:
    data = classic(order, b"SI.VERSION_MAJOR = 2018\nSI.hRoiManager.scanFrameRate = 30.5", b"epoch = [2019 1 2 3 4 5]")
    said = scanimage(window(data))
    assert said is not None
    assert said.number("SI.hRoiManager.scanFrameRate") == 30.5
    assert said.started == datetime.fromisoformat("2019-01-02T03:04:05")
    assert (said.width, said.lines) == (512, 256)


def test_a_tiff_of_another_program_is_none_of_scanimage() -> None:
    assert scanimage(window(classic("<", b"ImageJ", b"images=3"))) is None


@pytest.mark.parametrize("epoch", ["2022 13 1 0 0 0", "2022 1 1 0 0", "x", "2022 1 1 25 0 0", "99999 1 1 1 1 1"])
def test_an_impossible_epoch_is_no_time(epoch: str) -> None:
    said = scanimage(window(classic("<", b"SI.VERSION_MAJOR = 5", f"epoch = [{epoch}]".encode())))
    assert said is not None
    assert said.started is None


# --- films


def test_an_mp4_tells_frames_size_and_when_it_was_begun() -> None:
    film = mp4(window(MP4))
    assert (film.frames, film.duration_s, film.frame_rate_hz, film.width, film.height) == (120, 4.0, 30.0, 64, 48)
    assert film.created == datetime(2022, 4, 19, 10, 51, 13, tzinfo=UTC)
    assert film.promised_bytes == len(MP4)


def box(kind: bytes, content: bytes, *, wide: bool = False) -> bytes:
    if wide:
        return struct.pack(">I4sQ", 1, kind, len(content) + 16) + content
    return struct.pack(">I4s", len(content) + 8, kind) + content


def test_an_mp4_with_a_wide_box_of_many_gigabytes_is_read_in_a_few_looks() -> None:
    moov = MP4[MP4.index(b"moov") - 4 :]
    head = box(b"ftyp", b"isom" + bytes(4)) + struct.pack(">I4sQ", 1, b"mdat", 16 + (9 << 30))
    end = len(head) + (9 << 30)
    asked = []

    def look(count: int, offset: int) -> bytes:
        asked.append(count)
        return (head + bytes(4096))[offset : offset + count] if offset < end else moov[offset - end :][:count]

    film = mp4(Window("x", look, first_bytes=4096))
    assert film.frames == 120
    assert film.promised_bytes == end + len(moov)
    assert len(asked) <= 4


def test_an_mp4_without_its_header_is_unfinished() -> None:
    with pytest.raises(Unfinished):
        mp4(window(MP4[: MP4.index(b"moov") - 4]))


def test_boxes_that_hold_themselves_come_to_an_end() -> None:
    with pytest.raises(Malformed):
        mp4(window(box(b"ftyp", b"") + box(b"free", b"") * 100_000))
    with pytest.raises(Malformed):
        mp4(window(box(b"ftyp", b"") + struct.pack(">I4s", 3, b"moov")))


def test_an_avi_tells_frames_and_size() -> None:
    film = avi(window(AVI))
    assert (film.frames, film.duration_s, film.frame_rate_hz, film.width, film.height) == (120, 4.0, 30.0, 64, 48)
    assert film.codec == "FMP4"
    assert film.promised_bytes == len(AVI)


def test_the_frames_of_a_long_avi_are_those_of_opendml() -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return kind + struct.pack("<I", len(content)) + content

    avih = bytearray(AVI[32 : 32 + 56])
    odml = chunk(b"LIST", b"odml" + chunk(b"dmlh", struct.pack("<I", 500_000) + bytes(244)))
    strl_at = AVI.index(b"strl") - 8
    strl = AVI[strl_at : strl_at + 8 + struct.unpack("<I", AVI[strl_at + 4 : strl_at + 8])[0]]
    hdrl = chunk(b"LIST", b"hdrl" + chunk(b"avih", bytes(avih)) + strl + odml)
    film = avi(window(b"RIFF" + struct.pack("<I", 1000) + b"AVI " + hdrl + b"LIST" + struct.pack("<I", 9) + b"movi"))
    assert film.frames == 500_000
    assert film.duration_s == pytest.approx(500_000 / 30)
    assert film.promised_bytes is None  # the first RIFF of several says nothing of the whole


# --- arrays


@given(numpy_st.arrays(dtype=numpy_st.scalar_dtypes(), shape=numpy_st.array_shapes(min_dims=0, max_side=4)))
def test_the_header_of_an_array_says_what_numpy_says(array: numpy.ndarray) -> None:
    file = io.BytesIO()
    numpy.save(file, array)
    header = npy_header("x.npy", file.getvalue())
    assert header.shape == array.shape
    assert header.size_bytes in {len(file.getvalue()), None}
    assert not header.is_pickle


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[:20],
        lambda data: data.replace(b"shape", b"shope"),
        lambda data: data.replace(b"(2, 3)", b"(2, x)"),
        lambda data: data[:6] + b"\x09" + data[7:],
    ],
)
def test_a_spoiled_array_is_malformed(spoil: Callable[[bytes], bytes]) -> None:
    file = io.BytesIO()
    numpy.save(file, numpy.zeros((2, 3)))
    with pytest.raises(Malformed):
        npy_header("x.npy", spoil(file.getvalue()))


# --- MATLAB

names = st.from_regex(r"[a-z][a-z0-9_]{0,30}", fullmatch=True)
matlab_values = st.one_of(
    numpy_st.arrays(
        dtype=st.sampled_from(["f8", "f4", "i2", "u1", "i8"]), shape=numpy_st.array_shapes(min_dims=2, max_side=5)
    ),
    st.text("abc", min_size=1, max_size=9),
    st.dictionaries(names, st.integers(0, 9), min_size=1, max_size=3),
)


@given(st.dictionaries(names, matlab_values, max_size=4), st.booleans())
def test_variables_are_those_that_scipy_lists(values: dict[str, object], packed: bool) -> None:
    file = io.BytesIO()
    scipy.io.savemat(file, values, do_compression=packed)
    ours = [(found.name, found.shape, found.kind) for found in mat_variables(window(file.getvalue()))]
    file.seek(0)
    theirs = [
        (name, shape if kind != "char" else (1, *shape) if len(shape) == 1 else shape, kind)
        for name, shape, kind in scipy.io.whosmat(file)
    ]
    assert [(name, kind) for name, _, kind in ours] == [(name, kind) for name, _, kind in theirs]
    assert [shape for _, shape, kind in ours if kind != "char"] == [
        shape for _, shape, kind in theirs if kind != "char"
    ]


def test_a_variable_that_is_cut_short_is_malformed_after_those_before_it() -> None:
    file = io.BytesIO()
    scipy.io.savemat(file, {"first": numpy.zeros((2, 2)), "second": numpy.zeros((40, 400))})
    found = mat_variables(window(file.getvalue()[:-8]))
    assert next(found) == MatVariable("first", (2, 2), "double")
    assert next(found).name == "second"
    with pytest.raises(Malformed):
        next(found)


def test_a_bomb_is_unpacked_no_further_than_its_head() -> None:
    file = io.BytesIO()
    scipy.io.savemat(file, {"zeros": numpy.zeros((3000, 3000))}, do_compression=True)
    (variable,) = mat_variables(window(file.getvalue()))
    assert variable.shape == (3000, 3000)


def test_other_versions_are_told_apart() -> None:
    with pytest.raises(NotVersion5):
        list(mat_variables(window(b"MATLAB 7.3 MAT-file" + bytes(200))))
    assert is_hdf5(b"MATLAB 7.3 MAT-file")
    assert is_hdf5(b"\x89HDF\r\n\x1a\n")
    assert is_hdf5(bytes(512) + b"\x89HDF\r\n\x1a\n")
    assert not is_hdf5(b"MATLAB 5.0")
