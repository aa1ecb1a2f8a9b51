"""Drop by number what nothing uses any more, with the same care as any other drop.

Source: git-annex-dropunused(1); runs of git-annex 10.
"""

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engram import durable
from engram.datasets.annex.facts import key_size
from engram.datasets.annex.inventory import LISTS, half_way, read_list, set_aside
from engram.datasets.auditing.unused import check_annex_is_own
from engram.datasets.auditing.used_keys import UsedKeys
from engram.datasets.dataset import Dataset
from engram.datasets.dropping.drop_by_annex import AnnexDrop
from engram.datasets.dropping.drop_records import too_few
from engram.datasets.dropping.droppable import Content, content_of
from engram.datasets.dropping.little_room import little_room
from engram.datasets.dropping.removal import Fate, Remover
from engram.datasets.git.problems import MissingObject, NotUnderstood
from engram.datasets.locks import clear_what_a_crash_left, only_engram
from engram.datasets.permission import check_may_write
from engram.datasets.traps import reason_to_hand_over
from engram.datasets.whereabouts import Whereabouts
from engram.model.errors import EngramError, NotDropped, UsageError
from engram.model.outcome import DatasetOutcome, Leaf, Status
from engram.model.plan import Plan, PlannedStep
from engram.model.progress import Progress, Silent

ACTION = "dropunused"
ALL = "all"
_AGAIN = "See what is unused now: engram unused"
#: The one version of a repository whose locks are taken here.
_VERSION = "10"
_NOTHING = (b"", b"nothing")
#: What is checked out, staged, stashed or in the work tree, and no other version.
_NO_REFS = "-*"


@dataclass(frozen=True, slots=True, kw_only=True)
class DropUnusedRequest:
    """What is to be dropped."""

    #: Numbers of the last ``unused``, ranges of them as ``3-9``, or ``all``.
    numbers: tuple[str, ...]
    #: Do not ask for copies elsewhere.
    force: bool = False
    #: Only these keys; ``None``: all that have the numbers.
    only: Collection[str] | None = None


class _Listed(NamedTuple):
    """One thing that has a number."""

    number: int
    #: ``unused``, ``bad`` or ``tmp``.
    kind: str
    key: bytes
    #: Where it is, b"" when it is not there any more.
    place: bytes


