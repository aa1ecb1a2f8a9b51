"""Mass files: plans for the sessions that a lab's own file speaks of, and such files from what was recognised."""

import os
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from engram import durable
from engram.durable import Steps
from engram.model.errors import TargetExists, UsageError
from engram.model.lab import Share
from engram.model.outcome import Outcome, Status, failure
from engram.model.plan import PlannedStep
from engram.workspace.catalogue_here import author_here, catalogue_extra, catalogue_here, source_file
from engram.workspace.context import Context
from engram.workspace.ingestion import scan_for_plan
from engram.workspace.lab_here import LabHere, lab_here

if TYPE_CHECKING:
    from engram.catalogue.opening import Catalogue
    from engram.sessions.gathering import Spot
    from engram.sessions.massfile.nodes import Node, Problem
    from engram.sessions.massfile.parsing import Entry
    from engram.sessions.massfile.surroundings import Surroundings
    from engram.sessions.massfile.telling import Planned
    from engram.sessions.planning import IngestPlan

_TEXTS, _TABLES = (".yml", ".yaml", ".json"), (".csv", ".tsv", ".xlsx", ".xlsm")
_MEND = "Nothing was taken from it. Mend all of these, then run the same command again."
_NO_TEXT = "not in the mass file: the name of its folder cannot be written there; rename it, or ingest it without"
#: So many files of a folder are asked when they were written.
_MOST_FILES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MassPlan:
    """What a mass file comes to: a plan, or everything that is wrong with the file."""

    plan: "IngestPlan"
    problems: tuple[Outcome, ...] = ()


