"""git-annex keys: content-derived names for file contents."""

import re
from typing import Self

from engram.model.errors import NotAKey
from engram.model.records import record

_KEY = re.compile(
    rb"(?P<backend>[^-]+)(?:-s(?P<size>[0-9]+))?(?:-m(?P<mtime>[0-9]+))?"
    rb"(?P<chunk>(?:-S[0-9]+)?(?:-C[0-9]+)?)--(?P<name>.*)",
    re.DOTALL,
)
#: What nearly all keys look like: in their normal form, and fit to name a file.
_PLAIN = re.compile(rb"[A-Z0-9_]{1,16}(?:-s(?:0|[1-9][0-9]{0,17}))?--[0-9a-f]{1,128}(?:\.[0-9A-Za-z.]{1,16})?")
#: A number that git-annex would print without its leading zeros.
_PADDED = re.compile(rb"(?<=-[smSC])0+(?=[0-9])")
#: git-annex refuses longer extensions, so that nobody can hide a collision block in one.
_LONGEST_EXTENSION_BYTES = 64
#: Of the name of a file; some characters of a key take two there.
_LONGEST_NAME_BYTES = 255


def is_plain(key: bytes) -> bool:
    """Whether a key looks as nearly all do: then it is in its normal form, and fit to name a file without escapes."""
    return _PLAIN.fullmatch(key) is not None


def normal_form(key: bytes) -> bytes | None:
    """A key as git-annex would print it after reading it, or ``None`` when it would not read it.

    Keys that no file can be named after, because of a NUL or of their length, are refused, too.

    Source: https://git-annex.branchable.com/internals/key_format/

    >>> normal_form(b"MD5E-s05--ab.txt"), normal_form(b"no-key")
    (b'MD5E-s5--ab.txt', None)
    """
    if _PLAIN.fullmatch(key):
        return key
    match = _KEY.fullmatch(key)
    if match is None or not _can_name_a_file(key) or not _extension_fits(match["backend"], match["name"]):
        return None
    fields_end = match.start("name") - 2
    fields = key[:fields_end]
    if b"-s0" not in fields and b"-m0" not in fields and b"0" not in match["chunk"]:
        return key
    return _PADDED.sub(b"", fields) + key[fields_end:]


def _can_name_a_file(key: bytes) -> bool:
    if len(key) < _LONGEST_NAME_BYTES // 2:
        return b"\0" not in key
    return b"\0" not in key and len(key) + sum(map(key.count, (b"&", b"%", b":"))) <= _LONGEST_NAME_BYTES


def _extension_fits(backend: bytes, name: bytes) -> bool:
    if not backend.endswith(b"E") or len(name) <= _LONGEST_EXTENSION_BYTES:
        return True
    dot = name.find(b".")
    return dot < 0 or len(name) - dot <= _LONGEST_EXTENSION_BYTES


@record(kw_only=False)
class Key:
    """The name git-annex gives to one file's content.

    Chunk fields (``-S``, ``-C``) are refused: they live only inside remotes. Bytes of an extension that are not
    UTF-8 are kept as `os.fsdecode` would keep them.

    Source: https://git-annex.branchable.com/internals/key_format/

    >>> key = Key.parse("SHA256E-s5--2cf24dba.bin")
    >>> key.size_bytes, key.hash_name, key.digest
    (5, 'sha256', '2cf24dba')
    >>> str(key)
    'SHA256E-s5--2cf24dba.bin'
    """

    #: Hash family. A trailing ``E`` means *name* keeps the file extension.
    backend: str
    #: Hex digest, with extension for the E family.
    name: str
    #: Size of the content in bytes; ``None`` when unknown (URL keys).
    size_bytes: int | None = None
    #: Modification time, only in WORM keys (which name no content).
    mtime: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a key as git-annex prints it. Raises `NotAKey`."""
        key = text.encode(errors="surrogateescape")
        match = _KEY.fullmatch(key)
        if match is None or match["chunk"] or normal_form(key) is None:
            raise NotAKey(text)
        size, mtime = (None if digits is None else int(digits) for digits in match.group("size", "mtime"))
        backend, name = (part.decode(errors="surrogateescape") for part in match.group("backend", "name"))
        return cls(backend, name, size, mtime)

    def __str__(self) -> str:
        size = "" if self.size_bytes is None else f"-s{self.size_bytes}"
        mtime = "" if self.mtime is None else f"-m{self.mtime}"
        return f"{self.backend}{size}{mtime}--{self.name}"

    def __bytes__(self) -> bytes:
        return str(self).encode(errors="surrogateescape")

    @property
    def hash_name(self) -> str:
        """As `hashlib` spells it, for the SHA and MD5 families."""
        return self.backend.removesuffix("E").lower()

    @property
    def digest(self) -> str:
        """The hex digest alone."""
        return self.name.partition(".")[0]
