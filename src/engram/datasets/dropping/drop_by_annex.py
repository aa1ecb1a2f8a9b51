"""Drop by git-annex: slower, and right wherever engram cannot look at the copies itself.

Source: git-annex-drop(1), ``--batch`` and ``--json``; runs of git-annex 10.20261026.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engram import durable
from engram.datasets.dataset import Dataset
from engram.datasets.dropping.drop_records import advice_on_copies
from engram.datasets.dropping.droppable import Content
from engram.datasets.left_alone import said_of
from engram.model.errors import EngramError, NotDropped, TooFewCopies

#: How git-annex begins a refusal for want of copies.
_UNSAFE = "unsafe"


class AnnexDrop:
    """Has git-annex drop contents: one process for all of them.

    Args:
        distrusted: siblings whose claims turned out wrong; git-annex is not to believe them.
        force: do not ask for copies elsewhere.
        jobs: how many at once; 0: one per processor.
    """

    def __init__(self, dataset: Dataset, *, distrusted: Iterable[str], force: bool, jobs: int = 1) -> None:
        self._dataset = dataset
        self._options: list[str] = []
        for name in sorted(distrusted):
            for setting in (f"remote.{name}.annex-ignore=true", f"remote.{name}.annex-trustlevel=semitrusted"):
                self._options += ["-c", setting]
        if force:
            self._options.append("--force")
        if jobs != 1:
            self._options.append(f"--jobs={jobs or 'cpus'}")

    def drop(self, contents: list[Content], *, by_key: bool) -> Iterator[tuple[Content, EngramError | None]]:
        """Each content, with the reason why it was kept, ``None`` when it is gone: looked at, not believed."""
        dataset = self._dataset
        words = ("drop", *self._options, "--json", "--json-error-messages")
        if by_key:
            words += ("--batch-keys",)
            asked = b"".join(content.key + b"\n" for content in contents)
        else:
            words += ("--batch", "-z")
            asked = b"".join(content.files[0] + b"\0" for content in contents)
        said: dict[bytes, Mapping[str, Any]] = {}
        with dataset.programs.annex_batch(dataset.work_tree, *words, requests=asked) as batch:
            for line in batch.lines():
                record = _record(line)
                said[os.fsencode(str(record.get("key") or ""))] = record
        durable.sync_file_system(dataset.steps, dataset.git_dir)
        durable.sync_file_system(dataset.steps, dataset.work_tree)
        for content in contents:
            kept = os.path.lexists(content.place)
            yield content, _problem(said.get(content.key, {}), batch.said, dataset.left_alone) if kept else None


def _record(line: bytes) -> Mapping[str, Any]:
    try:
        record = json.loads(line.decode("utf-8", "surrogateescape"))
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _problem(record: Mapping[str, Any], complaint: str, left_alone: dict[str, str]) -> EngramError:
    """Why git-annex kept a content, in its own words without what it says of its own options."""
    left = said_of(left_alone)
    words = [str(text) for text in record.get("error-messages") or ()]
    words += str(record.get("note") or "").splitlines()
    lines = [line.strip().rstrip(".!") for text in words for line in text.splitlines()]
    unsaid = ("(Use --force", "(Note that these git remotes have annex-ignore") if left_alone else ("(Use --force",)
    told = "; ".join([*(line for line in lines if line and not line.startswith(unsaid)), *filter(None, [left])])
    if lines and lines[0].startswith(_UNSAFE):
        return TooFewCopies("", told, advice_on_copies(2))  # it does not say how many
    return NotDropped(
        "", f"git-annex kept it: {told or complaint or 'it does not say why'}", "Or: --reckless availability"
    )
