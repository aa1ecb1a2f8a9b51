"""Find the sessions that a mass file speaks of among those that a scan recognised: by folder, else by who and when."""

import posixpath
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from engram.model.animals import how_to_add
from engram.model.lab import Share
from engram.sessions.answers import nearest
from engram.sessions.gathering import Spot
from engram.sessions.massfile.nodes import Problem
from engram.sessions.massfile.parsing import Entry
from engram.sessions.massfile.surroundings import Surroundings
from engram.sessions.scanned import Scanned
from engram.sessions.templates import Named, session_templates

_ADD_SHARE = "Add it: engram share add NAME PATH --also-known-as PREFIX; or mend the path."


@dataclass(slots=True)
class Found:
    """Where a mass file's sessions are."""

    #: What a session's entry is about, by the entry's path.
    by_path: dict[str, Scanned] = field(default_factory=dict)
    #: The subject of each entry at the top, by its path: its own name.
    subjects: dict[str, str] = field(default_factory=dict)
    #: Spots of which no clustering is to be taken, with the reason.
    unsorted: dict[Spot, str] = field(default_factory=dict)
    #: By path: where the session lies now, when that is not where the file says.
    moved: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def locate(roots: Sequence[Entry], scanned: Sequence[Scanned], around: Surroundings) -> Found:
    """Look for every session of every subject. A session that is not found, or found twice, is a problem."""
    finder = _Finder(scanned, around)
    found = Found()
    taken: dict[Spot, str] = {}
    for root in roots:
        subject = _subject(root, around, found)
        found.problems += _called_twice(root)
        for entry in root.entries("sessions"):
            one = finder.session(entry, subject, found) if entry.text("location") else None
            if one is None:
                continue
            place = (one.session.share, one.session.folder)
            if place in taken:
                found.problems.append(entry.problem("location", f"{taken[place]} is the same session"))
                continue
            taken[place] = entry.path
            found.by_path[entry.path] = one
            if "clustering" in entry.values and not entry.truth("clustering", default=True):
                found.unsorted[place] = f"{around.name} says so: {entry.path}.clustering is no"
    return found


def _subject(root: Entry, around: Surroundings, found: Found) -> str:
    """The subject's own name; '' for one that is not known, which is told."""
    (entry,) = root.entries("subject") or (None,)
    if entry is None or not (name := entry.text("name")):
        return ""
    if entry.number("datasource_id") not in (None, 0.0):
        found.problems.append(entry.problem("datasource_id", "there is no such source: only 0 is known"))
    own = around.known.subjects.get(name, "")
    if not own:
        near = nearest(name, around.known.subjects.keys())
        add = how_to_add(name)
        told = f"the catalogue has no subject {name}{near}"
        found.problems.append(entry.problem("name", told, f"{add[:1].upper()}{add[1:]}"))
    found.subjects[root.path] = own
    return own


def _called_twice(root: Entry) -> Iterator[Problem]:
    called: dict[str, str] = {}
    for entry in root.entries("sessions"):
        if (name := entry.text("name")) and called.setdefault(name, entry.path) != entry.path:
            yield entry.problem("name", f"{called[name]} has that name, too")


