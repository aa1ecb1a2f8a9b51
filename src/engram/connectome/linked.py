"""A build's provenance as linked data: what its words mean to others, and a seal that tells whether it was changed.

Source: https://www.w3.org/TR/json-ld11/ (the context stands in the file itself, so that nobody has to fetch it);
https://www.w3.org/TR/prov-o/; https://schema.org/
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_TIME = "http://www.w3.org/2001/XMLSchema#dateTime"
#: What each key means. A build is an activity that used its inputs and generated its tables.
CONTEXT: Mapping[str, Any] = {
    "prov": "http://www.w3.org/ns/prov#",
    "schema": "https://schema.org/",
    "snapshot": "schema:version",
    "engram": "schema:softwareVersion",
    "libraries": {"@id": "schema:softwareRequirements", "@type": "@json"},
    "begun": {"@id": "prov:startedAtTime", "@type": _TIME},
    "ended": {"@id": "prov:endedAtTime", "@type": _TIME},
    "inputs": {"@id": "prov:used", "@container": "@set"},
    "tables": {"@id": "prov:generated", "@container": "@set"},
    "steps": {"@id": "schema:step", "@container": "@list"},
    "config": {"@id": "schema:actionOption", "@type": "@json"},
    "findings": {"@id": "schema:comment", "@container": "@list"},
    "table": "schema:name",
    "name": "schema:name",
    "message": "schema:text",
    "path": "schema:url",
    "sha256": "schema:sha256",
    "size_bytes": "schema:contentSize",
    "key": "schema:identifier",
    "version": "schema:version",
    "grounds": {"@id": "schema:isBasedOn", "@type": "@json"},
    "crate": {"@id": "schema:subjectOf"},
    "rows": None,
    "columns": None,
    "record": None,
    "step": None,
    "seal": None,
}


def linked(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Provenance with the meaning of its words, sealed."""
    told = {"@context": dict(CONTEXT), "@id": "provenance.json", "@type": "prov:Activity", **provenance}
    return {**told, "seal": seal_of(told)}


def seal_of(told: Mapping[str, Any]) -> str:
    """SHA-256 of all but the seal itself, whatever the order of keys, in hexadecimal digits."""
    rest = {key: value for key, value in told.items() if key != "seal"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
