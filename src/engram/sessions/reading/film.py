"""What the headers of films say, whatever contains them."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """One video stream."""

    width: int | None = None
    height: int | None = None
    frame_rate_hz: float | None = None
    frames: int | None = None
    duration_s: float | None = None
    codec: str = ""
    #: When the file was begun, where the container says so.
    created: datetime | None = None
    #: How large the file has to be at least; ``None`` where its header does not tell.
    promised_bytes: int | None = None
