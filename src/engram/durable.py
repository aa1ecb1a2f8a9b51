"""Durable steps: the only way this house changes a disk.

Every function takes the `Steps` it is counted by. An ordinary run hands in ``Steps()``, which lets everything happen;
`engram.testing` hands in one that ends the process at the *k*-th step, or makes it fail as a full or broken disk would.

What "durable" means: after `sync_file` the bytes of a file, after `sync_folder` its name, survives the plug being
pulled. `rename` and `link` alone survive nothing; callers order them: content, then names, then what points at them.

All of it raises `StorageFailed` when the disk refuses (full, over quota, broken, read-only) and plain `OSError`
for what a caller may expect (`FileExistsError`, `FileNotFoundError`, `PermissionError`, ``EXDEV``).
"""

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import NoReturn, TypeAlias

from engram.model.errors import StorageFailed

AnyPath: TypeAlias = str | bytes

#: Below this many files each is synced alone; above it one sync of the whole file system is cheaper.
SYNC_EACH_BELOW = 2000

_REFUSALS = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG, errno.ENOMEM}
_AT_FDCWD, _RENAME_NOREPLACE, _RENAME_EXCHANGE = -100, 1, 2
_CANNOT_EXCHANGE = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}
#: What tells that a file system, or the system, has no files without names.
_CANNOT_BE_NAMELESS = {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT}
_FICLONE = 0x40049409
_CANNOT_SHARE = {errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.EPERM, errno.ENOSYS}
_OPEN_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Steps:
    """The steps of an ordinary run: nothing is counted, nothing is stopped."""

    def take(self, kind: str, path: AnyPath) -> None:
        """Called before each step, named ``write``, ``sync``, ``link``, ``rename``, ``update-ref``, ….

        A test's own version may raise `OSError` here (a sick disk) or end the process (a crash).
        """


def _failed(error: OSError, path: AnyPath) -> NoReturn:
    try:
        if error.errno in _REFUSALS:
            raise StorageFailed(os.fsdecode(path), os.strerror(error.errno or 0)) from error
        raise error
    finally:
        del error  # else it and all that its callers hold keep each other alive, through its traceback


def make_folder(steps: Steps, path: AnyPath) -> None:
    """Make one folder. `FileExistsError` when it is there."""
    try:
        steps.take("mkdir", path)
        os.mkdir(path)
    except OSError as error:
        _failed(error, path)


def make_folders(steps: Steps, path: AnyPath) -> None:
    """Make a folder and those above it; those that are there are left alone."""
    try:
        make_folder(steps, path)
    except FileExistsError:
        if not os.path.isdir(path):
            raise
    except FileNotFoundError:
        parent = os.path.dirname(path)
        if parent == path:
            raise
        make_folders(steps, parent)
        with suppress(FileExistsError):
            make_folder(steps, path)


def open_new(steps: Steps, path: AnyPath, *, mode: int = 0o666) -> int:
    """Descriptor of a file that must not be there yet, to be written with `write_all` and closed by the caller."""
    try:
        steps.take("create", path)
        return os.open(path, _OPEN_NEW, mode)
    except OSError as error:
        _failed(error, path)


def open_lock(steps: Steps, path: AnyPath) -> int:
    """Descriptor of a file that is there only to be locked; it is made where it is missing."""
    try:
        steps.take("create", path)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    except OSError as error:
        _failed(error, path)


def open_partial(steps: Steps, path: AnyPath) -> int:
    """Descriptor of a file that is to grow from where it ended before; it is made where it is missing."""
    try:
        steps.take("create", path)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    except OSError as error:
        _failed(error, path)


def write_new(steps: Steps, path: AnyPath, data: bytes, *, mode: int = 0o666, sync: bool = True) -> None:
    """Write a file that must not be there yet, and its bytes to the disk. Its name still needs `sync_folder`."""
    descriptor = open_new(steps, path, mode=mode)
    try:
        write_all(steps, descriptor, data, path)
        if sync:
            sync_descriptor(steps, descriptor, path)
    finally:
        os.close(descriptor)


def write_whole(steps: Steps, path: str, data: bytes) -> None:
    """Write a file that must not be there yet and that nobody ever sees half written, nor under another name.

    It gets its name when it is whole and on the disk; the name still needs `sync_folder`. A file system that knows no
    files without names has it under another name for a moment.

    Source: open(2), O_TMPFILE
    """
    try:
        steps.take("create", path)
        descriptor = os.open(
            os.path.dirname(path) or ".", getattr(os, "O_TMPFILE", 0) | os.O_WRONLY | os.O_CLOEXEC, 0o666
        )
    except OSError as error:
        if error.errno not in _CANNOT_BE_NAMELESS:
            _failed(error, path)
        temporary = f"{path}.engram-new"
        with suppress(FileNotFoundError):
            remove(steps, temporary)
        write_new(steps, temporary, data)
        rename(steps, temporary, path)
        return
    try:
        write_all(steps, descriptor, data, path)
        sync_descriptor(steps, descriptor, path)
        _name(steps, descriptor, path)
    finally:
        os.close(descriptor)


