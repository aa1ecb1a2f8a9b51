"""A snapshot as an RO-Crate: what its provenance tells, in the words that archives of research data read.

It is made of provenance alone, so that the one never contradicts the other. Nothing of the machine stands in it but
what stands there, and no path of an input: an input is named by its digest.

Source: https://www.researchobject.org/ro-crate/specification/1.1/ (RO-Crate 1.1, the descriptor, data entities);
https://w3id.org/ro/wfrun/process/0.5 (Process Run Crate: an action, what it used and made, with what);
https://www.rfc-editor.org/rfc/rfc6920 (``ni:`` addresses, which name content by its digest)
"""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

#: Its name in the snapshot's folder, which the specification fixes.
CRATE: Final = "ro-crate-metadata.json"
_SPECIFICATION = "https://w3id.org/ro/crate/1.1"
_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
#: The context of 1.1 lacks one word.
_CONTEXT = (f"{_SPECIFICATION}/context", {"sha256": "http://schema.org/sha256"})
_ENGRAM, _BUILD = "#engram", "#build"
#: What the configuration of a build is called in its snapshot.
_CONFIG = "final-config.yaml"
_PROVENANCE = "provenance.json"
#: Media types by the ending of a file, longest first.
#: Source: https://www.iana.org/assignments/media-types/
_FORMATS = {
    ".csv.gz": "application/gzip",
    ".feather": "application/vnd.apache.arrow.file",
    ".parquet": "application/vnd.apache.parquet",
    ".csv": "text/csv",
    ".json": "application/json",
    ".yaml": "application/yaml",
    ".html": "text/html",
    ".png": "image/png",
    ".swc": "text/plain",
    ".cypher": "text/plain",
    ".txt": "text/plain",
}
#: Where people read about the libraries.
_PAGES = {
    "python": "https://www.python.org/",
    "duckdb": "https://duckdb.org/",
    "pyarrow": "https://arrow.apache.org/",
    "zlib": "https://zlib.net/",
    "altair": "https://altair-viz.github.io/",
    "vl-convert-python": "https://github.com/vega/vl-convert",
}
_NO_LICENCE = "None is stated: ask those who made the snapshot."


def crate_of(provenance: Mapping[str, Any]) -> str:
    """The text of the crate, from what ``provenance.json`` tells."""
    tag = provenance["snapshot"]
    files = [_file(one) for one in sorted(provenance["tables"], key=lambda one: str(one["path"]))]
    inputs = _inputs(provenance)
    libraries = [_library(name, version) for name, version in provenance["libraries"].items()]
    told = {"@id": _PROVENANCE, "@type": "File", "name": "Provenance", "encodingFormat": "application/ld+json"}
    told |= {"description": "Inputs, configuration and steps of the build, and the digest of every file; sealed."}
    results = [one for one in files if one["@id"] != _CONFIG]
    used = [*inputs, *(one for one in files if one["@id"] == _CONFIG)]
    action = {
        "@id": _BUILD,
        "@type": "CreateAction",
        "name": f"Build of the snapshot {tag}",
        "description": f"engram {provenance['engram']} built {len(results)} files from {len(inputs)} inputs.",
        "startTime": provenance["begun"],
        "endTime": provenance["ended"],
        "instrument": _refer(_ENGRAM),
        "object": [_refer(one["@id"]) for one in used],
        "result": [_refer(one["@id"]) for one in results],
    }
    graph = [_descriptor(), _root(provenance, [*files, told]), action, _engram(provenance, libraries), _profile()]
    return _text([*graph, *libraries, *inputs, *files, told])


def is_ours(data: bytes) -> bool:
    """Whether a crate is one that engram made."""
    try:
        graph = json.loads(data)["@graph"]
        return any(one["@id"] == _BUILD and one["instrument"] == _refer(_ENGRAM) for one in graph)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _text(graph: list[dict[str, Any]]) -> str:
    return json.dumps({"@context": _CONTEXT, "@graph": graph}, indent=1, ensure_ascii=False) + "\n"


def _refer(entity: str) -> dict[str, str]:
    return {"@id": entity}


def _descriptor() -> dict[str, Any]:
    return {
        "@id": CRATE,
        "@type": "CreativeWork",
        "about": _refer("./"),
        "conformsTo": _refer(_SPECIFICATION),
    }


def _root(provenance: Mapping[str, Any], parts: list[dict[str, Any]]) -> dict[str, Any]:
    tag = provenance["snapshot"]
    described = _words(provenance, "outputs", "neuprint", "meta", "description")
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": f"Connectome snapshot {tag}",
        "description": described or f"The snapshot {tag} of a connectome: tables, and files for a neuPrint database.",
        "version": tag,
        "datePublished": provenance["ended"],
        "license": _NO_LICENCE,
        "conformsTo": _refer(_PROFILE),
        "hasPart": [_refer(one["@id"]) for one in parts],
        "mentions": _refer(_BUILD),
    }


def _words(provenance: Mapping[str, Any], *path: str) -> str:
    found: Any = provenance["config"]
    for word in path:
        found = found.get(word) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""


def _engram(provenance: Mapping[str, Any], libraries: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "@id": _ENGRAM,
        "@type": "SoftwareApplication",
        "name": "engram",
        "softwareVersion": provenance["engram"],
        "softwareRequirements": [_refer(one["@id"]) for one in libraries],
    }


def _library(name: str, version: str) -> dict[str, Any]:
    found = {"@id": f"#{quote(name)}", "@type": "SoftwareApplication", "name": name, "softwareVersion": version}
    return found | ({"url": _PAGES[name]} if name in _PAGES else {})


def _profile() -> dict[str, Any]:
    return {"@id": _PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}


def _inputs(provenance: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was read, each content once. It lies elsewhere: so it is no part of the crate, and has no path in it."""
    found: dict[str, dict[str, Any]] = {}
    for one in provenance["inputs"]:
        address = f"ni:///sha-256;{_url_digits(one['sha256'])}"
        if address in found:
            found[address]["name"] += f"; {one['table']}"
            continue
        size = {"contentSize": str(one["size_bytes"])} if one.get("size_bytes") is not None else {}
        found[address] = {
            "@id": address,
            "@type": "CreativeWork",
            "name": one["table"],
            "sha256": one["sha256"],
            **size,
        }
    return list(found.values())


def _url_digits(digest: str) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip("=")


def _file(table: Mapping[str, Any]) -> dict[str, Any]:
    path = table["path"]
    return {
        "@id": quote(path),
        "@type": "File",
        "name": path.rpartition("/")[2],
        "contentSize": str(table["size_bytes"]),
        "sha256": table["sha256"],
        "encodingFormat": format_of(path),
        **dict(_rows(table)),
    }


def _rows(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if table.get("rows") is not None:
        yield "description", f"{table['rows']} rows, {table['columns']} columns"


def format_of(path: str) -> str:
    """The media type of a file of a snapshot.

    >>> format_of("neuprint/Neuprint_Meta.csv.gz"), format_of("skeletons-main/skeletons-precomputed/12")
    ('application/gzip', 'application/octet-stream')
    """
    return next((kind for ending, kind in _FORMATS.items() if path.endswith(ending)), "application/octet-stream")
