"""What hangs on a lab for its shares and sessions, with the command line's names, arguments and records."""

import os
from datetime import date
from typing import TYPE_CHECKING

from engram.model.outcome import IncompleteResults, Outcome
from engram.model.reports import Match, SessionChange, SessionReport
from engram.workspace.annotation import Annotation
from engram.workspace.context import Context
from engram.workspace.deeds import Deed
from engram.workspace.ingestion import Ingestion
from engram.workspace.marking import Marking
from engram.workspace.mass_files import MassFiles
from engram.workspace.scanning import Scanning
from engram.workspace.sessions import Sessions
from engram.workspace.shares import ShareHere, Shares
from engram.workspace.verbs.arguments import AnyPath, Names, collected, names_of

if TYPE_CHECKING:
    from engram.sessions.annotating import Row
    from engram.sessions.inferring import Inferred
    from engram.sessions.planning import IngestPlan
    from engram.sessions.scanning.seen import Seen


class SharesOfLab:
    """What `OpenLab.shares` can do."""

    def __init__(self, context: Context) -> None:
        self._shares = Shares(context)

    def add(
        self,
        name: str,
        path: AnyPath,
        *,
        template: Names = (),
        timezone: str = "",
        also_known_as: Names = (),
        exclude: Names = (),
    ) -> list[Outcome]:
        """The outcome of adding a share to the lab's file. Raises `UsageError`, `BadTemplate`."""
        known, left_out = names_of(also_known_as), names_of(exclude)
        return collected(
            self._shares.add(
                name,
                os.fspath(path),
                template=names_of(template),
                timezone=timezone,
                also_known_as=known,
                exclude=left_out,
            )
        )

    def show(self, name: str) -> ShareHere:
        """One share. Raises `UsageError` when there is none of that name."""
        (share,) = self._shares.show(name)
        return share

    def remove(self, name: str) -> list[Outcome]:
        """The outcome of taking a share out of the lab's file; what was ingested stays."""
        return collected(self._shares.remove(name))

    def list(self) -> list[ShareHere]:
        """All shares, and whether each is there just now."""
        return [*self._shares.list()]


class SessionsOfLab:
    """What `OpenLab.sessions` can do."""

    def __init__(self, context: Context) -> None:
        self._scanning = Scanning(context)
        self._ingestion = Ingestion(context)
        self._mass_files = MassFiles(context)
        self._sessions = Sessions(context)
        self._annotation = Annotation(context)
        self._marking = Marking(context)

    def scan(self, shares: Names = (), *, full: bool = False, checksum: bool = False) -> "list[Seen]":
        """All that is on these shares, or on all: sessions, findings, and what there is to say of each share.

        Raises `IncompleteResults` when a share could not be scanned, `ShareUnavailable` when it was the only one.
        """
        found: list[Seen] = []
        failed = []
        for one in self._scanning.scan(names_of(shares), full=full, checksum=checksum):
            if isinstance(one, Outcome):
                failed.append(one)
            else:
                found.append(one)
        if failed:
            raise IncompleteResults(tuple(failed))
        return found

    def template(self, share: str, examples: Names, *, save: bool = False) -> "list[Inferred]":
        """The templates that read all examples, the best first; with *save* the share gets the only one."""
        from engram.model.errors import UsageError

        found = self._scanning.infer(share, names_of(examples))
        if save and len(found) > 1:
            raise UsageError(f"{len(found)} templates read these examples.", "Give one that only one of them can read.")
        if save:
            collected(self._scanning.save_template(share, found[0].template))
        return found

    def plan(
        self,
        shares: Names = (),
        *,
        full: bool = False,
        from_: AnyPath | None = None,
        as_massfile: AnyPath | None = None,
    ) -> "IngestPlan":
        """What the catalogue would take from these shares, or from all. Changes nothing in it.

        Args:
            shares: their names.
            full: look at everything, also where nothing seems to have changed.
            from_: a mass file: what it names, and what it says. Raises `IncompleteResults` for what is wrong with it.
            as_massfile: the sessions of the plan are written there as a mass file.
        """
        if from_ is None:
            plan = self._ingestion.plan(names_of(shares), full=full)
        else:
            planned = self._mass_files.plan(os.fspath(from_), names_of(shares), full=full)
            collected(planned.problems)
            plan = planned.plan
        if as_massfile is not None:
            self._mass_files.write(plan, os.fspath(as_massfile))
        return plan

    def ingest(self, plan: "IngestPlan | AnyPath") -> list[Outcome]:
        """The outcomes of carrying out a plan, or one that a file holds. Raises `IncompleteResults`."""
        if isinstance(plan, str | os.PathLike):
            path = os.fspath(plan)
            return collected(self._ingestion.ingest(self._ingestion.read(path), path=path))
        return collected(self._ingestion.ingest(plan))

    def show(self, name: str) -> SessionReport:
        """All that the catalogue says of a session. Raises `NotInCatalogue`."""
        (report,) = self._sessions.show((name,))
        return report

    def find(self, text: str) -> list[Match]:
        """Where a text stands in what the catalogue says of sessions."""
        return [*self._sessions.find(text)]

    def history(self, name: str) -> list[SessionChange]:
        """What became of a session, the oldest change first. Raises `NotInCatalogue`."""
        return [*self._sessions.history(name)]

    def missing(self, output: AnyPath | None = None) -> "list[Row]":
        """What a person must still say of the sessions; written as a table, too, where *output* names one."""
        rows = self._annotation.missing()
        if output is not None:
            self._annotation.write(rows, os.fspath(output))
        return rows

    def annotate(self, table: AnyPath, *, add_names: bool = False) -> list[Outcome]:
        """The outcomes of taking a table that was filled in. Raises `IncompleteResults` for what is wrong with it."""
        answers = self._annotation.read(os.fspath(table), adds=add_names)
        return collected(answers.problems or self._annotation.annotate(answers))

    def exclude(self, patterns: Names, *, why: str) -> list[Outcome]:
        """The outcomes of leaving sessions, recordings or folders out of every plan."""
        return self._mark("exclude", self._marking.exclude(names_of(patterns), why), why)

    def include(self, patterns: Names, *, why: str) -> list[Outcome]:
        """The outcomes of leaving them out no longer."""
        return self._mark("include", self._marking.include(names_of(patterns), why), why)

    def waive(self, item: str, code: str, *, why: str) -> list[Outcome]:
        """The outcome of accepting a kind of finding in a session or recording."""
        return self._mark("waive", self._marking.waive(item, code, why), why)

    def group(self, name: str, items: Names) -> list[Outcome]:
        """The outcomes of putting sessions into a group, which is made when it is new."""
        return self._mark("group", self._marking.group(name, names_of(items)), "")

    def _mark(self, command: str, deed: Deed, why: str) -> list[Outcome]:
        return collected(self._marking.carry_out(f"sessions {command}", deed, why=why))

    def list(
        self,
        where: str = "",
        *,
        subject: Names = (),
        since: date | None = None,
        until: date | None = None,
        kind: Names = (),
        group: Names = (),
        share: Names = (),
        finding: Names = (),
    ) -> list[SessionReport]:
        """The sessions in the catalogue that all filters and an expression choose, by id."""
        given = {"subject": subject, "kind": kind, "group": group, "share": share, "finding": finding}
        filters = {name: names_of(values) for name, values in given.items()}
        days = {"since": since, "until": until}
        filters |= {name: (day.isoformat(),) for name, day in days.items() if day is not None}
        return [*self._sessions.list(filters, where)]
