"""The view of Neuroglancer that neuPrint opens with: a template, in whose text words are replaced.

Source: flyem-snapshot, ``flyem_snapshot/outputs/neuprint/neuroglancer.py`` (words, name of the file), version 0.1.15.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from engram.connectome.fetching import fetched, is_link
from engram.connectome.files import read_small_file

#: Largest text that is read, and that replacing may make.
LARGEST_BYTES = 64 << 20
#: Largest view that a link holds: browsers take no longer ones.
LARGEST_LINKED_BYTES = 256 << 10


class BadView(ValueError):
    """A view that cannot be read, is no JSON, or becomes too large: why, as a part of a sentence."""


def view_name(dataset: str, tag: str) -> str:
    """A dataset with its version, as neuPrint names it; the view's file has this name.

    >>> view_name("cns", "v1.0"), view_name("cns", "")
    ('cns:v1.0', 'cns')
    """
    return f"{dataset}:{tag}" if tag else dataset


def view_of(path: str, replacements: Mapping[str, str], *, dataset: str, tag: str, uuid: str) -> str:
    """The view as JSON, indented. Raises `BadView`, `OSError`.

    Args:
        path: of the template, which is JSON when the words in it are replaced.
        replacements: text by word, one after the other; '' for what follows from the rest.
        dataset: what stands for DATASET_AND_TAG, with its *tag*, which stands for VERSION_TAG.
        uuid: what stands for DVID_UUID.
    """
    known = {"DATASET_AND_TAG": view_name(dataset, tag), "DVID_UUID": uuid, "VERSION_TAG": tag}
    try:
        template = read_small_file(path, most_bytes=LARGEST_BYTES).decode("utf-8-sig")
        text = replaced(template, {word: new or known.get(word, "") for word, new in replacements.items()})
        view = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadView(f"it is no JSON when its words are replaced: {error}") from error
    return f"{json.dumps(view, indent=2, ensure_ascii=False)}\n"


#: Where links to bodies lead, as flyem-snapshot has it.
VIEWER = "https://clio-ng.janelia.org/#!"
#: What stands in a link for the body's id.
BODY = "BODY"


class Views:
    """The views that one build links bodies into: each is read and parsed once, however often it is asked for.

    A path of a view, or a link to it, is what it is asked by.
    """

    def __init__(self) -> None:
        self._read: dict[str, bytes] = {}
        self._links: dict[str, str] = {}

    def digest(self, path: str) -> str:
        """SHA-256 of a view's bytes, in hexadecimal digits. Raises `BadView`, `OSError`."""
        self.link_to_bodies(path)
        return hashlib.sha256(self._read[path]).hexdigest()

    def link_to_bodies(self, path: str) -> str:
        """A link to a view in which one body is shown. Raises `BadView`, `OSError`."""
        if path not in self._links:
            self._read[path] = _read(path)
            self._links[path] = _link_to_bodies(self._read[path])
        return self._links[path]


def link_to_bodies(path: str) -> str:
    """A link to a view in which one body is shown: `BODY` stands for its id. Raises `BadView`, `OSError`.

    Args:
        path: of the view, or a link to it: JSON, whose selected layer is the segmentation.
    """
    return _link_to_bodies(_read(path))


def _link_to_bodies(text: bytes) -> str:
    if len(text) > LARGEST_LINKED_BYTES:
        raise BadView(f"it is larger than {LARGEST_LINKED_BYTES >> 10} KiB: browsers follow no link with that in it")
    try:
        view = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise BadView(f"it is no JSON: {error}") from error
    selected = view.get("selectedLayer") if isinstance(view, dict) else None
    name = selected.get("layer") if isinstance(selected, dict) else None
    layers = [one for one in _layers(view) if isinstance(name, str) and one.get("name") == name]
    if not layers:
        raise BadView(
            "none of its layers is the one that selectedLayer names: select the segmentation, and save it again"
        )
    layers[0] |= {"segmentQuery": BODY, "segments": [BODY]}
    return VIEWER + quote(json.dumps(view, separators=(",", ":")), safe="")


def _read(path: str) -> bytes:
    """The bytes of a view that is linked to; one more than links hold when there are more. Raises `OSError`."""
    read = fetched if is_link(path) else read_small_file
    return read(path, most_bytes=LARGEST_LINKED_BYTES)


def _layers(view: Any) -> list[dict[str, Any]]:  # noqa: ANN401 (what JSON holds)
    layers = view.get("layers") if isinstance(view, dict) else None
    return [one for one in layers if isinstance(one, dict)] if isinstance(layers, list) else []


def replaced(text: str, replacements: Mapping[str, str]) -> str:
    """The text with every word replaced, one after the other. Raises `BadView` when it becomes too large.

    >>> replaced("DATASET at UUID", {"DATASET": "cns:v1", "UUID": "abc"})
    'cns:v1 at abc'
    """
    for word, new in replacements.items():
        if word:
            if len(text) + text.count(word) * (len(new) - len(word)) > LARGEST_BYTES:
                raise BadView(f"replacing {word} makes more than {LARGEST_BYTES >> 20} MiB of it")
            text = text.replace(word, new)
    return text
