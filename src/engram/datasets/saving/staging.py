"""Put entries into git's index, and nothing else: no commit."""

from collections.abc import Mapping

from engram.datasets.dataset import Dataset
from engram.datasets.git.index import Entry, GitIndex
from engram.datasets.git.index_write import complete_changes, write_index
from engram.datasets.locks import index_lock
from engram.model.errors import MovedMeanwhile

_TRIES = 5


def refresh_entries(dataset: Dataset, index: GitIndex, entries: Mapping[bytes, Entry]) -> None:
    """Note new properties of files whose content, as git sees it, stays the same.

    What somebody else staged for a path meanwhile stays. Raises `MovedMeanwhile` when the index keeps changing.
    """
    for _ in range(_TRIES):
        index = dataset.index_again(index)
        same = {path: entry for path, entry in entries.items() if _is_still(index, entry)}
        if not same:
            return
        content = write_index(index, complete_changes(index, same), index.cache_tree)
        lock = index_lock(dataset.steps, dataset.git_dir)
        lock.take()
        try:
            if dataset.index_again(index) is index:
                lock.put_in_place(content)
                return
        finally:
            lock.release()
    raise MovedMeanwhile("The index")


def _is_still(index: GitIndex, entry: Entry) -> bool:
    position = index.find(entry.path)
    return position is not None and index.oid(position) == entry.oid
