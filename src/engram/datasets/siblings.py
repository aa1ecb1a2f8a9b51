"""The siblings of a dataset: its git remotes, as its configuration has them; those on this machine can be opened.

Source: git-config(1) ``remote.NAME.*``; git-annex(1) "CONFIGURATION"; git-clone(1) "GIT URLS".
"""

import os
import re
from typing import TYPE_CHECKING, Final, Protocol

from engram.datasets.annex.hashdirs import object_path, object_path_lower
from engram.datasets.annex.uuids import is_uuid
from engram.datasets.git.config import GitConfig
from engram.datasets.git.config_file import switch
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.git.refs import Repository, find_repository, repository_in
from engram.model.errors import DamagedRepository, Unreadable
from engram.model.records import record

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What git-annex reckons for a remote that names no cost. Source: git-annex, runs of ``git annex info REMOTE``.
LOCAL_COST: Final = 100
REMOTE_COST: Final = 200

_SETTING = re.compile(r"remote\.(?P<name>.+)\.(?P<variable>[^.]+)", re.DOTALL)
#: Settings that change how git-annex reaches a remote; only git-annex carries them out.
_BEYOND_US = (
    "annex-cost-command annex-ignore-command annex-start-command annex-stop-command annex-shell"
    " annex-gnupg-options annex-bwlimit annex-bwlimit-download annex-retry annex-forward-retry"
).split()
_COST = re.compile(r"\d+(\.\d+)?")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
#: How git completes the path of a repository. Source: git-clone(1), the order in which git looks.
_COMPLETIONS = ("/.git", "", ".git/.git", ".git")


@record
class Sibling:
    """One remote of a dataset."""

    name: str
    #: As the configuration has it; '' for a special remote, which git knows nothing of.
    url: str
    #: Absolute path of one that lies on this machine, '' otherwise. Whether something is there, nobody looked yet.
    place: str
    #: ``annex-uuid``, as git-annex last saw it; '' when it has no annex, or nobody looked.
    uuid: str
    #: ``annex-ignore``: git-annex is to leave it alone.
    ignored: bool
    #: ``annex-cost`` in hundredths: cheaper ones are asked first.
    cost_rank: int
    #: Why only git-annex can deal with it, '' when engram can, too.
    reason: str = ""
    #: ``annex-speculate-present``: it may hold what no log tells of.
    speculated: bool = False


@record(eq=False)
class OpenSibling:
    """A sibling on this machine whose repository is the one that the dataset knows."""

    name: str
    uuid: str
    #: What its linked work trees share, where its annex lies.
    git_dir: bytes
    bare: bool
    #: Its ``annex.version``: from 10 on, ``KEY.lck`` beside an object is its lock, before that the object itself.
    version: int
    #: ``annex.pidlock``: locks of single objects mean nothing there.
    pidlock: bool
    #: ``annex.thin``: a file of the work tree may be the object itself, for anybody to write to.
    thin: bool

    def place_of(self, key: bytes) -> bytes:
        """Where it keeps the content of *key*, as its layout has it."""
        return self.git_dir + b"/" + (object_path_lower if self.bare else object_path)(key)

    def other_place_of(self, key: bytes) -> bytes:
        """Where it keeps the content of *key* if it came to it in the other layout."""
        return self.git_dir + b"/" + (object_path if self.bare else object_path_lower)(key)


class SiblingGone(Exception):
    """A sibling that cannot be opened: nothing is there, or not the repository that the dataset knows."""

    def __init__(self, name: str, why: str, *, nothing_there: bool = False) -> None:
        super().__init__(f"{name} {why}")
        self.name = name
        self.why = why
        #: There is no repository at all, or none that git may be let near: git-annex is not to look either.
        self.nothing_there = nothing_there


class HasRemotes(Protocol):
    """What a dataset says of its siblings."""

    @property
    def config(self) -> GitConfig: ...
    @property
    def work_tree(self) -> str: ...
    @property
    def git_dir(self) -> str: ...


def siblings_of(dataset: HasRemotes) -> tuple[Sibling, ...]:
    """Every remote of a dataset, in the order of its configuration."""
    settings = _by_remote(dataset.config)
    replaced = _replacements(dataset.config)
    top = dataset.work_tree or dataset.git_dir
    return tuple(_sibling(name, values, replaced, top) for name, values in settings.items())


def by_cost(siblings: "tuple[Sibling, ...]") -> tuple[Sibling, ...]:
    """The same, the cheapest first; of equal ones in the order of the configuration."""
    return tuple(sorted(siblings, key=lambda one: one.cost_rank))


