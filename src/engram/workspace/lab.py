"""Labs: make one, look at it, check it, keep it safe."""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING

from engram.config import LAB_FILE, is_timezone, lab_seal, why_not_trusted, why_not_trusted_folder
from engram.durable import Steps, make_folders, replace
from engram.model.counting import plural
from engram.model.errors import CatalogueDamaged, TargetExists, Unreadable, UsageError
from engram.model.lab import Share
from engram.model.outcome import Outcome, Status, failure
from engram.model.plan import Plan, PlannedStep
from engram.model.reports import LabReport
from engram.workspace.catalogue_here import USUAL_URL, address_of, author_here, catalogue_extra, catalogue_here
from engram.workspace.context import Context, trust_folder
from engram.workspace.file_systems import network_file_system
from engram.workspace.lab_file import change_lab, put_catalogue, read_lab, write_new_lab
from engram.workspace.lab_here import LabHere, lab_here

if TYPE_CHECKING:
    from engram.catalogue.addresses import Address
    from engram.catalogue.comparing import TableDigest
    from engram.catalogue.moving import Move


class Labs:
    """What can be done with a lab as a whole."""

    def __init__(self, context: Context, *, steps: Steps | None = None, mounts: str | None = None) -> None:
        """*mounts*: what `network_file_system` is told of this machine, instead of what is so."""
        self._context = context
        self._steps = steps or Steps()
        self._mounts = mounts

    def create(self, folder: str | None, *, catalogue: str | None, name: str, timezone: str) -> Iterator[Outcome]:
        """Make a lab: its catalogue, then its file. Run again after a crash it goes on.

        Raises:
            TargetExists, UsageError, ExtraMissing, CatalogueUnusable: before anything is written.
        """
        place, address = self._wanted(folder, catalogue, timezone)
        with catalogue_extra():
            from engram.catalogue.migrating import create_catalogue
        make_folders(self._steps, place)
        new = create_catalogue(address, self._steps)
        url = catalogue or USUAL_URL
        called = name or os.path.basename(place)
        write_new_lab(self._steps, place, name=called, timezone=timezone, catalogue_url=url)
        note = f"catalogue {address.shown}" + ("" if new else ", which was there")
        yield Outcome(action="lab-create", item=place, status=Status.OK, note=note)

    def plan_create(self, folder: str | None, *, catalogue: str | None, timezone: str) -> Plan:
        """What `create` would do. Raises what it raises."""
        place, address = self._wanted(folder, catalogue, timezone)
        made = PlannedStep(action="set up", item=address.shown, why="the lab's catalogue")
        return Plan(steps=(made, PlannedStep(action="write", item=os.path.join(place, LAB_FILE))))

    def _wanted(self, folder: str | None, catalogue: str | None, timezone: str) -> "tuple[str, Address]":
        place = os.path.normpath(os.path.join(self._context.folder, folder or "."))
        file = os.path.join(place, LAB_FILE)
        if os.path.lexists(file):
            raise TargetExists(file, "is there already: this is a lab", "Look at it: engram lab show")
        if why := why_not_trusted_folder(place):
            advice = "Take a folder of your own outside datasets: what a dataset brings along is not trusted."
            raise UsageError(f"A lab in {place} would not be read: {why}.", advice)
        if timezone and not is_timezone(timezone):
            raise UsageError(f"{timezone!r} is not a time zone.", "Write it as Europe/Oslo.")
        with catalogue_extra():
            from engram.catalogue.addresses import read_address
        address = read_address(catalogue or USUAL_URL, place)
        self._refuse_network(address, "--catalogue")
        return place, address

    def _refuse_network(self, address: "Address", option: str) -> None:
        if address.file and (kind := network_file_system(address.file, self._mounts)):
            raise UsageError(
                f"{address.file} lies on a network file system ({kind}), where SQLite loses data.",
                f"Add {option} sqlite:////FILE/ON/THIS/MACHINE.db, or {option} postgresql+psycopg://USER@HOST/NAME",
            )

    def show(self) -> Iterator[LabReport]:
        """The lab at a glance. Raises `NoLab`, `CatalogueUnusable`."""
        here = lab_here(self._context)
        address = address_of(here)
        from engram.catalogue.checking import row_counts
        from engram.catalogue.versions import version_of

        with catalogue_here(self._context) as catalogue, catalogue.reading() as connection:
            yield LabReport(
                name=here.lab.name,
                folder=here.lab.folder,
                timezone=here.lab.timezone,
                catalogue=address.shown,
                database=address.database,
                version=version_of(connection),
                rows=tuple((table, count) for table, count in row_counts(connection) if count),
                shares=tuple(share.name for share in here.lab.shares),
                last_backup=_last_backup(here),
            )

    def check(self) -> Iterator[Outcome]:
        """Whether the lab's parts are sound: an outcome for its file, its catalogue and each share.

        Raises:
            NoLab, BadLabFile, CatalogueUnusable, ExtraMissing: when there is nothing to look into.
        """
        here = lab_here(self._context)
        yield Outcome(action="lab-check", item=here.file, status=Status.OK)
        address = address_of(here)
        from engram.catalogue.checking import problems, row_counts

        with catalogue_here(self._context) as catalogue, catalogue.reading() as connection:
            found = list(problems(connection))
            rows = sum(count for _, count in row_counts(connection))
        for problem in found:
            error = CatalogueDamaged(address.shown, problem.rstrip("."))
            yield failure(error, action="lab-check", item=address.shown)
        if not found:
            yield Outcome(action="lab-check", item=address.shown, status=Status.OK, note=plural(rows, "row"))
        if address.file and (kind := network_file_system(address.file, self._mounts)):
            moved = UsageError(f"It lies on a network file system ({kind}).", "Move it: engram lab move --to URL")
            yield failure(moved, action="lab-check", item=address.file)
        for share in here.lab.shares:
            yield _of_share(share)

    def backup(self, file: str | None, *, now: datetime | None = None) -> Iterator[Outcome]:
        """Save the catalogue as an SQLite file that can take its place; by default among the lab's backups.

        Raises:
            NoLab, TargetExists, CatalogueUnusable, StorageFailed: before there is a file.
        """
        here = lab_here(self._context)
        address = address_of(here)
        with catalogue_extra():
            from engram.catalogue.backing_up import back_up
        path = os.path.join(self._context.folder, file) if file else _new_backup(here, now or datetime.now(UTC))
        rows = back_up(address, path, self._steps)
        yield Outcome(action="lab-backup", item=path, status=Status.OK, note=plural(rows, "row"))

    def plan_backup(self, file: str | None, *, now: datetime | None = None) -> Plan:
        """What `backup` would do. Raises what it raises, but for what only writing shows."""
        here = lab_here(self._context)
        address = address_of(here)
        path = os.path.join(self._context.folder, file) if file else _new_backup(here, now or datetime.now(UTC))
        if os.path.lexists(path):
            raise TargetExists(path, "is there already", "Name another file: nothing is written over.")
        return Plan(steps=(PlannedStep(action="save", item=path, why=f"what {address.shown} holds"),))

    def plan_upgrade(self, *, now: datetime | None = None) -> Plan:
        """What `upgrade` would do."""
        address = address_of(lab_here(self._context))
        with catalogue_extra():
            from engram.catalogue.migrating import needs_upgrade
        if not needs_upgrade(address):
            return Plan()
        change = PlannedStep(
            action="upgrade", item=address.shown, why="to this program's version; older ones refuse it"
        )
        return Plan(steps=(*self.plan_backup(None, now=now).steps, change))

    def upgrade(self, *, now: datetime | None = None) -> Iterator[Outcome]:
        """Bring the catalogue to this program's version; a backup of it is made first.

        Raises:
            NoLab, CatalogueUnusable, StorageFailed: before anything is changed.
        """
        address = address_of(lab_here(self._context))
        with catalogue_extra():
            from engram.catalogue.migrating import needs_upgrade, upgrade_catalogue
        if not needs_upgrade(address):
            yield Outcome(action="lab-upgrade", item=address.shown, status=Status.NOT_NEEDED)
            return
        yield from self.backup(None, now=now)
        before, after = upgrade_catalogue(address)
        note = f"version {before} → {after}"
        yield Outcome(action="lab-upgrade", item=address.shown, status=Status.OK, note=note)

    def move(self, url: str, *, now: datetime | None = None) -> Iterator[Outcome]:
        """Carry the catalogue over to another database; the lab's file names it once both are proven to be the same.

        The old one stays as it is, and lets nobody use it any more. Run again after a crash it goes on.

        Raises:
            NoLab, UsageError, CatalogueUnusable, CatalogueUnavailable, MoveNotProven: the lab goes on as before.
        """
        here, source, target = self._both(url)
        if _is_same(source, target):
            yield Outcome(action="lab-move", item=target.shown, status=Status.NOT_NEEDED, note="it lies there")
            return
        change_lab(self._steps, here.file, lambda _: None)  # whether it could be changed in the end
        same = self._moved(source, target, now or datetime.now(UTC))
        for one in same:
            if one.rows:
                note = f"{plural(one.rows, 'row')} in both, SHA-256 {one.sha256[:16]}…"
                yield Outcome(action="lab-move", item=f"table {one.table}", status=Status.OK, note=note)
        change_lab(self._steps, here.file, lambda file: put_catalogue(file, url))
        note = (
            f"{plural(sum(one.rows for one in same), 'row')} proven to be the same"
            if same
            else "proven to be whole before"
        )
        yield Outcome(action="lab-move", item=target.shown, status=Status.OK, note=f"{note}; the lab's catalogue now")
        note = "stays as it was, and is used no more"
        yield Outcome(action="lab-move", item=source.shown, status=Status.OK, note=note)

    def plan_move(self, url: str) -> Plan:
        """What `move` would do. Raises what it raises."""
        here, source, target = self._both(url)
        if _is_same(source, target):
            return Plan()
        from engram.catalogue.moving import rows_to_move

        rows = rows_to_move(_move(self._context, source, target, datetime.now(UTC)))
        copies = (
            PlannedStep(action="copy", item=f"table {name}", why=plural(count, "row")) for name, count in rows if count
        )
        named = PlannedStep(
            action="name", item=target.shown, why=f"in {here.file}, once both are proven to be the same"
        )
        closed = PlannedStep(action="close", item=source.shown, why="it stays as it is, and is used no more")
        return Plan(steps=(*copies, closed, named))

    def _both(self, url: str) -> "tuple[LabHere, Address, Address]":
        here = lab_here(self._context)
        if here.settings.catalogue_url != (here.lab.catalogue_url or USUAL_URL):
            raise UsageError(
                f"For this call the catalogue is {here.settings.catalogue_url}, which {here.file} does not name.",
                "Take away what says so (-c, ENGRAM_CATALOGUE_URL): what moves is the catalogue that the file names.",
            )
        source = address_of(here)
        from engram.catalogue.addresses import read_address

        target = read_address(url, here.lab.folder)
        self._refuse_network(target, "--to")
        return here, source, target

    def _moved(self, source: "Address", target: "Address", now: datetime) -> "tuple[TableDigest, ...]":
        from engram.catalogue.moving import move_catalogue

        return move_catalogue(_move(self._context, source, target, now), self._steps, self._context.progress)

    def trust(self, folder: str) -> Iterator[Outcome]:
        """Let the lab's file in a folder be read although it came from elsewhere, as long as it says what it says now.

        Raises:
            UsageError: when there is none, or it does not parse.
        """
        file, said, is_needed = self._doubtful(folder)
        if not is_needed:
            yield Outcome(action="lab-trust", item=file, status=Status.NOT_NEEDED, note=said)
            return
        trusted = trust_folder(self._context)
        make_folders(self._steps, trusted)
        note = os.path.join(trusted, lab_seal(file))
        replace(self._steps, note, os.fsencode(f"{file}\n"), mode=0o600)
        yield Outcome(action="lab-trust", item=file, status=Status.OK, note=said)

    def plan_trust(self, folder: str) -> Plan:
        """What `trust` would do: *why* tells what the file names. Raises what it raises."""
        file, said, is_needed = self._doubtful(folder)
        return Plan(steps=(PlannedStep(action="trust", item=file, why=said),) if is_needed else ())

    def _doubtful(self, folder: str) -> tuple[str, str, bool]:
        """A lab's file, what it names, and whether it is not trusted yet."""
        file = os.path.join(os.path.normpath(os.path.join(self._context.folder, folder)), LAB_FILE)
        if not os.path.isfile(file):
            raise UsageError(f"{folder} is no lab: it holds no {LAB_FILE}.", "Name a folder that does.")
        lab = read_lab(file)
        said = f"catalogue {lab.catalogue_url or USUAL_URL}"
        said += "".join(f", share {share.name} at {share.root}" for share in lab.shares)
        is_needed = bool(why_not_trusted(file) and why_not_trusted(file, trust_folder(self._context)))
        return file, said, is_needed


