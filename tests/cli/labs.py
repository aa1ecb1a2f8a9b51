"""A lab in the folder that commands start in, with the sample share, ingested."""

import csv
import shutil
from pathlib import Path

from engram.workspace.tables import read_table
from tests.cli.conftest import Engram

SAMPLES = Path(__file__).parents[1] / "data/rig/kavli_share/recordings"
NPX, IMAGING = "12347/2020-01-01T10-00-30", "23457/2022-04-19"


def ingested(engram: Engram, folder: Path) -> Path:
    """Make it: two sessions of two subjects; ada is responsible for one of them."""
    shutil.copytree(SAMPLES, folder / "share")
    for command in (
        ("lab", "create"),
        ("share", "add", "recordings", str(folder / "share")),
        ("subjects", "add", "12347", "--responsible", "ada"),
        ("subjects", "add", "23457"),
        ("sessions", "plan", "-o", "plan.json"),
        ("sessions", "ingest", "plan.json"),
    ):
        assert engram(*command).code == 0, command
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    """A table's rows, by its heading."""
    heading, *rows = read_table(str(path))
    return [dict(zip(heading, row, strict=True)) for row in rows]


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    """The same back, as a person's program writes it."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
