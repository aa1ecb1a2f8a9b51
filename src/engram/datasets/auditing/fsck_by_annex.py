"""Fsck by git-annex: for datasets, and for keys, that only git-annex fully knows.

Source: git-annex-fsck(1), ``--json``; runs of git-annex 10.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engram import durable
from engram.datasets.annex.facts import key_size
from engram.datasets.auditing.examined import Examined
from engram.datasets.dataset import Dataset
from engram.model.errors import ItemFailed
from engram.model.outcome import DatasetOutcome, Status

ACTION = "fsck"
#: Names that git-annex would take for patterns are asked for by key, one after the other.
_PATTERN = re.compile(rb"[*?\[\\:]")
_AT_ONCE = 500
_FOREIGN = "engram does not know how this key was made"
_STARS = re.compile(r"^\*+ *")


class AnnexFsck:
    """Has git-annex check contents, and tells its words."""

    def __init__(self, dataset: Dataset, *, full: bool, jobs: int, refds: str = "") -> None:
        self._dataset = dataset
        self._refds = refds or dataset.work_tree
        self._options = ["--json", "--json-error-messages"]
        self._options += [] if full else ["--fast"]
        self._options += [f"--jobs={jobs}"] if jobs > 1 else []

    def check(
        self, scopes: Sequence[bytes], *, keys: Sequence[bytes], all_keys: bool, reason: str
    ) -> Iterator[DatasetOutcome]:
        """Everything that was asked for."""
        note = f"handed to git-annex: {reason}"
        if all_keys:
            yield from self._run(["--all"], note)
        elif keys:
            for key in keys:
                yield from self._run([f"--key={os.fsdecode(key)}"], note)
        else:
            paths = [b"./" + scope for scope in scopes if scope] if b"" not in scopes else []
            yield from self._run(["--", *paths], note)
        durable.sync_file_system(self._dataset.steps, self._dataset.git_dir)

    def check_files(self, files: Sequence[Examined]) -> Iterator[DatasetOutcome]:
        """Those of which only git-annex knows how their keys were made."""
        note = f"handed to git-annex: {_FOREIGN}"
        plain = [one.file.path for one in files if one.file is not None and not _PATTERN.search(one.file.path)]
        for start in range(0, len(plain), _AT_ONCE):
            yield from self._run(["--", *(b"./" + path for path in plain[start : start + _AT_ONCE])], note)
        for one in files:
            if one.file is None or _PATTERN.search(one.file.path):
                name = os.fsdecode(one.file.path) if one.file is not None else ""
                yield from self._run([f"--key={os.fsdecode(one.key)}"], note, name=name)
        if files:
            durable.sync_file_system(self._dataset.steps, self._dataset.git_dir)

    def _run(self, words: Sequence[str | bytes], note: str, *, name: str = "") -> Iterator[DatasetOutcome]:
        """One run of git-annex. *name*: the file that a key stands for."""
        dataset = self._dataset
        with dataset.programs.annex_batch(dataset.work_tree, "fsck", *self._options, *words, requests=b"") as batch:
            told = 0
            for line in batch.lines():
                record = _record(line)
                if record.get("command") == "fsck":
                    told += 1
                    yield self._outcome(record, note, name)
        if batch.status and not told:
            yield self._failed(batch.said, note, name)

    def _outcome(self, record: Mapping[str, Any], note: str, name: str) -> DatasetOutcome:
        key = str(record.get("key") or "")
        file = name or str(record.get("file") or "").removeprefix("./")
        said = [_STARS.sub("", str(text).strip()) for text in record.get("error-messages") or ()]
        what = "; ".join(" ".join(text.split()) for text in said if text) or "git-annex finds fault with it"
        done = bool(record.get("success"))
        place = f"{self._dataset.work_tree}/{file}" if file else self._dataset.work_tree
        return DatasetOutcome(
            action=ACTION,
            item=os.path.relpath(place, self._refds) if file else key,
            status=Status.OK if done else Status.ERROR,
            message="" if done else what,
            error="" if done else ItemFailed.__name__,
            remedy="" if done else "Where else it may be: engram whereis",
            note=note,
            path=place,
            type="file" if file else "key",
            refds=self._refds,
            key=key,
            bytesize=key_size(os.fsencode(key)),
        )

    def _failed(self, said: str, note: str, name: str) -> DatasetOutcome:
        place = f"{self._dataset.work_tree}/{name}" if name else self._dataset.work_tree
        return DatasetOutcome(
            action=ACTION,
            item=name or ".",
            status=Status.ERROR,
            message=f"git-annex could not check it: {said or 'it does not say why'}",
            error=ItemFailed.__name__,
            remedy="Run it yourself to see more: git annex fsck",
            note=note,
            path=place,
            type="file" if name else "dataset",
            refds=self._refds,
        )


def _record(line: bytes) -> Mapping[str, Any]:
    try:
        record = json.loads(line.decode("utf-8", "surrogateescape"))
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
