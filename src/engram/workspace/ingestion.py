"""Bringing what lies on the lab's shares into its catalogue: plan, review, ingest."""

import os
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from engram.durable import Steps
from engram.model.errors import UsageError
from engram.model.outcome import Outcome
from engram.model.plan import PlannedStep
from engram.workspace.catalogue_here import author_here, catalogue_extra, catalogue_here, source_file
from engram.workspace.context import Context
from engram.workspace.lab_here import lab_here
from engram.workspace.scanning import Scanning

if TYPE_CHECKING:
    from engram.sessions.planning import IngestPlan
    from engram.sessions.scanned import Scanned

_LARGEST_PLAN_BYTES = 1 << 30
_HEADING = ("what", "action", "item", "bytes", "why")


class Ingestion:
    """The way from the shares to the catalogue of the lab around the call."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def plan(self, shares: tuple[str, ...] = (), *, full: bool = False) -> "IngestPlan":
        """What would be ingested from these shares, or from all: they are scanned first. Changes nothing.

        A share that could not be scanned is refused in the plan. Raises what scanning raises, `CatalogueUnusable`,
        `ExtraMissing`.
        """
        from dataclasses import replace

        from engram.sessions.planning import plan

        with catalogue_here(self._context) as catalogue:
            with catalogue_extra():
                from engram.sessions.from_catalogue import known_of
            scanned, refused = scan_for_plan(self._context, shares, full=full)
            planned = plan(scanned, known_of(catalogue))
        folder = lab_here(self._context).lab.folder
        return replace(planned, refused=(*refused, *planned.refused), command="sessions ingest", folder=folder)

    def read(self, path: str) -> "IngestPlan":
        """The plan that a file holds. Raises `UsageError` for a file that is not there, or holds none."""
        import json  # here, because help needs none of it

        from engram.sessions.plan_file import plan_from_json

        whole = os.path.join(self._context.folder, path)
        try:
            if os.path.getsize(whole) > _LARGEST_PLAN_BYTES:
                raise UsageError(
                    f"{path} is not a plan: it is too large.", "Make one: engram sessions plan -o PLAN.json"
                )
            with open(whole, "rb") as file:
                return plan_from_json(json.load(file))
        except FileNotFoundError as error:
            advice = "Check its name and folder, or make one: engram sessions plan -o PLAN.json"
            raise UsageError(f"{path} is not there.", advice) from error
        except (OSError, ValueError, RecursionError) as error:
            raise UsageError(f"{path} is not a plan.", "Make one: engram sessions plan -o PLAN.json") from error

    def ingest(self, plan: "IngestPlan", *, path: str = "") -> Iterator[Outcome]:
        """Carry out a plan, which was read from *path*: an outcome for each step, once it is durable.

        Raises `CatalogueUnusable`, `ExtraMissing`, `NoLab` before anything is done.
        """
        here = lab_here(self._context)
        source = source_file(os.path.join(self._context.folder, path)) if path else ""
        with catalogue_here(self._context) as catalogue:
            from engram.sessions.ingesting import Helpers, ingest

            helpers = Helpers(
                author=author_here(self._context, "sessions ingest", source=source),
                roots={share.name: share.root for share in here.lab.shares},
                progress=self._context.progress,
            )
            yield from ingest(plan, catalogue, helpers)

    def write_sheet(self, plan: "IngestPlan", path: str) -> None:
        """A plan as a table to look at in a spreadsheet. It cannot be ingested from there."""
        from engram.workspace.tables import write_table

        parts = (("step", plan.steps), ("refused", plan.refused), ("left", plan.left))
        rows = [(what, one.action, one.item, str(one.bytes), one.why) for what, steps in parts for one in steps]
        write_table(Steps(), os.path.join(self._context.folder, path), [_HEADING, *rows])


def scan_for_plan(
    context: Context, shares: tuple[str, ...], *, full: bool
) -> "tuple[list[Scanned], list[PlannedStep]]":
    """All sessions on these shares, or on all; and the shares that could not be scanned, as steps that are refused."""
    from engram.sessions.scanning.seen import DerivedSeen, SessionSeen

    scanned, refused = [], []
    with closing(Scanning(context).scan(shares, full=full, tells_all=True)) as seen:
        for one in seen:
            if isinstance(one, SessionSeen | DerivedSeen):
                scanned.append(one.scanned())
            elif isinstance(one, Outcome) and one.failed:
                refused.append(PlannedStep(action=one.action, item=one.item, why=one.message))
    return scanned, refused
