"""Datasets that reach outside of themselves without running anything, and some that would fill the memory.

Like those of `engram.testing.malice`: each function poisons a git repository in one way and says how. Where it works,
something in the canary's cage is changed, or the canary is `heard_in` the dataset.
"""

import hashlib
import os
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

from engram.testing.bombs import bomb_in_a_pack, bomb_on_the_annex_branch
from engram.testing.canary import Canary
from engram.testing.malice import Malice, add_config, git_annex_branch_with

_REGULAR, _SYMLINK = 0o100644, 0o120000


def work_tree_elsewhere(folder: Path, canary: Canary) -> str:
    """What is saved is what lies in the cage."""
    add_config(folder, ("core.worktree", str(canary.cage)))
    return "core.worktree = the cage"


def repository_elsewhere(folder: Path, canary: Canary) -> str:
    """A ``.git`` file that names somebody else's repository."""
    other = canary.cage / "other.git"
    os.rename(folder / ".git", other)
    (folder / ".git").write_text(f"gitdir: {other}\n")
    canary.settle()
    return ".git names a repository in the cage"


def _replaced_by_link(folder: Path, canary: Canary, name: str) -> None:
    """Move a folder of ``.git`` into the cage, or make one there, and leave a link to it."""
    inside, outside = folder / ".git" / name, canary.cage / Path(name).name
    inside.parent.mkdir(parents=True, exist_ok=True)
    if inside.is_dir():
        os.rename(inside, outside)
    outside.mkdir(exist_ok=True)
    (outside / "precious").write_text("somebody else's\n")
    inside.symlink_to(outside)
    canary.settle()


def annex_elsewhere(folder: Path, canary: Canary) -> str:
    """Content, journal and temporary files would be written there."""
    _replaced_by_link(folder, canary, "annex")
    return ".git/annex is a link into the cage"


def annex_objects_elsewhere(folder: Path, canary: Canary) -> str:
    """Content would be written there."""
    _replaced_by_link(folder, canary, "annex/objects")
    return ".git/annex/objects is a link into the cage"


def annex_databases_elsewhere(folder: Path, canary: Canary) -> str:
    """git-annex would make its databases there."""
    add_config(folder, ("annex.dbdir", str(canary.cage)))
    return "annex.dbdir = the cage"


def uuid_of_several_lines(folder: Path, _: Canary) -> str:
    """Would write lines of its own into every location log."""
    add_config(folder, ("annex.uuid", "here\n1s 1 elsewhere\udce2"))
    return "annex.uuid holds a line break"


def annex_journal_elsewhere(folder: Path, canary: Canary) -> str:
    """What lies there would be recorded, and removed after that."""
    _replaced_by_link(folder, canary, "annex/journal")
    return ".git/annex/journal is a link into the cage"


def annex_temporary_elsewhere(folder: Path, canary: Canary) -> str:
    """What lies there would be tidied away."""
    _replaced_by_link(folder, canary, "annex/othertmp")
    return ".git/annex/othertmp is a link into the cage"


def own_folder_elsewhere(folder: Path, canary: Canary) -> str:
    """The same for this house's own temporary files."""
    _replaced_by_link(folder, canary, "engram")
    (canary.cage / "engram" / "tmp").mkdir(exist_ok=True)
    (canary.cage / "engram" / "tmp" / "precious").touch()
    canary.settle()
    return ".git/engram is a link into the cage"


def git_objects_elsewhere(folder: Path, canary: Canary) -> str:
    """Objects would be written there."""
    _replaced_by_link(folder, canary, "objects")
    return ".git/objects is a link into the cage"


def index_elsewhere(folder: Path, canary: Canary) -> str:
    """The index would be written there, and its lock."""
    index = folder / ".git" / "index"
    if index.exists():
        os.rename(index, canary.cage / "index")
    else:
        (canary.cage / "index").touch()
    index.symlink_to(canary.cage / "index")
    canary.settle()
    return ".git/index is a link into the cage"


def branch_elsewhere(folder: Path, canary: Canary) -> str:
    """The git-annex branch would be written over the canary."""
    branch = folder / ".git" / "refs" / "heads" / "git-annex"
    branch.unlink(missing_ok=True)
    branch.symlink_to(canary.file)
    return "refs/heads/git-annex is a link to the canary"


def head_elsewhere(folder: Path, canary: Canary) -> str:
    """A commit would be written over the canary."""
    way_out = os.path.relpath(canary.file, folder / ".git")
    (folder / ".git" / "HEAD").write_text(f"ref: refs/heads/../../{way_out}\n")
    return "HEAD names the canary as its branch"


