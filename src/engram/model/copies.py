"""Copies: which repositories hold one content, as records."""

from dataclasses import fields
from typing import Any

from engram.model.outcome import DatasetOutcome
from engram.model.records import record


@record
class Copy:
    """One repository that is said to hold a content."""

    #: What git-annex knows the repository by.
    uuid: str
    #: What people call it, '' when nobody said.
    description: str
    #: The remote by which it is reached from here, '' when there is none.
    remote: str
    #: It is this very repository.
    here: bool
    #: ``trusted``, ``semitrusted``, ``untrusted`` or ``dead``; the last two count for nothing.
    trust: str
    #: Addresses on record at which it has the content.
    urls: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether it counts as a copy."""
        return self.trust in _COUNTED

    @property
    def called(self) -> str:
        """A short name for people: ``here``, the remote's name, else what others call it, else its UUID."""
        return "here" if self.here else self.remote or self.description or self.uuid

    def as_json(self) -> dict[str, Any]:
        """One of the *copies* of a record."""
        return {name: getattr(self, name) for name in _COPY_FIELDS}


_COUNTED = ("trusted", "semitrusted")
_COPY_FIELDS = tuple(field.name for field in fields(Copy))


@record
class CopiesOutcome(DatasetOutcome):
    """An outcome that tells who holds the content it is about."""

    #: Every repository that is said to hold it: this one first, then by name.
    copies: tuple[Copy, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The record behind ``--json``."""
        record = DatasetOutcome.as_json(self)  # super() does not work in a class with slots
        record["copies"] = [copy.as_json() for copy in self.copies]
        return record
