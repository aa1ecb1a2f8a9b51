"""Where git-annex keeps a key: hash folders, object paths, and the file name of a key.

Source: https://git-annex.branchable.com/internals/hashing/ and https://git-annex.branchable.com/internals/key_format/
"""

import hashlib
import re
from typing import Final

#: The 32 characters of mixed hash folders: 0-9 and letters that no case-folding file system confuses.
_ALPHABET = b"0123456789zqjxkmvwgpfZQJXKMVWGPF"
#: All values of ten bits, as the folder name they give: low five bits are the second character.
_PAIRS = tuple(bytes((_ALPHABET[high], _ALPHABET[low])) for high in range(32) for low in range(32))

_OBJECTS: Final = b"annex/objects/"
_SPECIAL = re.compile(rb"[&%:/]")
_ESCAPES = {b"&": b"&a", b"%": b"&s", b":": b"&c", b"/": b"%"}
_ESCAPED = re.compile(rb"&[asc]|%")
_CHARACTERS = {escape: character for character, escape in _ESCAPES.items()}


def _md5(key: bytes) -> "hashlib._Hash":
    return hashlib.md5(key, usedforsecurity=False)


def hashdir_mixed(key: bytes) -> bytes:
    """The two folders that hold a key in an ordinary repository.

    >>> hashdir_mixed(b"SHA256E-s5--abc")
    b'WM/pw'
    """
    return _mixed(_md5(key).digest())


def _mixed(digest: bytes) -> bytes:
    word = int.from_bytes(digest[:4], "little")
    return _PAIRS[(word >> 6 & 31) << 5 | word & 31] + b"/" + _PAIRS[(word >> 18 & 31) << 5 | word >> 12 & 31]


def hashdir_lower(key: bytes) -> bytes:
    """The two folders that hold a key in bare repositories, in most remotes and on the git-annex branch.

    >>> hashdir_lower(b"SHA256E-s5--abc")
    b'1a1/74f'
    """
    digest = _md5(key).hexdigest()
    return f"{digest[:3]}/{digest[3:6]}".encode("ascii")


def file_name_of(key: bytes) -> bytes:
    """A key as the name of a file: what no file name may hold is escaped.

    >>> file_name_of(b"URL--http://x")
    b'URL--http&c%%x'
    """
    if key.find(b"&") == key.find(b"%") == key.find(b":") == key.find(b"/") == -1:  # far sooner known than by a search
        return key
    return _SPECIAL.sub(lambda match: _ESCAPES[match[0]], key)


def key_of(file_name: bytes) -> bytes:
    """The key that a file is named after: the inverse of `file_name_of`."""
    if b"&" not in file_name and b"%" not in file_name:
        return file_name
    return _ESCAPED.sub(lambda match: _CHARACTERS[match[0]], file_name)


def object_path(key: bytes) -> bytes:
    """Where an ordinary repository keeps the content of a key, relative to its git directory.

    >>> object_path(b"SHA256E-s5--abc")
    b'annex/objects/WM/pw/SHA256E-s5--abc/SHA256E-s5--abc'
    """
    name = file_name_of(key)
    return _OBJECTS + hashdir_mixed(key) + b"/" + name + b"/" + name


def object_path_lower(key: bytes) -> bytes:
    """Where a bare repository keeps the content of a key, relative to its git directory."""
    name = file_name_of(key)
    return _OBJECTS + hashdir_lower(key) + b"/" + name + b"/" + name


def log_path(key: bytes, suffix: bytes = b".log") -> bytes:
    """Where the git-annex branch keeps a log of a key; *suffix* names the kind of log.

    >>> log_path(b"SHA256E-s5--abc")
    b'1a1/74f/SHA256E-s5--abc.log'
    """
    return hashdir_lower(key) + b"/" + file_name_of(key) + suffix


def plain_paths(key: bytes) -> tuple[bytes, bytes]:
    """`object_path` and `log_path` of a key whose file name is the key itself: both by one digest.

    >>> plain_paths(b"SHA256E-s5--abc")
    (b'annex/objects/WM/pw/SHA256E-s5--abc/SHA256E-s5--abc', b'1a1/74f/SHA256E-s5--abc.log')
    """
    digest = _md5(key).digest()
    letters = digest[:3].hex()
    log = b"%b/%b/%b.log" % (letters[:3].encode(), letters[3:].encode(), key)
    return b"%b%b/%b/%b" % (_OBJECTS, _mixed(digest), key, key), log
