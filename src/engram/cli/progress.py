"""Progress on the screen: a bar in the last line of a terminal, now and then a plain line elsewhere."""

from threading import Lock
from time import monotonic

from engram.cli.render import Screen
from engram.cli.text import printable, size

_REDRAW_S = 0.1
_PLAIN_S = 10.0


class Bar:
    """How far one operation is."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._lock = Lock()
        self._label = ""

    def start(self, label: str, total: int | None, unit: str) -> None:
        with self._lock:
            self._label, self._total, self._unit = printable(label), total, unit
            self._done = 0
            self._started_s = monotonic()
            self._due_s = self._started_s + (_REDRAW_S if self._screen.has_bars else _PLAIN_S)
            if not unit:
                self._tell(self._started_s)

    def advance(self, count: int = 1) -> None:
        with self._lock:
            self._done += count
            now_s = monotonic()
            if self._label and now_s >= self._due_s:
                self._tell(now_s)

    def _tell(self, now_s: float) -> None:
        if self._screen.has_bars:
            self._due_s = now_s + _REDRAW_S
            self._screen.draw_bar(self.drawn(now_s - self._started_s, self._screen.columns))
        else:
            self._due_s = now_s + _PLAIN_S
            self._screen.message(f"{self._label}: {self._counted()}".rstrip(": "))

    def finish(self) -> None:
        with self._lock:
            self._label = ""
            self._screen.clear_bar()

    def _counted(self) -> str:
        if not self._unit:
            return ""
        if self._unit == "B":
            return size(self._done) if self._total is None else f"{size(self._done)} of {size(self._total)}"
        return f"{self._done:,}{'' if self._total is None else f' of {self._total:,}'} {self._unit}"

    def drawn(self, elapsed_s: float, columns: int) -> str:
        """The bar as text, one column narrower than the window, so that no terminal wraps it."""
        minutes, seconds = divmod(int(elapsed_s), 60)
        counted = self._counted()
        tail = f" {counted} {minutes}:{seconds:02d}" if counted else ""
        room = columns - 1 - len(self._label) - len(tail)
        if self._total and room >= 8:
            filled = min(self._done / self._total, 1.0) * (room - 3)
            tail = f" [{'#' * int(filled):<{room - 3}}]{tail}"
        return f"{self._label}{tail}"[: columns - 1]
