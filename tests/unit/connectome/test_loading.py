"""The script that loads a snapshot into Neo4j: what it says for each version, whatever files are called."""

import csv
import shlex
import subprocess
from pathlib import Path

import pytest

from engram.connectome.neo4j.header import BadFile, header_of, read_header, read_otherwise
from engram.connectome.neo4j.loading import (
    How,
    explain,
    is_database,
    load_script,
    rename_statement,
    safe_header,
    unloadable,
)
from engram.connectome.neo4j.sources import Sources, sources_of

GIB = 1 << 30


def script(folder: Path, **how: object) -> str:
    wanted = {"memory_bytes": 64 * GIB, "threads": 8, **how}
    return load_script(str(folder), sources_of(str(folder)), How(**wanted))  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "it's $(here)"
    (place / "Neuprint_Neurons").mkdir(parents=True)
    (place / "Neuprint_Meta.csv").write_text("dataset:string,:Label\n")
    (place / "Neuprint_Neurons" / "0.csv").write_text('":ID(Body-ID)",pre:int,AL(L):boolean,"a, b(R):boolean",:LABEL\n')
    (place / "Neuprint_Neuron_Connections.csv").write_text(":START_ID(Body-ID),:END_ID(Body-ID)\n")
    return place


def test_of_neo4j_5_names_with_brackets_are_imported_under_others(folder: Path) -> None:
    """Neo4j 5 takes what stands in the brackets of ``AL(L):boolean`` for a space of ids."""
    safe = safe_header(str(folder / "Neuprint_Neurons" / "0.csv"))
    assert safe == ':ID(Body-ID),pre:int,AL\ue000L\ue001:boolean,"a, b\ue000R\ue001:boolean",:LABEL'
    assert safe_header(str(folder / "Neuprint_Meta.csv")) == ""
    assert "\ue000" in rename_statement()


def test_neo4j_5_reads_our_headers_as_they_are_meant(folder: Path) -> None:
    """As they stand, it would take ``AL(L)`` and ``AL(R)`` for one property of two spaces of ids."""
    heads = ["AL(L):boolean", "AL(R):boolean", "somaLocation:point{srid:9157}", ":ID(Body-ID)"]
    assert [column.name for column in read_header(heads, of_nodes=True)] == ["AL(L)", "AL(R)", "somaLocation", ""]
    assert read_otherwise(heads, of_nodes=True) == heads[:2]
    with pytest.raises(BadFile, match="the property AL has 2 columns"):
        read_header(heads, of_nodes=True, version="5")
    path = folder / "Neuprint_Neurons" / "0.csv"
    ours = next(csv.reader([safe_header(str(path))]))
    assert read_otherwise(ours, of_nodes=True) == []
    meant = read_header(header_of(str(path)), of_nodes=True)
    for version in ("4.4", "5"):
        read = read_header(ours, of_nodes=True, version=version)
        assert [(column.kind, column.space) for column in read] == [(column.kind, column.space) for column in meant]
        assert [column.name.translate({0xE000: "(", 0xE001: ")"}) for column in read] == [
            column.name for column in meant
        ]


def test_each_version_has_its_own_words(folder: Path) -> None:
    five, four = script(folder), script(folder, version="4.4", database="data")
    assert "neo4j-admin database import full neo4j --overwrite-destination=true" in five
    assert "--threads=8 --max-off-heap-memory=48g" in five
    assert "export HEAP_SIZE=16G" in five
    assert "create-indexes-neo4j5.cypher" in five
    assert "neo4j-admin import --database=data --force=true" in four
    assert "--processors=8 --max-memory=48G" in four
    assert 'create-indexes.cypher"' in four
    assert "header-" not in four


def test_whatever_a_folder_and_a_header_are_called_nothing_of_it_runs(folder: Path, tmp_path: Path) -> None:
    evil = "x$(touch gone)(L)'; touch gone; '"
    (folder / "Neuprint_Neurons" / "0.csv").write_text(f'":ID(Body-ID)","{evil}:boolean\nEND",:LABEL\n')
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("neo4j-admin", "neo4j", "cypher-shell"):
        (programs / name).write_text(f'#!/bin/sh\necho "$0" "$@" >>"{tmp_path}/said"\n')
        (programs / name).chmod(0o755)
    (tmp_path / "load.sh").write_text(script(folder))
    done = subprocess.run(
        ["sh", "load.sh"], cwd=tmp_path, env={"PATH": f"{programs}:/usr/bin:/bin"}, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.rglob("gone"))
    said = (tmp_path / "said").read_text()
    assert f"--relationships=ConnectsTo={folder}/Neuprint_Neuron_Connections.csv" in said
    assert said.index("database import full") < said.index("neo4j start") < said.index("create-indexes-neo4j5")


