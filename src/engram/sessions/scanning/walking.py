"""Walk a share: which folders are sessions, what lies below each, and what lies in none."""

import errno
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from engram.model.errors import ShareUnavailable
from engram.sessions.scanning.assembling import Content, excluded_session
from engram.sessions.scanning.crew import Crew, Result, Task
from engram.sessions.scanning.derived import DERIVED, derived_templates
from engram.sessions.scanning.disk import Listing
from engram.sessions.scanning.folder import extension
from engram.sessions.scanning.looking import Look, Looked, look_again, look_at
from engram.sessions.scanning.names import Excluded, awkward
from engram.sessions.scanning.seen import SessionSeen
from engram.sessions.scanning.state import Kept, ScanState
from engram.sessions.templates import Reading, Template, first_reading

#: What a call says when a whole share may have gone, not only a folder of it.
_MAY_BE_GONE = {
    *(errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.EIO, errno.ENOTCONN),
    *(errno.EHOSTDOWN, errno.ENODEV, errno.ETIMEDOUT, errno.ENXIO, errno.EHOSTUNREACH),
}
_VANISHED = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


#: A session, and how its folder's name was read.
Found: TypeAlias = tuple[Reading, Looked]


@dataclass(slots=True, eq=False)
class Outside:
    """A folder that belongs to no session."""

    #: Files directly in it, by extension.
    files: dict[str, int] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    awkward: list[str] = field(default_factory=list)
    unreadable: str = ""


@dataclass(slots=True, eq=False, kw_only=True)
class _Unit:
    """A session's folder that is being looked at."""

    content: Content
    #: Templates that may claim folders below it for other sessions.
    claims: tuple[Template, ...]
    kept: Kept | None = None
    inner: list[str] = field(default_factory=list)
    #: Folders that were not listed yet.
    waiting: int = 0
    #: Something vanished while we looked: the next scan must look again.
    moved: bool = False


