"""Real datasets on real screens: what one types, and what one sees."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from engram.cli.call import Call
from engram.cli.render import Screen
from engram.cli.run import run
from engram.cli.schemas import schemas
from tests.cli.test_imports import HEAVY

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("git_annex")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def typed(folder: Path, line: str, code: int = 0) -> str:
    """What ``engram …`` shows, stdout and then stderr."""
    out, err = io.StringIO(), io.StringIO()
    environment = dict(os.environ)
    call = Call(screen=Screen(out, err, environment), environment=environment, folder=str(folder))
    assert run(call, line.split()) == code, err.getvalue()
    return out.getvalue() + err.getvalue()


@pytest.fixture
def dataset(folder: Path) -> Path:
    typed(folder, "create ds")
    return folder / "ds"


def test_a_first_day(folder: Path) -> None:
    assert typed(folder, "create ds").startswith(f"create(ok): {folder}/ds (dataset)")
    dataset = folder / "ds"
    (dataset / "scan.nii").write_bytes(b"\0" * 2048)
    (dataset / "sub").mkdir()
    (dataset / "sub" / "notes.txt").write_text("first session\n")
    assert typed(dataset, "status") == "untracked: scan.nii (file)\nuntracked: sub (directory)\n"
    assert typed(dataset, "status sub --untracked all") == "untracked: sub/notes.txt (file)\n"
    planned = typed(dataset, "save --dry-run")
    assert "would add: scan.nii (2.0 KB)" in planned
    assert planned.endswith("nothing was changed\n")
    assert typed(dataset, "save -m first") == (
        "add(ok): scan.nii (file)\n"
        "add(ok): sub/notes.txt (file)\n"
        "save(ok): . (dataset)\n"
        "action summary:\n"
        "  add (ok: 2)\n"
        "  save (ok: 1)\n"
    )
    assert typed(dataset, "status") == "nothing to save, working tree clean\n"
    assert typed(dataset, "save") == ""
    assert typed(dataset, "status --annex") == (
        "2 annex'd files (2.0 KB recorded total size)\nnothing to save, working tree clean\n"
    )


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("status", 2),
        ("save", 2),
        ("-C ds save typo.nii", 2),
        ("-C ds status typo.nii", 2),
        ("-C ds save ../outside", 2),
        ("create ds", 2),
        ("-C ds save -d /nowhere", 2),
        ("trust nowhere", 2),
    ],
)
def test_what_makes_no_sense_is_told_in_two_lines(folder: Path, dataset: Path, line: str, code: int) -> None:
    (folder / "outside").touch()
    assert len(typed(folder, line, code).splitlines()) == 2


def test_unknown_paths_can_be_passed_over(dataset: Path) -> None:
    (dataset / "a").write_text("a")
    said = typed(dataset, "--on-failure ignore save a typo", 3)
    assert "add(ok): a (file)" in said
    assert "typo" in said


def test_every_line_for_programs_is_valid(folder: Path, dataset: Path) -> None:
    known = {name: Draft202012Validator(schema) for name, schema in schemas().items()}
    (dataset / "a").write_text("a")
    (dataset / os.fsdecode(b"caf\xe9")).write_text("b")
    lines = ["--json create other", "-C ds status --json", "-C ds save --dry-run --json", "-C ds --json save"]
    lines += ["-C ds status --annex all --json", "-C ds --json save", "-C ds create sub -d . --json"]
    for line in lines:
        records = [json.loads(text) for text in typed(folder, line).splitlines()]
        assert records, line
        for record in records:
            known[record["record"]].validate(record)


def test_looking_loads_no_more_than_it_needs(dataset: Path) -> None:
    code = """
import os, sys
sys.argv = ["engram", "status"]
before = set(sys.modules)
from engram.cli.main import main
main()
os.write(2, "\\n".join(set(sys.modules) - before).encode())
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=dataset, capture_output=True, text=True, check=True)
    assert done.stdout == "nothing to save, working tree clean\n"
    assert HEAVY & set(done.stderr.splitlines()) <= {"ctypes", "hashlib"}
