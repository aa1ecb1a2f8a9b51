"""What a check of a snapshot could not prove, or what is no damage and should be known."""

from collections.abc import Iterator

from engram.connectome.folder import PROVENANCE
from engram.connectome.proving.flat_laws import OF_POINTS
from engram.connectome.proving.parts import Files
from engram.connectome.proving.scope import has_flat, is_whole
from engram.connectome.proving.seen import Seen
from engram.connectome.proving.told import Unproven

_NO_PROVENANCE = (
    "it is not there (flyem-snapshot writes none): no digest could be compared, and a file that is missing looks as one"
    " that was left out on purpose"
)
_NOT_COMPARED = (
    "it was not compared with the flat tables: they are not all there, or hold other synapses by their settings"
)
_REPORTS = "from plots, and from the ROIs that bodies have most synapses in, nothing else follows"
_REPORTS_ALONE = (
    "their tables were compared with each other alone: the flat tables are not there, or hold other synapses"
)


def unproven(seen: Seen, files: Files, *, has_provenance: bool) -> Iterator[Unproven]:
    """What is told at the end.

    Args:
        has_provenance: it is there, or what is wrong with it is told already.
    """
    if not has_provenance:
        yield Unproven(path=PROVENANCE, why=_NO_PROVENANCE)
    if any(one.startswith("neuprint/") for one in files.told) and not is_whole(seen):
        yield Unproven(path="neuprint", why=_NOT_COMPARED)
    elif seen.has("partners") and not seen.has_column("points", *OF_POINTS):
        yield Unproven(path="flat-connectome", why="points were not compared with synapses: their table is not whole")
    if any(one.startswith("reports/") for one in files.told):
        yield Unproven(path="reports", why=_REPORTS if has_flat(seen) else _REPORTS_ALONE)
    if seen.read_otherwise:
        path, heads = next(iter(seen.read_otherwise.items()))
        why = (
            f"that Neo4j 5 imports {len(seen.read_otherwise)} files as they are: in {path} it takes the brackets of"
            f" {heads[0]} for a space of ids (4.4 does not): load them with engram snapshot load"
        )
        yield Unproven(path="neuprint", why=why)
    if files.absent:
        told_of = f"laws that need {len(files.absent)} files whose content is not here were not tried"
        yield Unproven(path=files.absent[0].partition("/")[0], why=told_of)
    for other in files.others:
        yield Unproven(path=other, why="it is no part of a snapshot, and was not looked at")
