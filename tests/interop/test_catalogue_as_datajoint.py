"""The catalogue, read by the real DataJoint; and what DataJoint makes of types and names at all."""

import json
import os
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from engram.catalogue.migrating import create_catalogue
from engram.catalogue.opening import open_catalogue
from engram.catalogue.sessions import record_session
from engram.catalogue.subjects import put_subject
from engram.catalogue.tables import whole_schema
from engram.durable import Steps
from engram.model.recordings import Recording, Session
from engram.testing.databases import Server
from tests.catalogues import ADA, new_database
from tests.integration.catalogue.test_sessions import Seen

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SAYS = Path(__file__).with_name("datajoint_says.py")
SESSION = Session(
    id="12347/2020-01-01T10-00-30",
    subject="12347",
    started=datetime.fromisoformat("2020-01-01T10:00:30+01:00"),
    share="recordings",
    folder="12347/2020-01-01_10-00-30",
    recordings=(Recording(kind="video", device="side", paths=("side.avi",), id="video:side"),),
)


@pytest.fixture(scope="session")
def datajoint() -> Path:
    """The Python that has DataJoint; the test is skipped without one."""
    for peer in os.environ.get("ENGRAM_PEERS", "").split(os.pathsep):
        python = Path(peer, "bin", "python")
        if "peers-datajoint" in peer and python.exists():
            return python
    pytest.skip("DataJoint is not installed: ./dev services")


@pytest.fixture(params=["postgresql", "mariadb"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(f"{request.param}_server")
    return found


def ask(datajoint: Path, server: Server, schema: str, what: str, folder: Path) -> dict[str, Any]:
    backend = {"postgresql": "postgresql", "mariadb": "mysql"}[server.kind]
    words = [str(datajoint), str(SAYS), backend, str(server.port), server.user, schema, what]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_datajoint_reads_and_joins_the_catalogue(server: Server, datajoint: Path, tmp_path: Path) -> None:
    address = new_database(server, "lab_for_datajoint")
    create_catalogue(address, Steps())
    with open_catalogue(address) as catalogue, catalogue.changing(ADA) as unit:
        put_subject(unit, "12347", {"sex": "F"})
        put_subject(unit, "12348", {})
        record_session(unit, SESSION, [Seen("side.avi", 2**40, 2**60), Seen("other")])
    schema = "lab_for_datajoint.public" if server.kind == "postgresql" else "lab_for_datajoint"
    said = ask(datajoint, server, schema, "catalogue", tmp_path)
    assert [(row["subject_name"], row["session_started"]) for row in said["join"]] == [("12347", "2020-01-01 10:00:30")]
    assert [(row["subject_sex"], row["recording_device"]) for row in said["three"]] == [("F", "side")]
    for same in (said["restricted"], said["by_day"]):
        assert [row["session_name"] for row in same] == [SESSION.id]
    assert [row["subject_name"] for row in said["without"]] == ["12348"]
    assert [row["files"] for row in said["counted"]] == [2]
    assert [(row["file_path"], row["file_size_bytes"]) for row in said["files"]] == [
        (f"{SESSION.folder}/side.avi", 2**40)
    ]
    assert "subject" in said["parents"]
    assert "12347" in said["printed"]
    classes = {
        "".join(part.title() for part in name.split("_")): table for name, table in whole_schema().tables.items()
    }
    assert said["headings"].items() >= {name: len(table.columns) for name, table in classes.items()}.items()
    assert said["all"].keys() >= classes.keys()


_TYPES = {
    "postgresql": {
        "words": 'varchar(255) COLLATE "C"',
        "long": 'text COLLATE "C"',
        "whole": "bigint",
        "real": "double precision",
        "day": "date",
        "moment": "timestamp",
        "truth": "boolean",
        "document": "jsonb",
        "raw": "bytea",
    },
    "mariadb": {
        "words": "varchar(255)",
        "long": "mediumtext",
        "whole": "bigint",
        "real": "double",
        "day": "date",
        "moment": "datetime(6)",
        "truth": "boolean",
        "document": "json",
        "raw": "varbinary(8)",
    },
}
_VALUES = {"words": "'x'", "long": "'x'", "whole": "9007199254740993", "real": "0.1", "day": "'2020-01-02'"}
_VALUES |= {"moment": "'2020-01-02 03:04:05'", "truth": "true", "document": "'{}'", "raw": "'ab'"}


def test_what_the_schema_was_decided_on_still_holds(server: Server, datajoint: Path, tmp_path: Path) -> None:
    """The experiment that was made before the schema was fixed; docs/decisions tells what followed from it."""
    address = new_database(server, "experiment")
    engine = create_engine(address.url)
    with engine.begin() as connection:
        quote = engine.dialect.identifier_preparer.quote_identifier
        for name, kind in _TYPES[server.kind].items():
            connection.execute(text(f"CREATE TABLE {name}_type (k int PRIMARY KEY, v {kind})"))
            connection.exec_driver_sql(f"INSERT INTO {name}_type VALUES (1, {_VALUES[name]})")
        for name in ("plain", "two_words", "with2digits", "digit_2", "Upper", "_under", "#hash", "tail_", "a-b"):
            connection.exec_driver_sql(f"CREATE TABLE {quote(name)} (k int PRIMARY KEY)")
        for name in ("left", "right"):
            own, other = (1, "'a'") if name == "left" else (2, "'b'")
            connection.exec_driver_sql(
                f"CREATE TABLE {quote(name)} ({name}_id int PRIMARY KEY, note varchar(9), x int)"
            )
            connection.exec_driver_sql(f"INSERT INTO {quote(name)} VALUES ({own}, {other}, 7)")
    engine.dispose()
    schema = "experiment.public" if server.kind == "postgresql" else "experiment"
    said = ask(datajoint, server, schema, "experiment", tmp_path)
    # Names that are lower-case words joined by one underline, none of which begins with a digit.
    assert {"Plain", "TwoWords", "With2digits"} <= set(said["classes"])
    assert not {"Digit2", "Digit_2", "AB", "Tail"} & set(said["classes"])
    # Whatever the type, the heading is read; truth differs between the databases, JSON and bytes cannot be searched.
    assert said["types"].keys() == {f"{name.title()}Type" for name in _TYPES[server.kind]}
    assert said["values"]["WholeType"] == 9007199254740993
    assert said["values"]["MomentType"] == "2020-01-02 03:04:05"
    assert said["values"]["TruthType"] == (True if server.kind == "postgresql" else 1)
    assert said["values"]["DocumentType"] == ({} if server.kind == "postgresql" else "{}")
    # A name in two tables that means two things: no rows, or an error, but never what was meant.
    assert not isinstance(said["shared_name"], list) or said["shared_name"] == []
