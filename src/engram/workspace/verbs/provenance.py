"""`engram.run`, `engram.rerun`, `engram.history`, `engram.unlock`: commands that are recorded, and what they made."""

import os
import shlex
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Literal

from engram.model.errors import UsageError
from engram.model.outcome import Outcome
from engram.workspace.context import context_here
from engram.workspace.provenance import Provenance
from engram.workspace.verbs.arguments import AnyPath, Paths, check_count, collected, text, texts
from engram.workspace.verbs.planning import Asked, asked, planned

if TYPE_CHECKING:
    from engram.datasets.provenance.versions import Version


def run(
    cmd: str | Sequence[str],
    *,
    dataset: AnyPath | None = None,
    inputs: Paths = None,
    outputs: Paths = None,
    expand: Literal["inputs", "outputs", "both"] | None = None,
    assume_ready: Literal["inputs", "outputs", "both"] | None = None,
    explicit: bool = False,
    message: str | None = None,
    sidecar: bool | None = None,
    dry_run: Literal["basic", "command"] | None = None,
    on_cmd_failure: Literal["error", "save", "all"] | None = None,
    jobs: int | None = None,
) -> list[Outcome]:
    """The outcomes of a command and of saving its results. Raises `EngramError`, or `IncompleteResults`.

    Args:
        cmd: a line for the shell, or words.
        dataset: the dataset, at whose top the command runs; default is the one around the current folder, and that.
        inputs: what the command reads: paths, or patterns.
        outputs: what it writes: paths, or patterns.
        expand: which of them are recorded as what they match.
        assume_ready: which of them are here, and writable, already.
        explicit: save the outputs alone; other changes do not matter.
        message: what the command is about; default is the command.
        sidecar: keep the record in a file of its own.
        dry_run: run nothing; give one outcome that says what would be run.
        on_cmd_failure: what to do when the command fails: save nothing, save, or save and raise all the same.
        jobs: how many files are hashed at once; default is the setting.
    """
    provenance = Provenance(context_here())
    asked = provenance.plan_run if dry_run else provenance.run
    outcomes = asked(
        cmd,
        dataset=text(dataset),
        inputs=texts(inputs),
        outputs=texts(outputs),
        expand=expand,
        assume_ready=assume_ready,
        explicit=explicit,
        message=message,
        sidecar=sidecar,
        on_command_failure=on_cmd_failure,
        jobs=jobs,
    )
    return collected([outcomes] if isinstance(outcomes, Outcome) else outcomes)


def rerun(
    revision: str | None = None,
    *,
    since: str | None = None,
    dataset: AnyPath | None = None,
    branch: str | None = None,
    message: str | None = None,
    onto: str | None = None,
    script: AnyPath | None = None,
    report: bool = False,
    assume_ready: Literal["inputs", "outputs", "both"] | None = None,
    explicit: bool = False,
    on_cmd_failure: Literal["error", "save", "all"] | None = None,
    jobs: int | None = None,
) -> list[Outcome]:
    """The outcomes of repeating recorded commands. Raises `EngramError`, or `IncompleteResults`.

    Commands that this user did not record himself raise `NotTrusted` until he allowed them (`engram trust`).

    Args:
        revision: the commit whose command is repeated; default is the last.
        since: repeat all commands since this commit; '' for all there are.
        dataset: the dataset; default is the one around the current folder.
        branch: put the results on a new branch.
        message: instead of the recorded message.
        onto: start from this commit; '' for the one before the first command.
        script: write the commands into this file, and run nothing.
        report: tell what would be done with each commit, and run nothing.
        assume_ready: which of inputs and outputs are here, and writable, already.
        explicit: save the outputs alone; other changes do not matter.
        on_cmd_failure: what to do when a command fails: save nothing, save, or save and raise all the same.
        jobs: how many files are hashed at once; default is the setting.
    """
    provenance = Provenance(context_here())
    if script is not None:
        return collected(provenance.write_script(str(text(script)), revision, since=since, dataset=text(dataset)))
    outcomes = provenance.rerun(
        revision,
        since=since,
        dataset=text(dataset),
        branch=branch,
        message=message,
        onto=onto,
        report=report,
        assume_ready=assume_ready,
        explicit=explicit,
        on_command_failure=on_cmd_failure,
        jobs=jobs,
    )
    return collected(outcomes)


def history(path: AnyPath, *, dataset: AnyPath | None = None, limit: int | None = None) -> "list[Version]":
    """Every version of a file, newest first, with the command that made it. Raises `EngramError`.

    Args:
        path: the file; it may be gone by now.
        dataset: the dataset; default is the one around the current folder.
        limit: only so many versions.
    """
    check_count("limit", limit)
    return list(islice(Provenance(context_here()).history(os.fspath(path), dataset=text(dataset)), limit))


def run_procedure(
    spec: str | Sequence[str] | None = None,
    *,
    dataset: AnyPath | None = None,
    discover: bool = False,
    help_proc: bool = False,
) -> list[Outcome]:
    """The outcomes of running a prepared program in a dataset. Raises `EngramError`, or `IncompleteResults`.

    Args:
        spec: the name of a procedure, as a word or with arguments in a line, or in a list.
        dataset: the dataset; default is the one around the current folder.
        discover: run none; one outcome for each that there is.
        help_proc: run none; one outcome that tells what it says of itself.
    """
    provenance = Provenance(context_here())
    if discover:
        return collected(provenance.discover_procedures(dataset=text(dataset)))
    words = shlex.split(spec) if isinstance(spec, str) else list(spec or ())
    if not words:
        raise UsageError("Which procedure?", "Name one: engram.run_procedure('cfg_yoda')")
    if help_proc:
        return collected(provenance.procedure_help(words[0], dataset=text(dataset)))
    return collected(provenance.run_procedure(words[0], words[1:], dataset=text(dataset)))


@planned
def unlock(
    path: Paths = None,
    *,
    dataset: AnyPath | None = None,
    recursive: bool = False,
    recursion_limit: int | None = None,
) -> Asked:
    """The outcomes of making annexed files writable. Raises `EngramError`, or `IncompleteResults`.

    Args:
        path: which; default is everything whose content is here.
        dataset: the dataset; default is the one around the current folder.
        recursive: also in subdatasets.
        recursion_limit: so many levels deep.
    """
    provenance = Provenance(context_here())
    return asked(
        provenance.unlock,
        provenance.plan_unlock,
        texts(path),
        dataset=text(dataset),
        recursive=recursive,
        recursion_limit=recursion_limit,
    )
