"""New objects: git reads them, and they are whole under their names or not there at all."""

import errno
import os
import random
from pathlib import Path

import pytest

from engram.datasets.git import pack as pack_module
from engram.datasets.git.objects import BLOB, COMMIT, TREE, object_id
from engram.datasets.git.odb import ObjectStore
from engram.datasets.git.pack import PACK_FROM, NewObject, PackWriter, write_loose
from engram.durable import Steps
from engram.model.errors import ChangedWhileSaved, StorageFailed
from engram.testing.faults import Crash, CrashingAt, FailingAt
from tests.unit.datasets.git.conftest import Git


def folder_of(work: Path) -> bytes:
    return os.fsencode(work / ".git/objects")


def store_objects(steps: Steps, folder: bytes, objects: list[NewObject]) -> None:
    """In a pack or one by one, as a save does it."""
    if len(objects) < PACK_FROM:
        write_loose(steps, folder, objects)
        return
    with PackWriter(steps, folder) as writer:
        for kind, data in objects:
            writer.add(kind, data)
        writer.finish()


def sample() -> list[bytes]:
    draw = random.Random(1)
    sizes = [0, 1, 15, 16, 39, 40, 41, 2047, 2048, 4095, 4096, 4097, 65535, 65536, 300_000]
    return [draw.randbytes(size // 2) + b"a" * (size - size // 2) for size in sizes] + [
        b"small %d" % i for i in range(200)
    ]


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_git_reads_every_object_of_a_pack(work: Path, git: Git) -> None:
    blobs = sample()
    with PackWriter(Steps(), folder_of(work)) as writer:
        for data in [*blobs, blobs[3]]:
            assert writer.add(BLOB, data) == object_id(BLOB, data)
        assert writer.count == len(blobs)
        assert object_id(BLOB, blobs[3]) in writer
        name = writer.finish()
    assert name is not None
    path = work / ".git/objects/pack" / os.fsdecode(name)
    git("verify-pack", str(path.with_suffix(".idx")))
    assert {p.suffix: p.stat().st_mode & 0o777 for p in path.parent.iterdir()} == {".pack": 0o444, ".idx": 0o444}
    for data in blobs:
        assert git("cat-file", "blob", object_id(BLOB, data).hex()) == data
    git("fsck", "--strict")


def test_the_index_of_a_pack_is_the_one_that_git_makes(work: Path, git: Git, tmp_path: Path) -> None:
    store_objects(Steps(), folder_of(work), [(BLOB, data) for data in sample()])
    (index,) = (work / ".git/objects/pack").glob("*.idx")
    made = tmp_path / "made.idx"
    printed = git("index-pack", "-o", str(made), str(index.with_suffix(".pack")))
    assert made.read_bytes() == index.read_bytes()
    assert printed.strip().decode() == index.stem.removeprefix("pack-")


def test_offsets_beyond_two_gibibytes_are_kept_apart() -> None:
    names = [bytes([i]) * 20 for i in range(4)]
    places = {name: [12, 1 << 31, (1 << 31) - 1, 1 << 40][i] << 32 | i for i, name in enumerate(names)}
    index = pack_module._pack_index(places, bytes(20))
    assert len(index) == 8 + 1024 + 4 * 28 + 2 * 8 + 40


def test_what_does_not_fit_in_memory_goes_through_the_disk(work: Path, git: Git) -> None:
    big = random.Random(2).randbytes(1 << 20)
    with PackWriter(Steps(), folder_of(work), held_bytes=1000) as writer:
        oid = writer.add_stream(BLOB, 40 * len(big), (big for _ in range(40)), "big")
        again = writer.add_stream(BLOB, 3, [b"a", b"", b"bc"], "small")
        assert writer.add_stream(BLOB, 3, [b"abc"], "small") == again == object_id(BLOB, b"abc")
        last = writer.add(BLOB, b"last")
        assert writer.finish() is not None
    git("fsck", "--strict")
    assert git("cat-file", "-s", oid.hex()).strip() == b"%d" % (40 * len(big))
    assert git("cat-file", "blob", last.hex()) == b"last"
    assert ObjectStore(folder_of(work)).read(oid, verify=True) == (BLOB, big * 40)
    assert len(names_in(work / ".git/objects")) == 2


@pytest.mark.parametrize("held_bytes", [1, 1000])
@pytest.mark.parametrize("chunks", [[b"ab"], [b"ab", b"cd"]])
def test_a_stream_of_another_size_is_refused_and_leaves_the_others(
    work: Path, git: Git, chunks: list[bytes], held_bytes: int
) -> None:
    with PackWriter(Steps(), folder_of(work), held_bytes=held_bytes) as writer:
        first = writer.add(BLOB, b"first")
        with pytest.raises(ChangedWhileSaved):
            writer.add_stream(BLOB, 3, chunks, "file")
        second = writer.add_stream(BLOB, 4, chunks + chunks if len(chunks) == 1 else chunks, "file")
        assert writer.count == 2
        writer.finish()
    git("fsck", "--strict")
    assert git("cat-file", "blob", first.hex()) == b"first"
    assert len(git("cat-file", "blob", second.hex())) == 4
    assert len(names_in(work / ".git/objects")) == 2


def test_a_pack_without_objects_is_not_written(work: Path) -> None:
    assert PackWriter(Steps(), folder_of(work)).finish() is None
    with PackWriter(Steps(), folder_of(work)) as writer:
        writer.add(BLOB, b"forgotten")
    assert names_in(work / ".git/objects") == set()


def test_few_objects_become_loose_files_that_git_reads(work: Path, git: Git) -> None:
    objects = [(BLOB, data) for data in sample()[:40]] + [(TREE, b"")]
    store_objects(Steps(), folder_of(work), objects)
    assert not list((work / ".git/objects").glob("pack/*"))
    for kind, data in objects:
        assert git("cat-file", kind.decode(), object_id(kind, data).hex()) == data
    git("fsck", "--strict")
    before = {path: path.stat().st_ino for path in (work / ".git/objects").rglob("*")}
    store_objects(Steps(), folder_of(work), objects)
    assert {path: path.stat().st_ino for path in (work / ".git/objects").rglob("*")} == before


@pytest.mark.parametrize("torn", [b"", b"x\x9c", b"garbage"])
def test_a_loose_object_that_a_crash_left_torn_is_replaced(work: Path, git: Git, torn: bytes) -> None:
    oid = object_id(BLOB, b"text").hex()
    path = work / ".git/objects" / oid[:2] / oid[2:]
    path.parent.mkdir()
    path.write_bytes(torn)
    write_loose(Steps(), folder_of(work), [(BLOB, b"text")])
    assert git("cat-file", "blob", oid) == b"text"


@pytest.mark.parametrize("count", [3, 150])
def test_a_crash_at_any_step_leaves_no_broken_object(tmp_path: Path, count: int) -> None:
    objects = [(BLOB, b"%d" % i * 50) for i in range(count)]
    for step in range(1, 1000):
        folder = tmp_path / str(step)
        (folder / "pack").mkdir(parents=True)
        try:
            store_objects(CrashingAt(step), os.fsencode(folder), objects)
        except Crash:
            store = ObjectStore(os.fsencode(folder))
            for kind, data in objects:
                oid = object_id(kind, data)
                assert not store.has(oid) or store.read(oid, verify=True) == (kind, data)
            left = {name for name in names_in(folder) if name.startswith("tmp_")}
            assert len(left) <= 2
        else:
            break
    assert step > 4


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("once", [True, False])
@pytest.mark.parametrize(("count", "held_bytes"), [(3, 1 << 20), (150, 1 << 20), (150, 1000)])
def test_a_disk_that_refuses_at_any_step_leaves_no_broken_object(
    tmp_path: Path, count: int, held_bytes: int, error: int, once: bool
) -> None:
    objects = [(BLOB, b"%d" % i * 50) for i in range(count)]
    for step in range(1, 1000):
        folder = tmp_path / str(step)
        folder.mkdir()
        try:
            if count < 100:
                write_loose(FailingAt(step, error, once=once), os.fsencode(folder), objects)
            else:
                with PackWriter(FailingAt(step, error, once=once), os.fsencode(folder), held_bytes=held_bytes) as pack:
                    for kind, data in objects:
                        pack.add(kind, data)
                    pack.finish()
        except StorageFailed:
            store = ObjectStore(os.fsencode(folder))
            for kind, data in objects:
                oid = object_id(kind, data)
                assert not store.has(oid) or store.read(oid, verify=True) == (kind, data)
            if once or error == errno.ENOSPC:
                assert not [name for name in names_in(folder) if name.startswith("tmp_")]
        else:
            break
    assert step > 4


def test_a_private_repository_gets_private_packs(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        for held_bytes in (1, 1 << 20):
            folder = tmp_path / str(held_bytes)
            with PackWriter(Steps(), os.fsencode(folder), held_bytes=held_bytes) as pack:
                pack.add(BLOB, b"text")
                pack.finish()
            assert {path.stat().st_mode & 0o777 for path in (folder / "pack").iterdir()} == {0o400}
    finally:
        os.umask(before)


def test_reading_finds_loose_packed_and_deltified_objects(work: Path, git: Git) -> None:
    lines = [b"%d %d\n" % (i, i * i) for i in range(3000)]
    texts = [b"".join(lines[i:] + lines[: i // 2]) for i in range(60)]
    oids = [git("hash-object", "-w", "--stdin", stdin=text).strip().decode() for text in texts]
    store = ObjectStore(folder_of(work))
    for oid, text in zip(oids, texts, strict=True):
        assert store.read(bytes.fromhex(oid), verify=True) == (BLOB, text)
    git("-c", "core.compression=0", "pack-objects", "-q", ".git/objects/pack/pack", stdin="\n".join(oids).encode())
    git("prune-packed")
    (index,) = (work / ".git/objects/pack").glob("*.idx")
    assert b"chain length = 1" in git("verify-pack", "-v", str(index))
    for oid, text in zip(oids, texts, strict=True):
        assert store.read(bytes.fromhex(oid), verify=True) == (BLOB, text)
        assert store.has(bytes.fromhex(oid))
    assert not store.has(bytes(20))


def test_a_pack_gives_its_memory_back_and_is_read_again(work: Path) -> None:
    draw = random.Random(1)
    blobs = [draw.randbytes(3000) for _ in range(3000)]
    folder = folder_of(work)
    store_objects(Steps(), folder, [(BLOB, data) for data in blobs])
    store = ObjectStore(folder)
    oids = [object_id(BLOB, data) for data in blobs]
    assert [store.read(oid)[1] for oid in oids] == blobs
    held_bytes = mapped_bytes(".pack")
    store.rest()
    assert mapped_bytes(".pack") < held_bytes - 8_000_000
    assert [store.read(oid)[1] for oid in oids] == blobs


def mapped_bytes(name_end: str) -> int:
    """How much of the files that this process has mapped, and whose names end so, is in its memory."""
    found, is_meant = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.partition(" ")[0]:
            is_meant = line.endswith(name_end)
        elif is_meant and line.startswith("Rss:"):
            found += int(line.split()[1]) * 1024
    return found


@pytest.mark.parametrize("options", [["--index-version=1"], ["--delta-base-offset"], ["--depth=200", "--window=50"]])
def test_every_kind_of_pack_is_read(work: Path, git: Git, options: list[str]) -> None:
    data = random.Random(3).randbytes(9000)
    texts = [data[: 8000 + i] + b"%d" % i for i in range(500)]
    listing = git("hash-object", "-w", "--stdin-paths", stdin=_files(work, texts))
    oids = [line.decode() for line in listing.split()]
    git("pack-objects", "-q", *options, ".git/objects/pack/pack", stdin=listing)
    git("prune-packed")
    store = ObjectStore(folder_of(work))
    for oid, text in zip(oids, texts, strict=True):
        assert store.read(bytes.fromhex(oid), verify=True) == (BLOB, text)


def _files(work: Path, texts: list[bytes]) -> bytes:
    for i, text in enumerate(texts):
        (work / f"f{i}").write_bytes(text)
    return b"".join(b"f%d\n" % i for i in range(len(texts)))


def test_a_repository_borrows_objects_of_others_even_in_a_circle(work: Path, git: Git, tmp_path: Path) -> None:
    oid = bytes.fromhex(git("hash-object", "-w", "--stdin", stdin=b"there").strip().decode())
    other, third = tmp_path / 'o"ther\n', tmp_path / "third"
    for folder in (other, third):
        (folder / "info").mkdir(parents=True)
    (third / "info/alternates").write_bytes(b"# comment\n../o\n" + b'"../o\\"ther\\n"\n')
    (other / "info/alternates").write_bytes(b"../third\n" + folder_of(work) + b"\n")
    assert ObjectStore(os.fsencode(third)).read(oid) == (BLOB, b"there")
    assert not ObjectStore(os.fsencode(third)).has(bytes(20))


def test_a_tree_is_listed_flat_in_the_order_of_an_index(work: Path, git: Git) -> None:
    for name in ("a", "a.b/c", "b/c/d", "b-c/x", "b/c0"):
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(name)
    git("add", ".")
    git("commit", "-qm", "m")
    git("tag", "-am", "t", "t")
    store = ObjectStore(folder_of(work))
    tag = bytes.fromhex(git("rev-parse", "t").strip().decode())
    tree = store.tree_of(tag)
    assert tree.hex().encode() == git("rev-parse", "HEAD^{tree}").strip()
    listed = b"".join(
        b"%06o blob %b\t%b\0" % (mode, oid.hex().encode(), path) for path, mode, oid in store.read_tree_flat(tree)
    )
    assert listed == git("ls-tree", "-r", "-z", "HEAD")
    assert store.read(bytes.fromhex(git("rev-parse", "HEAD").strip().decode()))[0] == COMMIT
