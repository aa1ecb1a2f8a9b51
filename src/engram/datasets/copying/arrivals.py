"""Contents that came: made durable, put to use, written into the log, and only then acknowledged."""

import os
from collections.abc import Callable, Iterable, Iterator

from engram.datasets.annex.receiving import object_here
from engram.datasets.annex.store import ContentStore
from engram.datasets.annex.verification import Check, can_verify
from engram.datasets.copying.get_outcomes import GetReporter
from engram.datasets.copying.lacking import Lacking
from engram.datasets.dataset import Dataset
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.logbook import note_presence
from engram.datasets.saving.staging import refresh_entries
from engram.datasets.saving.unlocked import fill_pointers, filled_entry
from engram.datasets.syncing import ToSync
from engram.model.errors import ChecksumMismatch, EngramError, Unreadable
from engram.model.outcome import Outcome
from engram.model.source import Fetched, Source, Wanted

#: So much is acknowledged at once, at most: what a crash may make us copy again.
_MOST = 20_000
_MOST_BYTES = 2 << 30
_LONGEST_S = 20.0


class Arrivals:
    """What came of one get in one dataset. Needs `only_engram`."""

    def __init__(self, dataset: Dataset, lacking: Lacking, report: GetReporter, clock: Callable[[], float]) -> None:
        self._dataset = dataset
        self._lacking = lacking
        self._report = report
        self._clock = clock
        self._batch: list[Fetched] = []
        self._bytes = 0
        self._since_s = clock()
        self._problems: dict[bytes, list[EngramError]] = {}

    @property
    def enough(self) -> bool:
        """Whether so much has come that it should be acknowledged before more comes."""
        return bool(self._batch) and (
            len(self._batch) >= _MOST or self._bytes >= _MOST_BYTES or self._clock() - self._since_s >= _LONGEST_S
        )

    def add(self, fetched: Fetched) -> None:
        """Take down that a content came; nothing of it is sure yet."""
        self._batch.append(fetched)
        self._bytes += fetched.moved_bytes

    def note(self, wanted: Wanted, problem: EngramError) -> None:
        """Take down that a source could not give a content; another one is asked next."""
        self._problems.setdefault(wanted.key, []).append(problem)

    def leave(self, keys: Iterable[bytes]) -> None:
        """Take down contents that this repository does not want to have."""
        for key in keys:
            self._lacking.unwanted.update(self._lacking.files[key])

    def acknowledge(self, source: Source) -> Iterator[Outcome]:
        """Make what came from *source* sure, and say so."""
        batch, self._batch, self._bytes, self._since_s = self._batch, [], 0, self._clock()
        if not batch:
            return
        source.settle()
        if not source.writes_log:
            keys = {fetched.wanted.key for fetched in batch}
            self._fill(keys)
            self._log(keys)
        for fetched in batch:
            yield from self._got(fetched)

    def mend(self) -> Iterator[Outcome]:
        """Finish what an earlier get was kept from: pointers, what the index does not know, what no log tells of."""
        if self._lacking.pointers:
            self._fill(self._lacking.pointers)
        filled = (filled_entry(self._dataset, self._lacking.index, file) for file in self._lacking.filled)
        if entries := {entry.path: entry for entry in filled if entry is not None}:
            refresh_entries(self._dataset, self._lacking.index, entries)
        sound = set()
        for key, path in self._lacking.unlogged.items():
            try:
                if self._is_sound(key):
                    sound.add(key)
            except (ChecksumMismatch, Unreadable) as problem:
                self._lacking.failed.append(path)
                yield self._report.failed(path, key, [problem])
        if sound:
            self._log(sound)

    def failed(self, wanted: Wanted, problem: EngramError) -> Iterator[Outcome]:
        """Say of each file that wanted it that nobody could give a content."""
        problems = [*self._problems.pop(wanted.key, ()), problem]
        for path in self._lacking.files[wanted.key]:
            self._lacking.failed.append(path)
            yield self._report.failed(path, wanted.key, problems)

    def _got(self, fetched: Fetched) -> Iterator[Outcome]:
        key = fetched.wanted.key
        problems = [problem.what for problem in self._problems.pop(key, ())]
        moved_bytes = fetched.moved_bytes
        for path in self._lacking.files[key]:
            self._lacking.got.append(path)
            yield self._report.got(path, key, source=fetched.source, moved_bytes=moved_bytes, problems=problems)
            moved_bytes = 0

    def _is_sound(self, key: bytes) -> bool:
        place = object_here(os.fsencode(self._dataset.git_dir), key)
        if not place or not can_verify(key):
            return False
        with open(place, "rb", buffering=0) as file:
            Check(key, self._dataset.work_tree).whole(
                file.fileno(), place, os.fstat(file.fileno()).st_size, lambda _: None
            )
        return True

    def _fill(self, keys: set[bytes]) -> None:
        dataset = self._dataset
        to_sync = ToSync(os.fsencode(dataset.git_dir), os.fsencode(dataset.work_tree))
        store = ContentStore(dataset.steps, git_dir=os.fsencode(dataset.git_dir), to_sync=to_sync)
        filled = {one.path: one.entry for one in fill_pointers(dataset, self._lacking.index, store, keys)}
        if filled:
            to_sync.sync(dataset.steps)
            refresh_entries(dataset, self._lacking.index, filled)

    def _log(self, keys: Iterable[bytes]) -> None:
        dataset = self._dataset
        try:
            note_presence(dataset, dict.fromkeys(keys, True), now_s=self._clock())
        except NotUnderstood:
            uuid = dataset.annex_uuid.encode()
            lines = b"".join(b"%b %b 1\n" % (key, uuid) for key in keys)
            dataset.programs.git_annex(dataset.work_tree, "setpresentkey", "--batch", stdin=lines)
