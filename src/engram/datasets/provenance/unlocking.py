"""Unlock: give annexed files a content of their own that can be written to, in the place of their links.

What is left is what ``git annex unlock`` leaves: a copy of the content, and in the index the pointer to its key with
the copy's own properties, so that git need not look into it. The next save locks it again. Source: git-annex-unlock(1)
"""

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from shlex import quote

from engram import durable
from engram.datasets.annex.hashdirs import object_path, object_path_lower
from engram.datasets.annex.pointers import key_in, pointer_of
from engram.datasets.annex.reading import open_content
from engram.datasets.annex.store import ContentStore
from engram.datasets.annexed import AnnexedFile, annexed_files
from engram.datasets.dataset import Dataset
from engram.datasets.git.index import Entry, GitIndex, entry_from_stat
from engram.datasets.git.index_write import complete_changes, write_index
from engram.datasets.git.objects import BLOB, EXECUTABLE_MODE, FILE_MODE, object_id
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.locks import clear_what_a_crash_left, index_lock, only_engram
from engram.datasets.new_objects import NewObjects
from engram.datasets.permission import check_may_write
from engram.datasets.records import Reporter
from engram.datasets.syncing import ToSync
from engram.model.errors import ChangedWhileSaved, ItemFailed, MovedMeanwhile
from engram.model.outcome import DatasetOutcome, Status
from engram.model.plan import Plan, PlannedStep

_CHUNK_BYTES = 1 << 22
_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockRequest:
    """What is to be unlocked."""

    #: Relative to the top; ``(b"",)`` for everything.
    scopes: tuple[bytes, ...] = (b"",)
    #: The dataset that the whole command is about.
    refds: str = ""
    #: What is to be written to by a command, whether it is recorded or not.
    outputs: bool = False


