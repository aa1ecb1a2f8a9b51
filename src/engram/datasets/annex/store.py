"""Move a file's content into the annex, so that at no moment a byte has no name.

The order, for one file: it is hashed; it is looked at again (unchanged? nobody writes to it?); it loses its write
permission; its content gets its second name, in the object store; a symbolic link is made aside and renamed over the
file's own name. A crash leaves at most a spare name. Where the very file must not become the object (it has other
names, it belongs to somebody else, it lies on another file system) a synced copy does.
"""

import errno
import os
import stat
from contextlib import suppress
from typing import NamedTuple

from engram import durable
from engram.datasets.annex.hashdirs import object_path
from engram.datasets.annex.reading import OpenContent, digest_of, open_content
from engram.datasets.annex.writers import Writers, somebody_waits
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.locks import empty_own_folder
from engram.datasets.syncing import ToSync
from engram.durable import Steps
from engram.model.errors import ChangedWhileSaved, EngramError, ItemFailed

_CHUNK_BYTES = 1 << 20
_WRITE_BITS = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
_CANNOT_ADOPT = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP}
#: The remark on a file that a program still writes to.
OPEN_ELSEWHERE = "open for writing elsewhere: saved as it is now and left in place; save again when that is done"


class Kept(NamedTuple):
    """Content that is in the object store now, and the name that leads to it."""

    #: The symbolic link that took the file's place, as `os.lstat` sees it; ``None`` if the file was left in place.
    link: os.stat_result | None
    #: A remark for the user, '' mostly.
    note: str = ""


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
        empty_own_folder(self._steps, self._aside)

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
            return Kept(self._link_unless_wanted(content, key, target, place, writers))
        except (OSError, EngramError, NotUnderstood):
            if new:
                self._give_back(content, place)
            raise

    def _link_unless_wanted(
        self, content: OpenContent, key: bytes, target: bytes, place: bytes, writers: Writers
    ) -> os.stat_result:
        if writers is not Writers.NONE:
            return self._link_instead(content, target)
        _check_nobody_waits(content)
        link = self._link_instead(content, target)
        if somebody_waits(content.descriptor):
            self._take_link_back(content, key, place, link)
        return link

    def _take_link_back(self, content: OpenContent, key: bytes, place: bytes, link: os.stat_result) -> None:
        """Give an adopted file its own name again, before what a program will write to it gets into the object."""
        if not os.path.samestat(os.lstat(place), content.was):
            return
        aside = self.aside_name()
        durable.link(self._steps, place, aside)
        if durable.rename_over(self._steps, aside, content.path, link) is None:  # it has no name any more
            durable.remove(self._steps, aside)
            self._copy(content, place, key, name_counts=False)
        _check_nobody_waits(content)

    def relink(self, place: bytes, target: bytes, new_target: bytes) -> None:
        """Give the symbolic link that says *target* another one, in one step. Raises `ChangedWhileSaved`."""
        descriptor = os.open(place, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)  # none other can become this one
        try:
            was = os.fstat(descriptor)
            aside = self.aside_name()
            durable.symlink(self._steps, new_target, aside)
            is_it = stat.S_ISLNK(was.st_mode) and os.readlink(b"", dir_fd=descriptor) == target
            if not is_it or durable.rename_over(self._steps, aside, place, was) is None:
                durable.remove(self._steps, aside)
                raise ChangedWhileSaved(os.fsdecode(place), "another file took its place")
        finally:
            os.close(descriptor)
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

    def _copy(self, content: OpenContent, place: bytes, key: bytes, *, name_counts: bool = True) -> None:
        """Make a copy the object. *name_counts*: the file must still be where it was."""
        aside = self.aside_name()
        target = durable.open_new(self._steps, aside, mode=0o600)
        try:
            self._copy_bytes(content, target, aside)
            if name_counts and (changed := content.changed()):
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
