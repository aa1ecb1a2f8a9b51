"""fsck, unused, dropunused and numcopies survive death at each of their steps, and every refusal of the disk."""

import errno
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from engram.durable import Steps
from engram.testing.faults import die_at_every_step, fail_at_every_step
from engram.testing.malice import git_annex_branch_with
from engram.testing.places import Template, digests, scratch
from engram.testing.processes import run, signalled, started
from engram.testing.soundness import contents_kept, damaged_content
from engram.testing.syscalls import why_no_strace
from engram.workspace.auditing import Custody
from engram.workspace.context import Context
from tests.conftest import NOT_HERE
from tests.integration.clones import delete, fresh, key_of, object_of, rewrite, two_clones, uuid_of
from tests.integration.faults.operations import command, exit_code
from tests.interop.peers import annex, git, save, write

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("git_annex")]

Stride = Callable[[int], int]


def custody(folder: Path, steps: Steps) -> Custody:
    return Custody(Context(folder=str(folder / "a"), environment=dict(os.environ)), steps=steps)


def fsck(folder: Path, steps: Steps) -> int:
    return exit_code(custody(folder, steps).fsck(full=True))


@pytest.fixture(scope="module")
def hurt() -> Iterator[Template]:
    """Two clones, of which ``a`` has one of each kind of damage that can be mended."""
    with scratch() as scene:
        folder = scene / "pair"
        folder.mkdir()
        two_clones(folder)
        dataset = folder / "a"
        annex(dataset, "unlock", "-q", "d/e/c.dat")
        git(dataset, "commit", "-qam", "unlocked")
        (dataset / "d/e/c.dat").write_text(git(dataset, "show", ":d/e/c.dat"))
        rewrite(object_of(dataset, "a.dat"), "x" * 3000)
        rewrite(object_of(dataset, "d/b.dat"), "short")
        object_of(dataset, "d/e/c.dat").parent.chmod(0o755)
        git(dataset, "mv", "d/same.dat", "same.dat")
        git(dataset, "commit", "-qm", "moved", "--no-verify")  # git-annex's hook would mend the link
        annex(dataset, "setpresentkey", key_of(dataset, "d/e/c.dat").decode(), uuid_of(dataset), "0")
        template = Template(folder, scene)
        assert fsck(fresh(template), Steps()) == 0  # so that children find all modules loaded
        yield template


def kept(dataset: Path) -> frozenset[str]:
    """What the dataset holds, with what was set aside."""
    return contents_kept(dataset) | digests(dataset / ".git/annex/bad")


@pytest.fixture(scope="module")
def before(hurt: Template) -> frozenset[str]:
    return kept(hurt.original / "a")


@pytest.fixture
def nothing_lost(before: frozenset[str]) -> Callable[[Path], None]:
    def check(folder: Path) -> None:
        assert not before - kept(folder / "a")
        assert git(folder / "a", "rev-parse", "HEAD", "git-annex")

    return check


def all_mended(folder: Path) -> None:
    dataset = folder / "a"
    assert damaged_content(dataset) == []
    assert git(dataset, "status", "--porcelain").split() == ["M", "same.dat"]  # for engram save
    held = annex(dataset, "find", "--in=here").split()
    assert sorted(held) == ["a.dat", "d/b.dat", "d/e/c.dat", "same.dat"]
    assert (dataset / "d/e/c.dat").read_text() == "c" * 10
    assert os.readlink(dataset / "same.dat").startswith(".git/annex/objects/")


def test_a_check_survives_death_at_every_step(
    hurt: Template, nothing_lost: Callable[[Path], None], stride: Stride
) -> None:
    died_at = die_at_every_step(fsck, lambda: fresh(hurt), all_mended, when_dead=nothing_lost, stride=stride(45))
    assert {"rename", "chmod", "sync", "run"} & {step.kind for step in died_at}


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO], ids=errno.errorcode.get)
def test_a_check_withstands_every_refusal_of_the_disk(
    hurt: Template, nothing_lost: Callable[[Path], None], stride: Stride, error: int
) -> None:
    fail_at_every_step(
        fsck,
        lambda: fresh(hurt),
        all_mended,
        error=error,
        when_failed=nothing_lost,
        stride=stride(81 if error == errno.EIO else 61),
    )


