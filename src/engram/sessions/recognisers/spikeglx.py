"""SpikeGLX: Neuropixels, NI-DAQ and OneBox streams, as acquired, after CatGT, and packed by mtscomp.

``<run>_g<gate>_t<trigger>.imec<probe>.ap.bin`` beside its ``.meta``; in a folder for each probe ``npx.imec.ap.bin``.
A probe is known by what its ``.meta`` says; names only tell where it was seen.

Source: https://billkarsh.github.io/SpikeGLX/Sgl_help/Metadata_Help.html (tags);
https://billkarsh.github.io/SpikeGLX/help/parsing/ (names); https://github.com/int-brain-lab/mtscomp (``.cbin``).
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from engram.model.errors import Malformed, Unreadable
from engram.model.findings import Finding
from engram.model.outcome import Leaf
from engram.model.recordings import Recording
from engram.model.records import record
from engram.sessions.reading.lines import integer, iso_time, pairs, positive
from engram.sessions.recogniser import Folder, Known, Recogniser, Seen
from engram.sessions.recognisers.mtscomp import Packing, packing
from engram.sessions.recognisers.paths import name_of
from engram.sessions.recognisers.probes import probe_name
from engram.sessions.recognisers.trouble import finding_for

#: Nearly all are shorter than the first; none is longer than the second.
_USUAL_META_BYTES = 1 << 16
_LARGEST_META_BYTES = 1 << 20
_SAMPLE_BYTES = 2
_MOST_CHANNELS = 1 << 20
#: A recording's declared length may differ from its size by so much; of 36 real ones none does at all.
_LENGTH_RATIO = 1e-4
_STREAM = re.compile(
    r"(?P<typo>[a-z]?)(?P<device>imec|obx|nidq)(?P<number>\d{0,4})(?:\.(?P<band>ap|lf|obx))?$", re.IGNORECASE
)
_DEVICE = re.compile("imec|nidq|obx", re.IGNORECASE)
_RUN = re.compile(r"(?P<run>.+)_g(?P<gate>\d+)_t(?P<trigger>\d+|cat)\.")
#: What CatGT and TPrime write beside a recording. Source: https://billkarsh.github.io/SpikeGLX/help/catgt_tshift/
_EXTRACTED = re.compile(r"(?:xa|xd|xia|xid|bf|sy|ixd)_\d[\d_p-]*")
_EXTRACTED_IN = frozenset({"txt", "bin", "meta"})
_EXTRACTED_SUFFIXES = (".txt", ".log", ".bin", ".meta")
_SIDE_TEXTS = ("_ct_offsets.txt", "_fyi.txt", "_sv_offsets.txt")
_LOGS = frozenset({"catgt.log", "tprime.log", "overstrike.log"})
_SHA1 = re.compile(r"[0-9a-f]{40}")
#: When the rig made it: CatGT writes its own time over the other.
_CREATED_FIRST = "fileCreateTime_original"
_RATES = {"imec": "imSampRate", "nidq": "niSampRate", "obx": "obSampRate"}
_PROBE_BANDS = frozenset({"ap", "lf"})
_KINDS = {"ap": "neuropixels-ap", "lf": "neuropixels-lf", "nidq": "nidq", "obx": "daq"}


def recognise(folder: Folder) -> Iterator[Seen]:
    """Every stream below *folder*, and what is wrong with it."""
    metas = folder.ending(".meta")
    if folder.ending(".mtv"):  # MatMot's
        metas = [path for path in metas if not folder.holds(f"{path[:-5]}.mtv")]
    binaries = [path for path in folder.ending(".bin", ".cbin") if _DEVICE.search(path)]
    extracted: list[str] = []
    if metas or binaries or folder.ending("_fyi.txt", "_offsets.txt"):
        extracted = [path for kind in _EXTRACTED_SUFFIXES for path in folder.ending(kind) if _is_extracted(path)]
    if extracted:
        yield Known(tuple(sorted(extracted)), "CatGT and TPrime output")
        metas, binaries = ([path for path in paths if path not in extracted] for paths in (metas, binaries))
    for path in metas:
        yield from _stream_of(folder, path)
    yield from _alone(folder, binaries)


def _alone(folder: Folder, binaries: Iterable[str]) -> Iterator[Seen]:
    """Streams without what belongs beside them."""
    for path in binaries:
        stem = path.rpartition(".")[0]
        if not folder.holds(f"{stem}.meta") and _stream(stem) is not None:
            yield Finding(code="missing-meta", path=path, message=f"There is no {name_of(stem)}.meta beside it.")
            if path.endswith(".cbin") and folder.holds(f"{stem}.ch"):
                yield Known((f"{stem}.ch",), "mtscomp header")
    for path in folder.ending(".ch"):
        if not folder.holds(f"{path[:-3]}.cbin") and _stream(path[:-3]) is not None:
            yield Finding(code="missing-binary", path=path, message=f"There is no {name_of(path)[:-3]}.cbin beside it.")


def _is_extracted(path: str) -> bool:
    """Whether CatGT or TPrime wrote a file beside a recording."""
    stem, _, kind = path.lower().rpartition(".")
    if kind == "log":
        return f"{name_of(stem)}.log" in _LOGS
    if kind == "txt" and path.lower().endswith(_SIDE_TEXTS):
        return True
    _, dot, stream = stem.rpartition(".")
    return bool(dot) and "_" in stream and kind in _EXTRACTED_IN and _EXTRACTED.fullmatch(stream) is not None


@record
class _Meta:
    """A ``.meta`` file, read."""

    path: str
    #: What its own name says of the stream.
    named: re.Match[str] | None
    tags: dict[str, str]
    size_bytes: int
    #: ``ap``, ``lf``, ``nidq`` or ``obx``.
    stream: str
    device: str
    channels: int
    sampling_rate_hz: float | None
    #: As declared; ``None`` while the rig still writes.
    promised_bytes: int | None
    #: As many as that makes.
    samples: int | None

    @property
    def sha1(self) -> str:
        """Of the ``.bin``; CatGT writes ``0``."""
        text = self.tags.get("fileSHA1", "").strip().lower()
        return text if _SHA1.fullmatch(text) else ""

    @property
    def processing(self) -> str:
        name, tags = name_of(self.path), self.tags
        if not ("_tcat." in name or "catGTCmdline0" in tags or "catGTCmdline" in tags or _CREATED_FIRST in tags):
            return "exported" if ".exported." in name else ""
        return "catgt-exported" if ".exported." in name else "catgt"


def _stream_of(folder: Folder, path: str) -> list[Seen]:
    """A stream with all of its files, also where its metadata is not to be read."""
    said: list[Seen] = []
    try:
        _describe(folder, path, said)
    except (Malformed, Unreadable) as error:
        beside = tuple(file for suffix in (".bin", ".cbin", ".ch") if folder.holds(file := path[:-5] + suffix))
        if isinstance(error, Malformed) and beside and not said:
            said.append(Known(beside, "SpikeGLX recording whose metadata does not parse"))
        said.append(finding_for(path, error))
    return said


# There are thousands of streams, and each is more than one thing to say: what follows adds to a list, for a generator
# at each level costs as much as the reading itself.


def _describe(folder: Folder, path: str, said: list[Seen]) -> None:
    """Say what a ``.meta`` and the files beside it are. Raises `Malformed`, `Unreadable`."""
    data = folder.read(path, _USUAL_META_BYTES)
    if len(data) == _USUAL_META_BYTES:
        data += folder.read(path, _LARGEST_META_BYTES, len(data))
    tags = pairs(data)
    if "typeThis" not in tags:
        if _stream(path[:-5]) is None:
            return  # another program's .meta
        raise Malformed(path, "a SpikeGLX .meta without typeThis" if data else "an empty SpikeGLX .meta")
    meta = _meta(path, tags, len(data))
    if misnamed := _misnamed(meta):
        said.append(Finding(code="misnamed", path=path, message=misnamed))
    raw, packed = f"{path[:-5]}.bin", f"{path[:-5]}.cbin"
    holds_raw = folder.holds(raw)
    if holds_raw:
        _raw(folder, meta, raw, said)
    if folder.holds(packed):
        _packed(folder, meta, packed, said, beside_raw=holds_raw)
    elif not holds_raw:
        said.append(Finding(code="missing-binary", path=path, message=f"There is no {name_of(raw)} beside it."))


def _meta(path: str, tags: dict[str, str], size_bytes: int) -> _Meta:
    channels = integer(tags, "nSavedChans", path)
    if not channels or channels > _MOST_CHANNELS:
        raise Malformed(path, "how many channels were saved (nSavedChans) is not said, or impossible")
    kind = tags["typeThis"].strip()
    if kind not in _RATES:
        raise Malformed(path, f"typeThis={kind[:20]}, which is no stream of SpikeGLX")
    named, original = _stream(path[:-5]), _original(tags)
    stream = _band(named, original, tags) if kind == "imec" else kind
    promised_bytes = integer(tags, "fileSizeBytes", path)
    return _Meta(
        path=path,
        named=named,
        tags=tags,
        size_bytes=size_bytes,
        stream=stream,
        device=_device(original, named, kind),
        channels=channels,
        sampling_rate_hz=positive(tags, _RATES[kind], path),
        promised_bytes=promised_bytes,
        samples=None if promised_bytes is None else promised_bytes // (channels * _SAMPLE_BYTES),
    )


def _stream(stem: str) -> re.Match[str] | None:
    """The last parts of a name without its suffix: ``imec0.ap``, ``nidq``, ``obx0.obx``."""
    return _stream_called(".".join(name_of(stem).lower().rsplit(".", 2)[-2:]))


@lru_cache(maxsize=512)
def _stream_called(parts: str) -> re.Match[str] | None:
    return _STREAM.fullmatch(parts) or _STREAM.fullmatch(parts.rpartition(".")[2])


def _original(tags: dict[str, str]) -> re.Match[str] | None:
    """The stream in the name that the rig gave the file: the metadata keeps it, whatever it is called now."""
    name = tags.get("fileName", "").replace("\\", "/")
    return _stream(name.removesuffix(".bin"))


def _band(named: re.Match[str] | None, original: re.Match[str] | None, tags: dict[str, str]) -> str:
    for match in (named, original):
        if match is not None and match["band"]:
            return match["band"].lower()
    counts = tags.get("snsApLfSy", "").split(",")
    return "lf" if len(counts) == 3 and counts[0] == "0" != counts[1] else "ap"


def _device(original: re.Match[str] | None, named: re.Match[str] | None, kind: str) -> str:
    for match in (original, named):
        if match is not None and match["device"].lower() == kind:
            return kind + match["number"]
    return kind


def _misnamed(meta: _Meta) -> str:
    """What to say of a name that is not quite a documented one, or says something else than the metadata; else ''."""
    match = meta.named
    if match is None:
        return f"The stream ({meta.device}.{meta.stream}) is missing in its name."
    if match["typo"]:
        name = name_of(meta.path)
        right = name.lower().replace(f".{match['typo']}{match['device']}", f".{match['device']}")
        right = "npx" + right[2:] if right.startswith("np.") else right
        return f"{name} was read as {right}."
    if match["number"] and meta.device not in {match["device"] + match["number"], match["device"]}:
        return f"Its name says {match['device']}{match['number']}, its metadata {meta.device}."
    return ""


def _raw(folder: Folder, meta: _Meta, path: str, said: list[Seen]) -> None:
    size_bytes, promised_bytes = folder.size_bytes(path), meta.promised_bytes
    said.append(_recording(meta, (path, meta.path), size_bytes + meta.size_bytes, meta.processing))
    if promised_bytes is None:
        message = "Its metadata has no fileSizeBytes yet: the rig still writes, or was stopped."
        said.append(Finding(code="still-acquiring", path=path, message=message))
        return
    if size_bytes < promised_bytes:
        message = f"{promised_bytes - size_bytes} of {promised_bytes} bytes are missing."
        said.append(Finding(code="truncated", path=path, message=message))
    elif size_bytes > promised_bytes:
        message = f"{size_bytes} bytes where its metadata promises {promised_bytes}."
        said.append(Finding(code="size-mismatch", path=path, message=message))
    _law(meta, said)


def _law(meta: _Meta, said: list[Seen]) -> None:
    """What the metadata promises must hold together: whole samples, and as many as fit into the time."""
    if meta.promised_bytes is None or meta.samples is None:
        return
    if meta.promised_bytes % (meta.channels * _SAMPLE_BYTES):
        message = f"{meta.promised_bytes} bytes are no whole number of samples of {meta.channels} channels."
        said.append(Finding(code="size-mismatch", path=meta.path, message=message))
    duration_s = positive(meta.tags, "fileTimeSecs", meta.path)
    if duration_s is None or meta.sampling_rate_hz is None:
        return
    declared = duration_s * meta.sampling_rate_hz
    if abs(declared - meta.samples) > max(1.0, meta.samples * _LENGTH_RATIO):
        message = f"{meta.samples} samples where fileTimeSecs and the sampling rate make {declared:.0f}."
        said.append(Finding(code="size-mismatch", path=meta.path, message=message))


def _packed(folder: Folder, meta: _Meta, path: str, said: list[Seen], *, beside_raw: bool) -> None:
    header = f"{meta.path[:-5]}.ch"
    own = () if beside_raw else (meta.path,)
    processing = f"{meta.processing}-compressed" if meta.processing else "compressed"
    size_bytes = folder.size_bytes(path)
    if not folder.holds(header):
        said.append(_recording(meta, (path, *own), size_bytes, processing))
        said.append(Finding(code="missing-meta", path=path, message=f"There is no {name_of(header)} beside it."))
        return
    read = packing(folder, header)
    said.append(_recording(meta, (path, header, *own), None, processing))
    said.extend(_packing_holds(meta, read, path, header, size_bytes))


def _packing_holds(meta: _Meta, read: Packing, path: str, header: str, size_bytes: int) -> Iterator[Finding]:
    if size_bytes < read.packed_bytes:
        message = f"{read.packed_bytes - size_bytes} of {read.packed_bytes} bytes are missing."
        yield Finding(code="truncated", path=path, message=message)
    elif size_bytes > read.packed_bytes:
        message = f"{size_bytes} bytes where its .ch promises {read.packed_bytes}."
        yield Finding(code="size-mismatch", path=path, message=message)
    if meta.samples is not None and (read.samples, read.channels) != (meta.samples, meta.channels):
        packed, told = (f"{one.samples} samples of {one.channels} channels" for one in (read, meta))
        message = f"It packs {packed}, its .meta tells of {told}."
        yield Finding(code="stale-copy", path=header, message=message)
    elif meta.sha1 and read.sha1 and meta.sha1 != read.sha1:
        message = "The SHA-1 of what was packed is not that of its .meta."
        yield Finding(code="stale-copy", path=header, message=message)


def _recording(meta: _Meta, paths: tuple[str, ...], size_bytes: int | None, processing: str) -> Recording:
    tags = meta.tags
    created = tags.get(_CREATED_FIRST) or tags.get("fileCreateTime")
    samples, rate_hz = meta.samples, meta.sampling_rate_hz
    return Recording(
        kind=_KINDS[meta.stream],
        device=meta.device,
        paths=paths,
        serial=(tags.get("imDatPrb_sn") or tags.get("imProbeSN") or "").strip()[:100],
        started=None if created is None else iso_time(created, "fileCreateTime", meta.path),
        duration_s=samples / rate_hz if samples is not None and rate_hz else None,
        sampling_rate_hz=rate_hz,
        channels=meta.channels,
        samples=samples,
        size_bytes=size_bytes,
        sha1=meta.sha1,
        processing=processing,
        facts=_facts(meta),
    )


#: What else is worth keeping, by the name it is kept under.
_KEPT = (
    ("imDatPrb_pn", "probe_part"),
    ("imDatPrb_type", "probe_type"),
    ("imDatPrb_slot", "slot"),
    ("imDatPrb_port", "port"),
    ("imDatPrb_dock", "dock"),
    ("snsApLfSy", "saved_channels"),
    ("snsMnMaXaDw", "saved_channels"),
    ("firstSample", "first_sample"),
    ("appVersion", "spikeglx_version"),
    ("niDev1ProductName", "daq"),
    ("fileName", "recorded_as"),
    ("userNotes", "notes"),
)


def _facts(meta: _Meta) -> tuple[tuple[str, Leaf], ...]:
    tags = meta.tags
    found: list[tuple[str, Leaf]] = []
    if meta.stream in _PROBE_BANDS:
        found.append(("probe", probe_name(tags.get("imDatPrb_pn", "").strip(), tags.get("imDatPrb_type", "").strip())))
    found += [(name, text[:1000]) for tag, name in _KEPT if (text := tags.get(tag)) and (text := text.strip())]
    for place in (tags.get("fileName", "").replace("\\", "/"), meta.path):
        if match := _RUN.match(name_of(place)):
            run, gate, trigger = match.groups()
            return (*found, ("run", run), ("gate", int(gate[:9])), ("trigger", trigger))
    return tuple(found)


RECOGNISER = Recogniser(
    name="SpikeGLX",
    suffixes=(".meta", ".bin", ".cbin", ".ch", "_fyi.txt", "_offsets.txt"),
    recognise=recognise,
    source="https://billkarsh.github.io/SpikeGLX/Sgl_help/Metadata_Help.html",
    reads="each .meta once, the size of each .bin; of a .cbin its .ch",
)
