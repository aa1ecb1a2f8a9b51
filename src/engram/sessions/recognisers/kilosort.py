"""Kilosort and Phy: a folder with ``params.py`` or ``spike_times.npy``, and what a curator made of it.

When it was curated is when its files were written last: nothing in them says it.

Source: https://github.com/MouseLand/Kilosort; https://phy.readthedocs.io/en/latest/sorting_user_guide/#datasets
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import partial

from engram.model.errors import Malformed, Unreadable
from engram.model.findings import Finding
from engram.model.outcome import Leaf
from engram.model.recordings import Recording
from engram.sessions.reading.lines import text_of
from engram.sessions.reading.npy import read_npy_header
from engram.sessions.recogniser import Folder, Recogniser, Seen
from engram.sessions.recognisers.curated import when_curated
from engram.sessions.recognisers.paths import device_name, folder_of, name_of, within
from engram.sessions.recognisers.trouble import each, finding_for

_LARGEST_TEXT_BYTES = 1 << 20
_KNOWN = frozenset(
    "amplitudes.npy channel_map.npy channel_positions.npy channel_shanks.npy mean_waveforms.npy overlap_matrix.npy"
    " overlap_summary.npy overlap_summary.csv pc_features.npy pc_feature_ind.npy similar_templates.npy spike_times.npy"
    " spike_templates.npy spike_clusters.npy spike_positions.npy spike_detection_templates.npy spike_times_sec.npy"
    " spike_times_sec_adj.npy spike_size.npy spike_datasets.npy template_features.npy template_feature_ind.npy"
    " templates.npy templates_ind.npy templates_unw.npy whitening_mat.npy whitening_mat_inv.npy whitening_mat_dat.npy"
    " cluster_snr.npy clus_table.npy kept_spikes.npy ops.npy metrics.csv waveform_metrics.csv cluster_groups.csv"
    " cluster_group.csv rez.mat rez2.mat params.py dparams.py phy.log kilosort4.log probe.prb".split()
)
#: ``cluster_group.tsv`` and its kin: a column for each property that somebody gave the clusters.
_TABLE = re.compile(r"cluster_\w+\.(?:tsv|csv)", re.IGNORECASE)
_GROUPS = ("cluster_group.tsv", "cluster_groups.csv", "cluster_group.csv", "cluster_KSLabel.tsv")
_SETTING = re.compile(
    r"^[ \t]{0,20}(sample_rate|n_channels_dat|dat_path|hp_filtered)[ \t]{0,20}=(.{1,2000})$", re.MULTILINE
)
_PROBE = re.compile(r"(?:^|_)(imec\d{1,4}|probe_?\d{1,4})(?=_|$)", re.IGNORECASE)


def recognise(folder: Folder) -> Iterator[Seen]:
    """Every output below *folder*."""
    places = dict.fromkeys(
        folder_of(path)
        for path in folder.ending("spike_times.npy", "params.py")
        if name_of(path).lower() in {"spike_times.npy", "params.py"}
    )
    files = _files(folder, places) if places else {}
    for place in places:
        if within(place, "spike_times.npy") in files[place] or within(place, "spike_clusters.npy") in files[place]:
            yield from each(files[place][:1], partial(_output, folder, place, files[place]))


def _files(folder: Folder, places: dict[str, None]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {place: [] for place in places}
    for path in folder.ending(".npy", ".tsv", ".csv", ".mat", ".py", ".log", ".prb"):
        name = name_of(path).lower()
        if folder_of(path) in found and (name in _KNOWN or _TABLE.fullmatch(name)):
            found[folder_of(path)].append(path)
    for paths in found.values():
        paths.sort(key=lambda path: (name_of(path) != "params.py", name_of(path) != "spike_times.npy", path))
    return found


def _output(folder: Folder, place: str, paths: list[str], first: str) -> Iterator[Seen]:
    facts: dict[str, Leaf] = {}
    settings, trouble = _settings(folder, place)
    spikes, more = _lengths(folder, place)
    groups = _groups(folder, place)
    if probe := next((name for part in reversed(place.split("/")) if (name := _probe(part))), ""):
        facts["probe"] = probe.lower()
    if spikes is not None:
        facts["spikes"] = spikes
    facts |= {f"clusters_{group}": count for group, count in groups.items()}
    if dat_path := settings.get("dat_path"):
        facts["made_of"] = dat_path.strip("[]'\"r ").replace("\\\\", "/")[:1000]
    by_hand = any(name_of(path).lower() in {"cluster_group.tsv", "cluster_groups.csv", "phy.log"} for path in paths)
    facts["curated"] = when_curated(folder, [path for path in paths if _shows_curation(path)] or [first])
    rate = settings.get("sample_rate", "").rstrip(".")
    yield Recording(
        kind="sorting",
        device=device_name(_device(place)),
        paths=tuple(paths),
        sampling_rate_hz=float(rate) if re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", rate) else None,
        channels=int(settings["n_channels_dat"])
        if re.fullmatch(r"\d{1,9}", settings.get("n_channels_dat", ""))
        else None,
        processing="curated" if by_hand else "",
        facts=(("sorter", "kilosort"), *facts.items()),
    )
    yield from (*trouble, *more)


def _shows_curation(path: str) -> bool:
    return name_of(path) in {"cluster_group.tsv", "cluster_groups.csv", "spike_clusters.npy"}


def _settings(folder: Folder, place: str) -> tuple[dict[str, str], list[Finding]]:
    """What params.py assigns, read as text: it is a program, and is not run."""
    path = within(place, "params.py")
    if not folder.holds(path):
        return {}, [
            Finding(code="missing-meta", path=within(place, "spike_times.npy"), message="There is no params.py.")
        ]
    try:
        text = text_of(folder.read(path, 1 << 16))
    except Unreadable as error:
        return {}, [finding_for(path, error)]
    return {match[1]: match[2].strip() for match in _SETTING.finditer(text)}, []


def _lengths(folder: Folder, place: str) -> tuple[int | None, list[Finding]]:
    """How many spikes there are; every table of spikes has to tell of as many."""
    counts: dict[str, int] = {}
    trouble: list[Finding] = []
    for name in ("spike_times.npy", "spike_clusters.npy", "spike_templates.npy"):
        path = within(place, name)
        if not folder.holds(path):
            continue
        try:
            header = read_npy_header(folder, path)
        except (Malformed, Unreadable) as error:
            trouble.append(finding_for(path, error))
        else:
            counts[name] = max(header.shape, default=0)
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{count} in {name}" for name, count in counts.items())
        trouble.append(
            Finding(code="stale-copy", path=within(place, next(iter(counts))), message=f"Spikes differ: {told}.")
        )
    return next(iter(counts.values()), None), trouble


def _groups(folder: Folder, place: str) -> dict[str, int]:
    """How many clusters were called ``good``, ``mua`` and ``noise``: by a curator, else by Kilosort."""
    for name in _GROUPS:
        path = within(place, name)
        if folder.holds(path):
            try:
                lines = text_of(folder.read(path, _LARGEST_TEXT_BYTES)).splitlines()
            except Unreadable:
                return {}
            cells = (re.split(r"[\t,]", line) for line in lines[1:])
            counts = Counter(line[1].strip().lower() for line in cells if len(line) > 1)
            return {group: counts[group] for group in ("good", "mua", "noise") if counts[group]}
    return {}


def _device(place: str) -> str:
    """The probe, where the nearest folder that names one is called so; else the folder's own name."""
    parts = place.split("/")
    return next((name.lower() for part in reversed(parts) if (name := _probe(part, whole=True))), "") or (
        parts[-1] or "kilosort"
    )


def _probe(part: str, *, whole: bool = False) -> str:
    """The probe that a folder's name tells of; *whole*: only when nothing comes behind it."""
    match = _PROBE.search(part)
    return match[1] if match is not None and (not whole or match.end() == len(part)) else ""


RECOGNISER = Recogniser(
    name="Kilosort and Phy",
    suffixes=("spike_times.npy", "params.py"),
    recognise=recognise,
    source="https://phy.readthedocs.io/en/latest/sorting_user_guide/#datasets",
    reads="params.py as text, three .npy headers, the table of cluster groups, the time of what a curator writes",
)
