"""When engram leaves a whole operation to git-annex: everything that its fast path does not fully know.

Each reason here has its test. What is not set, or set to what git-annex does anyway, is no reason.
"""

import os
from collections.abc import Callable
from typing import TypeAlias

from engram.datasets.dataset import Dataset

#: Repository versions whose layout is the one written here. Source: git-annex-upgrade(1).
VERSIONS = ("8", "9", "10")


def reason_to_hand_over(dataset: Dataset) -> str:
    """Why git-annex has to do it; '' when engram can."""
    for check in (_state_of_git, _state_of_annex, _settings):
        if reason := check(dataset):
            return reason
    return ""


def reason_not_to_initialise(dataset: Dataset) -> str:
    """Why only git-annex can make a clone one of its repositories; '' when engram can."""
    return _state_of_git(dataset) or _settings(dataset)


def operation_under_way(dataset: Dataset) -> str:
    """The file by which git notes that it is in the middle of something, '' when it is not. Source: git-status(1)."""
    names = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply", "BISECT_LOG")
    return next((name for name in names if os.path.lexists(os.path.join(dataset.git_dir, name))), "")


def _state_of_git(dataset: Dataset) -> str:
    git_dir = dataset.git_dir
    if os.path.islink(os.path.join(dataset.work_tree, ".git")) or not os.path.isdir(
        os.path.join(dataset.work_tree, ".git")
    ):
        return "its .git is not a plain folder"
    if name := operation_under_way(dataset):
        return f"an operation of git is under way ({name})"
    head = dataset.head_name()
    if head.startswith("refs/heads/adjusted/"):
        return "an adjusted branch is checked out"
    if head.startswith("refs/heads/views/"):
        return "a metadata view is checked out"
    if next(dataset.refs.names(b"refs/replace/"), None) is not None or os.path.exists(
        os.path.join(dataset.common_dir, "info", "grafts")
    ):
        return "objects are replaced by others (refs/replace)"
    if os.path.exists(os.path.join(git_dir, "info", "sparse-checkout")) and dataset.is_set("core.sparseCheckout"):
        return "a sparse checkout"
    return ""


def _state_of_annex(dataset: Dataset) -> str:
    annex = os.path.join(dataset.git_dir, "annex")
    if os.path.islink(annex) or os.path.islink(os.path.join(annex, "objects")):
        return "its annex is shared with another repository"
    if not dataset.has_annex:
        return "the annex of this clone is not initialised" if dataset.wants_annex else ""
    if os.path.exists(os.path.join(annex, "daemon.pid")):
        return "git-annex's assistant or watch daemon works here"
    if dataset.branch_has("difference.log"):
        return "a tuned repository (difference.log)"
    if dataset.branch_has("transitions.log"):
        return "its git-annex branch was forgotten or has dead repositories (transitions.log)"
    return ""


_Test: TypeAlias = Callable[[str], bool]


def _is_true(value: str) -> bool:
    return value.lower() not in ("", "false", "no", "off", "0")


def _is_false(value: str) -> bool:
    return value.lower() in ("false", "no", "off", "0")


def _any_value(value: str) -> bool:
    return bool(value)


#: Setting → whether this value of it is beyond us.
_SETTINGS: dict[str, _Test] = {
    "annex.thin": _is_true,
    "annex.addunlocked": _is_true,
    "annex.pidlock": _is_true,
    "annex.private": _is_true,
    "annex.crippledfilesystem": _is_true,
    "annex.direct": _is_true,
    "annex.alwayscommit": _is_false,
    "annex.securehashesonly": _is_true,
    "annex.dbdir": _any_value,
    "annex.freezecontent-command": _any_value,
    "annex.thawcontent-command": _any_value,
    "annex.maxextensionlength": _any_value,
    "annex.maxextensions": _any_value,
    "annex.delayadd": _any_value,
    "annex.tune.objecthash1": _is_true,
    "annex.tune.objecthashlower": _is_true,
    "annex.tune.branchhash1": _is_true,
    "core.sharedrepository": lambda value: value.lower() not in ("", "false", "umask", "0", "no", "off"),
    "core.symlinks": _is_false,
    "core.filemode": _is_false,
    "core.ignorecase": _is_true,
    "core.precomposeunicode": _is_true,
    "core.protectntfs": _is_false,
    "i18n.commitencoding": lambda value: value.lower() not in ("utf-8", "utf8"),
}


def _settings(dataset: Dataset) -> str:
    if dataset.has_annex and (version := dataset.setting("annex.version") or "") not in VERSIONS:
        return f"annex.version is {version or 'not set'}"
    for name, beyond_us in _SETTINGS.items():
        value = dataset.setting(name)
        if value is not None and beyond_us(value):
            return f"{name} is {value}"
    return ""
