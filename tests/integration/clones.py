"""Datasets that know each other as siblings, and what dropping needs to be tried on them."""

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engram.datasets.annex.hashdirs import object_path, object_path_lower
from engram.datasets.annex.pointers import key_in
from engram.datasets.dataset import Surroundings, open_dataset
from engram.datasets.whereabouts import Whereabouts
from engram.durable import Steps
from engram.testing.places import Template
from engram.workspace.context import Context
from engram.workspace.dropping import Dropping
from tests.interop.peers import annex, create, git, save, write

FILES = {"a.dat": "a" * 3000, "d/b.dat": "b" * 2000, "d/same.dat": "a" * 3000, "d/e/c.dat": "c" * 10}


def two_clones(folder: Path) -> Path:
    """A folder with datasets ``a`` and ``b``, siblings of each other, which both hold all of `FILES`."""
    one = folder / "a"
    create(one)
    write(one, "notes.txt", "in git\n")
    save(one, to_git=True)
    for name, text in FILES.items():
        write(one, name, text)
    save(one, message="files")
    git(one, "branch", "-q", "-M", "main")
    git(folder, "clone", "-q", "a", "b")
    connect(folder, "b", "origin", "a")
    annex(folder / "b", "init", "-q", "b")
    annex(folder / "b", "get", "-q", ".")
    connect(folder, "a", "b", "b")
    for _ in range(2):
        for name in ("a", "b"):
            git(folder / name, "fetch", "-q", "--all")
            annex(folder / name, "merge", "-q")
    return folder


def connect(folder: Path, of: str, name: str, to: str) -> None:
    """Make one dataset a sibling of another, by a path that holds wherever *folder* is copied to."""
    if name in git(folder / of, "remote").split():
        git(folder / of, "remote", "set-url", name, f"../{to}")
    else:
        git(folder / of, "remote", "add", name, f"../{to}")
    git(folder / of, "config", f"remote.{name}.annex-uuid", uuid_of(folder / to))


def uuid_of(dataset: Path) -> str:
    return git(dataset, "config", "annex.uuid").strip()


def fresh(template: Template) -> Path:
    """Another copy, whose indexes know its files."""
    folder = template.fresh()
    for name in ("a", "b"):
        git(folder / name, "update-index", "-q", "--really-refresh")
    return folder


class Known:
    """What is known of two clones, so that hundreds of copies of them can be looked at without git."""

    def __init__(self, original: Path) -> None:
        self._keys = {name: key_of(original / "a", name) for name in FILES}
        self._uuids = {name: uuid_of(original / name).encode() for name in ("a", "b")}

    def holding(self, folder: Path, of: str) -> set[str]:
        """The files whose contents a clone holds."""
        layouts = {name: os.fsdecode(object_path(key)) for name, key in self._keys.items()}
        return {name for name, layout in layouts.items() if (folder / of / ".git" / layout).is_file()}

    def claimed(self, folder: Path, of: str) -> set[str]:
        """The files whose contents a clone says that it holds."""
        opened = open_dataset(str(folder / of), Surroundings(environment=dict(os.environ)))
        whereabouts = Whereabouts(opened)
        return {name for name, key in self._keys.items() if self._uuids[of] in whereabouts.holders(key)}

    def nothing_lost(self, folder: Path) -> None:
        """Every content is somewhere, and where a clone says that it has one, it has it."""
        held = {of: self.holding(folder, of) for of in ("a", "b")}
        assert held["a"] | held["b"] == set(FILES), "somebody dropped the last copy"
        for of, names in held.items():
            assert self.claimed(folder, of) <= names, f"{of} claims what it has not"


def verbs(folder: Path, steps: Steps | None = None) -> Dropping:
    return Dropping(Context(folder=str(folder), environment=dict(os.environ)), steps=steps)


def drop(folder: Path, *paths: str, steps: Steps | None = None, **options: Any) -> list[dict[str, Any]]:
    return [outcome.as_json() for outcome in verbs(folder, steps).drop(paths, **options)]


def remove(folder: Path, *paths: str, steps: Steps | None = None, **options: Any) -> list[dict[str, Any]]:
    return [outcome.as_json() for outcome in verbs(folder, steps).remove(paths, **options)]


def key_of(dataset: Path, name: str) -> bytes:
    """The key of an annexed file, locked or not."""
    text = git(dataset, "show", f":{name}").encode()
    key = key_in(text)
    assert key is not None
    return key


def object_of(dataset: Path, name: str) -> Path:
    """Where the content of a file lies, or would."""
    git_dir = dataset / ".git" if (dataset / ".git").is_dir() else dataset
    key = key_of(dataset, name) if git_dir != dataset else name.encode()
    place = git_dir / os.fsdecode(object_path(key))
    return (
        place
        if place.exists()
        else next((other for other in [git_dir / os.fsdecode(object_path_lower(key))] if other.exists()), place)
    )


def has(dataset: Path, name: str) -> bool:
    return object_of(dataset, name).is_file()


def rewrite(place: Path, text: str) -> None:
    """Give an object another content, past its permissions."""
    place.parent.chmod(0o755)
    place.chmod(0o644)
    place.write_text(text)
    place.chmod(0o444)
    place.parent.chmod(0o555)


def delete(place: Path) -> None:
    """Delete an object, and tell nobody."""
    place.parent.chmod(0o755)
    place.unlink()


def says_it_has(dataset: Path, name: str, whose: Path) -> bool:
    """Whether a dataset's log says that another (or itself) holds a file's content."""
    out = annex(dataset, "whereis", "--json", name, fine=(0, 1))
    return uuid_of(whose) in out


@contextmanager
def locked(place: Path, kind: int) -> Iterator[None]:
    """Hold the lock of an object as git-annex does: a POSIX record lock."""
    mode = place.parent.stat().st_mode
    place.parent.chmod(0o755)
    descriptor = os.open(f"{place}.lck", os.O_RDWR | os.O_CREAT, 0o666)
    place.parent.chmod(mode)
    # an open file description lock, so that it excludes this very process, too
    fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, struct.pack("hhqqi", kind, os.SEEK_SET, 0, 0, 0))
    try:
        yield
    finally:
        os.close(descriptor)
