"""Which command made what a commit brought, and what that command read."""

import os
import shlex
from dataclasses import replace

from engram.datasets.annex.pointers import MAX_POINTER_BYTES, key_in
from engram.datasets.dataset import Dataset
from engram.datasets.git.ancestry import read_commit
from engram.datasets.git.objects import SUBMODULE_MODE, TREE_MODE, Commit
from engram.datasets.git.problems import MissingObject
from engram.datasets.git.tree_diff import Side
from engram.datasets.git.tree_lookup import TreeLookup
from engram.datasets.people import subject_of
from engram.datasets.provenance.commands import as_line
from engram.datasets.provenance.placeholders import filled
from engram.datasets.provenance.recorded_runs import RecordedRuns
from engram.datasets.provenance.run_records import RunRecord
from engram.datasets.provenance.versions import MadeBy, UsedFile, Version
from engram.model.errors import BadRecord, UsageError

#: Words of one command that are looked up as names of files.
_MOST_WORDS = 1000


class Tracer:
    """Reads what commits say about commands."""

    def __init__(self, dataset: Dataset, lookup: TreeLookup) -> None:
        self._objects = dataset.objects
        self._runs = RecordedRuns(dataset)
        self._lookup = lookup
        self._keys: dict[bytes, tuple[bytes, int]] = {}

    def key(self, side: Side) -> tuple[bytes, int]:
        """The annex key that a link or pointer names, b"" for none; and the size of the object."""
        if side.mode in (TREE_MODE, SUBMODULE_MODE):
            return b"", 0
        if side.oid not in self._keys:
            try:
                _, data = self._objects.read(side.oid)
            except MissingObject:
                return b"", 0
            key = key_in(data) if len(data) <= MAX_POINTER_BYTES else None
            self._keys[side.oid] = key or b"", len(data)
        return self._keys[side.oid]

    def made_by(self, oid: bytes, commit: Commit) -> MadeBy | None:
        """The command whose results a commit holds; ``None`` for one that holds none."""
        try:
            found = self._runs.of(oid, commit)
        except BadRecord as error:
            message = subject_of(commit.message).decode("utf-8", "replace")
            return MadeBy(cmd="", message=message, pwd="", exit=None, problem=error.problem)
        if found is None:
            return None
        subject, record = found
        tree = self._tree_before(commit)
        inputs = (*record.inputs, *record.extra_inputs)
        words = [word for word in _words(record) if word not in inputs and word not in record.outputs]
        code = [self._used(tree, record.pwd, word) for word in dict.fromkeys(words)]
        return MadeBy(
            cmd=_line(record),
            message=subject,
            pwd=record.pwd,
            exit=record.exit,
            inputs=tuple(self._used(tree, record.pwd, name) for name in inputs),
            code=tuple(used for used in code if used.gitshasum),
            outputs=record.outputs,
            chain=record.chain,
        )

    def _tree_before(self, commit: Commit) -> bytes | None:
        """What the dataset held when the command began."""
        try:
            return read_commit(self._objects, commit.parents[0]).tree if commit.parents else None
        except MissingObject:
            return None

    def _used(self, tree: bytes | None, folder: str, name: str) -> UsedFile:
        path = os.path.normpath(os.path.join(folder, name))
        side = None if tree is None else self._lookup.at(tree, os.fsencode(path))
        if side is None or (side.mode == TREE_MODE and path == "."):
            return UsedFile(path=path)
        return UsedFile(path=path, key=os.fsdecode(self.key(side)[0]), gitshasum=side.oid.hex())


def with_changes(version: Version, older: Version) -> Version:
    """A version that also tells which files its command read had changed since the version before was made."""
    if version.run is None or older.run is None:
        return version
    then = {used.path: used.gitshasum for used in (*older.run.inputs, *older.run.code)}

    def marked(files: tuple[UsedFile, ...]) -> tuple[UsedFile, ...]:
        return tuple(replace(used, changed=then.get(used.path, used.gitshasum) != used.gitshasum) for used in files)

    return replace(version, run=replace(version.run, inputs=marked(version.run.inputs), code=marked(version.run.code)))


def _line(record: RunRecord) -> str:
    """A command with its inputs and outputs filled in, as far as the record says them."""
    line = as_line(record.cmd)
    names = {"inputs": list(map(shlex.quote, record.inputs)), "outputs": list(map(shlex.quote, record.outputs))}
    try:
        return filled(line, {**names, "pwd": record.pwd, "dspath": ".", "tmpdir": "{tmpdir}"})
    except UsageError:  # a placeholder of the user's own, whose value then nobody knows
        return line


def _words(record: RunRecord) -> list[str]:
    """The words of a command that may be names of files."""
    try:
        words = shlex.split(as_line(record.cmd), comments=False)
    except ValueError:
        words = as_line(record.cmd).split()
    return [word.strip("<>;|&()\"'") for word in words if not word.startswith(("-", "/", "{"))][:_MOST_WORDS]