def open_sibling(sibling: Sibling) -> OpenSibling:
    """The repository of a sibling on this machine. Raises `SiblingGone`.

    Its own configuration must name the uuid that the dataset has for it, if it has one: otherwise another repository
    took its place.
    Whoever owns it, nothing in it is run, and what is read from it is to be verified.
    """
    try:
        repository = repository_at(sibling.place) if sibling.place else None
        if repository is None:
            where = sibling.place or sibling.url or "a special remote"
            raise SiblingGone(sibling.name, f"is not there ({where})", nothing_there=bool(sibling.place))
        worktrees = os.path.join(repository.common_dir, b"worktrees")
        if repository.common_dir != repository.git_dir and os.path.dirname(repository.git_dir) != worktrees:
            why = f"says that it is part of a repository that knows nothing of it ({sibling.place})"
            raise SiblingGone(sibling.name, why, nothing_there=True)
        config = GitConfig.from_file(os.path.join(repository.common_dir, b"config"))
    except (OSError, Unreadable, DamagedRepository, NotUnderstood) as error:
        raise SiblingGone(sibling.name, f"cannot be read ({sibling.place})") from error
    uuid = config.get("annex.uuid") or ""
    if not uuid:
        raise SiblingGone(sibling.name, f"has no annex ({sibling.place})")
    if sibling.uuid and uuid != sibling.uuid:
        raise SiblingGone(sibling.name, f"is another repository than it was ({sibling.place} is {uuid})")
    if not is_uuid(uuid):
        raise SiblingGone(sibling.name, f"has an annex of no proper name ({sibling.place})")
    version = config.get("annex.version") or ""
    if not version.isdigit():
        raise SiblingGone(sibling.name, f"has an annex of unknown version ({sibling.place})")
    return OpenSibling(
        name=sibling.name,
        uuid=uuid,
        git_dir=repository.common_dir,
        bare=not repository.work_tree,
        version=int(version),
        pidlock=_is_on(config.get("annex.pidlock")),
        thin=_is_on(config.get("annex.thin")),
    )


def repository_at(place: str) -> Repository | None:
    """The repository that git would take *place* for: a work tree, a bare repository, or a ``.git`` itself."""
    for completion in _COMPLETIONS:
        folder = os.fsencode(os.path.normpath(place + completion))
        if not os.path.isdir(folder):
            continue
        if os.path.basename(folder) == b".git":
            found = repository_in(os.path.dirname(folder))
        else:
            found = find_repository(folder)
            if found is not None and found.git_dir != folder:  # one further up is not meant
                found = repository_in(folder)
        if found is not None:
            return found
    return None


def local_place(url: str, folder: str) -> str:
    """The path on this machine that a URL names, seen from *folder*; '' for one that names none.

    >>> local_place("file:///data/my%20set", "/"), local_place("../set", "/data/clone"), local_place("host:set", "/")
    ('/data/my set', '/data/set', '')
    """
    if url.startswith("file:///"):
        from urllib.parse import unquote  # late: 3 ms that most calls do not need

        return os.path.normpath(unquote(url.removeprefix("file://"), errors="surrogateescape"))
    before_slash = url.partition("/")[0]
    if not url or "\0" in url or _URL.match(url) or ":" in before_slash:
        return ""
    return os.path.normpath(os.path.join(folder, url))


def _by_remote(config: GitConfig) -> dict[str, dict[str, str]]:
    """Variables of each remote; of one that has several urls git fetches from the first."""
    remotes: dict[str, dict[str, str]] = {}
    for name, value in _remote_lines(config):
        match = _SETTING.fullmatch(name)
        if match is not None:
            values = remotes.setdefault(match["name"], {})
            if match["variable"] == "url":
                values.setdefault("url", value)
            else:
                values[match["variable"]] = value
    return remotes


def _remote_lines(config: GitConfig) -> "Iterator[tuple[str, str]]":
    for found in config.settings:
        if found.name.startswith("remote."):
            yield found.name, "true" if found.value is None else found.value


def _replacements(config: GitConfig) -> list[tuple[str, str]]:
    """What ``url.BASE.insteadOf`` says: the prefix that is replaced and what stands for it, the longest first."""
    pairs = [
        (found.value, found.name.removeprefix("url.").removesuffix(".insteadof"))
        for found in config.settings
        if found.name.startswith("url.") and found.name.endswith(".insteadof") and found.value
    ]
    return sorted(pairs, key=lambda pair: -len(pair[0]))


def _sibling(name: str, values: dict[str, str], replaced: list[tuple[str, str]], top: str) -> Sibling:
    url = values.get("url", "")
    reached = values.get("annexurl") or url
    for prefix, base in replaced:
        if reached.startswith(prefix):
            reached = base + reached.removeprefix(prefix)
            break
    place = local_place(reached, top)
    reason = next((f"remote.{name}.{variable} is set" for variable in _BEYOND_US if values.get(variable)), "")
    cost = values.get("annex-cost", "")
    known = _COST.fullmatch(cost)
    return Sibling(
        name=name,
        url=url,
        place=place,
        uuid=uuid if is_uuid(uuid := values.get("annex-uuid", "")) else "",
        ignored=_is_on(values.get("annex-ignore")),
        cost_rank=round(float(cost) * 100) if known else (LOCAL_COST if place else REMOTE_COST) * 100,
        reason=reason or (f"remote.{name}.annex-cost is {cost!r}" if cost and not known else ""),
        speculated=_is_on(values.get("annex-speculate-present")),
    )


def _is_on(value: str | None) -> bool:
    return value is not None and switch(value) is True