@dataclass(slots=True, eq=False, kw_only=True)
class Walk:
    """One walk over one share. Sessions come as they are complete; the rest stands here at the end."""

    look: Look
    templates: tuple[Template, ...]
    excluded: Excluded
    state: ScanState
    crew: Crew = field(default_factory=Crew)
    outside: dict[str, Outside] = field(default_factory=dict)
    files: int = 0
    left_out: int = 0
    #: The folders of all sessions.
    folders: set[str] = field(default_factory=set)
    _stack: list[tuple[Task, partial[Iterator[Found]]]] = field(default_factory=list)
    _by_depth: dict[int, tuple[Template, ...]] = field(default_factory=dict)
    #: The same below folders of derived data.
    _derived: tuple[Template, ...] = ()

    def sessions(self) -> Iterator[Found]:
        """Every session. Raises `ShareUnavailable` when the share goes away."""
        for template in self.templates:
            self._by_depth[template.depth] = (*self._by_depth.get(template.depth, ()), template)
        self._derived = derived_templates(self.templates)
        began = self._identity()
        self._list_outside("")
        while self._stack:
            if self.crew.at_once == 1:
                task, after = self._stack.pop()
                steps = len(self._stack)
                yield from after(self.crew.do_one(task))
                if len(self._stack) > steps + 1:
                    self._stack[steps:] = reversed(self._stack[steps:])
                continue
            batch = self._stack[-self.crew.at_once :]
            del self._stack[-self.crew.at_once :]
            batch.reverse()
            results = self.crew.do([task for task, _ in batch])
            steps = len(self._stack)
            for (_, after), result in zip(batch, results, strict=True):
                yield from after(result)
            self._stack[steps:] = reversed(self._stack[steps:])  # so that what comes first is looked at first
        if self._identity() != began:
            raise self._gone("something else lies in its place now")

    def _identity(self) -> object:
        try:
            return self.look.disk.identity(self.look.root)
        except OSError as error:
            raise self._gone(error.strerror or str(error)) from error

    def _gone(self, reason: str) -> ShareUnavailable:
        return ShareUnavailable(self.look.rules.share, f"{self.look.root}: {reason}")

    def _path(self, folder: str) -> str:
        return f"{self.look.root}/{folder}" if folder else self.look.root

    def _check_share(self, error: OSError) -> None:
        if error.errno in _MAY_BE_GONE:
            self._identity()

    # --- folders that belong to no session

    def _list_outside(self, folder: str) -> None:
        task = partial(self.look.disk.listing, self._path(folder))
        self._stack.append((task, partial(self._listed_outside, folder)))

    def _listed_outside(self, folder: str, found: Result) -> Iterator[Found]:
        if isinstance(found, OSError):
            if not folder:
                raise self._gone(found.strerror or str(found))
            self._check_share(found)
            if found.errno not in _VANISHED:
                self.outside[folder] = Outside(unreadable=found.strerror or str(found))
            return
        assert isinstance(found, Listing)
        if not folder and not (found.folders or found.files or self.look.full) and self.state.count():
            raise self._gone("it is empty, and held sessions before; is it mounted? (If it is empty indeed: --full)")
        self._note_outside(folder, found)
        for name in sorted(found.folders, key=lambda name: (bool(folder) or name.lower() not in DERIVED, name)):
            yield from self._visit(f"{folder}/{name}" if folder else name)

    def _note_outside(self, folder: str, found: Listing) -> None:
        here = Outside(links=found.links, others=found.others, awkward=awkward([*found.files, *found.folders]))
        for name in found.files:
            if self.excluded.any and self.excluded.file(f"{folder}/{name}" if folder else name):
                self.left_out += 1
                continue
            self.files += 1
            kind = extension(name)
            here.files[kind] = here.files.get(kind, 0) + 1
        if here.files or here.links or here.others or here.awkward:
            self.outside[folder] = here

    def _visit(self, folder: str) -> Iterator[Found]:
        """A folder outside of all sessions: one of its own, or a way to some."""
        reading = self._reading(folder)
        if self.excluded.any and self.excluded.folder(folder):
            self.left_out += 1
            if reading is not None:
                yield reading, self._left_out(folder, reading)
        elif reading is None:
            self._list_outside(folder)
        else:
            self._begin(folder, reading)

    def _reading(self, folder: str) -> Reading | None:
        if self.holds_derived(folder):
            return first_reading(self._derived, folder.partition("/")[2])
        return first_reading(self._by_depth.get(folder.count("/") + 1, ()), folder)

    def holds_derived(self, folder: str) -> bool:
        """Whether a folder holds what was computed from sessions that lie elsewhere on the share."""
        top = folder.partition("/")[0]
        return top.lower() in DERIVED and not any(each.text.startswith(f"{top}/") for each in self.templates)

    def _left_out(self, folder: str, reading: Reading) -> Looked:
        session = excluded_session(folder, reading, self.look.rules)
        return Looked(seen=SessionSeen(session=session, paths=list), kept=None, files=0)

    # --- sessions

    def _begin(self, folder: str, reading: Reading) -> None:
        self.folders.add(folder)
        known = self._derived if self.holds_derived(folder) else self.templates
        before = known[: known.index(reading.template)]
        claims = tuple(one for one in before if one.depth > reading.template.depth and one.may_hold(folder))
        kept = self.state.get(folder)
        unit = _Unit(content=Content(folder=folder, reading=reading), claims=claims, kept=kept)
        if kept is None or self.look.full:
            self._list(unit, "")
        else:
            self._stack.append((partial(look_again, self.look, folder, kept), partial(self._looked_again, unit)))

    def _looked_again(self, unit: _Unit, found: Result) -> Iterator[Found]:
        folder = unit.content.folder
        if not isinstance(found, Looked):  # it changed, or something in it cannot be asked for any more
            self._list(unit, "")
            return
        assert unit.kept is not None
        if found.kept is not None:
            self.state.keep(folder, found.kept)
        self.files += found.files
        yield unit.content.reading, found
        for inner in unit.kept.inner:
            yield from self._visit(f"{folder}/{inner}")

    def _list(self, unit: _Unit, path: str) -> None:
        unit.waiting += 1
        folder = unit.content.folder
        task = partial(self.look.disk.listing, self._path(f"{folder}/{path}" if path else folder))
        self._stack.append((task, partial(self._listed, unit, path)))

    def _listed(self, unit: _Unit, path: str, found: Result) -> Iterator[Found]:
        unit.waiting -= 1
        if isinstance(found, OSError):
            self._check_share(found)
            unit.moved = unit.moved or found.errno in _VANISHED
            if found.errno not in _VANISHED:
                unit.content.unreadable.append((path, found.strerror or str(found)))
        else:
            assert isinstance(found, Listing)
            yield from self._note(unit, path, found)
        content = unit.content
        if unit.moved and not content.folders:  # it went away as a whole
            self.folders.discard(content.folder)
        elif not unit.waiting:
            task = partial(look_at, self.look, unit.content, unit.inner, unit.kept)
            self._stack.append((task, partial(self._complete, unit)))

    def _note(self, unit: _Unit, path: str, found: Listing) -> Iterator[Found]:
        content = unit.content
        above = f"{path}/" if path else ""
        content.folders.append((path, found.modified_ns))
        names = [above + name for name in found.files] if above else found.files
        if self.excluded.any:
            kept = [name for name in names if not self.excluded.file(f"{content.folder}/{name}")]
            self.left_out += len(names) - len(kept)
            names = kept
        content.files += names
        if found.links or found.others:
            content.links += [above + name for name in found.links]
            content.others += [above + name for name in found.others]
        content.awkward += [above + name for name in awkward([*found.files, *found.folders])]
        for path in [above + name for name in sorted(found.folders)]:
            folder = f"{content.folder}/{path}"
            if self.excluded.any and self.excluded.folder(folder):
                self.left_out += 1
            elif unit.claims and first_reading(unit.claims, folder) is not None:
                unit.inner.append(path)  # another session's, by an earlier template
                yield from self._visit(folder)
            else:
                self._list(unit, path)

    def _complete(self, unit: _Unit, found: Result) -> Iterator[Found]:
        if isinstance(found, OSError):
            self._check_share(found)
            raise found
        assert isinstance(found, Looked)
        content = unit.content
        self.files += found.files
        if found.kept is not None and not unit.moved:
            self.state.keep(content.folder, found.kept)
        if content.files or content.unreadable or not unit.inner:
            yield content.reading, found
