"""The demonstration: a small true story on real brain images, told by the operations themselves."""

import gzip
import os
import shlex
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from engram import durable
from engram.durable import Steps
from engram.model.errors import TargetExists
from engram.model.outcome import DatasetOutcome, Outcome, Status
from engram.workspace.context import Context
from engram.workspace.datasets import Datasets

if TYPE_CHECKING:
    from engram.datasets.programs import Programs

#: What the dataset is called when the user names no folder.
FOLDER = "engram-demo"
#: Under this name the demonstration commits, in its own folder alone.
IDENTITY = ("user.name=engram demo", "user.email=demo@engram.invalid")

_IMAGES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "demo_images")
_SCAN = "sub-01/func/sub-01_bold.nii"
_NOTE = "* the functional scan of sub-01 was compressed"

#: What a step gives: outcomes of an operation, or what another program said.
Told: TypeAlias = "Iterator[Outcome] | str"


@dataclass(frozen=True, slots=True)
class _Step:
    command: str
    meaning: str
    do: Callable[[], Told]


@dataclass(slots=True)
class Demo:
    """Tells the story once, in one folder. The folder stays for the user to play with."""

    context: Context
    steps: Steps = field(default_factory=Steps)
    clock: Callable[[], float] = time.perf_counter

    def tell(self, folder: str | None = None) -> Iterator[Outcome]:
        """Carry out step by step: first an outcome ``demo`` for the step, then those of the operation itself.

        An outcome ``demo`` has the command in *item* (a line each if there are several), its meaning in *note*, and in
        *extra* the time that it took and what another program said.

        Raises:
            TargetExists: when there is something in the folder.
            ExtraMissing: without git-annex.
        """
        top = os.path.normpath(os.path.join(self.context.folder, folder or FOLDER))
        if os.path.lexists(top) and not (os.path.isdir(top) and not os.listdir(top)):
            raise TargetExists(top, "is there already", "Name another folder: engram demo DIR")
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

    def _story(self, top: str, name: str) -> Iterator[_Step]:
        from engram.datasets.programs import Programs  # here, because starting programs takes a while to load

        outside, inside = self._datasets(self.context.folder), self._datasets(top)
        programs = Programs(environment=self._environment(), configuration=IDENTITY, steps=self.steps)
        packed = f"{_SCAN}.gz"
        yield _Step(
            f"engram create -c text2git {name}",
            "A new dataset: text will go to git, everything else to the annex.",
            lambda: outside.create(top, procedures=("text2git",)),
        )
        yield _Step(
            f"cd {name}\ngit config user.name 'engram demo'\ngit config user.email demo@engram.invalid",
            "Who commits in this folder. Your own settings stay as they are.",
            lambda: self._set_identity(top, programs),
        )
        yield _Step(
            f"cp -R {shlex.quote(_IMAGES)}/. .",
            "Real brain images; README.md tells whose they are.",
            lambda: self._copy(top),
        )
        yield _Step("engram status", "What would be recorded.", inside.status)
        yield _Step(
            "engram save -m 'Add two subjects, a template and a map'",
            "Record all of it. On return it is on the disk, come what may.",
            lambda: inside.save(message="Add two subjects, a template and a map"),
        )
        yield _Step(
            f"gzip -nc {_SCAN} > {packed}\nrm {_SCAN}\necho '{_NOTE}' >> README.md",
            "Work goes on: compress a scan, and note it down.",
            lambda: self._work(top),
        )
        yield _Step("engram status", "What has changed since.", inside.status)
        yield _Step(
            "engram save -m 'Compress the functional scan of sub-01'",
            "Record that, too.",
            lambda: inside.save(message="Compress the functional scan of sub-01"),
        )
        yield _Step(
            "git log --oneline", "The history is git's own.", lambda: _text(programs.git(top, "log", "--oneline"))
        )
        yield _Step(
            f"git annex whereis {packed}",
            "git-annex knows where each content is kept.",
            lambda: _text(programs.git_annex(top, "whereis", packed)),
        )
        yield _Step(
            "git annex fsck --quiet",
            "git-annex reads everything again and compares the checksums. Silence: all is well.",
            lambda: _text(programs.git_annex(top, "fsck", "--quiet")),
        )

    def _environment(self) -> dict[str, str]:
        foreign = ("GIT_AUTHOR_", "GIT_COMMITTER_")
        return {name: value for name, value in self.context.environment.items() if not name.startswith(foreign)}

    def _datasets(self, folder: str) -> Datasets:
        settings = (*self.context.git_configuration, *IDENTITY, "commit.gpgSign=false")
        context = replace(self.context, folder=folder, environment=self._environment(), git_configuration=settings)
        return Datasets(context, steps=self.steps)

    def _set_identity(self, top: str, programs: "Programs") -> str:
        for setting in IDENTITY:
            programs.git(top, "config", "--local", *setting.split("=", 1))
        return ""

    def _copy(self, top: str) -> str:
        """Copy the images that are shipped in the package."""
        for folder, _, names in os.walk(_IMAGES):
            target = os.path.normpath(os.path.join(top, os.path.relpath(folder, _IMAGES)))
            durable.make_folders(self.steps, target)
            for name in names:
                durable.write_new(self.steps, os.path.join(target, name), _read(os.path.join(folder, name)))
        return ""

    def _work(self, top: str) -> str:
        scan, readme = os.path.join(top, _SCAN), os.path.join(top, "README.md")
        durable.write_new(self.steps, f"{scan}.gz", gzip.compress(_read(scan), mtime=0))
        durable.remove(self.steps, scan)
        durable.replace(self.steps, readme, _read(readme) + f"{_NOTE}\n".encode())
        return ""


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _text(said: bytes) -> str:
    return said.decode(errors="replace").strip("\n")
