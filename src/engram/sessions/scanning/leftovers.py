"""What lies on a share outside of all sessions: told folder by folder, as few as say it all."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from engram.model.findings import Finding
from engram.sessions.scanning.assembling import count_by_extension, together
from engram.sessions.scanning.walking import Outside
from engram.sessions.templates import Template, near_misses


def leftovers(
    outside: Mapping[str, Outside],
    sessions: Collection[str],
    templates: Sequence[Template],
    belongs: Callable[[str], bool],
) -> Iterator[Finding]:
    """Findings about files that belong to no session, each for the topmost folder that holds no session.

    Args:
        belongs: whether a folder holds what belongs to a subject as a whole (histology), which is no trouble.
    """
    ways = _ways_to(sessions)
    counts: dict[str, Counter[str]] = {}
    examples: dict[str, str] = {}
    for folder, found in sorted(outside.items()):
        yield from _of_folder(folder, found)
        if found.files and not belongs(folder):
            top = _topmost(folder, ways)
            counts.setdefault(top, Counter()).update(found.files)
            examples.setdefault(top, folder)
    for top, files in sorted(counts.items()):
        kinds = count_by_extension((f".{kind}" if kind else "", count) for kind, count in files.items())
        why = _nearly(templates, top, examples[top])
        count = files.total()
        what = "1 file in it belongs" if count == 1 else f"{count:,} files in it belong"
        told = f"{what} to no session ({kinds}){why}."
        yield Finding(code="unknown-layout", path=top or ".", message=told)


def _of_folder(folder: str, found: Outside) -> Iterator[Finding]:
    if found.unreadable:
        yield Finding(code="unreadable", path=folder, message=f"It cannot be read: {found.unreadable}.")
    above = f"{folder}/" if folder else ""
    for name in sorted(found.others):
        told = "It is a FIFO, a socket or a device, and was not opened."
        yield Finding(code="unreadable", path=above + name, message=told)
    yield from together("link-not-followed", "", [above + name for name in found.links])
    yield from together("name-not-portable", "", [above + name for name in found.awkward])


def _ways_to(sessions: Collection[str]) -> frozenset[str]:
    """Every folder that has a session below it."""
    ways = {""}
    for folder in sessions:
        while folder := folder.rpartition("/")[0]:
            if folder in ways:
                break
            ways.add(folder)
    return frozenset(ways)


def _topmost(folder: str, ways: Collection[str]) -> str:
    """The highest folder at or above *folder* without a session below; itself when it has some."""
    top = folder
    while top not in ways and (parent := top.rpartition("/")[0]) not in ways:
        top = parent
    return top


def _nearly(templates: Sequence[Template], top: str, example: str) -> str:
    """What kept a folder from being a session's, as the rest of a sentence."""
    parts = example.split("/") if example else []
    for count in range(top.count("/") + 1, len(parts) + 1):
        path = "/".join(parts[:count])
        for why in near_misses(templates, path):
            if "is no date" in why:
                return f": {path} is none, because {why}"
    return ""