def _name(steps: Steps, descriptor: int, path: str) -> None:
    """Give a file without a name one. Source: linkat(2)."""
    try:
        steps.take("link", path)
        os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=descriptor)  # a dir_fd, else the link is not followed
    except OSError as error:
        _failed(error, path)


def replace(steps: Steps, path: str, data: bytes, *, mode: int = 0o666, aside: str = "") -> None:
    """Give a file new content: at any moment, and after a power cut, it has the old or the new, whole.

    Args:
        aside: a folder of the same file system for what is being written, where the file's own folder may hold
            nothing else (a work tree).
    """
    temporary = os.path.join(aside, f"{os.path.basename(path)}.engram-new") if aside else f"{path}.engram-new"
    with suppress(FileNotFoundError):
        remove(steps, temporary)
    write_new(steps, temporary, data, mode=mode)
    rename(steps, temporary, path)
    sync_folder(steps, os.path.dirname(path) or ".")


def write_all(steps: Steps, descriptor: int, data: bytes | memoryview, path: AnyPath) -> None:
    """Write every byte; *path* is only named in errors."""
    try:
        steps.take("write", path)
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]
    except OSError as error:
        _failed(error, path)


def write_at(steps: Steps, descriptor: int, data: bytes, offset: int, path: AnyPath) -> None:
    """Write every byte at *offset*, whatever else the file holds; *path* is only named in errors."""
    try:
        steps.take("write", path)
        while data:
            written = os.pwrite(descriptor, data, offset)
            data, offset = data[written:], offset + written
    except OSError as error:
        _failed(error, path)


def clone_file(steps: Steps, source: int, target: int, path: AnyPath) -> bool:
    """Let an empty file share the blocks of another (a reflink), which costs no room. False where that cannot be.

    Source: ioctl_ficlone(2)
    """
    import fcntl  # late: most calls share nothing

    try:
        steps.take("write", path)
        fcntl.ioctl(target, _FICLONE, source)
    except OSError as error:
        if error.errno in _CANNOT_SHARE:
            return False
        _failed(error, path)
    return True


def truncate(steps: Steps, descriptor: int, size_bytes: int, path: AnyPath) -> None:
    """Cut a file off; *path* is only named in errors."""
    try:
        steps.take("write", path)
        os.ftruncate(descriptor, size_bytes)
    except OSError as error:
        _failed(error, path)


def link(steps: Steps, existing: AnyPath, path: AnyPath) -> None:
    """Give a file a second name."""
    try:
        steps.take("link", path)
        os.link(existing, path, follow_symlinks=False)
    except OSError as error:
        _failed(error, path)


def symlink(steps: Steps, target: AnyPath, path: AnyPath) -> None:
    """Make a symbolic link."""
    try:
        steps.take("symlink", path)
        os.symlink(target, path)
    except OSError as error:
        _failed(error, path)


def rename(steps: Steps, path: AnyPath, to: AnyPath) -> None:
    """Move a name within one file system, replacing what was there."""
    try:
        steps.take("rename", to)
        os.rename(path, to)
    except OSError as error:
        _failed(error, to)


def rename_new(steps: Steps, path: AnyPath, to: AnyPath) -> None:
    """Move a name to one that must not be there yet. `FileExistsError` when it is.

    Raises `OSError` (``ENOSYS``, ``EINVAL``) where the system or the file system cannot do that in one step.
    """
    try:
        steps.take("rename", to)
        _rename_by(_RENAME_NOREPLACE, os.fsencode(path), _AT_FDCWD, os.fsencode(to))
    except OSError as error:
        _failed(error, to)


def rename_over(steps: Steps, path: AnyPath, to: bytes, was: os.stat_result) -> os.stat_result | None:
    """Move a name over the file *was*, and say what lies there then; ``None`` when it lies there no longer.

    The folder that holds it counts, whatever that folder's own name has come to mean meanwhile. What somebody else
    put there, were it at the last moment, stays.
    """
    folder, _, name = to.rpartition(b"/")
    try:
        descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if not _takes_its_place(steps, os.fsencode(path), descriptor, to, was):
                return None
            return os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        finally:
            os.close(descriptor)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        _failed(error, to)


