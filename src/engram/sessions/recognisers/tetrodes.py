"""Clusterings of tetrodes: MClust (``TT1_01.t``), KlustaKwik (``name.clu.1``) and Tint (``name_1.cut``).

Source: https://github.com/adredish/MClust; https://klusta.readthedocs.io; Axona's file formats,
http://space-memory-navigation.org/DacqUSBFileFormats.pdf
"""

import re
from collections.abc import Iterator
from functools import partial

from engram.model.errors import Malformed
from engram.model.findings import Finding
from engram.model.outcome import Leaf
from engram.model.recordings import Recording
from engram.sessions.reading.lines import text_of
from engram.sessions.recogniser import Folder, Known, Recogniser, Seen
from engram.sessions.recognisers.curated import when_curated
from engram.sessions.recognisers.paths import device_name, folder_of, name_of
from engram.sessions.recognisers.trouble import each

_MCLUST_CELL = re.compile(r"(?P<tetrode>.+?)_(?P<cell>\d{1,4})\.(?:t|t32|t64|_t)", re.IGNORECASE)
_MCLUST_SIDE = (".clusters", ".fd", ".mclust")
_KLUSTA = re.compile(
    r"(?P<base>.+)\.(?P<part>clu|res|fet|klg|spk|fmask|temp\.clu|initialclusters)\.(?P<tetrode>\d{1,3})"
)
_CUT = re.compile(r"(?P<base>.+)_(?P<tetrode>\d{1,3})\.cut", re.IGNORECASE)
_NUMBERED = tuple(f".{number}" for number in range(1, 65))


def recognise(folder: Folder) -> Iterator[Seen]:
    """Every clustering below *folder*, one recording for each tetrode of each program."""
    yield from _mclust(folder)
    yield from _klustakwik(folder)
    cuts = [path for path in folder.ending(".cut") if _CUT.fullmatch(name_of(path))]
    yield from each(cuts, partial(_tint, folder))


def _mclust(folder: Folder) -> Iterator[Seen]:
    tetrodes: dict[tuple[str, str], list[str]] = {}
    for path in folder.ending(".t", ".t32", ".t64", "._t"):
        if match := _MCLUST_CELL.fullmatch(name_of(path)):
            tetrodes.setdefault((folder_of(path), match["tetrode"]), []).append(path)
    sides = folder.ending(*_MCLUST_SIDE) if tetrodes else ()
    for (place, tetrode), cells in tetrodes.items():
        own = [path for path in sides if folder_of(path) == place and name_of(path).startswith(f"{tetrode}.")]
        yield from each(cells[:1], partial(_mclust_tetrode, folder, tetrode, cells, own))


def _mclust_tetrode(folder: Folder, tetrode: str, cells: list[str], own: list[str], path: str) -> Iterator[Seen]:
    head = folder.read(path, 4096)
    if not head.startswith(b"%%BEGINHEADER"):
        raise Malformed(path, "no MClust spike file: it does not begin with its header")
    facts: list[tuple[str, Leaf]] = [("sorter", "mclust"), ("clusters", len(cells))]
    facts.append(("curated", when_curated(folder, [*own, *cells])))
    yield Recording(
        kind="sorting", device=device_name(tetrode), paths=(*cells, *own), processing="curated", facts=tuple(facts)
    )


def _klustakwik(folder: Folder) -> Iterator[Seen]:
    tetrodes: dict[tuple[str, str, int], dict[str, str]] = {}
    for path in folder.ending(*_NUMBERED):
        if match := _KLUSTA.fullmatch(name_of(path)):
            group = tetrodes.setdefault((folder_of(path), match["base"], int(match["tetrode"])), {})
            group[match["part"]] = path
    for (_, base, tetrode), parts in tetrodes.items():
        if "clu" in parts:
            yield from each([parts["clu"]], partial(_klusta, folder, base, tetrode, parts))
        else:
            yield Known(tuple(parts.values()), "KlustaKwik features")


def _klusta(folder: Folder, base: str, tetrode: int, parts: dict[str, str], path: str) -> Iterator[Seen]:
    first = folder.read(path, 32).split(b"\n")[0].strip()
    if not first.isdigit() or len(first) > 9:
        raise Malformed(path, "no KlustaKwik clustering: its first line is no number of clusters")
    facts: list[tuple[str, Leaf]] = [("sorter", "klustakwik"), ("clusters", int(first)), ("base", base)]
    facts.append(("curated", when_curated(folder, [path])))
    others = [other for part, other in parts.items() if part != "clu"]
    yield Recording(kind="sorting", device=f"tetrode{tetrode}", paths=(path, *others), facts=tuple(facts))


def _tint(folder: Folder, path: str) -> Iterator[Seen]:
    match = _CUT.fullmatch(name_of(path))
    if match is None:
        return
    text = text_of(folder.read(path, 1 << 16))
    clusters = re.match(r"n_clusters:\s{0,20}(\d{1,6})", text)
    if clusters is None:
        raise Malformed(path, "no Tint cut: its first line is not n_clusters")
    facts: list[tuple[str, Leaf]] = [("sorter", "tint"), ("clusters", int(clusters[1])), ("base", match["base"])]
    spikes = re.search(r"Exact_cut_for:[ \t]{0,20}(\S[^\n]{0,200}?)[ \t]{1,20}spikes:[ \t]{0,20}(\d{1,12})", text)
    if spikes:
        facts.append(("spikes", int(spikes[2])))
    facts.append(("curated", when_curated(folder, [path])))
    device = f"tetrode{int(match['tetrode'])}"
    yield Recording(kind="sorting", device=device, paths=(path,), processing="curated", facts=tuple(facts))
    if spikes and spikes[1] != match["base"]:
        message = f"It was made for {spikes[1]}, and is named for {match['base']}."
        yield Finding(code="stale-copy", path=path, message=message)


RECOGNISER = Recogniser(
    name="MClust, KlustaKwik and Tint",
    suffixes=(".t", ".t32", ".t64", "._t", ".cut", *_NUMBERED),
    recognise=recognise,
    source="https://github.com/adredish/MClust",
    reads="the first bytes and the time of one file for each tetrode",
)
