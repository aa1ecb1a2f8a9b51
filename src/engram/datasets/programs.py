"""Start git and git-annex: the only module that starts a program.

Whatever a dataset brings along (hooks, pagers, monitors, transports) is switched off on the command line of every
program that is started; only a dataset whose own commands the user allowed (`engram trust`) gets them back.
"""

import errno
import os
import re
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from typing import TYPE_CHECKING, NoReturn

from engram.datasets.complaints import last_words
from engram.datasets.locks import MAYBE_GIT
from engram.durable import Steps
from engram.model.errors import DatasetBusy, ExtraMissing, PeerFailed, StorageFailed
from engram.model.records import record

if TYPE_CHECKING:
    import subprocess

    from engram.datasets.attached import Ended
    from engram.datasets.batch import Batch

#: What a child process may see of the environment. Everything else (``GIT_DIR``, ``GIT_INDEX_FILE``,
#: ``LD_PRELOAD``, …) would change what is done, or where.
_HANDED_ON = frozenset(
    "HOME PATH USER LOGNAME SHELL LANG LANGUAGE TZ TMPDIR SSH_AUTH_SOCK SSH_AGENT_PID GNUPGHOME GPG_TTY GPG_AGENT_INFO"
    " EMAIL DBUS_SESSION_BUS_ADDRESS GIT_CONFIG_GLOBAL GIT_CONFIG_SYSTEM GIT_CONFIG_NOSYSTEM GIT_CEILING_DIRECTORIES"
    " GIT_CONFIG_COUNT GIT_CONFIG_PARAMETERS"
    " LD_LIBRARY_PATH SUDO_UID"
    " http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY SSL_CERT_FILE SSL_CERT_DIR"
    " CURL_CA_BUNDLE GIT_SSL_CAINFO GIT_SSL_CAPATH SSH_ASKPASS DISPLAY".split()
)
_HANDED_ON_PREFIXES = ("LC_", "XDG_", "GIT_AUTHOR_", "GIT_COMMITTER_", "GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_")

#: Settings that no repository may choose for us. Source: git-config(1), gitattributes(5), githooks(5).
_SAFE = (
    "core.fsmonitor=false",
    "core.sshCommand=ssh",
    "core.pager=cat",
    "core.editor=false",
    "core.askPass=",
    "core.alternateRefsCommand=",
    "protocol.ext.allow=never",
    "submodule.recurse=false",
    "diff.ignoreSubmodules=none",
    "core.quotePath=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "annex.autoupgraderepository=false",
)
#: Everything git writes is synced, so that what a verb acknowledged survives a power cut.
_DURABLE = ("core.fsync=all", "core.fsyncMethod=fsync")

#: The wheel that the ``annex`` extra names: in the environment of an engram that came from a clone, pip might take
#: another project of that name for ``engram[annex]``.
INSTALL_GIT_ANNEX = "pip install git-annex   (engram's extra annex; or your system's git-annex package)"


@record(eq=False)
class GitAnnex:
    """A git-annex that was found, and what its children need to find it too."""

    #: The program itself.
    program: str
    #: Folder to put in front of PATH; '' when it is on PATH already.
    folder: str = ""
    #: libmagic's database for it; '' for its own default.
    magic: str = ""


#: The exit status of a git that did not understand its options. Source: git's api-parse-options.
_USAGE = 129
#: What git says of a lock that is taken. Source: git's lockfile.c, unable_to_lock_message().
_LOCKED = re.compile(rb"Unable to create '([^\n]+\.lock)': File exists")
#: What both say when a disk, or the user's share of it, is full.
_FULL = tuple(os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT))


