"""`engram.open_lab`: what hangs on a lab, with the command line's names, arguments and records."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import TypeAlias

from engram.config import lab_file_in
from engram.model.animals import Alias, Person, Probe, Subject
from engram.model.outcome import Outcome
from engram.model.reports import LabReport
from engram.workspace.context import Context, context_here, trust_folder
from engram.workspace.lab import Labs
from engram.workspace.lab_here import lab_here
from engram.workspace.people import People
from engram.workspace.probes import Probes
from engram.workspace.subjects import Subjects
from engram.workspace.verbs.arguments import AnyPath, Names, collected, names_of, text
from engram.workspace.verbs.lab_sessions import SessionsOfLab, SharesOfLab

#: What can be said of a subject, probe or implant, by the field's name.
Said: TypeAlias = str | int | float | date | datetime


def open_lab(path: AnyPath | None = None) -> "OpenLab":
    """The lab in a folder, or the one around the current folder. Raises `NoLab`, `UsageError`, `BadLabFile`.

    Args:
        path: the folder that holds its engram.toml.
    """
    context = context_here()
    if path is not None:
        folder = os.path.abspath(path)
        context = replace(context, lab_file=lab_file_in(folder, trust_folder(context)))
    return OpenLab(context)


class OpenLab:
    """A lab: its namespaces do what the commands of the same name do, each call on its own."""

    def __init__(self, context: Context) -> None:
        #: The folder that holds its engram.toml.
        self.folder = lab_here(context).lab.folder
        self.subjects = SubjectsOfLab(Subjects(context))
        self.people = PeopleOfLab(People(context))
        self.probes = ProbesOfLab(Probes(context))
        self.shares = SharesOfLab(context)
        self.sessions = SessionsOfLab(context)
        self._labs = Labs(context)

    def show(self) -> LabReport:
        """The lab at a glance."""
        (report,) = self._labs.show()
        return report

    def check(self) -> list[Outcome]:
        """The outcome of looking at each of its parts. Raises `IncompleteResults` when something is wrong."""
        return collected(self._labs.check())

    def backup(self, file: AnyPath | None = None) -> list[Outcome]:
        """The outcome of saving its catalogue as an SQLite file; by default among its backups."""
        return collected(self._labs.backup(text(file)))

    def upgrade(self) -> list[Outcome]:
        """The outcomes of bringing its catalogue to this program's version, a backup first."""
        return collected(self._labs.upgrade())

    def move(self, to: str) -> list[Outcome]:
        """The outcomes of carrying its catalogue over to the database of a URL, which it names from then on."""
        return collected(self._labs.move(to))


class SubjectsOfLab:
    """What `OpenLab.subjects` can do."""

    def __init__(self, subjects: Subjects) -> None:
        self._subjects = subjects

    def add(
        self, names: Names, values: Mapping[str, Said] | None = None, *, aliases: Iterable[Alias] = ()
    ) -> list[Outcome]:
        """The outcomes of adding subjects, or of correcting what is said of them: fields of `Subject` by name."""
        return collected(self._subjects.add(names_of(names), values or {}, tuple(aliases)))

    def import_(self, path: AnyPath, *, date_format: str | None = None) -> list[Outcome]:
        """The outcomes of taking a table, all of it or nothing."""
        return collected(self._subjects.import_(os.fspath(path), date_format=date_format))

    def list(self) -> list[Subject]:
        """All subjects, by name."""
        return [*self._subjects.list()]

    def show(self, name: str) -> Subject:
        """The subject of a name or alias. Raises `NotInCatalogue`."""
        (subject,) = self._subjects.show((name,))
        return subject


class PeopleOfLab:
    """What `OpenLab.people` can do."""

    def __init__(self, people: People) -> None:
        self._people = people

    def add(self, names: Names, values: Mapping[str, str] | None = None) -> list[Outcome]:
        """The outcomes of adding people, or of correcting what is said of them: fields of `Person` by name."""
        return collected(self._people.add(names_of(names), values or {}))

    def list(self) -> list[Person]:
        """Everybody, by name."""
        return [*self._people.list()]


class ProbesOfLab:
    """What `OpenLab.probes` can do."""

    def __init__(self, probes: Probes) -> None:
        self._probes = probes

    def add(self, serials: Names, values: Mapping[str, Said] | None = None) -> list[Outcome]:
        """The outcomes of adding probes, or of correcting what is said of them: fields of `Probe` by name."""
        return collected(self._probes.add(names_of(serials), values or {}))

    def implant(
        self, serial: str, subject: str, inserted: datetime, values: Mapping[str, Said] | None = None
    ) -> list[Outcome]:
        """The outcome of noting that a probe was implanted: fields of `Implant` and `Site` by name."""
        return collected(self._probes.implant(serial, subject, inserted, values or {}))

    def import_(self, path: AnyPath, *, date_format: str | None = None) -> list[Outcome]:
        """The outcomes of taking a table, all of it or nothing."""
        return collected(self._probes.import_(os.fspath(path), date_format=date_format))

    def list(self) -> list[Probe]:
        """All probes with their implants, by serial number."""
        return [*self._probes.list()]
