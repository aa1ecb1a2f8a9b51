"""All files of a neuPrint database, from the work file."""

from collections.abc import Iterator, Sequence

from engram.connectome.annotations import camel
from engram.connectome.config.meta import Meta
from engram.connectome.config.outputs import Neuprint, NeuroglancerState
from engram.connectome.elements import Elements
from engram.connectome.engine import Work
from engram.connectome.neuprint.connections import Confidences, connection_outputs, make_connections
from engram.connectome.neuprint.element_totals import counted_rois, make_element_totals, tallies_of
from engram.connectome.neuprint.elements import element_outputs, make_element_scope
from engram.connectome.neuprint.formulas import Formulas, check_formulas
from engram.connectome.neuprint.indexes import index_outputs
from engram.connectome.neuprint.meta import meta_outputs
from engram.connectome.neuprint.neurons import make_neurons, neuron_outputs
from engram.connectome.neuprint.scope import make_scope
from engram.connectome.neuprint.synapse_sets import set_outputs
from engram.connectome.neuprint.synapses import synapse_outputs
from engram.connectome.neuprint.totals import make_roi_info, make_totals, roi_total_outputs, rois_of, total_outputs
from engram.connectome.neuroglancer import view_name, view_of
from engram.connectome.outputs import Output, TextOutput
from engram.connectome.sql import UNSPECIFIED
from engram.connectome.synapses import Synapses


def neuprint_outputs(
    work: Work,
    synapses: Synapses,
    elements: Sequence[Elements],
    wanted: Neuprint,
    meta: Meta,
    *,
    neurotransmitters: Sequence[str],
    sizes: bool,
    formulas: Formulas,
) -> Iterator[Output | TextOutput]:
    """The files of ``neuprint/``; tables of the work file are made as they are needed.

    Args:
        neurotransmitters: columns of the table ``tbar nt`` that synapses have; none if there is no such table.
        sizes: whether there is a table ``body size``.
        formulas: properties of synapses and elements by ROI set and name.

    Raises:
        BadTables: kinds of elements that cannot be counted, formulas that give nothing.
    """
    sets = wanted.roi_set_names if wanted.roi_set_names is not None else tuple(synapses.rois)
    check_formulas(formulas, synapses.rois, (*work.columns("point"), *map(camel, neurotransmitters)), elements)
    inside = wanted.restrict_connectivity_to_roiset
    scope = make_scope(work, totals=wanted.restrict_info_totals_to_roiset, connectivity=inside)
    make_element_scope(
        work,
        elements,
        totals=wanted.restrict_info_totals_to_roiset,
        restriction=wanted.restrict_elements_to_roiset,
    )
    rois = rois_of(synapses, sets, counted_rois(elements, wanted.element_totals, sets))
    make_totals(work, synapses, scope, rois, confidence=meta.post_high_accuracy_threshold)
    tallies = tallies_of(work, elements, wanted.element_totals)
    make_element_totals(work, tallies, rois, keep_all=wanted.keep_non_synaptic_segments)
    make_roi_info(work, rois)
    yield from total_outputs(work, synapses)
    yield from roi_total_outputs(work, synapses, rois)
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
    most_files = wanted.max_segment_files if wanted.split_nodes else 0
    yield from neuron_outputs(work, neurons, rois, most_files=most_files)
    yield from meta_outputs(work, synapses, rois, neurons, meta, inside=inside)
    yield from _view_outputs(wanted.neuroglancer, meta)
    excluded = [synapses.rois[one].names for one in wanted.indexes.exclude_roisets if one in synapses.rois]
    left_out = {roi for names in excluded for roi in names}
    found = [rois.names[roi] for (roi,) in work.rows('SELECT DISTINCT roi FROM "roi total" ORDER BY roi')]
    indexed = [roi for roi in found if roi in rois.real and roi not in left_out]
    yield from index_outputs(
        meta.dataset,
        wanted.indexes,
        properties=tuple(neurons.properties),
        rois=indexed,
        of_elements=_indexed_elements(elements, wanted),
    )
    confidences = Confidences(
        confidence=meta.post_high_accuracy_threshold, high_confidence=meta.post_high_precision_threshold
    )
    make_connections(work, synapses, scope, rois, confidences)
    yield from connection_outputs(work, synapses)
    yield from set_outputs(scope, body=synapses.body, dataset=meta.dataset, sets=wanted.synapse_sets)
    yield from synapse_outputs(
        work,
        synapses,
        scope,
        sets,
        dataset=meta.dataset,
        neurotransmitters=neurotransmitters,
        formulas=formulas,
        split=wanted.split_nodes,
    )
    yield from element_outputs(
        work,
        elements,
        scope.held_point,
        dataset=meta.dataset,
        body=synapses.body,
        labels=wanted.element_labels,
        formulas=formulas,
        split=wanted.split_nodes,
    )


def _indexed_elements(elements: Sequence[Elements], wanted: Neuprint) -> dict[str, list[str]]:
    """The ROIs by which elements of a label are looked up; bodies, too, where a label is listed at all."""
    listed = {one.neuprint_label: one.roisets for one in wanted.indexes.element_roisets_to_index}
    found: dict[str, set[str]] = {label: set() for label in listed}
    for one in elements:
        label = wanted.element_labels.get(one.name, "")
        for roiset in listed.get(label, ()):
            if roiset in one.rois:
                found[label].update(roi for roi in one.rois[roiset].names if roi != UNSPECIFIED)
    return {label: sorted(rois) for label, rois in found.items()}


def _view_outputs(wanted: NeuroglancerState, meta: Meta) -> Iterator[TextOutput]:
    """The view of Neuroglancer, where there is one: ``neuprint/<dataset>:<tag>.json``."""
    if wanted.json_state:
        view = view_of(wanted.json_state, wanted.replacements, dataset=meta.dataset, tag=meta.tag, uuid=meta.uuid)
        yield TextOutput(path=f"neuprint/{view_name(meta.dataset, meta.tag)}.json", text=view)
