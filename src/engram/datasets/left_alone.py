"""Siblings on this machine that git-annex is kept from: in their repositories it would run what they bring along.

git-annex works in the repository of a sibling as that one has it: to lock a copy there it runs the sibling's own
``thawcontent-annex``, to look at the work tree git runs its ``core.fsmonitor``. What engram itself opens runs nothing.

Source: runs of git-annex 10.20261026.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from shlex import quote
from typing import Final, Protocol

from engram.datasets.brought import Brought
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.git.refs import Repository
from engram.datasets.siblings import Sibling, repository_at
from engram.model.errors import EngramError

#: Hooks that run only for who pushes there with git, which git-annex does not. Source: githooks(5).
_ON_PUSH: Final = frozenset(
    f"hook {name}" for name in "pre-receive update proc-receive post-receive post-update push-to-checkout".split()
)
_NAMED: Final = 3


class OpenRepository(Protocol):
    """A repository of which can be said what it brings along, and whether this user allowed it."""

    @property
    def work_tree(self) -> str: ...
    @property
    def brought(self) -> Sequence[Brought]: ...
    @property
    def is_trusted(self) -> bool: ...
    def check_format(self) -> None: ...


def left_alone(siblings: Iterable[Sibling], opened: Callable[[Repository], OpenRepository]) -> dict[str, str]:
    """Those that git-annex may not go near, by name, and why, to be read after the name."""
    found = ((one.name, _why(one, opened)) for one in siblings if one.place)
    return {name: why for name, why in found if why}


def said_of(siblings: Mapping[str, str]) -> str:
    """All of it in one line; '' when there are none."""
    return "; ".join(f"{name} {why}" for name, why in siblings.items())


def _why(sibling: Sibling, opened: Callable[[Repository], OpenRepository]) -> str:
    try:
        repository = repository_at(sibling.place)
        if repository is None:
            return ""
        there = opened(repository)
        there.check_format()
        names = [one.name for one in there.brought if one.name not in _ON_PUSH]
        if not names or there.is_trusted:
            return ""
    except (OSError, EngramError, NotUnderstood):
        return f"is left alone: what it brings along cannot be read ({sibling.place})"
    named = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
    allow = f"; to allow exactly these: engram trust {quote(there.work_tree)}" if there.work_tree else ""
    return f"is left alone: it brings its own commands along ({named}{allow})"
