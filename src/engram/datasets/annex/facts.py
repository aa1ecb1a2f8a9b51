"""What is said about an annexed file, in DataLad's fields.

Source: records of DataLad 1.7.1, ``status --annex``.
"""

import os
import re

from engram.datasets.annex.hashdirs import hashdir_lower, hashdir_mixed, object_path, object_path_lower
from engram.model.outcome import Leaf

#: The fields of most keys.
_PLAIN_SIZE = re.compile(rb"[A-Z0-9_]+-s([0-9]+)--")


def annex_facts(key: bytes, git_dir: bytes, *, look: bool) -> tuple[tuple[str, Leaf], ...]:
    """DataLad's fields about an annexed file; *look*: also whether the content is here."""
    size = key_size(key)
    facts: list[tuple[str, Leaf]] = [
        ("backend", os.fsdecode(key.partition(b"-")[0])),
        ("keyname", os.fsdecode(key.partition(b"--")[2])),
        ("mtime", "unknown"),
    ]
    if size is not None:
        facts.append(("humansize", human_size(size)))
    place = _object(key, git_dir) if look else ""
    if look:
        facts.append(("has_content", bool(place)))
    if place:
        facts.append(("objloc", place))
    else:
        facts.append(("hashdirlower", os.fsdecode(hashdir_lower(key)) + "/"))
        facts.append(("hashdirmixed", os.fsdecode(hashdir_mixed(key)) + "/"))
    return tuple(facts)


def facts_before(key: bytes) -> tuple[tuple[str, Leaf], ...]:
    """The same about what a file was in the earlier of two states: where it lies is not told, its size is a text."""
    size = key_size(key)
    sized = () if size is None else (("bytesize", str(size)),)
    facts = (("key", os.fsdecode(key)), *sized, *annex_facts(key, b"", look=False))
    return tuple((f"prev_{name}", value) for name, value in facts)


def _object(key: bytes, git_dir: bytes) -> str:
    for relative in (object_path(key), object_path_lower(key)):
        place = os.path.join(git_dir, relative)
        if os.path.exists(place):
            return os.fsdecode(place)
    return ""


def key_size(key: bytes) -> int | None:
    """The size in a key, ``None`` when it holds none."""
    if plain := _PLAIN_SIZE.match(key):
        return int(plain[1])
    for part in key.partition(b"--")[0].split(b"-")[1:]:
        if part[:1] == b"s" and part[1:].isdigit():
            return int(part[1:])
    return None


def human_size(size_bytes: int) -> str:
    """A size as git-annex prints it: ``2 B``, ``4.1 kB``, ``1.21 GB``.

    >>> human_size(2), human_size(4096), human_size(1210000000)
    ('2 B', '4.1 kB', '1.21 GB')
    """
    value, unit = float(size_bytes), "B"
    for bigger in ("kB", "MB", "GB", "TB", "PB", "EB"):
        if value < 1000:
            break
        value, unit = value / 1000, bigger
    return f"{value:.2f}".rstrip("0").rstrip(".") + f" {unit}"
