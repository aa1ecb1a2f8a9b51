"""The files of neurotransmitters: ``nt/``.

Source: flyem-snapshot, ``flyem_snapshot/outputs/neurotransmitters.py``
"""

import csv
import io
from collections.abc import Iterator, Sequence

from engram.connectome.engine import Work
from engram.connectome.neurotransmitters.bodies import Confusion
from engram.connectome.neurotransmitters.predictions import Predictions, column_of
from engram.connectome.outputs import Output, TextOutput
from engram.connectome.sql import UNSPECIFIED, name, names, text
from engram.connectome.synapses import Synapses
from engram.connectome.tables import AS_GIVEN, BODY, CATEGORY, Column, Table

TBARS = Table(
    "tbar-neurotransmitters",
    "nt/tbar-neurotransmitters-{tag}.feather",
    "T-bar",
    "point_id",
    (
        Column("point_id", "UBIGINT", "Id of the T-bar"),
        Column("x", "INTEGER", "Its place", "voxel"),
        Column("y", "INTEGER", "Its place", "voxel"),
        Column("z", "INTEGER", "Its place", "voxel"),
        Column("conf", "FLOAT", "Its confidence, 0 to 1"),
        Column("sv", AS_GIVEN, "Its supervoxel", when="if given"),
        Column("body", BODY, "Its body"),
        Column("{roiset}", CATEGORY, f"Its ROI, or {UNSPECIFIED}", when="each roiset"),
        Column(
            "…", "FLOAT", "Probability of each neurotransmitter, 0 to 1: nt_<name>_prob", optional=True, when="if given"
        ),
        Column("split", CATEGORY, "What the network used it for", optional=True, when="if given"),
    ),
)
_NT = "Neurotransmitter that is most often predicted for T-bars of the {}, or unclear"
BODIES = Table(
    "body-neurotransmitters",
    "nt/body-neurotransmitters-{tag}.feather",
    "body with a T-bar, or with a cell type",
    "body",
    (
        Column("body", BODY, "The body"),
        Column("cell_type", "VARCHAR", "Its cell type", optional=True),
        Column("total_nt_predictions", "INTEGER", "Its T-bars with a prediction"),
        Column(
            "predicted_nt_confidence", "DOUBLE", "How far it can be trusted, 0 to 1", optional=True, when="if given"
        ),
        Column("predicted_nt", "VARCHAR", _NT.format("body")),
        Column("ground_truth", "VARCHAR", "What its cell type is known to release", optional=True, when="if given"),
        Column("celltype_total_nt_predictions", "INTEGER", "T-bars of its cell type with a prediction"),
        Column("celltype_predicted_nt", "VARCHAR", _NT.format("cell type")),
        Column(
            "celltype_predicted_nt_confidence", "DOUBLE", "How far it can be trusted", optional=True, when="if given"
        ),
        Column("consensus_nt", "VARCHAR", "What experiments say, else the prediction", when="if given"),
        Column("nt_reference", "VARCHAR", "Who says so", optional=True, when="if given"),
        Column("other_nt", "VARCHAR", "What else it releases, as experiments say", optional=True, when="if given"),
        Column("other_nt_reference", "VARCHAR", "Who says so", optional=True, when="if given"),
        Column(
            "…", "DOUBLE", "Mean probability of each neurotransmitter: nt_<name>_prob", optional=True, when="if given"
        ),
    ),
)
TABLES = (TBARS, BODIES)


def nt_outputs(
    work: Work,
    synapses: Synapses,
    predictions: Predictions,
    confusion: Confusion | None,
    *,
    tag: str,
    roisets: Sequence[str],
    restriction: str,
) -> Iterator[Output | TextOutput]:
    """The files. T-bars get columns of *roisets*; bodies must touch *restriction*, unless it is ''."""
    bodies = "true"
    if restriction:
        bodies = f"body IN (SELECT body FROM point WHERE {name(restriction)} <> {text(UNSPECIFIED)})"
    given = work.columns("point")
    own = [one for one in ("point_id", "x", "y", "z", "conf", "sv", "body", *roisets) if one in given]
    found = {column_of(one): "FLOAT" for one in predictions.names}
    supervoxel = {"sv": given["sv"]} if "sv" in given else {}
    promise = TBARS.concrete(
        body=synapses.body,
        roisets=roisets,
        given={**supervoxel, **found, **({"split": CATEGORY} if predictions.has_split else {})},
    )
    query = (
        f"SELECT {names(own, of='point')}, {names(predictions.columns, of='nt')} FROM point"
        f" LEFT JOIN \"tbar nt\" AS nt USING (point_id) WHERE kind = 'PreSyn' AND {bodies} ORDER BY point.point_id"
    )
    yield Output(path=TBARS.file.format(tag=tag), query=query, promise=promise)
    columns = work.columns("body nt")
    promise = BODIES.concrete(body=synapses.body, given=columns)
    listed = names(column.name for column in promise.columns)
    query = f'SELECT {listed} FROM "body nt" WHERE {bodies} ORDER BY body'
    yield Output(path=BODIES.file.format(tag=tag), query=query, promise=promise)
    if confusion is not None:
        yield TextOutput(path="nt/neurotransmitter-confusion.csv", text=_as_csv(confusion))


def _as_csv(confusion: Confusion) -> str:
    """A row for each known neurotransmitter, a column for each predicted one."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("ground_truth", *confusion))
    writer.writerows((truth, *row.values()) for truth, row in confusion.items())
    return file.getvalue()
