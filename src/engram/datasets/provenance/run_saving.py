"""Save what a command left, with its record, in a dataset and in those below it.

Commits that the command made itself are kept: the record becomes a merge of what was before with what it made, so that
the first parents of a history are the steps that were recorded. Source: runs of DataLad 1.7.1.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from engram.datasets.dataset import Dataset, open_dataset
from engram.datasets.git.ancestry import is_ancestor
from engram.datasets.git.objects import COMMIT, Commit, encode_commit, object_id
from engram.datasets.locks import only_engram
from engram.datasets.nesting import installed
from engram.datasets.new_objects import NewObjects
from engram.datasets.provenance.preparing import by_dataset
from engram.datasets.provenance.run_state import Heads, is_changed
from engram.datasets.records import Made, Reporter
from engram.datasets.saving.save import Saver
from engram.datasets.saving.survey import SaveRequest
from engram.model.errors import ItemFailed, MovedMeanwhile
from engram.model.outcome import Outcome
from engram.model.progress import Progress, Silent

#: DataLad's message for what the command left uncommitted beside its own commits.
REMAINING = "Remaining changes after command execution"
#: How often to begin anew when somebody else moves the branch at the same moment.
_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveWish:
    """What is to be saved after a command."""

    message: str
    before: Heads
    #: Datasets in which the command committed itself; absolute.
    moved: frozenset[str] = frozenset()
    #: Absolute paths; ``None`` for everything.
    places: Sequence[str] | None = None
    jobs: int = 0
    backend: str = ""


class RunSaving:
    """Saves the results of one command."""

    def __init__(
        self,
        dataset: Dataset,
        wish: SaveWish,
        *,
        clock: Callable[[], float] = time.time,
        progress: Progress | None = None,
    ) -> None:
        self._dataset = dataset
        self._wish = wish
        self._clock = clock
        self._progress = progress or Silent()
        self._merged: list[str] = []

    def carry_out(self) -> Iterator[Outcome]:
        """Do it, the deepest dataset first."""
        for one, scopes in self._parts():
            merges = self._merges(one)
            message = REMAINING if merges else self._wish.message
            request = SaveRequest(
                scopes=scopes,
                message=message,
                jobs=self._wish.jobs,
                backend=self._wish.backend,
                refds=self._dataset.work_tree,
            )
            head = one.head_commit()
            for outcome in Saver(one, request, clock=self._clock, progress=self._progress).carry_out():
                if outcome.action != "save" or outcome.failed:
                    yield outcome
            if merges and (problem := self._merge(one)):
                yield problem
                continue
            if not merges and one.work_tree in self._wish.moved and one.head_commit() == head:
                self._commit_nothing(one)
            made = Made(head, open_dataset(one.work_tree, one.around).head_commit())
            if made.before != made.after or one is self._dataset:
                yield Reporter(one, refds=self._dataset.work_tree).saved(made)

    def _parts(self) -> Iterator[tuple[Dataset, tuple[bytes, ...]]]:
        """Each dataset that may have something to save, and the paths in it that are meant."""
        if self._wish.places is None:
            for one in installed(self._dataset):
                if is_changed(one) or self._merges(one):
                    yield one, (b"",)
            yield self._dataset, (b"",)
            return
        meant = {
            one.work_tree: (one, dict.fromkeys(scopes)) for one, scopes in by_dataset(self._dataset, self._wish.places)
        }
        meant.setdefault(self._dataset.work_tree, (self._dataset, {}))
        for place in sorted(meant, reverse=True):
            self._add_those_above(meant, place)
        for place in sorted(meant, reverse=True):
            one, scopes = meant[place]
            if scopes:
                yield one, tuple(scopes)

    def _add_those_above(self, meant: dict[str, tuple[Dataset, dict[bytes, None]]], place: str) -> None:
        """A subdataset's new commit is recorded in each dataset above it, up to the one that the command ran in."""
        while place != self._dataset.work_tree:
            above = open_dataset(os.path.dirname(place), self._dataset.around)
            _, scopes = meant.setdefault(above.work_tree, (above, {}))
            scopes[above.relative(place)] = None
            place = above.work_tree

    def _merges(self, one: Dataset) -> bool:
        before = self._wish.before.commits.get(one.work_tree)
        if before is None or not before:
            return False
        below = any(os.path.dirname(place).startswith(one.work_tree) for place in self._merged)
        return (below or one.work_tree in self._wish.moved) and not _is_adjusted(one)

    def _commit_nothing(self, one: Dataset) -> None:
        """Keep the record where no merge can be made: git-annex takes a plain commit over from an adjusted branch."""
        message = self._wish.message.encode("utf-8", "surrogateescape")
        one.programs.git(one.work_tree, "commit", "-q", "--allow-empty", "-F", "-", stdin=message, hooks=True)
        one.sync_refs()

    def _merge(self, one: Dataset) -> Outcome | None:
        """Make the record a merge of what was before with what is now.

        Raises `MovedMeanwhile` when somebody else keeps moving the branch under us.
        """
        for tries_left in range(_TRIES, 0, -1):
            with only_engram(one.steps, one.git_dir):
                dataset = open_dataset(one.work_tree, one.around)
                try:
                    return self._merge_now(dataset, self._wish.before.commits[one.work_tree], dataset.head_commit())
                except MovedMeanwhile:
                    if tries_left == 1:
                        raise
        return None

    def _merge_now(self, dataset: Dataset, before: str, now: str) -> Outcome | None:
        if not now or not is_ancestor(dataset.objects, bytes.fromhex(before), bytes.fromhex(now)):
            problem = ItemFailed(dataset.work_tree, f"the command left the history that led to {before[:7]}")
            return Reporter(dataset, refds=self._dataset.work_tree).failed("save", problem)
        now_s = self._clock()
        commit = Commit(
            tree=dataset.tree_of(now),
            parents=(bytes.fromhex(before), bytes.fromhex(now)),
            author=dataset.identity("author", now_s=now_s),
            committer=dataset.identity("committer", now_s=now_s),
            message=self._wish.message.encode("utf-8", "surrogateescape"),
        )
        data = encode_commit(commit)
        oid = object_id(COMMIT, data)
        new = NewObjects(dataset.steps, dataset.objects, os.path.join(dataset.repository.common_dir, b"objects"))
        new.put(COMMIT, data, oid)
        new.store()
        subject = self._wish.message.partition("\n")[0]
        dataset.update_refs(f"start\nupdate HEAD {oid.hex()} {now}\ncommit\n", reason=f"commit (merge): {subject}")
        self._merged.append(dataset.work_tree)
        return None


def _is_adjusted(dataset: Dataset) -> bool:
    return dataset.head_name().startswith("refs/heads/adjusted/")
