"""A snapshot appears whole or not at all, and the same inputs give the same bytes."""

import errno
import json
import re
import shutil
from dataclasses import replace
from itertools import count
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from pyarrow import feather

from bench.connectomes import make_connectome
from engram.connectome import engine
from engram.connectome.building import Kept, Limits, build, plan, told_engine
from engram.connectome.config.reading import read_config
from engram.connectome.folder import Folder
from engram.connectome.reading import told
from engram.connectome.writing import Written, digest_of
from engram.durable import AnyPath, Steps
from engram.model.errors import BadTables, SnapshotBusy, StorageFailed, TargetExists, TooLittleMemory
from engram.testing.faults import Counting, DyingAt, Step, die_at_every_step, in_child
from tests.connectomes import csv_header, csv_rows
from tests.naive_connectome import Connectome, Naive, Point, write_connectome

#: Files that name the folder that they are built into, or hold the digest of one that does.
NAMING_THE_FOLDER = ("provenance.json", "ro-crate-metadata.json", "final-config.yaml")
LIMITS = Limits(memory_bytes=1 << 29, threads=1)


def point(number: int, kind: str, body: int) -> Point:
    return Point(x=number, y=0, z=0, kind=kind, conf=0.9, body=body, big="A", small=None, compartment="axon")


CONNECTOME = Connectome(points=(point(1, "PreSyn", 5), point(2, "PostSyn", 6)), partners=((0, 1),))


def build_into(config: Path, folder: Path, steps: Steps | None = None, limits: Limits = LIMITS) -> None:
    read = read_config(str(config), here=str(folder.parent), output_dir=str(folder))
    now = "2026-01-01T00:00:00+00:00"
    list(build(read, steps or Steps(), limits, version="0", now=lambda: now, plots=False))


def files_in(folder: Path) -> dict[str, str]:
    """Digests by path of everything that belongs to a snapshot."""
    paths = (path for path in folder.rglob("*") if path.is_file() and ".engram" not in path.parts)
    return {path.relative_to(folder).as_posix(): digest_of(str(path)) for path in paths}


def test_bytes_depend_neither_on_threads_nor_on_memory(golden: Path, ours: Path, tmp_path: Path) -> None:
    build_into(golden / "input" / "config.yaml", tmp_path / "out", limits=Limits(memory_bytes=1 << 28, threads=3))
    again = files_in(tmp_path / "out")
    assert {path: digest for path, digest in again.items() if path not in NAMING_THE_FOLDER} == {
        path: digest for path, digest in files_in(ours).items() if path not in NAMING_THE_FOLDER
    }


def test_bytes_do_not_depend_on_how_many_parts_texts_are_made_in(
    golden: Path, ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_ROWS_OF_A_PART", 300)  # of 6,498 totals by ROI, of 892 and 1,632 of connections
    build_into(golden / "input" / "config.yaml", tmp_path / "out")
    again, once = files_in(tmp_path / "out"), files_in(ours)
    assert {path: digest for path, digest in again.items() if path not in NAMING_THE_FOLDER} == {
        path: digest for path, digest in once.items() if path not in NAMING_THE_FOLDER
    }


def test_where_nobody_makes_a_folder_that_is_told(golden: Path) -> None:
    with pytest.raises(StorageFailed, match="could not be written"):
        build_into(golden / "input" / "config.yaml", Path("/proc/snapshot"))


def test_provenance_tells_every_file_and_input_with_its_digest(golden: Path, ours: Path) -> None:
    told = json.loads((ours / "provenance.json").read_text())
    found = files_in(ours)
    del found["provenance.json"]
    assert {table["path"]: table["sha256"] for table in (*told["tables"], told["crate"])} == found
    points = digest_of(str(golden / "input" / "syn-points.feather"))
    assert {one["table"]: one["sha256"] for one in told["inputs"]}["points table"] == points
    assert [step["name"] for step in told["steps"]][:3] == ["configuration", "points", "rois"]
    assert len({step["key"] for step in told["steps"]}) == len(told["steps"])


class SickDisk(Steps):
    """A disk that is full from the *k*-th step on."""

    def __init__(self, healthy: int) -> None:
        self.healthy = healthy
        self.taken = 0

    def take(self, kind: str, path: AnyPath) -> None:
        needs_room = kind not in ("remove", "rmdir")
        self.taken += needs_room
        if needs_room and self.taken > self.healthy:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))


def is_whole(folder: Path) -> bool:
    """Whether provenance and all that it tells are there, and nothing else."""
    if not (folder / "provenance.json").exists():
        return False
    told = json.loads((folder / "provenance.json").read_text())
    found = files_in(folder)
    del found["provenance.json"]
    assert {table["path"]: table["sha256"] for table in (*told["tables"], told["crate"])} == found
    return True


