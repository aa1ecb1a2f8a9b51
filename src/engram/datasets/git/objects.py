"""git objects as bytes: ids, trees, commits.

Source: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects and gitformat-signature(5)
"""

import hashlib
import re
from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias

from engram.model.errors import DamagedRepository

BLOB: Final = b"blob"
TREE: Final = b"tree"
COMMIT: Final = b"commit"
TAG: Final = b"tag"
KINDS: Final = frozenset({BLOB, TREE, COMMIT, TAG})

FILE_MODE: Final = 0o100644
EXECUTABLE_MODE: Final = 0o100755
SYMLINK_MODE: Final = 0o120000
SUBMODULE_MODE: Final = 0o160000
TREE_MODE: Final = 0o040000

#: The tree without entries.
EMPTY_TREE: Final = bytes.fromhex("4b825dc642cb6eb9a060e54bf8d69288fbee4904")
#: The blob without bytes.
EMPTY_BLOB: Final = bytes.fromhex("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")

#: One line of a tree: mode, name, object id (20 raw bytes).
TreeEntry: TypeAlias = tuple[int, bytes, bytes]

#: What no entry of a tree may be called.
NOT_NAMES: Final = frozenset({b".", b"..", b".git"})

#: How files beside the packs begin that engram has not finished. (git tidies away what begins with ``tmp_``.)
UNFINISHED: Final = b"tmp_engram_"

_TREE_LINE = re.compile(rb"([0-7]{5,6}) ([^\0/]+)\0(.{20})", re.DOTALL)
_MODES = {b"%o" % mode: mode for mode in (FILE_MODE, EXECUTABLE_MODE, SYMLINK_MODE, SUBMODULE_MODE, TREE_MODE)}
_OID_HEX = re.compile(rb"[0-9a-f]{40}")
_SMALL = 1 << 16


def object_id(kind: bytes, data: bytes) -> bytes:
    """The name of an object: 20 raw bytes.

    >>> object_id(b"blob", b"").hex()
    'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    if len(data) < _SMALL:
        return hashlib.sha1(b"%b %d\0%b" % (kind, len(data), data), usedforsecurity=False).digest()
    digest = hashlib.sha1(b"%b %d\0" % (kind, len(data)), usedforsecurity=False)
    digest.update(data)
    return digest.digest()


def encode_tree(entries: Iterable[TreeEntry]) -> bytes:
    """The bytes of a tree, its lines in git's order: folders sort as if their name ended in ``/``."""
    lines = {
        name + b"/" if mode == TREE_MODE else name: b"%o %b\0%b" % (mode, name, oid) for mode, name, oid in entries
    }
    return b"".join([lines[key] for key in sorted(lines)])


def decode_tree(data: bytes, name: str = "a tree") -> list[TreeEntry]:
    """The lines of a tree, in their order. *name* is for the error.

    Raises:
        DamagedRepository: for bytes that are no tree, or that name ``.``, ``..`` or ``.git``.
    """
    entries: list[TreeEntry] = []
    understood = 0
    for mode, entry, oid in _TREE_LINE.findall(data):  # one loop: most trees have few lines, and there are many trees
        if entry in NOT_NAMES:
            raise DamagedRepository(name, "it names an entry '.', '..' or '.git'")
        understood += len(mode) + len(entry) + 22
        entries.append((_MODES.get(mode) or int(mode, 8), entry, oid))
    if understood != len(data):
        raise DamagedRepository(name, "it is not a list of tree entries")
    return entries


class Commit(NamedTuple):
    """A commit, its people and message as the bytes they are."""

    tree: bytes
    parents: tuple[bytes, ...]
    #: ``Name <mail> seconds zone``, see `person`.
    author: bytes
    committer: bytes
    message: bytes
    #: Headers after *committer* in their order, continuation lines joined by newlines: encoding, gpgsig, mergetag, ….
    headers: tuple[tuple[bytes, bytes], ...] = ()

    @property
    def encoding(self) -> str:
        """What the message is written in; UTF-8 when nothing is said."""
        return dict(self.headers).get(b"encoding", b"UTF-8").decode("ascii", "replace")


def encode_commit(commit: Commit) -> bytes:
    """The bytes of a commit."""
    lines = [b"tree " + commit.tree.hex().encode()]
    lines += [b"parent " + parent.hex().encode() for parent in commit.parents]
    lines += [b"author " + commit.author, b"committer " + commit.committer]
    lines += [name + b" " + value.replace(b"\n", b"\n ") for name, value in commit.headers]
    return b"\n".join(lines) + b"\n\n" + commit.message


def decode_commit(data: bytes, name: str = "a commit") -> Commit:
    """A commit from its bytes; `encode_commit` gives them back. *name* is for the error."""
    head, _, message = data.partition(b"\n\n")
    headers = _headers(head.removesuffix(b"\n"), name)
    position = 1
    while position < len(headers) and headers[position][0] == b"parent":
        position += 1
    fields = [header[0] for header in (headers[0], *headers[position : position + 2])]
    if fields != [b"tree", b"author", b"committer"]:
        raise DamagedRepository(name, "a commit needs a tree, an author and a committer")
    return Commit(
        tree=_oid(headers[0][1], name),
        parents=tuple(_oid(value, name) for _, value in headers[1:position]),
        author=headers[position][1],
        committer=headers[position + 1][1],
        message=message,
        headers=tuple(headers[position + 2 :]),
    )


def _headers(head: bytes, name: str) -> list[tuple[bytes, bytes]]:
    headers: list[tuple[bytes, bytes]] = []
    for line in head.split(b"\n"):
        if line.startswith(b" ") and headers:
            field_name, value = headers[-1]
            headers[-1] = (field_name, value + b"\n" + line[1:])
            continue
        field_name, space, value = line.partition(b" ")
        if not space:
            raise DamagedRepository(name, "a header line of the commit has no value")
        headers.append((field_name, value))
    return headers


def _oid(text: bytes, name: str) -> bytes:
    if not _OID_HEX.fullmatch(text):
        raise DamagedRepository(name, "an object id is not 40 hex digits")
    return bytes.fromhex(text.decode())
