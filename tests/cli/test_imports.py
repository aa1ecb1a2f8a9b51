"""Every command starts fast: what it may load stands on a list."""

import subprocess
import sys

import pytest

from engram.cli.pages import commands
from engram.cli.reference import root_context

#: Modules that take so long to load that a command needs a reason to do so.
HEAVY = {
    "_sqlite3",
    "asyncio",
    "ctypes",
    "difflib",
    "email",
    "hashlib",
    "http",
    "importlib.metadata",
    "json",
    "logging",
    "msgspec",
    "multiprocessing",
    "pathlib",
    "platformdirs",
    "shutil",
    "socket",
    "sqlite3",
    "subprocess",
    "tempfile",
    "tomllib",
    "traceback",
    "unittest",
    "urllib",
    "zipfile",
    "zoneinfo",
}
_FRAME = {"cli", "config", "model", "workspace"}
_LAB = {*_FRAME, "durable"}
_SHARES = {*_LAB, "sessions"}
_DATASETS = {*_FRAME, "datasets", "durable"}
#: What each call may load of these, and of engram's own rooms.
CALLS: dict[str, tuple[set[str], set[str]]] = {
    "--version": (set(), _FRAME),
    "--help": ({"shutil"}, _FRAME),
    "config explain": (set(), _FRAME),
    "help exit-codes": (set(), _FRAME),
    "completion bash": ({"subprocess", "pathlib", "urllib", "shutil"}, _FRAME),
    "clone --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "siblings --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "status --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "save --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "diff --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "clean --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "configuration --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "wtf --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "subdatasets --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "create --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "history --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "rerun --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "run-procedure --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "run --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "get --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "drop --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "remove --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "unlock --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "whereis --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "numcopies --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "unused --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "dropunused --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "carry-out --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "fsck --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "trust --help": ({"ctypes", "hashlib", "shutil"}, _DATASETS),
    "lab --help": ({"shutil"}, _LAB),
    "lab create --help": ({"shutil"}, _LAB),
    "lab move --help": ({"shutil"}, _LAB),
    "lab show --help": ({"shutil"}, _LAB),
    "sessions --help": ({"shutil"}, _SHARES),
    "sessions annotate --help": ({"shutil"}, _LAB),
    "sessions find --help": ({"shutil"}, _LAB),
    "sessions history --help": ({"shutil"}, _LAB),
    "sessions list --help": ({"shutil"}, _LAB),
    "sessions show --help": ({"shutil"}, _LAB),
    "sessions exclude --help": ({"shutil"}, _LAB),
    "sessions group --help": ({"shutil"}, _LAB),
    "sessions include --help": ({"shutil"}, _LAB),
    "sessions waive --help": ({"shutil"}, _LAB),
    "sessions ingest --help": ({"shutil"}, _SHARES),
    "sessions missing --help": ({"shutil"}, _LAB),
    "sessions plan --help": ({"shutil"}, _SHARES),
    "sessions scan --help": ({"shutil"}, _SHARES),
    "sessions template --help": ({"shutil"}, _SHARES),
    "share --help": ({"shutil"}, _LAB),
    "share add --help": ({"shutil"}, _SHARES),
    "share list --help": ({"shutil"}, _SHARES),
    "share show --help": ({"shutil"}, _SHARES),
    "share remove --help": ({"shutil"}, _SHARES),
    "subjects --help": ({"shutil"}, _LAB),
    "subjects add --help": ({"shutil"}, _LAB),
    "subjects list --help": ({"shutil"}, _LAB),
    "subjects show --help": ({"shutil"}, _LAB),
    "subjects import --help": ({"shutil"}, _LAB),
    "people add --help": ({"shutil"}, _LAB),
    "people list --help": ({"shutil"}, _LAB),
    "probes add --help": ({"shutil"}, _LAB),
    "probes implant --help": ({"shutil"}, _LAB),
    "probes import --help": ({"shutil"}, _LAB),
    "probes list --help": ({"shutil"}, _LAB),
    "snapshot --help": ({"shutil"}, _FRAME),
    "snapshot config --help": ({"shutil"}, _FRAME),
    "snapshot dir --help": ({"shutil"}, _FRAME),
    "snapshot tag --help": ({"shutil"}, _FRAME),
    "lab check --help": ({"shutil"}, _LAB),
    "lab backup --help": ({"shutil"}, _LAB),
    "lab upgrade --help": ({"shutil"}, _LAB),
    "lab trust --help": ({"shutil"}, _LAB),
    "snapshot build --help": ({"shutil"}, _LAB),
    "snapshot check --help": ({"shutil"}, _LAB),
    "snapshot query --help": ({"shutil"}, {*_LAB, "connectome"}),
    "snapshot load --help": ({"shutil"}, _LAB),
    "snapshot diff --help": ({"shutil"}, {*_LAB, "connectome"}),
    "demo --help": ({"ctypes", "hashlib", "shutil"}, {*_DATASETS, "sessions", "connectome"}),
}


def loaded(words: str) -> set[str]:
    """Every module that a call has loaded when it ends."""
    code = """
import atexit, os, sys
before = set(sys.modules)
atexit.register(lambda: os.write(2, "\\n".join(set(sys.modules) - before).encode()))
from engram.cli.main import main
sys.exit(main())
"""
    command = [sys.executable, "-c", code, *words.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines())


@pytest.mark.parametrize("words", CALLS)
def test_a_call_loads_nothing_that_is_not_on_its_list(words: str) -> None:
    modules = loaded(words)
    heavy, rooms = CALLS[words]
    assert {name for name in HEAVY if name in modules} <= heavy
    assert {name.split(".")[1] for name in modules if name.startswith("engram.")} <= rooms


def test_every_command_has_its_list() -> None:
    root, context = root_context()
    listed = {words.replace(" --help", "") for words in CALLS}
    for name, command, _ in commands(root, context):
        if not hasattr(command, "list_commands"):
            assert any(words == name or words.startswith(f"{name} ") for words in listed), name


@pytest.mark.parametrize("words", ["--help", "--version", "config --help"])
def test_help_loads_no_command(words: str) -> None:
    assert not [name for name in loaded(words) if name.startswith("engram.cli.commands.") and "config" not in name]
