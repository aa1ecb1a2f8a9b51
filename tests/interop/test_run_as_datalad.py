"""`run` records what DataLad's `run` records: the same message, byte for byte, and the same tree."""

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engram.workspace.context import Context
from engram.workspace.provenance import Provenance
from tests.interop.peers import DataLad, Pair, create, git, keys_of, links_of, modes_of, pair_of, save, tree_of, write

pytestmark = pytest.mark.integration


def provenance(folder: Path) -> Provenance:
    import os

    return Provenance(Context(folder=str(folder), environment=dict(os.environ)))


def run(folder: Path, cmd: Any, **options: Any) -> list[dict[str, Any]]:
    return [outcome.as_json() for outcome in provenance(folder).run(cmd, **options)]


def message(folder: Path, revision: str = "HEAD") -> str:
    return git(folder, "log", "-1", "--format=%B", revision)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, git_annex: Path) -> Path:
    """A dataset with annexed files, files in git, a folder, and placeholders of its own."""
    folder = tmp_path_factory.mktemp("run") / "ds"
    create(folder)
    write(folder, "a.txt", "alpha\n")
    write(folder, "sub dir/b.txt", "beta\n")
    write(folder, "sub dir/deep/c.txt", "gamma\n")
    write(folder, "out.txt", "old\n")
    write(
        folder,
        ".gitattributes",
        "* annex.backend=SHA256E\n**/.git* annex.largefiles=nothing\n*.sh annex.largefiles=nothing\n",
    )
    write(folder, "code.sh", "echo from code > made.txt\n")
    config = (folder / ".datalad/config").read_text()
    write(folder, ".datalad/config", config + '[datalad "run.substitutions"]\n\tname = joe\n')
    save(folder, message="all of it")
    return folder


@pytest.fixture
def pair(original: Path, tmp_path: Path) -> Pair:
    return pair_of(original, tmp_path)


CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "one line": ("echo x > new.txt", {}),
    "words": (["cp", "a.txt", "with space.txt"], {}),
    "one word": (["echo 1 > one.txt; echo 2 > two.txt"], {}),
    "a message": ("echo x > new.txt", {"message": "what it is about\n\nand more  \n"}),
    "an empty message": ("echo x > new.txt", {"message": ""}),
    "a long command": ("echo " + "ä" * 60 + " > new.txt", {}),
    "two lines": ("echo x \\\n > new.txt", {}),
    "inputs": ("cat {inputs} > new.txt", {"inputs": ["a.txt", "sub dir/b.txt"]}),
    "one of the inputs": (
        "cat {inputs[1]} > {outputs[0]}",
        {"inputs": ["a.txt", "sub dir/*.txt"], "outputs": ["n.txt"]},
    ),
    "deep patterns": ("cat {inputs} > new.txt", {"inputs": ["**/*.txt"]}),
    "expanded inputs": ("cat {inputs} > new.txt", {"inputs": ["**/*.txt", "./a.txt", "."], "expand": "inputs"}),
    "expanded outputs": ("touch o1 o2; echo > o3", {"outputs": ["o*", "none*"], "expand": "outputs"}),
    "both expanded": ("echo > o3", {"inputs": ["sub dir/"], "outputs": ["o*"], "expand": "both"}),
    "an output that is there": ("echo more >> out.txt", {"outputs": ["out.txt"]}),
    "outputs for inputs": (
        "cat {inputs} > new.txt; echo x >> out.txt",
        {"inputs": ["{outputs}"], "outputs": ["out.txt"]},
    ),
    "a placeholder of its own": ("echo {name} {{brace}} > {name}.txt", {"outputs": ["{name}.txt"]}),
    "where it runs": ("echo {pwd} {dspath} | wc -w > n.txt", {}),
    "ready": ("echo x > new.txt", {"inputs": ["a.txt"], "outputs": ["out.txt"], "assume_ready": "both"}),
    "a deletion": ("rm out.txt", {}),
    "explicit": ("echo x > new.txt; echo y > other.txt", {"outputs": ["new.txt"], "explicit": True}),
    "explicit deletion": ("rm out.txt; echo y > other.txt", {"outputs": ["out.txt"], "explicit": True}),
    "explicit, nothing named": ("echo x > new.txt", {"explicit": True}),
    "a file of its own": ("echo x > new.txt", {"sidecar": True, "inputs": ["a.txt"]}),
    "nothing": ("true", {}),
    "failure that is saved": ("echo x > new.txt; exit 3", {"on_cmd_failure": "save"}),
    "signal that is saved": ("echo x > new.txt; kill -15 $$", {"on_cmd_failure": "save"}),
    "commits of its own": ("echo x > n.txt; git annex add -q n.txt; git commit -qm own; echo y > more.txt", {}),
    "commits of its own, nothing more": (
        "echo x > n.txt; git annex add -q n.txt; git commit -qm own",
        {"message": "m"},
    ),
    "explicit commits": (
        "echo x > n.txt; git annex add -q n.txt; git commit -qm own",
        {"explicit": True, "outputs": ["n.txt"]},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_same_message_and_the_same_tree(case: str, pair: Pair, datalad_api: DataLad) -> None:
    cmd, options = CASES[case]
    ours = {("on_command_failure" if name == "on_cmd_failure" else name): value for name, value in options.items()}
    run(pair.ours, cmd, **ours)
    datalad_api("run", pair.theirs, cmd=cmd, **options)
    assert message(pair.ours) == message(pair.theirs)
    assert tree_of(pair.ours) == tree_of(pair.theirs)
    assert links_of(pair.ours) == links_of(pair.theirs)
    assert modes_of(pair.ours) == modes_of(pair.theirs)
    count = ["rev-list", "--count", "HEAD"]
    assert git(pair.ours, *count) == git(pair.theirs, *count)
    assert git(pair.ours, "status", "--porcelain") == git(pair.theirs, "status", "--porcelain")
    assert re.sub(r"\b[0-9a-f]{40}\b", "", git(pair.ours, "log", "--format=%P|%s")).count("|") == git(
        pair.theirs, "log", "--format=%P|%s"
    ).count("|")