def journal_name_with_dots(folder: Path, _: Canary) -> str:
    """A pending change to a file of the git-annex branch whose name climbs out of it.

    Source: https://git-annex.branchable.com/internals/ (.git/annex/journal: ``/`` is written ``_``, ``_`` is ``__``)
    """
    journal = folder / ".git" / "annex" / "journal"
    journal.mkdir(parents=True, exist_ok=True)
    for name in (".._cage_canary", "_etc_canary", ".git_config", "a_.._.._b.log"):
        (journal / name).write_text("1s 1 00000000-0000-4000-8000-000000000000\n")
    return "journal files that stand for ../cage/canary and other ways out"


def content_is_a_link(folder: Path, canary: Canary) -> str:
    """The content of a key is a link to the canary: reading, hashing or freezing it follows."""
    key = f"SHA256E-s4--{hashlib.sha256(b'data').hexdigest()}.txt"
    place = folder / ".git" / "annex" / "objects" / "00" / "00" / key
    place.mkdir(parents=True)
    (place / key).symlink_to(canary.file)
    (folder / "annexed.txt").symlink_to(f".git/annex/objects/00/00/{key}/{key}")
    return "an object of the annex is a link to the canary"


def link_through_the_annex(folder: Path, canary: Canary) -> str:
    """A link that looks like annexed content and climbs out."""
    way_out = os.path.relpath(canary.file, folder)
    key = f"SHA256E-s1--{'0' * 64}"
    (folder / "annexed.txt").symlink_to(f".git/annex/objects/00/00/{key}/../../../../../../{way_out}")
    return "a link through .git/annex/objects to the canary"


def pointer_with_dots(folder: Path, canary: Canary) -> str:
    """An unlocked file that names a key that climbs out."""
    way_out = os.path.relpath(canary.file, folder / ".git" / "annex" / "objects" / "00" / "00" / "x")
    (folder / "annexed.txt").write_text(f"/annex/objects/SHA256E-s1--{way_out}\n")
    return "a pointer file that names ../…/canary as its key"


def attributes_elsewhere(folder: Path, canary: Canary) -> str:
    """Rules that come from outside."""
    (canary.cage / "attributes").write_text("* annex.largefiles=nothing\n")
    canary.settle()
    (folder / ".gitattributes").unlink(missing_ok=True)
    (folder / ".gitattributes").symlink_to(canary.cage / "attributes")
    return ".gitattributes is a link into the cage"


def ignore_rules_elsewhere(folder: Path, canary: Canary) -> str:
    """The same for what is ignored."""
    (canary.cage / "ignore").write_text("nothing-of-that-name\n")
    canary.settle()
    (folder / ".gitignore").unlink(missing_ok=True)
    (folder / ".gitignore").symlink_to(canary.cage / "ignore")
    return ".gitignore is a link into the cage"


def attributes_without_end(folder: Path, _: Canary) -> str:
    """Rules that nobody finishes reading, in a folder of their own."""
    (folder / "waiting").mkdir()
    os.mkfifo(folder / "waiting" / ".gitattributes")
    (folder / "waiting" / "file").touch()
    return ".gitattributes is a pipe that nobody writes to"


def folder_swapped_for_a_link(folder: Path, canary: Canary) -> str:
    """A recorded folder has become a link into the cage: what is below it is no longer in the dataset."""
    (folder / "sub").mkdir()
    (folder / "sub" / "canary").write_text("as recorded\n")
    subprocess.run(["git", "add", "sub"], cwd=folder, check=True)
    subprocess.run(["git", "commit", "-qm", "sub", "--", "sub"], cwd=folder, check=True)
    (folder / "sub" / "canary").unlink()
    (folder / "sub").rmdir()
    (folder / "sub").symlink_to(canary.cage)
    return "a recorded folder became a link into the cage"


def submodule_names(folder: Path, canary: Canary) -> str:
    """Subdatasets whose names, paths and addresses climb out, look like options or end in a carriage return."""
    sections = (
        ("../../cage", "sub", f"./{canary.cage.name}"),
        ("option", "sub", f"--upload-pack={canary.command}"),
        ("path", "../cage", "./x"),
        ("dashed", "--help", "-u./x"),
        ("hidden", ".git/hooks", "./x"),
        ("returned", "sub\\r", "./x"),
        ("ext", "sub", f"ext::sh -c {canary.command}"),
    )
    text = "".join(
        f'[submodule "{name}"]\n\tpath = "{path}"\n\turl = "{url}"\n\tupdate = "!{canary.command}"\n'
        for name, path, url in sections
    )
    (folder / ".gitmodules").write_text(text)
    return ".gitmodules that climbs out"


