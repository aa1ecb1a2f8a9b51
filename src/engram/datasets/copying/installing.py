"""Install subdatasets: clone them from wherever they can be had, at the commit that is recorded.

What an interrupted installation left is finished by the next one: until all is done a mark lies in the clone.

Source: datalad-get(1); branches, settings and records as DataLad 1.7.1 leaves them.
"""

import os
import time
from collections.abc import Callable

from engram import durable
from engram.datasets.copying.addresses import Address, read_address, without_secrets
from engram.datasets.copying.candidates import Candidate, Recorded, candidates, templates, whole
from engram.datasets.copying.cloning import Cloner, CloneRequest
from engram.datasets.copying.initialising import change_config
from engram.datasets.dataset import Dataset
from engram.datasets.git.ancestry import is_ancestor
from engram.datasets.git.config_write import header
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.git.refs import holds_repository
from engram.datasets.listing import subdatasets_in, submodules_of
from engram.datasets.locks import clear_what_a_crash_left, only_engram
from engram.datasets.permission import check_may_write
from engram.datasets.placing import read_mark
from engram.model.errors import NoSource, SourceUnavailable, TargetExists, Unavailable, UsageError
from engram.model.outcome import DatasetOutcome, Leaf, Outcome, Status
from engram.model.plan import PlannedStep

_PREFIX = b"subdataset-source-candidate-"


class Installer:
    """Installs subdatasets of whatever dataset it is told.

    Args:
        refds: the dataset that the whole command is about.
        reckless: as in `CloneRequest`; '' for what the superdataset was cloned with.
        description: what to call the copies.
    """

    def __init__(
        self, *, refds: str, reckless: str = "", description: str = "", clock: Callable[[], float] = time.time
    ) -> None:
        self._refds = refds
        self._reckless = reckless
        self._description = description
        self._clock = clock

    def install(self, dataset: Dataset, recorded: Recorded, *, to_get: str) -> Outcome:
        """What came of installing one. Raises `NotTrusted` and the like before anything is written.

        Args:
            to_get: the path that is to be reached.
        """
        check_may_write(dataset)
        place = os.path.join(dataset.work_tree, os.fsdecode(recorded.path))
        said: list[str] = []
        for candidate in candidates(dataset, recorded):
            try:
                used = self._from(dataset, recorded, candidate, place)
            except (NoSource, SourceUnavailable, Unavailable, UsageError, TargetExists) as error:
                said.append(error.what)
            else:
                return self._outcome(place, to_get, used=used)
        problem = " ".join(dict.fromkeys(said)) or "there is no candidate to install it from"
        return self._outcome(place, to_get, problem=problem)

    def plan(self, dataset: Dataset, recorded: Recorded) -> PlannedStep:
        """What `install` would do first."""
        place = os.path.join(dataset.work_tree, os.fsdecode(recorded.path))
        addresses = (without_secrets(whole(one.url, dataset)) for one in candidates(dataset, recorded))
        first = next(addresses, "nowhere: no candidate")
        item, ground = os.path.relpath(place, self._refds), recorded.oid.hex()
        return PlannedStep(action="install", item=item, why=f"from {first}", ground=ground)

    def _from(self, dataset: Dataset, recorded: Recorded, candidate: Candidate, place: str) -> str:
        """Clone it from one candidate, check the recorded commit out, note it. Gives the address that worked."""
        source = _address(candidate.url, dataset)
        cloner = Cloner(
            CloneRequest(
                source=source,
                path=place,
                description=self._description,
                reckless=self._reckless or dataset.setting("datalad.clone.reckless") or "",
            ),
            dataset.around,
            clock=self._clock,
        )
        cloner.check()
        was_there = cloner.is_there()
        inner = cloner.clone()
        try:
            _check_out(inner, recorded)
        except Unavailable:
            if not was_there:  # it is the clone of something else, and nobody saw it yet
                durable.remove_tree(dataset.steps, place)
                durable.make_folder(dataset.steps, place)
            raise
        used = source.given if source.is_relative else cloner.used
        self._note(dataset, recorded, inner, used)
        cloner.finish()
        return used

    def _note(self, dataset: Dataset, recorded: Recorded, inner: Dataset, url: str) -> None:
        """Tell git that the subdataset is in use, and the subdataset what the user set about its own ones."""
        with only_engram(dataset.steps, dataset.git_dir):
            clear_what_a_crash_left(dataset.steps, dataset.git_dir)
            section = header(b"submodule", os.fsencode(recorded.name))
            change_config(dataset, {section: {b"active": b"true", b"url": os.fsencode(without_secrets(url))}})
        own = {found.name for found in dataset.config.settings if found.scope == "local"}
        known = templates(inner)
        inherited = {
            _PREFIX + os.fsencode(name): os.fsencode(value)
            for name, value in templates(dataset).items()
            if name not in known and f"datalad.get.{_PREFIX.decode()}{name}" in own
        }
        if inherited:
            with only_engram(inner.steps, inner.git_dir):
                clear_what_a_crash_left(inner.steps, inner.git_dir)
                change_config(inner, {header(b"datalad", b"get"): inherited})

    def _outcome(self, place: str, to_get: str, *, used: str = "", problem: str = "") -> Outcome:
        path = os.path.relpath(place, self._refds)
        return DatasetOutcome(
            action="install",
            item=path,
            status=Status.ERROR if problem else Status.OK,
            message=f"{path} could not be installed from anywhere: {problem}" if problem else "",
            error=SourceUnavailable.__name__ if problem else "",
            remedy=f"Clone it yourself where you know a source: engram clone SOURCE {path}" if problem else "",
            note="" if problem else f"Installed subdataset in order to get {to_get}",
            path=place,
            type="dataset",
            refds=self._refds,
            extra=(("contains", (to_get,)), *((("source", _source(used, path)),) if used else ())),
        )


