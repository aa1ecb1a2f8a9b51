"""Several programs in one dataset: they wait for each other or refuse plainly, and nothing is lost."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from engram.durable import Steps
from engram.testing.places import scratch
from engram.testing.processes import Command, run, started
from engram.testing.soundness import contents_kept, sound
from tests.integration.faults.operations import DATASET, command, create, git, save_command

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.usefixtures("git_annex")]


@pytest.fixture
def dataset() -> Iterator[Path]:
    with scratch() as folder:
        assert create(folder, Steps()) == 0
        yield folder / DATASET


def fill(dataset: Path, who: str, number: int = 20) -> None:
    (dataset / who).mkdir()
    for one in range(number):
        (dataset / who / f"{one}.bin").write_text(f"{who} {one}")


def test_eight_saves_of_different_files_all_succeed(dataset: Path) -> None:
    savers = [f"saver-{number}" for number in range(8)]
    for who in savers:
        fill(dataset, who)
    before = contents_kept(dataset)
    with ExitStack() as stack:
        running = [stack.enter_context(started(command(dataset, "save", "-m", who, who))) for who in savers]
        ended = [one.end() for one in running]
    assert [one.exit_code for one in ended] == [0] * 8, [one.errors for one in ended if one.exit_code]
    assert sorted(git(dataset, "log", "--format=%s").split("\n")) == sorted(["", "[DATALAD] new dataset", *savers])
    sound(dataset, before=before, annex=True)


def test_eight_saves_of_the_same_files_all_succeed(dataset: Path) -> None:
    fill(dataset, "shared", 100)
    before = contents_kept(dataset)
    with ExitStack() as stack:
        running = [stack.enter_context(started(save_command(dataset.parent))) for _ in range(8)]
        ended = [one.end() for one in running]
    assert [one.exit_code for one in ended] == [0] * 8, [one.errors for one in ended if one.exit_code]
    assert git(dataset, "log", "--format=%s") == "saved\n[DATALAD] new dataset\n"
    sound(dataset, before=before, annex=True)


def test_two_creates_of_one_dataset_make_one(dataset: Path) -> None:
    with ExitStack() as stack:
        commands = [command(dataset.parent, "create", "--force", "other") for _ in range(4)]
        running = [stack.enter_context(started(one)) for one in commands]
        ended = [one.end() for one in running]
    assert 0 in {one.exit_code for one in ended}
    assert {one.exit_code for one in ended} <= {0, 2, 30, 40}, [one.errors for one in ended]
    assert run(command(dataset.parent, "create", "--force", "other")).exit_code == 0
    assert git(dataset.parent / "other", "log", "--format=%s") == "[DATALAD] new dataset\n"
    sound(dataset.parent / "other", annex=True)


def _git_annex_at_work(dataset: Path, rounds: int) -> Command:
    script = f"""set -e
for round in $(seq {rounds}); do
    echo annex $round >annex/$round.bin
    git annex add -q annex/$round.bin
    git annex metadata -q -s round=$round annex/$round.bin || true
    git annex log annex/$round.bin >/dev/null
done
"""
    return Command(arguments=("sh", "-c", script), folder=dataset)


def test_saves_beside_a_running_git_annex_lose_none_of_its_records(dataset: Path) -> None:
    (dataset / "annex").mkdir()
    rounds = 10
    with started(_git_annex_at_work(dataset, rounds)) as git_annex:
        saves = 0
        while git_annex.process.poll() is None:
            fill(dataset, f"engram-{saves}", 5)
            ended = run(command(dataset, "save", "-m", "beside", f"engram-{saves}"))
            assert ended.exit_code in {0, 30}, ended.errors
            saves += 1
        ended = git_annex.end()
        assert ended.exit_code == 0, ended.errors
    assert saves > 1
    assert run(save_command(dataset.parent)).exit_code == 0
    sound(dataset, annex=True)
    for number in range(1, rounds + 1):
        assert git(dataset, "annex", "metadata", "-g", "round", f"annex/{number}.bin") == f"{number}\n"
    assert git(dataset, "annex", "whereis", "--format=${file}\n").count("\n") == rounds + 5 * saves


def test_pending_records_of_git_annex_are_kept(dataset: Path) -> None:
    fill(dataset, "first", 2)
    assert run(save_command(dataset.parent)).exit_code == 0
    git(dataset, "-c", "annex.alwayscommit=false", "annex", "metadata", "-q", "-s", "kind=pending", "first/0.bin")
    assert os.listdir(dataset / ".git" / "annex" / "journal")
    fill(dataset, "second", 2)
    assert run(save_command(dataset.parent)).exit_code == 0
    assert git(dataset, "annex", "metadata", "-g", "kind", "first/0.bin") == "pending\n"
    sound(dataset, annex=True)


@pytest.mark.parametrize("name", ["index.lock", "HEAD.lock", "{branch}.lock", "refs/heads/git-annex.lock"])
def test_a_stale_lock_of_git_is_named_with_the_command_that_removes_it(dataset: Path, name: str) -> None:
    fill(dataset, "some", 2)
    lock = dataset / ".git" / name.format(branch=git(dataset, "symbolic-ref", "HEAD").strip())
    lock.touch()
    before = contents_kept(dataset)
    ended = run(save_command(dataset.parent))
    assert ended.exit_code == 30
    assert f"rm {lock}" in ended.errors + ended.output
    assert lock.exists()
    assert before <= contents_kept(dataset)
    lock.unlink()
    assert run(save_command(dataset.parent)).exit_code == 0
    sound(dataset, before=before)


def test_an_index_lock_that_git_lets_go_of_is_waited_for(dataset: Path) -> None:
    fill(dataset, "some", 2)
    lock = dataset / ".git" / "index.lock"
    lock.touch()
    with started(save_command(dataset.parent)) as running:
        subprocess.run(["sleep", "1.5"], check=True)
        lock.unlink()
        ended = running.end()
    assert ended.exit_code == 0, ended.errors
    sound(dataset)


def test_commits_made_with_git_between_two_saves_are_kept(dataset: Path) -> None:
    for number in range(3):
        fill(dataset, f"engram-{number}", 2)
        assert run(save_command(dataset.parent)).exit_code == 0
        (dataset / f"git-{number}.txt").write_text("by git\n")
        git(dataset, "add", ".")
        git(dataset, "commit", "-qm", "by git")
    assert git(dataset, "log", "--format=%s").split("\n")[:6] == ["by git", "saved"] * 3
    sound(dataset, annex=True)
