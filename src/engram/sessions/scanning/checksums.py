"""Compare the bytes of recordings with the digests that the rig wrote down when it recorded them."""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import replace

from engram.model.findings import Finding
from engram.model.progress import Progress
from engram.model.recordings import Recording
from engram.sessions.scanning.seen import SessionSeen

_AT_ONCE_BYTES = 1 << 22


def checked(seen: SessionSeen, root: str, progress: Progress) -> SessionSeen:
    """The session, with a finding for every recording whose bytes are not those that the rig recorded.

    Every main file with a digest is read from end to end. What is cut short or still growing is read, too: a finding
    says so already, and this one says that nothing in it can be trusted.
    """
    findings = tuple(_findings(seen, root, progress))
    if not findings:
        return seen
    session = replace(seen.session, findings=(*seen.session.findings, *findings))
    return replace(seen, session=session)


def _findings(seen: SessionSeen, root: str, progress: Progress) -> Iterator[Finding]:
    own = (recording.below(seen.session.folder) for recording in seen.session.recordings)
    for recording in (*own, *seen.derived):
        if recording.sha1:
            finding = _compared(recording, root, progress)
            if finding is not None:
                yield finding


def _compared(recording: Recording, root: str, progress: Progress) -> Finding | None:
    path = recording.path
    try:
        found = _sha1(f"{root}/{path}", progress)
    except OSError as error:
        return Finding(code="unreadable", path=path, message=f"It cannot be read: {error.strerror}.")
    if found == recording.sha1:
        return None
    told = f"Its SHA-1 is {found}; the rig wrote {recording.sha1}."
    return Finding(code="checksum-mismatch", path=path, message=told)


def _sha1(path: str, progress: Progress) -> str:
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
        return digest.hexdigest()
    finally:
        os.close(descriptor)