def change_settings(config: Path, roiset: str, threshold: str) -> None:
    """Make it necessary to build all of it again."""
    config.write_text(re.sub(r"roi-set: \w+", f"roi-set: {roiset}", config.read_text()))
    meta = config.with_name("meta.yaml")
    meta.write_text(re.sub(r"postHPThreshold: \S+", f"postHPThreshold: {threshold}", meta.read_text()))


def test_a_full_disk_leaves_no_half_snapshot(tmp_path: Path) -> None:
    """Each try begins with what a whole build left: what a failed one leaves is used by the next, and proves less."""
    config, folder = write_connectome(CONNECTOME, tmp_path / "in"), tmp_path / "out"
    build_into(config, folder)
    shutil.copytree(folder, tmp_path / "counted" / "out")
    change_settings(config, "small", "0.7")
    build_into(config, tmp_path / "counted" / "out", counted := SickDisk(healthy=1000))
    failed = broken = 0
    for number, healthy in enumerate((0, 1, 5, 20, *range(counted.taken - 14, counted.taken, 2))):
        tried = tmp_path / f"{number}" / "out"
        shutil.copytree(folder, tried)
        try:
            build_into(config, tried, SickDisk(healthy))
        except (StorageFailed, OSError):
            failed += 1
        broken += not is_whole(tried)
        build_into(config, tried)
        assert is_whole(tried)
        assert {path.name for path in (tried / ".engram").iterdir()} == {"lock", ".gitignore"}
    assert 0 < broken < failed >= 9


def test_what_is_not_wanted_any_more_goes(tmp_path: Path) -> None:
    config, folder = write_connectome(CONNECTOME, tmp_path / "in"), tmp_path / "out"
    build_into(config, folder)
    assert (folder / "neuprint").is_dir()
    config.write_text(config.read_text().replace("export-neuprint-snapshot: true", "export-neuprint-snapshot: false"))
    build_into(config, folder)
    assert not (folder / "neuprint").exists()


class TestSecondBuilds:
    """flyem-snapshot believes an empty file that says it was done: files that are gone it does not bring back."""

    @pytest.fixture
    def config(self, tmp_path: Path) -> Path:
        config = write_connectome(CONNECTOME, tmp_path / "in")
        build_into(config, tmp_path / "out")
        return config

    def told(self, config: Path) -> dict[str, str]:
        """Which files were written, and which were kept, of each part; the plan says the same beforehand."""
        folder = config.parent.parent / "out"
        read = read_config(str(config), here=str(folder.parent), output_dir=str(folder))
        said = {name: one.wanted for one in plan(read, Steps()) for name in one.step.writes}
        found: dict[str, set[str]] = {}
        for one in build(read, Steps(), LIMITS, version="0", now=lambda: ""):
            if isinstance(one, Written | Kept):
                path = one.file.path if isinstance(one, Kept) else one.path
                found.setdefault(path.partition("/")[0], set()).add("kept" if isinstance(one, Kept) else "made")
        assert {part: said[part] for part in found} == {part: how == {"made"} for part, how in found.items()}
        return {part: " ".join(how) for part, how in found.items() if "." not in part}

    def test_nothing_is_made_again_that_is_there(self, config: Path, tmp_path: Path) -> None:
        before = (tmp_path / "out" / "provenance.json").stat().st_mtime_ns
        assert self.told(config) == {"flat-connectome": "kept", "neuprint": "kept", "tables": "kept"}
        assert (tmp_path / "out" / "provenance.json").stat().st_mtime_ns == before

    @pytest.mark.parametrize("how", ["gone", "changed"])
    def test_a_file_that_is_not_what_was_built_is_made_again(self, config: Path, tmp_path: Path, how: str) -> None:
        whole = files_in(tmp_path / "out")
        file = tmp_path / "out" / "neuprint" / "Neuprint_SynapseSet.csv"
        file.unlink() if how == "gone" else file.write_bytes(file.read_bytes().replace(b"5", b"6", 1))
        assert self.told(config) == {"flat-connectome": "kept", "neuprint": "made", "tables": "kept"}
        again = files_in(tmp_path / "out")
        apart = {"provenance.json", "ro-crate-metadata.json"}  # both tell the time
        assert {path: again[path] for path in again.keys() - apart} == {
            path: whole[path] for path in whole.keys() - apart
        }

    def test_what_a_setting_changes_is_made_again(self, config: Path) -> None:
        config.write_text(config.read_text().replace("roi-set: big", "roi-set: small"))
        assert self.told(config) == {"flat-connectome": "made", "neuprint": "kept", "tables": "kept"}

    def test_what_a_table_changes_is_made_again(self, config: Path) -> None:
        table = config.parent / "annotations.feather"
        feather.write_feather(pa.table({"body": [5], "status": ["Traced"]}), str(table))
        assert self.told(config) == {"flat-connectome": "made", "neuprint": "made", "tables": "made"}

    def test_the_same_tables_elsewhere_are_the_same(self, config: Path, tmp_path: Path) -> None:
        config.parent.rename(tmp_path / "elsewhere")
        found = self.told(tmp_path / "elsewhere" / "config.yaml")
        assert found == {"flat-connectome": "kept", "neuprint": "kept", "tables": "kept"}

    @pytest.mark.parametrize("said", ["[1, 2", "[]", '{"steps": {"name": 1}}', '{"tables": [{"path": "../x"}]}'])
    def test_a_provenance_that_is_none_counts_for_nothing(self, config: Path, tmp_path: Path, said: str) -> None:
        (tmp_path / "out" / "provenance.json").write_text(said)
        assert self.told(config) == {"flat-connectome": "made", "neuprint": "made", "tables": "made"}


