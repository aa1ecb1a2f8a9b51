"""`engram.diff`."""

from typing import Literal

from engram.model.outcome import Outcome
from engram.workspace.comparing import Comparing
from engram.workspace.context import context_here
from engram.workspace.verbs.arguments import AnyPath, Paths, collected, text, texts


def diff(
    path: Paths = None,
    *,
    fr: str = "HEAD",
    to: str | None = None,
    dataset: AnyPath | None = None,
    annex: Literal["basic", "availability", "all"] | None = None,
    untracked: Literal["no", "normal", "all"] = "normal",
    recursive: bool = False,
    recursion_limit: int | None = None,
) -> list[Outcome]:
    """The state of each file, in one version held against another. Raises `EngramError`, or `IncompleteResults`.

    Args:
        path: what to look at; default is everything.
        fr: the earlier version, as git names it.
        to: the later one; default is the work tree as it is now.
        dataset: the dataset; default is the one around the current folder.
        annex: how much to tell about annexed contents.
        untracked: whether untracked files are told, and how.
        recursive: also in subdatasets, between the versions that were recorded of them.
        recursion_limit: so many levels deep.
    """
    outcomes = Comparing(context_here()).diff(
        texts(path),
        dataset=text(dataset),
        before=fr,
        later=to,
        annex=annex,
        untracked=untracked,
        recursive=recursive,
        recursion_limit=recursion_limit,
    )
    return collected(outcomes)
