"""Tables that show a snapshot at a glance: ``tables/``.

Source: flyem-snapshot, ``flyem_snapshot/inputs/annotations.py``
"""

from collections.abc import Iterator

from engram.connectome.annotations import Annotations
from engram.connectome.outputs import Output
from engram.connectome.tables import AS_GIVEN, CATEGORY, ORDERED, Column, Table

ANNOTATIONS = Table(
    "body-annotations, as given",
    "tables/body-annotations-{tag}.feather",
    "body with an annotation",
    "body",
    (Column("…", AS_GIVEN, "A column of the annotations, under its own name", optional=True, when="if given"),),
)
STATUS_COUNTS = Table(
    "body-status-counts",
    "tables/body-status-counts-{tag}.csv",
    "status that bodies have; bodies without one are left out",
    "status from the best to the worst; where their order is not known, by name",
    (
        Column("status", "VARCHAR", "How far a body is traced"),
        Column("count", "BIGINT", "Bodies of this status"),
    ),
)
TABLES = (ANNOTATIONS, STATUS_COUNTS)


def overview_outputs(annotations: Annotations, *, tag: str) -> Iterator[Output]:
    """The files of ``tables/``."""
    given = {column: _kind(column, kind, annotations.order) for column, kind in annotations.columns.items()}
    promise = ANNOTATIONS.concrete(given=given)
    yield Output(path=ANNOTATIONS.file.format(tag=tag), query="SELECT * FROM annotation", promise=promise)
    order = "annotation.status DESC" if annotations.order else "annotation.status"
    query = (
        "SELECT CAST(status AS VARCHAR) AS status, count(*) AS count FROM annotation"
        f" WHERE status <> '' GROUP BY annotation.status ORDER BY {order}"
    )
    yield Output(path=STATUS_COUNTS.file.format(tag=tag), query=query, promise=STATUS_COUNTS)


def _kind(column: str, kind: str, order: tuple[str, ...]) -> str:
    if kind.startswith("ENUM"):
        return ORDERED if column == "status" and order else CATEGORY
    return kind
