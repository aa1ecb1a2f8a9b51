"""Unused: contents in the annex that no version, index or work tree of the repository uses any more.

They get numbers, kept where git-annex keeps them, so that either program can drop by number what the other has listed.

Source: git-annex-unused(1); runs of git-annex 10.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping

from engram import durable
from engram.datasets.annex.facts import key_size
from engram.datasets.annex.hashdirs import file_name_of
from engram.datasets.annex.inventory import (
    LISTS,
    Numbered,
    encode_list,
    half_way,
    is_content,
    list_file,
    read_list,
    set_aside,
    stored_keys,
)
from engram.datasets.auditing.used_keys import UsedKeys, parse_refspec
from engram.datasets.dataset import Dataset
from engram.datasets.git.problems import MissingObject, NotUnderstood
from engram.datasets.locks import only_engram
from engram.datasets.permission import check_may_write
from engram.model.errors import DamagedRepository, UsageError
from engram.model.outcome import DatasetOutcome, Leaf, Status
from engram.model.records import record

ACTION = "unused"
_SETTING = "annex.used-refspec"


@record(eq=False)
class UnusedRequest:
    """What is looked for."""

    #: Only what was set aside as bad or came half-way: quick.
    fast: bool = False
    #: Which refs count, as git-annex's ``--used-refspec``; '' for the setting, or all.
    used_refspec: str = ""


class UnusedFinder:
    """Looks for unused contents in one dataset, and numbers them."""

    def __init__(self, dataset: Dataset, request: UnusedRequest, *, clock: Callable[[], int] = time.time_ns) -> None:
        self._dataset = dataset
        self._request = request
        self._clock = clock
        self._git_dir = os.fsencode(dataset.git_dir)
        self._note = ""

    def read(self) -> Iterator[DatasetOutcome]:
        """One outcome for each number, or one that says that there is nothing.

        Raises:
            UsageError: for a refspec that does not parse, and where the annex is another repository's.
            DamagedRepository: when a version cannot be read.
        """
        dataset = self._dataset
        check_annex_is_own(dataset)
        if not os.path.isdir(os.path.join(dataset.git_dir, "annex")):
            yield self._dataset_outcome()
            return
        check_may_write(dataset)
        refspec = self._refspec()
        with only_engram(dataset.steps, dataset.git_dir):
            try:
                found = self._find(refspec)
                lists = self._numbered(found)
                self._write(lists)
            except (NotUnderstood, MissingObject) as problem:
                lists, found = self._hand_over(problem, refspec)
        told = False
        for kind, lines in lists.items():
            for number, line in lines.items():
                told = True
                yield self._outcome(kind, number, line.key, found[kind].get(line.key, b""))
        if not told:
            yield self._dataset_outcome()

    def _refspec(self) -> str:
        if self._request.used_refspec:
            parse_refspec(self._request.used_refspec)
            return self._request.used_refspec
        said = self._dataset.setting(_SETTING) or ""
        try:
            parse_refspec(said or "+*")
        except UsageError as problem:  # as git-annex, which takes all refs then: they keep most
            self._note = f"{_SETTING} was passed over: {problem.what}"
            return ""
        return said

    def _find(self, refspec: str) -> Mapping[str, Mapping[bytes, bytes]]:
        """Where each content lies, by key, for each of git-annex's lists."""
        unused: dict[bytes, bytes] = {}
        if not self._request.fast:
            used = UsedKeys(self._dataset, refspec)
            staged = {file_name_of(key) for key in used.staged()}
            stored = {stored.key: stored for stored in stored_keys(self._git_dir, but=staged)}
            left = set(stored)
            used.remove_from(left)
            unused = {key: stored[key].place for key in sorted(left) if is_content(stored[key].place)}
        return {"unused": unused, "bad": set_aside(self._git_dir), "tmp": half_way(self._git_dir)}

    def _numbered(self, found: Mapping[str, Mapping[bytes, bytes]]) -> dict[str, dict[int, Numbered]]:
        seconds, nanoseconds = divmod(self._clock(), 10**9)
        now = b"%d.%09ds" % (seconds, nanoseconds)
        lists: dict[str, dict[int, Numbered]] = {}
        number = 0
        for kind, keys in found.items():
            since = {line.key: line.since for line in read_list(self._dataset.git_dir, kind).values()}
            lists[kind] = {}
            for key in keys:
                number += 1
                lists[kind][number] = Numbered(key, since.get(key) or now)
        return lists

    def _write(self, lists: Mapping[str, Mapping[int, Numbered]]) -> None:
        for kind, lines in lists.items():
            path, content = list_file(self._dataset.git_dir, kind), encode_list(lines)
            try:
                with open(path, "rb") as file:
                    same = file.read() == content
            except FileNotFoundError:
                same = not content and kind != "unused"
            if not same:
                durable.replace(self._dataset.steps, path, content)

    def _hand_over(
        self, problem: NotUnderstood | MissingObject, refspec: str
    ) -> tuple[dict[str, dict[int, Numbered]], Mapping[str, Mapping[bytes, bytes]]]:
        if isinstance(problem, NotUnderstood):
            reason = problem.reason
        elif self._dataset.setting("extensions.partialclone"):
            reason = "an object is missing that git fetches"
        else:  # git-annex would call unused what a version uses that cannot be read
            raise DamagedRepository(
                str(problem), "the object is missing, so that nobody can tell what its version uses"
            )
        self._note = f"handed to git-annex: {reason}"
        words = [f"--used-refspec={refspec}"] if refspec else []
        words += ["--fast"] if self._request.fast else []
        self._dataset.programs.git_annex(self._dataset.work_tree, "unused", "--quiet", *words)
        lists = {kind: read_list(self._dataset.git_dir, kind) for kind in LISTS}
        return lists, {kind: {} for kind in LISTS}

    def _outcome(self, kind: str, number: int, key: bytes, place: bytes) -> DatasetOutcome:
        try:
            size = os.lstat(place).st_size if place else key_size(key)
        except OSError:
            size = key_size(key)
        extra: tuple[tuple[str, Leaf], ...] = (("number", number), ("kind", kind))
        return DatasetOutcome(
            action=ACTION,
            item=os.fsdecode(key),
            status=Status.OK,
            path=self._dataset.work_tree,
            type="key",
            refds=self._dataset.work_tree,
            key=os.fsdecode(key),
            bytesize=size,
            note=self._note,
            extra=extra,
        )

    def _dataset_outcome(self) -> DatasetOutcome:
        return DatasetOutcome(
            action=ACTION,
            item=".",
            status=Status.NOT_NEEDED,
            path=self._dataset.work_tree,
            type="dataset",
            refds=self._dataset.work_tree,
            note=self._note or "every content in the annex is used",
        )


def check_annex_is_own(dataset: Dataset) -> None:
    """Refuse where the contents are another repository's: what uses them cannot be seen here. Raises `UsageError`."""
    annex = os.path.join(dataset.git_dir, "annex")
    if dataset.git_dir != dataset.common_dir:  # a linked work tree, whose annex git-annex makes a link
        annex = os.path.join(dataset.common_dir, "annex")
    if os.path.islink(annex) or os.path.islink(os.path.join(annex, "objects")):
        raise UsageError(
            f"{dataset.work_tree} keeps its contents in the annex of another repository.",
            f"Ask there, where all that uses them is known: it is at {os.path.realpath(annex)}",
        )
