"""Bad content is a finding: what stands between a reader that gives up and a scan that goes on."""

from collections.abc import Callable, Iterable, Iterator

from engram.model.errors import ExtraMissing, Malformed, Unreadable
from engram.model.findings import Finding
from engram.sessions.recogniser import Seen


def each(paths: Iterable[str], look: Callable[[str], Iterator[Seen]]) -> Iterator[Seen]:
    """What *look* sees in each of the files, with a finding for each that it cannot read, and on to the next."""
    for path in paths:
        try:
            yield from look(path)
        except (Malformed, Unreadable, ExtraMissing) as error:
            yield finding_for(path, error)


def finding_for(path: str, error: Malformed | Unreadable | ExtraMissing) -> Finding:
    """What to tell of a file that was not read."""
    if isinstance(error, ExtraMissing):
        return Finding(code="missing-extra", path=path, message=f"To look into it, {error.needed} is needed.")
    reason = error.reason[:1].upper() + error.reason[1:]
    code = "malformed" if isinstance(error, Malformed) else "unreadable"
    return Finding(code=code, path=path, message=f"{reason}.")
