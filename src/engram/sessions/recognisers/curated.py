"""When a clustering was curated: its files' times are all that tells."""

from collections.abc import Sequence
from datetime import UTC, datetime

from engram.model.errors import Unreadable
from engram.sessions.recogniser import Folder


def when_curated(folder: Folder, paths: Sequence[str]) -> str | None:
    """The latest time at which one of a few files was written, in UTC to the second; ``None`` if none can be asked.

    Source: the Kavli Institute's mass ingestion takes the same time where `curation_time: yes` stands.
    """
    times = []
    for path in paths[:8]:
        try:
            times.append(folder.modified_ns(path))
        except Unreadable:
            continue
    try:
        return datetime.fromtimestamp(max(times) // 1_000_000_000, UTC).isoformat() if times else None
    except (ValueError, OverflowError, OSError):
        return None
