"""NWB: one HDF5 file with a whole session in it.

Source: https://nwb-schema.readthedocs.io/en/latest/format.html#nwbfile
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial

from engram.model.errors import ExtraMissing, Malformed, Unreadable
from engram.model.findings import Finding
from engram.model.outcome import Leaf
from engram.model.recordings import Recording
from engram.sessions.recogniser import Folder, Recogniser, Seen
from engram.sessions.recognisers.paths import device_name, name_of
from engram.sessions.recognisers.trouble import each, finding_for

_KEPT = {
    "/identifier": "identifier",
    "/general/session_id": "session_id",
    "/general/subject/subject_id": "subject",
    "/general/institution": "institution",
    "/general/lab": "lab",
    "/session_description": "description",
}


def recognise(folder: Folder) -> Iterator[Seen]:
    """Every file below *folder*."""
    yield from each(folder.ending(".nwb"), partial(_file, folder))


def _file(folder: Folder, path: str) -> Iterator[Seen]:
    values: dict[str, str] = {}
    version = ""
    trouble: Finding | None = None
    try:
        said = folder.in_worker(path, "nwb_summary")
    except (Malformed, Unreadable, ExtraMissing) as error:
        trouble = finding_for(path, error)
    else:
        version = _version(path, said)
        values = _values(said)
    facts: list[tuple[str, Leaf]] = [("nwb_version", version[:40])] if version else []
    facts += [(name, values[place][:1000]) for place, name in _KEPT.items() if values.get(place)]
    yield Recording(
        kind="nwb",
        device=device_name(name_of(path).rpartition(".")[0]) or "nwb",
        paths=(path,),
        started=_time(path, values.get("/session_start_time", "")),
        facts=tuple(facts),
    )
    if trouble is not None:
        yield trouble
    subject = values.get("/general/subject/subject_id", "")
    if subject.isdigit() and folder.subject.isdigit() and subject != folder.subject:
        message = f"It tells of subject {subject}, but lies with {folder.subject}."
        yield Finding(code="subject-mismatch", path=path, message=message)


def _version(path: str, said: Mapping[str, object]) -> str:
    attributes = said.get("attributes")
    version = attributes.get("nwb_version") if isinstance(attributes, dict) else None
    if not isinstance(version, str):
        raise Malformed(path, "HDF5, but no NWB: it has no nwb_version")
    return version


def _values(said: Mapping[str, object]) -> dict[str, str]:
    objects = said.get("objects")
    found = objects.items() if isinstance(objects, dict) else ()
    pairs = ((name, one.get("value")) for name, one in found if isinstance(one, dict))
    return {name: value for name, value in pairs if isinstance(value, str)}


def _time(path: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Malformed(path, f"session_start_time is no time: {text[:40]!r}") from None


RECOGNISER = Recogniser(
    name="NWB",
    suffixes=(".nwb",),
    recognise=recognise,
    source="https://nwb-schema.readthedocs.io/en/latest/format.html#nwbfile",
    reads="version, start, identifier and subject of each file, in the worker",
)
