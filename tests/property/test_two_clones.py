"""Two people and a server share a dataset, for days, with crashes: never a copy too few, never a log that lies.

A model in plain Python knows what each clone's files hold and which contents were ever committed. After every verb, and
after every death of one, it is compared with the disks themselves.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from engram.datasets.dataset import Surroundings, open_dataset
from engram.datasets.logbook import change_branch
from engram.datasets.whereabouts import Whereabouts
from engram.durable import Steps
from engram.model.outcome import Outcome
from engram.testing.changing import File, tree_on_disk
from engram.testing.faults import DyingAt, in_child
from engram.testing.places import Template, fresh_folder, scratch
from engram.workspace.auditing import Custody
from engram.workspace.context import Context
from engram.workspace.datasets import Datasets
from engram.workspace.dropping import Dropping
from engram.workspace.getting import Getting
from engram.workspace.provenance import Provenance
from tests.integration.clones import connect, uuid_of
from tests.interop.peers import annex, create, git, write

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.usefixtures("git_annex")]

CLONES = ("a", "b")
SERVER = "c"
PLACES = (*CLONES, SERVER)
NAMES = ("one.dat", "two.dat", "d/three.dat")

#: What a verb does in a dataset.
Verb = Callable[[Path, Steps], Iterable[Outcome]]


def _context(folder: Path) -> Context:
    return Context(folder=str(folder), environment=dict(os.environ))


def save(folder: Path, steps: Steps) -> Iterable[Outcome]:
    return Datasets(_context(folder), steps=steps).save(message="saved")


def get(path: str, folder: Path, steps: Steps) -> Iterable[Outcome]:
    return Getting(_context(folder), steps=steps).get([path])


def drop(path: str, folder: Path, steps: Steps) -> Iterable[Outcome]:
    return Dropping(_context(folder), steps=steps).drop([path])


def remove(path: str, folder: Path, steps: Steps) -> Iterable[Outcome]:
    return Dropping(_context(folder), steps=steps).remove([path])


def unlock(path: str, folder: Path, steps: Steps) -> Iterable[Outcome]:
    return Provenance(_context(folder), steps=steps).unlock([path])


def fsck(full: bool, folder: Path, steps: Steps) -> Iterable[Outcome]:
    return Custody(_context(folder), steps=steps).fsck(full=full)


def unused(folder: Path, steps: Steps) -> Iterable[Outcome]:
    custody = Custody(_context(folder), steps=steps)
    found = [outcome for outcome in custody.unused() if outcome.status == "ok"]
    return custody.dropunused(["all"]) if found else found


def merge(folder: Path, steps: Steps) -> Iterable[Outcome]:
    opened = open_dataset(str(folder), Surroundings(environment=dict(os.environ), steps=steps))
    change_branch(opened, lambda _: {}, now_s=1_800_000_000)
    return ()


def _exit_code(verb: Verb, folder: Path, steps: Steps) -> int:
    outcomes = list(verb(folder, steps))  # all of it is to be done
    return 3 if any(outcome.failed for outcome in outcomes) else 0


class World:
    """Three repositories on this machine, and what they hold."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.uuids = {place: uuid_of(folder / place).encode() for place in PLACES}

    def held(self, place: str) -> frozenset[str]:
        """The keys whose contents lie in a repository's annex."""
        git_dir = self.folder / place if place == SERVER else self.folder / place / ".git"
        return frozenset(path.name for path in (git_dir / "annex" / "objects").glob("*/*/*/*") if path.name != "lck")

    def copies(self) -> Counter[str]:
        """How many repositories hold each key."""
        return Counter(key for place in PLACES for key in self.held(place))

    def claimed(self, place: str) -> frozenset[str]:
        """The keys that a clone says that it holds itself."""
        opened = open_dataset(str(self.folder / place), Surroundings(environment=dict(os.environ)))
        whereabouts = Whereabouts(opened)
        everything = frozenset().union(*(self.held(other) for other in PLACES)) | self.ever
        return frozenset(key for key in everything if self.uuids[place] in whereabouts.holders(key.encode()))

    #: Keys that were held somewhere at some time.
    ever: frozenset[str] = frozenset()


