"""End the world, or break the disk, at the *k*-th durable step.

All of this house changes disks through `engram.durable`, whose functions take a `Steps` object. Those here count the
steps, end the process at one of them, or let it fail as a full or broken disk would. `die_at_every_step` and its
sisters do so at each step of an operation, in a forked child each time: hundreds of points in seconds.

>>> from pathlib import Path
>>> from engram.durable import write_new
>>> from engram.testing.places import fresh_folder, scratch
>>> def operation(folder: Path, steps: Steps) -> None:
...     write_new(steps, str(folder / "whole"), b"all of it")
>>> def check(folder: Path) -> None:
...     assert set(folder.iterdir()) <= {folder / "whole"}
>>> with scratch() as scene:
...     died_at = die_at_every_step(operation, lambda: fresh_folder(scene), check, repeat=False)
>>> [step.kind for step in died_at]
['create', 'write', 'sync']
"""

import errno
import json
import os
import signal
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from itertools import count
from typing import Any, NoReturn, TypeAlias, TypeVar

from engram.durable import AnyPath, Steps
from engram.model.errors import EngramError

State = TypeVar("State")
#: What is tried: it gets the state and the steps, and gives its exit code (``None`` is 0), or raises.
Operation: TypeAlias = Callable[[State, Steps], int | None]

#: How disks refuse: full, over quota, broken, file too large.
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NEED_NO_ROOM = frozenset({"remove", "rmdir", "chmod"})
_OF_OTHERS = frozenset({"run", "update-ref"})  # they meet the disk themselves
#: Steps whose failure must never be followed by a report of success.
_MUST_TELL = frozenset({"write", "sync"})
_LONGEST_REPORT_BYTES = 32_000


@dataclass(frozen=True, slots=True)
class Step:
    """One durable step of an operation."""

    #: Counted from 1.
    number: int
    kind: str
    path: str

    def __str__(self) -> str:
        return f"step {self.number}: {self.kind} {self.path}"


class Crash(BaseException):
    """The end of the world inside one process. Nothing may catch it; ``finally`` blocks do run, unlike at a kill."""

    def __init__(self, step: Step) -> None:
        super().__init__(str(step))
        self.step = step


class Counting(Steps):
    """Lets all happen and keeps what happened."""

    def __init__(self) -> None:
        self.taken: list[Step] = []

    def take(self, kind: str, path: AnyPath) -> None:
        self.taken.append(Step(len(self.taken) + 1, kind, os.fsdecode(path)))


def _nothing(_: object) -> None:
    """What is done with a state, or a step, when nothing is asked for."""


class _StoppingAt(Steps):
    def __init__(self, number: int) -> None:
        if number < 1:
            raise ValueError("steps are counted from 1")
        self.number = number
        #: The first step that was stopped.
        self.stopped_at: Step | None = None
        self.tell: Callable[[Step], object] = _nothing  #: Called with that step just before.
        self._count = count(1)  # safe between threads
        #: The kinds of the steps that were taken, or asked for.
        self.kinds: set[str] = set()

    def take(self, kind: str, path: AnyPath) -> None:
        self.kinds.add(kind)
        step = Step(next(self._count), kind, os.fsdecode(path))
        if step.number >= self.number:
            self.stop(step)

    def stop(self, step: Step) -> None:
        raise NotImplementedError

    def _note(self, step: Step) -> None:
        if self.stopped_at is None:
            self.stopped_at = step
            self.tell(step)


class CrashingAt(_StoppingAt):
    """Raises `Crash` at one step and at every later one: fast, for operations that do not clean up."""

    def stop(self, step: Step) -> NoReturn:
        self._note(step)
        raise Crash(step)


class DyingAt(_StoppingAt):
    """Ends this process at one step as ``kill -9`` does: no ``finally`` block runs, no buffer is flushed."""

    def stop(self, step: Step) -> None:
        if step.number == self.number:
            self._note(step)
            os.kill(os.getpid(), signal.SIGKILL)
        signal.pause()  # other threads take no step while the signal arrives


class DyingAtFirst(DyingAt):
    """The same at the first step of one kind, however many steps come before it."""

    def __init__(self, kind: str) -> None:
        super().__init__(1)
        self._kind = kind

    def stop(self, step: Step) -> None:
        if step.kind == self._kind:
            self.number = step.number
            super().stop(step)