class UnusedDropper:
    """One drop of unused contents from one dataset."""

    def __init__(
        self,
        dataset: Dataset,
        request: DropUnusedRequest,
        *,
        clock: Callable[[], float] = time.time,
        progress: Progress | None = None,
    ) -> None:
        self._dataset = dataset
        self._request = request
        self._clock = clock
        self._progress = progress or Silent()
        self._git_dir = os.fsencode(dataset.git_dir)

    def plan(self) -> Plan:
        """What would be done. Changes nothing. Raises as `carry_out`."""
        check_annex_is_own(self._dataset)
        chosen = self._chosen()
        used = self._used(chosen)
        whereabouts = Whereabouts(self._dataset)
        reason = self._reason(whereabouts)
        remover = self._remover(whereabouts)
        steps: list[PlannedStep] = []
        refused: list[PlannedStep] = []
        for one in chosen:
            will, why = self._foresee(one, used, None if reason else remover)
            size = os.lstat(one.place).st_size if one.place else 0
            key = os.fsdecode(one.key)
            step = PlannedStep(action="drop", item=key, bytes=size if will else 0, why=why, ground=one.kind)
            (steps if will else refused).append(step)
        return Plan(steps=tuple(steps), refused=tuple(refused))

    def _foresee(self, one: _Listed, used: set[bytes], remover: Remover | None) -> tuple[bool, str]:
        """Whether it would be dropped, and why, or why not."""
        if not one.place:
            return False, "it is not here any more"
        if one.kind != "unused":
            return True, _KINDS[one.kind]
        if one.key in used:
            return False, "it is used again"
        if remover is None:
            return True, "if git-annex finds it safe"
        content = content_of(self._git_dir + b"/", one.key)
        if content is None:
            return False, "it is not here any more"
        fate = remover.foresee(content)
        if fate.gone:
            return True, "also in " + ", ".join(fate.proof.siblings) if fate.proof.siblings else "whoever else has it"
        if fate.for_annex:
            return True, "if git-annex finds it safe (what engram can look at itself is not enough)"
        return False, too_few(fate, remover.witnesses.impostors).what

    def carry_out(self) -> Iterator[DatasetOutcome]:
        """Do it; an outcome says what is durable.

        Raises:
            UsageError: for what is no number of the list; nothing is dropped then.
            NotTrusted, ExtraMissing: before anything is written.
            NoRoomToDrop: on a full disk.
        """
        dataset = self._dataset
        check_annex_is_own(dataset)
        check_may_write(dataset)
        with little_room(dataset), only_engram(dataset.steps, dataset.git_dir):
            clear_what_a_crash_left(dataset.steps, dataset.git_dir)
            dataset.clear_ref_locks_of_a_crash()
            chosen = self._chosen()
            used = self._used(chosen)
            yield from self._remains([one for one in chosen if one.kind != "unused"])
            contents: list[_Listed] = []
            for one in chosen:
                if one.kind == "unused":
                    if not one.place:
                        yield self._outcome(one, Status.NOT_NEEDED, note="it is not here any more")
                    elif one.key in used:
                        yield self._failed(one, NotDropped("", "it is used again", _AGAIN), status=Status.IMPOSSIBLE)
                    else:
                        contents.append(one)
            self._progress.start("drop", len(contents), "")
            try:
                yield from self._drop(contents)
            finally:
                self._progress.finish()

    # --- what is meant

    def _chosen(self) -> list[_Listed]:
        listed = self._listed()
        numbers: dict[int, None] = {}
        for said in self._request.numbers:
            for number in numbers_meant(said, listed):
                numbers[number] = None
        unknown = [number for number in numbers if number not in listed]
        if unknown:
            raise UsageError(f"There is no number {unknown[0]} in the list of what is unused.", _AGAIN)
        only = self._request.only
        return [listed[one] for one in numbers if only is None or os.fsdecode(listed[one].key) in only]

    def _listed(self) -> dict[int, _Listed]:
        remains = {"bad": set_aside(self._git_dir), "tmp": half_way(self._git_dir)}
        found: dict[int, _Listed] = {}
        for kind in LISTS:
            for number, line in read_list(self._dataset.git_dir, kind).items():
                place = self._object(line.key) if kind == "unused" else remains[kind].get(line.key, b"")
                found.setdefault(number, _Listed(number, kind, line.key, place))
        return found

    def _object(self, key: bytes) -> bytes:
        content = content_of(self._git_dir + b"/", key)
        return b"" if content is None else content.place

    def _used(self, chosen: Iterable[_Listed]) -> set[bytes]:
        """Those that are used again since they were listed."""
        keys = {one.key for one in chosen if one.kind == "unused"}
        if not keys:
            return set()
        used = UsedKeys(self._dataset, _NO_REFS)
        left = keys - used.staged()
        try:
            used.remove_from(left)
        except (NotUnderstood, MissingObject) as problem:
            raise UsageError(
                f"engram cannot tell what {self._dataset.work_tree} uses: {problem}.", "Ask git-annex: git annex unused"
            ) from problem
        return keys - left

    # --- doing it

    def _remains(self, chosen: Sequence[_Listed]) -> Iterator[DatasetOutcome]:
        """Remove what was set aside as bad, or came half-way: no copy of anything."""
        for one in chosen:
            if one.place:
                durable.remove(self._dataset.steps, one.place)
        for folder in {os.path.dirname(one.place) for one in chosen if one.place}:
            durable.sync_folder(self._dataset.steps, folder)
        for one in chosen:
            status = Status.OK if one.place else Status.NOT_NEEDED
            yield self._outcome(one, status, note=_KINDS[one.kind] if one.place else "it is not here any more")

    def _drop(self, chosen: list[_Listed]) -> Iterator[DatasetOutcome]:
        if not chosen:
            return
        whereabouts = Whereabouts(self._dataset)
        by_key = {one.key: one for one in chosen}
        found = (content_of(self._git_dir + b"/", one.key) for one in chosen)
        contents = [content for content in found if content is not None]
        if reason := self._reason(whereabouts):
            yield from self._by_annex(contents, by_key, reason, ())
            return
        whereabouts.prefetch(list(by_key))
        remover = self._remover(whereabouts)
        impostors = remover.witnesses.impostors
        for_annex: dict[frozenset[str], list[Content]] = {}
        for fate in remover.remove(contents):
            if fate.for_annex:
                for_annex.setdefault(frozenset({*fate.proof.refuted, *impostors}), []).append(fate.content)
                continue
            self._progress.advance()
            yield self._told(by_key[fate.content.key], fate, remover)
        for distrusted, left in for_annex.items():
            yield from self._by_annex(left, by_key, "what engram can look at itself is not enough", distrusted)

    def _remover(self, whereabouts: Whereabouts) -> Remover:
        return Remover(self._dataset, whereabouts, asks=not self._request.force, clock=self._clock)

    def _reason(self, whereabouts: Whereabouts) -> str:
        """Why git-annex has to drop all of it, '' when engram can."""
        dataset = self._dataset
        if reason := reason_to_hand_over(dataset):
            return reason
        if (version := dataset.setting("annex.version")) != _VERSION:
            return f"annex.version is {version}"
        required = whereabouts.required(dataset.annex_uuid.encode()).strip()
        return "content is required here" if required not in _NOTHING and not self._request.force else ""

    def _told(self, one: _Listed, fate: Fate, remover: Remover) -> DatasetOutcome:
        if fate.gone:
            return self._outcome(one, Status.OK)
        if fate.problem:
            return self._failed(one, NotDropped("", fate.problem, "Wait until nobody uses it, then try again."))
        problem = too_few(fate, remover.witnesses.impostors)
        return self._failed(one, NotDropped("", problem.reason, _MORE_COPIES), name=type(problem).__name__)

    def _by_annex(
        self, contents: list[Content], by_key: dict[bytes, _Listed], reason: str, distrusted: Iterable[str]
    ) -> Iterator[DatasetOutcome]:
        annex = AnnexDrop(self._dataset, distrusted=distrusted, force=self._request.force)
        note = f"handed to git-annex: {reason}"
        for content, problem in annex.drop(contents, by_key=True):
            self._progress.advance()
            one = by_key[content.key]
            yield self._outcome(one, Status.OK, note=note) if problem is None else self._failed(one, problem, note=note)

    # --- outcomes

    def _failed(
        self, one: _Listed, error: EngramError, *, status: Status = Status.ERROR, note: str = "", name: str = ""
    ) -> DatasetOutcome:
        return self._outcome(
            one, status, note=note, message=error.what, error=name or type(error).__name__, remedy=error.next_step
        )

    def _outcome(
        self, one: _Listed, status: Status, *, note: str = "", message: str = "", error: str = "", remedy: str = ""
    ) -> DatasetOutcome:
        extra: tuple[tuple[str, Leaf], ...] = (("number", one.number), ("kind", one.kind))
        return DatasetOutcome(
            action=ACTION,
            item=str(one.number),
            status=status,
            message=message,
            error=error,
            remedy=remedy,
            note=note,
            path=self._dataset.work_tree,
            type="key",
            refds=self._dataset.work_tree,
            key=os.fsdecode(one.key),
            bytesize=key_size(one.key),
            extra=extra,
        )


_KINDS = {"bad": "a damaged copy that was set aside", "tmp": "content that came half-way"}
_MORE_COPIES = "Copy it to a sibling first: git annex copy --unused --to SIBLING; or drop it for good: --force"


def numbers_meant(said: str, listed: Iterable[int]) -> list[int]:
    """The numbers that one argument means. Raises `UsageError`."""
    if said == ALL:
        return sorted(listed)
    first, dash, last = said.partition("-")
    ends = (first, last if dash else first)
    if not all(end.isascii() and end.isdigit() and len(end) < 10 for end in ends):
        raise UsageError(f"{said!r} is no number, no range of numbers and not 'all'.", "As in: engram dropunused 1 3-9")
    start, end = int(ends[0]), int(ends[1])
    known = {number for number in listed if start <= number <= end}
    missing = next((number for number in range(start, end + 1) if number not in known), None)
    if missing is not None:
        raise UsageError(f"There is no number {missing} in the list of what is unused.", _AGAIN)
    return list(range(start, end + 1))
