"""A real Neo4j from its jars: the three programs that a script calls, for as long as a test needs them.

The jars are those that Maven copies for ``org.neo4j:neo4j`` and ``org.neo4j:neo4j-import-tool``; a folder with them is
named by ``ENGRAM_NEO4J_JARS``.
"""

import json
import os
import signal
import socket
import sys
import textwrap
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

_JAVA = "java -Xmx900m --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/java.lang=ALL-UNNAMED"


class Server:
    """Programs in ``bin``, a home of its own, and one port of this machine alone."""

    def __init__(self, jars: str, folder: Path) -> None:
        self.folder, self.bin = folder, folder / "bin"
        for name in ("bin", "conf", "data", "logs", "import", "run"):
            (folder / name).mkdir(parents=True)
        self.port, bolt = free_ports()
        settings = f"""\
            dbms.security.auth_enabled=false
            server.bolt.listen_address=127.0.0.1:{bolt}
            server.http.listen_address=127.0.0.1:{self.port}
            server.memory.pagecache.size=64m
            dbms.usage_report.enabled=false
            """
        (folder / "conf" / "neo4j.conf").write_text(textwrap.dedent(settings))
        java = f"NEO4J_HOME={folder} NEO4J_CONF={folder}/conf exec {_JAVA} -cp '{jars}/*'"
        self._program("neo4j-admin", f'{java} org.neo4j.cli.AdminTool "$@"')
        entry = f"{java} org.neo4j.server.CommunityEntryPoint --home-dir={folder} --config-dir={folder}/conf"
        self._program("neo4j", f"({entry}) >{folder}/logs/out 2>&1 & echo $! >{folder}/run/pid")
        self._program("cypher-shell", f'exec {sys.executable} {Path(__file__)} {self.port} "$@"')

    def _program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.bin / name).chmod(0o755)

    def ask(self, query: str) -> list[list[Any]]:
        """The rows of a question in Cypher."""
        return ask(self.port, query)

    def stop(self) -> None:
        """End it, and wait until it is gone."""
        with suppress(FileNotFoundError, ProcessLookupError, ValueError):
            pid = int((self.folder / "run" / "pid").read_text())
            os.kill(pid, signal.SIGTERM)
            for _ in range(300):
                os.kill(pid, 0)
                time.sleep(0.1)
            os.kill(pid, signal.SIGKILL)


def free_ports() -> tuple[int, int]:
    """Two ports that nobody listens on just now; what answers over HTTP needs the other one itself."""
    with socket.socket() as one, socket.socket() as other:
        for found in (one, other):
            found.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def ask(port: int, query: str) -> list[list[Any]]:
    """The rows of a question in Cypher, each in a transaction of its own."""
    data = json.dumps({"statement": query}).encode()
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/db/neo4j/query/v2", data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=120) as answer:
        told = json.load(answer)
    if told.get("errors"):
        raise RuntimeError(told["errors"])
    rows: list[list[Any]] = told["data"]["values"]
    return rows


def shell(port: int, words: list[str]) -> None:
    """What cypher-shell does with a file, with standard input, or with a query."""
    if "--file" in words:
        text = Path(words[words.index("--file") + 1]).read_text()
    else:
        text = words[-1] if words[-1].startswith("RETURN") else sys.stdin.read()
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("//"))
    for statement in "\n".join(lines).split(";"):
        if statement.strip():
            ask(port, statement.strip().removeprefix(":auto "))


if __name__ == "__main__":
    shell(int(sys.argv[1]), sys.argv[2:])
