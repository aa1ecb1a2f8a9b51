"""Where a subdataset that is not installed is to be had from: candidates, the cheapest first, as DataLad orders them.

A dataset that came over a network names no place on this machine: such candidates are left out.

Source: datalad-get(1) "Getting subdatasets"; the candidates of DataLad 1.7.1.
"""

import os
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from engram.datasets.datalad_settings import CARRIED
from engram.datasets.dataset import Dataset
from engram.datasets.git.config import GitConfig
from engram.datasets.gitmodules import Submodule
from engram.datasets.siblings import Sibling, siblings_of

_DATALAD_URL: Final = 590
_RECORDED: Final = 600
_OTHER_SCHEME: Final = 610
_BELOW_REMOTE: Final = 650
_UNPRICED: Final = 700
_BESIDE: Final = 900
_PREFIX: Final = "datalad.get.subdataset-source-candidate-"
_PRICE = re.compile(r"(?P<cost>[0-9]{3})(?P<name>[^0-9].*|)", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SSH = re.compile(r"(?:ssh://)?(?:[^/@:]+@)?(?P<host>[^/@:]+)[:/](?P<path>[^/].*)", re.DOTALL)


class Candidate(NamedTuple):
    """One address at which a subdataset may be."""

    cost: int
    #: The remote or the setting that it comes from; ``local`` for what lies beside the superdataset.
    name: str
    url: str


class Recorded(NamedTuple):
    """A subdataset as its superdataset has it."""

    path: bytes
    #: The commit, 20 raw bytes.
    oid: bytes
    #: What ``.gitmodules`` says; ``None`` when it says nothing.
    module: Submodule | None

    @property
    def name(self) -> str:
        """What git calls it."""
        return self.module.name if self.module else os.fsdecode(self.path)

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings of its section."""
        return self.module.properties if self.module else {}


def candidates(dataset: Dataset, recorded: Recorded) -> list[Candidate]:
    """Addresses of a subdataset of *dataset*, in the order in which they are to be tried; each once."""
    url = recorded.settings.get("url", "")
    remotes = [one for one in _remotes_with(dataset, recorded.path) if one.url]
    found = [Candidate(_DATALAD_URL, "dl-url", text) for text in (recorded.settings.get("datalad-url", ""),) if text]
    for remote in remotes:
        found.append(Candidate(_BELOW_REMOTE, remote.name, _joined(remote, os.fsdecode(recorded.path), quote=True)))
        if url:
            found.append(Candidate(_RECORDED, remote.name, _joined(remote, url) if _is_relative(url) else url))
            found += [Candidate(_OTHER_SCHEME, remote.name, text) for text in _as_https(remote.url, url)]
    found += _from_templates(dataset, recorded, remotes)
    if url:
        beside = whole(url, dataset)
        found.append(Candidate(_BESIDE, "local", beside))
    own = os.path.join(dataset.work_tree, os.fsdecode(recorded.path))
    near = not remotes or any(remote.place for remote in remotes)
    kept: dict[str, Candidate] = {}
    for one in sorted(found, key=lambda candidate: candidate.cost):
        if one.url and os.path.normpath(whole(one.url, dataset)) != own and (near or not _is_here(one.url)):
            kept.setdefault(one.url, one)
    return list(kept.values())


def _remotes_with(dataset: Dataset, path: bytes) -> list[Sibling]:
    """The remote that the current branch follows, then those that have the commit that last changed the subdataset."""
    known = {one.name: one for one in siblings_of(dataset)}
    branch = dataset.head_name().removeprefix("refs/heads/")
    tracked = dataset.setting(f"branch.{branch}.remote") or ""
    names = [tracked] if tracked in known else []
    others = [name for name in known if name != tracked and known[name].url]
    if others:
        names += [name for name in others if name in _remotes_having(dataset, path)]
    return [known[name] for name in names]


def _remotes_having(dataset: Dataset, path: bytes) -> set[str]:
    top, programs = dataset.work_tree, dataset.programs
    _, out, _ = programs.git_status_of(top, "log", "-1", "--format=%H", "HEAD", "--", path)
    commit = out.decode().strip()
    if not commit:
        return set()
    words = ("for-each-ref", f"--contains={commit}", "--format=%(refname)", "refs/remotes/")
    _, out, _ = programs.git_status_of(top, *words)
    refs = [os.fsdecode(line).removeprefix("refs/remotes/") for line in out.splitlines()]
    return {one.name for one in siblings_of(dataset) if any(ref.startswith(one.name + "/") for ref in refs)}


def whole(url: str, dataset: Dataset) -> str:
    """An address as a person reads it: a path that starts from the superdataset is made absolute."""
    return os.path.normpath(os.path.join(dataset.work_tree, url)) if _is_relative(url) else url


def _is_relative(url: str) -> bool:
    """Whether it is a path that starts from the superdataset."""
    return not url.startswith("/") and not _SCHEME.match(url) and ":" not in url.partition("/")[0]


def _is_here(url: str) -> bool:
    """Whether an address is one on this machine."""
    return url.startswith(("/", "file:")) or _is_relative(url)


def _joined(remote: Sibling, relative: str, *, quote: bool = False) -> str:
    """A path below, or relative to, the address of a remote."""
    if remote.place:
        named = remote.url if _is_relative(remote.url) else remote.place  # so that both can be moved together
        return os.path.normpath(os.path.join(named.rstrip("/").removesuffix("/.git"), relative))
    url = remote.url.rstrip("/")
    suffix = ".git" if url.endswith("/.git") else ""
    scheme = _SCHEME.match(url)
    head, _, path = url[scheme.end() :].partition("/") if scheme else url.partition(":")
    if quote and scheme:
        from urllib.parse import quote as quoted  # late: 3 ms that a path does not need

        relative = quoted(relative)
    start = posixpath.join("/", path.removesuffix(".git").rstrip("/")) if scheme else path.removesuffix("/.git")
    joined = posixpath.normpath(posixpath.join(start, relative, suffix))
    return f"{scheme[0]}{head}{joined}" if scheme else f"{head}:{joined}"


def _as_https(remote: str, url: str) -> Iterator[str]:
    """The same address by the protocol of the superdataset, where that needs no key and the recorded one does."""
    match = _SSH.fullmatch(url) if remote.startswith("https://") and not url.startswith(("http", "/", ".")) else None
    if match is not None:
        yield f"https://{match['host']}/{match['path']}"


def _from_templates(dataset: Dataset, recorded: Recorded, remotes: Sequence[Sibling]) -> Iterator[Candidate]:
    """What the user's settings, and those that the dataset carries, make of what is known of the subdataset."""
    facts = {name.replace("datalad-id", "id"): value for name, value in recorded.settings.items()}
    facts |= {"path": os.fsdecode(recorded.path), "path_basename": os.path.basename(os.fsdecode(recorded.path))}
    facts |= {f"remoteurl-{remote.name}": remote.url for remote in remotes}
    for name, template in templates(dataset).items():
        if set(_PLACEHOLDER.findall(template)) <= set(facts):
            url = _PLACEHOLDER.sub(lambda match: facts[match[1]], template)
            price = _PRICE.fullmatch(name)
            yield Candidate(int(price["cost"]) if price else _UNPRICED, price["name"] if price else name, url)


def templates(dataset: Dataset) -> dict[str, str]:
    """The templates of further candidates by name: the user's own hold before those that the dataset carries."""
    carried = GitConfig.from_file(os.path.join(os.fsencode(dataset.work_tree), CARRIED))
    found: dict[str, str] = {}
    for config in (carried, dataset.config):
        for one in config.settings:
            if one.name.startswith(_PREFIX) and one.value:
                found[one.name.removeprefix(_PREFIX)] = one.value
    return found
