"""Ctrl-C while a function of the Python interface works."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import FrameType

import pytest

from engram.model.stopping import is_stopped_by_signals
from engram.workspace.verbs.stopping import ended_by_ctrl_c


@pytest.fixture(autouse=True)
def pythons_own() -> Iterator[None]:
    """A worker of pytest ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Engine:
    """Swallows a signal, as a library does that waits for its threads."""

    def __init__(self) -> None:
        self.is_stopped = False
        is_stopped_by_signals(self)

    def stop(self) -> None:
        self.is_stopped = True

    def work(self) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise RuntimeError("Query interrupted") from None


@ended_by_ctrl_c()
def _build(engine: Engine) -> None:
    engine.work()


def test_an_engine_is_told_and_ctrl_c_comes_out_as_itself() -> None:
    with pytest.raises(KeyboardInterrupt):
        _build(engine := Engine())
    assert engine.is_stopped
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_of_its_own_is_told_as_it_is() -> None:
    with pytest.raises(RuntimeError, match="Query"), ended_by_ctrl_c():
        raise RuntimeError("Query failed")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_the_callers_own_is_left_alone() -> None:
    heard = []

    def mine(number: int, frame: FrameType | None) -> None:
        heard.append(number)

    signal.signal(signal.SIGINT, mine)
    engine = Engine()
    with ended_by_ctrl_c():
        signal.raise_signal(signal.SIGINT)
    assert (heard, engine.is_stopped) == ([signal.SIGINT], False)


def test_in_another_thread_nothing_is_changed() -> None:
    with ThreadPoolExecutor() as pool:
        assert pool.submit(lambda: [signal.getsignal(signal.SIGINT) for _ in _entered()]).result() == [
            signal.default_int_handler
        ]


def _entered() -> Iterator[None]:
    with ended_by_ctrl_c():
        yield
