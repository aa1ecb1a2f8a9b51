"""A pickle is read without being run."""

import collections
import contextlib
import datetime
import io
import os
import pickle
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.model.errors import Malformed
from engram.sessions.reading.pickles import KNOWN_NAMES, Pickled, PickledArray, Skipped, unpickled
from engram.sessions.reading.window import Window
from tests.rig import IMAGING, RIG


class Looks:
    """Some bytes, and how many of them were asked for."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.asked = 0

    def __call__(self, count: int, offset: int) -> bytes:
        self.asked += count
        return self.data[offset : offset + count]


def read(data: bytes, at: int = 0) -> Pickled:
    return unpickled(Window("x.pickle", Looks(data)), at)


PLAIN = {
    "text": "æ",
    "many": ["a" * 300, b"b" * 300],
    "numbers": (0, 255, 65535, -1, 1 << 40, -(1 << 70), 1.5, True, None),
    "nested": {"list": [[], {}, ()], 3: "three"},
    "when": datetime.datetime.fromisoformat("2022-04-19T10:51:13.374"),
    "ordered": collections.OrderedDict(a=1),
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_values_come_out_of_every_protocol(protocol: int) -> None:
    assert read(pickle.dumps(PLAIN, protocol)).value == PLAIN


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**200), 2**200)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(min_size=1),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner),
)


@given(plain, st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_what_pickle_writes_reads_back_as_itself(value: object, protocol: int) -> None:
    assert read(pickle.dumps(value, protocol)).value == value


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_malformed(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        read(data)


@pytest.mark.parametrize("protocol", range(2, 5))
@pytest.mark.parametrize("kind", ["<f4", ">f8", "<i2", "|u1", "<i8", "|b1"])
def test_small_arrays_come_with_their_numbers(kind: str, protocol: int) -> None:
    array = numpy.arange(6).reshape(2, 3).astype(kind)
    value = read(pickle.dumps({"a": array, "b": array[1, 1]}, protocol)).value
    assert isinstance(value, dict)
    found = value["a"]
    assert isinstance(found, PickledArray)
    assert found.shape == (2, 3)
    assert found.values == tuple(array.reshape(-1).tolist())
    assert value["b"] == array[1, 1].item()


def test_a_large_array_is_passed_over() -> None:
    whole = pickle.dumps({"image": numpy.zeros((512, 512)), "after": 7}, 4)
    looks = Looks(whole)
    value = unpickled(Window("x", looks, first_bytes=4096)).value
    assert isinstance(value, dict)
    assert value["after"] == 7
    assert isinstance(value["image"], PickledArray)
    assert value["image"].values is None
    assert looks.asked < 20_000 < len(whole)


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch /tmp/owned",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_name_that_nobody_knows_is_told_and_not_called(protocol: int) -> None:
    assert read(pickle.dumps({"fs": 7.25, "x": Evil()}, protocol)) == Pickled(forbidden="posix system")


@pytest.mark.parametrize(
    "name",
    ["builtins eval", "numpy load", "numpy.core.multiarray fromfile", "datetime timedelta", "numpy ndarray.__init__"],
)
def test_only_exactly_the_known_names_are_known(name: str) -> None:
    module, _, attribute = name.partition(" ")
    assert name not in KNOWN_NAMES
    assert read(f"c{module}\n{attribute}\n.".encode()).forbidden == name


def test_nine_names_are_known() -> None:
    assert len(KNOWN_NAMES) == 9


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04r\xff\xff\xff\x7f.",  # a memo that would take gigabytes, of nothing
        b"\x80\x04X\xff\xff\xff\xff.",
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"\x80\x04\x8b\xff\xff\xff\x7f" + b"1" * 100,
        b"(" * 300_000,
        b"N" * 300_000 + b".",
        b")Na.",  # nothing to add to
        b"cnumpy\nndarray\n)R.",
        b"\x80\x04P1\n.",
        b"",
    ],
)
def test_what_would_take_too_much_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        read(data)


def test_a_memo_of_huge_numbers_takes_no_room() -> None:
    assert read(b"Nr\xff\xff\xff\x7f0j\xff\xff\xff\x7f.") == Pickled(None)


def test_what_is_nested_without_end_is_no_key() -> None:
    deep = b")" + b"\x85" * 100_000
    assert read(b"}" + deep + b"Ns.").value == {}


def test_long_texts_are_passed_over() -> None:
    assert read(pickle.dumps(["a" * 100_000, 1], 4)).value == [Skipped(100_000), 1]


def test_real_options_of_suite2p_are_read() -> None:
    data = (RIG / "suite2p_options" / "GCaMP6S_P2_C1_7.25Hz_MEC.npy").read_bytes()
    value = read(data, 128).value
    assert isinstance(value, PickledArray)
    assert value.values is not None
    theirs = numpy.load(io.BytesIO(data), allow_pickle=True).item()
    assert value.values[0] == theirs
    assert theirs["fs"] == 7.25


def test_the_regions_of_suite2p_are_read() -> None:
    value = read((IMAGING / "suite2p" / "plane0" / "stat.npy").read_bytes(), 128).value
    assert isinstance(value, PickledArray)
    assert value.shape == (3,)
    assert value.values is not None
    assert [region["npix"] for region in value.values if isinstance(region, dict)] == [3, 3, 3]
