"""Both tools on the same folder, and what they leave there in a form that can be compared."""

import json
import os
import re
import stat
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engram.workspace.context import Context
from engram.workspace.datasets import Datasets

SERVER = Path(__file__).with_name("datalad_server.py")
_TIME = re.compile(rb"\b1[0-9]{9}s\b")


class DataLad:
    """The real DataLad, kept running: ``datalad.save(folder, message="x")`` gives its records."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen(
            [python_of(program), str(SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "DATALAD_LOG_LEVEL": "critical"},
        )

    def __call__(self, verb: str, folder: Path, **arguments: Any) -> list[dict[str, Any]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"verb": verb, "folder": str(folder), "arguments": arguments}
        print(json.dumps(request), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def save(self, folder: Path, *paths: str, **arguments: Any) -> list[dict[str, Any]]:
        return self("save", folder, **({"path": list(paths)} if paths else {}), **arguments)

    def status(self, folder: Path, *paths: str, **arguments: Any) -> list[dict[str, Any]]:
        return self("status", folder, **({"path": list(paths)} if paths else {}), **arguments)

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=200)
        self._process.stdout.close()


def python_of(program: Path) -> str:
    """The Python that a peer's program is written for, which has the peer's modules."""
    return program.read_text(errors="replace").splitlines()[0].removeprefix("#!").strip()


# --- engram


def engram(
    folder: Path, *, environment: Mapping[str, str] | None = None, configuration: Iterable[str] = ()
) -> Datasets:
    """engram's dataset verbs in a folder."""
    surroundings = dict(os.environ if environment is None else environment)
    return Datasets(Context(folder=str(folder), environment=surroundings, git_configuration=tuple(configuration)))


def create(folder: Path, **options: Any) -> list[dict[str, Any]]:
    return [outcome.as_json() for outcome in engram(folder.parent).create(str(folder), **options)]


def save(folder: Path, *paths: str, **options: Any) -> list[dict[str, Any]]:
    return [outcome.as_json() for outcome in engram(folder).save(paths, **options)]


def status(folder: Path, *paths: str, **options: Any) -> list[dict[str, Any]]:
    return [outcome.as_json() for outcome in engram(folder).status(paths, **options)]


# --- records


def told(records: Iterable[Mapping[str, Any]], folder: Path) -> list[tuple[str, str, str, str, str]]:
    """What records say in all, with paths relative to *folder*: action, status, type, path, key."""
    return [
        (
            record["action"],
            record["status"],
            record.get("type") or "",
            os.path.relpath(record["path"], folder),
            record.get("key") or "",
        )
        for record in records
    ]


def notes(records: Iterable[Mapping[str, Any]]) -> set[str]:
    """The remarks of records, those that say nothing left out."""
    return {record["note"] for record in records if record.get("note")}


# --- what is there


