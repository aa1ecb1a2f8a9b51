"""Asking people what no machine can know of sessions, and taking their answers."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engram.durable import Steps
from engram.model.errors import NotInCatalogue, UsageError
from engram.model.outcome import Outcome, Status, failure
from engram.model.plan import Plan
from engram.workspace.catalogue_here import author_here, catalogue_here, source_file
from engram.workspace.context import Context
from engram.workspace.deeds import refused, rehearse

if TYPE_CHECKING:
    from engram.catalogue.unit import Unit
    from engram.sessions.annotating import Problem, Row

_ACTION = "annotate"
_MEND = "Nothing was taken from it. Mend all of these, then run the same command again."
_NEW = f"{_MEND} A name that is new is added with --add-names."


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """A table that was read and checked."""

    path: str
    #: By session, in the order of the table.
    rows: "dict[str, list[Row]]"
    #: Why it is not taken; empty when it is.
    problems: tuple[Outcome, ...] = ()
    adds: bool = False

    @property
    def left(self) -> int:
        """How many of its answers are not confirmed: they are left."""
        return sum(not row.confirmed and bool(row.value) for rows in self.rows.values() for row in rows)


class Annotation:
    """What people say of the sessions in the lab's catalogue."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def missing(self) -> "list[Row]":
        """What a person must still say, with what can be inferred. Raises `NoLab`, `CatalogueUnusable`."""
        with catalogue_here(self._context) as catalogue:
            from engram.sessions.asking import asked_of, missing

            return list(missing(asked_of(catalogue)))

    def write(self, rows: "Sequence[Row]", path: str) -> None:
        """The same as a table, to be filled in anywhere: CSV, tab-separated, or Excel."""
        from engram.sessions.annotating import COLUMNS
        from engram.workspace.tables import write_table

        cells = [COLUMNS, *(row.cells() for row in rows)]
        write_table(Steps(), os.path.join(self._context.folder, path), cells)

    def read(self, path: str, *, adds: bool = False) -> Answers:
        """A table that was filled in, and all that is wrong with it. Raises `UsageError` for what is no table."""
        from engram.sessions.annotating import read_rows
        from engram.workspace.tables import read_table

        whole = os.path.join(self._context.folder, path)
        rows, problems = read_rows(read_table(whole))
        if not problems:
            with catalogue_here(self._context) as catalogue:
                from engram.sessions.answers import check
                from engram.sessions.asking import asked_of, vocabulary

                problems = check(rows, vocabulary(asked_of(catalogue), adds=adds))
        by_session: dict[str, list[Row]] = {}
        for _, row in rows:
            by_session.setdefault(row.session, []).append(row)
        told = tuple(_outcome(problem, os.path.basename(path)) for problem in problems)
        return Answers(path=whole, rows=by_session, problems=told, adds=adds)

    def annotate(self, answers: Answers) -> Iterator[Outcome]:
        """Take what is confirmed, a session and a transaction at a time; one outcome for each session.

        Raises `CatalogueUnusable`; the same table then says the rest.
        """
        with catalogue_here(self._context) as catalogue:
            author = author_here(self._context, "sessions annotate", source=source_file(answers.path))
            for name in answers.rows:
                try:
                    with catalogue.changing(author) as unit:
                        outcome = _answer(unit, name, answers)
                except (NotInCatalogue, UsageError) as error:
                    outcome = refused(_ACTION, name, error)
                yield outcome

    def plan_annotate(self, answers: Answers) -> Plan:
        """What `annotate` would do: all of it is done together, and undone."""

        def deed(unit: "Unit") -> Iterator[Outcome]:
            for name in answers.rows:
                yield _answer(unit, name, answers)

        return rehearse(self._context, "sessions annotate", deed)


def _answer(unit: "Unit", name: str, answers: Answers) -> Outcome:
    from engram.sessions.asking import answer

    changes = answer(unit, name, answers.rows[name], adds=answers.adds)
    status = Status.OK if changes else Status.NOT_NEEDED
    return Outcome(action=_ACTION, item=name, status=status, note="; ".join(changes))


def _outcome(problem: "Problem", name: str) -> Outcome:
    where = f"{name}, row {problem.row}, column {problem.column}"
    is_new = "the catalogue has no" in problem.message and problem.column in (
        "value",
        "arena",
        "light",
        "objects",
        "item",
    )
    error = UsageError(f"{problem.message}.", _NEW if is_new else _MEND)
    return failure(error, action=_ACTION, item=where, status=Status.IMPOSSIBLE)
