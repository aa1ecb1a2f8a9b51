"""Which folders are of one session: by the subject and the time that they name, and by what the catalogue has."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from engram.model.recordings import Recording, Session
from engram.sessions.deciding import Decider, shown
from engram.sessions.gathering import is_one_visit
from engram.sessions.identity import Place, identified, names_itself, places
from engram.sessions.known import Known, KnownSession
from engram.sessions.scanned import Scanned

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(slots=True, kw_only=True, eq=False)
class Group:
    """The folders of one session that were looked at."""

    #: The subject's own name.
    subject: str
    #: What the catalogue has of it.
    home: KnownSession | None
    parts: list[Scanned] = field(default_factory=list)
    #: Folders that name less than the session does: it is not called after them.
    followers: set[tuple[str, str]] = field(default_factory=set)

    def is_follower(self, part: Scanned) -> bool:
        """Whether a folder names less than the session does."""
        return (part.session.share, part.session.folder) in self.followers

    def is_on(self, share: str) -> bool:
        """Whether a folder of it lies there."""
        sessions = [part.session for part in self.parts] + ([self.home.session] if self.home else [])
        return any(_is_on(each, share) for each in sessions)


class Homes:
    """The sessions of the catalogue, as a scan comes upon them."""

    def __init__(self, known: Known, sessions: Sequence[Session]) -> None:
        self._known = known
        #: Places that were seen; whatever else the catalogue knows on these shares is gone.
        self._seen = {(place.share, place.path) for place in places(sessions)}
        self.shares = {session.share for session in sessions}
        #: Recordings that come to a session by the plan in the making: its id, and the recording; by its id.
        self.taken: dict[str, tuple[str, Recording]] = {}
        #: Recordings that the session which has them holds still, perhaps in another place.
        self._kept: set[str] = set()
        #: Folders that are still there.
        self.folders = {(session.share, session.folder) for session in sessions}
        self._at_home = {
            place.recording.id: place for each in known.sessions.values() for place in places([each.session])
        }
        self._by_folder = {spot: each for each in known.sessions.values() for spot in each.session.folders}
        self._by_name = {_key(each.session): each for each in known.sessions.values()}
        self._by_day: dict[tuple[str, date], list[KnownSession]] | None = None
        #: Sessions of the catalogue that are on a share by their name or folder.
        self._claimed = {
            (home.session.id, session.share) for session in sessions if (home := self._named(session)) is not None
        }

    def of(self, session: Session) -> KnownSession | None:
        """The session of the catalogue that a scanned one is, perhaps under another name or elsewhere."""
        if home := self._named(session):
            return home
        certain = [each.id for each in session.recordings if names_itself(each)]
        owners = {self._at_home[name].session for name in certain if name in self._at_home}
        if len(owners) != 1:
            return None
        home = self._known.sessions[owners.pop()]
        had = [self._at_home[name] for name in certain if name in self._at_home]
        free = not any((home.session.id, place.share) in self._claimed for place in had)
        if free and all(map(self.has_left, had)):
            self._claimed |= {(home.session.id, place.share) for place in had}
            return home
        return None

    def _named(self, session: Session) -> KnownSession | None:
        subject = self._known.subjects.get(session.subject)
        by_name = self._by_name.get(_key(session, subject)) if subject is not None else None
        by_name = self._known.sessions.get(session.id) or by_name
        by_folder = self._by_folder.get((session.share, session.folder))
        if by_name is None or by_folder is None or by_name is by_folder:
            return by_folder or by_name
        return by_name if self._holds(session, by_name) and not self._holds(session, by_folder) else by_folder

    def _holds(self, session: Session, home: KnownSession) -> bool:
        """Whether something in a folder is what the catalogue has in a session."""
        name = home.session.id
        named = identified(replace(session, id=name)).recordings
        return any(each.id in self._at_home and self._at_home[each.id].session == name for each in named)

    def lies(self, recording: Recording, home: KnownSession) -> bool:
        """Whether a recording is still where the catalogue has it in this session, as far as anybody looked."""
        place = self._at_home.get(recording.id)
        return place is not None and place.session == home.session.id and not self.has_left(place)

    def has_left(self, place: Place) -> bool:
        """Whether somebody looked there, and nothing was to be seen."""
        return place.share in self.shares and (place.share, place.path) not in self._seen

    def elsewhere(self, recording: Recording, name: str) -> Place | None:
        """Where a recording lies still that the catalogue has in another session than the one called *name*."""
        home = self._at_home.get(recording.id)
        if home is None or home.session == name:
            return None
        return home if recording.id in self._kept or not self.has_left(home) else None

    def keep(self, groups: Iterable["Group"]) -> None:
        """Note which recordings the sessions that have them hold still, wherever these lie now."""
        for group in groups:
            if group.home is not None:
                held = (each.id for part in group.parts for each in part.session.recordings)
                name = group.home.session.id
                self._kept |= {each for each in held if each in self._at_home and self._at_home[each].session == name}

    def of_day(self, subject: str, day: date) -> list[KnownSession]:
        """The sessions of the catalogue of one day."""
        if self._by_day is None:  # few plans need it
            self._by_day = defaultdict(list)
            for each in self._known.sessions.values():
                self._by_day[each.session.subject, _day(each.session)].append(each)
        return self._by_day.get((subject, day), [])


def groups_of(accepted: Iterable[Scanned], homes: Homes, decider: Decider) -> Sequence[Group]:
    """The sessions that folders are of, in the order of their first folders.

    A folder is of a session when it names the same subject and time, or when the catalogue says so. One that names a
    day alone, and holds nothing with a clock of its own, is of the only session of that day, should that lie on another
    share, whichever of the two came first; so is data that were computed from one.
    """
    leaders: list[Scanned] = []
    followers: list[Scanned] = []
    for one in accepted:
        (followers if one.computed or _has_no_time(one.session) else leaders).append(one)
    gatherer = _Gatherer(homes, decider, leaders)
    for one in (*leaders, *followers):
        gatherer.take(one)
    homes.keep(gatherer.groups)
    return gatherer.groups


def _has_no_time(session: Session) -> bool:
    """Whether nothing tells more than the day that it is of."""
    return _names_a_day(session) and not any(one.started is not None for one in session.recordings)


class _Gatherer:
    """Puts one folder after the other to the session that it is of."""

    def __init__(self, homes: Homes, decider: Decider, leaders: Iterable[Scanned]) -> None:
        """*leaders*: the folders that tell more than a day."""
        self._homes = homes
        self._decider = decider
        #: How many sessions of a day there are among them, each by what it is called.
        self._leading: dict[tuple[str, date], set[tuple[str, str]]] = defaultdict(set)
        for one in leaders:
            self._leading[one.session.subject, _day(one.session)].add(_key(one.session))
        self.groups: list[Group] = []
        self._of_home: dict[str, Group] = {}
        self._by_key: dict[tuple[str, str], Group] = {}
        self._by_day: dict[tuple[str, date], list[Group]] = defaultdict(list)

    def take(self, one: Scanned) -> None:
        """A folder that was looked at."""
        session = one.session
        home = self._homes.of(session)
        if home is not None:
            self._put(one, home, self._of_home.get(home.session.id))
        elif group := self._by_key.get(_key(session)):
            self._put(one, None, group)
        elif one.computed or _has_no_time(session):
            self._follow(one)
        elif home := self._came_first(session):
            self._put(one, home, self._of_home.get(home.session.id))
        else:
            self._put(one, None, None)

    def _put(self, one: Scanned, home: KnownSession | None, group: Group | None) -> Group:
        if group is None:
            group = Group(subject=one.session.subject, home=home)
            self.groups.append(group)
            self._by_key.setdefault(_key(one.session), group)
            self._by_day[group.subject, _day(one.session)].append(group)
            if home is not None:
                self._of_home[home.session.id] = group
        if self._is_one_visit(group, one):
            group.parts.append(one)
        return group

    def _is_one_visit(self, group: Group, one: Scanned) -> bool:
        """Whether clocks agree; a folder of which they do not is refused."""
        others = [each for part in group.parts for each in part.session.recordings]
        spot = (one.session.share, one.session.folder)
        if group.home is not None and spot not in group.home.session.folders:
            others += [each for each in group.home.session.recordings if self._homes.lies(each, group.home)]
        if not _names_a_day(one.session) or is_one_visit(one.session.recordings, others):
            return True
        where = shown(spot)
        first = group.parts[0].session if group.parts else group.home.session if group.home else one.session
        why = f"{where} is the same session by its name as {shown((first.share, first.folder))}"
        why = f"{why}, and was recorded at another time; tell them apart in the share's template"
        self._decider.refuse("add", one.session.id, why)
        return False

    def _came_first(self, session: Session) -> KnownSession | None:
        """What would follow this session, were it not in the catalogue already: it tells no time."""
        day = (session.subject, _day(session))
        known = self._homes.of_day(*day)
        if len(known) != 1 or len(self._leading[day]) != 1 or _is_on(known[0].session, session.share):
            return None
        return known[0] if _has_no_time(known[0].session) else None

    def _follow(self, one: Scanned) -> None:
        """A folder that may be of a session which names more than it does."""
        session = one.session
        day = (session.subject, _day(session))
        groups = [each for each in self._by_day.get(day, []) if one.computed or not each.is_on(session.share)]
        known = [each for each in self._homes.of_day(*day) if each.session.id not in self._of_home]
        known = [each for each in known if one.computed or not _is_on(each.session, session.share)]
        if len(groups) + len(known) == 1:
            home = groups[0].home if groups else known[0]
            group = self._put(one, home, groups[0] if home is None else self._of_home.get(home.session.id))
            group.followers.add((session.share, session.folder))
        elif not one.computed:
            self._put(one, None, None)
        else:
            count = len(groups) + len(known)
            which = f"one of {count} sessions" if count else "no session that is known"
            told = f"what was computed in {shown((session.share, session.folder))} belongs to {which} of that day"
            self._decider.leave(session.id, told)


def replace_id(one: Scanned, name: str) -> Scanned:
    """The same under the id that the catalogue has given it; identities that hang on the session's follow."""
    return one if one.session.id == name else replace(one, session=identified(replace(one.session, id=name)))


def _is_on(session: Session, share: str) -> bool:
    return any(share == each for each, _ in session.folders)


def _key(session: Session, subject: str = "") -> tuple[str, str]:
    """What a session is called below its subject, whichever of its names a folder bears."""
    return subject or session.subject, session.id.partition("/")[2]


def _names_a_day(session: Session) -> bool:
    """Whether its name tells the day alone, and neither the time nor which session of the day."""
    return _DAY.fullmatch(_key(session)[1]) is not None


def _day(session: Session) -> date:
    return session.started.date() if isinstance(session.started, datetime) else session.started
