"""When a configuration file includes another: include.path and includeIf.

Source: git-config(1) "Includes" and "Conditional includes"
"""

import os
import pwd
import re
from collections.abc import Mapping
from typing import NamedTuple

from engram.datasets.git.problems import NotUnderstood
from engram.datasets.git.wildmatch import expression


class Place(NamedTuple):
    """What conditions and paths of settings are about."""

    git_dir: bytes | None
    #: Without ``refs/heads/``; '' when HEAD is no branch.
    branch: str
    environment: Mapping[str, str]

    def expand(self, path: str) -> str | None:
        """*path* with ``~/`` and ``~user/`` replaced; ``None`` where nobody knows that home."""
        if path.startswith("%(prefix)/"):
            raise NotUnderstood("a path below git's own installation")
        if not path.startswith("~"):
            return path
        user, slash, rest = path[1:].partition("/")
        home = self._home_of(user)
        return None if home is None else home + slash + rest

    def _home_of(self, user: str) -> str | None:
        if not user:
            return self.environment.get("HOME")
        try:
            return pwd.getpwnam(user).pw_dir
        except (KeyError, UnicodeError, ValueError):
            return None

    def allows(self, condition: str, origin: str) -> bool:
        """Whether the *condition* of an includeIf that stands in the file *origin* ('' for none) holds."""
        kind, _, pattern = condition.partition(":")
        if kind == "gitdir" or kind == "gitdir/i":
            return self._is_in(pattern, origin, fold=kind.endswith("/i"))
        if kind == "onbranch":
            return bool(self.branch) and _matches(_whole_folder(pattern), self.branch, fold=False)
        if condition.startswith("hasconfig:remote.*.url:"):
            raise NotUnderstood("a file that is included when some remote has some URL")
        return False

    def _is_in(self, pattern: str, origin: str, *, fold: bool) -> bool:
        if self.git_dir is None:
            return False
        literal = ""
        if pattern.startswith(("~", "%(prefix)/")):
            pattern = self._below_real_home(pattern)
        if pattern.startswith("./"):
            if not origin:
                return False
            literal, pattern = os.path.dirname(os.path.realpath(origin)) + "/", pattern[2:]
        elif not pattern.startswith("/"):
            pattern = "**/" + pattern
        pattern = _whole_folder(pattern) if pattern or not literal else "**"
        for folder in (os.path.realpath(self.git_dir), self.git_dir):
            text = folder.decode("utf-8", "surrogateescape")
            start, text = text[: len(literal)], text[len(literal) :]
            same = start.lower() == literal.lower() if fold else start == literal
            if same and _matches(pattern, text, fold=fold):
                return True
        return False

    def _below_real_home(self, pattern: str) -> str:
        expanded = self.expand(pattern)
        if expanded is None:
            return pattern
        user, slash, rest = pattern.partition("/")
        home = expanded.removesuffix(slash + rest)
        return (os.path.realpath(home) if user == "~" else home) + slash + rest


def _whole_folder(pattern: str) -> str:
    return pattern + "**" if pattern.endswith("/") else pattern


def _matches(pattern: str, text: str, *, fold: bool) -> bool:
    regular = expression(pattern.encode("utf-8", "surrogateescape"), pathname=True, fold=fold)
    found = text.encode("utf-8", "surrogateescape")
    return regular is not None and re.fullmatch(regular, found.lower() if fold else found, re.DOTALL) is not None
