"""Nodes of bodies and synapses, spread over files by the ROIs that they have."""

import random
import tracemalloc
from collections.abc import Iterator, Sequence

import pytest

from engram.connectome.engine import Work
from engram.connectome.neuprint import nodes
from engram.connectome.neuprint.nodes import EACH, FILE, make_nodes
from engram.connectome.neuprint.totals import BITS, rois_in

WORDS = ("bits 0", "bits 1")


@pytest.fixture
def work() -> Iterator[Work]:
    work = Work(":memory:", memory_bytes=1 << 30, threads=2)
    yield work
    work.close()


def make_bodies(work: Work, sets: Sequence[frozenset[int]]) -> None:
    work.run('CREATE TABLE body (body BIGINT, "bits 0" BIGINT, "bits 1" BIGINT)')
    for body, rois in enumerate(sets):
        words = [sum(1 << roi % BITS for roi in rois if roi // BITS == word) for word in (0, 1)]
        work.run(f"INSERT INTO body VALUES ({body}, {words[0]}, {words[1]})")


def made(work: Work, *, most_files: int = 0) -> tuple[list[tuple[int, ...]], dict[int, int]]:
    """The files, and the file of each body."""
    query = "SELECT * FROM body"
    files = make_nodes(work, "node", query, WORDS, rois_in(WORDS), order="body", most_files=most_files)
    rows = work.rows(f'SELECT body, "{FILE}" FROM node')
    assert rows == sorted(rows, key=lambda row: (row[1], row[0])), "in the order of files, then of bodies"
    return files, dict(rows)


def some(seed: int, *, bodies: int = 60, rois: int = 70, most: int = 5) -> list[frozenset[int]]:
    chance = random.Random(seed)
    return [frozenset(chance.sample(range(rois), chance.randint(0, most))) for _ in range(bodies)]


@pytest.mark.parametrize("seed", range(4))
def test_files_have_the_flags_of_their_own_nodes_and_not_more_than_fit(
    work: Work, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "MOST_FLAGS", 12)
    monkeypatch.setattr(nodes.spread, "__kwdefaults__", {"most": 12})
    sets = [*some(seed), frozenset(range(20)), frozenset(range(30, 50))]
    make_bodies(work, sets)
    files, file_of = made(work)
    assert sorted(file_of) == list(range(len(sets)))
    for number, rois in enumerate(files):
        held = [sets[body] for body, file in file_of.items() if file == number]
        assert set(rois) == set().union(*held)
        assert list(rois) == sorted(rois)
        assert len(rois) <= 12 or all(len(one) > 12 for one in held)
    assert file_of[len(sets) - 1] == file_of[len(sets) - 2] == len(files) - 1, "what fits nowhere is in the last one"


def test_nodes_whose_flags_fit_lie_in_one_file(work: Work) -> None:
    sets = some(1)
    make_bodies(work, sets)
    files, file_of = made(work)
    assert files == [tuple(sorted(frozenset().union(*sets)))]
    assert set(file_of.values()) == {0}


@pytest.mark.parametrize("most_files", [1, 2, 5, EACH])
def test_nodes_are_dealt_to_so_many_files_by_their_rois(work: Work, most_files: int) -> None:
    sets = some(2, rois=4, most=2)
    make_bodies(work, sets)
    files, file_of = made(work, most_files=most_files)
    together = {rois: {file_of[body] for body, one in enumerate(sets) if one == rois} for rois in sets}
    assert all(len(numbers) == 1 for numbers in together.values()), "nodes of one combination lie together"
    assert 1 <= len(files) <= min(most_files, len(together))
    assert len(files) == len(together) or most_files != EACH


def test_no_nodes_make_one_file_without_flags(work: Work) -> None:
    make_bodies(work, [])
    assert made(work) == ([()], {})
    assert made_without_keys(work) == [()]


def made_without_keys(work: Work) -> list[tuple[int, ...]]:
    return make_nodes(work, "nodes without ROIs", "SELECT body FROM body", (), "", order="body")


@pytest.mark.parametrize("most_files", [0, 3])
def test_combinations_are_not_held_in_memory(work: Work, most_files: int) -> None:
    """Of 300 million connections there are as many as bodies, and 160 ROIs."""
    count = 50_000
    bits = '(hash(i) >> 6)::BIGINT AS "bits 0", i % 7 AS "bits 1"'
    work.run(f"CREATE TABLE body AS SELECT i AS body, {bits} FROM range({count}) AS t(i)")
    query = "SELECT * FROM body"
    tracemalloc.start()
    try:
        files = make_nodes(work, "node", query, WORDS, rois_in(WORDS), order="body", most_files=most_files)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(files) == max(most_files, 1)
    assert peak_bytes < count * 250, "a set of 30 ROIs takes 2 KB"
