"""Each malicious repository works: a careless command in it kills the canary."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engram.testing import malice
from engram.testing.canary import Canary, heard_in
from engram.testing.malice import PROGRAMS, Malice
from engram.testing.places import scratch
from engram.testing.processes import Command, run

#: What a careless tool would do; git fails after some of them, which is none of our business.
CARELESS = {
    "every_hook": "git commit -m x",
    "line_added_to_a_known_hook": "git commit -m x",
    "hooks_path": "git commit -m x",
    "fsmonitor": "git status",
    "fsmonitor_in_worktree_config": "git status",
    "fsmonitor_included": "git status",
    "fsmonitor_included_if": "git status",
    "fsmonitor_in_common_folder": "git status",
    "fsmonitor_of_a_nested_repository": "git add nested; git status",
    "ssh_command": "git fetch",
    "remote_programs": "git fetch",
    "ext_transport": "git fetch",
    "promised_objects": "git cat-file -p 1111111111111111111111111111111111111111",
    "pagers": f'{sys.executable} -c \'import pty; pty.spawn(["git", "log"])\'',
    "editors": "git commit",
    "signing": "git commit -m x",
    "ssh_signing": "git commit -m x",
    "own_filter": "touch data.txt; git add .",
    "own_filter_process": "touch data.txt; git add .",
    "annex_filter_replaced": "touch data.txt; git add .",
    "diff_programs": "echo more >>data.txt; git diff",
    "merge_programs": (
        "git commit -qm x; echo 1 >data.txt; git commit -qam 1; git checkout -qb other HEAD~1; echo 2 >data.txt;"
        " git commit -qam 2; git merge -; git checkout -q -"
    ),
    "aliases": "git st",
    "credential_helper": "printf 'protocol=https\nhost=example.invalid\n\n' | git credential fill",
    "other_programs": "git -c trailer.tidy.key=Tidy interpret-trailers --trailer tidy=1 </dev/null",
    "annex_commands": "git annex init; git annex add data.txt",
    "annex_remote_commands": "git annex init; git annex whereis --in shelf; git annex copy --to shelf",
    "annex_hook_remote": "git annex init; cp data.txt new; git annex add new; git annex copy new --to shelf",
    "autoenabled_remote": "git annex init",
}
#: Poison for which git, git-annex and DataLad have their own remedy by now.
HARMLESS_BY_NOW = {
    "template_folder": "git init reads it from global settings only",
    "datalad_procedures": "needs DataLad to be asked for the procedure",
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
    subprocess.run("git add . && git commit -qm first && echo more >>data.txt && git add .", shell=True, cwd=folder)
    return folder


def test_a_canary_lives_where_nothing_happens(canary: Canary, repository: Path) -> None:
    subprocess.run(["git", "status"], cwd=repository)
    assert canary.lives()
    assert heard_in(repository) == []


@pytest.mark.parametrize("harm", ["echo x >>canary", "rm canary", "touch other", "ln canary other", "chmod a-w canary"])
def test_a_canary_dies_of_any_change_in_its_cage(canary: Canary, harm: str) -> None:
    subprocess.run(harm, shell=True, cwd=canary.cage, check=True)
    assert not canary.lives()


def test_a_canary_is_heard_in_a_folder_that_got_a_copy(canary: Canary, repository: Path) -> None:
    (repository / "copied").write_bytes(canary.file.read_bytes())
    assert heard_in(repository) == [str(repository / "copied")]
    assert canary.lives()


def test_every_kind_of_malice_has_its_careless_command() -> None:
    assert {make.__name__ for make in PROGRAMS} == set(CARELESS) | set(HARMLESS_BY_NOW)
    makers = {
        value
        for name, value in vars(malice).items()
        if callable(value) and value.__module__ == malice.__name__ and not name.startswith("__")
    }
    not_poison = {malice.add_config, malice.evil_program, malice.git_annex_branch_with}
    assert makers - not_poison == set(PROGRAMS)


@pytest.mark.parametrize("make", PROGRAMS, ids=lambda make: make.__name__)
def test_malice_says_what_it_is_and_harms_nothing_by_itself(repository: Path, canary: Canary, make: Malice) -> None:
    assert make(repository, canary)
    assert canary.lives()


@pytest.mark.parametrize(
    "make", [make for make in PROGRAMS if make.__name__ in CARELESS], ids=lambda make: make.__name__
)
def test_a_careless_command_kills_the_canary(
    request: pytest.FixtureRequest, repository: Path, canary: Canary, make: Malice
) -> None:
    if "git annex" in CARELESS[make.__name__]:
        request.getfixturevalue("git_annex")
    make(repository, canary)
    path = f"{canary.cage / 'bin'}:{os.environ['PATH']}"
    run(Command(arguments=("sh", "-c", CARELESS[make.__name__]), folder=repository, environment={"PATH": path}))
    assert not canary.lives()


def test_a_canary_is_heard_in_the_objects_of_git(canary: Canary, repository: Path) -> None:
    subprocess.run(["git", "hash-object", "-w", str(canary.file)], cwd=repository, check=True)
    assert len(heard_in(repository)) == 1
    subprocess.run(
        "cp ../cage/canary . && git add . && git commit -qm x && rm canary && git repack -qad && git prune-packed",
        shell=True,
        cwd=repository,
        check=True,
    )
    assert [Path(path).suffix for path in heard_in(repository)] == [".idx"]
