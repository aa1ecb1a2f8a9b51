"""What is refused before a clone begins: options, ways to be reckless, places, sources."""

import os
import re
from collections.abc import Mapping

from engram.datasets.copying.addresses import Address
from engram.datasets.git.config import GitConfig
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.permission import check_is_outside_of_git
from engram.datasets.siblings import repository_at
from engram.model.errors import NoSource, TargetExists, UsageError

#: Options of ``git clone`` that make no dataset, each with what to do instead.
_NO_DATASET = {
    "--bare": "Without files there is no dataset. For a copy without them: git clone --bare",
    "--mirror": "Without files there is no dataset. For a copy without them: git clone --mirror",
    "--separate-git-dir": "Clone without it; git init --separate-git-dir=DIR moves the repository afterwards.",
    "--recurse-submodules": "Clone without it, then: engram get -n -r .",
    "--recursive": "Clone without it, then: engram get -n -r .",
}
_SHARED = re.compile(r"shared-(?P<mode>[a-z]+|0?[0-7]{3})")
#: Settings of a repository that has git fetch objects when it needs them.
_LACKING = re.compile(r"extensions\.partialclone|remote\..+\.(promisor|partialclonefilter)")
_RECKLESS = ("auto", "ephemeral")
#: Of a file or folder, on every usual file system.
_LONGEST_NAME = 255


def check_options(options: tuple[str, ...]) -> None:
    """Refuse what would make no dataset, in any spelling that git takes. Raises `UsageError`."""
    for option in options:
        for name, instead in _NO_DATASET.items():
            word = option.partition("=")[0]
            if len(word) > len("--") and name.startswith(word):
                raise UsageError(f"A dataset cannot be cloned with {name}.", instead)


def is_reckless(mode: str) -> bool:
    """Whether there is such a way to be reckless."""
    return mode in _RECKLESS or _SHARED.fullmatch(mode) is not None


def check_reckless(mode: str) -> None:
    """Refuse what is no way to be reckless; '' is none. Raises `UsageError`."""
    if mode and not is_reckless(mode):
        raise UsageError(
            f"There is no --reckless {mode}.", "There are auto, ephemeral, and shared-MODE (shared-group)."
        )


def shared_mode(mode: str) -> str:
    """What git is told of who shares a clone, for ``shared-…``; '' for all else."""
    match = _SHARED.fullmatch(mode)
    return match["mode"] if match else ""


def check_place(path: str) -> None:
    """Refuse a place where no folder can be made, as far as can be seen. Raises `TargetExists`, `UsageError`."""
    if any(len(os.fsencode(part)) > _LONGEST_NAME for part in path.split("/")):
        raise UsageError(f"{path} has a name of more than {_LONGEST_NAME} bytes.", "Choose a shorter one.")
    check_is_outside_of_git(path)
    above = path
    while not os.path.lexists(above):
        above = os.path.dirname(above)
    if not os.path.isdir(above):
        raise TargetExists(above, "is a file", "Choose another name, or move it away.")


def check_source(source: Address, environment: Mapping[str, str]) -> None:
    """Refuse a path from which git cannot, or should not, clone. Raises `NoSource`."""
    if not source.place:
        return
    repository = repository_at(source.place)
    if repository is None:
        there = os.path.lexists(source.place)
        raise NoSource(source.given, "no git repository is there" if there else "nothing is there")
    try:
        config = GitConfig.read(common_dir=repository.common_dir, git_dir=repository.git_dir, environment=environment)
    except NotUnderstood:  # git may
        return
    if any(_LACKING.fullmatch(one.name) for one in config.settings):
        # git before 2.39.4 would run the program that it names for fetching them (CVE-2024-32004)
        raise NoSource(source.given, "it is a partial clone, which lacks objects of its own; clone what it came from")
