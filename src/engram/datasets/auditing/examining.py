"""Examine files: is the content here, is it whole, does the log know, do enough others hold it. Changes nothing.

Source: git-annex-fsck(1); what is checked, from runs of git-annex 10.
"""

import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from engram.datasets.annex.backends import digest_of, new_hasher, verifies
from engram.datasets.annex.facts import key_size
from engram.datasets.annex.hashdirs import log_path, object_path, object_path_lower
from engram.datasets.annex.inventory import set_aside
from engram.datasets.annex.logs import SEMITRUSTED, TRUSTED, said_at_s
from engram.datasets.annex.pointers import MAX_POINTER_BYTES, key_in, link_of, link_to
from engram.datasets.annex.verification import Check
from engram.datasets.annexed import AnnexedFile, files_and_links
from engram.datasets.auditing.examined import Condition, Examined, Sound
from engram.datasets.auditing.glance import LARGE_BYTES, READ, WRITE_BITS, Glance
from engram.datasets.dataset import Dataset
from engram.datasets.git.index import GitIndex
from engram.datasets.whereabouts import Whereabouts
from engram.model.errors import ChecksumMismatch, Unreadable

if TYPE_CHECKING:
    from concurrent.futures import Future

#: Backends whose keys promise nothing about the bytes but, perhaps, their number.
_NO_DIGEST = ("WORM", "URL")
_TELL_EVERY = 64
#: How far a log may be ahead of the clock: its times are whole seconds, and never twice the same.
_CLOCKS_S = 2
_One = TypeVar("_One")


_ABSENT: Final = Condition()
_SOUND: Final = Condition()
_WRONG: Final = "its bytes are not those that its key was made from"