def git(folder: Path, *arguments: str, stdin: str | None = None, fine: Iterable[int] = (0,)) -> str:
    """What a git command prints."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, input=stdin, encoding="utf-8", errors="surrogateescape"
    )
    assert done.returncode in tuple(fine), f"git {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


def annex(folder: Path, *arguments: str, fine: Iterable[int] = (0,)) -> str:
    """What a git-annex command prints."""
    return git(folder, "annex", *arguments, fine=fine)


def tree_of(folder: Path, revision: str = "HEAD") -> dict[str, str]:
    """Every path of a commit: its mode, and what it holds (a link's target, a pointer, or an object id)."""
    return dict(_tree(folder, revision))


def _tree(folder: Path, revision: str) -> Iterator[tuple[str, str]]:
    entries = [line for line in git(folder, "ls-tree", "-r", "-z", revision).split("\0") if line]
    for entry in entries:
        head, _, path = entry.partition("\t")
        mode, _, oid = head.split(" ")
        yield path, f"{mode} {oid}"


def staged(folder: Path) -> str:
    """The index, as git shows it."""
    return git(folder, "ls-files", "-s", "-z")


def blobs(folder: Path, oids: Iterable[str]) -> dict[str, bytes]:
    """The content of git objects."""
    wanted = list(dict.fromkeys(oids))
    done = subprocess.run(
        ["git", "cat-file", "--batch"], cwd=folder, input="\n".join(wanted).encode(), capture_output=True, check=True
    )
    found, at = {}, 0
    for oid in wanted:
        end = done.stdout.index(b"\n", at)
        size = int(done.stdout[at:end].split(b" ")[2])
        found[oid] = done.stdout[end + 1 : end + 1 + size]
        at = end + size + 2
    return found


def keys_of(folder: Path, revision: str = "HEAD") -> dict[str, str]:
    """The annex key of each annexed file of a commit."""
    held = {path: entry.split(" ")[1] for path, entry in tree_of(folder, revision).items() if entry[:2] != "16"}
    text = blobs(folder, held.values())
    return {
        path: os.fsdecode(text[oid].strip().rpartition(b"/")[2])
        for path, oid in held.items()
        if len(text[oid]) < 4096 and b"annex/objects/" in text[oid] and b"\0" not in text[oid]
    }


def annex_branch(folder: Path) -> dict[str, bytes]:
    """The files of the git-annex branch, with their times taken out, and without its diary of checks."""
    held = {path: entry.split(" ")[1] for path, entry in tree_of(folder, "git-annex").items() if path != "activity.log"}
    text = blobs(folder, held.values())
    return {path: _TIME.sub(b"(time)", text[oid]) for path, oid in held.items()}


def objects_of(folder: Path) -> dict[str, str]:
    """The annexed contents that are here, with the permissions of each and of its folder."""
    root = folder / ".git" / "annex" / "objects"
    return {
        str(
            path.relative_to(root)
        ): f"{stat.S_IMODE(path.stat().st_mode):o} in {stat.S_IMODE(path.parent.stat().st_mode):o}"
        for path in root.rglob("*")
        if path.is_file()
    }


def links_of(folder: Path) -> dict[str, str]:
    """The symbolic links of the work tree, and where they lead."""
    found = {}
    for path, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        for name in (*folders, *files):
            place = os.path.join(path, name)
            if os.path.islink(place):
                found[os.path.relpath(place, folder)] = os.readlink(place)
    return found


def modes_of(folder: Path) -> dict[str, str]:
    """The permissions of the work tree's regular files."""
    return {
        str(path.relative_to(folder)): f"{stat.S_IMODE(path.lstat().st_mode):o}"
        for path in folder.rglob("*")
        if ".git" not in path.relative_to(folder).parts and path.is_file() and not path.is_symlink()
    }


def without_complaint(folder: Path, datalad: DataLad | None = None) -> None:
    """git, git-annex and DataLad find nothing to complain about, and nothing that is not saved."""
    assert git(folder, "status", "--porcelain") == ""
    assert git(folder, "fsck", "--strict", "--full", "--no-dangling", "--no-progress") == ""
    if (folder / ".git" / "annex").exists():
        assert annex(folder, "fsck", "--quiet") == ""
        assert annex(folder, "find", "--not", "--in", "here") == ""
    if datalad is not None:
        dirty = [record for record in datalad.status(folder) if record.get("state") != "clean"]
        assert dirty == []


@dataclass(frozen=True, slots=True)
class Pair:
    """Two copies of one dataset, with one uuid: what both tools do to them must come out the same."""

    ours: Path
    theirs: Path

    def __iter__(self) -> Iterator[Path]:
        yield from (self.ours, self.theirs)


def pair_of(original: Path, under: Path) -> Pair:
    """Two copies of a dataset that differ in nothing."""
    places = under / "ours" / "ds", under / "theirs" / "ds"
    for place in places:
        place.mkdir(parents=True)
        subprocess.run(["cp", "-a", "--", f"{original}/.", str(place)], check=True)
        git(place, "update-index", "-q", "--really-refresh")
    return Pair(*places)


def write(folder: Path, path: str, content: str | bytes = "", *, mode: int | None = None) -> Path:
    """Write a file, with the folders above it; what was there is replaced, never written through."""
    place = folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.write_bytes(content.encode() if isinstance(content, str) else content)
    if mode is not None:
        place.chmod(mode)
    return place


def remove(folder: Path, *paths: str) -> Path:
    """Remove files or links."""
    for path in paths:
        (folder / path).unlink()
    return folder


def link(folder: Path, path: str, target: str) -> Path:
    """Make a symbolic link, in the place of what was there."""
    (folder / path).unlink(missing_ok=True)
    (folder / path).symlink_to(target)
    return folder
