"""Get: bring the contents of annexed files here, from whoever has them.

What lies on this machine is copied natively and verified; everything else is git-annex's. A content is acknowledged
when its bytes, its name and the log of where it is are all on the disk, in that order.

Source: datalad-get(1), git-annex-get(1); records of DataLad 1.7.1.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from engram import durable
from engram.datasets.annex.receiving import Receiving
from engram.datasets.annex.room import Room
from engram.datasets.copying.annex_source import AnnexSource
from engram.datasets.copying.arrivals import Arrivals
from engram.datasets.copying.get_outcomes import GetReporter
from engram.datasets.copying.lacking import Lacking, look
from engram.datasets.copying.supply import ANNEX, Supply
from engram.datasets.dataset import Dataset, open_dataset
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.locks import clear_what_a_crash_left, only_engram
from engram.datasets.permission import check_may_write
from engram.datasets.traps import reason_to_hand_over
from engram.datasets.whereabouts import Whereabouts
from engram.model.errors import EngramError, NoRoom, StorageFailed, Unavailable
from engram.model.outcome import Outcome
from engram.model.plan import Plan, PlannedStep
from engram.model.progress import Progress, Silent
from engram.model.records import record
from engram.model.source import Source, Wanted

#: Settings that change what a get does, beyond those of `traps`; only git-annex carries them out.
_BEYOND_US = ("annex.bwlimit", "annex.bwlimit-download", "annex.stalldetection", "annex.stalldetection-download")


@record(eq=False)
class GetRequest:
    """What is to be got in one dataset."""

    #: Relative to the top; ``(b"",)`` for everything.
    scopes: tuple[bytes, ...] = (b"",)
    #: The one sibling to get it from; '' for any.
    source: str = ""
    #: ``anything``, ``auto`` (what this repository prefers), or that only if it prefers something.
    which: str = "auto-if-wanted"
    #: How many transfers at once, where git-annex makes them; 0 for its own choice.
    jobs: int = 0
    #: The dataset that the whole command is about.
    refds: str = ""


class Getter:
    """One get in one dataset."""

    def __init__(
        self,
        dataset: Dataset,
        request: GetRequest,
        *,
        clock: Callable[[], float] = time.time,
        progress: Progress | None = None,
    ) -> None:
        self._dataset = dataset
        self._request = request
        self._clock = clock
        self._progress = progress or Silent()
        self._report = GetReporter(dataset, refds=request.refds)

    @property
    def name(self) -> str:
        """The dataset, as the user would type it."""
        return os.path.relpath(self._dataset.work_tree, self._request.refds or self._dataset.work_tree)

    # --- what would be done

    def plan(self) -> Plan:
        """What would be got, and from where. Changes nothing. Raises `UsageError` for an unknown source."""
        dataset = self._dataset
        if not self._has_annex():
            return Plan()
        lacking = look(dataset, self._request.scopes)
        steps: list[PlannedStep] = []
        if reason := self._reason(dataset, lacking):
            steps.append(PlannedStep(action="hand-over", item=".", why=f"handed to git-annex: {reason}"))
        supply = self._supply(dataset, lacking, self._receiving(dataset))
        refused: list[PlannedStep] = []
        for wanted in lacking.wanted:
            route = supply.route(wanted.key)
            why = f"from {route[0] or 'wherever git-annex finds it'}" if route else supply.why_nobody(wanted.key)
            item = os.path.normpath(os.path.join(self.name, os.fsdecode(wanted.path)))
            ground = os.fsdecode(wanted.key)
            step = PlannedStep(action="get", item=item, bytes=wanted.size_bytes or 0, why=why, ground=ground)
            (steps if route else refused).append(step)
        return Plan(steps=tuple(steps), refused=tuple(refused))

    # --- doing it

    def carry_out(self) -> Iterator[Outcome]:
        """Do it; one outcome per file, once it is durable, then one for each folder that was named.

        Raises:
            NotTrusted, ExtraMissing, UsageError: before anything is written.
            StorageFailed: when the disk refuses; what came before is acknowledged first.
        """
        if not self._has_annex():
            yield from map(self._report.no_annex, self._request.scopes)
            return
        try:
            lacking = look(self._dataset, self._request.scopes)
        except NotUnderstood as problem:
            check_may_write(self._dataset)
            yield from self._all_by_git_annex(problem.reason)
            return
        if lacking.wanted or lacking.pointers or self._may_mend(lacking):
            yield from self._in_earnest(lacking)
        yield from lacking.named(self._report)

    def _has_annex(self) -> bool:
        return self._dataset.has_annex or self._dataset.wants_annex

    def _may_mend(self, lacking: Lacking) -> bool:
        """Whether log or index do not know of contents that are here, and this user may put that right."""
        return bool(lacking.unlogged or lacking.filled) and os.access(self._dataset.git_dir, os.W_OK)

    def _in_earnest(self, lacking: Lacking) -> Iterator[Outcome]:
        check_may_write(self._dataset)
        with only_engram(self._dataset.steps, self._dataset.git_dir, waiting=self._say_waiting):
            dataset = self._initialised()
            clear_what_a_crash_left(dataset.steps, dataset.git_dir)
            dataset.clear_ref_locks_of_a_crash()
            reason = self._reason(dataset, lacking)
            self._report = GetReporter(
                dataset, refds=self._request.refds, note=f"handed to git-annex: {reason}" if reason else ""
            )
            self._progress.start("get", sum(one.size_bytes or 0 for one in lacking.wanted), "B")
            try:
                yield from self._get(dataset, lacking, by_git_annex=bool(reason))
            finally:
                self._progress.finish()

    def _initialised(self) -> Dataset:
        """The dataset, after git-annex made itself at home in a clone that it never saw."""
        dataset = self._dataset
        if dataset.has_annex:
            return dataset
        dataset.programs.git_annex(dataset.work_tree, "init", "--no-autoenable")
        durable.sync_file_system(dataset.steps, dataset.git_dir)
        return open_dataset(dataset.work_tree, dataset.around)

    def _say_waiting(self, holder: str) -> None:
        self._progress.start(f"waiting for {holder}", None, "")

    def _reason(self, dataset: Dataset, lacking: Lacking) -> str:
        """Why git-annex has to do all of it; '' when engram can."""
        if reason := reason_to_hand_over(dataset):
            return reason
        for name in _BEYOND_US:
            if value := dataset.setting(name):
                return f"{name} is {value}"
        if self._request.which == "auto":
            return "it tells what this repository prefers (--data auto)"
        wanted = self._prefers(dataset, lacking.whereabouts)
        return f"this repository wants {os.fsdecode(wanted)}" if wanted else ""

    def _prefers(self, dataset: Dataset, whereabouts: Whereabouts) -> bytes:
        """What this repository prefers, as far as the user wants that to count."""
        return b"" if self._request.which == "anything" else whereabouts.wanted(dataset.annex_uuid.encode())

    def _receiving(self, dataset: Dataset) -> Receiving:
        return Receiving(
            dataset.steps,
            git_dir=os.fsencode(dataset.git_dir),
            hard_links=dataset.is_set("annex.hardlink"),
            advance=self._progress.advance,
        )

    def _supply(self, dataset: Dataset, lacking: Lacking, receiving: Receiving) -> Supply:
        whereabouts = lacking.whereabouts if dataset is self._dataset else Whereabouts(dataset)
        if lacking.wanted:
            whereabouts.prefetch([one.key for one in lacking.wanted])
        return Supply(
            dataset,
            whereabouts,
            receiving,
            only=self._request.source,
            jobs=self._request.jobs,
            automatic=self._request.which == "auto" or bool(self._prefers(dataset, whereabouts)),
            advance=self._progress.advance,
        )

    def _get(self, dataset: Dataset, lacking: Lacking, *, by_git_annex: bool) -> Iterator[Outcome]:
        receiving = self._receiving(dataset)
        receiving.clear_what_a_crash_left()
        supply = self._supply(dataset, lacking, receiving)
        arrivals = Arrivals(dataset, lacking, self._report, self._clock)
        if not by_git_annex:
            yield from arrivals.mend()
        asked: _Asked = {}
        for one in lacking.wanted:
            route = (ANNEX,) if by_git_annex else supply.route(one.key)
            if route:
                asked.setdefault(route[0], []).append((one, route[1:]))
            else:
                yield from arrivals.failed(one, Unavailable(os.fsdecode(one.path), supply.why_nobody(one.key)))
        room = _Admission(dataset, receiving)
        while asked:
            name = next((one for one in asked if one != ANNEX), ANNEX)  # git-annex last: with all that is left at once
            rest = asked.pop(name)
            yield from self._round(supply.source(name), rest, asked, arrivals, room if name != ANNEX else None)

    def _round(
        self, source: Source, now: "_Routed", later: "_Asked", arrivals: Arrivals, room: "_Admission | None"
    ) -> Iterator[Outcome]:
        """Ask one source; what it cannot give is for the next one on its route."""
        routes = {one.key: route for one, route in now}
        silent = set(routes)
        refused: list[tuple[Wanted, EngramError]] = []
        wanted = (one for one, _ in now)
        try:
            for fetched in source.fetch(room.that_fit(wanted, refused) if room else wanted):
                silent.discard(fetched.wanted.key)
                if fetched.problem is None:
                    arrivals.add(fetched)
                else:
                    refused.append((fetched.wanted, fetched.problem))
                if arrivals.enough:
                    yield from arrivals.acknowledge(source)
        except StorageFailed:
            yield from arrivals.acknowledge(source)  # these are whole
            raise
        yield from arrivals.acknowledge(source)
        arrivals.leave(silent.difference(one.key for one, _ in refused))
        for one, problem in refused:
            if route := routes[one.key]:
                arrivals.note(one, problem)
                later.setdefault(route[0], []).append((one, route[1:]))
            else:
                yield from arrivals.failed(one, problem)

    def _all_by_git_annex(self, reason: str) -> Iterator[Outcome]:
        """Have git-annex find out by itself what is missing, in a repository that engram cannot read."""
        report = GetReporter(self._dataset, refds=self._request.refds, note=f"handed to git-annex: {reason}")
        source = AnnexSource(
            self._dataset, remote=self._request.source, jobs=self._request.jobs, advance=self._progress.advance
        )
        with only_engram(self._dataset.steps, self._dataset.git_dir, waiting=self._say_waiting):
            fetched = list(source.fetch_below(self._request.scopes))
            source.settle()
        for one in fetched:
            if one.problem is None:
                yield report.got(
                    one.wanted.path, one.wanted.key, source=one.source, moved_bytes=one.moved_bytes, problems=[]
                )
            else:
                yield report.failed(one.wanted.path, one.wanted.key, [one.problem])


#: Contents, each with the sources that are to be asked after this one.
_Routed: TypeAlias = list[tuple[Wanted, tuple[str, ...]]]
#: By the source that is to be asked now.
_Asked: TypeAlias = dict[str, _Routed]


class _Admission:
    """Lets contents in as long as there is room for them."""

    def __init__(self, dataset: Dataset, receiving: Receiving) -> None:
        self._receiving = receiving
        self._room = Room(os.fsencode(dataset.git_dir), dataset.setting("annex.diskreserve"))

    def that_fit(self, wanted: Iterable[Wanted], refused: list[tuple[Wanted, EngramError]]) -> Iterator[Wanted]:
        """Those for which there is room; the others are *refused*."""
        for one in wanted:
            missing = self._room.lacks(max((one.size_bytes or 0) - self._receiving.partial_bytes(one.key), 0))
            if missing:
                refused.append((one, NoRoom(os.fsdecode(one.path), missing)))
            else:
                yield one
