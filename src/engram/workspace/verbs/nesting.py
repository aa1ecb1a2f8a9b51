"""`engram.subdatasets`."""

from collections.abc import Sequence
from typing import Literal

from engram.model.outcome import Outcome
from engram.workspace.context import context_here
from engram.workspace.nesting import Nesting
from engram.workspace.verbs.arguments import AnyPath, Paths, collected, text, texts


def subdatasets(
    path: Paths = None,
    *,
    dataset: AnyPath | None = None,
    state: Literal["present", "absent", "any"] = "any",
    recursive: bool = False,
    recursion_limit: int | None = None,
    contains: Paths = None,
    bottomup: bool = False,
    set_property: Sequence[tuple[str, str]] = (),
    delete_property: str | Sequence[str] = (),
) -> list[Outcome]:
    """The subdatasets, each with what is recorded about it. Raises `EngramError`, or `IncompleteResults`.

    Args:
        path: those at, below or around it; default is all.
        dataset: the dataset; default is the one around the current folder.
        state: only those that are installed, or only those that are not.
        recursive: also subdatasets of subdatasets.
        recursion_limit: so many levels deep.
        contains: only those that hold one of these paths.
        bottomup: what is inside of a subdataset before itself.
        set_property: names and values to set in ``.gitmodules``, which is saved.
        delete_property: names to take away there.
    """
    outcomes = Nesting(context_here()).subdatasets(
        texts(path),
        dataset=text(dataset),
        state=state,
        contains=texts(contains),
        bottom_up=bottomup,
        properties=tuple(set_property),
        without=(delete_property,) if isinstance(delete_property, str) else tuple(delete_property),
        recursive=recursive,
        recursion_limit=recursion_limit,
    )
    return collected(outcomes)
