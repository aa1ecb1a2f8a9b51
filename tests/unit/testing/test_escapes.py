"""Each dataset that reaches outside does so, when a careless command is run in it."""

import hashlib
import os
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from engram.testing import bombs, escapes
from engram.testing.canary import Canary, heard_in
from engram.testing.escapes import ESCAPES, index_of
from engram.testing.malice import Malice
from engram.testing.places import scratch
from engram.testing.processes import Command, run

ADD = "touch new; git add -A"
#: What changes the cage, or brings the canary's song into the dataset.
CARELESS = {
    "work_tree_elsewhere": "cd $(git config core.worktree) && git --git-dir=$OLDPWD/.git add -A",
    "repository_elsewhere": ADD,
    "annex_elsewhere": "cp -r data.txt .git/annex/",
    "annex_objects_elsewhere": "cp -r data.txt .git/annex/objects/",
    "annex_databases_elsewhere": "git annex init; git annex add; git annex whereis",
    "annex_journal_elsewhere": "git annex init; git annex add; git commit -m x",
    "annex_temporary_elsewhere": "rm .git/annex/othertmp/*",
    "own_folder_elsewhere": "rm .git/engram/tmp/*",
    "git_objects_elsewhere": "echo new >new; git add -A",
    "index_elsewhere": ADD,
    "branch_elsewhere": "echo $(git rev-parse HEAD) >.git/refs/heads/git-annex",
    "head_elsewhere": "echo $(git rev-parse HEAD) >.git/$(sed 's/ref: //' .git/HEAD)",
    "content_is_a_link": "cat annexed.txt >copied",
    "link_through_the_annex": "mkdir -p $(readlink annexed.txt | sed 's,[.][.]/.*,,'); cat annexed.txt >copied",
    "pointer_with_dots": (
        "mkdir -p .git/annex/objects/00/00/x; cat .git/annex/objects/00/00/x/$(sed 's/.*--//' annexed.txt) >copied"
    ),
    "folder_swapped_for_a_link": "cat sub/canary >copied",
    "submodule_is_a_link": "cd other; git add -A",
    "index_that_climbs_out": "for f in $(git ls-files | grep ^.[.]/cage); do cat $f >copied; done",
}
#: What shows only in other ways; each has its own test here, or reads rules that are no secret.
WITHOUT_A_TRACE = {
    "journal_name_with_dots",
    "attributes_elsewhere",
    "ignore_rules_elsewhere",
    "attributes_without_end",
    "submodule_names",
    "alternates_elsewhere",
    "alternates_in_a_circle",
    "index_with_a_lying_count",
    "uuid_of_several_lines",
    "settings_on_the_annex_branch",
    "bomb_on_the_annex_branch",
    "bomb_in_a_pack",
}


@pytest.fixture
def scene() -> Iterator[Path]:
    with scratch() as folder:
        yield folder


@pytest.fixture
def canary(scene: Path) -> Canary:
    return Canary(scene / "cage")


@pytest.fixture
def repository(scene: Path) -> Path:
    folder = scene / "dataset"
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    (folder / "data.txt").write_text("data\n")
    subprocess.run("git add . && git commit -qm first", shell=True, cwd=folder, check=True)
    return folder


def test_every_escape_is_shown_to_work_or_said_to_leave_no_trace() -> None:
    assert {make.__name__ for make in ESCAPES} == set(CARELESS) | WITHOUT_A_TRACE
    homes = {escapes.__name__, bombs.__name__}
    makers = {value for value in vars(escapes).values() if callable(value) and value.__module__ in homes}
    assert {make for make in makers if not make.__name__.startswith("_")} - {index_of} == set(ESCAPES)


@pytest.mark.parametrize("make", ESCAPES, ids=lambda make: make.__name__)
def test_an_escape_says_what_it_is_and_harms_nothing_by_itself(repository: Path, canary: Canary, make: Malice) -> None:
    assert make(repository, canary)
    assert canary.lives()
    assert heard_in(repository) == []


@pytest.mark.parametrize(
    "make", [make for make in ESCAPES if make.__name__ in CARELESS], ids=lambda make: make.__name__
)
def test_a_careless_command_reaches_the_canary(
    request: pytest.FixtureRequest, repository: Path, canary: Canary, make: Malice
) -> None:
    if "git annex" in CARELESS[make.__name__]:
        request.getfixturevalue("git_annex")
    make(repository, canary)
    run(Command(arguments=("sh", "-c", CARELESS[make.__name__]), folder=repository))
    assert not canary.lives() or heard_in(repository)


def test_an_index_is_read_by_git_as_it_was_meant(repository: Path, canary: Canary) -> None:
    empty = hashlib.sha1(b"blob 0\0").digest()
    (repository / ".git" / "index").write_bytes(index_of([(0o100644, empty, b"a"), (0o120000, empty, b"b" * 300)]))
    listed = subprocess.run(
        ["git", "ls-files", "-s"], cwd=repository, capture_output=True, text=True, check=True
    ).stdout
    assert listed == f"100644 {empty.hex()} 0\ta\n120000 {empty.hex()} 0\t{'b' * 300}\n"
    escapes.index_that_climbs_out(repository, canary)
    listed = subprocess.run(["git", "ls-files"], cwd=repository, capture_output=True, text=True).stdout
    assert "../cage/canary" in listed


def test_the_bombs_are_small_and_unpack_to_much(repository: Path, canary: Canary) -> None:
    bombs.bomb_on_the_annex_branch(repository, canary)
    (bomb,) = (repository / ".git" / "objects" / "b0").iterdir()
    assert bomb.stat().st_size < 1 << 20
    assert len(zlib.decompress(bomb.read_bytes())) > 256 << 20
    bombs.bomb_in_a_pack(repository, canary)
    (pack,) = (repository / ".git" / "objects" / "pack").glob("*.pack")
    assert pack.stat().st_size < 1 << 20
    size = subprocess.run(
        ["git", "cat-file", "-s", ":.gitattributes"], cwd=repository, capture_output=True, text=True, check=True
    )
    assert int(size.stdout) == 256 << 20


def test_rules_without_end_stop_whoever_opens_them_to_read(repository: Path, canary: Canary) -> None:
    escapes.attributes_without_end(repository, canary)
    with pytest.raises(TimeoutError):
        run(Command(arguments=("cat", "waiting/.gitattributes"), folder=repository), patience_s=0.3)
    with pytest.raises(OSError, match="No such device or address"):
        os.open(repository / "waiting" / ".gitattributes", os.O_WRONLY | os.O_NONBLOCK)
