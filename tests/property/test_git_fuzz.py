"""Broken bytes: every reader of git's files says what is wrong, soon, and nothing else comes out of it."""

import hashlib
import random
import subprocess
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engram.datasets.git.cache_tree import decode_cache_tree
from engram.datasets.git.delta import apply_delta
from engram.datasets.git.index import GitIndex
from engram.datasets.git.index_write import write_index
from engram.datasets.git.objects import BLOB, TREE, decode_commit, decode_tree, encode_tree, object_id
from engram.datasets.git.odb import ObjectStore
from engram.datasets.git.pack import PackWriter
from engram.datasets.git.problems import MissingObject, NotUnderstood
from engram.datasets.git.trees import build_trees
from engram.durable import Steps
from engram.model.errors import DamagedRepository

EXPECTED = (DamagedRepository, NotUnderstood, MissingObject)
FUZZ = settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@st.composite
def mutations(draw: st.DrawFn) -> Callable[[bytes], bytes]:
    """A few bytes changed, inserted, removed or repeated at random places."""
    kinds = draw(st.lists(st.sampled_from("xid+c"), min_size=1, max_size=3))
    dice = random.Random(draw(st.integers(0, 2**32)))
    new = draw(st.binary(min_size=1, max_size=8) | st.sampled_from([b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff"]))

    def mutate(data: bytes) -> bytes:
        for kind in kinds:
            at = dice.randrange(len(data) + 1)
            if kind == "x":
                data = data[:at] + new + data[at + len(new) :]
            elif kind == "i":
                data = data[:at] + new + data[at:]
            elif kind == "d":
                data = data[:at] + data[at + dice.randrange(1, 30) :]
            elif kind == "+":
                data = data[:at] + data[at : at + 40] * 2 + data[at + 40 :]
            else:
                data = data[:at]
        return data

    return mutate


def signed(data: bytes) -> bytes:
    """The bytes with a right digest at their end, so that the reader looks at them."""
    return data[:-20] + hashlib.sha1(data[:-20]).digest()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")

    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)

    git("init", "-q")
    for i in range(12):
        (folder / f"d{i % 3}").mkdir(exist_ok=True)
        (folder / f"d{i % 3}" / f"f{i}").write_text("".join(f"line {n} {n * i if n == 5 else n}\n" for n in range(300)))
    git("add", ".")
    git("commit", "-qm", "m")
    (folder / "ita").write_text("")
    git("add", "-N", "ita")
    git("gc", "-q")
    return folder


@pytest.fixture(scope="module")
def indexes(repository: Path) -> dict[int, bytes]:
    found = {}
    for version in (3, 4):
        subprocess.run(["git", "update-index", f"--index-version={version}"], cwd=repository, check=True)
        found[version] = (repository / ".git/index").read_bytes()
    return found


def read_whole_index(data: bytes) -> None:
    index = GitIndex.from_bytes(data)
    for i in range(len(index)):
        index.entry(i)
    tree = index.cache_tree
    build_trees(index, {})
    GitIndex.from_bytes(write_index(index, {}, tree))


@pytest.mark.parametrize("version", [3, 4])
@given(mutate=mutations())
@FUZZ
def test_a_broken_index(version: int, indexes: dict[int, bytes], mutate: Callable[[bytes], bytes]) -> None:
    with suppress(*EXPECTED):
        read_whole_index(signed(mutate(indexes[version])))


@given(data=st.binary(max_size=200))
@FUZZ
def test_any_bytes_as_an_index(data: bytes) -> None:
    for start in (b"", b"DIRC\0\0\0\2\0\0\0\1", b"DIRC\0\0\0\4\0\0\0\2"):
        with suppress(*EXPECTED):
            read_whole_index(signed(start + data + bytes(20)))


@given(data=st.binary(max_size=100) | st.lists(st.sampled_from([b"\0001 1\n", b"a\0-1 2\n", b"x" * 20])).map(b"".join))
@FUZZ
def test_any_bytes_as_cached_trees_tree_or_commit(data: bytes) -> None:
    for reader in (lambda: decode_cache_tree(data, "index"), lambda: decode_tree(data), lambda: decode_commit(data)):
        with suppress(*EXPECTED):
            reader()


@given(base=st.binary(max_size=50), delta=st.binary(max_size=50))
@FUZZ
def test_any_bytes_as_a_delta(base: bytes, delta: bytes) -> None:
    for whole in (delta, bytes([len(base)]) + delta):
        with suppress(*EXPECTED):
            assert len(apply_delta(base, whole, "pack", 1 << 16)) <= 1 << 16


def packed(repository: Path) -> Iterator[Path]:
    return (repository / ".git/objects/pack").glob("pack-*")


@pytest.mark.parametrize("suffix", [".pack", ".idx"])
@given(mutate=mutations())
@settings(FUZZ, max_examples=150)
def test_a_broken_pack(
    suffix: str, repository: Path, tmp_path_factory: pytest.TempPathFactory, mutate: Callable[[bytes], bytes]
) -> None:
    folder = tmp_path_factory.mktemp("objects")
    (folder / "pack").mkdir()
    for path in packed(repository):
        data = path.read_bytes()
        (folder / "pack" / path.name).write_bytes(mutate(data) if path.suffix == suffix else data)
    whole = ObjectStore(bytes(repository / ".git/objects"))
    (index,) = (path for path in packed(repository) if path.suffix == ".idx")
    data = index.read_bytes()
    count = int.from_bytes(data[8 + 1020 : 8 + 1024], "big")
    for i in range(count):
        oid = data[1032 + 20 * i : 1052 + 20 * i]
        with suppress(*EXPECTED):
            assert ObjectStore(bytes(folder)).read(oid, verify=True) == whole.read(oid)


@given(
    content=st.binary(max_size=60), start=st.sampled_from([b"", b"blob ", b"blob 3\0", b"tree 99999999999999999999\0"])
)
@FUZZ
def test_any_bytes_as_a_loose_object(tmp_path_factory: pytest.TempPathFactory, content: bytes, start: bytes) -> None:
    folder = tmp_path_factory.mktemp("objects")
    (folder / "00").mkdir()
    oid = bytes(20)
    for data in (content, zlib.compress(start + content), zlib.compress(start + content)[:-1]):
        (folder / "00" / oid.hex()[2:]).write_bytes(data)
        with suppress(*EXPECTED):
            ObjectStore(bytes(folder)).read(oid, verify=True)


def with_loose(folder: Path, content: bytes) -> ObjectStore:
    (folder / "00").mkdir()
    (folder / "00" / ("0" * 38)).write_bytes(zlib.compress(content))
    return ObjectStore(bytes(folder), limit_bytes=1 << 20)


@pytest.mark.parametrize("header", [b"blob 5\0", b"blob 1000000\0", b"blob 99999999\0"])
def test_a_loose_bomb_is_not_inflated(tmp_path: Path, header: bytes) -> None:
    store = with_loose(tmp_path, header + bytes(64 << 20))
    tracemalloc.start()
    with pytest.raises(EXPECTED):
        store.read(bytes(20))
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def test_a_packed_bomb_is_not_inflated(tmp_path: Path) -> None:
    with PackWriter(Steps(), bytes(tmp_path)) as pack:
        oid = pack.add(BLOB, bytes(64 << 20))
        name = pack.finish()
    assert name is not None
    path = tmp_path / "pack" / f"{name.decode()}.pack"
    path.chmod(0o600)
    data = path.read_bytes()
    tracemalloc.start()
    with pytest.raises(NotUnderstood):
        ObjectStore(bytes(tmp_path), limit_bytes=1 << 20).read(oid)
    path.write_bytes(data[:12] + bytes([0x35]) + data[17:])
    with pytest.raises(DamagedRepository):
        ObjectStore(bytes(tmp_path)).read(oid)
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def test_a_tree_that_says_ten_thousand_million_files_is_left_to_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PackWriter(Steps(), bytes(tmp_path)) as pack:
        mode, oid = 0o100644, pack.add(BLOB, b"")
        for _ in range(10):
            oid = pack.add(TREE, encode_tree((mode, b"%d" % i, oid) for i in range(10)))
            mode = 0o040000
        pack.finish()
    with pytest.raises(NotUnderstood):
        for _ in ObjectStore(bytes(tmp_path)).read_tree_flat(oid, limit_entries=10_000):
            pass


def test_deltas_that_go_round_in_a_circle_are_noticed(tmp_path: Path) -> None:
    """Two entries that each name the other as their base."""
    one, two = object_id(BLOB, b"1"), object_id(BLOB, b"2")
    delta = zlib.compress(b"\x01\x01\x90\x01")
    entries = [bytes([0x74]) + base + delta for base in (two, one)]
    body = b"PACK\0\0\0\2\0\0\0\2" + b"".join(entries)
    names = sorted([one, two])
    place = {one: 12, two: 12 + len(entries[0])}
    fanout = b"".join(sum(name[0] <= i for name in names).to_bytes(4, "big") for i in range(256))
    offsets = b"".join(place[name].to_bytes(4, "big") for name in names)
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack/pack-1.pack").write_bytes(signed(body + bytes(20)))
    (tmp_path / "pack/pack-1.idx").write_bytes(
        b"\xfftOc\0\0\0\2" + fanout + b"".join(names) + bytes(8) + offsets + bytes(40)
    )
    with pytest.raises(DamagedRepository, match="circle"):
        ObjectStore(bytes(tmp_path)).read(one)
