"""Remove contents that others are proven to hold.

The order, for as many at once as can be locked: each own object is locked against everybody; the copies that count as
proof are looked at and locked, so that nobody drops those meanwhile; they are brought to the disk; the location log
says, durably, that this dataset holds the contents no more; only then the objects are removed. So nobody ever reads
of a copy that is gone, and of two who drop the same content from two clones never both succeed.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from engram import durable
from engram.datasets.annex.content_lock import (
    RETENTION,
    ContentLock,
    let_go,
    lock_alone,
    remove_content,
    remove_if_empty,
    room_for_locks,
)
from engram.datasets.dataset import Dataset
from engram.datasets.dropping.droppable import Content, Needed
from engram.datasets.dropping.little_room import most_at_once
from engram.datasets.dropping.proof import Proof, Witnesses, sync_copies
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.logbook import note_presence
from engram.datasets.whereabouts import Whereabouts

#: Locks held at once: for that many engram asks the system to open files.
_MOST_LOCKS = 32_000


@dataclass(slots=True)
class Fate:
    """What became of one content."""

    content: Content
    gone: bool = False
    proof: Proof = field(default_factory=Proof)
    #: How many copies had to be proven.
    needed: int = 0
    #: Why it could not be removed, though enough others hold it; '' otherwise.
    problem: str = ""
    #: Only git-annex can tell whether it may be dropped.
    for_annex: bool = False


class _Held(NamedTuple):
    """A content whose own object is locked, and so are the copies that prove it may go."""

    fate: Fate
    lock: ContentLock


class Remover:
    """Removes contents from one dataset. Needs `only_engram`.

    Args:
        asks: whether others must be proven to hold a content before it goes.
    """

    def __init__(self, dataset: Dataset, whereabouts: Whereabouts, *, asks: bool, clock: Callable[[], float]) -> None:
        self._dataset = dataset
        self._steps = dataset.steps
        self._asks = asks
        self._clock = clock
        self._needed = Needed(whereabouts)
        self.witnesses = Witnesses(dataset, whereabouts)

    def foresee(self, content: Content) -> Fate:
        """What would become of a content. Changes nothing."""
        fate = Fate(content, needed=self._needed.of(content) if self._asks else 0)
        if self._is_beyond_us(content):
            fate.for_annex = True
            return fate
        if fate.needed:
            fate.proof = self.witnesses.look(content, fate.needed)
        fate.gone = len(fate.proof.siblings) >= fate.needed
        fate.for_annex = not fate.gone and fate.proof.elsewhere
        return fate

    def remove(self, contents: Iterable[Content]) -> Iterator[Fate]:
        """Remove what may go; the fate of each comes once it is final. What is not here any more has none."""
        held: list[_Held] = []
        locks = 0
        with room_for_locks(_MOST_LOCKS) as most:
            try:
                at_once = most_at_once(self._dataset)
                for content in contents:
                    found = self._hold(content)
                    if isinstance(found, Fate):
                        yield found
                    elif found is not None:
                        held.append(found)
                        locks += 1 + len(found.fate.proof.locks)
                    if locks + 1 + self.witnesses.count >= most or len(held) >= at_once:
                        batch, held, locks = held, [], 0
                        yield from self._finish(batch)
                        at_once = most_at_once(self._dataset)
                batch, held = held, []
                yield from self._finish(batch)
            finally:
                self._let_go(held)

    def _hold(self, content: Content) -> "_Held | Fate | None":
        """The content and its copies, locked; or why it is not dropped; ``None`` when it is not here any more."""
        fate = Fate(content)
        if self._is_beyond_us(content):
            fate.for_annex = True
            return fate
        try:
            lock = lock_alone(self._steps, content.place)
        except FileNotFoundError:
            return None
        except OSError as error:
            fate.problem = f"it may not be changed ({error.strerror})"
            return fate
        if lock is None:
            fate.problem = "somebody else uses it just now"
            return fate
        return self._prove(fate, lock)

    def _prove(self, fate: Fate, lock: ContentLock) -> "_Held | Fate":
        content = fate.content
        enough = False
        try:
            if self._asks:
                fate.needed = self._needed.of(content)
                fate.proof = self.witnesses.lock(content, fate.needed)
            enough = len(fate.proof.siblings) >= fate.needed
        finally:
            if not enough:
                self._let_go([_Held(fate, lock)])
        fate.for_annex = not enough and fate.proof.elsewhere
        return _Held(fate, lock) if enough else fate

    def _is_beyond_us(self, content: Content) -> bool:
        return content.unlocked or os.access(content.place + RETENTION, os.F_OK)

    def _let_go(self, held: Iterable[_Held]) -> None:
        for one in held:
            one.fate.proof.release(self._steps)
            let_go(self._steps, one.lock)

    def _finish(self, held: list[_Held]) -> list[Fate]:
        """Log that these contents are gone, then remove them."""
        if not held:
            return []
        left = {one.fate.content.key: one for one in held}
        try:
            sync_copies(self._steps, (one.fate.proof for one in held))
            try:
                note_presence(self._dataset, dict.fromkeys(left, False), now_s=self._clock())
            except NotUnderstood:
                for one in held:
                    one.fate.for_annex = True
            else:
                for one in held:
                    self._remove(one, left)
                for folder in {one.lock.folder.rsplit(b"/", 2)[0] for one in held}:
                    remove_if_empty(self._steps, folder)
                durable.sync_file_system(self._steps, os.path.join(self._dataset.git_dir, "annex"))
        finally:
            self._set_right(left)
        return [one.fate for one in held]

    def _remove(self, one: _Held, left: dict[bytes, _Held]) -> None:
        content = one.fate.content
        try:
            remove_content(self._steps, one.lock)
            one.fate.gone = True
        except FileNotFoundError:  # somebody else was faster; the log is right
            one.fate.gone = True
        except OSError as error:
            one.fate.problem = f"it cannot be removed ({error.strerror})"
        finally:
            if one.fate.gone or not os.path.lexists(content.place):
                del left[content.key]
                one.fate.proof.release(self._steps)

    def _set_right(self, left: dict[bytes, _Held]) -> None:
        """Log that what was not removed after all is still here, and let go of it."""
        here = [key for key, one in left.items() if not one.fate.for_annex]
        try:
            if here:
                note_presence(self._dataset, dict.fromkeys(here, True), now_s=self._clock())
        finally:
            self._let_go(left.values())
