"""Annexes of which some parts are links, pipes or lists that lead elsewhere, as they lie on a share or a stick.

Like those of `engram.testing.malice`: each function poisons a repository with some content in it in one way and says
how; `SQUATTERS` names all of them.
"""

import os
import subprocess
from pathlib import Path

from engram.testing.canary import Canary
from engram.testing.malice import Malice


def _git(folder: Path, *words: str, stdin: bytes = b"") -> str:
    done = subprocess.run(["git", *words], cwd=folder, input=stdin, check=True, capture_output=True)
    return done.stdout.decode(errors="surrogateescape").strip()


def _elsewhere(folder: Path, canary: Canary, name: str, *, content: str = "precious") -> None:
    place, outside = folder / ".git" / "annex" / name, canary.cage / name.replace("/", "-")
    outside.mkdir()
    (outside / content).write_text("somebody else's\n")
    if place.is_dir() and not place.is_symlink():
        os.rename(place, place.with_name(f"{place.name}.aside"))
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(outside)
    canary.settle()


def bad_content_elsewhere(folder: Path, canary: Canary) -> str:
    """Damaged content would be set aside in the cage."""
    _elsewhere(folder, canary, "bad")
    _flip(folder)
    return ".git/annex/bad is a link into the cage, and a content is damaged"


def half_content_elsewhere(folder: Path, canary: Canary) -> str:
    """What a transfer has so far would be written there, and cleaned up there."""
    _elsewhere(folder, canary, "tmp")
    return ".git/annex/tmp is a link into the cage"


def transfers_elsewhere(folder: Path, canary: Canary) -> str:
    """The same for what git-annex notes of transfers."""
    _elsewhere(folder, canary, "transfer")
    _elsewhere(folder, canary, "failed")
    return ".git/annex/transfer is a link into the cage"


def _flip(folder: Path) -> None:
    for place in (folder / ".git" / "annex" / "objects").glob("*/*/*/*"):
        place.parent.chmod(0o755)
        place.chmod(0o644)
        place.write_bytes(bytes(place.stat().st_size))
        place.chmod(0o444)
        place.parent.chmod(0o555)


def unused_list_that_climbs_out(folder: Path, _: Canary) -> str:
    """A list of unused contents that names what lies outside."""
    text = "1 MD5E-s1--../../../../../../cage/canary 1s\n2 .. 1s\n3 ../../../../cage 1s\n"
    for name in ("unused", "badunused", "tmpunused"):
        (folder / ".git" / "annex" / name).write_text(text)
    return "a list of unused contents that climbs out"


def content_folders_that_are_links(folder: Path, canary: Canary) -> str:
    """The folder of a content is a link into the cage, where a file lies by its name."""
    for number, place in enumerate(list((folder / ".git" / "annex" / "objects").glob("*/*/*/*"))):
        outside = canary.cage / f"content-{number}"
        place.parent.chmod(0o755)  # only root moves what is sealed
        os.rename(place.parent, outside)
        outside.chmod(0o555)
        place.parent.symlink_to(outside)
    canary.settle()
    return "folders of contents are links into the cage"


def subdataset_with_a_repository_elsewhere(folder: Path, canary: Canary) -> str:
    """An installed subdataset whose .git file names a repository in the cage; removing it must leave that alone."""
    other = canary.cage / "other"
    _git(folder, "clone", "-q", ".", str(other))
    sub = folder / "sub"
    sub.mkdir()
    (sub / ".git").write_text(f"gitdir: {other}/.git\n")
    (sub / "away").symlink_to(canary.cage)
    head = _git(other, "rev-parse", "HEAD")
    text = b'[submodule "sub"]\n\tpath = sub\n\turl = ./\n'
    (folder / ".gitmodules").write_bytes(text)
    _git(folder, "update-index", "--add", ".gitmodules", "--cacheinfo", f"160000,{head},sub")
    _git(folder, "commit", "-q", "--no-verify", "-m", "sub")
    canary.settle()
    return "a subdataset whose repository lies in the cage"


def pipes_for_lists(folder: Path, _: Canary) -> str:
    """The annex's own notes are pipes that nobody writes to."""
    for name in ("unused", "mergedrefs"):
        (folder / ".git" / "annex" / name).unlink(missing_ok=True)
        os.mkfifo(folder / ".git" / "annex" / name)
    return "the lists of the annex are pipes"


def pipes_for_contents(folder: Path, _: Canary) -> str:
    """Contents are such pipes."""
    for place in list((folder / ".git" / "annex" / "objects").glob("*/*/*/*")):
        place.parent.chmod(0o755)
        place.unlink()
        os.mkfifo(place)
    return "contents are pipes"


def pipes_for_unlocked_files(folder: Path, _: Canary) -> str:
    """In the work tree, in the place of files whose content is here, and of rules."""
    for place in (folder / ".git" / "annex" / "objects").glob("*/*/*/*"):
        pointer = f"/annex/objects/{place.name}\n".encode()
        oid = _git(folder, "hash-object", "-w", "--stdin", stdin=pointer)
        _git(folder, "update-index", "--add", "--cacheinfo", f"100644,{oid},{place.name}")
        os.mkfifo(folder / place.name)
    (folder / ".gitattributes").unlink()
    os.mkfifo(folder / ".gitattributes")
    return "unlocked files are pipes"


def pipes_for_objects(folder: Path, _: Canary) -> str:
    """git's own, and what would lead to more of them."""
    for place in list((folder / ".git" / "objects").glob("??/*")):
        place.unlink()
        os.mkfifo(place)
    os.mkfifo(folder / ".git" / "objects" / "info" / "alternates")
    return "objects of git are pipes"


def own_lock_is_a_pipe(folder: Path, _: Canary) -> str:
    """What engram locks cannot be locked."""
    (folder / ".git" / "engram").mkdir(exist_ok=True)
    (folder / ".git" / "engram" / "lock").unlink(missing_ok=True)
    os.mkfifo(folder / ".git" / "engram" / "lock")
    return "the lock is a pipe"


def journal_lock_is_a_folder(folder: Path, _: Canary) -> str:
    """What git-annex locks cannot be locked."""
    (folder / ".git" / "annex" / "journal.lck").unlink(missing_ok=True)
    (folder / ".git" / "annex" / "journal.lck").mkdir()
    return "the journal's lock is a folder"


def packed_refs_in_a_circle(folder: Path, _: Canary) -> str:
    """A list of refs that is a link to itself."""
    _git(folder, "pack-refs", "--all")
    (folder / ".git" / "packed-refs").unlink()
    (folder / ".git" / "packed-refs").symlink_to("packed-refs")
    return "packed-refs is a link to itself"


def folder_among_own_files(folder: Path, _: Canary) -> str:
    """Where engram clears what an earlier call left, and reckons with files alone."""
    (folder / ".git" / "engram" / "tmp" / "somebody" / "else").mkdir(parents=True)
    return "a folder in .git/engram/tmp"


#: All of the above.
SQUATTERS: tuple[Malice, ...] = (
    bad_content_elsewhere,
    half_content_elsewhere,
    transfers_elsewhere,
    unused_list_that_climbs_out,
    content_folders_that_are_links,
    subdataset_with_a_repository_elsewhere,
    pipes_for_lists,
    pipes_for_contents,
    pipes_for_unlocked_files,
    pipes_for_objects,
    own_lock_is_a_pipe,
    journal_lock_is_a_folder,
    packed_refs_in_a_circle,
    folder_among_own_files,
)
