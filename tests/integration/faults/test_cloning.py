"""A clone survives death at each of its steps, refusals of the disk, and a source that is gone or moves meanwhile."""

import errno
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engram.datasets.placing import Aside
from engram.durable import AnyPath, Steps
from engram.model.errors import EngramError, NoSource, SourceUnavailable, TargetExists
from engram.testing.faults import die_at_every_step, fail_at_every_step
from engram.testing.places import Template
from engram.testing.soundness import sound
from engram.workspace.cloning import Copies
from tests.integration.faults.operations import context, exit_code, git, verbs

pytestmark = pytest.mark.integration

SOURCE = "source"


def copies(folder: Path, steps: Steps | None = None) -> Copies:
    return Copies(context(folder), steps=steps)


def clone(folder: Path, steps: Steps) -> int:
    """Clone the dataset in *folder*."""
    return exit_code(copies(folder, steps).clone(SOURCE, "clone"))


@pytest.fixture(scope="module")
def place(scene: Path, git_annex: Path) -> Template:
    """A folder with a dataset to clone, and a superdataset to clone it into. All modules are loaded afterwards."""
    original = scene / "cloning"
    original.mkdir()
    for name in (SOURCE, "super"):
        assert exit_code(verbs(original, Steps()).create(name)) == 0
    (original / SOURCE / "one.bin").write_bytes(b"one\0")
    (original / SOURCE / "folder").mkdir()
    (original / SOURCE / "folder" / "two.bin").write_bytes(b"two\0")
    assert exit_code(verbs(original / SOURCE, Steps()).save(message="saved")) == 0
    template = Template(original, scene)
    clone(template.fresh(), Steps())
    clone_into_super(template.fresh(), Steps())
    return template


def clone_into_super(folder: Path, steps: Steps) -> int:
    return exit_code(copies(folder / "super", steps).clone("../source", "sub", dataset="."))


def is_whole(dataset: Path) -> None:
    sound(dataset)
    assert git(dataset, "config", "annex.uuid")
    assert git(dataset, "log", "--format=%s", "git-annex").count("update") >= 2
    uuid = git(dataset, "config", "annex.uuid").strip()
    assert git(dataset, "show", "git-annex:uuid.log").count(uuid) == 1
    assert git(dataset, "status", "--porcelain") == ""
    assert not (dataset / ".git/engram/cloning").exists()
    left = [path for path in dataset.parent.rglob("*.engram-cloning") if ".git" not in path.parts]
    assert not left
    assert not (dataset / ".engram-cloning").exists()


def whole(folder: Path) -> None:
    is_whole(folder / "clone")


def nothing_but_whole(folder: Path) -> None:
    """After a death: either nothing is there under the clone's name, or a dataset that git finds nothing wrong with."""
    there = folder / "clone"
    if there.exists():
        assert git(there, "status", "--porcelain") == ""
        assert git(there, "rev-parse", "HEAD") == git(folder / SOURCE, "rev-parse", "HEAD")


def test_a_clone_survives_death_at_every_step(place: Template, stride: Callable[[int], int]) -> None:
    died_at = die_at_every_step(clone, place.fresh, whole, when_dead=nothing_but_whole, stride=stride(25))
    assert len({step.kind for step in died_at}) > 3


def test_one_into_an_empty_folder_keeps_the_folder_and_survives(place: Template, stride: Callable[[int], int]) -> None:
    inode = 0

    def with_a_folder() -> Path:
        nonlocal inode
        folder = place.fresh()
        (folder / "clone").mkdir()
        (folder / "clone").chmod(0o2750)
        inode = (folder / "clone").stat().st_ino
        return folder

    def no_repository_before_its_files(folder: Path) -> None:
        if (folder / "clone" / ".git").exists():
            assert git(folder / "clone", "status", "--porcelain").replace("?? .engram-cloning/\n", "") == ""

    def same_folder(folder: Path) -> None:
        whole(folder)
        assert (folder / "clone").stat().st_ino == inode
        assert (folder / "clone").stat().st_mode & 0o7777 == 0o2750

    die_at_every_step(clone, with_a_folder, same_folder, when_dead=no_repository_before_its_files, stride=stride(33))


