"""git objects as bytes, next to what git says of them."""

import pytest

from engram.datasets.git import objects
from engram.datasets.git.objects import (
    Commit,
    decode_commit,
    decode_tree,
    encode_commit,
    encode_tree,
    object_id,
)
from engram.model.errors import DamagedRepository
from tests.unit.datasets.git.conftest import Git

OID = bytes(range(20))


def test_an_object_has_the_id_that_git_gives_it(git: Git) -> None:
    for data in (b"", b"text\n", bytes(200_000)):
        assert object_id(b"blob", data).hex().encode() == git("hash-object", "--stdin", stdin=data).strip()


def test_the_well_known_empty_objects_have_their_ids() -> None:
    assert object_id(objects.TREE, b"") == objects.EMPTY_TREE
    assert object_id(objects.BLOB, b"") == objects.EMPTY_BLOB


def test_folders_sort_as_if_their_name_ended_in_a_slash(git: Git) -> None:
    tree = object_id(objects.TREE, b"").hex().encode()
    git("hash-object", "-w", "-t", "tree", "--stdin")
    blob = git("hash-object", "-w", "--stdin", stdin=b"x").strip()
    lines = [b"100644 blob %b\ta.b" % blob, b"040000 tree %b\ta" % tree, b"100755 blob %b\ta0" % blob]
    theirs = git("mktree", stdin=b"\n".join(lines) + b"\n").strip()
    entries = [
        (0o100755, b"a0", bytes.fromhex(blob.decode())),
        (0o040000, b"a", objects.EMPTY_TREE),
        (0o100644, b"a.b", bytes.fromhex(blob.decode())),
    ]
    data = encode_tree(entries)
    assert object_id(objects.TREE, data).hex().encode() == theirs
    assert [name for _, name, _ in decode_tree(data)] == [b"a.b", b"a", b"a0"]


@pytest.mark.parametrize(
    "data",
    [
        b"x",
        b"100644 a\0" + OID[:19],
        b"100644 a/b\0" + OID,
        b"100644 ..\0" + OID,
        b"40000 .git\0" + OID,
        b"9 a\0" + OID,
    ],
)
def test_bytes_that_are_no_tree_are_refused(data: bytes) -> None:
    with pytest.raises(DamagedRepository):
        decode_tree(data)


def test_a_commit_is_what_git_writes(git: Git) -> None:
    tree = git("hash-object", "-w", "-t", "tree", "--stdin").strip()
    git("config", "i18n.commitEncoding", "ISO-8859-1")
    env = ["-c", "user.name=A, B", "-c", "user.email=a@b"]
    oid = git(*env, "commit-tree", tree, stdin="grün\n\nzwei\n".encode("latin-1")).strip()
    data = git("cat-file", "commit", oid)
    commit = decode_commit(data)
    assert encode_commit(commit) == data
    assert commit.encoding == "ISO-8859-1"
    assert commit.author.startswith(b"A, B <a@b> ")


def test_a_signature_stays_in_a_commit() -> None:
    signature = b"-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----"
    who = b"A <a@b> 1 +0000"
    commit = Commit(
        tree=OID, parents=(OID, OID), author=who, committer=who, message=b"m\n", headers=((b"gpgsig", signature),)
    )
    assert decode_commit(encode_commit(commit)) == commit


@pytest.mark.parametrize("data", [b"", b"tree x\n\n", b"tree " + b"0" * 40 + b"\n\nm", b"parent\n\n", b"\n\n"])
def test_bytes_that_are_no_commit_are_refused(data: bytes) -> None:
    with pytest.raises(DamagedRepository):
        decode_commit(data)