class _Finder:
    """What a scan recognised, by all that can be asked for."""

    def __init__(self, scanned: Sequence[Scanned], around: Surroundings) -> None:
        self._around = around
        self._by_folder = {(one.session.share, one.session.folder): one for one in scanned}
        self._folded: dict[Spot, list[Scanned]] = defaultdict(list)
        self._by_subject: dict[str, list[Scanned]] = defaultdict(list)
        for (share, folder), one in self._by_folder.items():
            self._folded[share, folder.casefold()].append(one)
            self._by_subject[self._own(one)].append(one)
        self._templates = {share.name: session_templates(share.template) for share in around.shares}

    def _own(self, one: Scanned) -> str:
        name = one.session.subject
        return self._around.known.subjects.get(name, name)

    def session(self, entry: Entry, subject: str, found: Found) -> Scanned | None:
        """The one that an entry is about; ``None`` when there is none, which is told."""
        location = entry.text("location")
        places = list(self._around.places(location))
        one, why, remedy = self._at(places, subject)
        if one is None and not why:
            one = self._by_name(location, subject)
            if one is not None:
                found.moved[entry.path] = f"it lies in {one.session.share}:{one.session.folder} now"
        if one is None:
            why, remedy = (why, remedy) if why else self._why_not(places)
            found.problems.append(entry.problem("location", why, remedy))
        elif subject and self._own(one) != subject:
            message = f"the session there is of {self._own(one)}, not of {subject}"
            found.problems.append(entry.problem("location", message))
            return None
        return one

    def _at(self, places: Sequence[tuple[Share, str]], subject: str) -> tuple[Scanned | None, str, str]:
        """The session in a folder, around it, or the only one below it; else why there is none to choose."""
        for share, path in places:
            if (one := self._holding(share.name, path)) is not None:
                return one, "", ""
        for share, path in places:
            below = [one for (name, folder), one in self._by_folder.items() if name == share.name and _in(folder, path)]
            mine = [one for one in below if not subject or self._own(one) == subject]
            if len(mine) == 1:
                return mine[0], "", ""
            if mine:
                folders = ", ".join(posixpath.relpath(one.session.folder, path) for one in mine[:4])
                more = f" and {len(mine) - 4} more" if len(mine) > 4 else ""
                return None, f"there are several sessions below it: {folders}{more}", "Name one of them."
        return None, "", ""

    def _holding(self, share: str, path: str) -> Scanned | None:
        """The session whose folder this is, or whose folder it lies in; capitals count only where they have to."""
        while path not in ("", "/"):
            if (share, path) in self._by_folder:
                return self._by_folder[share, path]
            alike = self._folded.get((share, path.casefold()), [])
            if len(alike) == 1:
                return alike[0]
            path = posixpath.dirname(path)
        return None

    def _by_name(self, location: str, subject: str) -> Scanned | None:
        """The session of this subject that began when the location says, wherever it lies."""
        parts = [part for part in location.replace("\\", "/").split("/") if part]
        for templates in self._templates.values():
            for template in templates:
                named = template.read("/".join(parts[-template.depth :]))
                fits = [] if named is None else [one for one in self._by_subject[subject] if _fits(one, named)]
                if named is not None and len(fits) == 1 and self._is(named.subject, subject):
                    return fits[0]
        return None

    def _is(self, name: str, subject: str) -> bool:
        return self._around.known.subjects.get(name, name) == subject

    def _why_not(self, places: Sequence[tuple[Share, str]]) -> tuple[str, str]:
        if not places:
            return f"it lies on no share of the lab: {self._around.where_shares_begin()}", _ADD_SHARE
        share, path = places[0]
        if share.name not in self._around.scanned:
            return f"the share {share.name} was not looked at", "Plan from all shares, or name this one, too."
        if why := self._around.trouble(share, path):
            folders = [folder for name, folder in self._by_folder if name == share.name]
            return f"{share.name}:{path} {why}{nearest(path, folders)}", "Mend the path, or mount the share."
        remedy = f"See what is there: engram sessions scan {share.name}"
        return f"no session was recognised in {share.name}:{path}", remedy


def _in(folder: str, path: str) -> bool:
    return path == "." or folder.startswith(f"{path}/")


def _fits(one: Scanned, named: Named) -> bool:
    """Whether a session began when a folder's name says."""
    began, said = one.session.started, named.started
    if isinstance(began, datetime) and isinstance(said, datetime):
        return began.replace(tzinfo=None, microsecond=0) == said.replace(tzinfo=None, microsecond=0)
    if said is None or one.session.ident != named.ident:
        return False
    return f"{began:%Y-%m-%d}" == f"{said:%Y-%m-%d}"