@record(eq=False)
class Programs:
    """Starts git and git-annex in one place, in one environment.

    Raises `PeerFailed` when one ends with a status that was not expected, `DatasetBusy` when that is because of a lock
    of git's, `StorageFailed` when it is because of a full disk, `ExtraMissing` when it is not installed.
    """

    #: The user's environment, as it was handed in.
    environment: Mapping[str, str]
    #: ``NAME=VALUE`` git settings of this call, from the command line.
    configuration: tuple[str, ...] = ()
    steps: Steps = field(default_factory=Steps)
    #: Tells the remotes that git-annex is kept from.
    left_alone: Callable[[], Iterable[str]] = tuple

    def git(
        self,
        folder: str | bytes,
        *arguments: str | bytes,
        stdin: bytes = b"",
        fine: Sequence[int] = (0,),
        hooks: bool = False,
    ) -> bytes:
        """What a git command prints. *hooks*: run them, if this user allowed them."""
        return self._run(["git", *self._options(hooks=hooks), *arguments], folder, stdin, fine).stdout

    def git_status_of(
        self, folder: str | bytes, *arguments: str | bytes, hooks: bool = False
    ) -> tuple[int, bytes, str]:
        """Exit status, output and complaint of a git command, whatever it is."""
        done = self._run(["git", *self._options(hooks=hooks), *arguments], folder, b"", None)
        return done.returncode, done.stdout, _last_line(done.stderr)

    def tree_lines(self, folder: str | bytes, tree: bytes, *options: str) -> list[bytes]:
        """What git lists below a tree: mode, space, kind, space, 40 hex digits, tab, path of each."""
        words = ("ls-tree", "-r", "-z", "--full-tree", *options, tree.hex())
        return self.git(folder, *words).split(b"\0")[:-1]

    def git_version(self, folder: str | bytes) -> tuple[int, ...]:
        """The first two numbers of git's version."""
        found = re.search(rb"(\d+)\.(\d+)", self.git(folder, "--version"))
        return tuple(map(int, found.groups())) if found else ()

    def git_told(self, folder: str | bytes, *arguments: str | bytes) -> tuple[int, str]:
        """Exit status of a git command, and everything that it told beside its output."""
        done = self._run(["git", *self._options(hooks=False), *arguments], folder, b"", None)
        return done.returncode, done.stderr.decode(errors="replace")

    def git_annex(
        self, folder: str | bytes, *arguments: str | bytes, stdin: bytes = b"", fine: Sequence[int] = (0,)
    ) -> bytes:
        """What a git-annex command prints."""
        return self._run(self._annex_command(*arguments), folder, stdin, fine).stdout

    def git_annex_status_of(
        self, folder: str | bytes, *arguments: str | bytes, stdin: bytes = b""
    ) -> tuple[int, bytes, str]:
        """Exit status, output and complaint of a git-annex command, whatever it is."""
        done = self._run(self._annex_command(*arguments), folder, stdin, None)
        return done.returncode, done.stdout, _last_line(done.stderr)

    @contextmanager
    def annex_batch(
        self, folder: str | bytes, *arguments: str | bytes, requests: bytes
    ) -> "Generator[Batch, None, None]":
        """A git-annex command at work on *requests*, whose answers can be read as they come.

        It is over when this is: when it was left early, git-annex is asked to end, and waited for.
        """
        command = self._annex_command(*arguments)
        self.steps.take("run", _spoken(command))
        import subprocess  # late: 10 ms that reading verbs do not need

        from engram.datasets.batch import Batch

        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(
                command, cwd=folder, env=self._annex_environment(), stdin=pipe, stdout=pipe, stderr=pipe
            )
        except FileNotFoundError as error:
            _missing(os.fsdecode(command[0]), error)
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise AssertionError("pipes were asked for")
        batch = Batch(process.stdin, process.stdout, process.stderr, requests)
        try:
            yield batch
        finally:
            if process.poll() is None and batch.left_early:
                process.terminate()
            process.stdout.close()
            batch.ended(process.wait())
            process.stderr.close()

    def _annex_command(self, *arguments: str | bytes) -> list[str | bytes]:
        options = [word for setting in (*_SAFE, *_DURABLE, *self.configuration) for word in ("-c", setting)]
        return [self.annex().program, arguments[0], *options, *arguments[1:]]

    def script(self, folder: str, command: Sequence[str]) -> tuple[int, str]:
        """Exit status and last words of a program of the user's own, run in his environment without git's variables."""
        environment = {name: value for name, value in self.environment.items() if not name.startswith("GIT_")}
        environment |= {name: value for name, value in self._environment().items() if name in ("PATH", "MAGIC")}
        self.steps.take("run", " ".join(command))
        import subprocess  # late: 10 ms that reading verbs do not need

        try:
            done = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True)
        except OSError as error:
            return 127, error.strerror or ""
        return done.returncode, _last_line(done.stderr) or _last_line(done.stdout)

    def attached(self, folder: str, command: str, *, environment: Mapping[str, str] | None = None) -> "Ended":
        """How a shell command of the user's ended: in his own environment, on his own terminal, as if he had typed it.

        What is started in the background by it is not waited for. Signals that ask engram to end are the command's.

        Args:
            environment: instead of the user's own.
        """
        self.steps.take("run", command)
        import subprocess  # late: 10 ms that reading verbs do not need

        from engram.datasets.attached import Ended, PassedOn

        own = dict(self.environment if environment is None else environment)
        signals = PassedOn()
        with signals.caught():
            try:
                process = subprocess.Popen(["/bin/sh", "-c", command], cwd=folder, env=own)
            except OSError as error:
                return Ended.unstarted(error)
            signals.go_to(process.pid)
            return Ended.of(process.wait(), signals.came)

    def annex(self) -> GitAnnex:
        """The git-annex to use: the one on PATH, else the one of the ``annex`` extra."""
        found = find_git_annex(self.environment)
        if found is None:
            raise ExtraMissing("git-annex", INSTALL_GIT_ANNEX)
        return found

    def _options(self, *, hooks: bool) -> list[str]:
        settings = [*_SAFE, *_DURABLE]
        if not hooks:
            settings.append("core.hooksPath=/dev/null")
        return [word for setting in (*settings, *self.configuration) for word in ("-c", setting)]

    def _run(
        self, command: list[str | bytes] | list[str], folder: str | bytes, stdin: bytes, fine: Sequence[int] | None
    ) -> "subprocess.CompletedProcess[bytes]":
        self.steps.take(
            "run", " ".join(os.fsdecode(word) for word in command if not os.fsdecode(word).startswith("-c"))
        )
        import subprocess  # late: 10 ms that reading verbs do not need

        try:
            if command[0] == "git":  # git-annex fails with literal paths: its check-ignore takes none
                environment = {**self._environment(), "GIT_LITERAL_PATHSPECS": "1"}
            else:
                environment = self._annex_environment()
            done = subprocess.run(command, cwd=folder, input=stdin, env=environment, capture_output=True)
        except FileNotFoundError as error:
            _missing(os.fsdecode(command[0]), error)
        if fine is not None and done.returncode not in fine:
            if held := _LOCKED.search(done.stderr):
                raise DatasetBusy(os.fsdecode(held[1]), MAYBE_GIT)
            if full := next((one for one in _FULL if one.encode() in done.stderr), ""):
                raise StorageFailed(os.fsdecode(folder), full)
            raise PeerFailed(_spoken(command), done.returncode, _said(done))
        return done

    def _annex_environment(self) -> dict[str, str]:
        """What a git-annex sees: it hands its options to no git that it starts in a sibling's repository."""
        environment = self._environment()
        first = environment.get("GIT_CONFIG_COUNT") or "0"
        if first.isdecimal():
            settings = [setting.partition("=")[::2] for setting in _SAFE]
            settings += [(f"remote.{name}.annex-ignore", "true") for name in self.left_alone()]
            for number, (name, value) in enumerate(settings, int(first)):
                environment[f"GIT_CONFIG_KEY_{number}"] = name
                environment[f"GIT_CONFIG_VALUE_{number}"] = value
            environment["GIT_CONFIG_COUNT"] = str(int(first) + len(settings))
        return environment

    def _environment(self) -> dict[str, str]:
        environment = {
            name: value
            for name, value in self.environment.items()
            if name in _HANDED_ON or name.startswith(_HANDED_ON_PREFIXES)
        }
        environment.update(GIT_TERMINAL_PROMPT="0", GIT_EDITOR=":", LANGUAGE="en")
        annex = find_git_annex(self.environment)
        if annex is not None:
            if annex.folder:
                environment["PATH"] = annex.folder + os.pathsep + environment.get("PATH", os.defpath)
            if annex.magic:
                environment["MAGIC"] = annex.magic
        return environment


