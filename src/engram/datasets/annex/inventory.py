"""What lies in an object store: contents, what was set aside as bad, and what came half-way.

Source: https://git-annex.branchable.com/internals/; the file formats from runs of git-annex 10.
"""

import fcntl
import os
import re
import stat
import struct
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from engram.datasets.annex.hashdirs import file_name_of, key_of
from engram.datasets.git.small_files import read_file
from engram.model.keys import normal_form

_LINE = re.compile(rb"(?P<number>[0-9]{1,18}) (?P<key>.+?)(?: (?P<time>[0-9]+(?:\.[0-9]+)?s))?")
#: A whole file: type, whence, start, length 0, no process.
_FLOCK = "hhqqi"


class StoredKey(NamedTuple):
    """The folder of one key."""

    key: bytes
    #: Absolute; the content is in it, under the same name, unless it is empty.
    folder: bytes

    @property
    def place(self) -> bytes:
        """Where the content is."""
        return self.folder + self.folder[self.folder.rindex(b"/") :]


def stored_keys(git_dir: bytes, *, but: AbstractSet[bytes] = frozenset()) -> Iterator[StoredKey]:
    """The key folders of an object store, whichever way it is laid out; whether content is in them, nobody looked.

    Args:
        but: names of folders (`file_name_of`) to pass over.
    """
    top = os.path.join(git_dir, b"annex", b"objects")
    for first in _names(top):
        outer = top + b"/" + first
        for second in _names(outer):
            inner = outer + b"/" + second
            for name in _names(inner):
                key = None if name in but else normal_form(key_of(name))
                if key is not None:
                    yield StoredKey(key, inner + b"/" + name)


def is_content(place: bytes) -> bool:
    """Whether a regular file is there."""
    try:
        return stat.S_ISREG(os.lstat(place).st_mode)
    except OSError:
        return False


def set_aside(git_dir: bytes) -> dict[bytes, bytes]:
    """Contents that a check found to be bad, by key: where each lies."""
    return _keys_in(os.path.join(git_dir, b"annex", b"bad"))


def half_way(git_dir: bytes) -> dict[bytes, bytes]:
    """Contents that came half-way, by key: where each lies. Those that are on their way at the moment are not told."""
    found = _keys_in(os.path.join(git_dir, b"annex", b"tmp"))
    return {key: place for key, place in found.items() if not _is_coming(git_dir, key)}


def _keys_in(folder: bytes) -> dict[bytes, bytes]:
    found = {}
    for name in sorted(_names(folder)):
        key, place = normal_form(key_of(name)), folder + b"/" + name
        if key is not None and is_content(place):
            found[key] = place
    return found


def _names(folder: bytes) -> list[bytes]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _is_coming(git_dir: bytes, key: bytes) -> bool:
    """Whether somebody holds the lock of a transfer of *key*, in any direction."""
    transfers = os.path.join(git_dir, b"annex", b"transfer")
    for direction in (b"download", b"upload"):
        for uuid in _names(os.path.join(transfers, direction)):
            if _is_locked(os.path.join(transfers, direction, uuid, b"lck." + file_name_of(key))):
                return True
    return False


def _is_locked(path: bytes) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, asked)
        return bool(struct.unpack(_FLOCK, answer)[0] != fcntl.F_UNLCK)
    except OSError:
        return True
    finally:
        os.close(descriptor)


# --- numbered lists


class Numbered(NamedTuple):
    """One line of a list that people name keys by."""

    key: bytes
    #: Since when it stands there, as git-annex writes times.
    since: bytes


#: The lists git-annex keeps, in the order in which it numbers them: what it calls the key, and the file's name.
LISTS: Mapping[str, str] = {"unused": "unused", "bad": "badunused", "tmp": "tmpunused"}


def read_list(git_dir: str, kind: str) -> dict[int, Numbered]:
    """One of the `LISTS`, by number; empty when nobody made it. Lines that do not parse are passed over."""
    found: dict[int, Numbered] = {}
    for line in read_file(list_file(git_dir, kind)).split(b"\n"):
        match = _LINE.fullmatch(line)
        key = normal_form(match["key"]) if match else None
        if match is not None and key is not None:
            found[int(match["number"])] = Numbered(key, match["time"] or b"")
    return found


def list_file(git_dir: str, kind: str) -> str:
    """Where git-annex keeps one of the `LISTS`."""
    return os.path.join(git_dir, "annex", LISTS[kind])


def encode_list(lines: Mapping[int, Numbered]) -> bytes:
    r"""A list as git-annex reads it.

    >>> encode_list({2: Numbered(b"SHA256E-s5--abc", b"17.5s")})
    b'2 SHA256E-s5--abc 17.5s\n'
    """
    return b"".join(b"%d %s %s\n" % (number, line.key, line.since) for number, line in lines.items())
