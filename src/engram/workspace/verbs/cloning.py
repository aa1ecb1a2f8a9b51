"""`engram.clone`, `engram.siblings`."""

import os
from collections.abc import Sequence

from engram.model.errors import UsageError
from engram.model.outcome import Outcome
from engram.workspace.cloning import Copies
from engram.workspace.context import context_here
from engram.workspace.verbs.arguments import AnyPath, collected, text
from engram.workspace.verbs.planning import Asked, asked, planned


@planned
def clone(
    source: AnyPath,
    path: AnyPath | None = None,
    git_clone_opts: Sequence[str] | None = None,
    *,
    dataset: AnyPath | None = None,
    description: str | None = None,
    reckless: str | bool | None = None,
    message: str | None = None,
    cfg_proc: str | Sequence[str] | None = None,
) -> Asked:
    """The outcomes of obtaining a dataset. Raises `EngramError`, or `IncompleteResults` when something failed.

    Args:
        source: a path or an address (``ssh://``, ``user@host:path``, ``https://``, …).
        path: where to put it; default is the source's name in the current folder.
        git_clone_opts: further arguments of ``git clone``.
        dataset: the superdataset to register it in.
        description: what to call this copy, for people.
        reckless: ``auto``, ``ephemeral`` or ``shared-…``.
        message: of the commit that registers it in *dataset*.
        cfg_proc: procedures to run in it: ``text2git``, ``yoda``, …
    """
    copies = Copies(context_here())
    return asked(
        copies.clone,
        copies.plan_clone,
        os.fspath(source),
        text(path),
        dataset=text(dataset),
        description=description,
        reckless="auto" if reckless is True else reckless or None,
        message=message,
        procedures=(cfg_proc,) if isinstance(cfg_proc, str) else tuple(cfg_proc or ()),
        git_options=tuple(git_clone_opts or ()),
    )


def siblings(
    action: str = "query",
    *,
    dataset: AnyPath | None = None,
    name: str | None = None,
    get_annex_info: bool = True,
    recursive: bool = False,
    recursion_limit: int | None = None,
) -> list[Outcome]:
    """The dataset itself and its siblings, with all that is known of each here. Raises `EngramError`.

    Args:
        action: only ``query``.
        dataset: the dataset; default is the one around the current folder.
        name: only the sibling of this name.
        get_annex_info: also what the git-annex branch says of each.
        recursive: also those of subdatasets.
        recursion_limit: so many levels deep.
    """
    if action != "query":
        raise UsageError(f"engram does not {action} siblings yet.", f"Use: datalad siblings {action} …, or git remote")
    outcomes = Copies(context_here()).siblings(
        dataset=text(dataset),
        name=name,
        annex_info=get_annex_info,
        recursive=recursive,
        recursion_limit=recursion_limit,
    )
    return collected(outcomes)