class MassFiles:
    """The mass files of the lab around the call."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def plan(self, path: str, shares: tuple[str, ...] = (), *, full: bool = False) -> MassPlan:
        """What would be ingested of the sessions that a mass file speaks of, with what it tells of them.

        The shares are scanned first; nothing is changed. Raises what `Ingestion.plan` raises; `UsageError` for a path
        that holds no mass file.
        """
        whole = os.path.join(self._context.folder, path)
        with catalogue_extra():
            from engram.sessions.massfile.parsing import read_entries
            from engram.sessions.massfile.telling import planned
            from engram.sessions.planning import IngestPlan
        documents, problems = self._documents(whole, path)
        roots: list[Entry] = []
        if not problems:
            roots, problems = read_entries(documents)
        if not roots:
            return MassPlan(plan=IngestPlan(), problems=self._told(problems, path))
        here = lab_here(self._context)
        with catalogue_here(self._context) as catalogue:
            scanned, refused = scan_for_plan(self._context, shares, full=full)
            around = self._surroundings(here, catalogue, whole, shares, refused)
            found = planned(roots, scanned, around)
            problems = [*problems, *found.problems]
            needless = set() if problems else self._rehearsed(found, catalogue, here, problems)
        if problems:
            return MassPlan(plan=IngestPlan(), problems=self._told(problems, path))
        plan = _without(found.plan, needless)
        plan = replace(plan, refused=(*refused, *plan.refused), command="sessions ingest", folder=here.lab.folder)
        return MassPlan(plan=plan)

    def _rehearsed(
        self, found: "Planned", catalogue: "Catalogue", here: LabHere, problems: "list[Problem]"
    ) -> set[str]:
        """Sessions and clusterings of which nothing would be different; those that would fail become *problems*."""
        from engram.sessions.massfile.nodes import Problem
        from engram.sessions.rehearsing import rehearse

        roots = {share.name: share.root for share in here.lab.shares}
        author = author_here(self._context, "sessions plan")
        needless = set()
        for one in rehearse(found.plan, catalogue, author, roots, self._context.progress):
            if one.error is not None:
                entry = found.entries[one.item]
                what = one.error.what.removesuffix(".")
                problems.append(Problem(entry.where, entry.path, what, one.error.next_step))
            elif not one.changes:
                needless.add(one.item)
        return needless

    def _documents(self, whole: str, path: str) -> "tuple[list[Node], list[Problem]]":
        """What a file holds, before anybody asks what it means."""
        from engram.sessions.massfile.nodes import LARGEST_BYTES
        from engram.sessions.massfile.sheet import read_sheet
        from engram.sessions.massfile.texts import read_text
        from engram.workspace.tables import read_table

        suffix = os.path.splitext(path)[1].lower()
        if not os.path.exists(whole):
            raise UsageError(f"{path} is not there.", "Check its name, and the folder that it is named from.")
        if not os.path.isfile(whole):
            raise UsageError(f"{path} is no file.", "Name a file.")
        _check_name(path, (*_TEXTS, *_TABLES))
        if suffix in _TABLES:
            return read_sheet(read_table(whole))
        try:
            with open(whole, "rb") as file:
                data = file.read(LARGEST_BYTES + 1)
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}.", "Name a file.") from error
        return read_text(data, is_json=suffix == ".json")

    def _told(self, problems: "Sequence[Problem]", path: str) -> tuple[Outcome, ...]:
        name = os.path.basename(path)
        return tuple(_outcome(problem, name) for problem in sorted(problems, key=lambda one: one.where))

    def _surroundings(
        self,
        here: LabHere,
        catalogue: "Catalogue",
        whole: str,
        shares: tuple[str, ...],
        refused: "Sequence[PlannedStep]",
    ) -> "Surroundings":
        from engram.catalogue.clusterings import subjects_of_clusterings
        from engram.catalogue.probes import implants_of_subjects
        from engram.catalogue.said import names_in
        from engram.sessions.from_catalogue import known_of
        from engram.sessions.massfile.surroundings import Surroundings

        not_scanned = {step.item for step in refused}
        with catalogue.reading() as connection:
            names = names_in(connection)
            implants, clusterings = implants_of_subjects(connection), subjects_of_clusterings(connection)
        return Surroundings(
            source=source_file(whole),
            name=os.path.basename(whole),
            shares=here.lab.shares,
            scanned=frozenset(share.name for share in here.shares(shares) if share.name not in not_scanned),
            known=known_of(catalogue),
            names=names,
            implants=implants,
            clusterings=clusterings,
            account=self._account(names.people),
            zone=_zone(here.settings.lab_timezone),
            trouble=_trouble,
            written=_written,
        )

    def _account(self, people: Container[str]) -> str:
        """Who runs this, as a person of the catalogue; '' when it has no such."""
        account = author_here(self._context, "sessions plan").who.partition("@")[0]
        return account if account in people else ""

    def write(self, plan: "IngestPlan", path: str) -> list[PlannedStep]:
        """Write the sessions that a plan is about as a mass file: YAML, JSON or a table by the name; what is left out.

        Left out is what lies in a folder whose name is no text. Where nothing is left nothing is written. Raises
        `UsageError` for another name; `TargetExists` for a file that is there: somebody may have completed it.
        """
        from engram.sessions.massfile.writing import as_json, as_rows, as_yaml, documents
        from engram.workspace.tables import write_table

        whole, suffix = os.path.join(self._context.folder, path), os.path.splitext(path)[1].lower()
        _check_name(path, (*_TEXTS, *_TABLES[:3]))
        if os.path.lexists(whole):
            advice = "Name another file, or remove it: somebody may have completed it."
            raise TargetExists(path, "is there already", advice)
        roots = {share.name: share.root for share in lab_here(self._context).lab.shares}

        def location(spot: "Spot") -> str:
            return f"{roots.get(spot[0], '')}/{spot[1]}"

        sessions = [scanned.session for scanned in plan.sessions.values()]
        named = [one for one in sessions if all(map(_is_text, map(location, one.folders)))]
        written = {one.id for one in named}
        left = [PlannedStep(action="leave", item=one.id, why=_NO_TEXT) for one in sessions if one.id not in written]
        with catalogue_here(self._context) as catalogue, catalogue.reading() as connection:
            from engram.catalogue.said import names_in

            curator = self._account(names_in(connection).people)
        found = documents(named, location, curator=curator)
        if not found:
            return left
        if suffix in _TABLES[:3]:
            write_table(Steps(), whole, as_rows(found))
        else:
            durable.replace(Steps(), whole, as_json(found) if suffix == ".json" else as_yaml(found))
        return left


def _check_name(path: str, endings: Sequence[str]) -> None:
    if os.path.splitext(path)[1].lower() not in endings:
        advice = f"Let its name end in one of {', '.join(endings)}."
        raise UsageError(f"{path} is no mass file by its name.", advice)


def _is_text(path: str) -> bool:
    """Whether a path can stand in a text file as it is."""
    return path.isprintable() and path == path.encode(errors="replace").decode()


def _outcome(problem: "Problem", name: str) -> Outcome:
    where = ", ".join(part for part in (name, problem.place) if part)
    error = UsageError(f"{problem.message}.", problem.remedy or _MEND)
    return failure(error, action="plan", item=where, status=Status.IMPOSSIBLE)


def _without(plan: "IngestPlan", needless: Container[str]) -> "IngestPlan":
    """The plan without steps of which nothing would be different."""
    from engram.sessions.told import NEW_NAMES

    steps = tuple(step for step in plan.steps if step.item not in needless or step.action in NEW_NAMES)
    kept = {step.item for step in steps}
    return replace(
        plan,
        steps=steps,
        sessions={name: one for name, one in plan.sessions.items() if name in kept},
        told={name: told for name, told in plan.told.items() if name in kept},
        groups={name: group for name, group in plan.groups.items() if name in kept},
    )


def _zone(name: str) -> tzinfo:
    if not name:
        return UTC
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def _trouble(share: Share, folder: str) -> str:
    place = os.path.join(share.root, folder)
    if not os.path.exists(place):
        return "is not there"
    return "" if os.access(place, os.R_OK) else "cannot be read by this account"


def _written(share: Share, folder: str) -> datetime | None:
    """The latest time at which a file in a folder was written, down to two folders below it."""
    times = [
        time_ns for _, time_ns in zip(range(_MOST_FILES), _times(os.path.join(share.root, folder), 2), strict=False)
    ]
    return datetime.fromtimestamp(max(times) // 1_000_000_000, UTC) if times else None


def _times(place: str, deep: int) -> Iterator[int]:
    try:
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from _times(entry.path, deep - 1) if deep else ()
                elif entry.is_file(follow_symlinks=False):
                    yield entry.stat(follow_symlinks=False).st_mtime_ns
    except OSError:  # what cannot be read tells no time
        return
