"""Hierarchies of ROIs: read from the file that describes a dataset, and made whole."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

#: A hierarchy as it is written: mappings; lists of leaves; None for no ROI within; text for what stands elsewhere.
Written: TypeAlias = "Mapping[str, Written] | tuple[str, ...] | str | None"
#: A hierarchy made whole: each ROI with those in it, which may be none.
Nest: TypeAlias = "dict[str, Nest]"

ROISET = "roiset://"
FILES = (".json", ".yaml", ".yml")


def files_of(written: Written) -> Iterable[str]:
    """Every file that a hierarchy names."""
    if isinstance(written, str) and not written.startswith(ROISET):
        yield written
    elif isinstance(written, Mapping):
        for inner in written.values():
            yield from files_of(inner)


def roisets_of(written: Written) -> Iterable[str]:
    """Every ROI set that a hierarchy names."""
    if isinstance(written, str) and written.startswith(ROISET):
        yield written.removeprefix(ROISET)
    elif isinstance(written, Mapping):
        for inner in written.values():
            yield from roisets_of(inner)


def with_files(written: Written, content: Callable[[str], Written]) -> Written:
    """The same hierarchy, with what stands in files in their place."""
    if isinstance(written, str) and not written.startswith(ROISET):
        return content(written)
    if isinstance(written, Mapping):
        return {name: with_files(inner, content) for name, inner in written.items()}
    return written


def nest(written: Written, rois_of: Callable[[str], Iterable[str]]) -> Nest:
    """A hierarchy made whole: ``{"CNS": {"MB(L)": {}, "MB(R)": {}}}``.

    Args:
        written: a hierarchy that names no files any more.
        rois_of: the ROIs of a ROI set, by its name.

    >>> nest({"CNS": {"MB": ("aL", "bL"), "ME": "roiset://columns", "FB": None}}, lambda name: ["C1", "C2"])
    {'CNS': {'MB': {'aL': {}, 'bL': {}}, 'ME': {'C1': {}, 'C2': {}}, 'FB': {}}}
    """
    if written is None:
        return {}
    if isinstance(written, str):
        return {name: {} for name in rois_of(written.removeprefix(ROISET))}
    if isinstance(written, Mapping):
        return {name: nest(inner, rois_of) for name, inner in written.items()}
    return {name: {} for name in written}
