"""The script that loads the files of a snapshot into Neo4j: import, start, names, indexes.

Neo4j 5 reads ``AL(L):boolean`` as a property ``AL`` of a space of ids ``L``, so that such columns are imported under
other names, by headers of our own, and get their names back afterwards. Neo4j 4.4 takes them as they are.

Source: https://neo4j.com/docs/operations-manual/5/tools/neo4j-admin/neo4j-admin-import/ and the same of 4.4;
flyem-snapshot, ``ingest-neuprint-snapshot-within-neo4j-container.sh``, version 0.1.15 (which options a snapshot needs)
"""

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from shlex import quote

from engram.connectome.contents import Contents
from engram.connectome.neo4j.header import header_of
from engram.connectome.neo4j.sources import Sources

#: What stands for characters that a header of Neo4j 5 cannot have in a name: characters that nobody uses.
_STANDS_FOR = {"(": "\ue000", ")": "\ue001", "{": "\ue002", "}": "\ue003"}
_GIB = 1 << 30
#: A heap above this needs longer pointers. Source: flyem-snapshot (HEAP_SIZE).
_LARGEST_HEAP_GIB = 31
_IMAGES = {"5": "docker://neo4j:5.26-community", "4.4": "docker://neo4j:4.4-community"}
#: Those of Neo4j that a snapshot is loaded into.
VERSIONS = tuple(_IMAGES)
_PATIENCE_S = 600
#: After the import: what its report says, if it fails.
_OR_SAY_WHY = (
    '|| { status=$?; [ ! -f "$WORK/import.report" ] || head -n 20 "$WORK/import.report" >&2; exit "$status"; }'
)
_RENAMED = re.compile(f"[{''.join(_STANDS_FOR.values())}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How a snapshot is loaded."""

    #: One of `VERSIONS`.
    version: str = "5"
    database: str = "neo4j"
    #: What the import may take.
    memory_bytes: int
    threads: int
    #: Within a container of apptainer, as on a cluster.
    in_container: bool = False


def load_script(folder: str, sources: Sources, how: How) -> str:
    """A script for sh that loads the files of *folder*, which is a snapshot's ``neuprint/``. Raises `BadFile`."""
    files = [*sources.nodes, *(path for path, _ in sources.relationships)]
    beside = Contents(folder).objects if any(map(os.path.islink, files)) else ""
    return "\n".join([*_beginning(folder, how, beside), *_import(sources, how), *_afterwards(how)]) + "\n"


def _beginning(folder: str, how: How, beside: str) -> Iterator[str]:
    """What comes before the import. The files of a snapshot that was saved are links into the folder *beside*."""
    yield "#!/bin/sh"
    yield f"# Loads a snapshot into Neo4j {how.version}. What the database held before is replaced."
    yield "set -eu"
    yield f"DATA={quote(folder)}"
    if how.in_container:
        yield "# The database will lie in $NEO4J_DATA, or else in the folder neo4j where this is run."
        yield 'if [ -z "${APPTAINER_CONTAINER:-}" ]; then'
        yield '    [ -f "$0" ] || { echo "Run this as a file: sh FILE" >&2; exit 2; }'
        yield '    mkdir -p "${NEO4J_DATA:=$PWD/neo4j}/data" "$NEO4J_DATA/logs"'
        yield "    export NEO4J_DATA"
        yield '    exec apptainer exec --writable-tmpfs --bind "$DATA" --bind "$NEO4J_DATA/data:/data" \\'
        if beside:
            yield f"        --bind {quote(beside)} \\"
        # Slurm and its like run a copy that lies where no container sees it.
        yield '        --bind "$NEO4J_DATA/logs:/logs" --bind "$(readlink -f "$0"):/load.sh" \\'
        yield f"        {_IMAGES[how.version]} sh /load.sh"
        yield "fi"
    yield "WORK=$(mktemp -d)"
    yield "trap 'rm -rf \"$WORK\"' EXIT"
    if how.in_container:
        yield from _without_password(how.version)


def _without_password(version: str) -> Iterator[str]:
    """Settings of a server that nobody but this script can reach: in a new container nobody has set a password yet."""
    address = f"{'server' if version == '5' else 'dbms'}.default_listen_address"
    yield 'cp -R "${NEO4J_HOME:-/var/lib/neo4j}/conf" "$WORK/conf"'
    yield f"grep -v -e '^dbms.security.auth_enabled=' -e '^{address}=' \\"
    yield '    "${NEO4J_HOME:-/var/lib/neo4j}/conf/neo4j.conf" >"$WORK/conf/neo4j.conf" || true'
    yield f"printf '%s\\n' dbms.security.auth_enabled=false {address}=127.0.0.1 >>\"$WORK/conf/neo4j.conf\""
    yield 'export NEO4J_CONF="$WORK/conf"'


def _import(sources: Sources, how: How) -> Iterator[str]:
    """The headers that are needed, and the call of neo4j-admin."""
    words: list[str] = []
    for number, path in enumerate(sources.nodes):
        head = safe_header(path) if how.version == "5" else ""
        if head:
            yield f"printf '%s\\n' {quote(head)} >\"$WORK/header-{number}.csv\""
            words.append(f'--nodes="$WORK/header-{number}.csv",{quote(path)}')
        else:
            words.append(f"--nodes={quote(path)}")
    words += [f"--relationships={kind}={quote(path)}" for path, kind in sources.relationships]
    memory_gib = max(how.memory_bytes // _GIB, 1)
    heap = min(max(memory_gib // 4, 1), _LARGEST_HEAP_GIB)
    beside = max(memory_gib - heap, 1)
    if how.version == "5":
        call = f"neo4j-admin database import full {quote(how.database)} --overwrite-destination=true"
        more = f"--auto-skip-subsequent-headers=true --threads={how.threads} --max-off-heap-memory={beside}g"
    else:
        call = f"neo4j-admin import --database={quote(how.database)} --force=true"
        more = f"--processors={how.threads} --max-memory={beside}G"
    yield f"export HEAP_SIZE={heap}G"
    # else it lies in the folder where this is run, which may be anybody's
    more += ' --report-file="$WORK/import.report"'
    yield " \\\n    ".join([call, "--multiline-fields=true --normalize-types=false", more, *words, _OR_SAY_WHY])


def safe_header(path: str) -> str:
    """The header of a file as Neo4j 5 takes it; '' if it takes the file's own. Raises `BadFile`."""
    heads = header_of(path)
    safe = [_safe(head) for head in heads]
    if safe == heads:
        return ""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(safe)
    return line.getvalue()


def _safe(head: str) -> str:
    """A column's header with a name that Neo4j 5 reads.

    >>> _safe("pre:int"), _safe("location:point{srid:9157}"), len(_safe("AL(L):boolean"))
    ('pre:int', 'location:point{srid:9157}', 13)
    """
    match = re.fullmatch(r"(?P<name>.+):(?P<kind>[A-Za-z_]+(?:\[\])?(?:\{[^{}]*\})?)", head, re.DOTALL)
    if match is None:
        return head
    name = "".join(_STANDS_FOR.get(one, one) for one in match["name"])
    return f"{name}:{match['kind']}"


def _afterwards(how: How) -> Iterator[str]:
    """Start it, wait, give properties their names, make indexes."""
    shell = f"cypher-shell --non-interactive --database {quote(how.database)}"
    yield "neo4j start"
    yield "tries=0"
    yield f"until said=$({shell} 'RETURN 1' 2>&1); do"
    yield "    case $said in *uthenticat*) tries=$((tries + 60)) ;; esac"
    yield "    tries=$((tries + 1))"
    yield f'    [ "$tries" -lt {_PATIENCE_S} ] || {{ echo "Neo4j does not answer: $said" >&2; exit 1; }}'
    yield "    sleep 1"
    yield "done"
    if how.version == "5":
        yield f"printf '%s\\n' {quote(rename_statement())} | {shell}"
        yield f'{shell} --file "$DATA/create-indexes-neo4j5.cypher"'
    else:
        yield f'{shell} --file "$DATA/create-indexes.cypher"'
    if how.in_container:  # what runs in it ends with it
        yield "neo4j stop"
        yield f'echo "The database {how.database} lies in $NEO4J_DATA/data."'


def rename_statement() -> str:
    """What gives properties the names that they could not be imported under."""
    name = "key"
    for one, instead in _STANDS_FOR.items():
        name = f"replace({name}, '{instead}', '{one}')"
    odd = f"[key IN keys(n) WHERE key =~ '(?s).*[{''.join(_STANDS_FOR.values())}].*']"
    return (
        f":auto MATCH (n) WITH n, {odd} AS odd WHERE size(odd) > 0"
        f" CALL {{ WITH n, odd UNWIND odd AS key SET n[{name}] = n[key] SET n[key] = null }}"
        " IN TRANSACTIONS OF 20000 ROWS;"
    )


#: What the import says, and what that means.
_EXPLAINED = {
    r"Duplicate header entries": "two columns have one name for Neo4j: ROIs that differ in brackets alone, perhaps",
    r"is defined more than once": "a node is there twice: engram snapshot check DIR names it",
    r"referring to missing node": "a relationship leads to no node: engram snapshot check DIR names it",
    r"OutOfMemory|Not enough (?:free )?memory|exceeds available": "it needs more memory: give it more with --memory",
    r"No space left": "the disk of the database is full",
    r"database is in use|currently in use|lock": "Neo4j runs: an import needs it at rest (neo4j stop)",
    r"not found|No such file": "neo4j-admin, neo4j or cypher-shell is not on PATH, or a file is gone",
    r"Multi-?line|multi-line": "a value holds a line break that was not expected: give --multiline-fields=true",
    r"Unauthorized|authentication|password": "Neo4j wants a password: set NEO4J_USERNAME and NEO4J_PASSWORD",
}


def explain(said: Iterable[str]) -> str:
    """What an import that failed means, in one line: the first that is known of what it said, else its last words."""
    lines = [line.strip() for line in said if line.strip()]
    for line in lines:
        for pattern, meaning in _EXPLAINED.items():
            if re.search(pattern, line):
                return f"{line[:300]} ({meaning})"
    return lines[-1][:300] if lines else "it said nothing"


def is_database(database: str) -> bool:
    """Whether Neo4j takes this name for a database.

    Source: https://neo4j.com/docs/operations-manual/5/database-administration/ (rules of names)
    """
    return re.fullmatch(r"[A-Za-z][A-Za-z0-9.-]{2,62}", database) is not None


def unloadable(sources: Sources) -> str:
    """A path that neo4j-admin would take for several: it splits at commas; '' for none."""
    paths = [*sources.nodes, *(path for path, _ in sources.relationships)]
    return next((path for path in paths if "," in path or os.linesep in path), "")
