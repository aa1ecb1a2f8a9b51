"""git's settings: what holds for a repository, and where each value was found.

Source: git-config(1)
"""

import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, Self

from engram.datasets.git.config_environment import from_environment, from_overrides, is_on
from engram.datasets.git.config_file import Setting, canonical, parse_config, switch, whole_number
from engram.datasets.git.config_include import Place
from engram.datasets.git.small_files import read_small_file
from engram.model.errors import DamagedRepository, Unreadable

SYSTEM: Final = "system"
GLOBAL: Final = "global"
LOCAL: Final = "local"
WORKTREE: Final = "worktree"
COMMAND: Final = "command"

#: What is the same for every repository.
_EVERYWHERE = (SYSTEM, GLOBAL)
_DEEPEST_INCLUDE = 10
_SYSTEM_FILE = b"/etc/gitconfig"


class Found(NamedTuple):
    """One line of a configuration."""

    #: Section and variable in lower case, the subsection as it is: ``remote.Origin.url``.
    name: str
    #: ``None`` for a variable without ``=``, which means true.
    value: str | None
    scope: str
    #: The file, '' for the environment and options.
    origin: str


@dataclass(eq=False)
class GitConfig:
    """Settings in git's order: of those with the same name the last one counts."""

    settings: tuple[Found, ...]
    environment: Mapping[str, str]

    @classmethod
    def read(
        cls,
        *,
        common_dir: bytes | None,
        git_dir: bytes | None,
        environment: Mapping[str, str],
        overrides: tuple[str, ...] = (),
        branch: str = "",
        known: "dict[bytes, tuple[Setting, ...] | None] | None" = None,
    ) -> Self:
        """What holds for a repository, or, without one, for the user.

        Args:
            common_dir: the folder that holds ``config``.
            git_dir: the folder that holds ``HEAD``.
            environment: git's and the user's variables.
            overrides: ``NAME=VALUE`` as in ``git -c``; ``:NAME`` takes a setting away.
            branch: what HEAD names, for conditional includes.
            known: files of the machine and the user that were read before: they are read once for many repositories.

        Raises:
            BadSetting: for variables of the environment or overrides that are no settings.
            DamagedRepository: for a file that git does not take either.
            NotUnderstood: for a file that is included when some remote has some URL.
            Unreadable: for a file of the repository that may not be read.
        """
        reader = _Reader(Place(git_dir=git_dir, branch=branch, environment=environment), {} if known is None else known)
        for path in _system_files(environment):
            reader.file(path, SYSTEM)
        for path in _user_files(environment):
            reader.file(path, GLOBAL, may_be_secret=True)
        if common_dir is not None:
            config = os.path.join(common_dir, b"config")
            reader.file(config, LOCAL)
            own = tuple(found for found in reader.settings if found.origin == os.fsdecode(config))
            if git_dir is not None and cls(own, environment).is_true("extensions.worktreeconfig"):
                reader.file(os.path.join(git_dir, b"config.worktree"), WORKTREE)
        reader.take(from_environment(environment), COMMAND, "", 0)
        for name, value, is_set in from_overrides(overrides):
            if is_set:
                reader.take([(name, value)], COMMAND, "", 0)
            else:
                reader.settings = [found for found in reader.settings if found.name != name]
        return cls(tuple(reader.settings), environment)

    @classmethod
    def from_file(cls, path: bytes, environment: Mapping[str, str] | None = None) -> Self:
        """The settings of one file alone, includes left aside; none when there is no file."""
        return cls.from_bytes(_read_file(path) or b"", os.fsdecode(path), environment)

    @classmethod
    def from_bytes(cls, data: bytes, origin: str, environment: Mapping[str, str] | None = None) -> Self:
        """The settings of a file that holds *data*."""
        settings = tuple(Found(name, value, LOCAL, origin) for name, value in parse_config(data, origin))
        return cls(settings, environment or {})

    @cached_property
    def _by_name(self) -> dict[str, list[Found]]:
        by_name: dict[str, list[Found]] = {}
        for found in self.settings:
            by_name.setdefault(found.name, []).append(found)
        return by_name

    def _all(self, name: str) -> list[Found]:
        return self._by_name.get(canonical(name) or name, [])

    def get(self, name: str) -> str | None:
        """The value that counts; ``"true"`` for a variable without one, ``None`` when it is not set."""
        found = self._all(name)
        return _text(found[-1]) if found else None

    def get_all(self, name: str) -> tuple[str, ...]:
        """Every value in git's order."""
        return tuple(map(_text, self._all(name)))

    def items(self, scopes: Iterable[str] = (LOCAL, WORKTREE)) -> Iterator[tuple[str, str, str, str]]:
        """Name, value, scope and origin of every line of some scopes."""
        wanted = frozenset(scopes)
        return (
            (found.name, _text(found), found.scope, found.origin) for found in self.settings if found.scope in wanted
        )

    def is_true(self, name: str, default: bool = False) -> bool:
        """A setting that is on or off.

        Raises:
            DamagedRepository: for a value that is neither.
        """
        found = self._all(name)
        if not found:
            return default
        on = switch(_text(found[-1]))
        if on is None:
            raise _unusable(found[-1], "neither true nor false")
        return on

    def number(self, name: str, default: int) -> int:
        """A whole number, written with k, m or g behind it or not.

        Raises:
            DamagedRepository: for a value that is none.
        """
        found = self._all(name)
        if not found:
            return default
        number = whole_number(_text(found[-1]))
        if number is None:
            raise _unusable(found[-1], "no number")
        return number

    def path(self, name: str) -> bytes | None:
        """A path, ``~`` expanded.

        Raises:
            DamagedRepository: when it begins with the home of somebody unknown.
        """
        found = self._all(name)
        if not found:
            return None
        path = Place(git_dir=None, branch="", environment=self.environment).expand(_text(found[-1]))
        if path is None:
            raise _unusable(found[-1], "below a home that is not known")
        return path.encode("utf-8", "surrogateescape")


