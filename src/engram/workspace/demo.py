"""The demonstration: a small true story on real brain images, told by the operations themselves."""

import os
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from engram import durable
from engram.durable import Steps
from engram.model.errors import TargetExists
from engram.model.outcome import DatasetOutcome, Outcome, Status
from engram.workspace.auditing import Custody
from engram.workspace.cloning import Copies
from engram.workspace.context import Context
from engram.workspace.datasets import Datasets
from engram.workspace.demo_lab import LabStory, ShowsSeen, Step
from engram.workspace.demo_snapshots import ShowsAnswer, ShowsDifference, SnapshotStory
from engram.workspace.dropping import Dropping
from engram.workspace.getting import Getting
from engram.workspace.provenance import Provenance

if TYPE_CHECKING:
    from engram.datasets.programs import Programs
    from engram.datasets.provenance.versions import Version

#: What the dataset is called when the user names no folder.
FOLDER = "engram-demo"
#: Under this name the demonstration commits, in its own folder alone.
IDENTITY = ("user.name=engram demo", "user.email=demo@engram.invalid")

_IMAGES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "demo_images")
_SCAN = "sub-01/anat/sub-01_T1w.nii"
_FIGURE = "figures/sub-01.svg"
_COMMAND = "{python} code/histogram.py {{inputs}} {{outputs}} --bins {bins}"
_BINS = (20, 60)
_SET_IDENTITY = "\n".join(
    f"git config {name} {shlex.quote(value)}" for name, _, value in (setting.partition("=") for setting in IDENTITY)
)


