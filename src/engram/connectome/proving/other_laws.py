"""Laws of the tables of neurotransmitters, and of those that show a snapshot at a glance."""

import csv
import os
from collections.abc import Iterator

from engram.connectome.engine import Work
from engram.connectome.proving.flat_laws import OF_POINTS
from engram.connectome.proving.laws import Law, Never, Same, unique
from engram.connectome.proving.seen import Seen
from engram.connectome.proving.told import Wrong
from engram.connectome.sql import name


def nt_laws(seen: Seen) -> Iterator[Law]:
    """The laws of ``nt/``."""
    if seen.has("nt_bodies"):
        yield unique(seen.paths["nt_bodies"], "nt_bodies", "body", "bodies stand in several rows")
    if not seen.has("nt_tbars"):
        return
    path = seen.paths["nt_tbars"]
    yield unique(path, "nt_tbars", "point_id", "ids stand in several rows")
    if seen.has_column("points", *OF_POINTS) and not seen.made.flat_restriction:
        yield Never(
            path=path,
            what=f"T-bars are not in {seen.paths['points']}, or on another body",
            query="SELECT point_id, body FROM nt_tbars EXCEPT ALL"
            " SELECT point_id, body FROM points WHERE CAST(kind AS VARCHAR) = 'PreSyn'",
        )
    scores = [one for one in seen.columns["nt_tbars"] if one.startswith("nt_") and one.endswith("_prob")]
    if scores and seen.has_column("nt_bodies", "total_nt_predictions"):
        known = " OR ".join(f"({name(one)} IS NOT NULL AND NOT isnan({name(one)}))" for one in scores)
        columns = "CAST(body AS UBIGINT) AS body"
        total = "CAST(total_nt_predictions AS BIGINT) AS total"
        bodies = "SELECT body FROM nt_bodies"
        yield Same(
            path=seen.paths["nt_bodies"],
            what="values of total_nt_predictions",
            other=f"the T-bars in {path}",
            here=f"SELECT {columns}, {total} FROM nt_bodies WHERE total_nt_predictions > 0",
            there=f"SELECT {columns}, count(*) AS total FROM nt_tbars"
            f" WHERE ({known}) AND body IN ({bodies}) GROUP BY body",
        )


def status_counts(work: Work, seen: Seen, folder: str, path: str) -> Iterator[Wrong]:
    """Whether statuses are counted as annotations have them."""
    if not seen.has_column("given_annotations", "status"):
        return
    query = "SELECT CAST(status AS VARCHAR) AS one, count(*) FROM given_annotations GROUP BY one"
    counted = {status: count for status, count in work.rows(query) if status}
    try:
        with open(os.path.join(folder, path), newline="", encoding="utf-8") as file:
            told = {row["status"]: row["count"] for row in csv.DictReader(file, strict=True)}
    except (OSError, UnicodeDecodeError, csv.Error, KeyError) as error:
        yield Wrong(path=path, message=f"cannot be read: {str(error) or type(error).__name__}")
        return
    for status in counted.keys() | told.keys():
        if str(counted.get(status, 0)) != told.get(status):
            message = f"counts {told.get(status, 'no')} bodies of the status {status!r}"
            there = seen.paths["given_annotations"]
            yield Wrong(path=path, message=f"{message}; {there} has {counted.get(status, 0)}")
