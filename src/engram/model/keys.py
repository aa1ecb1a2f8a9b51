"""git-annex keys: content-derived names for file contents."""

import re
from dataclasses import dataclass
from typing import Self

from engram.model.errors import NotAKey

_KEY = re.compile(
    r"(?P<backend>[A-Z0-9_]+)(-s(?P<size>0|[1-9][0-9]*))?(-m(?P<mtime>0|[1-9][0-9]*))?--(?P<name>.+)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Key:
    """The name git-annex gives to one file's content.

    Chunk fields (``-S``, ``-C``) are refused: they live only inside remotes.

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
        match = _KEY.fullmatch(text)
        if match is None:
            raise NotAKey(text)
        size, mtime = (int(text) if text else None for text in match.group("size", "mtime"))
        return cls(match["backend"], match["name"], size, mtime)

    def __str__(self) -> str:
        size = "" if self.size_bytes is None else f"-s{self.size_bytes}"
        mtime = "" if self.mtime is None else f"-m{self.mtime}"
        return f"{self.backend}{size}{mtime}--{self.name}"

    @property
    def hash_name(self) -> str:
        """As `hashlib` spells it, for the SHA and MD5 families."""
        return self.backend.removesuffix("E").lower()

    @property
    def digest(self) -> str:
        """The hex digest alone."""
        return self.name.partition(".")[0]
