"""`engram.get`."""

from collections.abc import Sequence
from typing import Literal

from engram.workspace.context import context_here
from engram.workspace.getting import Getting
from engram.workspace.verbs.arguments import AnyPath, Paths, text, texts
from engram.workspace.verbs.planning import Asked, asked, planned


@planned
def get(
    path: Paths = None,
    *,
    source: str | None = None,
    dataset: AnyPath | None = None,
    recursive: bool = False,
    recursion_limit: int | Literal["existing"] | None = None,
    get_data: bool = True,
    data: Literal["auto-if-wanted", "anything", "auto", "nothing"] = "auto-if-wanted",
    cfg_proc: str | Sequence[str] = (),
    description: str | None = None,
    reckless: str | None = None,
    jobs: int | None = None,
) -> Asked:
    """The outcomes of bringing contents here. Raises `EngramError`, or `IncompleteResults` when something failed.

    Args:
        path: files, folders, subdatasets; needed unless *dataset* says what is meant.
        source: the one sibling to get them from; default is whoever has them, the cheapest first.
        dataset: the dataset; default is the one around the current folder.
        recursive: also from subdatasets, which are installed where they are missing.
        recursion_limit: so many levels deep; ``"existing"``: only those that are installed.
        get_data: the contents of files; otherwise only the subdatasets that hold them.
        data: which contents: what this copy prefers, if it prefers some; all; only what it prefers; none.
        cfg_proc: procedures to run in each subdataset that is installed.
        description: what to call the subdatasets that are installed, for people.
        reckless: how to clone them: ``auto``, ``ephemeral``, ``shared-…``; default is as the dataset itself.
        jobs: how many transfers at once, where git-annex makes them; default is the setting.
    """
    getting = Getting(context_here())
    return asked(
        getting.get,
        getting.plan_get,
        texts(path),
        dataset=text(dataset),
        source=source,
        data=get_data,
        which=data,
        procedures=(cfg_proc,) if isinstance(cfg_proc, str) else tuple(cfg_proc),
        description=description,
        reckless=reckless,
        recursive=recursive,
        recursion_limit=recursion_limit,
        jobs=jobs,
    )
