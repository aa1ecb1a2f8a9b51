"""Run and unlock survive death at each of their durable steps, and every refusal of the disk."""

import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from engram.durable import Steps
from engram.model.errors import UsageError
from engram.testing.faults import die_at_every_step, fail_at_every_step
from engram.testing.places import Template, fresh_folder, scratch
from engram.testing.soundness import complaints_of_git, contents_kept, sound
from engram.workspace.provenance import Provenance
from tests.integration.faults.operations import DATASET, context, exit_code, git, verbs

pytestmark = pytest.mark.integration

Stride: TypeAlias = Callable[[int], int]
OUTPUTS = ("out.bin", "new.bin", "absent.bin")
COMMAND = "cat in.bin out.bin > new.bin; echo more >> out.bin; test -s absent.bin || echo again > absent.bin"


def provenance(folder: Path, steps: Steps) -> Provenance:
    return Provenance(context(folder / DATASET), steps=steps)


def run_explicitly(folder: Path, steps: Steps) -> int:
    """A command that says what it writes: it can be run again, whatever a killed one left."""
    return exit_code(provenance(folder, steps).run(COMMAND, explicit=True, inputs=["in.bin"], outputs=OUTPUTS))


def run_plainly(folder: Path, steps: Steps) -> int:
    return exit_code(provenance(folder, steps).run(COMMAND, inputs=["in.bin"], outputs=OUTPUTS, sidecar=True))


def rerun(folder: Path, steps: Steps) -> int:
    return exit_code(provenance(folder, steps).rerun(since=""))


def rerun_explicitly(folder: Path, steps: Steps) -> int:
    return exit_code(provenance(folder, steps).rerun(since="", explicit=True))


def rerun_elsewhere(folder: Path, steps: Steps) -> int:
    return exit_code(provenance(folder, steps).rerun(since="", onto="input", branch="again"))


def unlock(folder: Path, steps: Steps) -> int:
    return exit_code(provenance(folder, steps).unlock(["in.bin", "out.bin"]))


@pytest.fixture(scope="module")
def ready(git_annex: Path) -> Iterator[Template]:
    """A dataset with an input, an output that is here, and one whose content is elsewhere."""
    with scratch() as scene:
        folder = fresh_folder(scene)
        assert exit_code(verbs(folder).create(DATASET)) == 0
        for name in ("in.bin", "out.bin", "absent.bin"):
            (folder / DATASET / name).write_bytes(name.encode() * 100)
        assert exit_code(verbs(folder / DATASET).save(message="ready")) == 0
        git(folder / DATASET, "annex", "drop", "-q", "--force", "absent.bin")
        template = Template(folder, scene)
        for operation in (run_explicitly, unlock):  # the children find all modules loaded
            assert operation(template.fresh(), Steps()) == 0
        yield template


@pytest.fixture(scope="module")
def recorded(git_annex: Path) -> Iterator[Template]:
    """A dataset with two recorded commands, whose input is another now."""
    with scratch() as scene:
        folder = fresh_folder(scene)
        assert exit_code(verbs(folder).create(DATASET)) == 0
        dataset = folder / DATASET
        for text in ("first ", "second "):
            (dataset / "in.bin").unlink(missing_ok=True)
            (dataset / "in.bin").write_text(text * 100)
            assert exit_code(verbs(dataset).save(message=text)) == 0
            if text == "first ":
                for command, output in (("cat in.bin in.bin > one.bin", "one.bin"), ("wc < one.bin > two", "two")):
                    ran = provenance(folder, Steps()).run(command, inputs=["in.bin"], outputs=[output])
                    assert exit_code(ran) == 0
        git(dataset, "branch", "input")
        template = Template(folder, scene)
        for operation in (rerun, rerun_explicitly, rerun_elsewhere):  # the children find all modules loaded
            assert operation(template.fresh(), Steps()) == 0
        yield template


def all_repeated(folder: Path) -> None:
    dataset = folder / DATASET
    assert git(dataset, "status", "--porcelain") == ""
    assert (dataset / "one.bin").read_text() == "second " * 200
    assert (dataset / "two").read_text().split() == ["0", "200", "1400"]
    assert "[DATALAD RUNCMD]" in git(dataset, "log", "-1", "--format=%s", "--", "one.bin")
    assert git(dataset, "rev-parse", "--abbrev-ref", "HEAD").strip() in ("main", "master", "again")
    sound(dataset, before=contents_kept(dataset))


def nothing_lost(template: Template) -> Callable[[Path], None]:
    before = contents_kept(template.original / DATASET)

    def check(folder: Path) -> None:
        assert before <= contents_kept(folder / DATASET)
        assert git(folder / DATASET, "rev-parse", "HEAD")

    return check


