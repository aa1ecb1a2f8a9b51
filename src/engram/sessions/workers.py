"""Start the process in which heavy libraries look into files: the only module of the room that starts a program.

A hostile HDF5 or MATLAB file can crash a library, fill the memory or never end; it takes the worker with it, and the
next file gets a new one. The worker inherits one socket and nothing else, neither descriptors nor environment.
"""

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from engram.model.errors import ExtraMissing, Malformed, Unreadable

if TYPE_CHECKING:
    import subprocess

#: How to get what it needs.
INSTALL_RIG = "pip install '.[rig]' in engram's clone"

_PROGRAM = os.path.join(os.path.dirname(__file__), "heavy.py")
_MOST_ANSWER_BYTES = 1 << 20
#: One thread is enough for headers; HDF5 loads no plugins. Source: HDF5's "Using dynamically loadable filters".
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "HDF5_PLUGIN_PRELOAD": "::", "LC_ALL": "C.UTF-8"}


class Worker:
    """A process that looks into one file after the other; started when it is first needed, ended with the context."""

    def __init__(self, *, patience_s: float = 60.0) -> None:
        self._patience_s = patience_s
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def examine(self, path: str, reader: str) -> Mapping[str, object]:
        """What *reader*, a function of `engram.sessions.heavy`, says about the file at *path*.

        Raises `ExtraMissing`, `Unreadable`, or `Malformed` when it does not take the file, runs out of its limits or
        dies.
        """
        with self._lock:
            told = self._ask(path, json.dumps({"path": path, "reader": reader}).encode() + b"\n")
        if "said" in told and isinstance(told["said"], dict):
            return told["said"]
        if "missing" in told:
            raise ExtraMissing(str(told["missing"]), INSTALL_RIG)
        if "unreadable" in told:
            raise Unreadable(path, str(told["unreadable"]))
        raise Malformed(path, str(told.get("refused", "the worker answered nonsense")))

    def close(self) -> None:
        """End the process, and wait for it."""
        if self._channel is not None:
            self._channel.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._channel = None

    def _ask(self, path: str, request: bytes) -> Mapping[str, object]:
        channel = self._started()
        try:
            channel.sendall(request)
            answer = self._answer(channel)
        except TimeoutError:
            self.close()
            raise Malformed(path, f"a library looked at it for {self._patience_s:g} seconds without an end") from None
        except OSError:
            answer = b""
        if not answer:
            self.close()
            raise Malformed(path, "a library died of it, or ran out of its limits")
        try:
            told = json.loads(answer)
        except ValueError:
            told = None
        return told if isinstance(told, dict) else {}

    def _answer(self, channel: socket.socket) -> bytes:
        """One line; b'' when the process is gone, or says more than it may."""
        until = time.monotonic() + self._patience_s
        answer = bytearray()
        while not answer.endswith(b"\n"):
            left_s = until - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            channel.settimeout(left_s)
            piece = channel.recv(1 << 16)
            answer += piece
            if not piece or len(answer) > _MOST_ANSWER_BYTES:
                return b""
        return bytes(answer)

    def _started(self) -> socket.socket:
        if self._channel is not None and self._process is not None and self._process.poll() is None:
            return self._channel
        self.close()
        import subprocess  # late: most shares hold nothing that needs it

        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", _PROGRAM],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_ENVIRONMENT,
                cwd="/",
            )
        self._channel = ours
        return ours
