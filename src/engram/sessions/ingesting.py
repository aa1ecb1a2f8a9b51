"""Ingest: carry out a plan, one session and one transaction after the other, as often as it takes.

A step whose ground has moved is refused, alone. What was done before a crash, or by somebody else with the same plan,
is found to be so already.
"""

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from engram.catalogue.known import version_of
from engram.catalogue.opening import Catalogue
from engram.catalogue.sessions import record_session
from engram.catalogue.unit import Author, Became, Unit
from engram.model.errors import ItemFailed, NotInCatalogue, SessionMoved, UsageError
from engram.model.outcome import Outcome, Status, failure
from engram.model.plan import PlannedStep
from engram.model.progress import Progress
from engram.sessions.gathering import folder_of, place_of
from engram.sessions.planning import IngestPlan
from engram.sessions.scanned import FileSeen, Scanned
from engram.sessions.telling import add_name, tell, tell_of_group
from engram.sessions.told import ANNOTATE, CLUSTER, NEW_NAMES, GroupTold, Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Helpers:
    """What an ingest is handed from outside."""

    author: Author
    #: Where each share is mounted here, by its name.
    roots: Mapping[str, str]
    progress: Progress


def ingest(plan: IngestPlan, catalogue: Catalogue, helpers: Helpers) -> Iterator[Outcome]:
    """Do what a plan says; one outcome for each of its steps, once it is durable.

    Raises `CatalogueUnusable` when the catalogue is gone; the same plan then does the rest.
    """
    by_session: dict[str, list[PlannedStep]] = {}
    for step in plan.steps:
        if step.action not in (*NEW_NAMES, CLUSTER):
            by_session.setdefault(step.item, []).append(step)
    for step in plan.steps:
        if step.action in NEW_NAMES:
            yield from _carried_out([step], partial(_add_name, step), catalogue, helpers.author)
    helpers.progress.start("ingest", len(by_session), "sessions")
    try:
        for name, steps in by_session.items():
            yield from _session(plan, name, steps, catalogue, helpers)
            helpers.progress.advance()
    finally:
        helpers.progress.finish()
    for step in plan.steps:
        if step.action == CLUSTER:
            group = plan.groups[step.item]
            author = _on_the_word_of(helpers.author, group.source)
            yield from _carried_out([step], partial(_tell_of_group, group), catalogue, author)


def _carried_out(
    steps: Sequence[PlannedStep], deed: Callable[[Unit], bool], catalogue: Catalogue, author: Author
) -> Iterator[Outcome]:
    """The outcomes of one transaction."""
    try:
        with catalogue.changing(author) as unit:
            done = deed(unit)
    except (ItemFailed, NotInCatalogue, UsageError) as error:  # any other is about the catalogue, and ends it all
        yield from (failure(error, action=step.action, item=step.item) for step in steps)
        return
    for step in steps:
        status = Status.OK if done else Status.NOT_NEEDED
        note = step.why if done else "the catalogue says so already"
        yield Outcome(action=step.action, item=step.item, status=status, note=note)


def _add_name(step: PlannedStep, unit: Unit) -> bool:
    return add_name(unit, step.action, step.item)


def _tell_of_group(group: GroupTold, unit: Unit) -> bool:
    return bool(tell_of_group(unit, group))


def _on_the_word_of(author: Author, source: str) -> Author:
    """Who changes it, with the mass file beside the plan."""
    return replace(author, source="; ".join(filter(None, (author.source, source))))


def _session(
    plan: IngestPlan, name: str, steps: Sequence[PlannedStep], catalogue: Catalogue, helpers: Helpers
) -> Iterator[Outcome]:
    scanned = plan.sessions[name]
    told = plan.told[name] if any(step.action == ANNOTATE for step in steps) else None
    author = helpers.author if told is None else _on_the_word_of(helpers.author, told.source)
    if why := _moved_on_share(scanned, helpers.roots):
        error = SessionMoved(scanned.session.id, why)
        yield from (failure(error, action=step.action, item=step.item) for step in steps)
        return

    def deed(unit: Unit) -> bool:
        return _record(unit, scanned, told, steps[0], helpers.roots)

    yield from _carried_out(steps, deed, catalogue, author)


def _record(unit: Unit, scanned: Scanned, told: Told | None, step: PlannedStep, roots: Mapping[str, str]) -> bool:
    """Whether anything was different. Raises `SessionMoved` when somebody else has changed the session since."""
    name = scanned.session.id
    planned_on, _, _ = step.ground.partition(":")
    stands = str(version_of(unit.connection, name)) == planned_on
    recorded = record_session(unit, scanned.session, scanned.files, roots=roots)
    changed = recorded.became is not Became.SAME
    if told is not None and tell(unit, name, told):
        changed = True
    if changed and not stands:
        raise SessionMoved(name, "somebody else has changed it in the catalogue since")
    return changed


def _moved_on_share(scanned: Scanned, roots: Mapping[str, str]) -> str:
    """What is not as it was when the plan was made, as part of a sentence; '' for nothing. Looks at recordings."""
    session, kept = scanned.session, scanned.not_looked_at
    for share, _ in session.folders:
        if not roots.get(share):
            return f"the share {share} is not in the lab's file any more"
    seen = {(file.share, file.path): file for file in scanned.files}
    for recording in session.recordings:
        for path in recording.paths:
            file = seen.get((recording.share, path))
            place = place_of(session, path, recording.share)
            if file is None or (kept and folder_of(place, session.folders) in kept):
                continue
            if why := _moved(os.path.join(roots[place[0]], place[1]), file):
                return f"{path} {why}"
    return ""


def _moved(place: str, file: FileSeen) -> str:
    try:
        status = os.lstat(place)
    except OSError as error:
        return f"cannot be found there ({error.strerror})"
    if not stat.S_ISREG(status.st_mode):
        return "is no file any more"
    if file.size_bytes not in (None, status.st_size) or file.modified_ns not in (None, status.st_mtime_ns):
        return "was written to since"
    return ""
