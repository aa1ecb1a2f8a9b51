"""Where a repository lies, and what its refs point at.

Source: gitrepository-layout(5), git-rev-parse(1), gitformat of ``packed-refs`` in git-pack-refs(1)
"""

import errno
import os
import re
import stat
from collections.abc import Iterator
from typing import NamedTuple

from engram.datasets.git.problems import NotUnderstood
from engram.datasets.git.small_files import read_small_file
from engram.model.errors import DamagedRepository, Unreadable

_OID = re.compile(rb"[0-9a-f]{40}")
_EXTENSION = re.compile(rb"^\s*(\w+)\s*=\s*(\S+)", re.MULTILINE)
_FINE_EXTENSIONS = {b"noop", b"worktreeconfig", b"partialclone", b"preciousobjects"}
_DEEPEST_SYMREF = 5
_LARGEST_FILE = 4096


class Repository(NamedTuple):
    """The folders of a repository, absolute."""

    #: b"" for a bare one.
    work_tree: bytes
    #: Its own folder: HEAD, the index.
    git_dir: bytes
    #: What linked work trees share: objects, refs, config.
    common_dir: bytes


class Head(NamedTuple):
    """What is checked out."""

    #: The branch, in full; ``None`` when HEAD is detached.
    name: bytes | None
    #: The commit, 20 raw bytes; ``None`` before the first.
    oid: bytes | None


def find_repository(folder: bytes) -> Repository | None:
    """The repository that holds *folder* (absolute): its own, or the nearest above; ``None`` when there is none."""
    place = folder
    while True:
        found = repository_in(place) or bare_repository(place)
        if found is not None:
            return found
        parent = os.path.dirname(place)
        if parent == place:
            return None
        place = parent


def repository_in(place: bytes) -> Repository | None:
    """The repository whose work tree has its top at *place*; ``None`` when no ``.git`` that git would take is there."""
    dot_git = os.path.join(place, b".git")
    if os.path.isdir(dot_git):  # git-annex makes a link of one that was a file
        git_dir = os.path.realpath(dot_git) if os.path.islink(dot_git) else dot_git
    elif os.path.isfile(dot_git):
        text = _first_bytes(dot_git)
        if not text.startswith(b"gitdir: "):
            return None
        git_dir = os.path.normpath(os.path.join(place, text.removeprefix(b"gitdir: ").rstrip(b"\r\n")))
    else:
        return None
    return _checked(Repository(work_tree=place, git_dir=git_dir, common_dir=_common_dir(git_dir)))


def holds_repository(folder: bytes) -> bool:
    """Whether git would take a folder for a repository of its own, and not look into it."""
    if not os.path.lexists(os.path.join(folder, b".git")):
        return False
    try:
        return repository_in(folder) is not None
    except (Unreadable, DamagedRepository):  # what may not be read is taken for one
        return True


def bare_repository(place: bytes) -> Repository | None:
    """The repository that a folder itself is, without a work tree; ``None`` when it is none."""
    if os.path.basename(place) != b".git" and _looks_like_git_dir(place):
        return Repository(work_tree=b"", git_dir=place, common_dir=_common_dir(place))
    return None


def git_dir_around(place: bytes) -> bytes:
    """The folder of git's own that a place, which need not be there, is or lies in; b'' when it is in none."""
    is_file = os.path.lexists(place) and not os.path.isdir(place)  # an annexed one's link leads into .git
    folder = os.path.realpath(os.path.dirname(place) if is_file else place)
    while folder != os.path.dirname(folder):
        if _looks_like_git_dir(folder):
            return folder
        folder = os.path.dirname(folder)
    return b""


def _looks_like_git_dir(place: bytes) -> bool:
    common = _common_dir(place)
    return os.path.lexists(os.path.join(place, b"HEAD")) and all(
        os.path.isdir(os.path.join(common, name)) for name in (b"objects", b"refs")
    )


def _checked(repository: Repository) -> Repository | None:
    return repository if _looks_like_git_dir(repository.git_dir) else None


def _common_dir(git_dir: bytes) -> bytes:
    try:
        text = _first_bytes(os.path.join(git_dir, b"commondir"))
    except (FileNotFoundError, NotADirectoryError):
        return git_dir
    return os.path.normpath(os.path.join(git_dir, text.rstrip(b"\r\n")))


