"""Who does the calls: this thread while they are fast, many threads where each is a round trip."""

import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from time import perf_counter
from typing import TypeAlias

#: What one task comes to, or the error that it ended with.
Result: TypeAlias = object
Task: TypeAlias = Callable[[], Result]

#: So many tasks are measured before it is decided.
_MEASURED = 24
#: A task that takes longer than this on a share is a round trip.
_ROUND_TRIP_S = 0.0005
_THREADS = 32
#: Tasks that are done at once by the threads, so that none of them waits long for the last of the others.
_BATCH = 256


class Crew:
    """Does tasks, and gives their results in the tasks' order, whoever did them."""

    def __init__(self) -> None:
        self._took_s: list[float] = []
        self._queue: SimpleQueue[tuple[Task, list[Result], int, SimpleQueue[None]] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        #: How many tasks are best handed over at once.
        self.at_once = 1

    def do(self, tasks: Sequence[Task]) -> list[Result]:
        """The results of *tasks*; an `OSError` that one raised stands in the place of its result, others are raised."""
        results = self._do_together(tasks) if self._threads else [self.do_one(task) for task in tasks]
        for found in results:
            if isinstance(found, BaseException) and not isinstance(found, OSError):
                raise found
        return results

    def do_one(self, task: Task) -> Result:
        """The result of one task, done here, or the `OSError` that it raised; others are raised."""
        if len(self._took_s) >= _MEASURED:
            return _result(task)
        began_s = perf_counter()
        found = _result(task)
        self._took_s.append(perf_counter() - began_s)
        if len(self._took_s) == _MEASURED and sorted(self._took_s)[_MEASURED // 2] > _ROUND_TRIP_S:
            self._hire()
        return found

    def _hire(self) -> None:
        self.at_once = _BATCH
        # Daemons: a call on a dead mount comes back never, and must not keep the process.
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(_THREADS)]
        for thread in self._threads:
            thread.start()

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            task, results, place, done = job
            results[place] = _outcome(task)
            done.put(None)

    def _do_together(self, tasks: Sequence[Task]) -> list[Result]:
        results: list[Result] = [None] * len(tasks)
        done: SimpleQueue[None] = SimpleQueue()
        for place, task in enumerate(tasks):
            self._queue.put((task, results, place, done))
        for _ in tasks:
            done.get()
        return results

    def dismiss(self) -> None:
        """Let the threads end."""
        for _ in self._threads:
            self._queue.put(None)


def _result(task: Task) -> Result:
    try:
        return task()
    except OSError as error:
        return error


def _outcome(task: Task) -> Result:
    try:
        return task()
    except BaseException as error:  # noqa: BLE001  # it is raised by who asked: a thread that dies would be waited for
        return error
