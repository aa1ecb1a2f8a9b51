"""`engram.clone`."""

import os
from collections.abc import Sequence

from engram.model.outcome import Outcome
from engram.workspace.cloning import Copies
from engram.workspace.context import context_here
from engram.workspace.verbs.arguments import AnyPath, collected, text


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
) -> list[Outcome]:
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
    outcomes = Copies(context_here()).clone(
        os.fspath(source),
        text(path),
        dataset=text(dataset),
        description=description,
        reckless="auto" if reckless is True else reckless or None,
        message=message,
        procedures=(cfg_proc,) if isinstance(cfg_proc, str) else tuple(cfg_proc or ()),
        git_options=tuple(git_clone_opts or ()),
    )
    return collected(outcomes)
