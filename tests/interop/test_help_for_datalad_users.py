"""``engram help datalad``: each of its lines is proven here, with the real DataLad."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from engram.cli.datalad_page import DIFFERENT, EQUAL, MISSING, NEW
from engram.cli.datalad_words import OPTIONS
from engram.cli.root import COMMANDS, Verbs
from tests.interop.peers import create, git, pair_of, python_of, save, write


class Tools:
    """Both tools, as one types them, on a dataset made for one line."""

    def __init__(self, datalad: Path, dataset: Path, usages: "Usages") -> None:
        self._datalad = datalad
        self.usages = usages
        self.dataset = dataset
        self.folder = dataset.parent

    def engram(self, *words: str, at: Path | None = None) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "engram", *words]
        return subprocess.run(command, cwd=at or self.dataset, capture_output=True, text=True, stdin=subprocess.DEVNULL)

    def datalad(self, *words: str, at: Path | None = None) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self._datalad, *words], cwd=at or self.dataset, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )

    def records(self, *words: str) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.engram("--json", *words).stdout.splitlines()]


#: By command: the exit code of ``datalad NAME --help-np``, and what it prints.
Usages = Mapping[str, tuple[int, str]]
Proof = Callable[[Tools], None]


def is_a_command_of_engram(name: str) -> bool:
    root = Verbs(COMMANDS, settings={})
    with root.make_context("engram", [], resilient_parsing=True) as context:
        return root.get_command(context, name) is not None


def datasets(tools: Tools) -> None:
    write(tools.dataset, "ours", "1")
    assert tools.engram("save").returncode == 0
    write(tools.dataset, "theirs", "2")
    assert tools.datalad("save").returncode == 0
    for status in (tools.engram("status"), tools.datalad("status")):
        assert status.stdout == "nothing to save, working tree clean\n"


def commands(tools: Tools) -> None:
    (row,) = [meaning for term, meaning in EQUAL if term == "commands"]
    for name in row.partition(":")[0].split():
        assert is_a_command_of_engram(name)
        assert tools.usages[name][0] == 0


def records(tools: Tools) -> None:
    write(tools.dataset, "b", "b")
    theirs = json.loads(tools.datalad("-f", "json", "status", "b").stdout)
    (ours,) = tools.records("status", "b")
    assert ours | theirs == ours, "all of DataLad's fields, with its values"
    assert tools.engram("-f", "json", "status", "b").stdout == tools.engram("--json", "status", "b").stdout


def run_records(tools: Tools) -> None:
    assert tools.engram("run", "echo ours > o").returncode == 0
    assert tools.datalad("rerun").returncode == 0
    assert tools.datalad("run", "echo theirs > t").returncode == 0
    assert "engram trust" in tools.engram("rerun").stderr
    assert tools.engram("trust", ".").returncode == 0
    assert tools.engram("rerun").returncode == 0


def paths(tools: Tools) -> None:
    assert tools.engram("create", "-d", ".", "sub").returncode == 0
    assert tools.engram("create", "-d", "sub", "sub/deep").returncode == 0
    tools.engram("save", "-r")
    write(tools.dataset, "sub/f", "f")
    for run in (tools.engram, tools.datalad):
        assert "untracked: sub/f (file)" in run("status", "sub/").stdout
        assert "modified: sub (dataset)" in run("status", "-d", "^", "-r", "-R", "0", at=tools.dataset / "sub").stdout


def key_backend(tools: Tools) -> None:
    tools.engram("create", "--backend", "MD5E", "other")
    tools.engram("create", "-d", "other", "other/sub")
    assert "SHA256E" in (tools.dataset / ".gitattributes").read_text()
    assert "MD5E" in (tools.dataset / "other/sub/.gitattributes").read_text()
    tools.datalad("create", "theirs")
    assert "MD5E" in (tools.dataset / "theirs/.gitattributes").read_text()


def wrong_paths(tools: Tools) -> None:
    assert tools.engram("save", "nothing").returncode == 2
    assert tools.datalad("save", "nothing").returncode == 0


def exit_codes(tools: Tools) -> None:
    assert tools.engram("drop", "a").returncode == 3
    assert tools.datalad("drop", "a").returncode == 1


def options(tools: Tools) -> None:
    assert tools.engram("--json", "status").stdout == tools.engram("status", "--json").stdout
    assert tools.engram("create", "one", "-c", "text2git").returncode == 0
    assert tools.engram("create", "-c", "text2git", "two").returncode == 0
    assert tools.datalad("create", "three", "-c", "text2git").returncode != 0


def one_line(tools: Tools) -> None:
    assert tools.engram("run", "echo x > x; echo y > y").returncode == 0
    assert tools.engram("run", "--", "echo x2 > x2; echo y2 > y2").returncode == 0
    assert all((tools.dataset / name).exists() for name in ("x", "y", "x2", "y2"))
    assert tools.datalad("run", "--", "echo x3 > x3; echo y3 > y3").returncode == 127


def trust(tools: Tools) -> None:
    write(tools.dataset, ".git/hooks/pre-commit", "#!/bin/sh\ntouch ../ran\n", mode=0o755)
    write(tools.dataset, "b", "b")
    refused = tools.engram("save")
    assert refused.returncode == 2
    assert "engram trust" in refused.stderr
    assert tools.engram("trust", ".").returncode == 0
    assert tools.engram("save").returncode == 0


def both_keep(tools: Tools) -> None:
    line = "while [ ! -e {0}.go ]; do sleep 0.02; done; echo {0} > {0}"
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "engram", "run", "--explicit", "-o", name, line.format(name)],
            cwd=tools.dataset,
            stdout=subprocess.DEVNULL,
        )
        for name in ("one", "two")
    ]
    for name in ("one", "two"):
        (tools.dataset / f"{name}.go").touch()
    assert [process.wait(timeout=200) for process in running] == [0, 0]
    subjects = git(tools.dataset, "log", "--format=%s")
    assert subjects.count("[DATALAD RUNCMD]") == 2
    assert {(tools.dataset / name).read_text() for name in ("one", "two")} == {"one\n", "two\n"}


def drop(tools: Tools) -> None:
    assert tools.engram("clone", ".", "../clone").returncode == 0
    clone = tools.folder / "clone"
    assert tools.engram("get", "a", at=clone).returncode == 0
    (record,) = [json.loads(line) for line in tools.engram("--json", "drop", "a", at=clone).stdout.splitlines()]
    assert (record["status"], record["note"]) == ("ok", "")
    assert tools.engram("get", "a", at=clone).returncode == 0
    git(tools.folder, "init", "-q", "--bare", "far")
    (tools.folder / "store").mkdir()
    words = ("initremote", "store", "type=directory", f"directory={tools.folder}/store", "encryption=none")
    git(clone, "annex", *words)
    git(clone, "annex", "copy", "a", "--to", "store")
    git(clone, "remote", "remove", "origin")
    (record,) = [json.loads(line) for line in tools.engram("--json", "drop", "a", at=clone).stdout.splitlines()]
    assert record["status"] == "ok"
    assert str(record["note"]).startswith("handed to git-annex")


def handed_over(tools: Tools) -> None:
    git(tools.dataset, "config", "annex.thin", "true")
    write(tools.dataset, "b", "b")
    added, _ = tools.records("save")
    assert added["note"] == "handed to git-annex: annex.thin is true"


def modes(tools: Tools) -> None:
    write(tools.dataset, "script", "x")
    tools.engram("save", "--to-git")
    (tools.dataset / "script").chmod(0o755)
    tools.engram("save", "--to-git")
    assert "modified: script" in tools.engram("diff", "--from", "HEAD~1", "--to", "HEAD").stdout
    assert "script" not in tools.datalad("diff", "--from", "HEAD~1", "--to", "HEAD").stdout


def datalads(tools: Tools) -> None:
    row = dict(MISSING)["datalad's"]
    for name in row.partition(":")[0].split():
        assert f"datalad {name}" in tools.engram(name).stderr
        assert tools.usages[name][0] == 0


def words(tools: Tools) -> None:
    assert "datalad siblings" in tools.engram("siblings", "add", "-s", "x", "--url", "/x").stderr
    assert "datalad save --since" in tools.engram("save", "--since", "HEAD~1").stderr
    assert "engram clone" in tools.engram("install", "x").stderr


def instead_of_git_annex(tools: Tools) -> None:
    (row,) = [meaning for term, meaning in NEW if term == "instead of git annex"]
    for name in row.split():
        assert is_a_command_of_engram(name)
        assert tools.usages[name][0] != 0
    assert "here" in tools.engram("whereis", "a").stdout


def figures(tools: Tools) -> None:
    tools.engram("run", "-i", "a", "-o", "figure", "cat a > figure # width=3")
    told = tools.engram("history", "figure").stdout
    assert "cat a > figure # width=3" in told
    assert "SHA256E" in told


def plans(tools: Tools) -> None:
    write(tools.dataset, "b", "b")
    assert "b" in tools.engram("save", "--dry-run", "-o", "../plan.json").stdout
    assert json.loads((tools.folder / "plan.json").read_text())["record"] == "plan"
    assert "untracked: b" in tools.engram("status").stdout
    assert tools.engram("carry-out", "../plan.json").returncode == 0
    assert tools.engram("status").stdout == "nothing to save, working tree clean\n"


PROOFS: Mapping[str, Proof] = {
    proof.__name__.replace("_", " ").replace("datalads", "datalad's"): proof
    for proof in (
        datasets, commands, records, run_records, paths, key_backend, wrong_paths, exit_codes, options, one_line,
        trust, both_keep, drop, handed_over, modes, datalads, words, instead_of_git_annex, figures, plans,
    )
}  # fmt: skip


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("help") / "ds"
    create(folder)
    write(folder, "a", "a")
    save(folder)
    return folder


#: Runs in DataLad's own Python: what ``datalad NAME --help-np`` ends with and prints for each name, as JSON.
_USAGES = """
import contextlib, io, json, sys
from datalad.cli.main import main
usages = {}
for name in sys.argv[1:]:
    code = 0
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            main(["datalad", name, "--help-np"])
        except SystemExit as end:
            code = end.code or 0
    usages[name] = code, printed.getvalue()
