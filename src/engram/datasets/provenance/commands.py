"""A user's command as ``run`` takes it: its words, its inputs and outputs, and the line that the shell gets."""

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property

from engram import durable
from engram.datasets.datalad_settings import DataladSettings
from engram.datasets.dataset import Dataset
from engram.datasets.provenance.path_globs import PathGlobs
from engram.datasets.provenance.placeholders import Value, filled, filled_names
from engram.datasets.provenance.run_records import RunRecord
from engram.model.errors import OutsideDataset
from engram.model.records import record

_TMPDIR = "{tmpdir}"


@record(eq=False)
class Repeat:
    """What a command repeats."""

    #: The commits that it repeats in the end, oldest first, hex.
    chain: tuple[str, ...]
    #: The exit code that it had.
    exit: int
    #: Files that it wrote then, whatever it said of its outputs; absolute.
    wrote: tuple[str, ...] = ()
    #: What the user's further placeholders stood for when he allowed it: a checkout meanwhile changes nothing of that.
    substitutions: Mapping[str, str] = field(default_factory=dict)


@record(eq=False)
class RunRequest:
    """A command that is to be run, and recorded."""

    #: A line for the shell, or words.
    command: str | tuple[str, ...]
    #: Absolute: where it runs.
    folder: str
    #: Paths or patterns, relative to *folder*.
    inputs: tuple[str, ...] = ()
    #: Inputs that no placeholder stands for.
    extra_inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    #: Which of ``inputs``, ``outputs`` or ``both`` are recorded as what they match.
    expand: str = ""
    #: Which of them are taken for ready.
    assume_ready: str = ""
    #: Nothing is saved but the outputs, and other changes do not matter.
    explicit: bool = False
    #: ``None``: the command itself says what it is about.
    message: str | None = None
    #: Whether the record goes into a file of its own; ``None``: as the settings say.
    sidecar: bool | None = None
    #: What to do when the command fails: ``error``, ``save`` or ``all``.
    on_command_failure: str = "error"
    #: Go on whatever fails, and save what came of it.
    goes_on: bool = False
    #: Threads for large files; 0: one per processor.
    jobs: int = 0
    repeats: Repeat | None = None


class PlannedCommand:
    """A request in its dataset, with all placeholders and patterns looked up.

    Raises:
        UsageError: for a placeholder that stands for nothing.
        OutsideDataset: for an input or output that does not lie in the dataset.
    """

    def __init__(self, dataset: Dataset, request: RunRequest) -> None:
        self._dataset = dataset
        self._request = request
        self.settings = DataladSettings(dataset)
        #: The command as it is recorded.
        self.command = as_line(request.command)
        repeats = request.repeats
        self._substitutions = self.settings.substitutions() if repeats is None else repeats.substitutions
        named = {"inputs": request.inputs, "extra_inputs": request.extra_inputs, "outputs": request.outputs}
        known: dict[str, Value] = {**self._substitutions, **{name: given for name, given in named.items() if given}}
        names = {name: filled_names(given, known) for name, given in named.items()}
        self._names = names
        self.inputs = self._globs(names["inputs"], "inputs")
        self.extra_inputs = self._globs(names["extra_inputs"], "inputs")
        self.outputs = self._globs(names["outputs"], "outputs")

    def _globs(self, names: Sequence[str], kind: str) -> PathGlobs:
        top = os.path.realpath(self._dataset.work_tree)
        for name in names:
            place = os.path.normpath(os.path.join(os.path.realpath(self._request.folder), name))
            if place != top and not place.startswith(top + "/") and not name.startswith(self._dataset.work_tree + "/"):
                raise OutsideDataset(name, self._dataset.work_tree)
        return PathGlobs(names, self._request.folder, expand=self.is_expanded(kind))

    def is_expanded(self, kind: str) -> bool:
        """Whether what a pattern matches is recorded instead of it."""
        return self._request.expand in ("both", kind)

    @cached_property
    def line(self) -> str:
        """What the shell is given. Raises `UsageError` for a placeholder that stands for nothing."""
        values: dict[str, Value] = {
            **self._substitutions,
            "pwd": self._request.folder,
            "dspath": self._dataset.work_tree,
            "tmpdir": self._tmpdir() if _TMPDIR in self.command else "",
            "inputs": [shlex.quote(name) for name in self.inputs.expanded(dot=False)],
            "outputs": [shlex.quote(name) for name in self.outputs.expanded(dot=False)],
        }
        return filled(self.command, values)

    def _tmpdir(self) -> str:
        """A fresh folder, which is the command's own to clear."""
        where = self._dataset.around.environment.get("TMPDIR") or "/tmp"
        folder = os.path.join(where, f"engram-run-{os.urandom(8).hex()}")
        durable.make_folder(self._dataset.steps, folder)
        durable.change_mode(self._dataset.steps, folder, 0o700)
        return folder

    def record(self, status: int | None) -> RunRecord:
        """The record of this command; *status* is its exit code, ``None`` before it ran."""
        record = RunRecord(
            cmd=self.command,
            chain=self._request.repeats.chain if self._request.repeats else (),
            inputs=self._recorded("inputs", self.inputs),
            extra_inputs=self._recorded("inputs", self.extra_inputs, "extra_inputs"),
            outputs=self._recorded("outputs", self.outputs),
            pwd=os.path.relpath(os.path.realpath(self._request.folder), os.path.realpath(self._dataset.work_tree)),
            dsid=self.settings.dataset_id,
        )
        return replace(record, exit=status)

    def _recorded(self, kind: str, globs: PathGlobs, name: str = "") -> tuple[str, ...]:
        return tuple(globs.recorded) if self.is_expanded(kind) else self._names[name or kind]


def as_seen(record: RunRecord, settings: DataladSettings) -> RunRecord:
    """The record with all put in that the dataset itself lets its placeholders stand for: what trust is about.

    What a dataset carries may change with every pull, and so may what such a record runs.
    """
    carried = settings.carried_substitutions()
    if not carried:
        return record
    placeholder = re.compile(r"\{(" + "|".join(map(re.escape, carried)) + r")(?:[!:.\[][^}]*)?\}")

    def put_in(text: str) -> str:
        return placeholder.sub(lambda match: carried[match[1]], text)

    return replace(
        record,
        cmd=put_in(record.cmd) if isinstance(record.cmd, str) else tuple(map(put_in, record.cmd)),
        inputs=tuple(map(put_in, record.inputs)),
        extra_inputs=tuple(map(put_in, record.extra_inputs)),
        outputs=tuple(map(put_in, record.outputs)),
    )


def as_line(command: str | tuple[str, ...]) -> str:
    """A command as a line for the shell: one word is a line already, several are quoted.

    >>> as_line("a; b"), as_line(("a; b",)), as_line(("ls", "a b"))
    ('a; b', 'a; b', "ls 'a b'")
    """
    if isinstance(command, str):
        return command
    return command[0] if len(command) == 1 else shlex.join(command)
