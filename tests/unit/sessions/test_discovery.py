"""Plugins are found, and one that is broken is told of and left out."""

import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

from engram.sessions import discovery
from engram.sessions.recognisers import video


def plugin(name: str, value: str) -> EntryPoint:
    return EntryPoint(name=name, value=value, group=discovery.GROUP)


def test_those_of_engram_are_there_without_any_plugin() -> None:
    found = discovery.discover([])
    assert found.recognisers == discovery.built_in()
    assert found.broken == ()


def test_a_plugin_is_added_behind_them() -> None:
    found = discovery.discover([plugin("theirs", "tests.unit.sessions.test_discovery:THEIRS")])
    assert found.recognisers[-1] is video.RECOGNISER
    assert len(found.recognisers) == len(discovery.BUILT_IN) + 1


THEIRS = video.RECOGNISER


def test_a_plugin_that_does_not_load_or_is_none_is_told_of() -> None:
    found = discovery.discover(
        [
            plugin("gone", "no_such_package:X"),
            plugin("nothing", "tests.unit.sessions.test_discovery:NOTHING"),
            plugin("text", "tests.unit.sessions.test_discovery:__name__"),
        ]
    )
    assert found.recognisers == discovery.built_in()
    assert [line.split(" (")[0] for line in found.broken] == [
        "The plugin gone",
        "The plugin nothing",
        "The plugin text",
    ]
    assert found.broken[2].endswith("is no Recogniser.")


def test_the_entry_points_name_all_that_come_with_engram() -> None:
    project = tomllib.loads(Path(__file__).parents[3].joinpath("pyproject.toml").read_text())["project"]
    named = project["entry-points"][discovery.GROUP]
    assert named == {name: f"engram.sessions.recognisers.{name}:RECOGNISER" for name in discovery.BUILT_IN}
    assert len(discovery.discover([plugin(name, value) for name, value in named.items()]).recognisers) == len(named)


def test_names_and_sources_are_their_own() -> None:
    names = [recogniser.name for recogniser in discovery.built_in()]
    assert len(set(names)) == len(names)