def test_no_log_ever_claims_what_was_set_aside(hurt: Template, stride: Stride) -> None:
    damaged = [key_of(hurt.original / "a", name).decode() for name in ("a.dat", "d/b.dat")]

    def honest(folder: Path) -> None:
        dataset = folder / "a"
        for key in damaged:
            aside = (dataset / ".git/annex/bad" / key).exists()
            if aside and not list((dataset / ".git/annex/objects").glob(f"*/*/{key}/{key}")):
                assert uuid_of(dataset) not in annex(dataset, "whereis", "--json", f"--key={key}", fine=(0, 1))

    die_at_every_step(fsck, lambda: fresh(hurt), lambda _: None, when_dead=honest, stride=stride(25), repeat=False)


def test_a_content_that_cannot_be_read_is_not_called_damaged(hurt: Template) -> None:
    if reason := why_no_strace():
        pytest.skip(f"{NOT_HERE} {reason}" if "ptrace" in reason else f"{reason}: ./dev services")
    folder = fresh(hurt)
    annex(folder / "a", "fsck", "-q", fine=(0, 1))
    annex(folder / "a", "get", "-q", ".")
    before = kept(folder / "a")
    check = command(folder / "a", "--json", "fsck", "--full", "a.dat")
    place = object_of(folder / "a", "a.dat").relative_to(folder / "a")
    inject = ("-P", str(folder / "a" / place), "-e", "trace=pread64", "-e", "inject=pread64:error=EIO")
    sick = replace(check, arguments=("strace", "-f", "-qqq", "-o", "/dev/null", *inject, *check.arguments))
    ended = run(sick)
    assert ended.exit_code == 3, ended.errors
    assert '"Unreadable"' in ended.output
    assert "Input/output error" in ended.output
    assert (folder / "a" / place).exists()
    assert not before - kept(folder / "a")
    assert run(check).exit_code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_check_that_is_told_to_stop_ends_cleanly_and_can_be_repeated(
    hurt: Template, nothing_lost: Callable[[Path], None], number: signal.Signals
) -> None:
    check = command(fresh(hurt) / "a", "fsck", "--full")
    whole_s = run(check).duration_s
    folder = fresh(hurt)
    stopped = signalled(replace(check, folder=folder / "a"), number, after_s=0.6 * whole_s)
    python_was_starting = "import" in stopped.errors
    assert python_was_starting or "Traceback" not in stopped.errors
    assert not stopped.left_running
    nothing_lost(folder)
    assert run(replace(check, folder=folder / "a")).exit_code == 0
    all_mended(folder)


def test_checks_by_several_programs_at_once_lose_nothing(hurt: Template, nothing_lost: Callable[[Path], None]) -> None:
    folder = fresh(hurt)
    check = command(folder / "a", "fsck", "--full")
    by_annex = replace(check, arguments=("git", "annex", "fsck", "--quiet"))
    with ExitStack() as stack:
        running = [stack.enter_context(started(one)) for one in (check, by_annex, check)]
        ended = [one.end() for one in running]
    assert all("Traceback" not in one.errors and "bug" not in one.errors for one in ended)
    nothing_lost(folder)
    assert {one.exit_code for one in ended} <= {0, 1, 3}
    run(check)
    annex(folder / "a", "get", "-q", ".")  # git-annex may have set aside what nobody restored
    assert run(check).exit_code == 0
    all_mended(folder)


# --- unused and dropunused


@pytest.fixture(scope="module")
def with_unused() -> Iterator[Template]:
    with scratch() as scene:
        folder = scene / "pair"
        folder.mkdir()
        two_clones(folder)
        dataset = folder / "a"
        for name in ("a.dat", "d/same.dat", "d/b.dat"):
            (dataset / name).unlink()
            write(dataset, name, f"another {name}")
        save(dataset, message="others")
        for ref in git(dataset, "for-each-ref", "--format=%(refname)", "refs/remotes").split():
            if not ref.endswith("/git-annex"):
                git(dataset, "update-ref", "-d", ref)
        template = Template(folder, scene)
        assert drop_all(fresh(template), Steps()) == 0
        yield template


