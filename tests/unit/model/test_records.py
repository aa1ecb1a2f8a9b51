"""Records that are made by the hundred thousand behave as frozen dataclasses do, only that nothing stops a setter."""

import dataclasses

import pytest

from engram.model.records import record


@record
class Point:
    x: int
    y: int = 0


@record
class Named(Point):
    name: str


@record(eq=False, kw_only=False)
class Service:
    place: str


def test_they_are_compared_hashed_and_shown_by_their_fields() -> None:
    assert Point(x=1) == Point(x=1, y=0)
    assert len({Point(x=1), Point(x=1), Point(x=2)}) == 2
    assert repr(Named(x=1, name="a")) == "Named(x=1, y=0, name='a')"
    assert dataclasses.replace(Point(x=1), y=5) == Point(x=1, y=5)


def test_they_take_keywords_and_have_slots() -> None:
    with pytest.raises(TypeError):
        Point(1)  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        Point(x=1).z = 2  # type: ignore[attr-defined]
    assert not hasattr(Named(x=1, name="a"), "__dict__")


def test_services_are_themselves_alone() -> None:
    assert Service("a") != Service("a")
    assert Service("a").place == "a"
