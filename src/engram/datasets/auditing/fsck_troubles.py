"""Outcomes of a check about what was wrong: what was mended, and what could not be."""

import os
from collections.abc import Iterator
from shlex import quote
from typing import NamedTuple

from engram.datasets.annex.facts import key_size
from engram.datasets.auditing.examined import Examined
from engram.datasets.auditing.fsck_records import ACTION, HERE, NOT_HERE, FsckReporter
from engram.datasets.auditing.whereis import no_copy
from engram.datasets.copies import Copies
from engram.datasets.dataset import Dataset
from engram.datasets.mended import Mended
from engram.datasets.whereabouts import Whereabouts
from engram.model.copies import CopiesOutcome, Copy
from engram.model.errors import ChecksumMismatch, NoCopy, Unavailable, Unreadable
from engram.model.outcome import Outcome, Status
from engram.model.plan import PlannedStep

_LOOK_FOR_ONE = (
    "Look for a copy elsewhere (git fetch --all, then engram whereis); if it is lost: git annex dead --key KEY"
)


class _Problem(NamedTuple):
    """Something that engram cannot mend."""

    error: str
    what: str
    remedy: str


class TroubleReporter(FsckReporter):
    """Makes the outcomes of one check in one dataset where something was wrong."""

    def __init__(self, dataset: Dataset, whereabouts: Whereabouts, *, refds: str = "") -> None:
        super().__init__(dataset, refds=refds)
        self._whereabouts = whereabouts
        self._copies = Copies(dataset, whereabouts)

    def troubled(self, one: Examined, mended: Mended) -> Outcome:
        """Something was wrong: what was mended, and what could not be."""
        item, path, kind = self.named(one)
        is_here = self._is_here(one, mended)
        copies = self._copies_now(one, is_here=is_here)
        problems = list(self._problems(one, item, copies, mended))
        if problems and self._is_given_up(one, is_here, copies):
            problems = []
        notes = list(self._notes(one, mended))
        first = problems[0] if problems else None
        return CopiesOutcome(
            action=ACTION,
            item=item,
            status=Status.OK if first is None else Status.ERROR,
            message="; ".join(problem.what for problem in problems),
            error="" if first is None else first.error,
            remedy="" if first is None else first.remedy,
            note="; ".join(notes),
            path=path,
            type=kind,
            refds=self._refds,
            key=os.fsdecode(one.key),
            bytesize=key_size(one.key),
            extra=HERE if is_here else NOT_HERE,
            copies=copies,
        )

    def planned(self, one: Examined) -> tuple[list[PlannedStep], list[PlannedStep]]:
        """What would be mended about a file, and what would not."""
        item, _, _ = self.named(one)
        condition = one.condition
        todo = []
        if condition.damage:
            todo.append(("set aside", condition.damage))
        if not condition.unread and one.logged is not condition.is_here:
            todo.append(("log", "it is here" if condition.is_here else "it is not here"))
        if condition.loose and not condition.damage:
            todo.append(("protect", "it could be written to by accident"))
        if one.link:
            todo.append(("mend the link", "it leads elsewhere"))
        if one.pointer:
            todo.append(("fill in the content", "it is here"))
        if one.damage:
            todo.append(("set aside", f"the file in the work tree: {one.damage}"))
        steps = [PlannedStep(action=action, item=item, why=why, ground=os.fsdecode(one.key)) for action, why in todo]
        copies = self._copies_now(one, is_here=condition.is_here)
        problems = self._problems(one, item, copies, Mended())
        refused = [PlannedStep(action=ACTION, item=item, why=problem.what) for problem in problems]
        return steps, refused

    # --- words

    def _is_here(self, one: Examined, mended: Mended) -> bool:
        return one.key in mended.restored or one.condition.is_here

    def _copies_now(self, one: Examined, *, is_here: bool) -> tuple[Copy, ...]:
        """Who holds it, with what was found out about this repository."""
        copies = tuple(copy for copy in self._copies.of(one.key) if not copy.here)
        return (self._copies.here, *copies) if is_here else copies

    def _is_given_up(self, one: Examined, is_here: bool, copies: tuple[Copy, ...]) -> bool:
        """Whether it is nowhere, and somebody said that nobody need look for it."""
        return not is_here and not copies and self._whereabouts.is_dead(one.key)

    def _problems(self, one: Examined, item: str, copies: tuple[Copy, ...], mended: Mended) -> Iterator[_Problem]:
        condition = one.condition
        others = ", ".join(copy.called for copy in copies if not copy.here)
        fetch = f"Fetch a good copy ({others}): engram get {quote(item)}" if others else _LOOK_FOR_ONE
        if condition.unread:
            advice = "Nothing was set aside. If the disk fails: copy what can be read, then ask others for this one."
            yield _Problem(Unreadable.__name__, f"it cannot be read ({condition.unread})", advice)
        if condition.damage and one.key not in mended.restored:
            kept = f"; the bad copy is kept: {self._shown(mended.aside[one.key])}" if one.key in mended.aside else ""
            yield _Problem(ChecksumMismatch.__name__, f"it is damaged: {condition.damage}{kept}", fetch)
        if one.logged and not condition.place and mended.logged.get(one.key) is False:
            yield _Problem(Unavailable.__name__, "its content was expected here and is gone", fetch)
        for named in (one.key, one.file.path if one.file else one.key):
            if named in mended.problems:
                yield _Problem(Unreadable.__name__, mended.problems[named], "Mend that, then check again.")
                break
        yield from self._too_few(one, item, copies)

    def _too_few(self, one: Examined, item: str, copies: tuple[Copy, ...]) -> Iterator[_Problem]:
        counted = [copy for copy in copies if copy.counts]
        if len(counted) >= one.wanted:
            return
        if not counted:
            problem = NoCopy(item, no_copy(copies))
        else:
            doubtful = ", ".join(f"{copy.called} ({copy.trust})" for copy in copies if not copy.counts)
            perhaps = f"; perhaps also in {doubtful}" if doubtful else ""
            where = ", ".join(copy.called for copy in counted)
            problem = NoCopy(item, f"only {len(counted)} of {one.wanted} copies exist ({where}){perhaps}")
        yield _Problem(NoCopy.__name__, problem.reason, problem.next_step)

    def _notes(self, one: Examined, mended: Mended) -> Iterator[str]:
        path = one.file.path if one.file is not None else b""
        if one.key in mended.restored:
            kept = f"; the bad copy is kept: {self._shown(mended.aside[one.key])}" if one.key in mended.aside else ""
            yield f"it was damaged, and was restored from {mended.restored[one.key]}{kept}"
        elif one.key in mended.logged and not (one.unknown and not one.condition.place):
            yield "the location log was wrong, and is right now"
        if one.key in mended.protected:
            yield "it is protected against writing again"
        if path and path in mended.links:
            yield "its link was mended: engram save records that"
        if path and path in mended.files_aside:
            yield f"what lay in the work tree was damaged, and is kept: {self._shown(mended.files_aside[path])}"
        if path and path in mended.filled:
            yield "its content lies in the work tree again"

    def _shown(self, place: bytes) -> str:
        return os.path.relpath(os.fsdecode(place), self._top)