def all_recorded(folder: Path) -> None:
    dataset = folder / DATASET
    assert git(dataset, "status", "--porcelain") == ""
    assert "[DATALAD RUNCMD]" in git(dataset, "log", "-1", "--format=%s", "--", "new.bin")
    assert (dataset / "out.bin").read_bytes().endswith(b"more\n")
    sound(dataset, before=contents_kept(dataset))


def test_an_explicit_run_survives_death_at_every_step(ready: Template, stride: Stride) -> None:
    die_at_every_step(run_explicitly, ready.fresh, all_recorded, when_dead=nothing_lost(ready), stride=stride(25))


def test_what_a_killed_run_left_can_be_saved(ready: Template, stride: Stride) -> None:
    """Whoever says nothing of outputs cannot run again over what was left; saving it is the way on."""

    def saved(folder: Path) -> None:
        assert exit_code(verbs(folder / DATASET).save(message="what was left")) == 0
        assert git(folder / DATASET, "status", "--porcelain") == ""
        assert run_plainly(folder, Steps()) == 0
        all_recorded(folder)

    die_at_every_step(run_plainly, ready.fresh, saved, when_dead=nothing_lost(ready), repeat=False, stride=stride(37))


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO], ids=errno.errorcode.get)
def test_an_explicit_run_withstands_every_refusal_of_the_disk(ready: Template, stride: Stride, error: int) -> None:
    fail_at_every_step(
        run_explicitly, ready.fresh, all_recorded, error=error, when_failed=nothing_lost(ready), stride=stride(61)
    )


def test_an_unlock_survives_death_at_every_step(ready: Template, stride: Stride) -> None:
    def unlocked(folder: Path) -> None:
        dataset = folder / DATASET
        for name in ("in.bin", "out.bin"):
            assert not (dataset / name).is_symlink()
            assert (dataset / name).read_bytes() == name.encode() * 100
            (dataset / name).write_bytes(b"changed")
        assert exit_code(verbs(dataset).save()) == 0
        assert git(dataset, "status", "--porcelain") == ""
        assert complaints_of_git(dataset) == ""
        git(dataset, "annex", "fsck", "-q", "in.bin", "out.bin")

    die_at_every_step(unlock, ready.fresh, unlocked, when_dead=nothing_lost(ready), stride=stride(9))


def test_an_explicit_rerun_survives_death_at_every_step(recorded: Template, stride: Stride) -> None:
    die_at_every_step(
        rerun_explicitly, recorded.fresh, all_repeated, when_dead=nothing_lost(recorded), stride=stride(45)
    )


def test_a_killed_rerun_is_repeated_as_it_says_itself(recorded: Template, stride: Stride) -> None:
    """The same command again finishes it, or changes nothing and says by which one it is finished."""

    def repeated(folder: Path) -> None:
        outcomes = [one for one in provenance(folder, Steps()).rerun(since="") if one.failed]
        if outcomes:
            assert [one.error for one in outcomes] == ["UnsavedChanges"]
            assert outcomes[0].remedy.endswith("engram rerun --explicit")
            assert rerun_explicitly(folder, Steps()) == 0
        all_repeated(folder)

    die_at_every_step(
        rerun, recorded.fresh, repeated, when_dead=nothing_lost(recorded), repeat=False, stride=stride(57)
    )


def test_a_killed_rerun_on_a_new_branch_leaves_the_old_one_and_is_begun_anew(
    recorded: Template, stride: Stride
) -> None:
    """As the refusal says: back to the branch, which has all that it had, away with the new one, and again."""
    dataset = recorded.original / DATASET
    name, was = git(dataset, "branch", "--show-current").strip(), git(dataset, "rev-parse", "HEAD")

    def begun_anew(folder: Path) -> bool:
        try:
            return rerun_elsewhere(folder, Steps()) == 0
        except UsageError as refusal:
            return not refusal.next_step.endswith("git branch -D again")

    def repeated(folder: Path) -> None:
        dataset = folder / DATASET
        assert git(dataset, "rev-parse", name) == was
        if not begun_anew(folder):
            git(dataset, "checkout", "-q", "-f", name)
            if git(dataset, "branch", "--list", "again"):
                git(dataset, "branch", "-q", "-D", "again")
            assert rerun_elsewhere(folder, Steps()) == 0
        all_repeated(folder)

    die_at_every_step(
        rerun_elsewhere, recorded.fresh, repeated, when_dead=nothing_lost(recorded), repeat=False, stride=stride(73)
    )