class TwoClones(RuleBasedStateMachine):
    """What two people do, in any order."""

    templates: ClassVar[dict[int, Template]] = {}

    @initialize(numcopies=st.sampled_from([1, 2]))
    def begin(self, numcopies: int) -> None:
        self.numcopies = numcopies
        folder = self.templates[numcopies].fresh()
        for name in CLONES:
            git(folder / name, "update-index", "-q", "--really-refresh")
        self.world = World(folder)
        self.world.ever = frozenset(self.world.copies())
        #: By clone, what each file holds; ``a/…`` is changed by a only, so that nothing is in conflict.
        self.files = {name: {f"{name}/{NAMES[0]}": f"{name} begins".encode()} for name in CLONES}
        for name, other in (CLONES, CLONES[::-1]):
            self.files[name] |= {path: content for path, content in self.files[other].items() if path[0] == other}
        #: Keys that a commit names.
        self.committed = frozenset(self.world.copies())

    # --- what is done

    @rule(clone=st.sampled_from(CLONES), name=st.sampled_from(NAMES), content=st.binary(max_size=40), dies=st.data())
    def write_and_save(self, clone: str, name: str, content: bytes, dies: st.DataObject) -> None:
        path = f"{clone}/{name}"
        write(self.world.folder / clone, path, b"\0binary" + content)
        self.files[clone][path] = b"\0binary" + content
        self._save(clone, dies)

    @rule(clone=st.sampled_from(CLONES), which=st.integers(0, 9), to=st.sampled_from(NAMES), dies=st.data())
    def rename_and_save(self, clone: str, which: int, to: str, dies: st.DataObject) -> None:
        path, new = self._own(clone, which), f"{clone}/{to}"
        if path is None or path == new:
            return
        folder = self.world.folder / clone
        (folder / new).parent.mkdir(exist_ok=True)
        os.rename(folder / path, folder / new)
        self.files[clone][new] = self.files[clone].pop(path)
        self._save(clone, dies)

    @rule(
        clone=st.sampled_from(CLONES), which=st.integers(0, 9), more=st.binary(min_size=1, max_size=9), dies=st.data()
    )
    def unlock_and_change(self, clone: str, which: int, more: bytes, dies: st.DataObject) -> None:
        path = self._own(clone, which)
        if path is None or self._do(clone, partial(unlock, path), dies) != 0:
            return
        place = self.world.folder / clone / path
        assert place.read_bytes() == self.files[clone][path]
        with place.open("ab") as file:
            file.write(more)
        self.files[clone][path] += more
        self._save(clone, dies)

    @rule(clone=st.sampled_from(CLONES), path=st.sampled_from([".", "a", "b"]), dies=st.data())
    def get(self, clone: str, path: str, dies: st.DataObject) -> None:
        if path != "." and not self._below(clone, path):
            return
        if self._do(clone, partial(get, path), dies) == 0:
            assert self._below(clone, path) <= self._readable(clone).items()

    @rule(clone=st.sampled_from(CLONES), path=st.sampled_from([".", "a", "b"]), dies=st.data())
    def drop(self, clone: str, path: str, dies: st.DataObject) -> None:
        if path != "." and not self._below(clone, path):
            return
        before = self.world.copies()
        if self._do(clone, partial(drop, path), dies, lets_go=True) == 0:
            assert not {name for name, _ in self._below(clone, path)} & set(self._readable(clone))
        self._copies_suffice(before)

    @rule(clone=st.sampled_from(CLONES), which=st.integers(0, 9), dies=st.data())
    def remove(self, clone: str, which: int, dies: st.DataObject) -> None:
        path = self._own(clone, which)
        if path is None:
            return
        before = self.world.copies()
        if self._do(clone, partial(remove, path), dies, lets_go=True) == 0:
            del self.files[clone][path]
        self._copies_suffice(before)

    @rule(clone=st.sampled_from(CLONES), dies=st.data())
    def drop_unused(self, clone: str, dies: st.DataObject) -> None:
        before = self.world.copies()
        self._do(clone, unused, dies, lets_go=True)
        self._copies_suffice(before)

    @rule(clone=st.sampled_from(CLONES), full=st.booleans(), dies=st.data())
    def fsck(self, clone: str, full: bool, dies: st.DataObject) -> None:
        self._do(clone, partial(fsck, full), dies)
        tracked = self.world.held(clone)
        assert self.world.claimed(clone) <= tracked

    @rule(clone=st.sampled_from(CLONES), dies=st.data())
    def pull(self, clone: str, dies: st.DataObject) -> None:
        other = CLONES[clone == CLONES[0]]
        folder = self.world.folder / clone
        git(folder, "fetch", "-q", "--all")
        remote = next(name for name in git(folder, "remote").split() if name in (other, "origin"))
        branch = git(self.world.folder / other, "symbolic-ref", "--short", "HEAD").strip()
        git(folder, "merge", "-q", "--no-edit", f"{remote}/{branch}")
        theirs = {path: content for path, content in self.files[other].items() if path[0] == other}
        self.files[clone] = {path: content for path, content in self.files[clone].items() if path[0] == clone} | theirs
        self._do(clone, merge, dies)

    @rule(clone=st.sampled_from(CLONES))
    def send_all_to_the_server(self, clone: str) -> None:
        annex(self.world.folder / clone, "copy", "-q", "--to", SERVER, ".")

    # --- what must hold

    def _save(self, clone: str, dies: st.DataObject) -> None:
        assert self._do(clone, save, dies) == 0
        self.committed |= self.world.held(clone)

    def _do(self, clone: str, verb: Verb, dies: st.DataObject, *, lets_go: bool = False) -> int:
        """How it ended, after a death in the middle perhaps."""
        folder = self.world.folder / clone
        operation = partial(_exit_code, verb)
        before = self.world.copies()
        if step := dies.draw(st.just(0) | st.integers(1, 60), label="dies at"):
            in_child(operation, folder, DyingAt(step))
            self._holds(clone, before, lets_go=lets_go)
        ending = in_child(operation, folder)
        assert not ending.bug, ending.bug
        assert ending.exit_code in (0, 3), ending
        self._holds(clone, before, lets_go=lets_go)
        return ending.exit_code or 0

    def _holds(self, clone: str, before: Counter[str], *, lets_go: bool) -> None:
        now = self.world.copies()
        self.world.ever |= frozenset(now)
        fewer = {key for key in before if now[key] < before[key]}
        assert lets_go or not fewer, f"gone without a reason: {fewer}"
        lost = {key for key in self.committed if not now[key]}
        assert not lost, f"nobody has {lost}"
        lies = self.world.claimed(clone) - self.world.held(clone)
        assert not lies, f"{clone} claims {lies}"

    def _copies_suffice(self, before: Counter[str]) -> None:
        now = self.world.copies()
        too_few = {key for key in self.committed if now[key] < min(before[key], self.numcopies)}
        assert not too_few

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        for clone in CLONES:
            folder = self.world.folder / clone
            assert git(folder, "status", "--porcelain") == ""
            assert git(folder, "fsck", "--strict", "--no-dangling", "--no-progress") == ""
            present = set(annex(folder, "find", "--in", "here", "--format=${key}\\n").split())
            assert present <= self.world.held(clone)
            annex(folder, "fsck", "--quiet", "--numcopies=0")
            self._whereis_agrees(folder)

    def _whereis_agrees(self, folder: Path) -> None:
        theirs = annex(folder, "whereis", "--format=${file}:${uuid}\\n", fine=(0, 1)).split("\n")
        ours = [f"{outcome.item}:{uuid}" for outcome in Custody(_context(folder)).whereis() for uuid in _uuids(outcome)]
        assert sorted(filter(None, theirs)) == sorted(ours)

    # --- what the model knows

    def _own(self, clone: str, which: int) -> str | None:
        own = sorted(path for path in self.files[clone] if path[0] == clone)
        return own[which % len(own)] if own else None

    def _below(self, clone: str, path: str) -> set[tuple[str, bytes]]:
        return {(name, content) for name, content in self.files[clone].items() if path == "." or name[0] == path}

    def _readable(self, clone: str) -> dict[str, bytes]:
        """The annexed files of a clone whose content can be read."""
        return {
            os.fsdecode(path): entry.content
            for path, entry in tree_on_disk(self.world.folder / clone).items()
            if isinstance(entry, File) and path[:2] in (b"a/", b"b/") and b"/annex/objects/" not in entry.content
        }