def _takes_its_place(steps: Steps, path: bytes, folder: int, to: bytes, was: os.stat_result) -> bool:
    """Put *path* in the place of *to*. False when that is not *was* any more, and all is as it was."""
    name = os.path.basename(to)
    if not _is_still(was, os.stat(name, dir_fd=folder, follow_symlinks=False)):
        return False
    try:
        steps.take("rename", to)
        _rename_by(_RENAME_EXCHANGE, path, folder, name)
    except OSError as error:
        if error.errno not in _CANNOT_EXCHANGE:
            raise
        if not _is_still(was, os.stat(name, dir_fd=folder, follow_symlinks=False)):
            return False
        os.rename(path, name, dst_dir_fd=folder)
        return True
    if not _is_still(was, os.lstat(path)):
        _rename_by(_RENAME_EXCHANGE, path, folder, name)
        return False
    steps.take("remove", path)
    os.unlink(path)
    return True


def _is_still(was: os.stat_result, now: os.stat_result) -> bool:
    return os.path.samestat(was, now) and was.st_mtime_ns == now.st_mtime_ns


def _rename_by(flag: int, path: bytes, folder: int, name: bytes) -> None:
    function, get_errno = _renameat2()
    if function(_AT_FDCWD, path, folder, name, flag) != 0:
        number = get_errno()
        raise OSError(number, os.strerror(number), os.fsdecode(name))


@cache
def _renameat2() -> tuple[Callable[[int, bytes, int, bytes, int], int], Callable[[], int]]:
    """What the C library has for it, and how it says what went wrong. Source: renameat2(2)."""
    import ctypes  # late: 2 ms that most calls do not need

    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    libc.renameat2.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    return libc.renameat2, ctypes.get_errno


def remove(steps: Steps, path: AnyPath) -> None:
    """Remove a file's name."""
    try:
        steps.take("remove", path)
        os.unlink(path)
    except OSError as error:
        _failed(error, path)


def remove_folder(steps: Steps, path: AnyPath) -> None:
    """Remove an empty folder."""
    try:
        steps.take("rmdir", path)
        os.rmdir(path)
    except OSError as error:
        _failed(error, path)


def change_mode(steps: Steps, file: AnyPath | int, mode: int, path: AnyPath = "") -> None:
    """Set the permission bits of a file, by name or open descriptor."""
    try:
        steps.take("chmod", path)
        os.chmod(file, mode)
    except OSError as error:
        _failed(error, path)


def set_times(steps: Steps, descriptor: int, times_ns: tuple[int, int], path: AnyPath) -> None:
    """Set when an open file was last read and changed; *path* is only named in errors."""
    try:
        steps.take("utime", path)
        os.utime(descriptor, ns=times_ns)
    except OSError as error:
        _failed(error, path)


def sync_descriptor(steps: Steps, descriptor: int, path: AnyPath) -> None:
    """Bring an open file's bytes to the disk. After a failure the file must be written anew, never synced again."""
    try:
        steps.take("sync", path)
        os.fsync(descriptor)
    except OSError as error:
        _failed(error, path)


def sync_file(steps: Steps, path: AnyPath) -> None:
    """Bring a file's bytes to the disk."""
    _sync(steps, path, os.O_RDONLY | os.O_NOFOLLOW)


def sync_folder(steps: Steps, path: AnyPath) -> None:
    """Bring the names in a folder to the disk."""
    _sync(steps, path, os.O_RDONLY | os.O_DIRECTORY)


def _sync(steps: Steps, path: AnyPath, flags: int) -> None:
    try:
        descriptor = os.open(path, flags | os.O_CLOEXEC)
        try:
            sync_descriptor(steps, descriptor, path)
        finally:
            os.close(descriptor)
    except OSError as error:
        _failed(error, path)


def sync_file_system(steps: Steps, path: AnyPath) -> None:
    """Bring all of the file system that holds *path* to the disk: other people's files too.

    Cheaper than `sync_file` for each of thousands of files. Linux reports write errors here since 5.8.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            steps.take("sync", path)
            import ctypes  # late: 2 ms that most calls do not need

            libc = ctypes.CDLL(None, use_errno=True)
            if not hasattr(libc, "syncfs"):
                os.sync()
            elif libc.syncfs(descriptor) != 0:
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number))
        finally:
            os.close(descriptor)
    except OSError as error:
        _failed(error, path)


def remove_tree(steps: Steps, path: str) -> None:
    """Remove a folder and everything in it, following no link. Only for what engram itself made."""
    for folder, folders, files in os.walk(path, topdown=False):
        for name in files:
            remove(steps, os.path.join(folder, name))
        for name in folders:
            inner = os.path.join(folder, name)
            (remove if os.path.islink(inner) else remove_folder)(steps, inner)
    remove_folder(steps, path)
