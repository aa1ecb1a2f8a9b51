"""What to tell about a dataset, and the programs that work on it, when somebody asks for help."""

import os
from collections.abc import Iterator, Mapping

from engram.datasets.dataset import Dataset, Surroundings
from engram.datasets.gitmodules import without_secrets
from engram.datasets.permission import check_may_write
from engram.datasets.programs import Programs, find_git_annex
from engram.datasets.saving.subdatasets import dataset_id_of
from engram.datasets.traps import reason_to_hand_over
from engram.model.errors import EngramError
from engram.model.outcome import Leaf

#: Lines of ``git annex version`` that tell something.
_TOLD = ("git-annex version", "build flags", "operating system", "supported repository versions")


def programs(around: Surroundings, folder: str) -> dict[str, Leaf]:
    """The programs that are started, where they are and what they say of themselves."""
    found: dict[str, Leaf] = {}
    starter = Programs(environment=around.environment, configuration=around.configuration, steps=around.steps)
    found["git"] = _said(starter.git_status_of(folder, "--version")).removeprefix("git version ")
    annex = find_git_annex(around.environment)
    found["git-annex"] = annex.program if annex else None
    if annex:
        text = _said(starter.git_annex_status_of(folder, "version"))
        lines = (line.partition(": ") for line in text.splitlines())
        found |= {name: value for name, colon, value in lines if colon and name in _TOLD}
    return found


def _said(done: tuple[int, bytes, str]) -> str:
    status, out, complaint = done
    return complaint if status else out.decode(errors="replace").strip()


def dataset_facts(dataset: Dataset) -> dict[str, Leaf]:
    """What a dataset is, and how engram would write to it."""
    config_file = os.path.join(dataset.work_tree, ".datalad", "config")
    return {
        "path": dataset.work_tree,
        "id": dataset_id_of(config_file) or None,
        "annex uuid": dataset.annex_uuid or None,
        "annex version": dataset.setting("annex.version"),
        "branch": dataset.head_name().removeprefix("refs/heads/") or None,
        "commit": dataset.head_commit() or None,
        "files": len(dataset.read_index()),
        "written by": _way(dataset),
        **dict(_remotes(dataset)),
    }


def _way(dataset: Dataset) -> str:
    try:
        check_may_write(dataset)
        reason = reason_to_hand_over(dataset)
    except EngramError as refusal:
        return f"nobody: {refusal.what}"
    return f"git-annex, because {reason}" if reason else "engram"


def _remotes(dataset: Dataset) -> Iterator[tuple[str, Leaf]]:
    for name, value, _, _ in dataset.config.items():
        if name.startswith("remote.") and name.endswith(".url"):
            yield f"sibling {name[7:-4]}", os.fsdecode(without_secrets(os.fsencode(value)))


def locale_facts(environment: Mapping[str, str]) -> dict[str, Leaf]:
    """The variables that decide how text and places are read; never those that may hold a secret."""
    names = ("LANG", "LC_ALL", "LC_CTYPE", "PATH", "TMPDIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
    return {name: environment[name] for name in names if name in environment}