def test_one_into_a_superdataset_survives_death_at_every_step(place: Template, stride: Callable[[int], int]) -> None:
    def recorded(folder: Path) -> None:
        is_whole(folder / "super" / "sub")
        sound(folder / "super")
        assert git(folder / "super", "log", "--format=%s") == "[DATALAD] Added subdataset\n[DATALAD] new dataset\n"
        assert git(folder / "super", "config", "-f", ".gitmodules", "submodule.sub.datalad-url") == "../source\n"

    die_at_every_step(clone_into_super, place.fresh, recorded, stride=stride(81))


def test_what_dies_in_a_dataset_is_not_saved_there(place: Template, stride: Callable[[int], int]) -> None:
    def nothing_new(folder: Path) -> None:
        status = git(folder / "super", "status", "--porcelain").split()
        assert [word for word in status if "engram" in word] == []

    def clone_beside(folder: Path, steps: Steps) -> int:
        return exit_code(copies(folder / "super", steps).clone("../source", "beside"))

    def done(folder: Path) -> None:
        is_whole(folder / "super" / "beside")

    die_at_every_step(clone_beside, place.fresh, done, when_dead=nothing_new, stride=stride(61))


@pytest.mark.parametrize("reckless", ["auto", "ephemeral"])
def test_a_reckless_one_survives_death_at_every_step(
    place: Template, stride: Callable[[int], int], reckless: str
) -> None:
    def clone_recklessly(folder: Path, steps: Steps) -> int:
        return exit_code(copies(folder, steps).clone(SOURCE, "clone", reckless=reckless))

    def as_asked(folder: Path) -> None:
        assert git(folder / "clone", "config", "datalad.clone.reckless") == f"{reckless}\n"
        assert (folder / "clone/.git/annex").is_symlink() == (reckless == "ephemeral")
        assert git(folder / "clone", "status", "--porcelain") == ""
        assert (folder / SOURCE / "one.bin").read_bytes() == b"one\0"

    die_at_every_step(clone_recklessly, place.fresh, as_asked, stride=stride(61))


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO], ids=errno.errorcode.get)
def test_a_clone_withstands_every_refusal_of_the_disk(
    place: Template, stride: Callable[[int], int], error: int
) -> None:
    fail_at_every_step(clone, place.fresh, whole, error=error, when_failed=nothing_but_whole, stride=stride(37))


class TestASource:
    def test_that_is_not_there_is_refused_and_nothing_is_left(self, place: Template) -> None:
        folder = place.fresh()
        before = sorted(os.listdir(folder))
        for source in ("nowhere", "file:///nowhere/at/all"):
            with pytest.raises(NoSource) as refused:
                list(copies(folder).clone(source, "a/b/clone"))
            assert refused.value.exit_code == 2
        assert sorted(os.listdir(folder)) == before

    def test_that_does_not_answer_leaves_nothing(self, place: Template) -> None:
        folder = place.fresh()
        before = sorted(os.listdir(folder))
        with pytest.raises(SourceUnavailable) as refused:
            list(copies(folder).clone("http://ada:secret@127.0.0.1:1/ds", "a/b/clone"))
        assert refused.value.exit_code == 30
        assert "secret" not in str(refused.value)
        assert sorted(os.listdir(folder)) == before

    def test_that_is_damaged_leaves_nothing(self, place: Template) -> None:
        folder = place.fresh()
        before = sorted(os.listdir(folder))
        shutil.rmtree(folder / SOURCE / ".git" / "objects")
        (folder / SOURCE / ".git" / "objects").mkdir()
        with pytest.raises(EngramError):
            list(copies(folder).clone(SOURCE, "clone"))
        assert sorted(os.listdir(folder)) == before

    def test_that_git_tidies_up_meanwhile_is_cloned(self, place: Template) -> None:
        folder = place.fresh()
        source = folder / SOURCE
        stop = threading.Event()

        def tidy() -> None:
            while not stop.is_set():
                subprocess.run(["git", "gc", "-q", "--prune=now"], cwd=source, check=False, capture_output=True)
                subprocess.run(["git", "unpack-objects", "-q"], cwd=source, stdin=subprocess.DEVNULL, check=False)

        tidying = threading.Thread(target=tidy)
        tidying.start()
        try:
            for number in range(5):
                assert exit_code(copies(folder).clone(SOURCE, f"clone{number}")) == 0
                is_whole(folder / f"clone{number}")
        finally:
            stop.set()
            tidying.join()


