"""Private PostgreSQL and MariaDB servers on the loopback address, gone afterwards, for tests of the catalogue."""

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

#: Where Debian keeps the servers' programs; they are on nobody's PATH.
_FOLDERS = ("/usr/lib/postgresql/17/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/15/bin", "/usr/sbin")
_PATIENCE_S = 120
_BETWEEN_LOOKS_S = 0.1
#: Below ip_local_port_range as it usually is. Source: https://docs.kernel.org/networking/ip-sysctl.html
_PORTS = range(20_000, 32_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that runs, and takes whoever comes from this machine."""

    #: ``postgresql`` or ``mariadb``.
    kind: str
    port: int
    user: str
    process: "subprocess.Popen[bytes]"

    def url(self, database: str) -> str:
        """The URL of one of its databases, as ``engram.toml`` has it."""
        driver = {"postgresql": "postgresql+psycopg", "mariadb": "mysql+pymysql"}[self.kind]
        return f"{driver}://{self.user}@127.0.0.1:{self.port}/{database}"

    def kill(self) -> None:
        """End it as a power cut would: no connection is told."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def program(name: str) -> str | None:
    """The path of one of the servers' programs, or ``None`` when it is not installed."""
    return shutil.which(name, path=os.pathsep.join([*_FOLDERS, os.environ.get("PATH", "")]))


@contextmanager
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server with the user ``engram`` and the database ``postgres``."""
    with _folder() as folder:
        owner = _owner_of(folder, "postgres")
        data = str(folder / "data")
        made = [_needed("initdb"), "-D", data, "-U", "engram", "-A", "trust", "--no-sync", "-E", "UTF8"]
        _run([*made, "--locale=C.UTF-8"], owner)
        port = free_port()
        settings = [f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", "fsync=off"]
        words = [_needed("postgres"), "-D", data, *(word for setting in settings for word in ("-c", setting))]
        with _running(words, folder, owner, "postgresql", port, "engram") as server:
            yield server


@contextmanager
def mariadb() -> Iterator[Server]:
    """A MariaDB server with the user ``root``, and no database of users."""
    with _folder() as folder:
        owner = _owner_of(folder, "mysql")
        made = [_needed("mariadb-install-db"), "--no-defaults", "--auth-root-authentication-method=normal"]
        _run([*made, "--skip-test-db", f"--datadir={folder / 'data'}", f"--tmpdir={folder}"], owner)
        port = free_port()
        words = [_needed("mariadbd"), "--no-defaults", f"--datadir={folder / 'data'}", f"--socket={folder / 'socket'}"]
        words += [f"--port={port}", "--bind-address=127.0.0.1", "--innodb-flush-log-at-trx-commit=0"]
        words += ["--innodb-buffer-pool-size=64M", "--skip-name-resolve", f"--tmpdir={folder}"]
        with _running(words, folder, owner, "mariadb", port, "root") as server:
            yield server


@contextmanager
def _folder() -> Iterator[Path]:
    """On a disk: a server's empty data take 200 MB, and memory is small."""
    with tempfile.TemporaryDirectory(prefix="engram-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _needed(name: str) -> str:
    found = program(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed: ./dev services")
    return found


def _owner_of(folder: Path, account: str) -> int | None:
    """The account that runs a server, when this is root: none of them runs as root. The folder is its own then."""
    if os.geteuid() != 0:
        return None
    try:
        owner = pwd.getpwnam(account)
    except KeyError:
        owner = pwd.getpwnam("nobody")
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    return owner.pw_uid


def _run(words: Sequence[str], owner: int | None) -> None:
    done = subprocess.run(words, user=owner, cwd="/", capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{words[0]} ended with {done.returncode}: {done.stderr.decode(errors='replace')}")


@contextmanager
def _running(
    words: Sequence[str], folder: Path, owner: int | None, kind: str, port: int, user: str
) -> Iterator[Server]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(words, user=owner, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait_for(port, process, folder / "log")
        yield Server(kind=kind, port=port, user=user, process=process)
    finally:
        # PostgreSQL: at once, with its children; both have nothing to save.
        process.send_signal(signal.SIGQUIT if kind == "postgresql" else signal.SIGKILL)
        process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    give_up_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < give_up_s and process.poll() is None:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0 and process.poll() is None:
                return
        time.sleep(_BETWEEN_LOOKS_S)
    raise RuntimeError(f"{process.args!r} does not answer:\n{log.read_text(errors='replace')[-4000:]}")


def free_port() -> int:
    """A port on the loopback address that nobody listened on a moment ago.

    It is none of those that the kernel gives to clients: one of them could have it before the server does.
    """
    for number in random.SystemRandom().sample(_PORTS, len(_PORTS)):
        with closing(socket.socket()) as probe, suppress(OSError):
            probe.bind(("127.0.0.1", number))
            return number
    raise RuntimeError("no port is free")
