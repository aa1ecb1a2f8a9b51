"""A recording is the same wherever it lies; two that differ are told apart."""

from dataclasses import replace
from datetime import date, datetime

import pytest

from engram.model.recordings import Recording, Session
from engram.sessions.identity import Likeness, duplicates, identified, identity, likeness, named_apart, places

AP = Recording(
    kind="neuropixels-ap",
    device="imec0",
    paths=("probe_1/npx.imec.ap.bin", "probe_1/npx.imec.ap.meta"),
    serial="18194819542",
    started=datetime.fromisoformat("2020-01-01T10:00:30"),
    samples=60,
    size_bytes=46200,
    sha1="ab" * 20,
)


def session(folder: str, *recordings: Recording, share: str = "raw", name: str = "12347/2020-01-01") -> Session:
    return Session(
        id=name,
        subject="12347",
        started=date(2020, 1, 1),
        share=share,
        folder=folder,
        recordings=recordings,
    )


def test_neither_path_nor_device_nor_zone_changes_what_a_recording_is() -> None:
    elsewhere = replace(
        AP, paths=("x/y.bin",), device="imec3", started=datetime.fromisoformat("2020-01-01T10:00:30+00:00")
    )
    assert identity(AP, "12347/2020-01-01") == identity(elsewhere, "99/2021-02-02")


@pytest.mark.parametrize(
    "other",
    [
        replace(AP, kind="neuropixels-lf"),
        replace(AP, serial="1"),
        replace(AP, started=datetime.fromisoformat("2020-01-01T10:00:31")),
        replace(AP, processing="catgt"),
    ],
    ids=["kind", "serial", "start", "processing"],
)
def test_what_its_content_says_makes_it_another(other: Recording) -> None:
    assert identity(AP, "s") != identity(other, "s")


def test_a_serial_number_without_a_start_names_nothing() -> None:
    undated = replace(AP, started=None)
    assert identity(undated, "a/1") != identity(undated, "b/1")


def test_a_rig_and_a_device_name_what_has_no_serial_number() -> None:
    camera = replace(AP, kind="video", serial="", device="side", facts=(("rig", "RRig 2"),))
    assert identity(camera, "s") == "video:RRig_2.side:20200101T100030"


def test_two_of_one_name_in_a_session_stay_two() -> None:
    video = Recording(kind="video", device="side", paths=("a/side.avi",))
    found = identified(session("f", video, replace(video, paths=("b/side.avi",))))
    assert [recording.id for recording in found.recordings] == [
        "video:side:12347/2020-01-01:side",
        "video:side:12347/2020-01-01:side:2",
    ]


def test_a_recogniser_that_shows_one_object_twice_makes_two_of_it() -> None:
    film = Recording(kind="video", device="side", paths=("side.mp4",))
    here = list(named_apart([film, film], "a/1", are_fresh=True))
    there = list(named_apart([film], "b/1", are_fresh=True))
    assert [one.id for one in (*here, *there)] == [
        "video:side:a/1:side",
        "video:side:a/1:side:2",
        "video:side:b/1:side",
    ]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (replace(AP, paths=("z.bin",)), Likeness.COPY),
        (replace(AP, sha1=""), Likeness.COPY),
        (replace(AP, sha1="cd" * 20), Likeness.VARIANT),
        (replace(AP, sha1="cd" * 20, samples=59), Likeness.SHORTER),
        (replace(AP, sha1="", size_bytes=46193), Likeness.SHORTER),
        (replace(AP, sha1="", size_bytes=None), Likeness.COPY),
        (replace(AP, processing="compressed"), Likeness.COMPRESSED),
        (replace(AP, processing="catgt"), Likeness.VARIANT),
    ],
)
def test_copies_cuts_and_variants_are_told_apart(other: Recording, expected: Likeness) -> None:
    assert likeness(AP, other) is expected
    assert likeness(other, AP) is expected


def test_what_lies_in_two_places_is_found_once_with_both() -> None:
    packed = replace(AP, processing="compressed", paths=("p/npx.imec.ap.cbin",))
    alone = replace(AP, serial="2")
    seen = [identified(session("12347/a", AP, alone)), identified(session("12347/b", packed, name="12347/2020-01-02"))]
    (group,) = duplicates(places(reversed(seen)))
    assert [place.path for place in group] == ["12347/a/probe_1/npx.imec.ap.bin", "12347/b/p/npx.imec.ap.cbin"]
