"""What every `engram.sessions.recogniser.Recogniser` promises, and folders to show it.

A plugin is proven by a few lines::

    class TestMine(RecogniserContract):
        recogniser = RECOGNISER

        def sample(self) -> FakeFolder:
            return FakeFolder({"raw/session.xyz": b"XYZ1..."})
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engram.model.errors import ExtraMissing, Malformed, Unreadable
from engram.model.findings import FINDINGS, Finding
from engram.model.recordings import KINDS, Recording, Task
from engram.sessions.recogniser import Known, Recogniser, Seen
from engram.sessions.workers import INSTALL_RIG, Worker


@dataclass(slots=True)
class FakeFolder:
    """A folder in memory, which counts how often it is looked into.

    >>> folder = FakeFolder({"probe_1/npx.imec.ap.bin": b"12"}, subject="12347")
    >>> folder.read("probe_1/npx.imec.ap.bin", 1), folder.looks
    (b'1', 1)
    """

    contents: Mapping[str, bytes]
    name: str = "20220419"
    subject: str = ""
    #: Sizes of files that are larger than what is kept here of them: zeros follow.
    sizes: Mapping[str, int] = field(default_factory=dict)
    modified: Mapping[str, int] = field(default_factory=dict)
    #: Files that may not be read.
    closed: frozenset[str] = frozenset()
    #: What the worker says, by path and reader.
    answers: Mapping[tuple[str, str], Mapping[str, object]] = field(default_factory=dict)
    looks: int = 0
    bytes_asked: int = 0

    def files(self) -> Sequence[str]:
        return sorted(self.contents)

    def ending(self, *suffixes: str) -> Sequence[str]:
        return [path for path in self.files() if path.rpartition("/")[2].lower().endswith(suffixes)]

    def holds(self, path: str) -> bool:
        return path in self.contents

    def size_bytes(self, path: str) -> int:
        self._look(path)
        return self.sizes.get(path, len(self.contents[path]))

    def modified_ns(self, path: str) -> int:
        self._look(path)
        return self.modified.get(path, 0)

    def read(self, path: str, count: int, offset: int = 0) -> bytes:
        self._look(path)
        self.bytes_asked += count
        data = self.contents[path][offset : offset + count]
        rest = max(0, self.sizes.get(path, 0) - max(offset, len(self.contents[path])))
        return data + bytes(min(count - len(data), rest))

    def in_worker(self, path: str, reader: str) -> Mapping[str, object]:
        self._look(path)
        if (path, reader) in self.answers:
            return self.answers[path, reader]
        raise ExtraMissing("h5py", INSTALL_RIG)

    def _look(self, path: str) -> None:
        self.looks += 1
        if path in self.closed or path not in self.contents:
            raise Unreadable(path, "permission denied" if path in self.closed else "no such file")


def folder_on_disk(
    root: str, *, subject: str = "", worker: Worker | None = None, readers: Sequence[str] = ()
) -> FakeFolder:
    """All of a small folder, held in memory.

    Args:
        worker: what to ask about its HDF5 and MATLAB files, with each of *readers*.
    """
    contents: dict[str, bytes] = {}
    modified: dict[str, int] = {}
    answers: dict[tuple[str, str], Mapping[str, object]] = {}
    for place, _, files in os.walk(root):
        for file in files:
            whole = os.path.join(place, file)
            path = os.path.relpath(whole, root).replace(os.sep, "/")
            with open(whole, "rb") as opened:
                contents[path] = opened.read()
            modified[path] = os.stat(whole).st_mtime_ns
            for reader in readers if worker is not None and contents[path][:8] == b"\x89HDF\r\n\x1a\n" else ():
                answers[path, reader] = worker.examine(whole, reader) if worker is not None else {}
    return FakeFolder(contents, os.path.basename(root), subject, modified=modified, answers=answers)


class RecogniserContract:
    """Subclass in a test module, name the recogniser, make a sample, done."""

    recogniser: ClassVar[Recogniser]
    #: Looks and bytes for each file of the sample; reads are bounded whatever a file says of itself.
    most_looks: ClassVar[int] = 80
    most_bytes: ClassVar[int] = 16 << 20

    def sample(self) -> FakeFolder:
        """A sound folder in which it sees something."""
        raise NotImplementedError("make a folder")

    def _seen(self, folder: FakeFolder) -> list[Seen]:
        return list(self.recogniser.recognise(folder))

    def test_it_says_what_it_is_and_where_that_is_documented(self) -> None:
        assert self.recogniser.name
        assert self.recogniser.source.startswith("http")
        assert self.recogniser.suffixes
        assert all(suffix == suffix.lower() for suffix in self.recogniser.suffixes)

    def test_it_sees_what_is_there(self) -> None:
        folder = self.sample()
        assert folder.ending(*self.recogniser.suffixes), "it would never be asked"
        assert any(not isinstance(one, Finding) for one in self._seen(folder))

    def test_it_says_nothing_of_other_files(self) -> None:
        assert self._seen(FakeFolder({"a/readme.rst": b"words", "b/c.dat": bytes(100)})) == []

    def test_it_says_the_same_twice(self) -> None:
        assert self._seen(self.sample()) == self._seen(self.sample())

    def test_what_it_says_can_be_kept(self) -> None:
        sound(self._seen(self.sample()), self.sample())

    def test_it_looks_only_as_often_as_it_may(self) -> None:
        folder = self.sample()
        self._seen(folder)
        self._bounded(folder)

    def test_a_closed_file_is_told_of_and_no_more(self) -> None:
        for path in self.sample().files():
            folder = replace(self.sample(), closed=frozenset({path}))
            try:
                sound(self._seen(folder), folder)
            except Unreadable as error:
                assert error.path == path  # noqa: PT017 - it may be raised or told of

    @settings(suppress_health_check=list(HealthCheck), deadline=None)
    @given(data=st.data())
    def test_it_never_raises_whatever_a_file_holds(self, data: st.DataObject) -> None:
        folder = self.sample()
        path = data.draw(st.sampled_from([*folder.files()]), "file")
        content = folder.contents[path]
        spoiled = data.draw(
            st.one_of(_cut(content), _flipped(content), _swollen(content), st.binary(max_size=64)), "content"
        )
        sizes = {path: data.draw(st.sampled_from([len(spoiled), 1 << 40]), "size")}
        folder = replace(folder, contents={**folder.contents, path: spoiled}, sizes=sizes)
        if data.draw(st.booleans(), "the worker dies of it"):
            folder = _Dying(**{name: getattr(folder, name) for name in folder.__dataclass_fields__})
        sound(self._seen(folder), folder)
        self._bounded(folder)

    @settings(suppress_health_check=list(HealthCheck), deadline=None)
    @given(data=st.data())
    def test_it_never_raises_whatever_is_missing(self, data: st.DataObject) -> None:
        whole = self.sample()
        gone = data.draw(st.sets(st.sampled_from([*whole.files()])), "missing")
        folder = replace(whole, contents={path: whole.contents[path] for path in whole.contents if path not in gone})
        sound(self._seen(folder), folder)

    def _bounded(self, folder: FakeFolder) -> None:
        count = max(1, len(folder.contents))
        assert folder.looks <= self.most_looks * count
        assert folder.bytes_asked <= self.most_bytes * count


class _Dying(FakeFolder):
    """A folder whose worker dies of every file."""

    def in_worker(self, path: str, reader: str) -> Mapping[str, object]:
        self._look(path)
        raise Malformed(path, f"a library died of it ({reader})")


def _cut(content: bytes) -> st.SearchStrategy[bytes]:
    return st.integers(0, max(0, len(content))).map(lambda end: content[:end])


def _flipped(content: bytes) -> st.SearchStrategy[bytes]:
    """Some bytes changed, most of them near the start: headers lie there."""
    places = st.integers(0, max(0, min(len(content) - 1, 400))) | st.integers(0, max(0, len(content) - 1))
    return st.dictionaries(places, st.integers(0, 255), max_size=4).map(lambda changes: _changed(content, changes))


def _swollen(content: bytes) -> st.SearchStrategy[bytes]:
    """A very long run of one byte somewhere near the start: what reads it twice for each of them never ends."""
    place, byte = st.integers(0, min(len(content), 2000)), st.sampled_from(b" \t\n0a,;<[(=\"'_\0\xff")
    return st.tuples(place, byte).map(lambda drawn: _with_run(content, *drawn))


def _with_run(content: bytes, place: int, byte: int) -> bytes:
    return content[:place] + bytes([byte]) * 200_000 + content[place:]


def _changed(content: bytes, changes: Mapping[int, int]) -> bytes:
    data = bytearray(content)
    for place, value in changes.items():
        if place < len(data):
            data[place] = value
    return bytes(data)


def sound(seen: Sequence[Seen], folder: FakeFolder) -> None:
    """Assert what holds for everything that a recogniser may say about a folder."""
    taken: dict[str, object] = {}
    for one in seen:
        if isinstance(one, Finding):
            assert one.code in FINDINGS
            assert folder.holds(one.path), f"{one.path} is told of, and is not there"
            assert one.message.endswith("."), one.message
            assert one.message.isprintable()
        elif isinstance(one, Task):
            assert one.start_s >= 0
        else:
            for path in one.paths:
                assert folder.holds(path), f"{path} is not there"
                assert path not in taken, f"{path} belongs to {taken[path]} and to {one}"
                taken[path] = one
            assert one.paths
        if isinstance(one, Recording):
            _recording_is_sound(one)
        assert isinstance(one, Finding | Task | Recording | Known)


def _recording_is_sound(one: Recording) -> None:
    assert one.kind in KINDS
    assert 0 < len(one.device) <= 120
    assert one.device.isprintable()
    assert len(one.serial) <= 100
    assert one.started is None or isinstance(one.started, datetime)
    for name in ("duration_s", "sampling_rate_hz", "channels", "samples", "size_bytes"):
        number = getattr(one, name)
        assert number is None or 0 <= number < float("inf"), f"{name} is {number}"
    assert one.sha1 == "" or (len(one.sha1) == 40 and one.sha1 == one.sha1.lower())
    for name, value in one.facts:
        assert isinstance(name, str)
        assert value is None or isinstance(value, str | int | float | bool), f"{name} is {value!r}"
        assert not isinstance(value, str) or len(value) <= 1000, f"{name} is too long"
    assert len(dict(one.facts)) == len(one.facts)
