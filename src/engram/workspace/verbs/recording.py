"""`engram.create`, `engram.save`, `engram.status`, `engram.trust`."""

import os
from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

from engram.model.outcome import Outcome
from engram.workspace.context import context_here
from engram.workspace.datasets import Datasets
from engram.workspace.verbs.arguments import AnyPath, Paths, check_choice, check_count, collected, text, texts
from engram.workspace.verbs.planning import Asked, asked, planned

Annex: TypeAlias = Literal["basic", "availability", "all"]
UntrackedFiles: TypeAlias = Literal["no", "normal", "all"]
SubdatasetState: TypeAlias = Literal["no", "commit", "full"]


@planned
def create(
    path: AnyPath | None = None,
    initopts: Sequence[str] = (),
    *,
    dataset: AnyPath | None = None,
    cfg_proc: str | Sequence[str] = (),
    force: bool = False,
    annex: bool = True,
    message: str | None = None,
    description: str | None = None,
    backend: str | None = None,
) -> Asked:
    """The outcomes of making a new dataset. Raises `EngramError`, or `IncompleteResults` when something failed.

    Args:
        path: where; default is *dataset*, or the current folder.
        initopts: further arguments of ``git init``.
        dataset: the superdataset to register it in.
        cfg_proc: procedures to run in it: ``text2git``, ``yoda``, …
        force: also in a folder that is not empty.
        annex: whether it has an annex; otherwise it is plain git.
        message: of the commit that registers it in *dataset*.
        description: what to call this copy, for people.
        backend: key backend of its files; default is the setting, or that of *dataset*.
    """
    procedures = (cfg_proc,) if isinstance(cfg_proc, str) else tuple(cfg_proc)
    datasets = Datasets(context_here())
    return asked(
        datasets.create,
        datasets.plan_create,
        text(path),
        dataset=text(dataset),
        procedures=procedures,
        force=force,
        annex=annex,
        message=message,
        description=description,
        backend=backend,
        init_options=tuple(initopts),
    )


@planned
def save(
    path: Paths = None,
    *,
    message: str | None = None,
    dataset: AnyPath | None = None,
    version_tag: str | None = None,
    updated: bool = False,
    message_file: AnyPath | None = None,
    to_git: bool = False,
    jobs: int | None = None,
    amend: bool = False,
    recursive: bool = False,
    recursion_limit: int | None = None,
) -> Asked:
    """The outcomes of recording what has changed. Raises `EngramError`, or `IncompleteResults` when something failed.

    Args:
        path: what to record; default is everything.
        message: what to tell about the change.
        dataset: the dataset; default is the one around the current folder.
        version_tag: a tag for the new state.
        updated: only what is tracked already.
        message_file: where the message stands.
        to_git: put contents into git itself.
        jobs: how many files are hashed at once; default is the setting.
        amend: replace the last commit.
        recursive: also in subdatasets.
        recursion_limit: so many levels deep.
    """
    check_count("jobs", jobs)
    check_count("recursion_limit", recursion_limit)
    datasets = Datasets(context_here())
    return asked(
        datasets.save,
        datasets.plan_save,
        texts(path),
        dataset=text(dataset),
        message=message,
        message_file=text(message_file),
        updated=updated,
        tag=version_tag,
        to_git=to_git,
        amend=amend,
        jobs=jobs,
        recursive=recursive,
        recursion_limit=recursion_limit,
    )


def status(
    path: Paths = None,
    *,
    dataset: AnyPath | None = None,
    annex: Annex | None = None,
    untracked: UntrackedFiles = "normal",
    recursive: bool = False,
    recursion_limit: int | None = None,
    eval_subdataset_state: SubdatasetState = "full",
) -> list[Outcome]:
    """The state of each file, clean ones included. Raises `EngramError`, or `IncompleteResults` when something failed.

    Args:
        path: what to look at; default is everything.
        dataset: the dataset; default is the one around the current folder.
        annex: how much to tell about annexed contents.
        untracked: whether untracked files are told, and how.
        recursive: also in subdatasets.
        recursion_limit: so many levels deep.
        eval_subdataset_state: how closely subdatasets are looked at.
    """
    check_choice("annex", annex, get_args(Annex))
    check_choice("untracked", untracked, get_args(UntrackedFiles))
    check_choice("eval_subdataset_state", eval_subdataset_state, get_args(SubdatasetState))
    check_count("recursion_limit", recursion_limit)
    outcomes = Datasets(context_here()).status(
        texts(path),
        dataset=text(dataset),
        annex=annex,
        untracked=untracked,
        evaluate_subdatasets=eval_subdataset_state,
        recursive=recursive,
        recursion_limit=recursion_limit,
        report_clean=True,
    )
    return collected(outcomes)


def trust(path: AnyPath) -> list[Outcome]:
    """The outcomes of allowing what a dataset brings along to run, pinned to its content. Raises `EngramError`."""
    return collected(Datasets(context_here()).trust(os.fspath(path)))
