"""Union of several git-annex branches: what every clone said, together.

Source: https://git-annex.branchable.com/internals/ ("union merge"); refs that are merged: git-annex's own
``annex/mergedrefs``, lines of commit, tab, ref.
"""

import os
import re
from collections.abc import Iterator

from engram.datasets.annex.branch import AnnexBranch
from engram.datasets.annex.logs import merged, union
from engram.datasets.git.ancestry import is_ancestor
from engram.datasets.git.objects import TREE_MODE
from engram.datasets.git.odb import ObjectStore
from engram.datasets.git.refs import Refs
from engram.datasets.git.small_files import read_file

BRANCH = b"refs/heads/git-annex"
#: How far clocks of clones may be apart before a branch is merged that is merged already, which changes nothing.
SKEW_S = 86400
_LAST_PART = b"/git-annex"
_LOCATION_LOG = b".log"
_MERGED = re.compile(rb"[0-9a-f]{40}\t[^\t]+")


def siblings_tips(refs: Refs) -> dict[bytes, bytes]:
    """Every other git-annex branch that this repository knows of, and the commit it is at."""
    tips = {}
    for name in refs.names(b"refs/"):
        if name.endswith(_LAST_PART) and name != BRANCH and (oid := refs.resolve(name)):
            tips[name] = oid
    return tips


def unmerged(objects: ObjectStore, tip: bytes | None, tips: dict[bytes, bytes], git_dir: bytes) -> dict[bytes, bytes]:
    """Those of *tips* that say something the branch at *tip* does not have yet."""
    known = _merged_before(git_dir)
    return {
        name: oid
        for name, oid in tips.items()
        if (oid, name) not in known and not (tip and is_ancestor(objects, oid, tip, skew_s=SKEW_S))
    }


def merged_refs_file(git_dir: bytes) -> bytes:
    """Where git-annex notes what it has merged."""
    return os.path.join(git_dir, b"annex", b"mergedrefs")


def _merged_before(git_dir: bytes) -> set[tuple[bytes, bytes]]:
    lines = read_file(merged_refs_file(git_dir)).split(b"\n")
    return {(bytes.fromhex(line[:40].decode()), line[41:]) for line in lines if _MERGED.fullmatch(line)}


def joined(path: bytes, versions: list[bytes]) -> bytes:
    """What several versions of one file of the branch say together."""
    distinct = list(dict.fromkeys(filter(None, versions)))
    if len(distinct) < 2:
        return b"".join(distinct)
    return merged(distinct) if path.endswith(_LOCATION_LOG) and b"/" in path else union(distinct)


def differing(ours: AnnexBranch, theirs: AnnexBranch) -> Iterator[bytes]:
    """The paths of files that *theirs* has and *ours* has not, or otherwise. Folders alike are not looked into."""
    waiting = [(b"", ours.tree, theirs.tree)]
    while waiting:
        prefix, mine, other = waiting.pop()
        if mine == other:
            continue
        known = ours.entries(mine)
        for name, (mode, oid) in theirs.entries(other).items():
            there = known.get(name)
            if there == (mode, oid):
                continue
            if mode == TREE_MODE:
                inner = there[1] if there is not None and there[0] == mode else None
                waiting.append((prefix + name + b"/", inner, oid))
            else:
                yield prefix + name
