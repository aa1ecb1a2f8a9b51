"""Who may write to a dataset, whether this user may, and whether git knows who he is."""

import os
from shlex import quote

from engram.datasets.dataset import Dataset, Surroundings
from engram.datasets.git.config import GitConfig
from engram.datasets.git.refs import git_dir_around, repository_in
from engram.datasets.people import identity
from engram.model.errors import NotTrusted, UsageError

_NAMED = 4


def check_may_write(dataset: Dataset) -> None:
    """Refuse what must not be written to.

    Raises:
        ExtraMissing: there is no git-annex, without which git's hooks and filters fail here.
        NotTrusted: it brings along what the user has not allowed.
        UsageError: it belongs to somebody else, as git sees it.
    """
    dataset.programs.annex()
    owners = {os.stat(place).st_uid for place in (dataset.work_tree, dataset.git_dir)}
    if owners != {os.geteuid()} and dataset.programs.git_status_of(dataset.work_tree, "rev-parse", "--git-dir")[0]:
        raise UsageError(
            f"{dataset.work_tree} belongs to another user; nothing was changed.",
            "Work in a clone of your own. If you trust its owner, and may write there:"
            f" git config --global --add safe.directory {quote(dataset.work_tree)}",
        )
    brought = [one.name for one in dataset.brought]
    if brought and not dataset.is_trusted:
        names = ", ".join(brought[:_NAMED]) + (", …" if len(brought) > _NAMED else "")
        raise NotTrusted(dataset.work_tree, names)


def check_is_outside_of_git(path: str) -> None:
    """Refuse a place for a new dataset that is git's own. Raises `UsageError`."""
    if git_dir := git_dir_around(os.fsencode(path)):
        raise UsageError(
            f"{path} lies in {os.fsdecode(git_dir)}, where a repository keeps what is its own.",
            "Choose a place outside of it.",
        )


def identity_is_known(around: Surroundings, folder: str) -> None:
    """Raise `NoIdentity` before anything is written, when git does not know who commits in the dataset at *folder*.

    It need not be there yet: what the user set for all below some folder (``includeIf``) holds for it, too.
    """
    repository = repository_in(os.fsencode(folder))
    git_dir = os.path.join(os.fsencode(folder), b".git")
    config = GitConfig.read(
        common_dir=repository.common_dir if repository else git_dir,
        git_dir=repository.git_dir if repository else git_dir,
        environment=around.environment,
        overrides=around.configuration,
    )
    for role in ("author", "committer"):
        identity(config, around.environment, role, now_s=0)
