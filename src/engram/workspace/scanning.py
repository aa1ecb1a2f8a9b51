"""Scanning the lab's shares for sessions."""

import os
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from engram import durable
from engram.durable import Steps, make_folders
from engram.model.errors import ShareUnavailable, StorageFailed, UsageError
from engram.model.lab import Share
from engram.model.outcome import Outcome, Status, failure
from engram.model.plan import Plan, PlannedStep
from engram.workspace.context import Context
from engram.workspace.lab_file import change_lab, put_share
from engram.workspace.lab_here import LabHere, lab_here

if TYPE_CHECKING:
    from engram.sessions.inferring import Inferred
    from engram.sessions.recogniser import Recogniser
    from engram.sessions.scanning.scan import Scanner
    from engram.sessions.scanning.seen import Seen
    from engram.sessions.workers import Worker

#: What scans saw, beside the lab's file.
SCAN_STATE = "scan.db"
#: Libraries with which more can be recognised.
_EXTRAS = ("h5py", "scipy")
_NOT_KEPT = "which recordings hold other bytes than the rig recorded could not be kept for the next scan"
_MEND_PLUGIN = "The others are asked. Mend or remove that plugin; its format counts as unknown until then."


class Scanning:
    """The sessions on the shares of the lab around the call."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def scan(
        self,
        shares: tuple[str, ...] = (),
        *,
        full: bool = False,
        checksum: bool = False,
        tells_all: bool = False,
    ) -> "Generator[Seen | Outcome, None, None]":
        """Everything on these shares, or on all: sessions as they are found, then what belongs to none.

        Findings of what the catalogue leaves out, and those that were accepted there, are told only with *tells_all*.
        A share that is not there is an `Outcome` that failed; the others are scanned. Raises `ShareUnavailable` when
        there was only that one.
        """
        from engram.sessions.discovery import discover
        from engram.sessions.workers import Worker
        from engram.workspace.decided import Decided, Told, decided_here

        here = lab_here(self._context)
        wanted = here.shares(shares)
        decided, trouble = (Decided(), None) if tells_all else decided_here(here)
        if trouble is not None:
            yield trouble
        discovered = discover()
        for broken in discovered.broken:
            yield Outcome(action="load", item="recognisers", status=Status.ERROR, message=broken, remedy=_MEND_PLUGIN)
        told = Told(decided, several=len(wanted) > 1)
        with Worker() as worker:
            scanner = self._scanner(here, discovered.recognisers, worker, full=full)
            for share in wanted:
                try:
                    for one in self._scan(scanner, share, checksum=checksum):
                        yield from told.at_once(one)
                except ShareUnavailable as error:
                    if len(wanted) == 1:
                        raise
                    yield failure(error, action="scan", item=share.name)
        yield from told.at_last()

    def report_place(self, path: str) -> str:
        """Where a report that a user names will be written. Raises `UsageError` for a place where none can be."""
        place = os.path.normpath(os.path.join(self._context.folder, path))
        folder = os.path.realpath(os.path.dirname(place))
        if os.path.isdir(place) or not os.path.isdir(folder):
            raise UsageError(f"No report can be written to {path}.", "Name a file in a folder that is there.")
        for share in lab_here(self._context).lab.shares:
            root = os.path.realpath(share.root)
            if folder == root or folder.startswith(root.rstrip("/") + "/"):
                raise UsageError(
                    f"{path} lies on the share {share.name}; nothing on a share is ever written.",
                    "Name a place elsewhere.",
                )
        return place

    def save_report(self, place: str, page: Callable[..., str]) -> Iterator[Outcome]:
        """Write what *page* makes of the lab's name and the time, over an older report. Raises `StorageFailed`."""
        lab = lab_here(self._context).lab
        text = page(lab=lab.name or os.path.basename(lab.folder), made=datetime.now().astimezone())
        durable.replace(Steps(), place, text.encode("utf-8", "backslashreplace"))
        yield Outcome(action="report", item=place, status=Status.OK)

    def infer(self, share: str, examples: tuple[str, ...]) -> "list[Inferred]":
        """The templates that read all examples, the best first, and how each fits the share.

        Args:
            share: its name.
            examples: folders of sessions, or files in them: relative to the share, or by any name that it is known by.

        Raises `UsageError` when no template reads them.
        """
        from engram.sessions.inferring import candidates, infer

        (wanted,) = lab_here(self._context).shares((share,))
        inside = [self._inside(wanted, example) for example in examples]
        depth = max(template.depth for template in candidates(inside))
        return infer(share, inside, _folders(wanted, depth))

    def plan_template(self, share: str, template: str) -> Plan:
        """What `save_template` would do. Raises what that raises."""
        self._with_template(share, template)
        return Plan(steps=(PlannedStep(action="add", item=f"template {template}", why=f"to share {share}"),))

    def save_template(self, share: str, template: str) -> Iterator[Outcome]:
        """Let a share have this template, before those that it has. The usual ones that fit folders of it stay."""
        here, kept = self._with_template(share, template)
        change_lab(Steps(), here.file, lambda file: put_share(file, share, {"template": kept}))
        yield Outcome(action="add", item=f"template {template}", status=Status.OK, note=f"to share {share}")

    def _with_template(self, share: str, template: str) -> tuple[LabHere, tuple[str, ...]]:
        from engram.sessions.templates import DEFAULTS, first_reading, parse_template

        here = lab_here(self._context)
        (wanted,) = here.shares((share,))
        had = wanted.template
        if not had:
            usual = [parse_template(text) for text in (template, *DEFAULTS)]
            folders = _folders(wanted, max(one.depth for one in usual))
            won = {found.template.text for folder in folders if (found := first_reading(usual, folder)) is not None}
            had = tuple(text for text in DEFAULTS if text in won)
        return here, (template, *(one for one in had if one != template))

    def _inside(self, share: Share, example: str) -> str:
        """An example as a folder of the share. Raises `UsageError` when it lies outside."""
        from engram.sessions.inferring import below_a_root

        absolute = os.path.normpath(os.path.join(self._context.folder, example))
        named = (*below_a_root(example, (share.root, *share.also_known_as)), *below_a_root(absolute, (share.root,)))
        inside = next(iter(named), "")
        if not inside and os.path.isabs(example):
            raise UsageError(f"{example} does not lie on the share {share.name}.", f"It begins at {share.root}")
        inside = inside or example.replace("\\", "/").strip("/")
        return os.path.dirname(inside) if os.path.isfile(os.path.join(share.root, inside)) else inside

    def _scan(self, scanner: "Scanner", share: Share, *, checksum: bool) -> "Iterator[Seen]":
        from engram.sessions.scanning.checksums import Checksums
        from engram.sessions.scanning.seen import SessionSeen, ShareSeen

        checksums = Checksums(scanner.state_file, share=share.name, root=share.root, progress=self._context.progress)
        look = checksums.compare if checksum else checksums.recall
        for one in scanner.scan(share):
            if isinstance(one, SessionSeen):
                one = look(one)
            elif isinstance(one, ShareSeen) and checksums.trouble:
                one = replace(one, note=one.note or f"{_NOT_KEPT} ({checksums.trouble})")
            yield one

    def _scanner(
        self, here: LabHere, recognisers: "tuple[Recogniser, ...]", worker: "Worker", *, full: bool
    ) -> "Scanner":
        from importlib.util import find_spec

        from engram.sessions.scanning.scan import Scanner

        steps = Steps()
        state_file = os.path.join(here.private, SCAN_STATE)
        try:
            make_folders(steps, here.private)
        except (OSError, StorageFailed):  # not ours to write in; the scan itself goes on
            state_file = ""
        return Scanner(
            state_file=state_file,
            recognisers=recognisers,
            worker=worker.examine,
            now_ns=time.time_ns(),
            timezone=here.settings.lab_timezone,
            full=full,
            extras=tuple(name for name in _EXTRAS if find_spec(name) is not None),
            progress=self._context.progress,
            steps=steps,
        )


def _folders(share: Share, depth: int) -> list[str]:
    """The folders of a share down to a depth, as far as one gets in a few seconds."""
    from engram.sessions.scanning.disk import LocalDisk
    from engram.sessions.scanning.names import Excluded
    from engram.sessions.scanning.reachable import folders_above

    return folders_above(LocalDisk(), share.root, Excluded(share.exclude), depth)
