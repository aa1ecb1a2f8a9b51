"""The programs that are compared: where each was found, which version it is, and the environment it runs in."""

import compileall
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
SYSTEM = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"

_GITCONFIG = """\
[user]
\tname = Bench
\temail = bench@example.org
[init]
\tdefaultBranch = main
[gc]
\tauto = 0
[safe]
\tdirectory = *
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One program, installed."""

    name: str
    version: str
    #: Folders for the front of PATH: its own, then that of the git-annex that belongs to it.
    path: tuple[Path, ...]

    def environment(self, home: Path) -> dict[str, str]:
        """A clean environment: nothing of the user's, an identity, and nothing that forbids compiled Python."""
        places = (*map(str, self.path), SYSTEM)
        return {"PATH": ":".join(places), "HOME": str(home), "LC_ALL": "C.UTF-8", "TERM": "dumb", "TZ": "UTC"}


def make_home(folder: Path) -> Path:
    """A home with nothing but a git identity; git's own housekeeping is off, for everybody alike."""
    home = folder / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(_GITCONFIG)
    return home


def find_tools(home: Path, *, peers: bool) -> dict[str, Tool]:
    """What is installed, by name. Peers come from the environments that ENGRAM_PEERS names, then from PATH."""
    own = Path(sysconfig.get_path("scripts"))
    folders = [Path(folder) / "bin" for folder in os.environ.get("ENGRAM_PEERS", "").split(":") if folder]
    git_annex = _folder_of("git-annex", [own, *folders])
    beside = (_only(home, "git-annex", git_annex),) if git_annex else ()
    found = {
        "engram": _tool(home, "engram", (own, *beside), ("engram", "--version")),
        "python": _tool(home, "python", (own,), ("python", "--version")),
        "git": _tool(home, "git", beside, ("git", "--version")),
        "git-annex": _tool(home, "git-annex", beside, ("git-annex", "version", "--raw")) if beside else None,
    }
    datalad = _folder_of("datalad", folders)
    if peers and datalad:
        found["datalad"] = _tool(home, "datalad", (datalad, *beside), ("datalad", "--version"))
    if not peers:
        found["git-annex"] = None
    return {name: tool for name, tool in found.items() if tool}


def compile_all(tools: Iterable[Tool]) -> None:
    """Byte-code for all of them, ours and the peers': without it a start costs two to three times as much."""
    compileall.compile_dir(ROOT / "src", quiet=2)
    for folder in {folder for tool in tools for folder in tool.path if (folder / "python").exists()}:
        subprocess.run((folder / "python", "-m", "compileall", "-q", folder.parent / "lib"), capture_output=True)


def engram_commit() -> str:
    """What is measured: the commit of this folder, with ``+`` if files of the source differ from it."""
    described = ("git", "-C", str(ROOT), "describe", "--always", "--exclude=*")
    changed = ("git", "-C", str(ROOT), "status", "--porcelain", "--", "src")
    try:
        commit, edits = (subprocess.run(it, check=True, capture_output=True, text=True) for it in (described, changed))
    except (OSError, subprocess.CalledProcessError):
        return ""
    return commit.stdout.strip() + ("+" if edits.stdout.strip() else "")


def python_version() -> str:
    return platform.python_version()


def _folder_of(program: str, folders: Iterable[Path]) -> Path | None:
    for folder in folders:
        if (folder / program).exists():
            return folder
    found = shutil.which(program)
    return Path(found).parent if found else None


def _only(home: Path, program: str, folder: Path) -> Path:
    """A folder that offers one *program* of *folder* and nothing else of it."""
    alone = home / "programs" / program
    alone.mkdir(parents=True, exist_ok=True)
    for name in (program, f"{program}-shell"):
        if (folder / name).exists() and not (alone / name).exists():
            (alone / name).symlink_to(folder / name)
    return alone


def _tool(home: Path, name: str, path: tuple[Path, ...], question: tuple[str, ...]) -> Tool | None:
    tool = Tool(name=name, version="", path=path)
    try:
        answer = subprocess.run(
            question,
            check=True,
            capture_output=True,
            text=True,
            env=tool.environment(home),
            executable=_which(tool, question[0]),
        )
    except (OSError, subprocess.CalledProcessError) as reason:
        print(f"bench: {name} does not start: {reason}", file=sys.stderr)
        return None
    return Tool(name=name, version=answer.stdout.split()[-1].partition("-")[0], path=path)


def _which(tool: Tool, program: str) -> str:
    folders = (*map(str, tool.path), SYSTEM)
    found = shutil.which(program, path=":".join(folders))
    if found is None:
        raise FileNotFoundError(f"{program} is not in {':'.join(folders)}")
    return found