@dataclass(slots=True)
class Demo:
    """Tells the story once, in one folder. The folder stays for the user to play with."""

    context: Context
    steps: Steps = field(default_factory=Steps)
    clock: Callable[[], float] = time.perf_counter
    #: How one version of a file is shown.
    version_text: "Callable[[Version], str]" = str
    #: How what a scan found is shown.
    seen_text: ShowsSeen = field(default=lambda found: "\n".join(map(str, found)))
    #: How the answer to a question to a snapshot is shown.
    answer_text: ShowsAnswer = field(default=lambda answer: "\n".join(map(str, answer)))
    #: How it is shown what changed between two snapshots.
    difference_text: ShowsDifference = field(default=lambda told: "\n".join(map(str, told)))

    def tell(self, folder: str | None = None) -> Iterator[Outcome]:
        """Carry out step by step: first an outcome ``demo`` for the step, then those of the operation itself.

        An outcome ``demo`` has the command in *item* (a line each if there are several), its meaning in *note*, and in
        *extra* the time that it took and what another program said.

        Raises:
            TargetExists: when there is something in the folder.
            ExtraMissing: without git-annex.
        """
        top = os.path.normpath(os.path.join(self.context.folder, folder or FOLDER))
        lab, snapshots = self._lab_story(top), self._snapshot_story(top)
        for place in (top, _clone_of(top), lab.share, lab.lab, snapshots.folder):
            if os.path.lexists(place) and not (os.path.isdir(place) and not os.listdir(place)):
                raise TargetExists(place, "is there already", "Name another folder: engram demo DIR")
        return self._carry_out(top, shlex.quote(folder or FOLDER))

    def _carry_out(self, top: str, name: str) -> Iterator[Outcome]:
        for step in self._story(top, name):
            began_s = self.clock()
            told = step.do()
            outcomes = [] if isinstance(told, str) else list(told)
            yield DatasetOutcome(
                action="demo",
                item=step.command,
                status=Status.OK,
                note=step.meaning,
                path=top,
                type="dataset",
                refds=top,
                extra=(("seconds", round(self.clock() - began_s, 3)), ("said", told if isinstance(told, str) else "")),
            )
            yield from outcomes
            if any(outcome.failed for outcome in outcomes):
                return

    def _story(self, top: str, name: str) -> Iterator[Step]:
        """A dataset, an analysis, somebody else's copy, what keeps all of it safe; a lab's recordings; connectomes."""
        yield from self._beginning(top, name)
        yield from self._analysis(top)
        yield from self._copy_of_it(top)
        yield from self._safety(top)
        yield from self._lab_story(top).told()
        yield from self._snapshot_story(top).told()

    def _lab_story(self, top: str) -> LabStory:
        return LabStory(self._within(os.path.dirname(top)), top, self.steps, self.seen_text)

    def _snapshot_story(self, top: str) -> SnapshotStory:
        within = self._within(os.path.dirname(top))
        return SnapshotStory(within, top, self.steps, self.answer_text, self.difference_text)

    def _beginning(self, top: str, name: str) -> Iterator[Step]:
        outside, inside = Datasets(self._within(self.context.folder)), Datasets(self._within(top))
        yield Step(
            f"engram create -c text2git {name}",
            "A new dataset: text will go to git, everything else to the annex.",
            lambda: outside.create(top, procedures=("text2git",)),
        )
        yield Step(
            f"cd {name}\n{_SET_IDENTITY}",
            "Who commits in this folder. Your own settings stay as they are.",
            lambda: self._set_identity(top),
        )
        yield Step(
            f"cp -R {shlex.quote(_IMAGES)}/. .",
            "Real brain images, and a small program; README.md tells whose they are.",
            lambda: self._copy(top),
        )
        yield Step("engram status", "What would be recorded.", inside.status)
        yield Step(
            "engram save -m 'Add two subjects, a template and a map'",
            "Record all of it. On return it is on the disk, come what may.",
            lambda: inside.save(message="Add two subjects, a template and a map"),
        )

    def _analysis(self, top: str) -> Iterator[Step]:
        inside = Provenance(self._within(top), steps=self.steps)

        def draw(bins: int) -> Step:
            why, command = f"Histogram of sub-01, {bins} bins", _COMMAND.format(python=_python(), bins=bins)
            return Step(
                f"engram run -m '{why}' -i {_SCAN} -o {_FIGURE} \\\n    '{command}'",
                "An analysis, recorded with its inputs." if bins == _BINS[0] else "Once more, with another parameter.",
                lambda: inside.run(command, message=why, inputs=[_SCAN], outputs=[_FIGURE]),
            )

        yield from map(draw, _BINS)
        yield Step(
            f"engram history {_FIGURE}",
            "Which parameters made this figure? The newest version stands first.",
            lambda: "\n\n".join(map(self.version_text, inside.history(_FIGURE))),
        )

    def _copy_of_it(self, top: str) -> Iterator[Step]:
        clone = _clone_of(top)
        name = shlex.quote(os.path.basename(clone))
        yield Step(
            f"cd ..\nengram clone {shlex.quote(os.path.basename(top))} {name}",
            "A copy for somebody else: all of the history, none of the contents yet.",
            lambda: Copies(self._within(os.path.dirname(top)), steps=self.steps).clone(top, clone),
        )
        yield Step(f"cd {name}\n{_SET_IDENTITY}", "Who commits in the copy.", lambda: self._set_identity(clone))
        inside = self._within(clone)
        yield Step(
            "engram get sub-01/anat",
            "Only what is needed comes, and every byte of it is checked.",
            lambda: Getting(inside, steps=self.steps).get(["sub-01/anat"]),
        )
        yield Step(
            "engram rerun",
            "The figure is made again from its record: it is the same to the bit, so there is nothing to save.",
            lambda: Provenance(inside, steps=self.steps).rerun(),
        )
        yield Step(
            "engram drop sub-01/anat",
            "The space is wanted back: the original was looked at, and locked, before this copy went.",
            lambda: Dropping(inside, steps=self.steps).drop(["sub-01/anat"]),
        )

    def _safety(self, top: str) -> Iterator[Step]:
        inside = self._within(top)
        yield Step(
            f"cd ../{shlex.quote(os.path.basename(top))}\nengram drop maps",
            "Back in the original. This is the only copy that anybody knows of: engram refuses.",
            lambda: _refused(Dropping(inside, steps=self.steps).drop(["maps"])),
        )
        yield Step(
            "engram whereis maps",
            "Where it is.",
            lambda: _where(Custody(inside, steps=self.steps).whereis(["maps"])),
        )
        yield Step(
            "git annex fsck --quiet",
            "git-annex reads everything again and compares the checksums. Silence: all is well.",
            lambda: _text(self._programs().git_annex(top, "fsck", "--quiet")),
        )

    def _environment(self) -> dict[str, str]:
        foreign = ("GIT_AUTHOR_", "GIT_COMMITTER_")
        return {name: value for name, value in self.context.environment.items() if not name.startswith(foreign)}

    def _within(self, folder: str) -> Context:
        """A call in a folder of the story."""
        settings = (*self.context.git_configuration, *IDENTITY, "commit.gpgSign=false")
        return replace(self.context, folder=folder, environment=self._environment(), git_configuration=settings)

    def _programs(self) -> "Programs":
        from engram.datasets.programs import Programs  # here, because starting programs takes a while to load

        return Programs(environment=self._environment(), configuration=IDENTITY, steps=self.steps)

    def _set_identity(self, top: str) -> str:
        for setting in IDENTITY:
            self._programs().git(top, "config", "--local", *setting.split("=", 1))
        return ""

    def _copy(self, top: str) -> str:
        """Copy the images that are shipped in the package."""
        for folder, folders, names in os.walk(_IMAGES):
            folders[:] = [name for name in folders if name != "__pycache__"]  # what an installer compiled
            target = os.path.normpath(os.path.join(top, os.path.relpath(folder, _IMAGES)))
            durable.make_folders(self.steps, target)
            for name in names:
                durable.write_new(self.steps, os.path.join(target, name), _read(os.path.join(folder, name)))
        return ""


def _clone_of(top: str) -> str:
    """Where the story's copy of the dataset lies: beside it."""
    return f"{top}-copy"


def _python() -> str:
    """How one starts Python here."""
    return "python3" if shutil.which("python3") else shlex.quote(sys.executable)


def _refused(outcomes: Iterator[Outcome]) -> str:
    """What is said of what was refused, as it is meant to be."""
    told = [outcome for outcome in outcomes if outcome.failed]
    return "\n".join(f"{one.action}({one.status}): {one.item} [{one.message}]\n  {one.remedy}" for one in told)


def _where(outcomes: Iterator[Outcome]) -> str:
    copies = [(outcome.item, getattr(outcome, "copies", ())) for outcome in outcomes]
    return "\n".join(f"{item}: {', '.join(copy.called for copy in held)}" for item, held in copies)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _text(said: bytes) -> str:
    return said.decode(errors="replace").strip("\n")