@pytest.mark.parametrize("version", ["4.4", "5"])
def test_the_report_of_an_import_is_told_and_lies_around_nowhere(version: str, folder: Path, tmp_path: Path) -> None:
    """By itself neo4j-admin leaves a file import.report in the folder where it is called."""
    programs, here = tmp_path / "bin", tmp_path / "here"
    programs.mkdir()
    here.mkdir()
    write = 'for word; do case $word in --report-file=*) echo "no such node" >"${word#*=}" ;; esac; done'
    (programs / "neo4j-admin").write_text(f"#!/bin/sh\n{write}\nexit 7\n")
    (programs / "neo4j-admin").chmod(0o755)
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "TMPDIR": str(tmp_path)}
    call = ["sh", "-c", script(folder, version=version)]
    done = subprocess.run(call, cwd=here, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (7, "no such node\n")
    assert not list(here.iterdir())
    assert not list(tmp_path.glob("tmp.*"))


def test_on_a_cluster_it_goes_into_a_container(folder: Path) -> None:
    text = script(folder, in_container=True)
    assert 'exec apptainer exec --writable-tmpfs --bind "$DATA"' in text
    assert "docker://neo4j:5.26-community" in text
    assert "docker://neo4j:4.4-community" in script(folder, in_container=True, version="4.4")
    assert '--bind "$(readlink -f "$0"):/load.sh"' in text
    assert subprocess.run(["sh", "-n"], input=text.encode(), check=False).returncode == 0


@pytest.mark.parametrize("version", ["4.4", "5"])
def test_in_a_container_it_runs_whatever_file_it_is_needs_no_password_and_stops(
    version: str, folder: Path, tmp_path: Path
) -> None:
    """Slurm runs a copy of a script from a folder of its own, which is not there in a container."""
    home, programs = tmp_path / "home", tmp_path / "bin"
    for place in (home / "conf", programs):
        place.mkdir(parents=True)
    (home / "conf" / "neo4j.conf").write_text("kept=1\ndbms.security.auth_enabled=true\n")
    for name in ("neo4j-admin", "neo4j", "cypher-shell"):
        (programs / name).write_text(f'#!/bin/sh\necho "${{0##*/}}" "$1" >>"{tmp_path}/said"\n')
    (programs / "neo4j").write_text(f'#!/bin/sh\necho neo4j "$1" >>{tmp_path}/said\ncat "$NEO4J_CONF/neo4j.conf"\n')
    inside = (
        'for one; do case $one in *:/load.sh) self=${one%:/load.sh} ;; esac; done; APPTAINER_CONTAINER=1 sh "$self"'
    )
    (programs / "apptainer").write_text(f"#!/bin/sh\n{inside}\n")
    for one in programs.iterdir():
        one.chmod(0o755)
    (tmp_path / "load.sh").write_text(script(folder, version=version, in_container=True))
    known = {"PATH": f"{programs}:/usr/bin:/bin", "NEO4J_HOME": str(home)}
    done = subprocess.run(["sh", "load.sh"], cwd=tmp_path, env=known, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    address = "server" if version == "5" else "dbms"
    conf = ["kept=1", "dbms.security.auth_enabled=false", f"{address}.default_listen_address=127.0.0.1"]
    told = f"The database neo4j lies in {tmp_path}/neo4j/data."
    assert done.stdout.splitlines() == [*conf, *conf, told]
    assert (tmp_path / "said").read_text().splitlines()[-1] == "neo4j stop"
    text = (tmp_path / "load.sh").read_text()
    through = subprocess.run(["sh"], input=text, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (through.returncode, through.stderr) == (2, "Run this as a file: sh FILE\n")


def test_a_server_that_wants_a_password_is_not_waited_for(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "neo4j-admin").write_text("#!/bin/sh\n")
    (tmp_path / "neo4j").write_text("#!/bin/sh\n")
    (tmp_path / "sleep").write_text(f'#!/bin/sh\necho "$1" >>{tmp_path}/slept\n')
    refused = "The client is unauthorized due to authentication failure."
    (tmp_path / "cypher-shell").write_text(f"#!/bin/sh\necho '{refused}' >&2; exit 1\n")
    for one in tmp_path.iterdir():
        if one.is_file():
            one.chmod(0o755)
    (tmp_path / "load.sh").write_text(script(folder))
    known = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(["sh", "load.sh"], cwd=tmp_path, env=known, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, f"Neo4j does not answer: {refused}\n")
    assert len((tmp_path / "slept").read_text().splitlines()) < 20
    assert "NEO4J_PASSWORD" in explain([done.stderr])


@pytest.mark.parametrize("name", ["neo4j", "data", "manc-v1.0"])
def test_what_neo4j_takes_for_the_name_of_a_database(name: str) -> None:
    assert is_database(name)


@pytest.mark.parametrize("name", ["--force", "x y", "a", "", "1st", "a" * 64, "data;", "data\n"])
def test_what_it_does_not(name: str) -> None:
    assert not is_database(name)


def test_little_memory_is_divided_all_the_same(folder: Path) -> None:
    text = script(folder, memory_bytes=GIB // 2, threads=1)
    assert "export HEAP_SIZE=1G" in text
    assert "--max-off-heap-memory=1g" in text


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        ("Duplicate header entries found in a.csv, first AL(L), other AL(R)", "two columns have one name"),
        ("Id '7' is defined more than once in group 'Body-ID'", "a node is there twice"),
        ("7 (Body-ID) referring to missing node 8", "leads to no node"),
        ("java.lang.OutOfMemoryError: Java heap space", "more memory"),
        ("No space left on device", "disk of the database is full"),
        ("sh: 1: neo4j-admin: not found", "is not on PATH"),
    ],
)
def test_what_an_import_says_is_explained(said: str, meaning: str) -> None:
    assert meaning in explain(["Neo4j version: 5", said, "IMPORT FAILED"])
    assert explain(["", "  odd  "]) == "odd"
    assert explain([]) == "it said nothing"


def test_a_path_with_a_comma_is_told() -> None:
    sources = Sources(nodes=("/a/b.csv",), relationships=(("/a,b/c.csv", "Contains"),))
    assert unloadable(sources) == "/a,b/c.csv"
    assert unloadable(Sources(nodes=("/a/b.csv",), relationships=())) == ""
    assert shlex.quote("/a,b") == "/a,b"
