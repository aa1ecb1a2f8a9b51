"""Progress: how a long operation says how far it is, without knowing who listens."""

from typing import Protocol


class Progress(Protocol):
    """Three verbs; any thread may call `advance`. One thing is counted at a time."""

    def start(self, label: str, total: int | None, unit: str) -> None:
        """Begin to count *total* things (``None``: nobody knows how many), named *unit*: ``files``, ``B`` for bytes.

        Without a *unit* nothing is counted: the label tells what is waited for.
        """
        ...

    def advance(self, count: int = 1) -> None:
        """Count *count* more as done."""
        ...

    def finish(self) -> None:
        """Stop counting. No complaint if nothing was counted."""
        ...


class Silent:
    """Nobody listens."""

    def start(self, label: str, total: int | None, unit: str) -> None:
        """Begin nothing."""

    def advance(self, count: int = 1) -> None:
        """Count nothing."""

    def finish(self) -> None:
        """Stop nothing."""
