"""Whatever happens while something is dropped or removed: some copy is left, and no log claims what is gone."""

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from engram.durable import Steps
from engram.model.outcome import Outcome
from engram.testing.disks import Disk
from engram.testing.faults import DISK_ERRORS, act_at_every_step, die_at_every_step, fail_at_every_step
from engram.testing.places import Template, scratch
from engram.testing.processes import run, started
from tests.integration.clones import FILES, Known, connect, fresh, two_clones, uuid_of, verbs
from tests.integration.faults.operations import command
from tests.interop.peers import annex, create, git, save, write

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def scene() -> Iterator[Path]:
    with scratch() as folder:
        yield folder


@pytest.fixture(scope="module")
def clones(git_annex: Path, scene: Path) -> Template:
    """Datasets ``a`` and ``b`` that both hold everything; dropped from once, so that children find modules loaded."""
    (scene / "original").mkdir()
    template = Template(two_clones(scene / "original"), scene)
    assert drop_from("b")(fresh(template), Steps()) == 0
    return template


def drop_from(name: str, *, what: str = "filecontent") -> Callable[[Path, Steps], int]:
    """Drop everything from a dataset. A refusal for want of copies is no failure here."""

    def operation(folder: Path, steps: Steps) -> int:
        return _code(list(verbs(folder / name, steps).drop(what=what)))

    return operation


def _code(outcomes: list[Outcome]) -> int:
    fine = ("", "TooFewCopies", "NotDropped")
    return 0 if all(outcome.error in fine for outcome in outcomes) else 3


@pytest.fixture(scope="module")
def known(clones: Template) -> Known:
    return Known(clones.original)


@pytest.fixture(scope="module")
def all_dropped_from_b(known: Known) -> Callable[[Path], None]:
    def check(folder: Path) -> None:
        known.nothing_lost(folder)
        assert known.claimed(folder, "b") == known.holding(folder, "b") == set()
        locks = list((folder / "a/.git/annex/objects").rglob("*.lck"))
        assert len(locks) <= 3  # of who died; who comes next takes it over
        folders = [place.parent.stat().st_mode for place in (folder / "a/.git/annex/objects").glob("*/*/*/SHA*t")]
        assert sum(bool(mode & 0o222) for mode in folders) <= 1

    return check


