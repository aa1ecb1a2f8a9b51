"""The origins of a clone's origin: where it was cloned from itself, as far as that is on this machine, too.

What the origin does not hold may be had from there. Addresses elsewhere are not taken over: the source would choose a
host to reach.

Source: DataLad 1.7.1's ``clone``, which calls them ``origin-2``, ``origin-3``, ….
"""

import os

from engram.datasets.copying.initialising import change_config
from engram.datasets.dataset import Dataset
from engram.datasets.git.config import GitConfig
from engram.datasets.git.config_write import header
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.siblings import local_place, repository_at
from engram.model.errors import EngramError

_MOST = 9
_FROM_HERE = ("-c", "protocol.allow=never", "-c", "protocol.file.allow=always")


def add_origins(dataset: Dataset, remote: str, source: str) -> tuple[tuple[str, str], ...]:
    """Make remotes of the origins of the repository at *source*, and fetch from them: their names and paths."""
    added: list[tuple[str, str]] = []
    if not dataset.config.is_true("datalad.install.inherit-local-origin", True):
        return ()
    seen = {os.path.realpath(source)}
    place = source
    while len(added) < _MOST and (place := _origin_of(place, remote)) and os.path.realpath(place) not in seen:
        seen.add(os.path.realpath(place))
        name = f"{remote}-{len(added) + 2}"
        fetch = f"+refs/heads/*:refs/remotes/{name}/*"
        values = {b"url": os.fsencode(place), b"fetch": os.fsencode(fetch)}
        change_config(dataset, {header(b"remote", os.fsencode(name)): values})
        top = dataset.work_tree
        words = (*_FROM_HERE, "fetch", "-q", "--no-recurse-submodules", "--", name)
        if dataset.programs.git_status_of(top, *words)[0]:
            dataset.programs.git(top, "remote", "remove", name)
            break
        added.append((name, place))
    return tuple(added)


def _origin_of(place: str, remote: str) -> str:
    """The path that a repository on this machine was cloned from; '' when it is none of this user's own."""
    try:
        repository = repository_at(place)
        if repository is None:
            return ""
        config = GitConfig.from_file(os.path.join(repository.common_dir, b"config"))
        url = config.get(f"remote.{remote}.url") or ""
        found = local_place(url, os.fsdecode(repository.work_tree or repository.git_dir))
        above = repository_at(found) if found else None
        own = above is not None and os.stat(above.git_dir).st_uid == os.geteuid()
    except (OSError, EngramError, NotUnderstood):
        return ""
    return found if own else ""