def test_a_build_that_is_killed_goes_on_and_is_never_taken_for_a_whole_one(tmp_path: Path) -> None:
    """flyem-snapshot takes what is half written for finished."""
    config = write_connectome(CONNECTOME, tmp_path / "in")
    build_into(config, tmp_path / "whole")
    wanted = {path: one for path, one in files_in(tmp_path / "whole").items() if path not in NAMING_THE_FOLDER}
    places = (tmp_path / f"out{number}" for number in count())

    def operation(folder: Path, steps: Steps) -> int:
        build_into(config, folder, steps)
        return 0

    def when_dead(folder: Path) -> None:
        if (folder / "provenance.json").exists():
            assert is_whole(folder)

    def check(folder: Path) -> None:
        assert is_whole(folder)
        found = files_in(folder)
        assert {path: one for path, one in found.items() if path not in NAMING_THE_FOLDER} == wanted
        assert {path.name for path in (folder / ".engram").iterdir()} == {"lock", ".gitignore"}

    die_at_every_step(operation, lambda: next(places), check, when_dead=when_dead, stride=37)
    whole = operation_steps(config, next(places))
    for number in range(whole - 20, whole + 1, 2):  # the last steps put everything in its place
        state = next(places)
        in_child(operation, state, DyingAt(number))
        when_dead(state)
        build_into(config, state)
        check(state)


def operation_steps(config: Path, folder: Path) -> int:
    """How many durable steps a build takes."""
    build_into(config, folder, counting := Counting())
    return len(counting.taken)


def test_what_a_killed_build_had_finished_is_used_when_it_is_whole(tmp_path: Path) -> None:
    config, folder = write_connectome(CONNECTOME, tmp_path / "in"), tmp_path / "out"
    ending = in_child(lambda place, steps: build_into(config, place, steps), folder, DyingAtPath("next.json"))
    assert ending.stopped_at is not None
    assert not (folder / "provenance.json").exists()
    left = {path.stem for path in (folder / ".engram" / "made").iterdir()}
    assert left == {"configuration", "tables", "flat-connectome", "neuprint"}
    damaged = folder / ".engram" / "new" / "neuprint" / "Neuprint_SynapseSet.csv"
    damaged.write_bytes(damaged.read_bytes().replace(b"5", b"6", 1))
    read = read_config(str(config), here=str(folder.parent), output_dir=str(folder))
    said = {one.step.name: one.why for one in plan(read, Steps()) if one.step.writes}
    assert said["flat-connectome"] == "an interrupted build has made it"
    told = list(build(read, Steps(), LIMITS, version="0", now=lambda: ""))
    kept = {one.file.path.partition("/")[0] for one in told if isinstance(one, Kept)}
    assert kept >= {"flat-connectome", "tables"}
    assert {one.path.partition("/")[0] for one in told if isinstance(one, Written)} == {"neuprint"}
    assert is_whole(folder)


