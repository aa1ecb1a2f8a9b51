"""Sessions in the lab's catalogue: chosen, shown, found, and what became of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from engram.model.errors import NotInCatalogue
from engram.model.recordings import Session
from engram.model.reports import Match, SessionChange, SessionReport
from engram.workspace.catalogue_here import catalogue_here
from engram.workspace.context import Context

if TYPE_CHECKING:
    from engram.catalogue.opening import Catalogue
    from engram.catalogue.said import Said
    from engram.sessions.where import Term

#: What a filter of its own is in an expression.
FILTERS: Mapping[str, tuple[str, str]] = {
    "subject": ("subject", "in"),
    "since": ("date", ">="),
    "until": ("date", "<="),
    "kind": ("kind", "in"),
    "group": ("group", "in"),
    "share": ("share", "in"),
    "finding": ("finding", "in"),
}


class Sessions:
    """The sessions in the lab's catalogue."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def list(self, filters: Mapping[str, Sequence[str]], where: str = "") -> Iterator[SessionReport]:
        """The sessions that all filters (see `FILTERS`) and an expression choose, by id; their files are not read.

        Raises `UsageError` for an expression that cannot be read, `NotInCatalogue` for a subject that is unknown.
        """
        from engram.sessions.where import Term, read_terms

        terms = [*(read_terms(where) if where else ())]
        with catalogue_here(self._context) as catalogue:
            for name, values in filters.items():
                field, sign = FILTERS[name]
                known = _own_names(catalogue, values) if field == "subject" else tuple(values)
                terms += [Term(field, sign, known)] if known else []
            for report in _reports(catalogue):
                if _fits(report, terms):
                    yield report

    def show(self, names: Sequence[str]) -> Iterator[SessionReport]:
        """The sessions of these ids, with the paths of their recordings. Raises `NotInCatalogue`."""
        with catalogue_here(self._context) as catalogue:
            found = {report.session.id: report for report in _reports(catalogue, names)}
        for name in names:
            if name not in found:
                raise NotInCatalogue("session", name, "See which there are: engram sessions list")
            yield found[name]

    def find(self, text: str) -> Iterator[Match]:
        """Where a text stands in what the catalogue says of sessions, files and all; case does not count."""
        with catalogue_here(self._context) as catalogue:
            from engram.catalogue.finding import files_with

            for report in _reports(catalogue):
                told = dict.fromkeys(one for one in _texts(report) if text.lower() in one[1].lower())
                yield from (Match(session=report.session.id, what=what, text=said) for what, said in told)
            with catalogue.reading() as connection:
                for name, path in files_with(connection, text):
                    yield Match(session=name, what="file", text=path)

    def history(self, name: str) -> Iterator[SessionChange]:
        """What became of a session, the oldest change first. Raises `NotInCatalogue`."""
        with catalogue_here(self._context) as catalogue, catalogue.reading() as connection:
            from engram.catalogue.history import history_of

            yield from history_of(connection, name)


def _own_names(catalogue: "Catalogue", names: Sequence[str]) -> tuple[str, ...]:
    """The own names of subjects, by any of theirs."""
    from engram.catalogue.subjects import subject_named

    with catalogue.reading() as connection:
        return tuple(subject_named(connection, name) for name in names)


def _reports(catalogue: "Catalogue", names: Sequence[str] | None = None) -> Iterator[SessionReport]:
    from engram.catalogue.known import known_sessions, waivers
    from engram.catalogue.said import said_of_sessions

    with catalogue.reading() as connection:
        said, accepted = said_of_sessions(connection), waivers(connection)
        for known in known_sessions(connection, names, files=names is not None):
            yield _report(known.session, said[known.session.id], accepted)


def _report(session: Session, said: "Said", accepted: Mapping[tuple[str, str], str]) -> SessionReport:
    from dataclasses import replace

    below = tuple(recording.below(session.folder) for recording in session.recordings)
    mine = {session.id, *(recording.id for recording in below)}
    return SessionReport(
        waived={f"{item} {code}": why for (item, code), why in accepted.items() if item in mine},
        session=replace(session, recordings=below),
        experimenters=said.experimenters,
        projects=said.projects,
        room=said.room,
        note=said.note,
        implants={name: label for name, label in said.implants.items() if label},
        curators=said.curators,
        clusterings=said.clusterings,
    )


def _fits(report: SessionReport, terms: "Iterable[Term]") -> bool:
    terms = list(terms)
    if not terms:
        return True
    values: dict[str, list[str]] = {"recordings": [str(len(report.session.recordings))]}
    for what, text in _texts(report):
        values.setdefault(what, []).append(text)
    from engram.sessions.where import FIELDS

    every = {field: values.get(field, []) for field in FIELDS}
    return all(term.holds(every) for term in terms)


def _texts(report: SessionReport) -> Iterator[tuple[str, str]]:
    """What is said of a session, by field."""
    session = report.session
    for field in ("id", "subject", "ident"):
        yield field, getattr(session, field)
    for share, folder in session.folders:
        yield "share", share
        yield "folder", folder
    yield "date", f"{session.started:%Y-%m-%d}"
    for recording in session.recordings:
        yield "recording", recording.id
        yield "kind", recording.kind
        yield "device", recording.device
        yield "serial", recording.serial
    for task in session.tasks:
        yield "task", task.name
        yield from [("arena", task.arena)] if task.arena else []
        yield from [("light", task.light)] if task.light else []
        yield from (("object", f"{name}, {where}") for name, where in task.objects)
        yield from [("note", task.note)] if task.note else []
    yield from (("finding", finding.code) for finding in session.findings)
    yield from (("experimenter", name) for name in report.experimenters)
    yield from (("project", name) for name in report.projects)
    yield from (("group", name) for name in session.groups)
    yield from (("clustering", name) for name in report.clusterings)
    yield from [("room", report.room)] if report.room else []
    yield from [("note", report.note)] if report.note else []
