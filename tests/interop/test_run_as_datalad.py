"""`run` records what DataLad's `run` records: the same message, byte for byte, and the same tree."""

import os
from pathlib import Path
from typing import Any

import pytest

from engram.workspace.context import Context
from engram.workspace.provenance import Provenance
from tests.interop.peers import (
    DataLad,
    Pair,
    annex,
    create,
    engram,
    git,
    links_of,
    modes_of,
    pair_of,
    save,
    staged,
    told,
    tree_of,
    write,
)

pytestmark = pytest.mark.integration


def provenance(folder: Path) -> Provenance:
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
    said = told(run(pair.ours, cmd, **ours), pair.ours)
    told_by_datalad = told(datalad_api("run", pair.theirs, cmd=cmd, **options), pair.theirs)
    if "." not in options.get("inputs", ()):  # of a whole dataset DataLad tells each file that is here, get does not
        assert sorted(one[:4] for one in said) == sorted(one[:4] for one in told_by_datalad)
    assert message(pair.ours) == message(pair.theirs)
    assert tree_of(pair.ours) == tree_of(pair.theirs)
    assert links_of(pair.ours) == links_of(pair.theirs)
    assert modes_of(pair.ours) == modes_of(pair.theirs)
    count = ["rev-list", "--count", "HEAD"]
    assert git(pair.ours, *count) == git(pair.theirs, *count)
    assert git(pair.ours, "status", "--porcelain") == git(pair.theirs, "status", "--porcelain")
    parents = ["log", "-1", "--format=%P"]
    assert len(git(pair.ours, *parents).split()) == len(git(pair.theirs, *parents).split())


def test_a_command_in_a_folder(pair: Pair, datalad_api: DataLad) -> None:
    run(pair.ours / "sub dir", "cat {inputs} > n.txt; pwd > where.txt", inputs=["*.txt", "../a.txt"])
    datalad_api(
        "run", pair.theirs / "sub dir", cmd="cat {inputs} > n.txt; pwd > where.txt", inputs=["*.txt", "../a.txt"]
    )
    assert message(pair.ours) == message(pair.theirs)
    assert '"pwd": "sub dir"' in message(pair.ours)


def test_the_record_has_all_of_datalads_fields(pair: Pair, datalad_api: DataLad) -> None:
    command = "echo x > new.txt"
    (theirs,) = [one for one in datalad_api("run", pair.theirs, cmd=command) if one["action"] == "run"]
    (ours,) = [one for one in run(pair.ours, command) if one["action"] == "run"]
    assert set(theirs) - set(ours) <= {"logger"}
    names = ("run_info", "exit_code", "msg_path")
    assert [ours[name] for name in names] == [theirs[name] for name in names]


def test_what_is_kept_of_a_command_that_failed(pair: Pair, datalad_api: DataLad) -> None:
    ours = run(pair.ours, "echo x > new.txt; exit 7", message="why")
    datalad_api("run", pair.theirs, cmd="echo x > new.txt; exit 7", message="why", on_failure="stop")
    kept = [(folder / ".git" / "COMMIT_EDITMSG").read_text() for folder in pair]
    assert kept[0] == kept[1]
    assert [message(folder) for folder in pair] == ["all of it\n\n"] * 2
    assert [(one["action"], one["status"], one["exit_code"]) for one in ours] == [("run", "error", 7)]
    saved = [outcome.as_json() for outcome in engram(pair.ours).save(message_file=".git/COMMIT_EDITMSG")]
    assert saved[-1]["status"] == "ok"
    assert message(pair.ours).strip() == kept[0].strip()


def test_what_both_say_of_unsaved_changes(pair: Pair, datalad_api: DataLad) -> None:
    for folder in pair:
        write(folder, "new.txt", "x")
    ours, theirs = run(pair.ours, "true"), datalad_api("run", pair.theirs, cmd="true")
    assert [(one["action"], one["status"]) for one in ours] == [(one["action"], one["status"]) for one in theirs]
    assert str(theirs[0]["message"]).startswith("clean dataset required to detect changes from command")
    assert ours[0]["message"].startswith("clean dataset required to detect changes from command")


@pytest.mark.parametrize("named", ["inner", "inner/n", "inner/"])
def test_unlocking_goes_into_the_subdataset_that_a_path_leads_to(named: str, pair: Pair, datalad_api: DataLad) -> None:
    for folder in pair:
        create(folder / "inner", dataset=str(folder))
        write(folder, "inner/n", "annexed")
        save(folder, recursive=True)
    ours = [outcome.as_json() for outcome in provenance(pair.ours).unlock([named])]
    theirs = datalad_api("unlock", pair.theirs, path=[named])
    assert [one[:4] for one in told(ours, pair.ours)] == [("unlock", "ok", "file", "inner/n")]
    assert [one[:4] for one in told(theirs, pair.theirs)] == [("unlock", "ok", "file", "inner/n")]
    assert not (pair.ours / "inner/n").is_symlink()


def test_unlocking_leaves_what_git_annex_leaves(pair: Pair, datalad_api: DataLad) -> None:
    ours = [outcome.as_json() for outcome in provenance(pair.ours).unlock(["a.txt", "sub dir"])]
    datalad_api("unlock", pair.theirs, path=["a.txt", "sub dir"])
    assert {one["status"] for one in ours} == {"ok"}
    assert staged(pair.ours) == staged(pair.theirs)
    assert modes_of(pair.ours) == modes_of(pair.theirs)
    assert git(pair.ours, "diff", "--name-only") == ""
    times = [(folder / "a.txt").stat().st_mtime_ns for folder in pair]
    assert times[0] == times[1]
    assert annex(pair.ours, "fsck", "--quiet") == ""
    write(pair.ours, "a.txt", "changed\n")
    assert [one["status"] for one in save(pair.ours)] == ["ok", "ok", "ok", "ok"]
    assert (pair.ours / "a.txt").is_symlink()
    assert annex(pair.ours, "find", "--unlocked") == ""
    assert [one for one in datalad_api.status(pair.ours) if one["state"] != "clean"] == []
