"""Run the script that loads a snapshot: the programs of Neo4j that the user installed."""

from collections import deque
from collections.abc import Iterator, Mapping

#: Lines that are kept of what it said.
_KEPT_LINES = 400


class Running:
    """A script that runs; its lines as they come, and how it ended."""

    def __init__(self, script: str, environment: Mapping[str, str]) -> None:
        import subprocess  # late: most calls load nothing

        self._process = subprocess.Popen(
            ["sh", script],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        #: The last lines that it said.
        self.said: deque[str] = deque(maxlen=_KEPT_LINES)

    def lines(self) -> Iterator[str]:
        """What it says, line by line, until it ends."""
        assert self._process.stdout is not None
        with self._process.stdout as out:
            for line in out:
                self.said.append(line)
                yield line.strip()

    def end(self) -> int:
        """Its exit status; it is stopped if it still runs."""
        if self._process.poll() is None and self._process.stdout and not self._process.stdout.closed:
            self._process.terminate()
        return self._process.wait()
