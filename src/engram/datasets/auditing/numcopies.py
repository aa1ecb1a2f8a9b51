"""Numcopies: how many copies of each file its people want, and who decided so.

Source: git-annex-numcopies(1), git-annex-mincopies(1); the form of the logs and the order in which the values hold,
from runs of git-annex 10.
"""

import os
import time
from collections.abc import Callable
from typing import Final

from engram.datasets.annex.logs import copies_in, newest_value, with_one_value
from engram.datasets.dataset import Dataset
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.git.small_files import read_small_file
from engram.datasets.locks import clear_what_a_crash_left, only_engram
from engram.datasets.logbook import change_branch
from engram.datasets.permission import check_may_write
from engram.datasets.records import Reporter
from engram.datasets.traps import reason_to_hand_over
from engram.datasets.whereabouts import Whereabouts
from engram.model.errors import UsageError
from engram.model.outcome import DatasetOutcome, Leaf, Status

ACTION = "numcopies"
_NUMCOPIES: Final = b"numcopies.log"
_MINCOPIES: Final = b"mincopies.log"
_ATTRIBUTES: Final = b".gitattributes"


class Numcopies:
    """The number of copies that one dataset asks for."""

    def __init__(self, dataset: Dataset, *, refds: str = "", clock: Callable[[], float] = time.time) -> None:
        self._dataset = dataset
        self._refds = refds
        self._clock = clock

    def read(self) -> DatasetOutcome:
        """What holds, and where each value comes from. Raises `UsageError` for a dataset without an annex."""
        self._check_annex()
        whereabouts = Whereabouts(self._dataset)
        return self._outcome(Status.OK, whereabouts, "")

    def change(self, number: int) -> DatasetOutcome:
        """Have every clone ask for *number* copies; durable when it returns.

        Raises:
            UsageError: for a number below 1, or a dataset without an annex.
            NotTrusted, NoIdentity, ExtraMissing: before anything is written.
        """
        if number < 1:
            raise UsageError("A file needs at least one copy.", "Give a number of 1 or more: engram numcopies 2")
        self._check_annex()
        dataset = self._dataset
        check_may_write(dataset)
        now_s = self._clock()
        dataset.identity("committer", now_s=now_s)
        with only_engram(dataset.steps, dataset.git_dir):
            clear_what_a_crash_left(dataset.steps, dataset.git_dir)
            dataset.clear_ref_locks_of_a_crash()
            before = newest_value(Whereabouts(dataset).log(_NUMCOPIES))
            note = ""
            if before != b"%d" % number:
                note = self._write(number, now_s)
        status = Status.NOT_NEEDED if before == b"%d" % number else Status.OK
        return self._outcome(status, Whereabouts(dataset), note)

    def planned(self, number: int) -> str:
        """What `change` would do, in words; '' when nothing has to be done. Raises `UsageError` as it does."""
        if number < 1:
            raise UsageError("A file needs at least one copy.", "Give a number of 1 or more: engram numcopies 2")
        self._check_annex()
        before = newest_value(Whereabouts(self._dataset).log(_NUMCOPIES))
        if before == b"%d" % number:
            return ""
        return f"every clone asks for {number} instead of {os.fsdecode(before or b'1')}"

    def _write(self, number: int, now_s: float) -> str:
        """Note the number on the git-annex branch; a remark when git-annex had to do it."""
        dataset = self._dataset
        reason = reason_to_hand_over(dataset)
        if not reason:
            try:
                change_branch(
                    dataset,
                    lambda read: {_NUMCOPIES: with_one_value(read(_NUMCOPIES), b"%d" % number, int(now_s))},
                    now_s=now_s,
                )
                return ""
            except NotUnderstood as problem:
                reason = problem.reason
        dataset.programs.git_annex(dataset.work_tree, "numcopies", str(number))
        dataset.sync_refs()
        return f"handed to git-annex: {reason}"

    def _check_annex(self) -> None:
        if not (self._dataset.has_annex or self._dataset.wants_annex):
            raise UsageError(
                f"{self._dataset.work_tree} has no annex: git keeps every file in every clone.",
                "Nothing to do; files that go to an annex are those of datasets made by engram create.",
            )

    def _outcome(self, status: Status, whereabouts: Whereabouts, note: str) -> DatasetOutcome:
        numcopies, source = self._holds(whereabouts, _NUMCOPIES, "annex.numcopies")
        mincopies, min_source = self._holds(whereabouts, _MINCOPIES, "")
        rules = self._rules()
        extra: tuple[tuple[str, Leaf], ...] = (
            ("numcopies", numcopies),
            ("numcopies_source", source),
            ("mincopies", mincopies),
            ("mincopies_source", min_source),
            ("own_rules", ", ".join(rules)),
        )
        return Reporter(self._dataset, refds=self._refds).dataset(ACTION, status, note=note, extra=extra)

    def _holds(self, whereabouts: Whereabouts, log: bytes, setting: str) -> tuple[int, str]:
        """A value, and who said so."""
        agreed = copies_in(newest_value(whereabouts.log(log)))
        if agreed is not None:
            return agreed, log.decode()
        said = copies_in(self._dataset.setting(setting)) if setting else None
        return (1, "default") if said is None else (said, setting)

    def _rules(self) -> list[str]:
        """The ``.gitattributes`` that ask for other numbers for some files."""
        found = []
        for path in self._dataset.read_index().paths:
            if path == _ATTRIBUTES or path.endswith(b"/" + _ATTRIBUTES):
                try:
                    text = read_small_file(os.path.join(os.fsencode(self._dataset.work_tree), path), follow=False)
                except OSError:
                    continue
                if text is None:
                    continue
                if b"annex.numcopies" in text or b"annex.mincopies" in text:
                    found.append(os.fsdecode(path))
        return found
