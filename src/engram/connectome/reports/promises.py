"""What the tables of connectivity reports promise.

Source: flyem-snapshot, ``flyem_snapshot/outputs/reports.py``, and neuclease, ``neuclease/misc/completeness.py`` (names
of files and columns)
"""

from engram.connectome.sql import UNSPECIFIED
from engram.connectome.tables import AS_GIVEN, BODY, CATEGORY, ORDERED, Column, Table

_REPORT = "reports/{roiset}/reports/{report}/{report}"
_SUBSET = "reports/{roiset}/{subset}/csv/{subset}"
_PLACE = "place in the ranking of bodies, 1 for the first"
_BODY_ORDER = "status from the best on, synweight, presyn and postsyn from the largest on, body"

#: Statistics of a report, by column: what of all there is belongs to traced bodies.
FRACTIONS = {
    "traced_presyn_frac": "T-bars of traced bodies, of all T-bars",
    "traced_postsyn_frac": "PSDs of traced bodies, of all PSDs",
    "traced_synweight_frac": "synweight of traced bodies, of that of all",
    "traced_conn_frac": "synapses whose bodies are both traced, of all synapses",
}
#: What adds up along the ranking.
SUMMED = ("presyn", "postsyn", "synweight")


def _of_body(rank: str = "rank", synweight: str = "synweight") -> tuple[Column, ...]:
    """What is told of a body, in the order of its columns."""
    counted = (
        Column("presyn", "INTEGER", "T-bars of the body with a synapse in the report"),
        Column("postsyn", "INTEGER", "PSDs of the body with a synapse in the report"),
        Column("status", AS_GIVEN, "How far the body is traced; '' for bodies without a status", when="if given"),
        Column("outputpartners", "BIGINT", "Synapses whose T-bar the body has"),
        Column(synweight, "BIGINT", "The sum of outputpartners and postsyn"),
    )
    tops = (
        column
        for side, what in (("output", "outputs"), ("input", "inputs"))
        for column in (
            Column(
                f"top_{side}_roi", CATEGORY, f"ROI with most {what} of the body; by name among equals", optional=True
            ),
            Column(f"top_{side}_roi_weight", "BIGINT", f"Synapses among the {what} of the body in this ROI"),
        )
    )
    return (*counted, *tops, Column(rank, "BIGINT", f"The body's {_PLACE}"))


CONNECTIONS = Table(
    "conn_df, for each report",
    f"{_REPORT}-conn_df-{{tag}}.feather",
    "synapse in the ROIs of the report, as both of its bodies become traced one after the other",
    "max_rank, min_rank, body_pre, body_post, T-bar, PSD",
    (
        Column("pre_id", "UBIGINT", "Id of the T-bar"),
        Column("post_id", "UBIGINT", "Id of the PSD"),
        Column("body_pre", BODY, "Body of the T-bar"),
        Column("body_post", BODY, "Body of the PSD"),
        Column("roi", CATEGORY, f"ROI of the PSD, or {UNSPECIFIED}"),
        Column("body_pre_rank", "BIGINT", f"The {_PLACE} that body_pre has"),
        Column("body_post_rank", "BIGINT", f"The {_PLACE} that body_post has"),
        Column("min_rank", "BIGINT", "The smaller of both"),
        Column("max_rank", "BIGINT", "The larger of both: the synapse is captured once this body is traced"),
        *(
            Column(
                f"cumulative_traced_{one}",
                "BIGINT",
                f"Sum of the {one} of all bodies that this row and those before it name",
            )
            for one in SUMMED
        ),
        *(
            Column(name, "DOUBLE", f"Up to this row: {meaning}")
            for name, meaning in FRACTIONS.items()
            if name != "traced_conn_frac"
        ),
        Column("cumulative_traced_conn", "BIGINT", "Number of the row, from 1: synapses that are captured so far"),
        Column("traced_conn_frac", "DOUBLE", f"Up to this row: {FRACTIONS['traced_conn_frac']}"),
        Column("body_max_rank", BODY, "The body with max_rank; all columns that follow tell of it"),
        *_of_body(synweight="synweight_max_rank"),
    ),
)
BODIES = Table(
    "syn_counts_df, for each report",
    f"{_REPORT}-syn_counts_df-{{tag}}.feather",
    "body with a synapse in the ROIs of the report, or that takes a place without one",
    f"{_BODY_ORDER}; without statuses where their order is not known",
    (Column("body", BODY, "The body"), *_of_body()),
)
CAPTURE = Table(
    "downstream-capture, for each report",
    f"{_REPORT}-downstream-capture-{{tag}}.feather",
    "body of a status in capture-statuses with an output in the ROIs of the report",
    "body_pre",
    (
        Column("body_pre", BODY, "The body"),
        Column("captured", "INTEGER", "Its outputs onto bodies of a status in capture-statuses"),
        Column("not_captured", "INTEGER", "Its outputs onto other bodies"),
        Column("downstream", "INTEGER", "The sum of both"),
        Column("presyn", "BIGINT", "Its T-bars that have them"),
        Column("capture_frac", "FLOAT", "The part of downstream that is captured"),
    ),
)
_STATUS = Column("status", ORDERED, "How far the bodies are traced that count, and all of better statuses")
_STATS = tuple(Column(name, "DOUBLE", meaning[0].upper() + meaning[1:]) for name, meaning in FRACTIONS.items())
_NAME = Column("name", "VARCHAR", "Name of the report")
ALL_STATS = Table(
    "all_status_stats, for each ROI set",
    "reports/{roiset}/{roiset}-all_status_stats.parquet",
    "report and status that a body with max_rank has in it",
    "report, status from the best on",
    (_STATUS, *_STATS, _NAME),
)
ALL_COUNTS = Table(
    "all_syncounts, for each ROI set",
    "reports/{roiset}/{roiset}-all_syncounts.parquet",
    "report and kind of point",
    "report, kind",
    (
        Column("kind", "VARCHAR", "PreSyn for T-bars, PostSyn for PSDs"),
        Column("count", "BIGINT", "Points of this kind in the ROIs of the report"),
        _NAME,
    ),
)
STATUS_STATS = Table(
    "all-status-stats, for each ROI set",
    "reports/{roiset}/{roiset}-all-status-stats.csv",
    "report and status better than none that some report of the set has",
    "report, status from the best on",
    (_STATUS, *_STATS, _NAME),
)
_WIDE = (
    _NAME,
    Column("…", AS_GIVEN, "One column for each status, from the best on", when="if given"),
    Column("PostSyn", "FLOAT", "PSDs in the ROIs of the report"),
    Column("PreSyn", "FLOAT", "T-bars in the ROIs of the report"),
    Column("report_index", "BIGINT", "Place of the report in its group, from 0"),
)
CUMULATIVE = Table(
    "cumulative fractions by status, for each group and statistic",
    f"{_SUBSET}-cumulative-{{statistic}}-by-status.csv",
    "report of the group; its fraction for each status when all bodies of it and of better ones are traced",
    "report",
    _WIDE,
)
BY_STATUS = Table(
    "fractions by status, for each group and statistic",
    f"{_SUBSET}-{{statistic}}-by-status.csv",
    "report of the group; what each status adds to the fraction of the better ones",
    "report",
    _WIDE,
)
TABLES = (CONNECTIONS, BODIES, CAPTURE, ALL_STATS, ALL_COUNTS, STATUS_STATS, CUMULATIVE, BY_STATUS)