def annex_for_a_while(folder: Path, *words: str) -> None:
    """Let git-annex try; where it has to wait for a lock that is held just now, it gives up."""
    words = ("timeout", "-s", "KILL", "30", "git", "annex", *words)  # which ends what git starts, too
    subprocess.run(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


class TestADrop:
    def test_survives_death_at_every_step(
        self, clones: Template, known: Known, all_dropped_from_b: Callable[[Path], None], stride: Callable[[int], int]
    ) -> None:
        die_at_every_step(
            drop_from("b"),
            clones.fresh,
            all_dropped_from_b,
            when_dead=known.nothing_lost,
            stride=stride(5),
            also=("chmod", "create", "remove", "rmdir", "sync", "update-ref"),
        )

    def test_of_all_keys_survives_death_at_every_step(
        self, clones: Template, known: Known, all_dropped_from_b: Callable[[Path], None], stride: Callable[[int], int]
    ) -> None:
        die_at_every_step(
            drop_from("b", what="allkeys"),
            clones.fresh,
            all_dropped_from_b,
            when_dead=known.nothing_lost,
            stride=stride(13),
        )

    @pytest.mark.parametrize("error", DISK_ERRORS, ids=errno.errorcode.get)
    def test_withstands_every_refusal_of_the_disk(
        self,
        clones: Template,
        known: Known,
        all_dropped_from_b: Callable[[Path], None],
        error: int,
        stride: Callable[[int], int],
    ) -> None:
        fail_at_every_step(
            drop_from("b"),
            clones.fresh,
            all_dropped_from_b,
            error=error,
            once=True,
            when_failed=known.nothing_lost,
            stride=stride(9 if error == errno.EIO else 25),
        )

    def test_leaves_a_copy_when_the_sibling_drops_at_any_of_its_steps(
        self, clones: Template, known: Known, stride: Callable[[int], int]
    ) -> None:
        def sibling_drops(folder: Path) -> None:
            drop_from("a")(folder, Steps())

        def one_kept_it(folder: Path) -> None:
            known.nothing_lost(folder)
            assert not known.holding(folder, "a") & known.holding(folder, "b")

        act_at_every_step(
            drop_from("b"),
            clones.fresh,
            sibling_drops,
            one_kept_it,
            when_ended=known.nothing_lost,
            stride=stride(5),
        )

    def test_leaves_a_copy_when_git_annex_drops_from_the_sibling_meanwhile(
        self, clones: Template, known: Known, stride: Callable[[int], int]
    ) -> None:
        def git_annex_drops(folder: Path) -> None:
            annex_for_a_while(folder / "a", "drop", "-q", ".")

        act_at_every_step(
            drop_from("b"),
            clones.fresh,
            git_annex_drops,
            known.nothing_lost,
            when_ended=known.nothing_lost,
            stride=stride(17),
        )

    def test_leaves_the_log_right_when_git_annex_gets_it_back_meanwhile(
        self, clones: Template, known: Known, stride: Callable[[int], int]
    ) -> None:
        def git_annex_gets(folder: Path) -> None:
            annex_for_a_while(folder / "b", "get", "-q", ".")

        def log_is_right(folder: Path) -> None:
            known.nothing_lost(folder)
            assert known.holding(folder, "b") == known.claimed(folder, "b")

        act_at_every_step(
            drop_from("b"),
            clones.fresh,
            git_annex_gets,
            known.nothing_lost,
            when_ended=log_is_right,
            stride=stride(17),
        )


@pytest.mark.slow
def test_two_clones_that_drop_at_once_never_both_succeed(
    clones: Template, known: Known, stride: Callable[[int], int]
) -> None:
    for _ in range(20 // stride(4)):
        folder = fresh(clones)
        with ExitStack() as stack:
            droppers = (command(folder / name, "drop") for name in ("a", "b"))
            running = [stack.enter_context(started(one)) for one in droppers]
            ended = [one.end() for one in running]
        assert {one.exit_code for one in ended} <= {0, 3}, [one.errors for one in ended]
        known.nothing_lost(folder)


@pytest.mark.slow
def test_engram_and_git_annex_that_drop_at_once_never_both_succeed(
    clones: Template, known: Known, git_annex: Path, stride: Callable[[int], int]
) -> None:
    for _ in range(12 // stride(4)):
        folder = fresh(clones)
        with started(command(folder / "b", "drop")) as running:
            annex_for_a_while(folder / "a", "drop", "-q", ".")
            ended = running.end()
        assert ended.exit_code in (0, 3), ended.errors
        known.nothing_lost(folder)


@pytest.mark.slow
@pytest.mark.parametrize("getter", ["a", "b"])
def test_who_gets_and_who_drops_at_once_leave_a_log_that_is_right(
    clones: Template, known: Known, stride: Callable[[int], int], getter: str
) -> None:
    for _ in range(8 // stride(4)):
        folder = clones.fresh()
        if getter == "a":  # which asks b, the dropper, for its contents, and b asks a third for proof
            git(folder, "clone", "-q", "a", "c")
            annex(folder / "c", "init", "-q", "c")
            annex(folder / "c", "get", "-q", ".")
            connect(folder, "b", "c", "c")
            git(folder / "b", "fetch", "-q", "c")
            annex(folder / "b", "merge", "-q")
            annex(folder / "a", "drop", "-q", "--force", ".")
            git(folder / "b", "fetch", "-q", "origin")
        else:
            drop_from("b")(folder, Steps())
        with ExitStack() as stack:
            both = (command(folder / getter, "get", "."), command(folder / "b", "drop"))
            ended = [one.end() for one in [stack.enter_context(started(each)) for each in both]]
        assert {one.exit_code for one in ended} <= {0, 3}, [one.errors for one in ended]
        for name in ("a", "b"):
            assert known.claimed(folder, name) == known.holding(folder, name)


@pytest.fixture(scope="module")
def nested(git_annex: Path, scene: Path) -> Template:
    """``super`` with the subdataset ``sub``, which a sibling beside has, too."""
    folder = scene / "nested"
    folder.mkdir()
    create(folder / "super")
    create(folder / "super/sub", dataset=str(folder / "super"))
    write(folder / "super/sub", "x.dat", "x" * 100)
    save(folder / "super/sub", message="x")
    save(folder / "super", message="sub")
    git(folder, "clone", "-q", "super/sub", "kept")
    annex(folder / "kept", "init", "-q", "kept")
    annex(folder / "kept", "get", "-q", ".")
    git(folder / "super/sub", "remote", "add", "kept", "../../kept")
    git(folder / "super/sub", "config", "remote.kept.annex-uuid", uuid_of(folder / "kept"))
    git(folder / "super/sub", "fetch", "-q", "kept")
    annex(folder / "super/sub", "merge", "-q")
    return Template(folder, scene)


class TestARemoval:
    """Of a subdataset, at whatever moment it is interrupted."""

    def kept(self, folder: Path) -> None:
        assert (folder / "kept/x.dat").read_text() == "x" * 100

    def test_survives_death_at_every_step(self, nested: Template, stride: Callable[[int], int]) -> None:
        def operation(folder: Path, steps: Steps) -> int:
            outcomes = verbs(folder / "super", steps).remove(("sub",), reckless="undead")
            return 3 if any(outcome.failed for outcome in outcomes) else 0

        def removed(folder: Path) -> None:
            self.kept(folder)
            assert not (folder / "super/sub").exists()
            assert git(folder / "super", "status", "--porcelain") == ""
            assert git(folder / "super", "ls-files", "sub") == ""
            assert "submodule" not in (folder / "super/.git/config").read_text()
            assert "sub" not in (folder / "super/.gitmodules").read_text()

        def repeated(folder: Path, steps: Steps) -> int:
            try:
                return operation(folder, steps)
            except Exception as problem:
                if "matches no file" in str(problem):  # it was through with all but saying so
                    return 0
                raise

        assert repeated(nested.fresh(), Steps()) == 0
        die_at_every_step(repeated, nested.fresh, removed, stride=stride(13))

    def test_of_a_whole_dataset_survives_death_at_every_step(
        self, nested: Template, stride: Callable[[int], int]
    ) -> None:
        def prepared() -> Path:
            folder = nested.fresh()
            shutil.move(folder / "super/sub", folder / "alone")
            git(folder / "alone", "remote", "set-url", "kept", "../kept")
            return folder

        def operation(folder: Path, steps: Steps) -> int:
            if not _holds_anything(folder / "alone"):
                return 0
            outcomes = verbs(folder, steps).drop(dataset="alone", what="all", reckless="undead")
            return 3 if any(outcome.failed for outcome in outcomes) else 0

        def gone(folder: Path) -> None:
            self.kept(folder)
            assert not _holds_anything(folder / "alone")  # an empty folder may be left, at the last moment

        die_at_every_step(operation, prepared, gone, stride=stride(13))


def _holds_anything(folder: Path) -> bool:
    return folder.exists() and any(folder.iterdir())


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.usefixtures("loop_mounts", "git_annex")
def test_what_was_dropped_is_in_the_sibling_after_a_power_cut() -> None:
    """The sibling got its copy a moment ago, from a program that syncs nothing."""
    with Disk.new(size_bytes=128 << 20, commit_s=30) as disk:
        two_clones(disk.folder)
        place = disk.folder / "a"
        os.sync()
        subprocess.run(["git", "annex", "drop", "-q", "--force", "a.dat"], cwd=place, check=True)
        os.sync()
        connect(disk.folder, "a", "b", "b")
        subprocess.run(["git", "annex", "get", "-q", "a.dat"], cwd=place, check=True)
        git(disk.folder / "b", "fetch", "-q")
        ended = run(command(disk.folder / "b", "drop", "a.dat"))
        assert ended.exit_code == 0, ended.output
        with disk.power_cut() as after:
            assert (after.folder / "a/a.dat").read_text() == FILES["a.dat"]
