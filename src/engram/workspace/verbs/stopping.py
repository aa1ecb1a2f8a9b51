"""How Ctrl-C ends a function of the Python interface that works in threads of its own."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType

from engram.model.stopping import stop_all


@contextmanager
def ended_by_ctrl_c() -> Iterator[None]:
    """Ctrl-C ends what works within, and comes out as `KeyboardInterrupt`, whatever a library makes of it.

    The engine of snapshots says ``RuntimeError``, goes on in its threads, and is waited for when it is closed. Who has
    a handler of his own for Ctrl-C keeps it: what it does is his to say.
    """
    if current_thread() is not main_thread() or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    heard = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        stop_all()
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except Exception as error:
        if heard:
            raise KeyboardInterrupt from error
        raise
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