class FailingAt(_StoppingAt):
    """Makes the disk refuse at one step, and unless *once* at every later one.

    A disk without room still lets go: ``remove``, ``rmdir`` and ``chmod`` succeed there, and the next step fails.
    So it is after ``run`` and ``update-ref``, which name what other programs do.
    """

    def __init__(self, number: int, error: int = errno.ENOSPC, *, once: bool = False) -> None:
        super().__init__(number)
        self.error = error
        self.once = once

    def stop(self, step: Step) -> None:
        works = _OF_OTHERS | (_NEED_NO_ROOM if self.error in _NO_ROOM else frozenset())
        if step.kind in works or (self.once and self.stopped_at):
            return
        self._note(step)
        raise OSError(self.error, os.strerror(self.error), step.path)


class ActingAt(_StoppingAt):
    """Does something at one step, as another program might just then: the disk is well, the world goes on."""

    def __init__(self, number: int, act: Callable[[], object]) -> None:
        super().__init__(number)
        self._act = act

    def stop(self, step: Step) -> None:
        if step.number == self.number:
            self._note(step)
            self._act()


class Lacking(Steps):
    """A file system that cannot do some steps: ``Lacking({"link": errno.EPERM})`` has no hard links.

    *beside*: the steps that are taken all the same, so that it can crash, too. *only*: how the path of what it cannot
    do ends.
    """

    def __init__(self, errors: Mapping[str, int], beside: Steps | None = None, *, only: str = "") -> None:
        self.errors = errors
        self._beside = beside or Steps()
        self.only = only

    def take(self, kind: str, path: AnyPath) -> None:
        self._beside.take(kind, path)
        if kind in self.errors and os.fsdecode(path).endswith(self.only):
            raise OSError(self.errors[kind], os.strerror(self.errors[kind]), os.fsdecode(path))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an operation ended in its child process."""

    #: What it gave, or its error's; ``None`` when it died.
    exit_code: int | None = None
    #: Where it was stopped, if it was.
    stopped_at: Step | None = None
    #: Both lines of an expected error.
    what: str = ""
    next_step: str = ""
    #: Traceback of an error that nobody expected; empty when there was none.
    bug: str = ""
    #: Of its steps, when it came to its end.
    kinds: Sequence[str] = ()


def die_at_every_step(
    operation: Operation[State],
    prepare: Callable[[], State],
    check: Callable[[State], object],
    *,
    when_dead: Callable[[State], object] = _nothing,
    stride: int = 1,
    limit: int | None = None,
    repeat: bool = True,
    also: Iterable[str] = (),
) -> tuple[Step, ...]:
    """Where it died: at step 1, 1 + *stride*, … of *operation*, each time in a fresh state, until it lives to its end.

    After each death *when_dead* looks at the state, then the same operation runs again to its end (unless *repeat* is
    false), then *check* looks. What these raise is raised here, with the step noted. The calling process should have
    one thread. *limit* is the last step to try. It dies at the first step of every kind, too, however far apart those
    are that are tried, and *also* of these kinds, of which there must be one each.
    """
    kinds = {*also}
    died_at: list[Step] = []

    def lives_through(steps: Steps) -> Ending | None:
        """How it ended, if it lived; else it died, and everything was looked at."""
        state = prepare()
        ending = in_child(operation, state, steps)
        if ending.stopped_at is None:
            return ending
        died_at.append(ending.stopped_at)
        with noted(f"died at {ending.stopped_at}"):
            when_dead(state)
            if repeat:
                _expect_success(in_child(operation, state), "the second time")
            check(state)
        return None

    for number in _numbers(stride, limit):
        if (ending := lives_through(DyingAt(number))) is not None:
            _expect_success(ending, "without a death")
            kinds.update(ending.kinds)
            break
    for kind in sorted(kinds - {step.kind for step in died_at}):
        assert lives_through(DyingAtFirst(kind)) is None, f"there is no step {kind}"
    return _some(died_at)


def fail_at_every_step(
    operation: Operation[State],
    prepare: Callable[[], State],
    check: Callable[[State], object],
    *,
    error: int = errno.ENOSPC,
    once: bool = False,
    when_failed: Callable[[State], object] = _nothing,
    stride: int = 1,
    limit: int | None = None,
    must_tell: frozenset[str] = _MUST_TELL,
) -> tuple[Step, ...]:
    """Where the disk refused: at step 1, 1 + *stride*, … of *operation*, which must say so in two lines.

    Success may be reported only when a step failed that is not in *must_tell*. Then the disk is well again, and as in
    `die_at_every_step` the same operation must finish and *check* hold.
    """
    failed_at: list[Step] = []
    for number in _numbers(stride, limit):
        state = prepare()
        ending = in_child(operation, state, FailingAt(number, error, once=once))
        if ending.stopped_at is None:
            _expect_success(ending, "without a failure")
            break
        failed_at.append(ending.stopped_at)
        with noted(f"{errno.errorcode[error]} at {ending.stopped_at}"):
            _expect_plain_words(ending, must_tell)
            when_failed(state)
            _expect_success(in_child(operation, state), "the second time")
            check(state)
    return _some(failed_at)


def act_at_every_step(
    operation: Operation[State],
    prepare: Callable[[], State],
    act: Callable[[State], object],
    check: Callable[[State], object],
    *,
    when_ended: Callable[[State], object] = _nothing,
    stride: int = 1,
    limit: int | None = None,
) -> tuple[Step, ...]:
    """Where somebody interfered: at step 1, 1 + *stride*, … of *operation*, *act* was done to its state.

    It may end well or say plainly what it could not do. Then *when_ended* looks, the same operation must finish, and
    *check* hold.
    """
    acted_at: list[Step] = []
    for number in _numbers(stride, limit):
        state = prepare()
        ending = in_child(operation, state, ActingAt(number, partial(act, state)))
        if ending.stopped_at is None:
            _expect_success(ending, "undisturbed")
            break
        acted_at.append(ending.stopped_at)
        with noted(f"somebody interfered at {ending.stopped_at}"):
            _expect_plain_words(ending, frozenset())
            when_ended(state)
            _expect_success(in_child(operation, state), "the second time")
            check(state)
    return _some(acted_at)


def in_child(operation: Operation[State], state: State, steps: Steps | None = None) -> Ending:
    """How *operation* ended in a forked child of its own, with all that it started gone."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        _run_and_exit(operation, state, steps or Steps(), writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        _, status = os.waitpid(child, 0)
        _end_group(child)
        told = [json.loads(line) for line in pipe]
    if not told:
        raise AssertionError(f"the child ended without a word (status {status})")
    return _ending(told)


