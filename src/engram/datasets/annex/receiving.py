"""Take content in from elsewhere: verified on the way, and without a name in the object store until it is durable.

The order, for many contents at once: each is copied aside and hashed in the same pass (or shares the other's blocks,
and is read back); what does not match its key is gone before anybody saw it; `Receiving.settle` brings all bytes to
the disk, then gives them their names, then brings the names to the disk. A crash leaves what the next call clears.

A large content grows in ``annex/tmp/KEY``, as git-annex's do, under git-annex's own lock of that transfer; a later
call, ours or git-annex's, goes on where it ended, after hashing what is there.

Source: https://git-annex.branchable.com/internals/; locks and places from runs of git-annex 10.20261026 under strace.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple

from engram import durable
from engram.datasets.annex.facts import key_size
from engram.datasets.annex.hashdirs import file_name_of, object_path, object_path_lower
from engram.datasets.annex.verification import CHUNK_BYTES, Check
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.locks import empty_own_folder
from engram.datasets.syncing import ToSync
from engram.durable import Steps
from engram.model.errors import ChecksumMismatch, StorageFailed, Unreadable

#: From this size on a content is worth resuming.
RESUMED_BYTES: Final = 64 << 20
#: From this size on sharing blocks is tried.
_SHARED_BYTES = 1 << 20
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE_BITS = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class _Waiting(NamedTuple):
    """A content that is whole, and has no name in the object store yet."""

    aside: bytes
    key: bytes


class Receiving:
    """Takes contents into the object store of one dataset. Needs `only_engram`.

    Args:
        git_dir: absolute; its ``annex/objects`` gets the content.
        hard_links: the user wants no copies where a second name does (``annex.hardlink``).
        advance: told of bytes as they come.
    """

    def __init__(
        self, steps: Steps, *, git_dir: bytes, hard_links: bool = False, advance: Callable[[int], None] | None = None
    ) -> None:
        self._steps = steps
        self._git_dir = git_dir
        self._root = git_dir + b"/"
        self._aside = os.path.join(git_dir, b"engram", b"tmp")
        self._hard_links = hard_links
        self._advance = advance or (lambda _: None)
        self._folders: set[bytes] = set()
        self._waiting: list[_Waiting] = []
        self._next_aside = 0
        self._cannot_share = False
        self._partial = _names_in(os.path.join(git_dir, b"annex", b"tmp"))

    def partial_bytes(self, key: bytes) -> int:
        """How much of a content is here already, from a transfer that broke off."""
        name = file_name_of(key)
        if name not in self._partial:
            return 0
        try:
            return os.lstat(os.path.join(self._git_dir, b"annex", b"tmp", name)).st_size
        except FileNotFoundError:
            return 0

    def clear_what_a_crash_left(self) -> None:
        """Make an empty place for contents on their way."""
        empty_own_folder(self._steps, self._aside)

    def take(self, key: bytes, place: bytes, source: str, *, uuid: str = "") -> int:
        """Copy the content of *key* from the file *place*; how many bytes it has.

        Args:
            source: what people call the place it comes from.
            uuid: what git-annex calls it.

        Raises:
            ChecksumMismatch: it is not what the key promises.
            FileNotFoundError: nothing is there.
            StorageFailed: the disk here refuses.
            Unreadable: it may not be read, or is no regular file.
        """
        descriptor = _opened(place)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise Unreadable(os.fsdecode(place), "it is no regular file")
            promised = key_size(key)
            if promised is not None and promised != status.st_size:
                raise ChecksumMismatch(os.fsdecode(key), source, f"{status.st_size} bytes")
            self._take(key, descriptor, place, status, source, uuid)
            return status.st_size
        finally:
            os.close(descriptor)

    def _take(self, key: bytes, descriptor: int, place: bytes, status: os.stat_result, source: str, uuid: str) -> None:
        check = Check(key, source)
        if self._hard_links and self._link(key, descriptor, place, status, check):
            return
        if status.st_size < _SHARED_BYTES and file_name_of(key) not in self._partial:
            self._small(key, descriptor, place, status.st_size, check)
        elif not self._share(key, descriptor, status, check):
            self._large(key, descriptor, place, status.st_size, check, uuid)

    # --- one content

    def _small(self, key: bytes, descriptor: int, place: bytes, size: int, check: Check) -> None:
        try:
            data = os.pread(descriptor, size + 1, 0)
        except OSError as error:
            raise Unreadable(os.fsdecode(place), os.strerror(error.errno or 0)) from error
        check.update(data)
        check.done(len(data), size)
        aside = self._new_aside()
        out = durable.open_new(self._steps, aside, mode=0o444)
        with self._or_removed(aside):
            try:
                durable.write_all(self._steps, out, data, aside)
            finally:
                os.close(out)
        self._is_whole(aside, key, len(data))

    def _link(self, key: bytes, descriptor: int, place: bytes, status: os.stat_result, check: Check) -> bool:
        """Make the very file ours, too, when nobody can write to it."""
        if status.st_mode & _WRITE_BITS:
            return False
        check.whole(descriptor, place, status.st_size, self._advance)
        aside = self._new_aside()
        try:
            durable.link(self._steps, place, aside)
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOENT):
                raise
            check.again()
            return False
        if not os.path.samestat(os.lstat(aside), status):
            durable.remove(self._steps, aside)
            check.again()
            return False
        self._waiting.append(_Waiting(aside, key))
        return True

    def _share(self, key: bytes, descriptor: int, status: os.stat_result, check: Check) -> bool:
        """Let the copy share the other's blocks, and read it back. False where that cannot be."""
        if self._cannot_share or file_name_of(key) in self._partial:
            return False
        aside = self._new_aside()
        out = durable.open_new(self._steps, aside, mode=0o444)
        with self._or_removed(aside):
            try:
                if not durable.clone_file(self._steps, descriptor, out, aside):
                    self._cannot_share = True
                    durable.remove(self._steps, aside)
                    return False
                check.whole(out, aside, status.st_size, self._advance)
            finally:
                os.close(out)
        self._waiting.append(_Waiting(aside, key))
        return True

    def _large(self, key: bytes, descriptor: int, place: bytes, size: int, check: Check, uuid: str) -> None:
        known = file_name_of(key) in self._partial
        with self._transfer(key, uuid, wanted=known or size >= RESUMED_BYTES) as partial:
            if partial:
                self._resume(descriptor, place, partial, size, check)
                self._settle([_Waiting(partial, key)])  # at once: what came in hours is not copied twice
                return
        aside = self._new_aside()
        out = durable.open_new(self._steps, aside, mode=0o444)
        with self._or_removed(aside):
            try:
                self._copy(descriptor, place, out, 0, aside, check)
                check.done(os.fstat(out).st_size, size)
            finally:
                os.close(out)
        self._waiting.append(_Waiting(aside, key))

    def _resume(self, descriptor: int, place: bytes, partial: bytes, size: int, check: Check) -> None:
        """Fill *partial*, which may hold the beginning already: that is hashed, too."""
        with suppress(FileNotFoundError):
            durable.change_mode(self._steps, partial, 0o644)
        out = durable.open_partial(self._steps, partial)
        try:
            if os.fstat(out).st_size > size:
                durable.truncate(self._steps, out, 0, partial)
            start = check.feed(out, partial, self._advance)
            self._copy(descriptor, place, out, start, partial, check)
            try:
                check.done(os.fstat(out).st_size, size)
            except ChecksumMismatch:
                if not start:
                    raise
                check.again()  # what was there before may have been the bad part
                durable.truncate(self._steps, out, 0, partial)
                self._copy(descriptor, place, out, 0, partial, check)
                check.done(os.fstat(out).st_size, size)
            durable.change_mode(self._steps, out, stat.S_IMODE(os.fstat(out).st_mode) & ~_WRITE_BITS, partial)
        except ChecksumMismatch:
            durable.remove(self._steps, partial)
            raise
        finally:
            os.close(out)

    def _copy(self, descriptor: int, place: bytes, out: int, start: int, aside: bytes, check: Check) -> None:
        """The rest of a file, from *start* on, to the end of another."""
        buffer = bytearray(CHUNK_BYTES)
        view = memoryview(buffer)
        try:
            os.lseek(descriptor, start, os.SEEK_SET)
            os.lseek(out, start, os.SEEK_SET)
            while count := os.readv(descriptor, [buffer]):
                check.update(view[:count])
                durable.write_all(self._steps, out, view[:count], aside)
                self._advance(count)
        except OSError as error:
            raise Unreadable(os.fsdecode(place), os.strerror(error.errno or 0)) from error

    def _is_whole(self, aside: bytes, key: bytes, size: int) -> None:
        self._advance(size)
        self._waiting.append(_Waiting(aside, key))

    @contextmanager
    def _or_removed(self, aside: bytes) -> Iterator[None]:
        try:
            yield
        except (OSError, ChecksumMismatch, StorageFailed, Unreadable):
            with suppress(OSError, StorageFailed):
                durable.remove(self._steps, aside)
            raise

    @contextmanager
    def _transfer(self, key: bytes, uuid: str, *, wanted: bool) -> Iterator[bytes]:
        """The place in ``annex/tmp`` for a content that can be resumed; b"" where somebody else is at it."""
        annex, name = os.path.join(self._git_dir, b"annex"), file_name_of(key)
        place = os.path.join(annex, b"tmp", name)
        locks = [os.path.join(annex, b"transfer", b"download", os.fsencode(part)) for part in ("lck", uuid) if part]
        held: list[tuple[bytes, int]] = []
        free = wanted and (stat.S_ISREG(os.lstat(place).st_mode) if os.path.lexists(place) else True)
        try:
            for folder in locks if free else ():
                durable.make_folders(self._steps, folder)
                path = os.path.join(folder, b"lck." + name)
                held.append((path, durable.open_lock(self._steps, path)))
                try:
                    fcntl.lockf(held[-1][1], fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    free = False
                    os.close(held.pop()[1])
                    break
            if free:
                durable.make_folders(self._steps, os.path.join(annex, b"tmp"))
            yield place if free else b""
        finally:
            for path, descriptor in held:
                with suppress(FileNotFoundError):
                    durable.remove(self._steps, path)
                os.close(descriptor)

    # --- all of them

    def settle(self) -> None:
        """Bring what was taken to the disk, then give it its names, durably.

        Raises `NotUnderstood` when the object store lies on another file system than the repository.
        """
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._settle(waiting)

    def _settle(self, waiting: list[_Waiting]) -> None:
        together = len(waiting) > durable.SYNC_EACH_BELOW
        if together:
            durable.sync_file_system(self._steps, self._aside)
        names = ToSync(self._git_dir, self._git_dir)
        for one in () if together else waiting:
            durable.sync_file(self._steps, one.aside)
        for one in waiting:
            place = self._root + object_path(one.key)
            self._name(one.aside, place)
            if not together:
                names.folder(os.path.dirname(place))
        if together:
            durable.sync_file_system(self._steps, os.path.join(self._git_dir, b"annex", b"objects"))
        names.sync(self._steps)

    def _name(self, aside: bytes, place: bytes) -> None:
        folder = place[: place.rindex(b"/")]
        parent = folder[: folder.rindex(b"/")]
        if parent not in self._folders:
            durable.make_folders(self._steps, parent)
            self._folders.add(parent)
        try:
            durable.make_folder(self._steps, folder)
        except FileExistsError:
            durable.change_mode(self._steps, folder, 0o755)
        except FileNotFoundError:  # somebody who drops tidied up meanwhile
            durable.make_folders(self._steps, folder)
        try:
            durable.rename(self._steps, aside, place)
        except OSError as error:
            if error.errno == errno.EXDEV:
                raise NotUnderstood("its annex lies on another file system than its .git") from error
            raise
        durable.change_mode(self._steps, folder, 0o555)

    def _new_aside(self) -> bytes:
        self._next_aside += 1
        return b"%b/get-%d" % (self._aside, self._next_aside)


def object_here(git_dir: bytes, key: bytes) -> bytes:
    """Where a repository keeps the content of *key*, in either layout; b"" when it has none."""
    place = os.path.join(git_dir, object_path(key))
    if os.path.exists(place):
        return place
    place = os.path.join(git_dir, object_path_lower(key))
    return place if os.path.exists(place) else b""


def _opened(place: bytes) -> int:
    try:
        return os.open(place, _READ)
    except FileNotFoundError:
        raise
    except OSError as error:
        reason = "it is no regular file" if error.errno in (errno.ELOOP, errno.ENXIO) else os.strerror(error.errno or 0)
        raise Unreadable(os.fsdecode(place), reason) from error


def _names_in(folder: bytes) -> frozenset[bytes]:
    try:
        return frozenset(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
