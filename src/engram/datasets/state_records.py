"""Outcomes that tell the state of a file, for ``status`` and ``diff``, with DataLad's fields.

Source: records of DataLad 1.7.1.
"""

import os

from engram.datasets.dataset import Dataset
from engram.datasets.git.objects import SUBMODULE_MODE, SYMLINK_MODE
from engram.datasets.git.problems import MissingObject
from engram.model.errors import EngramError
from engram.model.outcome import DatasetOutcome, Leaf, Status


class StateReporter:
    """Makes outcomes about the files of one dataset.

    Args:
        look: also tell whether annexed content is here.
    """

    def __init__(self, dataset: Dataset, *, action: str, refds: str, look: bool) -> None:
        self._dataset = dataset
        self._action = action
        self._refds = refds
        self._look = look
        self._git_dir = os.fsencode(dataset.git_dir)

    def size(self, oid: bytes) -> int | None:
        """How large a content in git is; ``None`` where its object is missing."""
        try:
            return self._dataset.objects.size(oid)
        except MissingObject:
            return None

    def annexed(self, mode: int, oid: bytes) -> bytes | None:
        """The key that an entry stands for; ``None`` for content in git."""
        if mode == SUBMODULE_MODE:
            return None
        from engram.datasets.annex.pointers import MAX_POINTER_BYTES, key_in

        try:
            if mode != SYMLINK_MODE and self._dataset.objects.size(oid) > MAX_POINTER_BYTES:
                return None
            return key_in(self._dataset.objects.read(oid)[1])
        except MissingObject:
            return None

    def problem(self, problem: EngramError) -> DatasetOutcome:
        """What could not be looked at."""
        path = str(getattr(problem, "path", self._dataset.work_tree))
        return DatasetOutcome(
            action=self._action,
            item=os.path.relpath(path, self._dataset.work_tree),
            status=Status.ERROR,
            path=path,
            type="directory" if os.path.isdir(path) else "file",
            refds=self._refds,
            parentds=self._dataset.work_tree,
            message=problem.what,
            error=type(problem).__name__,
            remedy=problem.next_step,
        )

    def item(
        self,
        path: bytes,
        type: str,
        state: str,
        *,
        status: Status = Status.OK,
        gitshasum: str = "",
        prev_gitshasum: str = "",
        bytesize: int | None = None,
        annexed: bytes | None = None,
        annexed_before: bytes | None = None,
    ) -> DatasetOutcome:
        """The state of one path; *annexed*: its key, *annexed_before*: the one that it had in the earlier state."""
        name = os.fsdecode(path)
        extra: tuple[tuple[str, Leaf], ...] = ()
        if annexed:
            from engram.datasets.annex.facts import annex_facts, key_size

            bytesize = key_size(annexed)
            extra = annex_facts(annexed, self._git_dir, look=self._look)
        if annexed_before:
            from engram.datasets.annex.facts import facts_before

            extra = (*extra, *facts_before(annexed_before))
        undecided = status is Status.IMPOSSIBLE
        return DatasetOutcome(
            action=self._action,
            item=name
            if self._refds == self._dataset.work_tree
            else os.path.relpath(f"{self._dataset.work_tree}/{name}", self._refds),
            status=status,
            message=f"{name}: only its filter can tell whether it changed." if undecided else "",
            error="Undecided" if undecided else "",
            remedy="Ask git: git status (it runs the filter that .gitattributes names)." if undecided else "",
            path=f"{self._dataset.work_tree}/{name}",
            type=type,
            refds=self._refds,
            parentds=self._dataset.work_tree,
            state=state,
            gitshasum=gitshasum,
            prev_gitshasum=prev_gitshasum,
            bytesize=bytesize,
            key=os.fsdecode(annexed) if annexed else "",
            extra=extra,
        )
