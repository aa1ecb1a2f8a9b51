"""Outcomes of drop and remove, as DataLad tells them.

Source: records of DataLad 1.7.1, ``drop`` and ``remove``.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from engram.datasets.annex.facts import key_size
from engram.datasets.dataset import Dataset
from engram.datasets.dropping.droppable import Content
from engram.datasets.dropping.removal import Fate
from engram.model.errors import EngramError, ItemFailed, NotDropped, TooFewCopies
from engram.model.outcome import DatasetOutcome, Status

_NAMED = 3


class DropReporter:
    """Makes the outcomes of one drop in one dataset.

    Args:
        keys: contents are dropped by key, whichever files they belong to.
    """

    def __init__(self, dataset: Dataset, *, refds: str = "", keys: bool = False) -> None:
        self._top = dataset.work_tree
        self._refds = refds or dataset.work_tree
        self._keys = keys
        self._dropped: set[bytes] = set()
        self._kept: set[bytes] = set()

    def item(self, content: Content) -> str:
        """What a content is called in a plan."""
        if self._keys or not content.files:
            return os.fsdecode(content.key)
        return self._name(os.path.join(self._top, os.fsdecode(content.files[0])))

    def dropped(self, content: Content, *, note: str = "") -> Iterator[DatasetOutcome]:
        """A content that is here no more, for each of its files."""
        self._dropped.update(content.files)
        others = content.others if not self._keys else ()
        if others:
            named = ", ".join(os.fsdecode(path) for path in others[:_NAMED]) + (", …" if len(others) > _NAMED else "")
            note = "; ".join(filter(None, (f"with it that of {named}", note)))
        return self._each(content, Status.OK, note=note)

    def kept(self, content: Content, error: EngramError, *, note: str = "") -> Iterator[DatasetOutcome]:
        """A content that stays, for each of its files."""
        self._kept.update(content.files)
        return self._each(content, Status.ERROR, error=error, note=note)

    def told(self, fate: Fate, impostors: Mapping[str, str]) -> Iterator[DatasetOutcome]:
        """What became of a content."""
        if fate.gone:
            return self.dropped(fate.content)
        if fate.problem:
            advice = "Wait until nobody uses it, mend its permissions, then run the same command again."
            return self.kept(fate.content, NotDropped("", fate.problem, advice))
        return self.kept(fate.content, too_few(fate, impostors))

    def unsaved(self, found: DatasetOutcome) -> DatasetOutcome:
        """A file that is not saved: it stops the drop. *found*: its status."""
        state = found.state or "undecided"
        return replace(
            found,
            action="drop",
            status=Status.IMPOSSIBLE,
            message=f"cannot drop {state} content, save first",
            error=NotDropped.__name__,
            remedy="Save it: engram save. To drop without looking: --reckless modification",
        )

    def rest(self, scopes: Sequence[bytes]) -> Iterator[DatasetOutcome]:
        """What is to be said of the paths themselves that were named, once all contents are through."""
        for scope in scopes:
            place = os.path.join(self._top, os.fsdecode(scope)) if scope else self._top
            if os.path.isdir(place) and not os.path.islink(place):
                yield self._folder(scope, place)
            elif scope not in self._dropped and scope not in self._kept:
                yield self._outcome(place, "file", Status.NOT_NEEDED, note="no annex'ed content")

    def _folder(self, scope: bytes, place: str) -> DatasetOutcome:
        if any(_is_below(path, scope) for path in self._kept):
            error = NotDropped(place, f"could not drop some content in {place}", "The lines of its files say why.")
            return self._outcome(place, "directory", Status.IMPOSSIBLE, error=error)
        if any(_is_below(path, scope) for path in self._dropped):
            return self._outcome(place, "directory", Status.OK)
        return self._outcome(place, "directory", Status.NOT_NEEDED, note=f"nothing to drop from {place}")

    def of_dataset(
        self, action: str, status: Status, *, error: EngramError | None = None, note: str = ""
    ) -> DatasetOutcome:
        """The dataset itself."""
        return self._outcome(self._top, "dataset", status, action=action, error=error, note=note)

    def unreadable(self, reason: str) -> DatasetOutcome:
        """A dataset in a form that is not read here."""
        error = ItemFailed(self._top, f"engram cannot read it itself ({reason})")
        return self.of_dataset("drop", Status.ERROR, error=error)

    def _each(
        self, content: Content, status: Status, *, error: EngramError | None = None, note: str
    ) -> Iterator[DatasetOutcome]:
        if self._keys:
            yield self._outcome(self._top, "key", status, error=error, note=note, content=content)
            return
        for path in content.files:
            place = f"{self._top}/{os.fsdecode(path)}"
            yield self._outcome(place, "file", status, error=error, note=note, content=content)

    def _outcome(
        self,
        place: str,
        type: str,
        status: Status,
        *,
        action: str = "drop",
        error: EngramError | None = None,
        note: str = "",
        content: Content | None = None,
    ) -> DatasetOutcome:
        key = os.fsdecode(content.key) if content is not None else ""
        return DatasetOutcome(
            action=action,
            item=key if type == "key" else self._name(place),
            status=status,
            path=place,
            type=type,
            refds=self._refds,
            message=error.what if error is not None else "",
            error=type_of(error),
            remedy=error.next_step if error is not None else "",
            note=note,
            key=key,
            bytesize=key_size(content.key) if content is not None else None,
            extra=(("annexkey", key),) if key and type != "key" else (),
        )

    def _name(self, place: str) -> str:
        inside = self._refds + "/"
        return place.removeprefix(inside) if place.startswith(inside) else os.path.relpath(place, self._refds)


def type_of(error: EngramError | None) -> str:
    """The name by which an outcome tells an error."""
    return type(error).__name__ if error is not None else ""


def too_few(fate: Fate, impostors: Mapping[str, str]) -> TooFewCopies:
    """Why a content stays: what could be proven, and who turned out not to hold it."""
    found, needed = len(fate.proof.siblings), fate.needed
    if found == 0:
        copies = "copy" if needed == 1 else "copies"
        what = f"unsafe; Could not verify the existence of the {needed} necessary {copies}"
    else:
        what = f"unsafe; Could only verify the existence of {found} out of {needed} necessary copies"
    wrong = [f"{name} {how}" for name, how in (*fate.proof.refuted.items(), *impostors.items())]
    return TooFewCopies("", "; ".join([what, *wrong]), advice_on_copies(needed))


def advice_on_copies(needed: int) -> str:
    """What who wants to drop a content can do, when so many copies must be elsewhere."""
    fewer = " or ask for fewer copies: engram numcopies N;" if needed > 1 else ""
    return f"Copy it to a sibling first;{fewer} or drop it all the same: --reckless availability"


def _is_below(path: bytes, scope: bytes) -> bool:
    return not scope or path == scope or path.startswith(scope + b"/")
