"""Save by git-annex and git themselves: slower, and right wherever engram's own way does not fully know the ground.

The same calls that DataLad makes, and a sync of the file system before anything is acknowledged.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from shlex import quote

from engram import durable
from engram.datasets.dataset import Dataset
from engram.datasets.records import Made, Reporter
from engram.datasets.saving.subdatasets import GITMODULES, Registration, register
from engram.datasets.saving.survey import SaveRequest
from engram.model.errors import ItemFailed, PeerFailed, UsageError
from engram.model.outcome import DatasetOutcome

#: DataLad's own setting for every add. Source: runs of DataLad 1.7.1.
_DOTFILES = ("-c", "annex.dotfiles=true")
_SUBMODULE = "160000"


class HandOver:
    """Saves as a request says, by git-annex and git; each outcome's note says why."""

    def __init__(self, dataset: Dataset, request: SaveRequest, reason: str) -> None:
        self._dataset = dataset
        self._request = request
        self._report = Reporter(dataset, refds=request.refds, note=f"handed to git-annex: {reason}")
        self.made = Made("", "")
        self._scopes = [b"./" + scope if scope else b"." for scope in request.scopes]

    def carry_out(self, message: bytes) -> Iterator[DatasetOutcome]:
        """Do it. Raises `PeerFailed` when git refuses the commit; what was added stays staged."""
        dataset = self._dataset
        self._check_conflicts()
        before = self._head()
        if dataset.wants_annex and not dataset.annex_uuid:
            dataset.programs.git_annex(dataset.work_tree, "init", "--no-autoenable")
        outcomes = list(self._stage())
        self._commit(message)
        durable.sync_file_system(dataset.steps, dataset.git_dir)
        durable.sync_file_system(dataset.steps, dataset.work_tree)
        self.made = Made(before, self._head())
        yield from outcomes

    def _git(self, *arguments: str | bytes, stdin: bytes = b"") -> bytes:
        return self._dataset.programs.git(self._dataset.work_tree, *arguments, stdin=stdin, hooks=True)

    def _check_conflicts(self) -> None:
        """Refuse to record files in the state in which a merge left them. Raises `UsageError`."""
        lines = self._git("ls-files", "-z", "--unmerged", "--", *self._scopes).split(b"\0")
        names = list(dict.fromkeys(os.fsdecode(line.partition(b"\t")[2]) for line in lines if line))
        if names:
            said = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
            raise UsageError(
                f"In conflict since a merge: {said}.", f"Mend it, then: git add {quote(names[0])}; then save again."
            )

    def _head(self) -> str:
        """The commit that is checked out, '' before the first."""
        status, out, _ = self._dataset.programs.git_status_of(
            self._dataset.work_tree, "rev-parse", "--verify", "-q", "HEAD"
        )
        return "" if status else out.decode().strip()

    def _stage(self) -> Iterator[DatasetOutcome]:
        """Bring every change into the index."""
        deleted = self._listed("--deleted")
        modes = self._modes()
        gone = [
            path for path in deleted if not os.path.lexists(os.path.join(os.fsencode(self._dataset.work_tree), path))
        ]
        for path in gone:
            yield self._report.deleted(path, int(modes.get(path, "100644"), 8))
        if gone:
            self._git("rm", "--cached", "-q", "--pathspec-from-file=-", "--pathspec-file-nul", stdin=b"\0".join(gone))
        yield from self._add_subdatasets(register(self._dataset, new=[], gone=_subdatasets_in(gone, modes)), [])
        new = [] if self._request.updated else self._listed("--others", "--exclude-standard")
        changed = [*new, *self._listed("--modified"), *self._unlocked(modes)]
        present = [path for path in dict.fromkeys(changed) if path not in set(deleted)]
        known = _subdatasets_in(present, modes)
        nested = [path.rstrip(b"/") for path in present if path.endswith(b"/")]
        yield from self._add_subdatasets(register(self._dataset, new=nested, gone=[]), known)
        files = [path for path in present if path not in set(known) and not path.endswith(b"/")]
        if files:
            yield from self._add_plainly(files) if self._request.to_git or not self._has_annex() else self._add(files)

    def _has_annex(self) -> bool:
        return not os.path.lexists(os.path.join(self._dataset.work_tree, ".noannex")) and (
            self._dataset.has_annex or self._dataset.wants_annex
        )

    def _listed(self, *kinds: str) -> list[bytes]:
        found = self._git("ls-files", "-z", *kinds, "--", *self._scopes).split(b"\0")
        return [path for path in found if path]

    def _unlocked(self, modes: dict[bytes, str]) -> list[bytes]:
        """Links that ``git annex unlock`` made files of, in the index too: unchanged ones are locked again."""
        merging = os.path.exists(os.path.join(self._dataset.git_dir, "MERGE_HEAD"))
        if self._request.to_git or merging or not self._has_annex() or not self._head():
            return []  # while a merge is under way, it may be the other side that unlocked them for good
        words = ("diff", "--cached", "--name-only", "-z", "--no-ext-diff", "--no-renames", "--diff-filter=T", "HEAD")
        found = self._git(*words, "--", *self._scopes).split(b"\0")
        return [path for path in found if modes.get(path, "").startswith("100")]

    def _modes(self) -> dict[bytes, str]:
        lines = self._git("ls-files", "-z", "--stage", "--", *self._scopes).split(b"\0")
        pairs = (line.split(b"\t", 1) for line in lines if line)
        return {path: head.split(b" ")[0].decode() for head, path in pairs}

    def _add_subdatasets(self, registration: Registration, known: list[bytes]) -> Iterator[DatasetOutcome]:
        paths = [*known, *(recorded.path for recorded in registration.recorded)]
        if paths:
            self._add_by_git(paths)
        for path in paths:
            yield self._report.taken(path, "file" if path == GITMODULES else "dataset")
        for problem in registration.problems:
            yield self._report.failed("add", problem)

    def _add_plainly(self, paths: list[bytes]) -> Iterator[DatasetOutcome]:
        self._add_by_git(paths)
        for path in paths:
            yield self._report.taken(path, "file")

    def _add_by_git(self, paths: list[bytes], *options: str) -> None:
        words = ("add", *options, "--pathspec-from-file=-", "--pathspec-file-nul")
        self._git("-c", "annex.largefiles=nothing", *words, stdin=b"\0".join(paths))

    def _add(self, paths: list[bytes]) -> Iterator[DatasetOutcome]:
        status, out, said = self._dataset.programs.git_annex_status_of(
            self._dataset.work_tree,
            *("add", "--no-check-gitignore", "--json", "--json-error-messages", *_DOTFILES, "--batch", "-z"),
            stdin=b"\0".join(paths) + b"\0",
        )
        records = [(path, json.loads(line.decode("utf-8", "replace"))) for path, line in _answers(out, paths)]
        if status and all(record.get("success") for _, record in records):
            raise PeerFailed("git-annex add", status, said)
        in_git = [path for path, record in records if record.get("success") and not record.get("key")]
        if in_git:  # git-annex puts them in as they are, past the filters and line ends that git knows for them
            self._add_by_git(in_git, "--renormalize")
        for path, record in records:
            if record.get("success"):
                yield self._report.taken(path, "file", key=str(record.get("key") or ""))
            else:
                said = " ".join(str(text) for text in record.get("error-messages", ())) or "git-annex could not add it"
                yield self._report.failed("add", ItemFailed(os.fsdecode(path), said.rstrip(".")))

    def _commit(self, message: bytes) -> None:
        """Commit what is staged; nothing when nothing is."""
        request = self._request
        partial: list[str | bytes] = ["--only", "--", *self._scopes] if request.partial else []
        status, _, _ = self._dataset.programs.git_status_of(
            self._dataset.work_tree, "diff", "--cached", "--quiet", "--no-ext-diff", "--", *self._scopes
        )
        if status == 0 and self._head() and not (request.amend and message):
            return
        words: list[str | bytes] = ["commit", "-q"]
        if request.amend:
            words.append("--amend")
        if message:
            words += ["-F", "-", "--cleanup=verbatim"]
        else:
            words.append("--no-edit")
        remove_anothers_message(self._dataset)
        self._git(*words, *partial, stdin=message)


def remove_anothers_message(dataset: Dataset) -> None:
    """Let git write its message file where a repository is shared: it cannot write to another user's."""
    place = os.path.join(dataset.git_dir, "COMMIT_EDITMSG")
    if os.path.exists(place) and not os.access(place, os.W_OK):
        with suppress(OSError):  # then git says why
            durable.remove(dataset.steps, place)


def _subdatasets_in(paths: list[bytes], modes: dict[bytes, str]) -> list[bytes]:
    return [path for path in paths if modes.get(path) == _SUBMODULE]


def _answers(out: bytes, paths: list[bytes]) -> list[tuple[bytes, bytes]]:
    """What git-annex answered about each path: one line each, an empty one where nothing had to be done.

    Its JSON cannot spell names that are not UTF-8, so that they are known by their place. Where it says more (a
    file in conflict is added once for each side) each line names its file.
    """
    lines = out.split(b"\n")[:-1]
    if len(lines) == len(paths):
        return [(path, line) for path, line in zip(paths, lines, strict=True) if line]
    told = [(line, json.loads(line.decode("utf-8", "replace"))) for line in lines if line]
    return [(os.fsencode(str(record.get("file") or "")), line) for line, record in told]