def _is_same(one: "Address", other: "Address") -> bool:
    return one.shown == other.shown or (bool(one.file) and os.path.realpath(one.file) == os.path.realpath(other.file))


def _move(context: Context, source: "Address", target: "Address", now: datetime) -> "Move":
    from engram.catalogue.moving import Move

    by = author_here(context, "lab move").who
    return Move(source=source, target=target, by=by, now=now.astimezone(UTC).replace(tzinfo=None))


def _backups(lab: LabHere) -> str:
    return os.path.join(lab.private, "backups")


def _new_backup(lab: LabHere, now: datetime) -> str:
    """``catalogue-20200101T100030Z.db``, or with a number behind it when there is one of that second."""
    stem = os.path.join(_backups(lab), f"catalogue-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    names = (f"{stem}{'' if number == 1 else f'-{number}'}.db" for number in count(1))
    return next(name for name in names if not os.path.lexists(name))


def _last_backup(lab: LabHere) -> str:
    try:
        names = sorted(name for name in os.listdir(_backups(lab)) if _BACKUP.fullmatch(name))
    except FileNotFoundError:
        return ""
    if not names:
        return ""
    stamp = names[-1].removeprefix("catalogue-")[:16]
    return f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:11]}:{stamp[11:13]}:{stamp[13:15]}Z"


_BACKUP = re.compile(r"catalogue-\d{8}T\d{6}Z(-\d+)?\.db")


def _of_share(share: Share) -> Outcome:
    """Whether this account can look into a share, here and now."""
    try:
        with os.scandir(share.root) as entries:
            next(entries, None)
    except OSError as error:
        return failure(Unreadable(share.root, error.strerror or str(error)), action="lab-check", item=share.name)
    return Outcome(action="lab-check", item=share.name, status=Status.OK, note=share.root)
