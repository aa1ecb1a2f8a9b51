"""BIDS: a data set with ``dataset_description.json``, or a part of one whose names say what they are.

Source: https://bids-specification.readthedocs.io/en/stable/common-principles.html
"""

import re
from collections.abc import Iterator
from functools import partial

from engram.model.errors import Malformed
from engram.model.findings import Finding
from engram.model.outcome import Leaf
from engram.model.recordings import Recording
from engram.sessions.reading.lines import parsed_json
from engram.sessions.recogniser import Folder, Recogniser, Seen
from engram.sessions.recognisers.paths import device_name, folder_of, name_of, within
from engram.sessions.recognisers.trouble import each

_LARGEST_DESCRIPTION_BYTES = 1 << 18
_NAME = re.compile(
    r"sub-(?P<subject>[0-9A-Za-z+]+)_(?:ses-(?P<session>[0-9A-Za-z+]+)_)?(?:[0-9A-Za-z+]+-[0-9A-Za-z+]+_)*[0-9A-Za-z]+(?:\.\w+)+"
)
_TOP = frozenset(
    "README README.md README.rst README.txt CHANGES LICENSE participants.tsv participants.json samples.tsv".split()
)
_DATA = (".nii", ".nii.gz", ".edf", ".vhdr", ".fif", ".snirf")


def recognise(folder: Folder) -> Iterator[Seen]:
    """Every data set below *folder*, and what lies there of one whose top is elsewhere."""
    tops = [path for path in folder.ending("dataset_description.json") if name_of(path) == "dataset_description.json"]
    taken: set[str] = set()
    for path in sorted(tops, key=lambda path: -path.count("/")):
        files = [one for one in _below(folder, path) if one not in taken]
        taken.update(files, [path])
        yield from each([path], partial(_data_set, folder, files))
    parts: dict[tuple[str, str], list[str]] = {}
    for path in folder.ending(*_DATA):
        match = _NAME.fullmatch(name_of(path))
        if match is not None and path not in taken:
            parts.setdefault((match["subject"], match["session"] or ""), []).append(path)
    for (subject, session), paths in parts.items():
        yield from _part(folder, subject, session, paths, taken)


def _below(folder: Folder, description: str) -> Iterator[str]:
    top = folder_of(description)
    begins = f"{top}/" if top else ""
    for path in folder.files():
        if path.startswith(begins) and path != description and _belongs(path[len(begins) :]):
            yield path


def _belongs(rest: str) -> bool:
    """Whether a path from the top of a data set on is one that the specification knows."""
    first, slash, _ = rest.partition("/")
    if slash:
        return first.startswith("sub-") or first in {"phenotype", "stimuli", "code", "sourcedata"}
    return rest in _TOP or rest.startswith("task-")


def _data_set(folder: Folder, files: list[str], path: str) -> Iterator[Seen]:
    said = parsed_json(folder.read(path, _LARGEST_DESCRIPTION_BYTES), path)
    name, version, kind = (said.get(key) for key in ("Name", "BIDSVersion", "DatasetType"))
    if not isinstance(version, str):
        raise Malformed(path, "no description of a BIDS data set: it has no BIDSVersion")
    top = folder_of(path)
    labels = {
        part for one in files for part in (one[len(top) :].lstrip("/").partition("/")[0],) if part.startswith("sub-")
    }
    facts: list[tuple[str, Leaf]] = [("bids_version", version[:40]), ("subjects", len(labels))]
    if isinstance(name, str):
        facts.append(("name", name[:200]))
    processing = "derivative" if kind == "derivative" else ""
    yield Recording(
        kind="bids",
        device=device_name(name_of(top)) or "bids",
        paths=(path, *files),
        processing=processing,
        facts=tuple(facts),
    )


def _part(folder: Folder, subject: str, session: str, paths: list[str], taken: set[str]) -> Iterator[Seen]:
    begins = f"sub-{subject}_" + (f"ses-{session}_" if session else "")
    beside = {folder_of(path) for path in paths} | {folder_of(folder_of(path)) for path in paths}
    others = [
        path
        for path in folder.ending(".json", ".tsv", ".tsv.gz", ".bval", ".bvec", ".eeg", ".vmrk")
        if name_of(path).startswith(begins) and folder_of(path) in beside and path not in taken
    ]
    device = within(f"sub-{subject}", f"ses-{session}") if session else f"sub-{subject}"
    yield Recording(
        kind="bids", device=device_name(device), paths=(*paths, *others), facts=(("subject", subject[:200]),)
    )
    own = re.sub(r"[^0-9a-z]", "", folder.subject.lower())
    if own and own != re.sub(r"[^0-9a-z]", "", subject.lower()):
        message = f"It is named for {subject[:100]}, but lies with subject {folder.subject}."
        yield Finding(code="subject-mismatch", path=paths[0], message=message)


RECOGNISER = Recogniser(
    name="BIDS",
    suffixes=("dataset_description.json", *_DATA),
    recognise=recognise,
    source="https://bids-specification.readthedocs.io/en/stable/common-principles.html",
    reads="dataset_description.json; of everything else the names",
)
