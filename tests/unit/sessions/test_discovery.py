"""Plugins are found, and one that is broken is told of and left out."""

import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

from engram.model.findings import Finding
from engram.sessions import discovery
from engram.sessions.recogniser import Folder, Known, Recogniser, Seen
from engram.sessions.recognisers import video
from engram.testing.recognisers import FakeFolder


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


def seen_by(folder: FakeFolder, *recognisers: Recogniser) -> list[tuple[str, Seen]]:
    return [(recogniser.name, seen) for recogniser, seen in discovery.recognised(folder, recognisers)]


def made(recognise: Callable[[Folder], Iterator[Seen]], *, suffix: str = ".xyz") -> Recogniser:
    return Recogniser(name="mine", suffixes=(suffix,), recognise=recognise, source="https://example.org")


def test_only_those_are_asked_whose_files_are_there() -> None:
    def sees(folder: Folder) -> Iterator[Seen]:
        yield Known(("a.xyz",), "mine")

    folder = FakeFolder({"a.xyz": b""})
    assert seen_by(folder, made(sees), made(sees, suffix=".abc")) == [("mine", Known(("a.xyz",), "mine"))]


def test_a_plugin_that_fails_costs_a_finding_and_no_scan() -> None:
    def fails(folder: Folder) -> Iterator[Seen]:
        yield Known(("a.xyz",), "mine")
        raise RuntimeError("a mistake\nof mine")

    seen = seen_by(FakeFolder({"a.xyz": b"", "sessions.txt": b"#1, a, start=0"}), made(fails), *discovery.built_in())
    codes = [one.code for _, one in seen if isinstance(one, Finding)]
    assert codes == ["recogniser-failed"]
    messages = [one.message for _, one in seen if isinstance(one, Finding)]
    assert messages == ["The recogniser of mine failed: RuntimeError: a mistake\\nof mine."]
    assert any(name == "sessions.txt" for name, _ in seen)


def test_a_file_that_cannot_be_read_is_told_of() -> None:
    def reads(folder: Folder) -> Iterator[Seen]:
        folder.read("a.xyz", 1)
        yield Known(("a.xyz",), "mine")

    folder = FakeFolder({"a.xyz": b""}, closed=frozenset({"a.xyz"}))
    (told,) = seen_by(folder, made(reads))
    assert told[1] == Finding(code="unreadable", path="a.xyz", message="It cannot be read: permission denied.")
