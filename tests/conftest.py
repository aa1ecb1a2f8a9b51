"""What every test stands on: a home of its own, the real peers where they are installed, and no silent skips.

The environment variables that `./dev` sets and this file reads:

``ENGRAM_PEERS``
    Folders of the environments that hold DataLad and other peers, with ``:`` between them.
``ENGRAM_ALL_SERVICES``
    ``1`` when everything that integration tests use is known to be there: a skip is a failure then, unless its reason
    begins with `NOT_HERE`.
"""

import gc
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

from engram.datasets.programs import find_git_annex
from engram.testing import databases
from engram.testing.databases import Server
from engram.testing.places import memory
from tests.dealing import dealt

ROOT = Path(__file__).parents[1]
#: How the reason of a skip begins that no installation could mend (no loop devices, not root, another system).
NOT_HERE = "not on this machine:"

#: So much must be free before tests lie in memory (a whole run keeps less than 1 GB at once).
_ROOM_BYTES = 6 << 30
#: What one test may take with ``--long``, whatever it may take otherwise.
LONGEST_S = 7200

_IDENTITY = "[user]\n\tname = Ada Tester\n\temail = ada@example.org\n"
_FOREIGN = ("GIT_", "ENGRAM_", "DATALAD_", "XDG_")
_OURS = {"ENGRAM_PEERS", "ENGRAM_ALL_SERVICES"}

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


# Nothing here depends on how fast the machine is, or on luck: the same examples in every run, but for a long one.
settings.register_profile("long", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=1000)
settings.register_profile("engram", settings.get_profile("long"), max_examples=100, derandomize=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the tests marked long, too")


def pytest_configure(config: pytest.Config) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what is started in the background ignores them, and so
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # would all that the tests start
    if memory() != Path(tempfile.gettempdir()) and _free_bytes(memory()) > _ROOM_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory()))  # git syncs each file: no test waits for a disk
    settings.load_profile("long" if config.getoption("--long") else "engram")


def _free_bytes(folder: Path) -> int:
    """What fits into a folder in memory, and into the memory itself.

    Source: https://man7.org/linux/man-pages/man5/proc_meminfo.5.html (MemAvailable, in kB)
    """
    known = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return min(shutil.disk_usage(folder).free, int(known["MemAvailable"].removesuffix("kB")) << 10)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long"):
        for item in items:
            item.add_marker(pytest.mark.timeout(LONGEST_S), append=False)
        return
    long = {item for item in items if item.get_closest_marker("long")}
    config.hook.pytest_deselected(items=[item for item in items if item in long])
    items[:] = [item for item in items if item not in long]
    if workers := getattr(config, "workerinput", {}).get("workercount"):
        items[:] = dealt([(item.nodeid.partition("::")[0], item) for item in items], workers)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()  # thousands of tests stay to the end: nobody need look whether they are garbage, a fork least of all


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _no_silent_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _no_silent_skip((yield))


def _no_silent_skip(report: Report) -> Report:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
    expected = reason.removeprefix("Skipped: ").startswith(NOT_HERE) or hasattr(report, "wasxfail")
    if report.skipped and not expected and os.environ.get("ENGRAM_ALL_SERVICES") == "1":
        report.outcome = "failed"
        report.longrepr = f"skipped, though everything that it needs should be here: {reason}"
    return report


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with a git identity and nothing else: no test reads or changes the developer's own configuration."""
    home = tmp_path_factory.mktemp("home")
    (home / ".gitconfig").write_text(_IDENTITY)
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(_FOREIGN) and name not in _OURS:
                patch.delenv(name)
        patch.delenv(
            "CI", raising=False
        )  # for pytest it means: show differences whole, which takes minutes for large ones
        patch.setenv("HOME", str(home))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        patch.setenv("GIT_TERMINAL_PROMPT", "0")
        patch.setenv("TZ", "UTC")
        patch.setenv("LC_ALL", "C.UTF-8")
        patch.setenv("PATH", os.pathsep.join([*_program_folders(tmp_path_factory), os.environ["PATH"]]))
        if paths := os.environ.get("PYTHONPATH"):
            patch.setenv("PYTHONPATH", os.pathsep.join(map(os.path.abspath, paths.split(os.pathsep))))
        yield home


def _program_folders(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Where this environment, and then the peers', keep their programs."""
    peers = os.environ.get("ENGRAM_PEERS", "").split(os.pathsep)
    environments = [str(Path(sys.executable).parent), *(str(Path(peer, "bin")) for peer in peers if peer)]
    return [*_folder_of_git_annex(tmp_path_factory), *environments]


def _folder_of_git_annex(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A folder with the wheel's git-annex: its own command loads Python first, which thousands of starts would feel."""
    wheel = find_git_annex({"PATH": ""})
    if wheel is None:
        return []
    program = tmp_path_factory.mktemp("programs") / "git-annex"
    program.write_text(f'#!/bin/sh\nMAGIC={shlex.quote(wheel.magic)} exec {shlex.quote(wheel.program)} "$@"\n')
    program.chmod(0o755)
    return [str(program.parent)]


def _program(name: str) -> Path:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: ./dev services")
    return Path(found)


@pytest.fixture(scope="session")
def git_annex(own_home: Path) -> Path:
    """The real git-annex, which is on PATH in every test; the test is skipped without one."""
    return _program("git-annex")


@pytest.fixture(scope="session")
def datalad(own_home: Path, git_annex: Path) -> Path:
    """The real DataLad, which is on PATH in every test; the test is skipped without one."""
    return _program("datalad")


@pytest.fixture(scope="session")
def postgresql_server(own_home: Path) -> Iterator[Server]:
    """A private PostgreSQL server; the test is skipped where it is not installed."""
    _needs(databases.program("initdb"), "PostgreSQL")
    with databases.postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server(own_home: Path) -> Iterator[Server]:
    """A private MariaDB server; the test is skipped where it is not installed."""
    _needs(databases.program("mariadb-install-db"), "MariaDB")
    with databases.mariadb() as server:
        yield server


def _needs(program: str | None, name: str) -> None:
    if program is None:
        pytest.skip(f"{name} is not installed: ./dev services")


@pytest.fixture
def git() -> Callable[..., str]:
    """Run git in a folder and give what it printed: ``git(folder, "log", "--oneline")``."""

    def run(folder: Path, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def as_root() -> None:
    """The test is skipped for anybody but root."""
    if os.geteuid() != 0:
        pytest.skip(f"{NOT_HERE} not root")


@pytest.fixture(scope="session")
def loop_mounts(as_root: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The test is skipped where no file system image can be mounted (no loop devices, a container without rights)."""
    folder = tmp_path_factory.mktemp("loop")
    image, mounted = folder / "image", folder / "mounted"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(8 << 20)
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("mkfs.ext4 is not installed: ./dev services")
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    done = subprocess.run(
        ["mount", "-o", "loop", str(image), str(mounted)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"{NOT_HERE} no loop mounts ({done.stderr.strip()})")
    subprocess.run(["umount", str(mounted)], check=True)