print(json.dumps(usages))
"""
SHARED_COMMANDS = dict(EQUAL)["commands"].partition(":")[0].split()


@pytest.fixture(scope="module")
def usages(datalad: Path) -> Usages:
    """The usage of every command that the page names, asked for in one go: DataLad takes a while to start."""
    others = [*dict(MISSING)["datalad's"].partition(":")[0].split(), *dict(NEW)["instead of git annex"].split()]
    command = [python_of(datalad), "-c", _USAGES, *SHARED_COMMANDS, *others]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("line", [term for term, _ in (*EQUAL, *DIFFERENT, *MISSING, *NEW)])
def test_the_line_is_true(line: str, template: Path, datalad: Path, usages: Usages, tmp_path: Path) -> None:
    PROOFS[line](Tools(datalad, pair_of(template, tmp_path).ours, usages))


def words_of(help_text: str) -> set[str]:
    """The options that the usage of a command of DataLad's tells of, and the other names that its list gives them."""
    heads = re.findall(r"(?m)^  (-\S.*?)(?: {2,}|$)", help_text)
    return {word for head in heads for word in re.findall(r"(?<![\w\[{|])--?[A-Za-z][A-Za-z-]*", head)}


@pytest.mark.parametrize("name", SHARED_COMMANDS)
def test_every_option_of_datalad_is_there_or_answered_with_what_to_type(name: str, usages: Usages) -> None:
    _, text = usages[name]
    theirs = words_of(text)
    assert {"-h", "--version"} < theirs, text
    root = Verbs(COMMANDS, settings={"help_option_names": ["-h", "--help", "--help-np"]})
    with root.make_context("engram", [], resilient_parsing=True) as context:
        command = root.get_command(context, name)
        assert command is not None
        with command.make_context(name, [], parent=context, resilient_parsing=True) as inner:
            ours = {word for one in command.get_params(inner) for word in (*one.opts, *one.secondary_opts)}
            ours |= set(command.get_help_option_names(inner))  # click keeps that option as whoever asked first had it
    missing = theirs - ours - {"--version"}
    assert missing == set(OPTIONS.get(name, ())), "each is on the list, and nothing else"


def test_every_proof_has_its_line() -> None:
    assert set(PROOFS) == {term for term, _ in (*EQUAL, *DIFFERENT, *MISSING, *NEW)}


def test_it_fits_on_one_screen() -> None:
    environment = {**os.environ, "COLUMNS": "80"}
    command = [sys.executable, "-m", "engram", "help", "datalad"]
    lines = subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout.splitlines()
    assert len(lines) <= 48
    assert max(map(len, lines)) <= 80
