"""All files of a neuPrint database, from the work file."""

from collections.abc import Iterator, Mapping, Sequence

from engram.connectome.config.meta import Meta
from engram.connectome.config.outputs import Neuprint, NeuroglancerState
from engram.connectome.engine import Work
from engram.connectome.neuprint.connections import Confidences, connection_outputs, make_connections
from engram.connectome.neuprint.indexes import index_outputs
from engram.connectome.neuprint.meta import meta_outputs
from engram.connectome.neuprint.neurons import make_neurons, neuron_outputs
from engram.connectome.neuprint.scope import make_scope
from engram.connectome.neuprint.synapse_sets import set_outputs
from engram.connectome.neuprint.synapses import Formula, synapse_outputs
from engram.connectome.neuprint.totals import make_roi_info, make_totals, rois_of, total_outputs
from engram.connectome.neuroglancer import view_name, view_of
from engram.connectome.outputs import Output, TextOutput
from engram.connectome.synapses import Synapses


def neuprint_outputs(
    work: Work,
    synapses: Synapses,
    wanted: Neuprint,
    meta: Meta,
    *,
    neurotransmitters: Sequence[str],
    sizes: bool,
    formulas: Mapping[str, Mapping[str, Formula]],
) -> Iterator[Output | TextOutput]:
    """The files of ``neuprint/``; tables of the work file are made as they are needed.

    Args:
        neurotransmitters: columns of the table ``tbar nt`` that synapses have; none if there is no such table.
        sizes: whether there is a table ``body size``.
        formulas: properties of synapses by ROI set and name.
    """
    sets = wanted.roi_set_names if wanted.roi_set_names is not None else tuple(synapses.rois)
    inside = wanted.restrict_connectivity_to_roiset
    scope = make_scope(work, totals=wanted.restrict_info_totals_to_roiset, connectivity=inside)
    rois = rois_of(synapses, sets)
    make_totals(work, synapses, scope, rois, confidence=meta.post_high_accuracy_threshold)
    make_roi_info(work, synapses, rois)
    yield from total_outputs(synapses, rois)
    neurons = make_neurons(
        work,
        synapses,
        rois,
        dataset=meta.dataset,
        criteria=wanted.neuron_label_criteria,
        neurotransmitters=bool(neurotransmitters),
        sizes=sizes,
        keep_all=wanted.keep_non_synaptic_segments,
    )
    yield from neuron_outputs(work, neurons, rois)
    yield from meta_outputs(work, synapses, rois, neurons, meta, inside=inside)
    yield from _view_outputs(wanted.neuroglancer, meta)
    left_out = {roi for one in wanted.indexes.exclude_roisets for roi in synapses.rois[one].names}
    found = [rois.names[roi] for (roi,) in work.rows('SELECT DISTINCT roi FROM "roi total" ORDER BY roi')]
    indexed = [roi for roi in found if roi in rois.real and roi not in left_out]
    yield from index_outputs(
        meta.dataset, wanted.indexes, properties=tuple(neurons.properties), rois=indexed, of_elements={}
    )
    confidences = Confidences(
        confidence=meta.post_high_accuracy_threshold, high_confidence=meta.post_high_precision_threshold
    )
    make_connections(work, synapses, scope, rois, confidences)
    yield from connection_outputs(work, synapses)
    yield from set_outputs(scope, body=synapses.body, dataset=meta.dataset)
    yield from synapse_outputs(
        work,
        synapses,
        scope,
        sets,
        dataset=meta.dataset,
        neurotransmitters=neurotransmitters,
        formulas=formulas,
    )


def _view_outputs(wanted: NeuroglancerState, meta: Meta) -> Iterator[TextOutput]:
    """The view of Neuroglancer, where there is one: ``neuprint/<dataset>:<tag>.json``."""
    if wanted.json_state:
        view = view_of(wanted.json_state, wanted.replacements, dataset=meta.dataset, tag=meta.tag, uuid=meta.uuid)
        yield TextOutput(path=f"neuprint/{view_name(meta.dataset, meta.tag)}.json", text=view)
