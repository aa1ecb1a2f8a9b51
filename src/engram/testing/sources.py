"""What every `engram.model.source.Source` promises, and a source that holds its contents in memory.

>>> source = MemorySource("lab", {b"SHA256-s1--x": b"x"})
>>> [fetched.problem for fetched in source.fetch([Wanted(key=b"SHA256-s1--x", path=b"a.dat", size_bytes=1)])]
[None]
>>> source.settle()
>>> source.here
{b'SHA256-s1--x': b'x'}
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from engram.model.errors import ChecksumMismatch, Unavailable
from engram.model.source import Fetched, Source, Wanted


@dataclass(slots=True)
class MemorySource:
    """A source for tests: no disk, no program. What was fetched and settled is in `here`."""

    name: str
    contents: Mapping[bytes, bytes]
    here: dict[bytes, bytes] = field(default_factory=dict)
    writes_log: bool = False
    _coming: dict[bytes, bytes] = field(default_factory=dict)

    def fetch(self, wanted: Iterable[Wanted]) -> Iterator[Fetched]:
        for one in wanted:
            content = self.contents.get(one.key)
            if content is None:
                problem = Unavailable(one.path.decode(errors="replace"), f"{self.name} does not have it")
                yield Fetched(wanted=one, source=self.name, problem=problem)
            elif not _is_content_of(one.key, content):
                found = hashlib.sha256(content).hexdigest()
                yield Fetched(
                    wanted=one, source=self.name, problem=ChecksumMismatch(one.key.decode(), self.name, found)
                )
            else:
                self._coming[one.key] = content
                yield Fetched(wanted=one, source=self.name, moved_bytes=len(content))

    def settle(self) -> None:
        self.here.update(self._coming)
        self._coming.clear()


def _is_content_of(key: bytes, content: bytes) -> bool:
    digest = key.partition(b"--")[2].decode()
    return len(digest) != 64 or hashlib.sha256(content).hexdigest() == digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A source, what it has, and how to look at what came of it."""

    source: Source
    #: By key; at least two, no two alike.
    contents: Mapping[bytes, bytes]
    #: A key whose bytes the source holds wrongly.
    spoiled: bytes
    #: The content of a key as everybody here sees it, ``None`` when there is none.
    read: Callable[[bytes], bytes | None]
    #: The path of a file for a key.
    path_of: Callable[[bytes], bytes]


class SourceContract:
    """Subclass in a test module, provide the `offer` fixture, done."""

    @pytest.fixture
    def offer(self) -> Offer:
        """An offer of which nothing was taken yet."""
        raise NotImplementedError("return an offer")

    def _wanted(self, offer: Offer, *keys: bytes) -> list[Wanted]:
        return [Wanted(key=key, path=offer.path_of(key)) for key in keys]

    def test_what_is_wanted_comes_and_is_there_when_it_is_settled(self, offer: Offer) -> None:
        fetched = list(offer.source.fetch(self._wanted(offer, *offer.contents)))
        offer.source.settle()
        assert {one.wanted.key for one in fetched} == set(offer.contents)
        assert [one.problem for one in fetched] == [None] * len(fetched)
        assert {key: offer.read(key) for key in offer.contents} == offer.contents

    def test_each_answer_says_how_much_came_and_from_where(self, offer: Offer) -> None:
        for one in offer.source.fetch(self._wanted(offer, *offer.contents)):
            assert one.moved_bytes == len(offer.contents[one.wanted.key])
            assert one.source

    def test_what_it_does_not_have_is_an_answer_too_and_stops_no_other(self, offer: Offer) -> None:
        first, *others = offer.contents
        unknown = Wanted(key=first + b"0", path=offer.path_of(first + b"0"))
        wanted = [unknown, *self._wanted(offer, *others)]
        fetched = {one.wanted.key: one.problem for one in offer.source.fetch(wanted)}
        offer.source.settle()
        assert fetched.pop(unknown.key) is not None
        assert set(fetched.values()) == {None}
        assert offer.read(unknown.key) is None

    def test_wrong_bytes_never_become_visible(self, offer: Offer) -> None:
        (fetched,) = offer.source.fetch(self._wanted(offer, offer.spoiled))
        offer.source.settle()
        assert fetched.problem is not None
        assert offer.read(offer.spoiled) is None

    def test_fetching_twice_equals_fetching_once(self, offer: Offer) -> None:
        key = next(iter(offer.contents))
        for _ in range(2):
            (fetched,) = offer.source.fetch(self._wanted(offer, key))
            offer.source.settle()
            assert fetched.problem is None
        assert offer.read(key) == offer.contents[key]

    def test_nothing_wanted_is_nothing_fetched(self, offer: Offer) -> None:
        assert list(offer.source.fetch([])) == []
        offer.source.settle()

    def test_an_iteration_that_is_given_up_leaves_nothing_half_done(self, offer: Offer) -> None:
        answers = offer.source.fetch(self._wanted(offer, *offer.contents))
        next(iter(answers))
        if hasattr(answers, "close"):
            answers.close()
        offer.source.settle()
        for key, content in offer.contents.items():
            assert offer.read(key) in (None, content)
