"""What works in threads of its own while a call waits for it: a signal that ends the call has to end it, too."""

from typing import Protocol
from weakref import WeakSet


class Stoppable(Protocol):
    """Something that works while Python waits."""

    def stop(self) -> None:
        """End what it is doing, from within a signal's handler: nothing is waited for."""


_WORKING: WeakSet[Stoppable] = WeakSet()


def is_stopped_by_signals(one: Stoppable) -> None:
    """Have it told when a signal asks the call to end, for as long as it is there."""
    _WORKING.add(one)


def stop_all() -> None:
    """Tell all of them."""
    for one in tuple(_WORKING):
        one.stop()