def _run_and_exit(operation: Operation[State], state: State, steps: Steps, writer: int) -> NoReturn:
    def tell(**report: object) -> None:
        os.write(writer, json.dumps(report).encode() + b"\n")

    try:
        if isinstance(steps, _StoppingAt):
            steps.tell = lambda step: tell(stopped_at=asdict(step))
        tell(**_report_of(operation, state, steps))
    finally:
        os._exit(0)


def _report_of(operation: Operation[State], state: State, steps: Steps) -> dict[str, object]:
    try:
        return {"exit_code": operation(state, steps) or 0, "kinds": sorted(getattr(steps, "kinds", ()))}
    except EngramError as error:
        return {"exit_code": error.exit_code, "what": error.what, "next_step": error.next_step}
    except BaseException:  # noqa: BLE001 - a child tells whatever happened, its parent raises it
        return {"exit_code": 1, "bug": traceback.format_exc()[-_LONGEST_REPORT_BYTES:]}


def _ending(told: list[dict[str, Any]]) -> Ending:
    fields = {name: value for line in told for name, value in line.items()}
    if (step := fields.pop("stopped_at", None)) is not None:
        fields["stopped_at"] = Step(**step)
    return Ending(**fields)


def _end_group(leader: int) -> None:
    with suppress(ProcessLookupError):  # nobody is left
        os.killpg(leader, signal.SIGKILL)


def _numbers(stride: int, limit: int | None) -> Iterator[int]:
    return (number for number in count(1, stride)) if limit is None else iter(range(1, limit + 1, stride))


def _some(stopped_at: list[Step]) -> tuple[Step, ...]:
    if not stopped_at:
        raise AssertionError("the operation takes no durable step, so nothing was tried")
    return tuple(stopped_at)


def _expect_success(ending: Ending, when: str) -> None:
    if ending.exit_code != 0:
        raise AssertionError(f"{when} it ended with {ending.exit_code}: {ending.what}\n{ending.next_step}{ending.bug}")


def _expect_plain_words(ending: Ending, must_tell: frozenset[str]) -> None:
    if ending.bug:
        raise AssertionError(f"an error that says nothing to a user:\n{ending.bug}")
    if "\n" in ending.what or "\n" in ending.next_step:
        raise AssertionError(f"more than one line what, one line what next:\n{ending.what}\n{ending.next_step}")
    if ending.exit_code == 0 and ending.stopped_at is not None and ending.stopped_at.kind in must_tell:
        raise AssertionError("success was reported though this failed")


@contextmanager
def noted(note: str) -> Iterator[None]:
    """What is raised within says how it came about."""
    try:
        yield
    except BaseException as error:
        error.add_note(note)
        raise
