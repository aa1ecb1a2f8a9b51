"""All files of a neuPrint database, from the work file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
from engram.connectome.neuprint.neurons import make_neurons, neuron_outputs, nt_columns
from engram.connectome.neuprint.scope import Scope, make_scope
from engram.connectome.neuprint.synapse_sets import set_outputs
from engram.connectome.neuprint.synapses import synapse_outputs
from engram.connectome.neuprint.taken import taken_names
from engram.connectome.neuprint.totals import (
    Rois,
    make_roi_info,
    make_totals,
    roi_total_outputs,
    rois_of,
    total_outputs,
)
from engram.connectome.neuroglancer import view_name, view_of
from engram.connectome.outputs import Output, TextOutput
from engram.connectome.sql import UNSPECIFIED
from engram.connectome.synapses import Synapses
from engram.model.errors import BadTables


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
        BadTables: kinds of elements that cannot be counted, formulas that give nothing, names for two things.
    """
    sets = wanted.roi_set_names if wanted.roi_set_names is not None else tuple(synapses.rois)
    given = _Given(
        work=work,
        synapses=synapses,
        elements=elements,
        wanted=wanted,
        meta=meta,
        sets=sets,
        neurotransmitters=neurotransmitters,
        sizes=sizes,
        formulas=formulas,
    )
    check_formulas(formulas, synapses.rois, (*work.columns("point"), *map(camel, neurotransmitters)), elements)
    inside, totals = wanted.restrict_connectivity_to_roiset, wanted.restrict_info_totals_to_roiset
    scope = make_scope(work, totals=totals, connectivity=inside)
    make_element_scope(work, elements, totals=totals, restriction=wanted.restrict_elements_to_roiset)
    tallies = tallies_of(work, elements, wanted.element_totals)
    given.refuse_taken([one.name for one in tallies if one.of_bodies])
    rois = rois_of(synapses, sets, counted_rois(elements, wanted.element_totals, sets))
    make_totals(work, synapses, scope, rois, confidence=meta.post_high_accuracy_threshold)
    make_element_totals(work, tallies, rois, keep_all=wanted.keep_non_synaptic_segments)
    make_roi_info(work, rois)
    yield from total_outputs(work, synapses)
    yield from roi_total_outputs(work, synapses, rois)
    yield from given.bodies(rois)
    yield from given.connections(scope, rois)
    yield from given.points(scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """What a database is made of: see `neuprint_outputs`."""

    work: Work
    synapses: Synapses
    elements: Sequence[Elements]
    wanted: Neuprint
    meta: Meta
    #: ROI sets of the database.
    sets: Sequence[str]
    neurotransmitters: Sequence[str]
    sizes: bool
    formulas: Formulas

    def refuse_taken(self, tallies: Sequence[str]) -> None:
        """Refuse names that would stand for two things; *tallies* are totals of elements. Raises `BadTables`."""
        predicted = [camel(one) for one in nt_columns(self.work)] if self.neurotransmitters else []
        taken = taken_names(
            self.synapses,
            self.elements,
            self.formulas,
            sets=self.sets,
            given=tuple(self.work.columns("point")),
            of_bodies=[*predicted, *tallies],
            of_synapses=self.neurotransmitters,
            sizes=self.sizes,
        )
        if problems := tuple(dict.fromkeys(taken)):
            raise BadTables(problems)

    def bodies(self, rois: Rois) -> Iterator[Output | TextOutput]:
        """Nodes of bodies, the dataset's own node, and the indexes of their properties."""
        work, synapses, wanted, meta = self.work, self.synapses, self.wanted, self.meta
        neurons = make_neurons(
            work,
            synapses,
            rois,
            dataset=meta.dataset,
            criteria=wanted.neuron_label_criteria,
            neurotransmitters=bool(self.neurotransmitters),
            sizes=self.sizes,
            keep_all=wanted.keep_non_synaptic_segments,
        )
        most_files = wanted.max_segment_files if wanted.split_nodes else 0
        yield from neuron_outputs(work, neurons, rois, most_files=most_files)
        yield from meta_outputs(work, synapses, rois, neurons, meta, inside=wanted.restrict_connectivity_to_roiset)
        yield from _view_outputs(wanted.neuroglancer, meta)
        excluded = [synapses.rois[one].names for one in wanted.indexes.exclude_roisets if one in synapses.rois]
        left_out = {roi for names in excluded for roi in names}
        found = [rois.names[roi] for (roi,) in work.rows('SELECT DISTINCT roi FROM "roi total" ORDER BY roi')]
        yield from index_outputs(
            meta.dataset,
            wanted.indexes,
            properties=tuple(neurons.properties),
            rois=[roi for roi in found if roi in rois.real and roi not in left_out],
            of_elements=_indexed_elements(self.elements, wanted),
        )

    def connections(self, scope: Scope, rois: Rois) -> Iterator[Output]:
        """Edges between bodies, and the sets of their synapses."""
        meta, synapses = self.meta, self.synapses
        confidences = Confidences(
            confidence=meta.post_high_accuracy_threshold, high_confidence=meta.post_high_precision_threshold
        )
        make_connections(self.work, synapses, scope, rois, confidences)
        yield from connection_outputs(self.work, synapses)
        yield from set_outputs(scope, body=synapses.body, dataset=meta.dataset, sets=self.wanted.synapse_sets)

    def points(self, scope: Scope) -> Iterator[Output]:
        """Nodes of synapses and of elements, and what leads to the latter."""
        yield from synapse_outputs(
            self.work,
            self.synapses,
            scope,
            self.sets,
            dataset=self.meta.dataset,
            neurotransmitters=self.neurotransmitters,
            formulas=self.formulas,
            split=self.wanted.split_nodes,
        )
        yield from element_outputs(
            self.work,
            self.elements,
            scope.held_point,
            dataset=self.meta.dataset,
            body=self.synapses.body,
            labels=self.wanted.element_labels,
            formulas=self.formulas,
            split=self.wanted.split_nodes,
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