def _uuids(outcome: Outcome) -> Iterator[str]:
    copies = outcome.as_json().get("copies") or ()
    return (str(copy["uuid"]) for copy in copies)


def _three(folder: Path, numcopies: int) -> Path:
    """Two clones and a bare repository that know each other; the first and the last hold everything."""
    first = folder / CLONES[0]
    create(first)
    for clone in CLONES:
        write(first, f"{clone}/{NAMES[0]}", f"{clone} begins")
    for outcome in (*Datasets(_context(first)).save(), *Custody(_context(first)).numcopies(numcopies)):
        assert not outcome.failed
    git(folder, "clone", "-q", CLONES[0], CLONES[1])
    git(folder, "clone", "-q", "--bare", CLONES[0], SERVER)
    connect(folder, CLONES[1], "origin", CLONES[0])
    for name in (CLONES[1], SERVER):
        annex(folder / name, "init", "-q", name)
    connect(folder, CLONES[0], CLONES[1], CLONES[1])
    for clone in CLONES:
        connect(folder, clone, SERVER, SERVER)
    annex(first, "copy", "-q", "--to", SERVER, ".")
    for clone in (*CLONES, *CLONES):
        git(folder / clone, "fetch", "-q", "--all")
        annex(folder / clone, "merge", "-q")
    return folder


@pytest.fixture(scope="module")
def templates(git_annex: Path) -> Iterator[dict[int, Template]]:
    with scratch() as scene:
        yield {numcopies: Template(_three(fresh_folder(scene), numcopies), scene) for numcopies in (1, 2)}


_FEW = settings(
    max_examples=8,
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)
_MANY = settings(_FEW, max_examples=150, stateful_step_count=25, derandomize=False)


def test_whatever_two_people_do_nothing_is_lost_and_no_log_lies(templates: dict[int, Template]) -> None:
    TwoClones.templates = templates
    run_state_machine_as_test(TwoClones, settings=_FEW)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_whatever_they_do_for_long(templates: dict[int, Template]) -> None:
    TwoClones.templates = templates
    run_state_machine_as_test(TwoClones, settings=_MANY)
