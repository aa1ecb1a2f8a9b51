"""The rules that no linter knows. Each exception stands on a list; an entry that nobody needs fails, too."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "engram"
#: What the demonstration hands out is a user's program, not one of ours.
HANDED_OUT = {"demo_images", "demo_connectomes"}
MODULES = sorted(path for path in SOURCE.rglob("*.py") if not HANDED_OUT & set(path.parts))

#: Modules over 400 lines, and why they are better in one piece.
LONG: dict[str, str] = {
    "durable.py": "every step that changes a disk, beside each other: what is not there happens nowhere",
    "model/errors.py": "one tree of errors, which its docstring draws, to be read beside the table of exit codes",
}
MOST_LINES = 400

UNITS = ("_s", "_hz", "_bytes", "_nm", "_um", "_mm", "_g", "_v", "_fraction", "_ratio", "confidence", "probability")

#: Rooms that need nothing but Python and what lies below them.
LIBRARY = ("model", "durable.py", "datasets", "sessions", "catalogue", "connectome")
#: Libraries that a room stands on, beside Python.
STANDS_ON = {
    "catalogue": {"sqlalchemy", "alembic"},
    "connectome": {"altair", "duckdb", "msgspec", "obstore", "pyarrow", "vl_convert", "yaml"},
    "sessions": {"msgspec", "h5py", "scipy", "numpy", "yaml"},
}
#: Rooms that may look at the environment, the home folder and the current folder.
AWARE = ("cli", "workspace", "config.py", "testing", "__main__.py")
#: Modules that start programs: the first in the name of all, the second the process that opens strangers' files, the
#: third Neo4j's own programs for a snapshot that is loaded, the others to break things.
STARTERS = ("datasets/programs.py", "sessions/workers.py", "connectome/neo4j/running.py", "testing/")
#: Modules that change a disk: the first in the name of all, the others to break things.
WRITERS = ("durable.py", "testing/")
#: Modules that open a file for writing on their own, and why that is no durable step.
OPENERS = {
    "datasets/locks.py": "a lock file holds no data, and the lock is gone with the process",
}

#: What Alembic reads in each migration, by the beginning of its path.
ALEMBIC = {"catalogue/migrations/versions": ("revision", "down_revision")}

_OS_CHANGES = frozenset(
    "chmod chown copy_file_range fchmod fchown fdatasync fsync ftruncate lchown link makedirs mkdir mkfifo mknod"
    " posix_fallocate pwrite pwritev remove removedirs rename renames replace rmdir sendfile setxattr symlink sync"
    " truncate unlink utime write writev".split()
)
_PATH_CHANGES = frozenset("hardlink_to symlink_to touch write_bytes write_text".split())
_OPEN_TO_WRITE = re.compile(r"O_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)")


def _name(module: Path) -> str:
    return module.relative_to(SOURCE).as_posix()


def _lies_in(module: Path, places: tuple[str, ...]) -> bool:
    return any(_name(module) == place or _name(module).startswith(f"{place.rstrip('/')}/") for place in places)


def _of_alembic(module: Path) -> tuple[str, ...]:
    return ALEMBIC.get(_name(module).rpartition("/")[0], ())


@lru_cache(maxsize=1)  # all rules come to one module, then to the next
def _tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text())


def _calls(module: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(_tree(module)) if isinstance(node, ast.Call))


def _changes_disk(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id == "open" and ast.unparse(call.args[0]) != "os.devnull" and _mode_writes(call, place=1)
    if not isinstance(call.func, ast.Attribute):
        return False
    owner, verb = ast.unparse(call.func.value), call.func.attr
    if owner == "os":
        opens = verb == "open" and ast.unparse(call.args[0]) != "os.devnull"
        return verb in _OS_CHANGES or (opens and bool(_OPEN_TO_WRITE.search(ast.unparse(call))))
    if owner == "shutil":
        return verb not in {"which", "disk_usage", "get_terminal_size"}
    if owner == "formatter":  # click's, which has a method `write_text`
        return False
    return verb in _PATH_CHANGES or (verb == "open" and _mode_writes(call, place=0))


def _mode_writes(call: ast.Call, *, place: int) -> bool:
    modes = [keyword.value for keyword in call.keywords if keyword.arg == "mode"] or call.args[place : place + 1]
    return bool(modes) and isinstance(modes[0], ast.Constant) and bool(set(str(modes[0].value)) & set("wax+"))


def fits_in_one_sitting(module: Path) -> None:
    lines = len(module.read_text().splitlines())
    assert lines <= MOST_LINES or LONG.get(_name(module)), f"{lines} lines"


def a_measured_value_ends_in_its_unit(module: Path) -> None:
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation is not None:
            name = ast.unparse(node.target) if isinstance(node, ast.AnnAssign) else node.arg
            if ast.unparse(node.annotation) in {"float", "float | None"}:
                assert name.endswith(UNITS), f"line {node.lineno}: {name}"


def no_group_is_repeated_possessively(module: Path) -> None:
    """Before Python 3.11.5 such a group takes what does not match: ``(?>(…)*)`` says the same and is sound."""
    found = [line for line in module.read_text().splitlines() if re.search(r"\)(?:[*+?]|\{[0-9,]+\})\+", line)]
    assert found == []


def a_library_room_stands_on_python_alone(module: Path) -> None:
    if not _lies_in(module, LIBRARY):
        return
    for node in ast.walk(_tree(module)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        allowed = sys.stdlib_module_names | {"engram"} | STANDS_ON.get(_name(module).partition("/")[0], set())
        for name in names:
            assert name.split(".")[0] in allowed, name


def a_library_room_does_not_look_around(module: Path) -> None:
    """No environment, no home, no current folder: what is needed is handed in."""
    if _lies_in(module, AWARE):
        return
    looks = re.compile(
        r"\bos\.(environ|getenv|getcwdb?|chdir)\b|\b(Path|path)\.(home|cwd)\(|\bexpanduser\(|\bsys\.(argv|exit|std)"
    )
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Attribute | ast.Call):
            assert not looks.match(ast.unparse(node)), f"line {node.lineno}: {ast.unparse(node)}"


def only_the_durable_steps_change_a_disk(module: Path) -> None:
    if _lies_in(module, WRITERS) or OPENERS.get(_name(module)):
        return
    found = [f"line {call.lineno}: {ast.unparse(call)}" for call in _calls(module) if _changes_disk(call)]
    assert not found, "\n".join(found)


def only_one_module_starts_programs(module: Path) -> None:
    if _lies_in(module, STARTERS):
        return
    starts = re.compile(r"subprocess\b|os\.(system|popen|fork|forkpty|posix_spawnp?|exec[lv]p?e?|spawn\w+)$|pty\b")
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            assert "subprocess" not in ast.unparse(node), f"line {node.lineno}"
        if isinstance(node, ast.Attribute):
            assert not starts.match(ast.unparse(node)), f"line {node.lineno}: {ast.unparse(node)}"


def what_is_public_says_what_it_gives(module: Path) -> None:
    """Methods that implement a protocol need not repeat it, and a command's help is its module's docstring."""
    tree = _tree(module)
    assert ast.get_docstring(tree), "the module"
    spoken_for = {"command"} if _lies_in(module, ("cli/commands",)) else set()
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        if any(ast.unparse(decorator) == "overload" for decorator in node.decorator_list):
            continue
        if not node.name.startswith("_") and node.name not in spoken_for:
            assert ast.get_docstring(node), f"line {node.lineno}: {node.name}"


def a_module_keeps_nothing_but_constants(module: Path) -> None:
    for node in _tree(module).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets += [node.target] if isinstance(node, ast.AnnAssign) else []
        for name in map(ast.unparse, targets):
            kind = isinstance(node, ast.AnnAssign) and "TypeAlias" in ast.unparse(node.annotation)
            variable = isinstance(node, ast.Assign) and "TypeVar(" in ast.unparse(node.value)
            constant = name.isupper() or re.fullmatch(r"__\w+__", name) or name in _of_alembic(module)
            assert constant or kind or variable, f"line {node.lineno}: {name}"
    assert not any(isinstance(node, ast.Global) for node in ast.walk(_tree(module)))


def what_silences_a_tool_says_why(module: Path) -> None:
    """`type: ignore`, `noqa` and `cast` have their reason beside them or in the line above."""
    lines = module.read_text().splitlines()
    for number, line in enumerate(lines):
        if re.search(r"# (type: ignore|noqa)|(?<![\w.])cast\(", line):
            before = lines[number - 1].strip() if number else ""
            beside = re.sub(r"# (type: ignore|noqa)(: ?[\w, ]+?|\[[\w, -]+\])?(?=\s*(#|$|\())", "", line)
            assert "#" in beside or "(" in line.rpartition("noqa")[2] or before.startswith("#"), f"line {number + 1}"


RULES = (
    fits_in_one_sitting,
    a_measured_value_ends_in_its_unit,
    no_group_is_repeated_possessively,
    a_library_room_stands_on_python_alone,
    a_library_room_does_not_look_around,
    only_the_durable_steps_change_a_disk,
    only_one_module_starts_programs,
    what_is_public_says_what_it_gives,
    a_module_keeps_nothing_but_constants,
    what_silences_a_tool_says_why,
)


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_a_module_keeps_every_rule(module: Path) -> None:
    for rule in RULES:
        rule(module)


def test_every_reason_on_a_list_is_needed() -> None:
    for name, reason in LONG.items():
        assert reason
        assert len((SOURCE / name).read_text().splitlines()) > MOST_LINES, f"{name} has become short"
    for name, reason in OPENERS.items():
        assert reason
        assert any(map(_changes_disk, _calls(SOURCE / name))), f"{name} writes nothing itself"


def test_the_tests_lie_as_the_rooms_lie() -> None:
    rooms = {path.stem for path in SOURCE.iterdir()}
    for kind in ("unit", "property"):
        folders = {path.name for path in (ROOT / "tests" / kind).glob("*/") if path.name != "__pycache__"}
        assert folders <= rooms, f"tests/{kind} has folders that are no rooms"


def test_test_names_are_sentences() -> None:
    for module in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                assert len(node.name.split("_")) >= 3, f"{module.relative_to(ROOT)}: {node.name}"


def test_no_law_is_broken_by_a_busy_machine() -> None:
    """What one test sets for itself replaces what holds for all: that neither time nor slow examples count."""
    for module in [*(ROOT / "tests").rglob("*.py"), *(SOURCE / "testing").rglob("*.py")]:
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.keyword) and node.arg in {"deadline", "suppress_health_check"}:
                said = ast.unparse(node.value)
                fine = said == "None" if node.arg == "deadline" else said == "list(HealthCheck)" or "too_slow" in said
                assert fine, f"{module.relative_to(ROOT)}, line {node.value.lineno}: {node.arg}={said}"


# Written in pieces, so that this file may hold them.
_LEFT_FOR_LATER = "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HACK" + "!?:"])
_WORKPLACE = "|".join(
    [r"(?<![\w~:.])/wo" + "rk/", r"\.\./sha" + "red", "/tmp/" + "contract", "/tmp/" + "peers", "pyp" + "i\\.org"]
)
_FORBIDDEN = re.compile(rf"\b({_LEFT_FOR_LATER})\b|({_WORKPLACE})")


def _texts() -> Iterator[Path]:
    for folder in ("src", "tests", "bench", "docs", ".ci"):
        yield from sorted(
            path
            for path in (ROOT / folder).rglob("*")
            if path.suffix in {".py", ".md", ".toml", ".txt", ".sh", ".json", ""} and path.is_file()
        )
    yield from (ROOT / name for name in ("dev", "README.md", "CONTRIBUTING.md", "pyproject.toml"))


def test_nothing_is_left_for_later_and_no_workplace_is_named() -> None:
    for path in _texts():
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
            assert not _FORBIDDEN.search(line), f"{path.relative_to(ROOT)}, line {number}: {line.strip()}"


_BREAKS = {
    "print to a file": "open('x', 'w')",
    "mode by name": "open('x', mode='ab')",
    "a path writes": "folder.joinpath('x').write_text('y')",
    "a path opens": "path.open('wb')",
    "os renames": "os.rename('a', 'b')",
    "os opens": "os.open('a', os.O_RDWR | os.O_CREAT)",
    "shutil copies": "shutil.copyfile('a', 'b')",
}


@pytest.mark.parametrize("code", list(_BREAKS.values()), ids=list(_BREAKS))
def test_the_rule_about_disks_sees_a_change(code: str) -> None:
    assert any(_changes_disk(node) for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call))


@pytest.mark.parametrize(
    "code", ["open('x')", "open('x', 'rb')", "path.open()", "os.open('a', os.O_RDONLY)", "text.replace('a', 'b')"]
)
def test_the_rule_about_disks_lets_reading_be(code: str) -> None:
    assert not any(_changes_disk(node) for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call))
