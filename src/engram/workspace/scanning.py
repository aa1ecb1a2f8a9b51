"""Scanning the lab's shares for sessions."""

import os
import time
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from engram.durable import Steps, make_folders
from engram.model.errors import ShareUnavailable
from engram.model.lab import Share
from engram.model.outcome import Outcome, Status, failure
from engram.workspace.context import Context
from engram.workspace.lab_here import LabHere, lab_here

if TYPE_CHECKING:
    from engram.sessions.recogniser import Recogniser
    from engram.sessions.scanning.duplicates import Duplicates
    from engram.sessions.scanning.scan import Scanner
    from engram.sessions.scanning.seen import Seen
    from engram.sessions.workers import Worker

#: What scans saw, beside the lab's file.
SCAN_STATE = "scan.db"
_MEND_PLUGIN = "The others are asked. Mend or remove that plugin; its format counts as unknown until then."


class Scanning:
    """The sessions on the shares of the lab around the call."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def scan(
        self, shares: tuple[str, ...] = (), *, full: bool = False, checksum: bool = False
    ) -> "Generator[Seen | Outcome, None, None]":
        """Everything on these shares, or on all: sessions as they are found, then what belongs to none.

        A share that is not there is an `Outcome` that failed; the others are scanned. Raises `ShareUnavailable` when
        there was only that one.
        """
        from engram.sessions.discovery import discover
        from engram.sessions.scanning.duplicates import Duplicates
        from engram.sessions.workers import Worker

        here = lab_here(self._context)
        wanted = here.shares(shares)
        discovered = discover()
        for broken in discovered.broken:
            yield Outcome(action="load", item="recognisers", status=Status.ERROR, message=broken, remedy=_MEND_PLUGIN)
        duplicates = Duplicates()
        with Worker() as worker:
            scanner = self._scanner(here, discovered.recognisers, worker, full=full)
            for share in wanted:
                try:
                    yield from self._scan(scanner, share, duplicates, checksum=checksum)
                except ShareUnavailable as error:
                    if len(wanted) == 1:
                        raise
                    yield failure(error, action="scan", item=share.name)
        yield from duplicates.findings()

    def _scan(self, scanner: "Scanner", share: Share, duplicates: "Duplicates", *, checksum: bool) -> "Iterator[Seen]":
        from engram.sessions.scanning.checksums import checked
        from engram.sessions.scanning.seen import SessionSeen

        for one in scanner.scan(share):
            if isinstance(one, SessionSeen):
                one = checked(one, share.root, self._context.progress) if checksum else one
                duplicates.take(one)
            yield one

    def _scanner(
        self, here: LabHere, recognisers: "tuple[Recogniser, ...]", worker: "Worker", *, full: bool
    ) -> "Scanner":
        from engram.sessions.scanning.scan import Scanner

        steps = Steps()
        make_folders(steps, here.private)
        return Scanner(
            state_file=os.path.join(here.private, SCAN_STATE),
            recognisers=recognisers,
            worker=worker.examine,
            now_ns=time.time_ns(),
            timezone=here.settings.lab_timezone,
            full=full,
            progress=self._context.progress,
            steps=steps,
        )