def submodule_is_a_link(folder: Path, canary: Canary) -> str:
    """A recorded subdataset in whose place lies a link to somebody else's repository."""
    other = canary.cage / "other"
    subprocess.run(["git", "init", "-q", str(other)], check=True)
    subprocess.run(["git", "commit", "-q", "--allow-empty", "-m", "first"], cwd=other, check=True)
    (other / "unsaved").touch()
    canary.settle()
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=other, check=True, capture_output=True, text=True
    ).stdout.strip()
    subprocess.run(["git", "update-index", "--add", "--cacheinfo", f"160000,{commit},other"], cwd=folder, check=True)
    subprocess.run(["git", "commit", "-qm", "sub"], cwd=folder, check=True)
    (folder / "other").symlink_to(other)
    return "a recorded subdataset is a link into the cage"


def alternates_elsewhere(folder: Path, canary: Canary) -> str:
    """Objects of somebody else's repository count as this one's."""
    other = canary.cage / "other.git"
    subprocess.run(["git", "init", "-q", "--bare", str(other)], check=True)
    canary.settle()
    (folder / ".git" / "objects" / "info").mkdir(exist_ok=True)
    (folder / ".git" / "objects" / "info" / "alternates").write_text(f"{other}/objects\n")
    return "alternates in the cage"


def alternates_in_a_circle(folder: Path, _: Canary) -> str:
    """Objects that are looked for for ever."""
    (folder / ".git" / "objects" / "info").mkdir(exist_ok=True)
    (folder / ".git" / "objects" / "info" / "alternates").write_text("../objects\n.\n/\n")
    return "alternates that name themselves"


def index_of(entries: Iterable[tuple[int, bytes, bytes]]) -> bytes:
    """An index, version 2, of ``(mode, SHA-1, path)`` in the order given, without stat data; no path is refused.

    Source: https://git-scm.com/docs/index-format
    """
    body = b""
    count = 0
    for mode, sha1, path in entries:
        entry = struct.pack(">10I20sH", 0, 0, 0, 0, 0, 0, mode, 0, 0, 0, sha1, min(len(path), 0xFFF)) + path
        body += entry + bytes(8 - len(entry) % 8)
        count += 1
    body = struct.pack(">4sII", b"DIRC", 2, count) + body
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def index_that_climbs_out(folder: Path, canary: Canary) -> str:
    """Paths that are compared with, read from and written to outside."""
    blob = hashlib.sha1(b"blob 0\0", usedforsecurity=False).digest()
    way_out = os.fsencode(os.path.relpath(canary.file, folder))
    paths = sorted(
        (way_out, os.fsencode(canary.file), b".git/config", b"a/../../cage/canary", b".GIT/hooks/post-commit")
    )
    (folder / ".git" / "index").write_bytes(index_of((_REGULAR, blob, path) for path in paths))
    return "an index with ../, absolute and .git/ paths"


def index_with_a_lying_count(folder: Path, _: Canary) -> str:
    """More entries than there are bytes."""
    body = struct.pack(">4sII", b"DIRC", 2, 0xFFFF_FFFF)
    digest = hashlib.sha1(body, usedforsecurity=False).digest()
    (folder / ".git" / "index").write_bytes(body + digest)
    return "an index of four thousand million entries"


def settings_on_the_annex_branch(folder: Path, canary: Canary) -> str:
    """Settings for every clone, among them names of files outside."""
    lines = (f"annex.{name} {canary.file}" for name in ("largefiles", "private", "freezecontent-command"))
    git_annex_branch_with(folder, {"config.log": "".join(f"1s {line}\n" for line in lines).encode()})
    return "a config.log that names the canary"


#: All of the above.
ESCAPES: tuple[Malice, ...] = (
    work_tree_elsewhere,
    repository_elsewhere,
    annex_elsewhere,
    annex_objects_elsewhere,
    annex_databases_elsewhere,
    uuid_of_several_lines,
    annex_journal_elsewhere,
    annex_temporary_elsewhere,
    own_folder_elsewhere,
    git_objects_elsewhere,
    index_elsewhere,
    branch_elsewhere,
    head_elsewhere,
    journal_name_with_dots,
    content_is_a_link,
    link_through_the_annex,
    pointer_with_dots,
    attributes_elsewhere,
    ignore_rules_elsewhere,
    attributes_without_end,
    folder_swapped_for_a_link,
    submodule_names,
    submodule_is_a_link,
    alternates_elsewhere,
    alternates_in_a_circle,
    index_that_climbs_out,
    index_with_a_lying_count,
    settings_on_the_annex_branch,
    bomb_on_the_annex_branch,
    bomb_in_a_pack,
)