class Unlocker:
    """One unlock in one dataset."""

    def __init__(self, dataset: Dataset, request: UnlockRequest) -> None:
        self._dataset = dataset
        self._request = request
        self._top = os.fsencode(dataset.work_tree)
        self._report = Reporter(dataset, refds=request.refds)
        git_dir = os.fsencode(dataset.git_dir)
        #: The copies before they get their names, and those names.
        self._copies, self._names = ToSync(git_dir, self._top), ToSync(git_dir, self._top)
        self._store = ContentStore(dataset.steps, git_dir=git_dir, to_sync=self._names)

    def plan(self) -> Plan:
        """What would be done. Changes nothing."""
        ready, told = self._look(self._dataset.read_index())
        steps = [
            PlannedStep(
                action="unlock",
                item=self._outcome(file.path, Status.OK).item,
                bytes=os.stat(self._content(file.key)).st_size,
                ground=os.fsdecode(file.key),
            )
            for file in ready
        ]
        refused = [PlannedStep(action="unlock", item=one.item, why=one.message) for one in told if one.failed]
        return Plan(steps=tuple(steps), refused=tuple(refused))

    def carry_out(self) -> Iterator[DatasetOutcome]:
        """Do it. Outcomes come once all is durable. Raises `NotTrusted`."""
        dataset = self._dataset
        check_may_write(dataset)
        with only_engram(dataset.steps, dataset.git_dir):
            clear_what_a_crash_left(dataset.steps, dataset.git_dir)
            self._store.clear_what_a_crash_left()
            try:
                index = dataset.read_index()
                ready, told = self._look(index)
                self._set_apart(index, {file.path for file in ready})
                yield from told
                reason = _reason_to_hand_over(dataset) if ready else ""
            except NotUnderstood as problem:
                index, ready, reason = GitIndex.from_nothing(), [], problem.reason
            yield from self._hand_over(reason, ready) if reason else self._unlock_or_hand_over(index, ready)

    def _look(self, index: GitIndex) -> tuple[list[AnnexedFile], list[DatasetOutcome]]:
        """The files that can be unlocked, and what is to be said of others that were named."""
        ready: list[AnnexedFile] = []
        told: list[DatasetOutcome] = []
        seen: set[bytes] = set()
        for file in annexed_files(self._dataset, index, self._request.scopes):
            seen.add(file.path)
            named = file.path in self._request.scopes
            if not file.locked or not os.path.islink(self._place(file.path)):
                told += [self._not_needed(file.path)] * named
            elif os.path.exists(self._place(file.path)):
                ready.append(file._replace(key=self._linked(file.path) or file.key))
            elif named:
                told.append(self._impossible(file.path, "no content present", "Get it first: engram get {}"))
        for scope in self._request.scopes:
            if scope and scope not in seen and not os.path.isdir(self._place(scope)):
                told.append(self._no_annexed_file(index, scope))
        return ready, told

    def _no_annexed_file(self, index: GitIndex, path: bytes) -> DatasetOutcome:
        if index.find(path) is not None:
            return self._not_needed(path)
        return self._impossible(path, "untracked", "Only what was saved can be unlocked: engram save {}")

    def _not_needed(self, path: bytes) -> DatasetOutcome:
        return self._outcome(path, Status.NOT_NEEDED, note="non-annex file; cannot unlock")

    def _impossible(self, path: bytes, why: str, remedy: str) -> DatasetOutcome:
        name = os.fsdecode(path)
        return self._outcome(
            path, Status.IMPOSSIBLE, message=f"{why}; cannot unlock", remedy=remedy.format(quote(name))
        )

    def _outcome(
        self, path: bytes, status: Status, *, key: bytes = b"", note: str = "", message: str = "", remedy: str = ""
    ) -> DatasetOutcome:
        place = os.path.join(self._dataset.work_tree, os.fsdecode(path))
        refds = self._request.refds or self._dataset.work_tree
        return DatasetOutcome(
            action="unlock",
            item=os.path.relpath(place, refds),
            status=status,
            path=place,
            type="file",
            refds=refds,
            key=os.fsdecode(key),
            note=note,
            message=message,
            error=ItemFailed.__name__ if message else "",
            remedy=remedy,
        )

    # --- what a killed save left

    def _set_apart(self, index: GitIndex, known: set[bytes]) -> None:
        """Give files that share their bytes with the annex bytes of their own, where the index does not know of it.

        A save that is killed between two steps leaves links that are not recorded yet, and files that are their own
        objects already: whoever writes to those, past their missing permission, writes into the annex. Where
        ``annex.thin`` is set files are meant to be so.
        """
        if self._dataset.is_set("annex.thin"):
            return
        for place in self._files():
            was = os.lstat(place)
            path = place[len(self._top) + 1 :]
            if index.find(path) is None and not self._request.outputs:  # a user's own, perhaps, and linked on purpose
                continue
            shared = stat.S_ISREG(was.st_mode) and was.st_nlink > 1 and not was.st_mode & stat.S_IWUSR
            if shared or (stat.S_ISLNK(was.st_mode) and path not in known and self._linked(path)):
                aside = self._copy_of(os.path.realpath(place))  # of what a link leads to
                durable.sync_file(self._dataset.steps, aside)
                if durable.rename_over(self._dataset.steps, aside, place, was) is None:
                    durable.remove(self._dataset.steps, aside)

    def _linked(self, path: bytes) -> bytes:
        """The key of the content that a link in the work tree leads to; b"" where it leads to none."""
        place = self._place(path)
        return (key_in(os.readlink(place)) or b"") if os.path.exists(place) else b""

    def _files(self) -> Iterator[bytes]:
        """The files below the scopes, none of git's or of subdatasets'."""
        for scope in self._request.scopes:
            place = self._place(scope) if scope else self._top
            if not os.path.isdir(place) or os.path.islink(place):
                if os.path.lexists(place):
                    yield place
                continue
            for folder, folders, files in os.walk(place):
                folders[:] = [name for name in folders if not os.path.lexists(os.path.join(folder, name, b".git"))]
                if b".git" in folders:
                    folders.remove(b".git")
                yield from (os.path.join(folder, name) for name in files)

    # --- natively

    def _unlock_or_hand_over(self, index: GitIndex, ready: Sequence[AnnexedFile]) -> Iterator[DatasetOutcome]:
        try:
            yield from self._unlock(index, ready)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            yield from self._hand_over("its work tree lies on another file system than its .git", ready)

    def _unlock(self, index: GitIndex, ready: Sequence[AnnexedFile]) -> Iterator[DatasetOutcome]:
        dataset = self._dataset
        copies = [(file, self._copy(file)) for file in ready]
        if not copies:
            return
        self._copies.sync(dataset.steps)
        entries: dict[bytes, Entry | None] = {}
        pointers = NewObjects(dataset.steps, dataset.objects, os.path.join(dataset.repository.common_dir, b"objects"))
        problems: list[ItemFailed] = []
        for file, (aside, was) in copies:
            status = durable.rename_over(dataset.steps, aside, self._place(file.path), was)
            if status is None:
                durable.remove(dataset.steps, aside)
                problems.append(ItemFailed(os.fsdecode(file.path), "something else took its place meanwhile"))
                continue
            self._names.folder(os.path.dirname(self._place(file.path)))
            pointer = pointer_of(file.key)
            oid = object_id(BLOB, pointer)
            pointers.put(BLOB, pointer, oid)
            mode = EXECUTABLE_MODE if status.st_mode & stat.S_IXUSR else FILE_MODE
            entries[file.path] = entry_from_stat(file.path, status, mode, oid)
        self._names.sync(dataset.steps)
        pointers.store()
        self._record(index, entries)
        for file, _ in copies:
            if file.path in entries:
                yield self._outcome(file.path, Status.OK, key=file.key)
        for problem in problems:
            yield self._report.failed("unlock", problem)

    def _copy(self, file: AnnexedFile) -> tuple[bytes, os.stat_result]:
        """A writable copy of a file's content, not in its place yet; and the link that is there now."""
        aside = self._copy_of(self._content(file.key))
        self._copies.file(aside)
        return aside, os.lstat(self._place(file.path))

    def _copy_of(self, place: bytes) -> bytes:
        """The name of a writable copy of a file, with the times of the original."""
        steps, aside = self._dataset.steps, self._store.aside_name()
        try:
            content = open_content(place)
        except ChangedWhileSaved as error:
            raise ItemFailed(os.fsdecode(place), "it is no regular file, and no content") from error
        try:
            was = content.was
            out = durable.open_new(steps, aside, mode=0o600)
            try:
                while data := os.read(content.descriptor, _CHUNK_BYTES):
                    durable.write_all(steps, out, data, aside)
                durable.change_mode(steps, out, _writable(was.st_mode), aside)
                durable.set_times(steps, out, (was.st_atime_ns, was.st_mtime_ns), aside)
            finally:
                os.close(out)
        finally:
            content.close()
        return aside

    def _record(self, index: GitIndex, entries: dict[bytes, Entry | None]) -> None:
        """Note the pointers in the index. Raises `MovedMeanwhile` when somebody else writes it again and again."""
        dataset = self._dataset
        for _ in range(_TRIES):
            index = dataset.index_again(index)
            content = write_index(index, complete_changes(index, entries), None)
            lock = index_lock(dataset.steps, dataset.git_dir)
            lock.take()
            try:
                if dataset.index_again(index) is index:
                    lock.put_in_place(content)
                    return
            finally:
                lock.release()
        raise MovedMeanwhile("The index")

    # --- by git-annex

    def _hand_over(self, reason: str, ready: Iterable[AnnexedFile]) -> Iterator[DatasetOutcome]:
        """Have git-annex unlock the files; all below the scopes where engram cannot tell which they are."""
        import json

        dataset = self._dataset
        paths = [file.path for file in ready] or [scope or b"." for scope in self._request.scopes]
        _, out, _ = dataset.programs.git_annex_status_of(
            dataset.work_tree, "unlock", "--json", "--json-error-messages", "--", *(b"./" + path for path in paths)
        )
        durable.sync_file_system(dataset.steps, dataset.git_dir)
        durable.sync_file_system(dataset.steps, dataset.work_tree)
        for line in out.splitlines():
            if not line.startswith(b"{"):
                continue  # git, of other files: "notes.txt: needs merge"
            record = json.loads(line.decode("utf-8", "replace"))
            path = os.fsencode(os.path.normpath(str(record.get("file") or ".")))
            if record.get("success"):
                key = str(record.get("key") or "").encode("utf-8", "surrogateescape")
                yield self._outcome(path, Status.OK, key=key, note=f"handed to git-annex: {reason}")
            else:
                said = " ".join(map(str, record.get("error-messages", ()))) or "git-annex could not unlock it"
                yield self._report.failed("unlock", ItemFailed(os.fsdecode(path), said.rstrip(".")))

    # --- places

    def _place(self, path: bytes) -> bytes:
        return os.path.join(self._top, path)

    def _content(self, key: bytes) -> bytes:
        git_dir = os.fsencode(self._dataset.git_dir)
        usual = os.path.join(git_dir, object_path(key))
        return usual if os.path.exists(usual) else os.path.join(git_dir, object_path_lower(key))


def _reason_to_hand_over(dataset: Dataset) -> str:
    from engram.datasets.traps import reason_to_hand_over

    return reason_to_hand_over(dataset)


def _writable(mode: int) -> int:
    """The permissions that git-annex gives a copy: those of the content, and its owner may write."""
    return stat.S_IMODE(mode) | stat.S_IWUSR


def is_link_without_content(place: str) -> bool:
    """Whether an annexed file's link lies at *place*, and its content is not here."""
    try:
        target = os.fsencode(os.readlink(place))
    except OSError:
        return False
    return not os.path.exists(place) and key_in(target) is not None