def drop_all(folder: Path, steps: Steps) -> int:
    outcomes = list(custody(folder, steps).unused())
    if not any(outcome.status == "ok" for outcome in outcomes):
        return exit_code(outcomes)
    return exit_code(custody(folder, steps).dropunused(["all"]))


def test_dropping_what_is_unused_survives_death_at_every_step(with_unused: Template, stride: Stride) -> None:
    def others_hold_it(folder: Path) -> None:
        wrong = [path for path in damaged_content(folder / "b") if not path.endswith(".lck")]
        assert wrong == []
        assert len(list((folder / "b" / ".git/annex/objects").glob("*/*/*/*.dat"))) == 3

    def all_dropped(folder: Path) -> None:
        others_hold_it(folder)
        assert [outcome.status for outcome in custody(folder, Steps()).unused()] == ["notneeded"]

    die_at_every_step(drop_all, lambda: fresh(with_unused), all_dropped, when_dead=others_hold_it, stride=stride(21))


def test_numcopies_survives_death_at_every_step(with_unused: Template, stride: Stride) -> None:
    def two(folder: Path, steps: Steps) -> int:
        return exit_code(custody(folder, steps).numcopies(2))

    def are_wanted(folder: Path) -> None:
        assert annex(folder / "a", "numcopies").strip() == "2"

    die_at_every_step(two, lambda: fresh(with_unused), are_wanted, stride=stride(5))


# --- logs from elsewhere


MALICIOUS = {
    "a key that leads out": {"aaa/bbb/SHA256E-s1--..&c%%..%%..%%etc%%passwd.log": b"1s 1 %(uuid)s\n"},
    "no lines": {"%(log)s": b"\0\xff\n\n1s\n1s 1\n"},
    "a time that never was": {"%(log)s": b"99999999999999999999999s 1 \x1b[2J\n"},
    "another's description": {"uuid.log": b"%(uuid)s \x1b[31mroot\x07 timestamp=99999999999s\n"},
    "a number that is none": {"numcopies.log": b"9s -1\n9s 99999999999999999999\n9s x\n"},
    "addresses": {"%(log)s.web": b"1s 1 javascript:alert(1)\x1b]0;x\x07\n1s 1 file:///etc/passwd\n"},
    "a remote that runs": {"remote.log": b"%(uuid)s type=external externaltype=../../evil timestamp=1s\n"},
}


@pytest.mark.parametrize("what", MALICIOUS)
def test_hostile_logs_are_read_as_what_they_are(hurt: Template, what: str) -> None:
    folder = fresh(hurt)
    dataset = folder / "a"
    log = git(dataset, "ls-tree", "-r", "--name-only", "git-annex").split()
    fill = {"uuid": uuid_of(dataset), "log": next(name for name in log if name.endswith(".dat.log"))}
    files = {
        (name % fill): content.replace(b"%(uuid)s", fill["uuid"].encode()) for name, content in MALICIOUS[what].items()
    }
    git_annex_branch_with(dataset, files)
    for words in (
        ("whereis",),
        ("whereis", "--all"),
        ("unused",),
        ("numcopies",),
        ("fsck", "--full"),
        ("fsck", "--all"),
    ):
        ended = run(command(dataset, *words))
        assert ended.exit_code in (0, 3), ended.errors
        assert "bug" not in ended.errors
        assert "\x1b" not in ended.output
    assert not (folder / "etc").exists()


def test_an_object_that_is_a_link_is_neither_read_nor_moved(hurt: Template) -> None:
    folder = fresh(hurt)
    dataset, secret = folder / "a", folder / "secret"
    secret.write_text("secret")
    place = object_of(dataset, "a.dat")
    delete(place)
    place.symlink_to(secret)
    records = {one.item: one for one in custody(folder, Steps()).fsck(full=True)}
    assert records["a.dat"].failed
    assert "no regular file" in records["a.dat"].message
    assert place.is_symlink()
    assert secret.read_text() == "secret"
