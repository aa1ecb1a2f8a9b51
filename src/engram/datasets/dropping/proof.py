"""How many copies of a content are proven: looked at in the siblings on this machine, and locked there.

What a log claims is no proof, nor what a sibling says of itself. A copy counts when it lies in a repository that the
dataset knows by its UUID, that nobody distrusts, in a folder that is not our own by another name; when it is a regular
file of the size that its key names; and while its lock is held, so that nobody else drops it. Whatever only git-annex
could prove (other machines, special remotes, old repositories) is told as such.

Source: git-annex-drop(1), git-annex-trust(1), git-annex-numcopies(1); runs of git-annex 10.20261026.
"""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field

from engram import durable
from engram.datasets.annex.content_lock import ContentLock, let_go, lock_shared
from engram.datasets.annex.facts import key_size
from engram.datasets.annex.hashdirs import object_path, object_path_lower
from engram.datasets.annex.logs import DEAD_REPOSITORY, TRUSTED, UNTRUSTED
from engram.datasets.annex.verification import Check
from engram.datasets.copies import BITTORRENT, WEB
from engram.datasets.dataset import Dataset
from engram.datasets.dropping.droppable import Content, Identity
from engram.datasets.siblings import OpenSibling, Sibling, SiblingGone, open_sibling, siblings_of
from engram.datasets.whereabouts import Whereabouts
from engram.durable import Steps
from engram.model.errors import ChecksumMismatch, Unreadable

_OBJECTS = b"/annex/objects/"
_WRITE_BITS = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
#: From this version of a repository on ``KEY.lck`` is the lock of an object.
_LOCK_FILES_SINCE = 10


@dataclass(slots=True)
class Proof:
    """What is proven about one content."""

    #: Names of the siblings whose copy was looked at, and counts.
    siblings: list[str] = field(default_factory=list)
    #: The locks on these copies; none after a mere look.
    locks: list[ContentLock] = field(default_factory=list)
    #: git-annex may know how to prove more.
    elsewhere: bool = False
    #: Siblings whose claim to hold it turned out wrong, and how.
    refuted: dict[str, str] = field(default_factory=dict)

    def release(self, steps: Steps) -> None:
        """Let go of the copies."""
        while self.locks:
            let_go(steps, self.locks.pop())


class Witnesses:
    """The siblings of a dataset, as far as they can vouch for copies."""

    def __init__(self, dataset: Dataset, whereabouts: Whereabouts) -> None:
        self._steps = dataset.steps
        self._whereabouts = whereabouts
        self._own_uuid = dataset.annex_uuid.encode()
        self._own_objects = _stat_of(os.path.join(dataset.git_dir, "annex", "objects"))
        #: On this machine, by UUID.
        self._near: dict[bytes, OpenSibling] = {}
        #: UUIDs of those that git-annex has to ask.
        self._far: set[bytes] = {WEB, BITTORRENT}
        #: A repository that nobody ever looked at may hold anything.
        self._unknown = False
        #: Siblings that are not what the dataset takes them for: git-annex is told to pass them over, too.
        self.impostors: dict[str, str] = {}
        for sibling in siblings_of(dataset):
            self._sort_in(sibling)

    def _sort_in(self, sibling: Sibling) -> None:
        uuid = sibling.uuid.encode()
        if sibling.ignored or (uuid and not self._may_count(uuid)):
            return
        if not uuid or sibling.speculated:
            self._unknown = self._unknown or bool(sibling.url) or sibling.speculated
            return
        if not sibling.place:
            self._far.add(uuid)
            return
        try:
            opened = open_sibling(sibling)
        except SiblingGone as gone:
            if os.path.isdir(sibling.place):
                self.impostors[sibling.name] = gone.why
            return
        objects = _stat_of(os.path.join(opened.git_dir, b"annex", b"objects"))
        if objects is not None and self._own_objects is not None and os.path.samestat(objects, self._own_objects):
            self.impostors[sibling.name] = "keeps its contents in this very dataset"
        elif sibling.reason or opened.version != _LOCK_FILES_SINCE or opened.pidlock or opened.thin:
            self._far.add(uuid)
        else:
            self._near[uuid] = opened

    @property
    def count(self) -> int:
        """How many siblings can vouch at once."""
        return len(self._near)

    def _may_count(self, uuid: bytes) -> bool:
        return uuid != self._own_uuid and self._whereabouts.trust_of(uuid) not in (UNTRUSTED, DEAD_REPOSITORY)

    def lock(self, content: Content, needed: int) -> Proof:
        """Look for *needed* copies of a content, and lock them; the caller releases the proof."""
        return self._prove(content, needed, hold=True)

    def look(self, content: Content, needed: int) -> Proof:
        """The same for a plan: nothing is locked."""
        return self._prove(content, needed, hold=False)

    def _prove(self, content: Content, needed: int, *, hold: bool) -> Proof:
        proof = Proof(elsewhere=self._unknown)
        counted: set[Identity] = set()
        for uuid in self._whereabouts.holders(content.key):
            if len(counted) >= needed:
                break
            near = self._near.get(uuid)
            if near is not None:
                self._ask(near, content, counted, proof, hold=hold)
            elif uuid in self._far or (uuid != self._own_uuid and self._whereabouts.trust_of(uuid) == TRUSTED):
                proof.elsewhere = True
        return proof

    def _ask(self, sibling: OpenSibling, content: Content, counted: set[Identity], proof: Proof, *, hold: bool) -> None:
        place = _place_in(sibling, content)
        lock = lock_shared(self._steps, place) if place and hold else None
        problem, identity = _look(place, content)
        if not problem and identity in counted:
            problem = "holds the same file as another sibling"
        if not problem and hold and lock is None:
            problem = "does not let its copy be locked, or drops it just now"
        if not problem:
            counted.add(identity)
            proof.siblings.append(sibling.name)
            proof.locks += [lock] if lock is not None else []
            return
        proof.refuted[sibling.name] = problem
        if lock is not None:
            let_go(self._steps, lock)


