"""The run records in a dataset's history, those in files of their own included."""

import os
from collections.abc import Iterator
from shlex import quote

from engram.datasets.annex.hashdirs import object_path, object_path_lower
from engram.datasets.annex.pointers import MAX_POINTER_BYTES, key_in
from engram.datasets.datalad_settings import DataladSettings
from engram.datasets.dataset import Dataset
from engram.datasets.git.ancestry import read_commit
from engram.datasets.git.objects import BLOB, TREE_MODE, Commit
from engram.datasets.git.problems import MissingObject
from engram.datasets.git.tree_lookup import TreeLookup
from engram.datasets.provenance.run_records import LONGEST_BYTES, RunMessage, RunRecord, is_run, parse_sidecar
from engram.model.errors import BadRecord

_RUNINFO = ".datalad/runinfo"


class RecordedRuns:
    """Reads the run records of a dataset's commits."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._lookup = TreeLookup(dataset.objects)
        self._folder = DataladSettings(dataset).get("datalad.run.record-directory") or _RUNINFO

    def of(self, oid: bytes, commit: Commit) -> tuple[str, RunRecord] | None:
        """What was said of the command, and its record; ``None`` for a commit without one.

        Raises `BadRecord` for a record that does not parse, or whose file is not here.
        """
        if not is_run(commit.message):
            return None
        try:
            message = RunMessage.of(commit.message.decode("utf-8", "surrogateescape"))
            if message is None:
                return None
            record = message.record
            return message.subject, self._sidecar(commit.tree, record) if isinstance(record, str) else record
        except BadRecord as error:
            raise BadRecord(oid.hex()[:7], error.problem) from error

    def _sidecar(self, tree: bytes, name: str) -> RunRecord:
        path = os.path.join(os.path.normpath(self._folder), name)
        side = self._lookup.at(tree, os.fsencode(path))
        if side is None or side.mode == TREE_MODE:
            raise BadRecord("", f"its file {path} is not in the commit")
        try:
            content = self._dataset.objects.read_kind(side.oid, BLOB)
        except MissingObject as error:
            raise BadRecord("", f"its file {path} is not in this repository") from error
        key = key_in(content) if len(content) <= MAX_POINTER_BYTES else None
        return parse_sidecar(content if key is None else self._annexed(key, path))

    def _annexed(self, key: bytes, path: str) -> bytes:
        for place in (object_path(key), object_path_lower(key)):
            try:
                with open(os.path.join(os.fsencode(self._dataset.git_dir), place), "rb") as file:
                    return file.read(LONGEST_BYTES)
            except FileNotFoundError:
                continue
        raise BadRecord("", f"the content of its file is not here; get it first: engram get {quote(path)}")

    def every(self) -> Iterator[tuple[bytes, RunRecord]]:
        """The commit and the record of each run that a branch, here or of a sibling, or HEAD has.

        Those that do not parse are left out.
        """
        waiting = list(self._tips())
        seen = set(waiting)
        while waiting:
            oid = waiting.pop()
            try:
                commit = read_commit(self._dataset.objects, oid)
            except MissingObject:  # a shallow clone
                continue
            waiting += [parent for parent in commit.parents if parent not in seen]
            seen.update(commit.parents)
            try:
                found = self.of(oid, commit)
            except BadRecord:
                continue
            if found is not None:
                yield oid, found[1]

    def _tips(self) -> set[bytes]:
        refs = self._dataset.refs
        names = [name for prefix in (b"refs/heads/", b"refs/remotes/") for name in refs.names(prefix)]
        tips = {refs.resolve(name) for name in names if not name.endswith((b"/git-annex", b"/synced/git-annex"))}
        return {tip for tip in (*tips, refs.head().oid) if tip is not None}
