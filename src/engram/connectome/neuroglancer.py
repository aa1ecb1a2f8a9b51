"""The view of Neuroglancer that neuPrint opens with: a template, in whose text words are replaced.

Source: flyem-snapshot, ``flyem_snapshot/outputs/neuprint/neuroglancer.py`` (words, name of the file), version 0.1.15.
"""

import json
from collections.abc import Mapping

from engram.connectome.files import read_small_file

#: Largest text that is read, and that replacing may make.
LARGEST_BYTES = 64 << 20


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
