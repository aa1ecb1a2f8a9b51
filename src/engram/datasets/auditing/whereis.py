"""Whereis: which repositories hold the content of each file, as every clone has told.

Nothing is asked of other repositories: it is what they said when they were last heard of.

Source: git-annex-whereis(1); which copies count, from runs of git-annex 10.
"""

import os
from collections.abc import Iterable, Iterator, Sequence

from engram.datasets.annex.facts import key_size
from engram.datasets.annexed import annexed_files
from engram.datasets.copies import Copies
from engram.datasets.dataset import Dataset
from engram.datasets.whereabouts import Whereabouts
from engram.model.copies import CopiesOutcome, Copy
from engram.model.errors import ItemFailed, NoCopy
from engram.model.outcome import DatasetOutcome, Outcome, Status
from engram.model.records import record

ACTION = "whereis"


@record(eq=False)
class WhereisRequest:
    """What is asked about."""

    #: Paths relative to the top; ``(b"",)`` for everything.
    scopes: tuple[bytes, ...] = (b"",)
    #: These keys instead of files.
    keys: tuple[bytes, ...] = ()
    #: Every key that anybody ever had instead of files.
    all_keys: bool = False


class WhereisReader:
    """One whereis in one dataset. Starts no program but ``git ls-tree``, and that for many files only."""

    def __init__(self, dataset: Dataset, request: WhereisRequest, *, refds: str = "") -> None:
        self._dataset = dataset
        self._request = request
        self._top = dataset.work_tree
        self._refds = refds or dataset.work_tree
        #: What paths of this dataset begin with, as seen from that one.
        self._beside = "" if self._refds == self._top else os.path.relpath(self._top, self._refds) + "/"
        self._whereabouts = Whereabouts(dataset)
        self._copies = Copies(dataset, self._whereabouts)

    def read(self) -> Iterator[Outcome]:
        """One outcome for each file, in the order of the index, or for each key."""
        request = self._request
        if request.keys or request.all_keys:
            keys = [*request.keys, *(self._living() if request.all_keys else ())]
            self._whereabouts.prefetch(keys)
            for key in dict.fromkeys(keys):
                yield self._outcome(key, os.fsdecode(key), self._top, "key")
            return
        index = self._dataset.read_index()
        files = list(annexed_files(self._dataset, index, request.scopes))
        self._whereabouts.prefetch([file.key for file in files])
        for path, key, _, _ in files:
            name = os.fsdecode(path)
            yield self._outcome(key, self._beside + name, f"{self._top}/{name}", "file")
        yield from self._without_key(request.scopes, {file.path for file in files}, index.paths)

    def _living(self) -> Iterator[bytes]:
        return (key for key in self._whereabouts.known_keys() if not self._whereabouts.is_dead(key))

    def _outcome(self, key: bytes, item: str, path: str, kind: str) -> CopiesOutcome:
        copies = self._copies.of(key)
        error = None if any(copy.counts for copy in copies) else NoCopy(item, no_copy(copies))
        return CopiesOutcome(
            action=ACTION,
            item=item,
            status=Status.OK if error is None else Status.ERROR,
            message="" if error is None else error.reason,
            error="" if error is None else type(error).__name__,
            remedy="" if error is None else error.next_step,
            path=path,
            type=kind,
            refds=self._refds,
            key=os.fsdecode(key),
            bytesize=key_size(key),
            copies=copies,
        )

    def _without_key(
        self, scopes: Sequence[bytes], told: Iterable[bytes], recorded: Sequence[bytes]
    ) -> Iterator[Outcome]:
        """What the user named by itself and has no key: in git, or in no version yet."""
        seen, known = set(told), set(recorded)
        for scope in scopes:
            place = os.path.join(self._top, os.fsdecode(scope))
            if not scope or scope in seen or (os.path.isdir(place) and not os.path.islink(place)):
                continue
            yield self._in_git(scope, place) if scope in known else self._untracked(scope, place)

    def _in_git(self, path: bytes, place: str) -> DatasetOutcome:
        return DatasetOutcome(
            action=ACTION,
            item=self._beside + os.fsdecode(path),
            status=Status.NOT_NEEDED,
            path=place,
            type="file",
            refds=self._refds,
            note="in git itself: every clone has it",
        )

    def _untracked(self, path: bytes, place: str) -> DatasetOutcome:
        item = self._beside + os.fsdecode(path)
        problem = ItemFailed(item, "it is in no version of the dataset yet, so that nobody else has it")
        return DatasetOutcome(
            action=ACTION,
            item=item,
            status=Status.IMPOSSIBLE,
            path=place,
            type="file",
            refds=self._refds,
            message=problem.reason,
            error=type(problem).__name__,
            remedy="Record it: engram save",
        )


def no_copy(copies: Sequence[Copy]) -> str:
    """What to say of a content of which no copy counts."""
    doubtful = ", ".join(f"{copy.called} ({copy.trust})" for copy in copies)
    if doubtful:
        return f"no repository that is trusted holds its content; it may be in {doubtful}"
    return "no repository that is known holds its content"
