"""Lay the folders of one session beside each other: which count, which are copies, which have moved."""

from collections.abc import Iterator
from dataclasses import replace

from engram.model.recordings import Recording
from engram.sessions.deciding import Decider, shown
from engram.sessions.gathering import Piece, Spot, folder_of, kept_piece, measured, overlaps, piece_of, sizes_of, whole
from engram.sessions.grouping import Group, Homes, replace_id
from engram.sessions.identity import Likeness, names_itself
from engram.sessions.known import KnownSession
from engram.sessions.scanned import Scanned


class Assembly:
    """The folders of one session, those that are known first."""

    def __init__(self, group: Group, homes: Homes, decider: Decider) -> None:
        self._homes = homes
        self._decider = decider
        self._home = home = group.home
        parts = sorted(group.parts, key=lambda part: (group.is_follower(part), _rank(part)))
        #: The session's id.
        self.name = home.session.id if home is not None else parts[0].session.id
        named = [replace_id(part, self.name) for part in parts]
        had = {} if home is None else {each.id: whole(each, home.session) for each in home.session.recordings}
        self._had = had
        self._parts = {piece.spot: piece for piece in (decider.sound(piece_of(one), had) for one in named)}
        #: Folders that the session has left, and where it is now instead.
        self.moves: dict[Spot, Spot] = {}
        #: Folders that come to a session which is known, with what is new in them.
        self.gathered: dict[Spot, tuple[Recording, ...]] = {}

    def pieces(self) -> list[Piece]:
        """What the session consists of now, its own folder first; no recording twice."""
        known = () if self._home is None else self._home.session.folders
        gone = [] if self._home is None else [spot for spot in known if self._is_gone(self._home, spot)]
        new = [piece for spot, piece in self._parts.items() if spot not in known]
        self._match(gone, new)
        whole_pieces: list[Piece] = []
        taken: dict[str, Recording] = {}
        for piece in self._in_order(known, gone):
            self._take(piece, taken, whole_pieces)
        return whole_pieces

    def _in_order(self, known: tuple[Spot, ...], gone: list[Spot]) -> Iterator[Piece]:
        """Folders that the catalogue has, each where it is now, then new ones."""
        told = set()
        for spot in known:
            now = self.moves.get(spot, spot)
            told.add(now)
            if now in self._parts:
                yield self._parts[now]
            elif spot not in gone and self._home is not None:
                yield kept_piece(self._home, spot)
        yield from (piece for spot, piece in self._parts.items() if spot not in told)

    def _take(self, piece: Piece, taken: dict[str, Recording], into: list[Piece]) -> None:
        """Take what a folder adds to those before it."""
        doubles = {each.recording.id: each for each in overlaps(piece, taken)}
        own = [each for each in piece.recordings if each.id not in doubles and not self._is_elsewhere(each)]
        known = () if self._home is None else (*self._home.session.folders, *self.moves.values())
        is_new = piece.spot not in known
        copies = [each for each in doubles.values() if each.is_copy]
        for each in doubles.values():
            if not each.is_copy:
                told = f"{shown((each.recording.share, each.recording.path))} is the same recording as"
                told = f"{told} {shown((each.first.share, each.first.path))}, with {_other(each.alike)}"
                self._decider.refuse("link", each.recording.id, told)
        if is_new and copies and len(copies) == len(piece.recordings):
            first = next(each.spot for each in into if copies[0].first.id in {one.id for one in each.recordings})
            is_known = ", which is known" if first in known else ""
            self._decider.leave(self.name, f"a copy of {shown(first)}{is_known}")
            return
        for each in copies:
            where = shown((each.first.share, each.first.path))
            self._decider.leave(each.recording.id, f"a copy of {where}, which is in the same session")
        if is_new and not own:
            return
        sizes = sizes_of(piece)
        taken.update((each.id, measured(each, sizes)) for each in own)
        self._homes.taken.update((each.id, (self.name, each)) for each in own if each.id not in self._had)
        into.append(replace(piece, recordings=tuple(own)))
        if is_new and into[1:]:
            self.gathered[piece.spot] = tuple(own)

    def _is_elsewhere(self, recording: Recording) -> bool:
        """Whether another session has it, and it lies there still; it is told."""
        if recording.id in self._had:
            return False
        if (place := self._homes.elsewhere(recording, self.name)) is not None:
            why = f"a copy of {place.share}:{place.path}, which is in the catalogue with {place.session}"
            self._decider.leave(recording.id, why)
            return True
        name, first = self._homes.taken.get(recording.id, (self.name, recording))
        if name != self.name:
            where = shown((first.share, first.path))
            self._decider.leave(recording.id, f"a copy of {where}, which comes to {name} by this plan")
        return name != self.name

    # --- what moved

    def _is_gone(self, home: KnownSession, spot: Spot) -> bool:
        """Whether a folder of the catalogue is not there any more, as far as anybody looked."""
        if spot in self._parts or spot[0] not in self._homes.shares:
            return False
        mine = [each for each in self._had.values() if _lies_in(each, spot, home)]
        here = {(each.share, each.path) for piece in self._parts.values() for each in piece.recordings}
        left = [each for each in mine if not self._homes.lies(each, home) or (each.share, each.path) in here]
        return len(left) == len(mine) if mine else spot not in self._homes.folders

    def _match(self, gone: list[Spot], new: list[Piece]) -> None:
        """Where each folder that is gone is now: where its recordings are, or in the one folder that is new."""
        assert self._home is not None or not gone
        for spot in gone:
            free = [piece for piece in new if piece.spot not in self.moves.values()]
            had = {each.id for each in self._had.values() if self._home and _lies_in(each, spot, self._home)}
            alike = [piece for piece in free if had.intersection(each.id for each in piece.recordings)]
            alone = free if len(gone) == len(new) == 1 else []
            for piece in [*alike, *alone][:1]:
                self.moves[spot] = piece.spot


def _lies_in(recording: Recording, spot: Spot, home: KnownSession) -> bool:
    place = (recording.share, recording.path if recording.paths else "")
    return folder_of(place, home.session.folders) == spot


def _rank(part: Scanned) -> tuple[bool, str, str]:
    """Raw data come first: they are what a session is called after."""
    raw = any(names_itself(each) for each in part.session.recordings)
    return not raw, part.session.share, part.session.folder


def _other(alike: Likeness) -> str:
    return "another length" if alike is Likeness.SHORTER else "other content"