class _Reader:
    """Collects settings, those of included files where they are included."""

    def __init__(self, place: Place, known: "dict[bytes, tuple[Setting, ...] | None]") -> None:
        self.place = place
        self.settings: list[Found] = []
        self._known = known

    def file(self, path: bytes, scope: str, *, depth: int = 0, may_be_secret: bool = False) -> None:
        origin = os.fsdecode(path)
        if scope in _EVERYWHERE and path in self._known:
            settings = self._known[path]
        else:
            data = _read_file(path, may_be_secret=may_be_secret)
            settings = None if data is None else tuple(parse_config(data, origin))
            if scope in _EVERYWHERE:
                self._known[path] = settings
        if settings is not None:
            self.take(settings, scope, origin, depth)

    def take(self, settings: Iterable[tuple[str, str | None]], scope: str, origin: str, depth: int) -> None:
        for name, value in settings:
            found = Found(name, value, scope, origin)
            self.settings.append(found)
            if name.startswith("include") and self._includes(name, origin):
                self.file(self._included(found, depth), scope, depth=depth + 1)

    def _includes(self, name: str, origin: str) -> bool:
        if name == "include.path":
            return True
        section, _, rest = name.partition(".")
        condition, dot, variable = rest.rpartition(".")
        return section == "includeif" and variable == "path" and bool(dot) and self.place.allows(condition, origin)

    def _included(self, found: Found, depth: int) -> bytes:
        if found.value is None:
            raise _unusable(found, "no path")
        if depth >= _DEEPEST_INCLUDE:
            raise _unusable(found, f"more than {_DEEPEST_INCLUDE} files deep, or the file includes itself")
        path = self.place.expand(found.value)
        if path is None:
            raise _unusable(found, "below a home that is not known")
        if not path.startswith("/") and not found.origin:
            raise _unusable(found, "relative to no file")
        folder = os.fsencode(os.path.dirname(found.origin))
        return os.path.join(folder, path.encode("utf-8", "surrogateescape"))


def _system_files(environment: Mapping[str, str]) -> Iterator[bytes]:
    if not is_on(environment, "GIT_CONFIG_NOSYSTEM"):
        given = environment.get("GIT_CONFIG_SYSTEM")
        yield os.fsencode(given) if given is not None else _SYSTEM_FILE


def _user_files(environment: Mapping[str, str]) -> Iterator[bytes]:
    given, home = environment.get("GIT_CONFIG_GLOBAL"), environment.get("HOME")
    if given is not None:
        yield os.fsencode(given)
        return
    folder = environment.get("XDG_CONFIG_HOME") or (os.path.join(home, ".config") if home is not None else "")
    if folder:
        yield os.fsencode(os.path.join(folder, "git/config"))
    if home is not None:
        yield os.fsencode(os.path.join(home, ".gitconfig"))


def _read_file(path: bytes, *, may_be_secret: bool = False) -> bytes | None:
    try:
        data = read_small_file(path, follow=True)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR) or (may_be_secret and error.errno == errno.EACCES):
            return None
        raise Unreadable(os.fsdecode(path), os.strerror(error.errno or 0)) from error
    if data is None:
        raise DamagedRepository(os.fsdecode(path), "it is no file")
    return data


def _text(found: Found) -> str:
    return "true" if found.value is None else found.value


def _unusable(found: Found, problem: str) -> DamagedRepository:
    where = found.origin or "an option or the environment"
    return DamagedRepository(where, f"{found.name} is {problem}: {_text(found)!r}")
