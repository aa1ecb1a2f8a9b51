"""Special remotes that a dataset's makers meant every clone to use, and that nobody has allowed here yet.

Source: ``autoenable`` in ``remote.log`` of the git-annex branch; git-annex itself would enable them when it is
initialised in a clone, and start the program that an external one names.
"""

from collections.abc import Iterator

from engram.datasets.copying.initialising import branches_may_have
from engram.datasets.dataset import Dataset
from engram.datasets.git.problems import NotUnderstood
from engram.model.records import record

_YES = ("true", "yes", "on", "1")


@record(eq=False, kw_only=False)
class WaitingRemote:
    """A special remote that waits to be allowed."""

    name: str
    #: What it is: its settings without its name, sorted, as ``KEY=VALUE``.
    settings: str


def waiting_remotes(dataset: Dataset) -> Iterator[WaitingRemote]:
    """Those that are not enabled here, in the order of their names."""
    if not branches_may_have(dataset, (b"remote.log",)):
        return
    from engram.datasets.whereabouts import Whereabouts

    try:
        remotes = Whereabouts(dataset).remotes
    except NotUnderstood:
        return
    here = {value for name, value, _, _ in dataset.config.items() if name.endswith(".annex-uuid")}
    waiting = [
        WaitingRemote(one["name"], " ".join(f"{key}={one[key]}" for key in sorted(one) if key != "name"))
        for uuid, one in remotes.items()
        if one.get("autoenable", "").lower() in _YES and one.get("name") and uuid.decode(errors="replace") not in here
    ]
    yield from sorted(waiting, key=lambda one: one.name)


def enable(dataset: Dataset, remote: WaitingRemote) -> bool:
    """Have git-annex enable one; whether it did. An external one's program is started."""
    status, _, _ = dataset.programs.git_annex_status_of(dataset.work_tree, "enableremote", "--", remote.name)
    return status == 0
