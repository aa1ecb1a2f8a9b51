"""Who may write to a dataset, and whether this user may."""

import os

from engram.datasets.dataset import Dataset
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
    if owners != {os.geteuid()}:
        status, _, said = dataset.programs.git_status_of(dataset.work_tree, "rev-parse", "--git-dir")
        if status:
            raise UsageError(
                f"{dataset.work_tree} belongs to another user: {said}",
                "Ask its owner, or work in a clone of your own.",
            )
    brought = [one.name for one in dataset.brought]
    if brought and not dataset.is_trusted:
        names = ", ".join(brought[:_NAMED]) + (", …" if len(brought) > _NAMED else "")
        raise NotTrusted(dataset.work_tree, names)
