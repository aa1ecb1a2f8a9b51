"""The index's TREE extension: the tree object of each folder that the index still has unchanged.

Source: gitformat-index(5), "Cache tree"
"""

from dataclasses import dataclass, field

from engram.model.errors import DamagedRepository

_OID_BYTES = 20
_DEEPEST = 4096


@dataclass(slots=True, repr=False, match_args=False)
class CacheTree:
    """What the index knows about one folder. Nodes are shared between versions: never change one in place."""

    #: Index entries below, at any depth; -1 when the folder's tree is not known.
    count: int
    #: The folder's tree object, 20 raw bytes; empty when not known.
    oid: bytes
    #: The folders in it that the index knows about, by name.
    children: dict[bytes, "CacheTree"] = field(default_factory=dict)

    @property
    def is_valid(self) -> bool:
        """The folder's tree object is known."""
        return self.count >= 0


def decode_cache_tree(data: bytes, path: str) -> CacheTree | None:
    """The root of the TREE extension; ``None`` when it is empty. *path* names the index in errors."""
    if not data:
        return None
    reader = _Reader(data, path)
    name, root, left = reader.node()
    if name:
        raise reader.damaged()
    stack = [(root, left)]
    while stack:
        parent, left = stack.pop()
        if not left:
            continue
        stack.append((parent, left - 1))
        name, node, left = reader.node()
        if not name or name in parent.children or len(stack) > _DEEPEST:
            raise reader.damaged()
        parent.children[name] = node
        stack.append((node, left))
    if reader.position != len(data):
        raise reader.damaged()
    return root


class _Reader:
    def __init__(self, data: bytes, path: str) -> None:
        self.data = data
        self.path = path
        self.position = 0

    def damaged(self) -> DamagedRepository:
        return DamagedRepository(self.path, "its cache of trees (TREE) does not parse")

    def node(self) -> tuple[bytes, CacheTree, int]:
        """Name, node, and how many of its folders follow."""
        try:
            end = self.data.index(0, self.position)
            line = self.data.index(b"\n", end)
            count_text, left_text = self.data[end + 1 : line].split(b" ")
            name, count, left = self.data[self.position : end], int(count_text), int(left_text)
        except ValueError:
            raise self.damaged() from None
        self.position = line + 1
        if count < 0:
            count, oid = -1, b""
        else:
            oid = self.data[self.position : self.position + _OID_BYTES]
            self.position += _OID_BYTES
        if left < 0 or self.position > len(self.data):
            raise self.damaged()
        return name, CacheTree(count, oid), left


def encode_cache_tree(root: CacheTree) -> bytes:
    """The bytes of the TREE extension, folders in git's order there: shorter names first, then bytewise."""
    parts: list[bytes] = []
    stack = [(b"", root)]
    while stack:
        name, node = stack.pop()
        parts.append(b"%b\0%d %d\n%b" % (name, node.count, len(node.children), node.oid))
        if node.children:
            stack += sorted(node.children.items(), key=_length_then_bytes, reverse=True)
    return b"".join(parts)


def _length_then_bytes(item: tuple[bytes, CacheTree]) -> tuple[int, bytes]:
    return len(item[0]), item[0]
