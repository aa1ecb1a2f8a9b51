"""What is cloned runs nothing, leads nowhere outside of the clone, and chooses no host, program or credential."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engram.testing.canary import Canary, heard_in
from engram.testing.escapes import ESCAPES
from engram.testing.malice import PROGRAMS, Malice, every_hook, fsmonitor, git_annex_branch_with
from engram.testing.places import Template, fresh_folder, scratch
from engram.testing.processes import Ended, run
from tests.integration.faults.operations import DATASET, command, dataset_with_changes, git

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("git_annex")]

MOST_MEMORY_BYTES = 800 << 20


@pytest.fixture(scope="module")
def innocent(git_annex: Path) -> Iterator[Template]:
    with scratch() as scene:
        yield Template(dataset_with_changes(fresh_folder(scene)), scene)


@pytest.fixture
def folder(innocent: Template) -> Path:
    return innocent.fresh()


@pytest.fixture
def source(folder: Path) -> Path:
    return folder / DATASET


@pytest.fixture
def canary(folder: Path) -> Canary:
    return Canary(folder / "cage")


def engram(canary: Canary, folder: Path, *words: str) -> Ended:
    """Run a command with what a careless user has on PATH, and little memory."""
    plain = command(folder, *words)
    environment = {**(plain.environment or {}), "PATH": f"{canary.cage / 'bin'}:{os.environ['PATH']}"}
    arguments = ("prlimit", f"--as={MOST_MEMORY_BYTES}", "--", *plain.arguments)
    return run(replace(plain, arguments=arguments, environment=environment))


def in_plain_words(ended: Ended) -> None:
    assert "Traceback" not in ended.errors
    assert "bug in engram" not in ended.errors, ended.errors
    assert ended.exit_code >= 0


@pytest.mark.parametrize("make", [*PROGRAMS, *ESCAPES], ids=lambda make: make.__name__)
def test_the_canary_lives_when_the_source_is_poisoned(folder: Path, source: Path, canary: Canary, make: Malice) -> None:
    make(source, canary)
    ended = engram(canary, folder, "clone", DATASET, "copy")
    assert canary.lives(), ended.errors
    in_plain_words(ended)
    if (folder / "copy").exists():
        assert heard_in(folder / "copy") == []


@pytest.mark.parametrize("make", PROGRAMS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("words", [["clone", "../good", "sub"], ["clone", "-d", ".", "../good", "sub"]], ids=" ".join)
@pytest.mark.long
def test_the_canary_lives_when_the_place_is_poisoned(
    folder: Path, source: Path, canary: Canary, make: Malice, words: list[str]
) -> None:
    subprocess.run(["git", "clone", "-q", str(source), str(folder / "good")], check=True)
    make(source, canary)
    ended = engram(canary, source, *words)
    assert canary.lives(), ended.errors
    in_plain_words(ended)


@pytest.mark.parametrize("make", [every_hook, fsmonitor], ids=lambda make: make.__name__)
def test_a_poisoned_superdataset_is_refused_before_anything_is_cloned(
    folder: Path, source: Path, canary: Canary, make: Malice
) -> None:
    subprocess.run(["git", "clone", "-q", str(source), str(folder / "good")], check=True)
    make(source, canary)
    ended = engram(canary, source, "clone", "-d", ".", "../good", "sub")
    assert ended.exit_code == 2
    assert "engram trust" in ended.errors
    assert not (source / "sub").exists()


@pytest.mark.parametrize(
    "address",
    [
        "ext::sh -c touch% {cage}/dead",
        "fd::17",
        "-u{cage}/evil",
        "--upload-pack={cage}/evil",
        "ssh://-oProxyCommand={cage}/evil/x",
        "-oProxyCommand={cage}/evil:x",
        "git://127.0.0.1:1/x",
        "ria+file://{cage}#~x",
        "file://-x/y",
        "https://",
        "http://[::1/x",
        "a\nb",
        "",
    ],
)
def test_addresses_that_try_tricks_are_refused(folder: Path, canary: Canary, address: str) -> None:
    before = sorted(os.listdir(folder))
    ended = engram(canary, folder, "clone", "--", address.format(cage=canary.cage), "copy")
    assert ended.exit_code == 2, (ended.exit_code, ended.errors)
    in_plain_words(ended)
    assert canary.lives()
    assert sorted(os.listdir(folder)) == before


@pytest.mark.parametrize(
    ("path", "mode"), [("..", "40000"), (".git", "40000"), (".GIT", "40000"), ("a/../b", "40000")], ids=str
)
def test_trees_that_reach_into_git_or_out_of_the_clone_are_refused(
    folder: Path, source: Path, canary: Canary, path: str, mode: str
) -> None:
    hook = _object(source, "blob", f"#!/bin/sh\n{canary.command}\n".encode())
    inner = _tree(source, ("100755", "post-checkout", hook))
    tree = _tree(source, (mode, path, _tree(source, ("40000", "hooks", inner))))
    commit = git(source, "commit-tree", "-m", "evil", tree).strip()
    git(source, "update-ref", "HEAD", commit)
    git(source, "update-server-info")
    ended = engram(canary, folder, "clone", DATASET, "copy")
    assert canary.lives()
    in_plain_words(ended)
    assert not (folder / "copy").exists() or not list((folder / "copy").glob("**/post-checkout"))


def _object(folder: Path, kind: str, content: bytes) -> str:
    words = ["git", "hash-object", "-w", "--literally", "-t", kind, "--stdin"]
    return subprocess.run(words, cwd=folder, input=content, capture_output=True, check=True).stdout.decode().strip()


def _tree(folder: Path, *entries: tuple[str, str, str]) -> str:
    content = b"".join(f"{mode} {name}".encode() + b"\0" + bytes.fromhex(oid) for mode, name, oid in entries)
    return _object(folder, "tree", content)


def test_names_of_special_remotes_are_shown_without_their_tricks(folder: Path, source: Path, canary: Canary) -> None:
    uuid = "33333333-0000-4000-8000-000000000000"
    line = f"{uuid} autoenable=true name=x;echo&32;dead&27;[31m type=external externaltype=evil timestamp=1s\n"
    git_annex_branch_with(source, {"remote.log": line.encode()})
    ended = engram(canary, folder, "clone", DATASET, "copy")
    assert ended.exit_code == 0, ended.errors
    assert "special remotes not enabled" in ended.output
    assert "\x1b" not in ended.output
    assert git(folder / "copy", "remote") == "origin\n"
