"""Move a file's content into the annex, so that at no moment a byte has no name.

The order, for one file: it is hashed; it is looked at again (unchanged? nobody writes to it?); it loses its write
permission; its content gets its second name, in the object store; a symbolic link is made aside and renamed over the
file's own name. A crash leaves at most a spare name. Where the very file must not become the object (it has other
names, it belongs to somebody else, it lies on another file system) a synced copy does.
"""

import errno
import os
import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from engram import durable
from engram.datasets.annex.backends import new_hasher
from engram.datasets.annex.hashdirs import object_path
from engram.datasets.annex.writers import Writers, hold_off_writers, let_writers_in, somebody_waits
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.syncing import ToSync
from engram.durable import Steps
from engram.model.errors import ChangedWhileSaved, EngramError, ItemFailed, Unreadable, UnsupportedFile

_CHUNK_BYTES = 1 << 20
#: The longest step of the clock that file systems take their times from (Linux, 100 Hz).
_TICK_NS = 10_000_000
_WRITE_BITS = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
_CANNOT_ADOPT = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP}
#: The remark on a file that a program still writes to.
OPEN_ELSEWHERE = "open for writing elsewhere: saved as it is now and left in place; save again when that is done"
_READ_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(slots=True)
class OpenContent:
    """A regular file, open for reading, and what it was when it was opened. Close it."""

    path: bytes
    descriptor: int
    was: os.stat_result
    #: Who could write to it when it was opened; for what `open_for_annex` opened.
    writers: Writers = Writers.UNKNOWN
    #: A lease is held: nobody can have begun to write since.
    held: bool = False

    def writers_since(self) -> Writers:
        """Who had it open for writing when it was opened, or has it now."""
        return self.writers if self.held or self.writers is not Writers.NONE else hold_off_writers(self.descriptor)

    def close(self) -> None:
        """Let go of it."""
        os.close(self.descriptor)

    def changed(self) -> str:
        """What changed since it was opened, '' if nothing did."""
        now = os.fstat(self.descriptor)
        if now.st_size != self.was.st_size:
            return f"{self.was.st_size} bytes became {now.st_size}"
        if now.st_mtime_ns != self.was.st_mtime_ns:
            return "it was written to"
        try:
            if not os.path.samestat(os.lstat(self.path), now):
                return "another file took its place"
        except FileNotFoundError:
            return "it was moved or deleted"
        return ""


class Kept(NamedTuple):
    """Content that is in the object store now, and the name that leads to it."""

    #: The symbolic link that took the file's place, as `os.lstat` sees it; ``None`` if the file was left in place.
    link: os.stat_result | None
    #: A remark for the user, '' mostly.
    note: str = ""


def open_content(path: bytes) -> OpenContent:
    """Open a regular file to be saved. Never blocks, never follows a link.

    Raises `Unreadable`, or `UnsupportedFile` for what is no regular file.
    """
    try:
        descriptor = os.open(path, _READ_FILE)
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.ELOOP):
            raise UnsupportedFile(os.fsdecode(path), "it is no regular file any more") from error
        raise Unreadable(os.fsdecode(path), os.strerror(error.errno or 0)) from error
    was = os.fstat(descriptor)
    if not stat.S_ISREG(was.st_mode):
        os.close(descriptor)
        raise UnsupportedFile(os.fsdecode(path), "it is no regular file")
    return OpenContent(path, descriptor, was)


def open_for_annex(path: bytes) -> OpenContent:
    """As `open_content`, and nobody can change it unnoticed from now on.

    While a small file is open, whoever wants to write to it waits; `ContentStore.keep` looks at a large one again.
    """
    content = open_content(path)
    content.writers = hold_off_writers(content.descriptor)
    content.held = content.writers is Writers.NONE
    if content.held and content.was.st_size >= _CHUNK_BYTES:
        let_writers_in(content.descriptor)
        content.held = False
        if 0 <= time.time_ns() - content.was.st_mtime_ns < _TICK_NS:  # a write now could leave the same time
            time.sleep(_TICK_NS / 1e9)
    return content


def digest_of(content: OpenContent, backend: str, *, stopped: "Stop | None" = None) -> str:
    """The hex digest that *backend* gives the content. Reads it once, in order.

    Raises `ChangedWhileSaved` when fewer or more bytes come than the file had.
    """
    hasher = new_hasher(backend)
    size = content.was.st_size
    left = size
    try:
        if size <= _CHUNK_BYTES:
            data = os.pread(content.descriptor, size + 1, 0)
            hasher.update(data)
            left -= len(data)
        else:
            left -= _feed(hasher, content, stopped)
    except OSError as error:
        raise Unreadable(os.fsdecode(content.path), os.strerror(error.errno or 0)) from error
    if left:
        raise ChangedWhileSaved(os.fsdecode(content.path), f"{size} bytes became {size - left}")
    return str(hasher.hexdigest())


class Stop:
    """A flag that long reading looks at, so that Ctrl-C ends it soon."""

    def __init__(self) -> None:
        self.asked = False


