"""Sets of synapses: two for each pair of bodies, that of the T-bars and that of the PSDs, and what they contain."""

from collections.abc import Iterator

from engram.connectome.neuprint.scope import Scope
from engram.connectome.outputs import Output
from engram.connectome.sql import text
from engram.connectome.tables import BODY, Column, Table

_SET = "VARCHAR"
SETS = Table(
    "Neuprint_SynapseSet",
    "neuprint/Neuprint_SynapseSet.csv",
    "side of an ordered pair of bodies with a synapse",
    "body of the T-bars, body of the PSDs, side",
    (
        Column(":ID(SynSet-ID)", _SET, "<body of the T-bars>_<body of the PSDs>_pre or …_post"),
        Column("type:string", "VARCHAR", "pre or post"),
        Column(":Label", "VARCHAR", "SynapseSet, ElementSet, and both with the dataset's name"),
    ),
)
NEURON_TO_SET = Table(
    "Neuprint_Neuron_to_SynapseSet",
    "neuprint/Neuprint_Neuron_to_SynapseSet.csv",
    "set: its body contains it",
    SETS.order,
    (Column(":START_ID(Body-ID)", BODY, "The body"), Column(":END_ID(SynSet-ID)", _SET, "The set")),
)
SET_TO_SET = Table(
    "Neuprint_SynapseSet_to_SynapseSet",
    "neuprint/Neuprint_SynapseSet_to_SynapseSet.csv",
    "ordered pair of bodies with a synapse: its set of T-bars connects to its set of PSDs",
    "body of the T-bars, body of the PSDs",
    (
        Column(":START_ID(SynSet-ID)", _SET, "The set of T-bars"),
        Column(":END_ID(SynSet-ID)", _SET, "The set of PSDs"),
    ),
)
SET_TO_SYNAPSE = Table(
    "Neuprint_SynapseSet_to_Synapses",
    "neuprint/Neuprint_SynapseSet_to_Synapses.csv",
    "synapse in a set; a T-bar is in as many sets as it has bodies behind it",
    "body of the T-bars, body of the PSDs, side, point",
    (Column(":START_ID(SynSet-ID)", _SET, "The set"), Column(":END_ID(Element-ID)", "UBIGINT", "Id of the point")),
)
SYNAPSE_TO_SYNAPSE = Table(
    "Neuprint_Synapse_Connections",
    "neuprint/Neuprint_Synapse_Connections.csv",
    "synapse: its T-bar synapses to its PSD",
    "body of the T-bars, body of the PSDs, T-bar, PSD",
    (
        Column(":START_ID(Element-ID)", "UBIGINT", "Id of the T-bar"),
        Column(":END_ID(Element-ID)", "UBIGINT", "Id of the PSD"),
    ),
)
TABLES = (SETS, NEURON_TO_SET, SET_TO_SET, SET_TO_SYNAPSE, SYNAPSE_TO_SYNAPSE)

#: Both sides of each pair of bodies, in the order of the pairs: half of what it takes to sort them.
_SIDES = "(SELECT body_pre, body_post, unnest(['pre', 'post']) AS side FROM connection)"


def set_outputs(scope: Scope, *, body: str, dataset: str, sets: bool) -> Iterator[Output]:
    """The files of sets and of what they contain, if *sets* are wanted, and that of the edges between synapses."""
    label = text(f"SynapseSet;{dataset}_SynapseSet;ElementSet;{dataset}_ElementSet")
    pre, post = (f"concat(body_pre, '_', body_post, '_{side}')" for side in ("pre", "post"))
    either, own = "concat(body_pre, '_', body_post, '_', side)", "if(side = 'pre', body_pre, body_post)"
    queries = {
        SETS: f"SELECT {SETS.filled(either, 'side', label)} FROM {_SIDES}",
        NEURON_TO_SET: f"SELECT {NEURON_TO_SET.filled(own, either)} FROM {_SIDES}",
        SET_TO_SET: f"SELECT {SET_TO_SET.filled(pre, post)} FROM connection",
        SET_TO_SYNAPSE: f"SELECT {SET_TO_SYNAPSE.filled(either, 'point')} FROM ("
        f"SELECT DISTINCT body_pre, body_post, 'pre' AS side, pre_id AS point FROM {scope.held_partner} UNION ALL "
        f"SELECT DISTINCT body_pre, body_post, 'post', post_id FROM {scope.held_partner})"
        " ORDER BY body_pre, body_post, side DESC, point",
        SYNAPSE_TO_SYNAPSE: f"SELECT {SYNAPSE_TO_SYNAPSE.filled('pre_id', 'post_id')} FROM {scope.held_partner}",
    }
    for table, query in queries.items() if sets else [(SYNAPSE_TO_SYNAPSE, queries[SYNAPSE_TO_SYNAPSE])]:
        yield Output(path=table.file, query=query, promise=table.concrete(body=body))