class Examiner:
    """Examines the files of one dataset.

    Args:
        full: hold the bytes of each content against its key.
        advance: told of bytes (when *full*), or of files, as they are through.
        jobs: how many large contents are hashed at once.
    """

    def __init__(
        self, dataset: Dataset, whereabouts: Whereabouts, *, full: bool, advance: Callable[[int], None], jobs: int
    ) -> None:
        self._dataset = dataset
        self._whereabouts = whereabouts
        self._full = full
        self._advance = advance
        self._jobs = jobs
        self._git_dir = os.fsencode(dataset.git_dir)
        self._top = os.fsencode(dataset.work_tree) + b"/"
        self._here = dataset.annex_uuid.encode()
        self._conditions: dict[bytes, Condition] = {}
        #: Keys of files that were seen to be sound, with the sizes of their contents.
        self._sound: dict[bytes, int] = {}
        #: Keys whose contents are read afterwards.
        self._waiting: set[bytes] = set()
        self._counted: dict[tuple[bytes, ...], tuple[bool, int]] = {}
        self._aside = set_aside(self._git_dir)
        self._here_counts = self._counts(self._here)
        self._glance = Glance(self._git_dir, whereabouts, self._count, here_counts=self._here_counts)
        self._stopped = False
        #: Files, or bytes, that are through and of which nobody was told.
        self._through = 0
        self._steps = 0

    def files(
        self, index: GitIndex, scopes: Sequence[bytes], *, begin: Callable[[list[bytes]], None]
    ) -> Iterator[Examined | Sound]:
        """Every annexed file below *scopes*: those with large contents last, otherwise in the order of the index.

        Args:
            begin: told of the keys of all of them, before the first is looked at.
        """
        waiting = list(files_and_links(self._dataset, index, scopes))
        keys = [file.key for file, _ in waiting]
        self._whereabouts.prefetch(keys)
        begin(keys)
        large: list[tuple[tuple[AnnexedFile, bytes], bytes, Condition]] = []
        seen, glance = self._sound, self._glance.sound
        for one in waiting:
            file, target = one
            if self._full and file.key not in seen and (sound := glance(file, target)) is not None:
                seen[file.key] = sound.size_bytes
                self._is_through(sound.size_bytes)
                yield sound
            elif (found := self._at_once(one, file.key, large)) is not None:
                yield self._examined(index, file, target, found)
        for (file, target), condition in self._afterwards(large):
            yield self._examined(index, file, target, condition)

    def keys(self, keys: Iterable[bytes]) -> Iterator[Examined]:
        """Every one of *keys*, whichever files they belong to."""
        waiting = list(keys)
        self._whereabouts.prefetch(waiting)
        wanted = self._whereabouts.numcopies(b"")
        large: list[tuple[bytes, bytes, Condition]] = []
        for key in waiting:
            if (found := self._at_once(key, key, large)) is not None:
                yield self._examined_key(key, found, wanted)
        for key, condition in self._afterwards(large):
            yield self._examined_key(key, condition, wanted)

    # --- one file

    def _examined(self, index: GitIndex, file: AnnexedFile, target: bytes, condition: Condition) -> Examined:
        logged, copies, unknown = self._holders(file.key, condition)
        wanted = self._whereabouts.numcopies(file.path)
        aside = self._was_aside(file.key, condition)
        link, pointer, damage = b"", False, ""
        if file.locked:
            leads_there = link_to(file.path, condition.place[len(self._git_dir) + 1 :])
            if target and target != leads_there and key_in(target) == file.key:
                right = link_of(file.path, file.key)
                link = right if target != right else b""
        else:
            pointer, damage = self._unlocked(index, file, condition)
        return Examined(file, file.key, condition, logged, unknown, copies, wanted, aside, link, pointer, damage)

    def _examined_key(self, key: bytes, condition: Condition, wanted: int) -> Examined:
        logged, copies, unknown = self._holders(key, condition)
        return Examined(None, key, condition, logged, unknown, copies, wanted, self._was_aside(key, condition))

    def _holders(self, key: bytes, condition: Condition) -> tuple[bool, int, bool]:
        """Whether the log says that *key* is here; how many copies count; whether no log was ever written."""
        held = self._whereabouts.holders(key)
        logged, elsewhere = self._count(held)
        copies = elsewhere + (self._here_counts and condition.is_here)
        return logged, copies, not held and not self._whereabouts.is_known(key)

    def _count(self, held: tuple[bytes, ...]) -> tuple[bool, int]:
        """Whether this repository is among the holders of a content, and how many of the others count."""
        known = self._counted.get(held)
        if known is None:
            elsewhere = sum(uuid != self._here and self._counts(uuid) for uuid in held)
            known = self._counted[held] = self._here in held, elsewhere
        return known

    def _was_aside(self, key: bytes, condition: Condition) -> bool:
        """Whether it is missing since a check set it aside, and was not got and dropped again afterwards."""
        if not self._aside or condition.place or key not in self._aside:
            return False
        said_s = said_at_s(self._whereabouts.log(log_path(key)), self._here)
        try:
            return said_s is None or said_s <= os.lstat(self._aside[key]).st_ctime + _CLOCKS_S
        except FileNotFoundError:  # git-annex forgets it as soon as the content is here again
            return False

    def _counts(self, uuid: bytes) -> bool:
        return self._whereabouts.trust_of(uuid) in (TRUSTED, SEMITRUSTED)

    def _unlocked(self, index: GitIndex, file: AnnexedFile, condition: Condition) -> tuple[bool, str]:
        """Whether a pointer stands for content that is here; what is wrong with content that nobody wrote to."""
        place = self._top + file.path
        try:
            status = os.lstat(place)
        except OSError:
            return False, ""
        if not stat.S_ISREG(status.st_mode):
            return False, ""
        if status.st_size <= MAX_POINTER_BYTES and condition.is_here and _pointer_at(place) == file.key:
            return True, ""
        rules = self._dataset.stat_rules
        untouched = index.stat_matches(file.position, status, rules) and not index.is_racy(file.position)
        if not (self._full and untouched and verifies(_backend(file.key))) or _pointer_at(place) == file.key:
            return False, ""
        found = self._verified(file.key, place, status.st_size)
        return False, found.damage

    # --- contents

    def _at_once(self, one: _One, key: bytes, large: list[tuple[_One, bytes, Condition]]) -> Condition | None:
        """The condition of a content; ``None`` when it takes long to read: then what it is about waits in *large*."""
        known = self._conditions.get(key)
        if known is None and key in self._sound:
            known = self._conditions[key] = Condition(self._git_dir + b"/" + object_path(key), self._sound[key])
        if known is None:
            known = self._look(key)
            if key in self._waiting or (self._is_to_be_read(known) and known.size_bytes >= LARGE_BYTES):
                self._waiting.add(key)
                large.append((one, key, known))
                return None
            known = self._conditions[key] = self._read(key, known)
            if self._full:
                self._is_through(known.size_bytes)
        if not self._full:
            self._is_through(1)
        return known

    def _afterwards(self, large: list[tuple[_One, bytes, Condition]]) -> Iterator[tuple[_One, Condition]]:
        """Each of those that waited with its condition."""
        self._advance(self._through)
        if large:
            yield from self._in_threads(large)

    def _is_through(self, count: int) -> None:
        """Tell of progress, now and then."""
        self._through += count
        self._steps += 1
        if not self._steps % _TELL_EVERY:
            self._advance(self._through)
            self._through = 0

    def _look(self, key: bytes) -> Condition:
        """Where the content lies, how large it is, and whether it is protected."""
        place = self._git_dir + b"/" + object_path(key)
        try:
            try:
                status = os.lstat(place)
            except (FileNotFoundError, NotADirectoryError):
                place = self._git_dir + b"/" + object_path_lower(key)
                status = os.lstat(place)
            folder = os.lstat(place[: place.rindex(b"/")])
        except (FileNotFoundError, NotADirectoryError):
            return _ABSENT
        except OSError as error:
            return Condition(place, unread=os.strerror(error.errno or 0))
        if not stat.S_ISREG(status.st_mode):
            return Condition(place, unread="no regular file lies in its place")
        size, promised = status.st_size, key_size(key)
        damage = "" if promised in (None, size) else f"it has {size} bytes where {promised} belong"
        loose = bool((status.st_mode | folder.st_mode) & WRITE_BITS)
        return Condition(place, size, damage, loose=loose)

    def _is_to_be_read(self, looked: Condition) -> bool:
        return self._full and bool(looked.place) and not looked.damage and not looked.unread

    def _read(self, key: bytes, looked: Condition) -> Condition:
        """The same, with its bytes held against its key where that is wanted."""
        if not self._is_to_be_read(looked):
            return looked
        backend = _backend(key)
        if not verifies(backend):
            return looked._replace(for_annex=backend not in _NO_DIGEST)
        found = self._verified(key, looked.place, looked.size_bytes)
        return looked if found is _SOUND else looked._replace(damage=found.damage, unread=found.unread)

    def _verified(self, key: bytes, place: bytes, size: int) -> Condition:
        """What is wrong with the bytes of a file; `_SOUND` when nothing is."""
        try:
            descriptor = os.open(place, READ)
        except OSError as error:
            return Condition(unread=os.strerror(error.errno or 0))
        try:
            if size < LARGE_BYTES:
                data = os.pread(descriptor, size + 1, 0)
                hasher = new_hasher(_backend(key))
                hasher.update(data)
                return _SOUND if hasher.hexdigest() == digest_of(key) else Condition(damage=_WRONG)
            Check(key, "here").whole(descriptor, place, size, self._has_read)
            return _SOUND
        except OSError as error:
            return Condition(unread=os.strerror(error.errno or 0))
        except Unreadable as error:
            return Condition(unread=error.reason)
        except ChecksumMismatch:
            return Condition(damage=_WRONG)
        finally:
            os.close(descriptor)

    def _has_read(self, count: int) -> None:
        if self._stopped:
            raise Unreadable("", "reading was interrupted")
        self._advance(count)

    def _in_threads(self, large: list[tuple[_One, bytes, Condition]]) -> Iterator[tuple[_One, Condition]]:
        from concurrent.futures import ThreadPoolExecutor  # late: few datasets have large files

        ahead: deque[tuple[_One, bytes, Future[Condition] | None]] = deque()
        begun: set[bytes] = set()
        with ThreadPoolExecutor(max_workers=self._jobs) as pool:
            try:
                for one, key, looked in large:
                    ahead.append((one, key, None if key in begun else pool.submit(self._read, key, looked)))
                    begun.add(key)
                    if len(ahead) > self._jobs:
                        yield self._finished(*ahead.popleft())
                while ahead:
                    yield self._finished(*ahead.popleft())
            finally:
                self._stopped = True
                for _, _, future in ahead:
                    if future is not None:
                        future.cancel()

    def _finished(self, one: _One, key: bytes, future: "Future[Condition] | None") -> tuple[_One, Condition]:
        if future is not None:
            self._conditions[key] = future.result()
        return one, self._conditions[key]


def _backend(key: bytes) -> str:
    return os.fsdecode(key.partition(b"-")[0])


def _pointer_at(place: bytes) -> bytes | None:
    """The key that a pointer file names, ``None`` for any other file."""
    try:
        with open(place, "rb") as file:
            return key_in(file.read(MAX_POINTER_BYTES + 1))
    except OSError:
        return None