def find_git_annex(environment: Mapping[str, str]) -> GitAnnex | None:
    """The git-annex on PATH, else the wheel's; ``None`` when there is neither.

    The wheel's command is a Python script around the program; when both are there the program itself is called,
    which saves 20 ms a call.
    """
    from importlib.machinery import PathFinder

    on_path = _on_path("git-annex", environment.get("PATH", os.defpath))
    wheel = PathFinder.find_spec("git_annex")
    places = list(wheel.submodule_search_locations or ()) if wheel is not None else []
    program = os.path.join(places[0], "git-annex") if places else ""
    if program and os.access(program, os.X_OK) and (not on_path or _is_script(on_path)):
        magic = os.path.join(places[0], "magic.mgc")
        return GitAnnex(program=program, folder=places[0], magic=magic if os.path.exists(magic) else "")
    return GitAnnex(program=on_path) if on_path else None


def git_annex_is_on_path(environment: Mapping[str, str]) -> bool:
    """Whether the user's own shell would find git-annex (git's hooks and filters need it there)."""
    return bool(_on_path("git-annex", environment.get("PATH", os.defpath)))


def _on_path(name: str, path: str) -> str:
    for folder in path.split(os.pathsep):
        program = os.path.join(folder, name)
        if folder and os.access(program, os.X_OK) and os.path.isfile(program):
            return program
    return ""


def _is_script(program: str) -> bool:
    with open(program, "rb") as file:
        return file.read(2) == b"#!" and b"git_annex" in file.read(4096)


def _spoken(command: Sequence[str | bytes]) -> str:
    words = [os.fsdecode(word) for word in command]
    plain = [word for place, word in enumerate(words) if word != "-c" and (place == 0 or words[place - 1] != "-c")]
    return " ".join([os.path.basename(plain[0]), *plain[1:4]])


def _last_line(text: bytes) -> str:
    return last_words(text.decode(errors="replace").splitlines())


def _said(done: "subprocess.CompletedProcess[bytes]") -> str:
    """The line that says what went wrong: the last, but the first where how to call the program follows it.

    What a git-annex said that git had started comes before what git says of its end.
    """
    if done.returncode == _USAGE:
        return done.stderr.partition(b"\n")[0].decode(errors="replace").removeprefix("error: ").strip()
    by_annex = (line for line in done.stderr.splitlines() if line.startswith(b"git-annex: "))
    return next(map(_last_line, by_annex), "") or _last_line(done.stderr) or _last_line(done.stdout)


def _missing(program: str, error: FileNotFoundError) -> NoReturn:
    if program == "git":
        raise ExtraMissing("git", "your system's git package (2.31 or newer)") from error
    raise ExtraMissing(program, INSTALL_GIT_ANNEX) from error
