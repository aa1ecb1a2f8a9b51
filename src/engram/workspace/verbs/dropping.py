"""`engram.drop`, `engram.remove`."""

from typing import Literal

from engram.model.errors import UsageError
from engram.workspace.context import context_here
from engram.workspace.dropping import Dropping
from engram.workspace.verbs.arguments import AnyPath, Paths, text, texts
from engram.workspace.verbs.planning import Asked, asked, planned


@planned
def drop(
    path: Paths = None,
    *,
    what: Literal["filecontent", "allkeys", "datasets", "all"] = "filecontent",
    reckless: Literal["modification", "availability", "undead", "kill"] | None = None,
    dataset: AnyPath | None = None,
    recursive: bool = False,
    recursion_limit: int | None = None,
    jobs: int | None = None,
) -> Asked:
    """The outcomes of letting go of contents. Raises `EngramError`, or `IncompleteResults` when something failed.

    Args:
        path: files, folders, subdatasets; default is everything.
        what: contents of files, of all their versions, whole datasets only, or both.
        reckless: what not to look for before: unsaved changes, copies elsewhere, siblings that count on it, anything.
        dataset: the dataset; default is the one around the current folder.
        recursive: also in subdatasets.
        recursion_limit: so many levels deep.
        jobs: how many contents git-annex drops at once, where it has to; default is one.
    """
    dropping = Dropping(context_here())
    return asked(
        dropping.drop,
        dropping.plan_drop,
        _named(path),
        dataset=text(dataset),
        what=what,
        reckless=reckless,
        recursive=recursive,
        recursion_limit=recursion_limit,
        jobs=jobs,
    )


@planned
def remove(
    path: Paths = None,
    *,
    dataset: AnyPath | None = None,
    drop: Literal["datasets", "all"] = "datasets",
    reckless: Literal["modification", "availability", "undead", "kill"] | None = None,
    message: str | None = None,
    jobs: int | None = None,
) -> Asked:
    """The outcomes of removing files or datasets. Raises `EngramError`, or `IncompleteResults` when something failed.

    Args:
        path: files, folders, subdatasets; needed unless a whole *dataset* is meant.
        dataset: the dataset; without *path*, the one that is removed.
        drop: let go of the contents of datasets that go, or of every file that is removed.
        reckless: what not to look for before: unsaved changes, copies elsewhere, siblings that count on it, anything.
        message: what to tell about the change.
        jobs: how many contents git-annex drops at once, where it has to; default is one.
    """
    dropping = Dropping(context_here())
    return asked(
        dropping.remove,
        dropping.plan_remove,
        _named(path),
        dataset=text(dataset),
        drop=drop,
        reckless=reckless,
        message=message,
        jobs=jobs,
    )


def _named(path: Paths) -> tuple[str, ...]:
    """Paths as text. Raises `UsageError` for an empty list: a search that found nothing means nothing."""
    named = texts(path)
    if path is not None and not named:
        raise UsageError("The list of paths is empty.", "To mean the whole dataset, leave it out, or give None.")
    return named
