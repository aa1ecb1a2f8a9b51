"""Compare the bytes of recordings with the digests that the rig wrote down when it recorded them."""

import hashlib
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import TypeAlias

from engram.model.findings import Finding
from engram.model.progress import Progress
from engram.model.recordings import Recording
from engram.sessions.scanning.seen import SessionSeen

_AT_ONCE_BYTES = 1 << 22
_TABLE = """CREATE TABLE IF NOT EXISTS mismatch (
    share TEXT NOT NULL, path BLOB NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, sha1 TEXT NOT NULL,
    PRIMARY KEY (share, path))"""
#: Size in bytes, time in nanoseconds, and SHA-1 of a file as it was read.
_AsRead: TypeAlias = tuple[int, int, str]


class Checksums:
    """What is known of the bytes of one share's recordings.

    A file that was found to hold other bytes than the rig recorded is remembered, in the file of what scans saw, until
    it has another size or time or is read again: a plan reads nothing, and must not take it for sound.
    """

    def __init__(self, state_file: str, *, share: str, root: str, progress: Progress) -> None:
        """Read what is remembered; *state_file* is '' where nothing can be kept."""
        #: Why what was found cannot be remembered; '' when all is well.
        self.trouble = ""
        self._state_file = state_file
        self._share = share
        self._root = root
        self._progress = progress
        self._known = self._remembered()

    def compare(self, seen: SessionSeen) -> SessionSeen:
        """The session, with a finding for every recording whose bytes are not those that the rig recorded.

        Every main file with a digest is read from end to end. What is cut short or still growing is read, too: a
        finding says so already, and this one says that nothing in it can be trusted.
        """
        return self._with_findings(seen, self._compared)

    def recall(self, seen: SessionSeen) -> SessionSeen:
        """The session, with the findings of the files that are as they were when an earlier scan read them."""
        return self._with_findings(seen, self._recalled) if self._known else seen

    def _with_findings(self, seen: SessionSeen, look: Callable[[Recording], Finding | None]) -> SessionSeen:
        own = (recording.below(seen.session.folder) for recording in seen.session.recordings)
        found = (look(recording) for recording in (*own, *seen.derived) if recording.sha1)
        findings = tuple(finding for finding in found if finding is not None)
        if not findings:
            return seen
        return replace(seen, session=replace(seen.session, findings=(*seen.session.findings, *findings)))

    def _compared(self, recording: Recording) -> Finding | None:
        path = recording.path
        try:
            read = _read(self._place(path), self._progress)
        except OSError as error:
            return Finding(code="unreadable", path=path, message=f"It cannot be read: {error.strerror}.")
        is_sound = read[2] == recording.sha1
        self._remember(path, None if is_sound else read)
        return None if is_sound else _mismatch(recording, read[2])

    def _recalled(self, recording: Recording) -> Finding | None:
        known = self._known.get(recording.path)
        if known is None or known[2] == recording.sha1:  # the rig's metadata was mended
            return None
        try:
            status = os.lstat(self._place(recording.path))
        except OSError:  # gone, or not to be asked: the scan says what is to be said of that
            return None
        is_same = (status.st_size, status.st_mtime_ns) == known[:2]
        return (
            _mismatch(recording, known[2], "An earlier scan read it; --checksum reads it again.") if is_same else None
        )

    def _place(self, path: str) -> str:
        return os.path.join(self._root, path)

    def _remembered(self) -> dict[str, _AsRead]:
        return dict(self._rows()) if os.path.exists(self._state_file) else {}

    def _rows(self) -> Iterator[tuple[str, _AsRead]]:
        sql = "SELECT path, size, mtime_ns, sha1 FROM mismatch WHERE share = ?"
        try:
            with closing(sqlite3.connect(self._state_file, timeout=5)) as connection:
                if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'mismatch'").fetchone():
                    for path, *read in connection.execute(sql, (self._share,)):
                        yield path.decode("utf-8", "surrogateescape"), (read[0], read[1], read[2])
        except sqlite3.Error as error:  # damaged: the scan makes it anew
            self.trouble = str(error)

    def _remember(self, path: str, read: _AsRead | None) -> None:
        """Keep at once what was read of a file, or that it is sound: such a scan takes hours, and may be killed."""
        if read is None and path not in self._known:
            return
        if not self._state_file:
            self.trouble = "the lab's folder cannot be written"
            return
        name = path.encode("utf-8", "surrogateescape")
        try:
            with closing(sqlite3.connect(self._state_file, timeout=30)) as connection, connection:
                connection.execute(_TABLE)
                if read is None:
                    connection.execute("DELETE FROM mismatch WHERE share = ? AND path = ?", (self._share, name))
                else:
                    values = (self._share, name, *read)
                    connection.execute("INSERT OR REPLACE INTO mismatch VALUES (?, ?, ?, ?, ?)", values)
        except sqlite3.Error as error:
            self.trouble = str(error)


def _mismatch(recording: Recording, found: str, how: str = "") -> Finding:
    told = f"Its SHA-1 is {found}; the rig wrote {recording.sha1}."
    return Finding(code="checksum-mismatch", path=recording.path, message=f"{told} {how}".rstrip())


def _read(path: str, progress: Progress) -> _AsRead:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "it is no regular file")
        digest = hashlib.sha1(usedforsecurity=False)  # SpikeGLX's own choice
        progress.start(os.path.basename(path), status.st_size, "B")
        buffer = memoryview(bytearray(_AT_ONCE_BYTES))
        while count := os.readv(descriptor, [buffer]):
            digest.update(buffer[:count])
            progress.advance(count)
        progress.finish()
        return status.st_size, status.st_mtime_ns, digest.hexdigest()
    finally:
        os.close(descriptor)