class DyingAtPath(DyingAt):
    """Dies at the first step that touches a file of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(1)
        self._name = name

    def stop(self, step: Step) -> None:
        if Path(step.path).name.startswith(self._name):
            self.number = step.number
            super().stop(step)


def test_what_a_killed_build_left_is_in_nobodys_way(tmp_path: Path) -> None:
    config, folder = write_connectome(CONNECTOME, tmp_path / "in"), tmp_path / "out"
    for left in ("new/neuprint/Neuprint_Meta.csv", "work/work.duckdb", "work/work.duckdb.wal", "old/tables/x"):
        (folder / ".engram" / left).parent.mkdir(parents=True, exist_ok=True)
        (folder / ".engram" / left).write_bytes(b"half")
    build_into(config, folder)
    assert is_whole(folder)
    assert {path.name for path in (folder / ".engram").iterdir()} == {"lock", ".gitignore"}


def test_too_little_memory_and_a_full_disk_of_the_engine_are_told_as_such() -> None:
    with pytest.raises(TooLittleMemory) as little, told_engine("neuprint", LIMITS, "out"):
        raise duckdb.OutOfMemoryException("could not allocate")
    assert little.value.next_step == "Nothing was changed. Give it more: --memory 1024MiB"
    with pytest.raises(TooLittleMemory) as little, told_engine("neuprint", LIMITS, "out", rows=lambda: 5_000_000):
        raise duckdb.OutOfMemoryException("could not allocate")
    assert little.value.next_step == "Nothing was changed. Give it more: --memory 1664MiB"
    with pytest.raises(StorageFailed) as full, told_engine("neuprint", LIMITS, "out"):
        raise duckdb.IOException("could not write: No space left on device\nat block 7")
    assert full.value.what == "out could not be written: could not write: No space left on device."
    with pytest.raises(StorageFailed) as full, told_engine("points", LIMITS, "out"), told("points.feather"):
        raise duckdb.TransactionException('Failed to commit: Could not write file "w.wal": No space left on device')
    assert full.value.what == "w.wal could not be written: No space left on device."


def test_a_table_that_changes_while_it_is_read_is_told(tmp_path: Path) -> None:
    config, folder = write_connectome(CONNECTOME, tmp_path / "in"), tmp_path / "out"
    read = read_config(str(config), here=str(tmp_path), output_dir=str(folder))
    going = build(read, Steps(), LIMITS, version="0", now=lambda: "")
    next(going)
    table = config.parent / "partners.feather"
    table.write_bytes(table.read_bytes())
    with pytest.raises(BadTables, match=r"partners\.feather changed while it was read: build again"):
        list(going)
    assert not (folder / "provenance.json").exists()


def test_a_second_build_is_kept_out(tmp_path: Path) -> None:
    config, folder = write_connectome(CONNECTOME, tmp_path / "in"), tmp_path / "out"
    with Folder(Steps(), str(folder)).held(), pytest.raises(SnapshotBusy):
        build_into(config, folder)
    build_into(config, folder)


def test_what_somebody_else_made_is_not_replaced(tmp_path: Path) -> None:
    config, folder = write_connectome(CONNECTOME, tmp_path / "in"), tmp_path / "out"
    (folder / "neuprint").mkdir(parents=True)
    with pytest.raises(TargetExists):
        build_into(config, folder)
    assert [path.name for path in folder.iterdir()] == ["neuprint"]


def test_many_rois_are_spread_over_files(tmp_path: Path) -> None:
    """One file with a flag for each of two thousand ROIs would be commas: flyem-snapshot writes one per combination."""
    psds = [replace(point(10 + number, "PostSyn", 100 + number), big=f"R{number:03d}") for number in range(150)]
    tbar = replace(point(1, "PreSyn", 5), big=None)
    pairs = tuple((0, place) for place in range(1, 151))
    connectome = Connectome(points=(tbar, *psds), partners=pairs)
    folder = tmp_path / "out"
    build_into(write_connectome(connectome, tmp_path / "in"), folder)
    neurons, synapses = (
        sorted((folder / "neuprint" / f"Neuprint_{kind}").iterdir()) for kind in ("Neurons", "Synapses")
    )
    assert [path.name for path in neurons] == ["0.csv", "1.csv", "2.csv"], "the last is for body 5 alone"
    assert [path.name for path in synapses] == ["000000.csv", "000001.csv"]
    flags = {path: sum(column.endswith(":boolean") for column in csv_header(path)) for path in (*neurons, *synapses)}
    assert list(flags.values()) == [128, 22, 150, 128, 22]
    info = Naive(connectome=connectome).roi_info()
    rows = list(csv_rows(*neurons))
    assert {
        int(row["bodyId:long"]): {column.removesuffix(":boolean") for column, value in row.items() if value == "true"}
        for row in rows
    } == {body: set(rois) for body, rois in info.items()}
    assert len(list(csv_rows(*synapses))) == 151


@pytest.mark.long
def test_what_is_advised_of_memory_is_enough(tmp_path: Path) -> None:
    config = make_connectome(tmp_path / "in", 500_000)
    with pytest.raises(TooLittleMemory) as little:
        build_into(config, tmp_path / "out", limits=Limits(memory_bytes=96 << 20, threads=2))
    assert not (tmp_path / "out" / "provenance.json").exists()
    advised = Limits(memory_bytes=little.value.advised_mib << 20, threads=2)
    build_into(config, tmp_path / "out", limits=advised)
    assert is_whole(tmp_path / "out")
