"""What laws of a neuPrint database have in common: how it was made, and pieces of their queries."""

import json
from collections.abc import Iterable

from engram.connectome.engine import Work
from engram.connectome.proving.flat_laws import OF_POINTS
from engram.connectome.proving.seen import Seen
from engram.connectome.sql import name, text

#: A roiInfo as a map of numbers by ROI and by what is counted; NULL for what is none.
MAP_OF = "TRY_CAST(TRY_CAST({} AS JSON) AS MAP(VARCHAR, MAP(VARCHAR, BIGINT)))"
#: Both bodies of a connection, as ids of nodes.
BODIES = 'CAST(body_pre AS VARCHAR) AS "start", CAST(body_post AS VARCHAR) AS "end"'
#: Properties of the dataset, one in a row.
META_ROWS = (
    'SELECT one.key AS "column", one.value AS value FROM (SELECT unnest(map_entries("values")) AS one FROM meta)'
)


def entries_of(info: str, numbers: Iterable[str]) -> str:
    """An expression that gives a row for each ROI of a roiInfo: ``key``, the ROI, and some numbers in ``value``.

    What is no JSON gives none. Costs a third of making maps of maps.
    """
    kinds = ", ".join(f"{name(one)} BIGINT" for one in numbers)
    shape = json.dumps(f"MAP(VARCHAR, STRUCT({kinds}))")
    return f"unnest(map_entries(json_transform(TRY_CAST({info} AS JSON), {text(shape)})))"


def is_whole(seen: Seen) -> bool:
    """Whether the database holds the very synapses of the flat tables."""
    return has_flat(seen) and not (seen.made.totals_restriction or seen.made.connectivity_restriction)


def has_flat(seen: Seen) -> bool:
    """Whether the flat tables hold all synapses of the snapshot."""
    there = seen.has("partners") and seen.has_column("points", *OF_POINTS)
    return there and not seen.made.flat_restriction


def roisets_of(seen: Seen) -> list[str]:
    """ROI sets of the database whose ROIs stand in the table of points."""
    known = [
        one
        for one, kind in seen.columns["points"].items()
        if f"{one}_label" in seen.columns["points"] and not kind.endswith("INT")
    ]
    return known if seen.made.roisets is None else [one for one in seen.made.roisets if one in known]


def has_all_roisets(seen: Seen) -> bool:
    """Whether all of them do."""
    return seen.made.roisets is None or len(roisets_of(seen)) == len(set(seen.made.roisets))


def thresholds(work: Work) -> tuple[float, float]:
    """What a PSD must have for weight and for weightHP."""
    found = [0.0, 0.0]
    for place, column in enumerate(("postHighAccuracyThreshold:float", "postHPThreshold:float")):
        for (value,) in work.rows(f'SELECT value FROM ({META_ROWS}) WHERE "column" = {text(column)}'):
            try:
                found[place] = float(value)
            except (TypeError, ValueError):
                found[place] = 0.0  # the strict reader tells of it
    return found[0], found[1]