def test_a_full_folder_is_refused_before_anything_is_written(place: Template) -> None:
    folder = place.fresh()
    (folder / "clone").mkdir()
    (folder / "clone" / "notes.txt").write_text("notes")
    for target in ("clone", "clone/notes.txt"):
        with pytest.raises(TargetExists) as refused:
            list(copies(folder).clone(SOURCE, target))
        assert refused.value.exit_code == 2
    assert os.listdir(folder / "clone") == ["notes.txt"]


@pytest.mark.parametrize(
    ("target", "code"), [("source/one.bin/x", 2), ("n" * 300, 2), ("/proc/no-folder", 31), ("/dev/null", 2)]
)
def test_a_place_where_no_folder_can_be_is_refused(place: Template, target: str, code: int) -> None:
    folder = place.fresh()
    before = sorted(os.listdir(folder))
    with pytest.raises(EngramError) as refused:
        list(copies(folder).clone(SOURCE, target))
    assert refused.value.exit_code == code
    assert sorted(os.listdir(folder)) == before


class Tired(Steps):
    """Somebody presses Ctrl-C just before the place's own folder is looked at for the second time."""

    def __init__(self) -> None:
        self.made = 0

    def take(self, kind: str, path: AnyPath) -> None:
        self.made += kind == "mkdir" and os.fsdecode(path).endswith(".engram-cloning")
        if self.made == 2:
            raise KeyboardInterrupt


class Vanishing(Steps):
    """Another call, done with the place, takes the folder away that it had made, and the one above it."""

    def __init__(self) -> None:
        self.made = 0

    def take(self, kind: str, path: AnyPath) -> None:
        self.made += kind == "mkdir" and os.fsdecode(path).endswith(".engram-cloning")
        if self.made == 2:
            self.made += 1
            os.rmdir(path)
            os.rmdir(os.path.dirname(path))


def test_two_at_once_make_one_clone(place: Template) -> None:
    folder = place.fresh()
    outcomes: list[int] = []

    def run() -> None:
        try:
            outcomes.append(clone(folder, Steps()))
        except TargetExists:  # the other one was faster
            outcomes.append(2)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(0) >= 1
    assert set(outcomes) <= {0, 2}
    whole(folder)


def test_one_that_gives_up_leaves_the_other_ones_work_alone(place: Template) -> None:
    folder = place.fresh()
    target = str(folder / "clone")
    with Aside(Steps(), target).held():
        working = Aside(Steps(), target)
        os.mkdir(working.inner)
        impatient = Aside(Tired(), target)
        with pytest.raises(KeyboardInterrupt), impatient.held():
            raise AssertionError("two hold the same place")
        assert os.path.isdir(working.inner)


def test_a_place_that_vanishes_between_two_looks_is_made_again(place: Template) -> None:
    folder = place.fresh()
    aside = Aside(Vanishing(), str(folder / "new" / "clone"))
    with aside.held():
        assert os.path.isdir(aside.folder)
    assert not os.path.lexists(aside.folder)


@pytest.fixture
def locked_parent(place: Template) -> Iterator[Path]:
    folder = place.fresh()
    (folder / "read-only").mkdir(mode=0o555)
    yield folder
    (folder / "read-only").chmod(0o755)


def test_a_folder_above_that_may_not_be_written_is_told(locked_parent: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("not on this machine: root may write everywhere")
    with pytest.raises(EngramError):
        list(copies(locked_parent).clone(SOURCE, "read-only/clone"))