def _feed(hasher: "object", content: OpenContent, stopped: Stop | None) -> int:
    buffer = bytearray(_CHUNK_BYTES)
    view = memoryview(buffer)
    update = hasher.update  # type: ignore[attr-defined]  # hashlib has no public name for its objects' type
    os.lseek(content.descriptor, 0, os.SEEK_SET)
    read = 0
    while count := os.readv(content.descriptor, [buffer]):
        if stopped is not None and stopped.asked:
            raise ChangedWhileSaved(os.fsdecode(content.path), "reading was interrupted")
        update(view[:count])
        read += count
    return read


class ContentStore:
    """The object store of one dataset, for putting content in.

    Args:
        git_dir: absolute; its ``annex/objects`` holds the content.
    """

    def __init__(self, steps: Steps, *, git_dir: bytes, to_sync: ToSync) -> None:
        self._steps = steps
        self._git_dir = git_dir
        self._root = git_dir + b"/"
        self._aside = os.path.join(git_dir, b"engram", b"tmp")
        self._next_aside = 0
        self._folders: set[bytes] = set()
        #: What must be synced before what was kept may be called durable.
        self.to_sync = to_sync

    def clear_what_a_crash_left(self) -> None:
        """Make an empty place for temporary names."""
        durable.make_folders(self._steps, self._aside)
        for entry in os.scandir(self._aside):
            durable.remove(self._steps, entry.path)

    def object_path(self, key: bytes) -> bytes:
        """Where the content of *key* is, or would be."""
        return os.path.join(self._git_dir, object_path(key))

    def has(self, key: bytes) -> bool:
        """Whether the content of *key* is here."""
        return os.path.exists(self.object_path(key))

    def keep(self, content: OpenContent, key: bytes, relative: bytes, target: bytes) -> Kept:
        """Move *content*, whose key this is, into the store, and leave a symbolic link.

        Args:
            relative: the object's path in the repository.
            target: what the link is to say.

        Raises `ChangedWhileSaved` when it is not what was hashed any more, `ItemFailed` when its folder or the store
        may not be changed, `NotUnderstood` when it lies on another file system; then everything is as it was.
        """
        place = self._root + relative
        folder = place[: place.rindex(b"/")]
        writers = content.writers_since()
        if changed := content.changed():
            raise ChangedWhileSaved(os.fsdecode(content.path), changed)
        try:
            new = self._make_key_folder(folder) or not self._is_there(place, content, key)
        except PermissionError as error:
            raise ItemFailed(os.fsdecode(content.path), f"{_name(error)} may not be changed") from error
        try:
            if new:
                self._put(content, place, key, adopt=writers is Writers.NONE and content.was.st_nlink == 1)
            durable.change_mode(self._steps, folder, 0o555)
            if writers is Writers.SOME:
                return Kept(None, OPEN_ELSEWHERE)
            return Kept(self._link_unless_wanted(content, target, place, writers))
        except (OSError, EngramError, NotUnderstood):
            if new:
                self._give_back(content, place)
            raise

    def _link_unless_wanted(
        self, content: OpenContent, target: bytes, place: bytes, writers: Writers
    ) -> os.stat_result:
        if writers is not Writers.NONE:
            return self._link_instead(content, target)
        _check_nobody_waits(content)
        link = self._link_instead(content, target)
        if somebody_waits(content.descriptor):
            self._take_link_back(content, place)
        return link

    def _take_link_back(self, content: OpenContent, place: bytes) -> None:
        """Give an adopted file its own name again, before what a program will write to it gets into the object."""
        if os.path.samestat(os.lstat(place), content.was):
            aside = self.aside_name()
            durable.link(self._steps, place, aside)
            durable.rename(self._steps, aside, content.path)
            _check_nobody_waits(content)

    def relink(self, place: bytes, target: bytes) -> None:
        """Give a symbolic link another target, in one step."""
        aside = self.aside_name()
        durable.symlink(self._steps, target, aside)
        durable.rename(self._steps, aside, place)
        self.to_sync.folder(os.path.dirname(place))

    def _is_there(self, place: bytes, content: OpenContent, key: bytes) -> bool:
        """Whether the store has this content already: looked at, never assumed."""
        try:
            there = os.lstat(place)
        except FileNotFoundError:
            return False
        is_it = os.path.samestat(there, content.was)
        if is_it and content.writers_since() is not Writers.NONE:
            durable.remove(self._steps, place)  # left by a crash, and written to again: it must not be the object
            return False
        if is_it and there.st_nlink == 2:  # what a crash left between two steps
            durable.change_mode(self._steps, content.descriptor, _without_write(content), place)
            self.to_sync.file(place)
            return True
        if there.st_size == content.was.st_size and not is_it and _has_key(place, key):
            durable.sync_file(self._steps, place)
            return True
        bad = os.path.join(self._git_dir, b"annex", b"bad")
        durable.make_folders(self._steps, bad)
        durable.rename(self._steps, place, os.path.join(bad, os.path.basename(place)))
        return False

    def _put(self, content: OpenContent, place: bytes, key: bytes, *, adopt: bool) -> None:
        if not (adopt and self._adopt(content, place)):
            self._copy(content, place, key)

    def _adopt(self, content: OpenContent, place: bytes) -> bool:
        """Make the very file the object. False where that cannot be (then nothing happened)."""
        try:
            durable.change_mode(self._steps, content.descriptor, _without_write(content), content.path)
            durable.link(self._steps, content.path, place)
        except OSError as error:
            if error.errno not in _CANNOT_ADOPT:
                raise
            return False
        if not os.path.samestat(os.lstat(place), content.was):
            durable.remove(self._steps, place)
            raise ChangedWhileSaved(os.fsdecode(content.path), "another file took its place")
        self.to_sync.file(place)
        return True

    def _copy(self, content: OpenContent, place: bytes, key: bytes) -> None:
        aside = self.aside_name()
        target = durable.open_new(self._steps, aside, mode=0o600)
        try:
            self._copy_bytes(content, target, aside)
            if changed := content.changed():
                raise ChangedWhileSaved(os.fsdecode(content.path), changed)
            if not _has_key(aside, key):  # a write through a memory map changes no time
                raise ChangedWhileSaved(os.fsdecode(content.path), "it was written to")
            durable.change_mode(self._steps, target, _without_write(content), aside)
            durable.sync_descriptor(self._steps, target, aside)
            durable.rename(self._steps, aside, place)
        except (OSError, EngramError) as error:
            with suppress(FileNotFoundError):
                durable.remove(self._steps, aside)
            if isinstance(error, OSError) and error.errno == errno.EXDEV:
                raise NotUnderstood("its annex lies on another file system than its .git") from error
            raise
        finally:
            os.close(target)
        durable.sync_folder(self._steps, os.path.dirname(place))

    def _copy_bytes(self, content: OpenContent, target: int, aside: bytes) -> None:
        offset, size = 0, content.was.st_size
        while offset < size:
            data = os.pread(content.descriptor, min(_CHUNK_BYTES * 4, size - offset), offset)
            if not data:
                return
            durable.write_all(self._steps, target, data, aside)
            offset += len(data)

    def _link_instead(self, content: OpenContent, target: bytes) -> os.stat_result:
        aside = self.aside_name()
        durable.symlink(self._steps, target, aside)
        try:
            link = durable.rename_over(self._steps, aside, content.path, content.was)
        except OSError as error:
            durable.remove(self._steps, aside)
            if error.errno == errno.EXDEV:
                raise NotUnderstood(f"{os.fsdecode(content.path)} lies on another file system") from error
            raise ItemFailed(os.fsdecode(content.path), f"its folder cannot be changed ({error.strerror})") from error
        if link is None:
            durable.remove(self._steps, aside)
        else:
            self.to_sync.folder(content.path[: content.path.rindex(b"/")])
        if link is None or not os.path.lexists(content.path):
            raise ChangedWhileSaved(os.fsdecode(content.path), "it was moved, deleted or replaced")
        return link

    def _give_back(self, content: OpenContent, place: bytes) -> None:
        """Leave a file whose saving failed as it was: its only name, its old permissions.

        Where somebody took its own name meanwhile, the object may be the only one that its bytes have: it stays.
        """
        if not _has_its_name(content):
            return
        self.to_sync.forget(place)
        with suppress(OSError, EngramError):
            durable.change_mode(self._steps, os.path.dirname(place), 0o755)
            with suppress(FileNotFoundError):
                durable.remove(self._steps, place)
            durable.remove_folder(self._steps, os.path.dirname(place))
        with suppress(OSError, EngramError):
            durable.change_mode(self._steps, content.descriptor, stat.S_IMODE(content.was.st_mode), content.path)

    def aside_name(self) -> bytes:
        """A name of our own, for what is to be renamed into its place."""
        self._next_aside += 1
        return b"%b/%d" % (self._aside, self._next_aside)

    def _make_key_folder(self, folder: bytes) -> bool:
        """Make the folder of one key, writable for us. True when it is new, so that nothing can be in it."""
        parent = folder[: folder.rindex(b"/")]
        if parent not in self._folders:
            durable.make_folders(self._steps, parent)
            self._folders.add(parent)
        try:
            durable.make_folder(self._steps, folder)
        except FileExistsError:
            durable.change_mode(self._steps, folder, 0o755)
            return False
        return True


def _check_nobody_waits(content: OpenContent) -> None:
    if somebody_waits(content.descriptor):
        raise ChangedWhileSaved(os.fsdecode(content.path), "a program is about to write to it")


def _without_write(content: OpenContent) -> int:
    """The permissions git-annex gives an object: as the file's, readable by its owner, writable by nobody."""
    return (stat.S_IMODE(content.was.st_mode) & ~_WRITE_BITS) | stat.S_IRUSR


def _has_its_name(content: OpenContent) -> bool:
    try:
        return os.path.samestat(os.lstat(content.path), content.was)
    except OSError:
        return False


def _name(error: OSError) -> str:
    return os.fsdecode(error.filename or b"its place in the annex")


def _has_key(place: bytes, key: bytes) -> bool:
    copy = open_content(place)
    try:
        digest = key.partition(b"--")[2].partition(b".")[0].decode()
        return digest == digest_of(copy, key.partition(b"-")[0].decode())
    finally:
        copy.close()