class Refs:
    """The refs of one repository. Every question is asked of the disk anew."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        _check_format(os.path.join(repository.common_dir, b"config"))

    def head(self) -> Head:
        """What is checked out. Raises `DamagedRepository` for a HEAD that makes no sense."""
        text = self._loose(b"HEAD")
        if text is None:
            raise DamagedRepository(os.fsdecode(self._place(b"HEAD")), "it is missing")
        if not text.startswith(b"ref:"):
            return Head(None, self._oid(text, b"HEAD"))
        name = text.removeprefix(b"ref:").strip()
        if not name.startswith(b"refs/") or b".." in name:
            raise DamagedRepository(os.fsdecode(self._place(b"HEAD")), "it points outside of refs/")
        return Head(name, self.resolve(name))

    def resolve(self, name: bytes) -> bytes | None:
        """The object a full ref name points at, 20 raw bytes; ``None`` when there is no such ref."""
        for _ in range(_DEEPEST_SYMREF):
            text = self._loose(name)
            if text is None:
                return self._packed().get(name)
            if not text.startswith(b"ref:"):
                return self._oid(text, name)
            name = text.removeprefix(b"ref:").strip()
        raise DamagedRepository(os.fsdecode(name), "symbolic refs point at each other")

    def names(self, prefix: bytes) -> Iterator[bytes]:
        """Every full ref name that begins with *prefix*, which ends in a slash."""
        found = {name for name in self._packed() if name.startswith(prefix)}
        top = os.path.join(self._repository.common_dir, prefix.rstrip(b"/"))
        for folder, _, files in os.walk(top):
            relative = os.path.relpath(folder, self._repository.common_dir)
            found.update(os.path.join(relative, file) for file in files if not file.endswith(b".lock"))
        return iter(sorted(found))

    def _place(self, name: bytes) -> bytes:
        own = name == b"HEAD" or name.startswith((b"refs/bisect/", b"refs/worktree/", b"refs/rewritten/"))
        return os.path.join(self._repository.git_dir if own else self._repository.common_dir, name)

    def _loose(self, name: bytes) -> bytes | None:
        try:
            return _first_bytes(self._place(name))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def _packed(self) -> dict[bytes, bytes]:
        packed = {}
        for line in _whole_file(os.path.join(self._repository.common_dir, b"packed-refs")).split(b"\n"):
            oid, space, name = line.partition(b" ")
            if space and _OID.fullmatch(oid):
                packed[name] = bytes.fromhex(oid.decode("ascii"))
        return packed

    def _oid(self, text: bytes, name: bytes) -> bytes:
        word = text.split(b"\n")[0].strip()
        if not _OID.fullmatch(word):
            raise DamagedRepository(os.fsdecode(self._place(name)), "it holds no object id")
        return bytes.fromhex(word.decode("ascii"))


def _check_format(config: bytes) -> None:
    """Refuse what the readers of this package would misread: other hashes, other ref formats, what is yet to come."""
    for section in re.split(rb"^\s*\[", _whole_file(config).lower(), flags=re.MULTILINE):
        title, _, lines = section.partition(b"]")
        for name, value in _EXTENSION.findall(lines) if title in (b"core", b"extensions") else ():
            if title == b"core" and name == b"repositoryformatversion" and value not in _VERSIONS:
                raise NotUnderstood(f"repository format {value.decode(errors='replace')}")
            if title == b"extensions" and name not in _FINE_EXTENSIONS and (name, value) not in _PLAIN:
                raise NotUnderstood(f"repository extension {name.decode()} = {value.decode(errors='replace')}")


#: Repository formats. Source: git's Documentation/technical/repository-version
_VERSIONS = {b"0", b"1"}
#: Extensions that say what holds anyway.
_PLAIN = {(b"objectformat", b"sha1"), (b"refstorage", b"files"), (b"compatobjectformat", b"sha1")}


def _whole_file(path: bytes) -> bytes:
    """What a file holds, b"" when there is none; nobody who feeds a FIFO in its place is waited for."""
    try:
        text = read_small_file(path, follow=True)
    except FileNotFoundError:
        return b""
    except PermissionError as error:
        raise Unreadable(os.fsdecode(path), os.strerror(error.errno or 0)) from error
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        text = None
    if text is None:
        raise DamagedRepository(os.fsdecode(path), "it is no file")
    return text


def _first_bytes(path: bytes) -> bytes:
    """The beginning of a file, without waiting for whoever feeds a FIFO in its place."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError as error:
        raise Unreadable(os.fsdecode(path), os.strerror(error.errno or 0)) from error
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise DamagedRepository(os.fsdecode(path), "it is a link to itself") from error
    try:
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            raise DamagedRepository(os.fsdecode(path), "it is no file")
        return os.read(descriptor, _LARGEST_FILE)
    finally:
        os.close(descriptor)