def sync_copies(steps: Steps, proofs: Iterable[Proof]) -> None:
    """Bring the proven copies to the disk: one that a power cut could still take is none."""
    places: dict[int, bytes] = {}
    for lock in (lock for proof in proofs for lock in proof.locks):
        places.setdefault(lock.device, lock.folder)
    for place in places.values():
        durable.sync_file_system(steps, place)


def _place_in(sibling: OpenSibling, content: Content) -> bytes:
    """Where a sibling keeps a content, if it does; b"" where it has not even a folder for it."""
    place = sibling.git_dir + content.place[content.place.rindex(_OBJECTS) :]
    if not sibling.bare and _has_folder(place):  # sorted into the same folders: the same place
        return place
    for layout in (object_path_lower, object_path):
        place = sibling.git_dir + b"/" + layout(content.key)
        if _has_folder(place):
            return place
    return b""


def _has_folder(place: bytes) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(place[: place.rindex(b"/")]).st_mode)
    except OSError:
        return False


def _look(place: bytes, content: Content) -> tuple[str, Identity]:
    """Why the object at *place* is no copy of its own, '' if it is one; and which file it is."""
    try:
        status = os.lstat(place)
    except OSError:
        return "does not hold it, whatever the log says", (0, 0)
    identity = status.st_dev, status.st_ino
    if not stat.S_ISREG(status.st_mode):
        return "holds a link in its place", identity
    if identity == content.identity and os.path.samestat(
        os.stat(os.path.dirname(place)), os.stat(os.path.dirname(content.place))
    ):
        return "keeps it in this very dataset", identity
    size = key_size(content.key)
    if size is not None and status.st_size != size:
        return f"holds {status.st_size} bytes where {size} belong", identity
    if status.st_nlink > 1 and status.st_mode & _WRITE_BITS and not _is_what_it_is_called(place, content.key):
        return "holds something else, which was written into a file of its work tree", identity
    return "", identity


def _is_what_it_is_called(place: bytes, key: bytes) -> bool:
    """Whether an object that somebody may write to under another name (``annex.thin``) is still what it was."""
    try:
        with open(place, "rb", buffering=0) as file:
            Check(key, "").whole(file.fileno(), place, os.fstat(file.fileno()).st_size, lambda _: None)
    except (ChecksumMismatch, Unreadable, OSError):
        return False
    return True


def _stat_of(place: "str | bytes") -> os.stat_result | None:
    try:
        return os.stat(place)
    except OSError:
        return None
