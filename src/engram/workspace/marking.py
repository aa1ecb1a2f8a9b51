"""What people decide about sessions: to leave them out, to accept a finding, to put them into a group."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from engram.model.errors import NotInCatalogue, UsageError
from engram.model.outcome import Outcome, Status
from engram.model.plan import Plan
from engram.workspace.context import Context
from engram.workspace.deeds import Deed, carry_out, outcome_of, refused, rehearse

if TYPE_CHECKING:
    from engram.catalogue.unit import Unit

_NEEDS_A_REASON = "Say why, for those who come later: --why TEXT"


class Marking:
    """Decisions in the lab's catalogue. Each method gives a deed: `carry_out` it, or `plan` it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def carry_out(self, command: str, deed: Deed, *, why: str = "") -> Iterator[Outcome]:
        """Do it: all of it, or nothing. Raises `NoLab`, `CatalogueUnusable`."""
        return carry_out(self._context, command, deed, why=why)

    def plan(self, command: str, deed: Deed) -> Plan:
        """What `carry_out` would do."""
        return rehearse(self._context, command, deed)

    def exclude(self, patterns: Sequence[str], why: str) -> Deed:
        """Leave sessions, recordings or folders out of every plan from now on. Raises `UsageError` without a reason."""
        _reason(why)

        def deed(unit: "Unit") -> Iterator[Outcome]:
            from engram.catalogue.marks import exclude

            for pattern in patterns:
                yield outcome_of("exclude", pattern, exclude(unit, pattern, why), note=why)

        return deed

    def include(self, patterns: Sequence[str], why: str) -> Deed:
        """Leave them out no longer. Raises `UsageError` without a reason."""
        _reason(why)

        def deed(unit: "Unit") -> Iterator[Outcome]:
            from engram.catalogue.marks import include

            for pattern in patterns:
                try:
                    include(unit, pattern)
                    yield Outcome(action="include", item=pattern, status=Status.OK, note=why)
                except NotInCatalogue as error:
                    yield refused("include", pattern, error)

        return deed

    def waive(self, item: str, code: str, why: str) -> Deed:
        """Accept a kind of finding in a session or recording. Raises `UsageError` for a code that there is not."""
        from engram.model.findings import FINDINGS
        from engram.model.nearest import nearest_of

        _reason(why)
        if code not in FINDINGS:
            raise UsageError(f"There is no finding {code}{nearest_of(code, FINDINGS)}.", "See: engram help findings")

        def deed(unit: "Unit") -> Iterator[Outcome]:
            from engram.catalogue.marks import is_known, waive

            known = is_known(unit.connection, item)
            note = "" if known else "the catalogue has nothing of this id yet; what is refused in a plan has none there"
            yield outcome_of("waive", f"{item} {code}", waive(unit, item, code, why), note=note)

        return deed

    def group(self, name: str, sessions: Sequence[str]) -> Deed:
        """Put sessions into a group, which is made when it is new."""

        def deed(unit: "Unit") -> Iterator[Outcome]:
            from engram.catalogue.marks import put_in_group

            for session in sessions:
                try:
                    status = Status.OK if put_in_group(unit, name, session) else Status.NOT_NEEDED
                    yield Outcome(action="group", item=session, status=status, note=f"in {name}")
                except NotInCatalogue as error:
                    yield refused("group", session, error)

        return deed


def _reason(why: str) -> None:
    if not why.strip():
        raise UsageError("A reason is needed.", _NEEDS_A_REASON)