def _source(used: str, path: str) -> dict[str, Leaf]:
    """DataLad's words about where a clone came from."""
    url = without_secrets(used)
    return {
        "default_destpath": os.path.basename(path),
        "giturl": url,
        "source": url,
        "type": "giturl",
        "version": None,
    }


def is_installed(place: str) -> bool:
    """Whether a subdataset is at *place*, and its installation was finished."""
    return holds_repository(os.fsencode(place)) and not read_mark(place)


def below(dataset: Dataset, scope: bytes) -> list[Recorded]:
    """The subdatasets at or below *scope*, installed or not, in the order of the index."""
    modules = submodules_of(dataset)
    return [
        Recorded(path, oid, modules.get(path))
        for path, oid in _subdatasets(dataset)
        if not scope or path == scope or path.startswith(scope + b"/")
    ]


def around(dataset: Dataset, scope: bytes) -> Recorded | None:
    """The subdataset of *dataset* that is *scope*, or in which it lies; ``None`` when there is none."""
    for path, oid in _subdatasets(dataset):
        if path == scope or scope.startswith(path + b"/"):
            return Recorded(path, oid, submodules_of(dataset).get(path))
    return None


def _subdatasets(dataset: Dataset) -> list[tuple[bytes, bytes]]:
    """Path and recorded commit of each subdataset; git is asked where the index is in a form that is not read here."""
    try:
        return subdatasets_in(dataset)
    except NotUnderstood:
        lines = dataset.programs.git(dataset.work_tree, "ls-files", "--stage", "-z").split(b"\0")[:-1]
        found = ((head.split(b" "), path) for head, _, path in (line.partition(b"\t") for line in lines))
        return [(path, bytes.fromhex(words[1].decode())) for words, path in found if words[0] == b"160000"]


def _address(url: str, dataset: Dataset) -> Address:
    """A candidate as an address. Raises `UsageError` for one that git is not given."""
    return read_address(url, dataset.work_tree)


def _check_out(inner: Dataset, recorded: Recorded) -> None:
    """Bring the commit that the superdataset records into the work tree: on its branch, where it is part of that.

    Raises `Unavailable` when the source does not have the commit.
    """
    commit = recorded.oid.hex()
    if inner.head_commit() == commit:
        return
    programs, top = inner.programs, inner.work_tree
    if not _has_commit(inner, commit):
        remote = inner.setting(f"branch.{inner.head_name().removeprefix('refs/heads/')}.remote") or "origin"
        programs.git_status_of(top, "fetch", "-q", "--no-tags", "--no-recurse-submodules", remote, commit)
    if not _has_commit(inner, commit):
        raise Unavailable(os.fsdecode(recorded.path), f"its source does not have the recorded commit {commit[:8]}")
    branch = inner.head_name().removeprefix("refs/heads/")
    tip = inner.head_commit()
    inner.objects.refresh()
    follows = bool(branch and tip) and is_ancestor(inner.objects, recorded.oid, bytes.fromhex(tip))
    words = ("reset", "-q", "--hard", commit) if follows else ("checkout", "-q", "--detach", commit)
    programs.git(top, *words)


def _has_commit(inner: Dataset, commit: str) -> bool:
    return inner.programs.git_status_of(inner.work_tree, "cat-file", "-e", f"{commit}^{{commit}}")[0] == 0
