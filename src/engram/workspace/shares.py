"""The lab's shares: what is known of them, and how they are added and removed."""

import os
import pwd
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engram.durable import Steps
from engram.model.errors import UsageError
from engram.model.lab import Share
from engram.model.outcome import Outcome, Status
from engram.model.plan import Plan, PlannedStep
from engram.sessions.scanning.disk import PATIENCE_S, LocalDisk
from engram.sessions.scanning.names import Excluded
from engram.sessions.scanning.reachable import out_of_reach, trouble_with
from engram.sessions.templates import DEFAULTS, session_templates
from engram.workspace.context import Context
from engram.workspace.lab_file import change_lab, check_name, put_share, take_share
from engram.workspace.lab_here import LabHere, lab_here

#: So long a share is waited for where it is only shown.
_GLANCE_S = 5.0


@dataclass(frozen=True, slots=True)
class ShareHere:
    """One share, and whether it is there just now."""

    share: Share
    #: Why it cannot be read by this account on this machine; '' when it can.
    trouble: str

    def as_json(self) -> dict[str, Any]:
        """The record behind ``share list --json``. Fields may be added, never changed."""
        return {**self.share.as_json(), "trouble": self.trouble}

    @property
    def templates(self) -> tuple[str, ...]:
        """The templates that hold: its own, else the usual ones."""
        return self.share.template or DEFAULTS


class Shares:
    """The shares of the lab around the call."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._steps = Steps()

    def add(
        self,
        name: str,
        path: str,
        *,
        template: tuple[str, ...] = (),
        timezone: str = "",
        also_known_as: tuple[str, ...] = (),
        exclude: tuple[str, ...] = (),
    ) -> Iterator[Outcome]:
        """Add a share to the lab's file. Raises `UsageError` and `BadTemplate` for what makes no sense."""
        here, share = self._new(name, path, template, timezone, also_known_as, exclude)
        change_lab(self._steps, here.file, lambda file: put_share(file, name, _values(share)))
        yield Outcome(action="add", item=f"share {name}", status=Status.OK, note=share.root)

    def plan_add(
        self,
        name: str,
        path: str,
        *,
        template: tuple[str, ...] = (),
        timezone: str = "",
        also_known_as: tuple[str, ...] = (),
        exclude: tuple[str, ...] = (),
    ) -> Plan:
        """What `add` would do; raises what it would raise."""
        here, share = self._new(name, path, template, timezone, also_known_as, exclude)
        return Plan(steps=(PlannedStep(action="add", item=f"share {name}", why=f"{share.root}, into {here.file}"),))

    def list(self) -> Iterator[ShareHere]:
        """Every share of the lab."""
        for share in lab_here(self._context).lab.shares:
            yield _here(share)

    def show(self, name: str) -> Iterator[ShareHere]:
        """One share. Raises `UsageError` when there is none of that name."""
        for share in lab_here(self._context).shares((name,)):
            yield _here(share)

    def remove(self, name: str) -> Iterator[Outcome]:
        """Take a share out of the lab's file; nothing on it is touched, and what was ingested stays."""
        here = lab_here(self._context)
        here.shares((name,))
        change_lab(self._steps, here.file, lambda file: take_share(file, name))
        yield Outcome(action="remove", item=f"share {name}", status=Status.OK, note="nothing on it was touched")

    def plan_remove(self, name: str) -> Plan:
        """What `remove` would do."""
        here = lab_here(self._context)
        here.shares((name,))
        return Plan(steps=(PlannedStep(action="remove", item=f"share {name}", why=f"from {here.file}"),))

    def _new(
        self,
        name: str,
        path: str,
        template: tuple[str, ...],
        timezone: str,
        also_known_as: tuple[str, ...],
        exclude: tuple[str, ...],
    ) -> tuple[LabHere, Share]:
        here = lab_here(self._context)
        check_name("share", name)
        root = os.path.normpath(os.path.join(self._context.folder, path))
        if here.lab.share(name) is not None:
            raise UsageError(
                f"The lab has a share {name} already.", f"Take another name, or: engram share remove {name}"
            )
        session_templates(template)
        if why := trouble_with(LocalDisk(), root, PATIENCE_S):
            raise UsageError(
                f"{_account()} on {os.uname().nodename} cannot read {root}: {why}.",
                "Check the spelling, that the share is mounted, and that this account may read it.",
            )
        share = Share(
            name=name, root=root, template=template, timezone=timezone, also_known_as=also_known_as, exclude=exclude
        )
        _check_place(here, share)
        _check_readable(share)
        return here, share


def _values(share: Share) -> Mapping[str, str | tuple[str, ...]]:
    return {
        "root": share.root,
        "also_known_as": share.also_known_as,
        "template": share.template,
        "exclude": share.exclude,
        "timezone": share.timezone,
    }


def _check_place(here: LabHere, share: Share) -> None:
    """Refuse a share that overlaps another, or holds the lab: that writes, and on a share nobody does."""
    if _lies_in(here.lab.folder, share.root):
        raise UsageError(
            f"The lab itself lies on that share, in {here.lab.folder}; nothing on a share is ever written.",
            "Keep the lab elsewhere, or add the folders beside it.",
        )
    for other in here.lab.shares:
        if _lies_in(share.root, other.root) or _lies_in(other.root, share.root):
            raise UsageError(
                f"{share.root} and the share {other.name} ({other.root}) hold each other: all would be seen twice.",
                "Name a folder beside it.",
            )


def _lies_in(path: str, folder: str) -> bool:
    path, folder = os.path.realpath(path), os.path.realpath(folder)
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _check_readable(share: Share) -> None:
    found = out_of_reach(LocalDisk(), share.root, Excluded(share.exclude), PATIENCE_S)
    if found is not None:
        place = os.path.join(share.root, found.folder) if found.folder else share.root
        leave_out = f", or leave it out: --exclude {found.folder!r}" if found.folder else ""
        raise UsageError(
            f"{_account()} on {os.uname().nodename} cannot read {place}: {found.reason}.",
            f"Let that account read it{leave_out}.",
        )


def _account() -> str:
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _here(share: Share) -> ShareHere:
    return ShareHere(share, trouble_with(LocalDisk(), share.root, _GLANCE_S))
