"""Key backends: how git-annex names a content, for the backends that the standard library can compute.

Names are bytes throughout: a file's extension becomes part of its key, and a file name is bytes.

Source: https://git-annex.branchable.com/backends/ and https://git-annex.branchable.com/internals/key_format/
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final, Protocol

from engram.model.errors import NotAKey


class Hasher(Protocol):
    """What `hashlib` makes: fed with bytes, asked for a hex digest."""

    def update(self, data: bytes | bytearray | memoryview, /) -> None: ...

    def hexdigest(self) -> str: ...


def _makers() -> Mapping[str, Callable[..., Hasher]]:
    makers: dict[str, Callable[..., Hasher]] = {
        "MD5": partial(hashlib.md5, usedforsecurity=False),
        "SHA1": partial(hashlib.sha1, usedforsecurity=False),
    }
    for bits in (224, 256, 384, 512):
        makers[f"SHA{bits}"] = getattr(hashlib, f"sha{bits}")
        makers[f"SHA3_{bits}"] = getattr(hashlib, f"sha3_{bits}")
    for bits in (160, 224, 256, 384, 512):
        makers[f"BLAKE2B{bits}"] = partial(hashlib.blake2b, digest_size=bits // 8)
    for bits in (160, 224, 256):
        makers[f"BLAKE2S{bits}"] = partial(hashlib.blake2s, digest_size=bits // 8)
    return MappingProxyType(makers | {f"{name}E": maker for name, maker in makers.items()})


#: Backend → maker of its hasher, which takes the first bytes if there are any yet.
#: git-annex has more (SKEIN, BLAKE2BP, BLAKE3, XXH3, WORM, external ones):
#: those are not here, and a dataset that asks for one is handed to git-annex.
NATIVE: Final = _makers()

#: ``annex.maxextensionlength`` and ``annex.maxextensions`` when they are not set.
MAX_EXTENSION_LENGTH: Final = 4
MAX_EXTENSIONS: Final = 2

_EXTENSION_PART = re.compile(rb"[A-Za-z0-9\x80-\xff]*")
_SEPARATOR = b"--"


def is_native(backend: str) -> bool:
    """Whether engram can make keys of this backend itself."""
    return backend in NATIVE


def new_hasher(backend: str) -> Hasher:
    """A fresh hasher for one content. `KeyError` unless the backend `is_native`."""
    return NATIVE[backend]()


def keeps_extension(backend: str) -> bool:
    """Whether keys of this backend end in the file's extension: those whose name ends in E do."""
    return backend.endswith("E")


def extension_of(name: bytes, max_length: int = MAX_EXTENSION_LENGTH, max_extensions: int = MAX_EXTENSIONS) -> bytes:
    """The part of a file name that an ``…E`` key keeps, with its leading dot, or nothing.

    *name* may be a whole path. Parts between dots are taken from the end until one is longer than *max_length*
    bytes; parts with a byte that is neither alphanumeric nor beyond ASCII are passed over; at most
    *max_extensions* are kept.

    >>> extension_of(b"sub-01/anat/T1w.nii.gz")
    b'.nii.gz'
    >>> extension_of(b".hidden"), extension_of(b"x.gz.abcde"), extension_of(b"v.abc.de f")
    (b'', b'', b'.abc')
    """
    _, dot, rest = name[name.rfind(b"/") + 1 :].lstrip(b".").partition(b".")
    if not dot:
        return b""
    if len(rest) <= max_length and rest.isalnum() and max_extensions:  # the usual one; isalnum() knows ASCII alone
        return b"." + rest
    kept: list[bytes] = []
    for part in reversed(rest.split(b".")):
        if len(part) > max_length or len(kept) >= max_extensions:
            break
        if _EXTENSION_PART.fullmatch(part):
            kept.append(part)
    return b"".join(b"." + part for part in reversed(kept) if part)


def key_for(
    backend: str,
    size_bytes: int,
    hexdigest: str,
    name: bytes = b"",
    *,
    max_length: int = MAX_EXTENSION_LENGTH,
    max_extensions: int = MAX_EXTENSIONS,
) -> bytes:
    """The key of a content; *name* is the file it was found in, and matters only to ``…E`` backends.

    >>> key_for("MD5E", 5, "5d41402abc4b2a76b9719d911017c592", b"greeting.txt")
    b'MD5E-s5--5d41402abc4b2a76b9719d911017c592.txt'
    """
    stem = f"{backend}-s{size_bytes}--{hexdigest}".encode("ascii")
    if not keeps_extension(backend):
        return stem
    return stem + extension_of(name, max_length, max_extensions)


def backend_of(key: bytes) -> str:
    """The backend named in a key. Raises `NotAKey`."""
    backend = key.partition(b"-")[0]
    if not backend or _SEPARATOR not in key:
        raise NotAKey(key.decode(errors="surrogateescape"))
    return backend.decode(errors="surrogateescape")


def verifies(backend: str) -> bool:
    """Whether engram can check a content against its key: the key holds a digest of a native backend."""
    return is_native(backend)


def digest_of(key: bytes) -> str:
    """The hex digest in a key of a native backend, without the extension that an ``…E`` key carries.

    >>> digest_of(b"MD5E-s5--5d41402abc4b2a76b9719d911017c592.txt")
    '5d41402abc4b2a76b9719d911017c592'
    """
    name = key.partition(_SEPARATOR)[2]
    return name.partition(b".")[0].decode("ascii", "replace")
