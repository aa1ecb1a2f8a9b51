"""Every place that git-annex reaches, as one source of content: one git-annex process is handed all the keys.

Source: git-annex-get(1), and its JSON as git-annex 10.20261026 prints it.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from engram import durable
from engram.datasets.annex.receiving import object_here
from engram.datasets.dataset import Dataset
from engram.datasets.left_alone import said_of
from engram.model.errors import PeerFailed, Unavailable, UsageError
from engram.model.source import Fetched, Wanted

_AS_JSON = ("--json", "--json-progress", "--json-error-messages")
_COMMAND = ("get", "--batch", "-z", *_AS_JSON)


class AnnexSource:
    """What git-annex gets by itself, from wherever it may: it verifies, puts into place, and writes the log.

    Args:
        remote: only from this one; '' for any.
        jobs: how many transfers at once; 0 for git-annex's own choice.
        automatic: only what the dataset's preferred content asks for; there is no answer about other contents.
        advance: told of bytes as they come.

    Raises `UsageError` when *remote* is one that git-annex is kept from.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        remote: str = "",
        jobs: int = 0,
        automatic: bool = False,
        advance: Callable[[int], None] | None = None,
    ) -> None:
        self._dataset = dataset
        self._options = [*([f"--from={remote}"] if remote else []), *([f"--jobs={jobs}"] if jobs else [])]
        self._options += ["--auto"] if automatic else []
        self._automatic = automatic
        self._advance = advance or (lambda _: None)
        self._remote = remote
        if remote in dataset.left_alone:
            raise UsageError(
                f"{remote} {dataset.left_alone[remote]}; nothing was run or changed.",
                "Look at what it brings; then allow it, or get it from another sibling.",
            )

    @property
    def name(self) -> str:
        return self._remote or "git-annex"

    @property
    def writes_log(self) -> bool:
        return True

    def fetch(self, wanted: Iterable[Wanted]) -> Iterator[Fetched]:
        by_key: dict[str, list[Wanted]] = {}
        for one in wanted:
            by_key.setdefault(_text(one.key), []).append(one)
        requests = b"".join(one.path + b"\0" for several in by_key.values() for one in several[:1])
        programs, top = self._dataset.programs, self._dataset.work_tree
        with programs.annex_batch(top, *_COMMAND, *self._options, requests=requests) as batch:
            seen = 0
            for record in map(_record, batch.lines()):
                if "byte-progress" in record:
                    count = _whole(record["byte-progress"])
                    self._advance(max(count - seen, 0))
                    seen = count
                elif several := by_key.pop(str(record.get("key") or ""), []):
                    seen = 0
                    yield from self._answers(several, record)
        for several in by_key.values():  # it said nothing: they are here, or not preferred, or it broke down
            yield from self._silent(several, batch.status or 0, batch.said)

    def fetch_below(self, folders: Sequence[bytes]) -> Iterator[Fetched]:
        """What all files below some folders lack, as git-annex finds out; one answer for each that lacked something."""
        paths = [b"./" + folder if folder else b"." for folder in folders]
        with self._dataset.programs.annex_batch(
            self._dataset.work_tree, "get", *_AS_JSON, *self._options, "--", *paths, requests=b""
        ) as batch:
            for record in map(_record, batch.lines()):
                if "byte-progress" not in record and record.get("file"):
                    path = os.fsencode(os.path.normpath(str(record["file"])))
                    one = Wanted(key=os.fsencode(str(record.get("key") or "")), path=path)
                    yield from self._answers([one], record)

    def settle(self) -> None:
        for place in {self._dataset.git_dir, self._dataset.work_tree}:
            durable.sync_file_system(self._dataset.steps, place)

    def _answers(self, several: list[Wanted], record: dict[str, Any]) -> Iterator[Fetched]:
        source = _from(str(record.get("note") or "")) or self.name
        for place, one in enumerate(several):
            if record.get("success"):
                moved_bytes = 0 if place else self._size(one)
                yield Fetched(wanted=one, source=source, moved_bytes=moved_bytes)
            else:
                yield Fetched(wanted=one, source=source, problem=self._unavailable(one, record))

    def _unavailable(self, one: Wanted, record: dict[str, Any]) -> Unavailable:
        left = said_of(self._dataset.left_alone)
        why = _why(record, ignored=not left)
        return Unavailable(os.fsdecode(one.path), "; ".join(filter(None, (why, left))))

    def _silent(self, several: list[Wanted], status: int, said: str) -> Iterator[Fetched]:
        here = object_here(os.fsencode(self._dataset.git_dir), several[0].key)
        for one in several:
            if here:
                yield Fetched(wanted=one, source="")
            elif status or not self._automatic:
                problem = PeerFailed("git-annex get", status, said or "it did not say why")
                yield Fetched(wanted=one, source=self.name, problem=problem)

    def _size(self, one: Wanted) -> int:
        if one.size_bytes is not None:
            return one.size_bytes
        place = object_here(os.fsencode(self._dataset.git_dir), one.key)
        return os.stat(place).st_size if place else 0


def _record(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line.decode("utf-8", "replace")) if line else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(key: bytes) -> str:
    return key.decode("utf-8", "replace")


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _from(note: str) -> str:
    """The remote that git-annex's note names: ``from origin...``."""
    first = note.partition("\n")[0]
    return first.removeprefix("from ").removesuffix("...") if first.startswith("from ") else ""


def _why(record: dict[str, Any], *, ignored: bool) -> str:
    """Why git-annex could not, in one line. *ignored*: with the remotes that it was told to ignore."""
    said = [str(text) for text in record.get("error-messages") or ()]
    note = [line for line in str(record.get("note") or "").splitlines() if not line.startswith("from ")]
    words = dict.fromkeys(line.strip() for line in (*said, *note) for line in line.splitlines())
    said = [word for word in words if word and (ignored or "annex-ignore" not in word)]
    return "; ".join(said).rstrip(".") or "git-annex did not say why"
