"""What a build does, step by step: each makes tables of the work file, or gives the files of a part of the snapshot."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from engram.connectome.annotations import Annotations
from engram.connectome.config.meta import Meta
from engram.connectome.config.outputs import ReportSet
from engram.connectome.config.records import Config
from engram.connectome.config.writing import as_yaml
from engram.connectome.elements import Elements
from engram.connectome.engine import Work
from engram.connectome.expressions import read_formula
from engram.connectome.flat import flat_outputs
from engram.connectome.inputs import (
    load_bodies,
    load_neurotransmitters,
    load_partners,
    load_points,
    load_rois,
    load_tables_of_elements,
    open_sources,
    wanted_sets,
)
from engram.connectome.neuprint.exporting import neuprint_outputs
from engram.connectome.neuroglancer import Views
from engram.connectome.neurotransmitters.bodies import Confusion
from engram.connectome.neurotransmitters.exporting import nt_outputs
from engram.connectome.neurotransmitters.predictions import Predictions
from engram.connectome.outputs import BytesOutput, Output, TextOutput
from engram.connectome.overview import overview_outputs
from engram.connectome.points import BodyTypes
from engram.connectome.reports.checking import check_reports
from engram.connectome.reports.exporting import report_outputs
from engram.connectome.reports.plotting import plotting_of, status_plot
from engram.connectome.rois import Lookup
from engram.connectome.shapes.exporting import Shapes, meshes_of, shape_outputs, skeletons_of
from engram.connectome.steps import PROCESSES, Step
from engram.connectome.synapses import Synapses
from engram.connectome.writing import AnyOutput


class Making:
    """What the steps of one build make, one after the other."""

    types: BodyTypes
    columns: tuple[str, ...]
    lookups: dict[str, Lookup]
    annotations: Annotations
    synapses: Synapses
    elements: list[Elements]
    predictions: Predictions
    confusion: Confusion | None

    def __init__(self, work: Work, config: Config, *, plots: bool, views: Views) -> None:
        self.work = work
        self.config = config
        self.plots = plots
        self._views = views
        self.sources = open_sources(work, config.inputs)

    def make_points(self) -> None:
        """Points and partner rows that stay."""
        self.types, self.columns = load_points(self.work, self.sources)

    def make_rois(self) -> None:
        """In which ROIs they lie."""
        self.lookups = load_rois(self.work, self.sources, wanted_sets(self.config.inputs), self.columns)
        check_reports(wanted_reports(self.config), self.lookups)

    def make_bodies(self) -> None:
        """What is known of bodies."""
        properties = self.config.outputs.neuprint.annotation_property_names
        self.annotations = load_bodies(self.work, self.sources, self.config.inputs, properties)

    def make_partners(self) -> None:
        """Synapses, with all that is known of both sides."""
        self.synapses = load_partners(self.work, self.sources, self.types, self.lookups, self.annotations)

    def make_elements(self) -> None:
        """Points that are no synapses."""
        self.elements = load_tables_of_elements(self.work, self.sources, self.config.inputs, self.lookups)

    def make_neurotransmitters(self) -> None:
        """What T-bars, bodies and cell types release."""
        typed = "type" in self.annotations.columns
        found = load_neurotransmitters(self.work, self.sources, self.config.inputs, typed=typed)
        self.predictions, self.confusion = found

    def configuration(self) -> Iterator[TextOutput]:
        """The configuration, with all that was filled in."""
        yield TextOutput(path="final-config.yaml", text=as_yaml(self.config))
        if self.config.meta is not None:
            yield TextOutput(path="neuprint-meta.yaml", text=as_yaml(self.config.meta))

    def overview(self) -> Iterator[Output]:
        """The files of ``tables/``."""
        yield from overview_outputs(self.annotations, tag=self.config.snapshot_tag)

    def neurotransmitters(self) -> Iterator[Output | TextOutput]:
        """The files of ``nt/``."""
        wanted = self.config.outputs.neurotransmitters
        yield from nt_outputs(
            self.work,
            self.synapses,
            self.predictions,
            self.confusion,
            tag=self.config.snapshot_tag,
            roisets=wanted.roi_sets,
            restriction=wanted.restrict_export,
        )

    def flat(self) -> Iterator[Output]:
        """The files of ``flat-connectome/``."""
        wanted = self.config.outputs.flat_connectome
        yield from flat_outputs(
            self.work,
            self.synapses,
            tag=f"{self.config.snapshot_tag}-minconf-{self.config.inputs.synapses.min_confidence}",
            roiset=wanted.roi_set,
            restriction=wanted.restrict_connectivity_to_roiset,
        )

    def neuprint(self) -> Iterator[Output | TextOutput]:
        """The files of ``neuprint/``."""
        wanted = self.config.outputs.neuprint
        formulas = {
            roiset: {prop: read_formula(formula) for prop, formula in properties.items()}
            for roiset, properties in wanted.roi_synapse_properties.items()
        }
        outputs = neuprint_outputs(
            self.work,
            self.synapses,
            self.elements,
            wanted,
            self.config.meta or Meta(),
            neurotransmitters=self.predictions.columns if self.sources.predictions else (),
            sizes=self.sources.sizes is not None,
            formulas=formulas,
        )
        is_packed = wanted.csv_compression == "gzip"
        for one in outputs:
            is_table = isinstance(one, Output) and one.path.endswith(".csv")
            yield replace(one, path=f"{one.path}.gz") if is_packed and is_table else one

    def reports(self) -> Iterator[Output | TextOutput | BytesOutput]:
        """The files of ``reports/``."""
        if not self.annotations.order:
            told_of = (
                "the order of status is not known: bodies are ranked without it, and what each status adds is left out"
            )
            self.sources.findings.append(("reports", told_of))
        for wanted in wanted_reports(self.config):
            yield from report_outputs(
                self.work,
                self.synapses,
                self.elements,
                wanted,
                tag=self.config.snapshot_tag,
                plots=self.plots,
                link=self._link_of(wanted),
            )
        if self.plots:
            yield from status_plot(self.work, plotting_of(self.work, self.annotations.order, self.config.snapshot_tag))

    def _link_of(self, wanted: ReportSet) -> str:
        view = wanted.neuroglancer_base_state
        return self._views.link_to_bodies(view) if self.plots and view else ""

    def skeletons(self, name: str) -> Iterator[AnyOutput]:
        """The files of ``skeletons-<name>/``."""
        shapes = skeletons_of(name, self.config.outputs.skeletons.sets[name])
        yield from self._shapes(shapes, ())

    def meshes(self, name: str) -> Iterator[AnyOutput]:
        """The files of ``meshes-<name>/``."""
        wanted = self.config.outputs.meshes.sets[name]
        yield from self._shapes(meshes_of(name, wanted), wanted.exclude_statuses)

    def _shapes(self, shapes: Shapes, excluded: Sequence[str]) -> Iterator[AnyOutput]:
        earlier = self.config.job_settings.output_dir
        yield from shape_outputs(self.work, shapes, earlier, self.sources.findings, excluded=excluded)


def _under(section: str, *keys: str) -> tuple[str, ...]:
    return tuple(f"{section}.{key}" for key in keys)


_TAG = "job-settings.snapshot-tag"
#: All that a build does, in this order. The paths of tables matter to nobody: their digests do.
STEPS: tuple[Step[Making], ...] = (
    Step(
        name="configuration",
        needs=(),
        reads=("inputs", "outputs", "job-settings"),
        carry_out=Making.configuration,
        writes=("final-config.yaml", "neuprint-meta.yaml"),
        ignores=(),
    ),
    Step(
        name="points",
        needs=("points table", "partners table"),
        reads=_under("inputs.synapses", "zone", "min-confidence", "permit-body-0", "compartment-column"),
        carry_out=Making.make_points,
        version=2,
    ),
    Step(
        name="rois",
        needs=("points",),
        reads=("inputs.rois.roi-sets", "inputs.synapses.roi-set-names"),
        carry_out=Making.make_rois,
    ),
    Step(
        name="bodies",
        needs=("annotations table", "sizes table"),
        reads=(
            *_under("inputs.annotations", "replace-values", "rename-annotation-columns"),
            "outputs.neuprint.annotation-property-names",
        ),
        carry_out=Making.make_bodies,
    ),
    Step(name="synapses", needs=("points", "rois", "bodies"), reads=(), carry_out=Making.make_partners),
    Step(
        name="elements",
        needs=("rois",),
        reads=("inputs.elements", "inputs.rois.roi-sets"),
        carry_out=Making.make_elements,
        ignores=(PROCESSES, "point-table", "distance-table"),
    ),
    Step(
        name="neurotransmitters",
        needs=("synapses", "bodies", "predictions table", "ground truth table", "experiments table"),
        reads=_under(
            "inputs.neurotransmitters",
            *("rescale-coords", "translate-names", "override-celltype-before-consensus", "restrict-to-roi"),
            *("training-set-split-indicators", "min-body-confidence", "min-body-presyn", "min-celltype-confidence"),
            *("min-celltype-presyn", "export-mean-tbar-scores"),
        ),
        carry_out=Making.make_neurotransmitters,
    ),
    Step(name="tables", needs=("bodies",), reads=(_TAG,), carry_out=Making.overview, writes=("tables",), version=2),
    Step(
        name="nt",
        needs=("synapses", "neurotransmitters"),
        reads=("outputs.neurotransmitters", _TAG),
        carry_out=Making.neurotransmitters,
        writes=("nt",),
        version=2,
    ),
    Step(
        name="flat-connectome",
        needs=("synapses", "bodies"),
        reads=("outputs.flat-connectome", _TAG),
        carry_out=Making.flat,
        writes=("flat-connectome",),
        version=2,
    ),
    Step(
        name="neuprint",
        needs=("synapses", "elements", "bodies", "neurotransmitters", "neuroglancer view"),
        reads=("outputs.neuprint",),
        carry_out=Making.neuprint,
        writes=("neuprint",),
        version=2,
    ),
    Step(
        name="reports",
        needs=("synapses", "elements", "bodies"),
        reads=("outputs.connectivity-reports", _TAG, "options.plots"),
        carry_out=Making.reports,
        writes=("reports",),
        version=3,
    ),
)


def _is_wanted(step: str, config: Config) -> bool:
    outputs, has_predictions = config.outputs, bool(config.inputs.neurotransmitters.synister_feather)
    wanted: dict[str, Any] = {
        "neurotransmitters": has_predictions,
        "nt": has_predictions and outputs.neurotransmitters.export_neurotransmitters,
        "flat-connectome": outputs.flat_connectome.export_connectome,
        "neuprint": outputs.neuprint.export_neuprint_snapshot,
        "reports": bool(wanted_reports(config)),
    }
    return bool(wanted.get(step, True))


def wanted_reports(config: Config) -> list[ReportSet]:
    """The sets of reports that have any."""
    return [one for one in config.outputs.connectivity_reports if one.reports]


def wanted_steps(config: Config) -> list[Step[Making]]:
    """The steps that a configuration asks for."""
    found = [step for step in STEPS if _is_wanted(step.name, config)]
    more = {"elements": _tables_of_elements(config), "reports": [*views_of_reports(config)]}
    return [replace(step, needs=(*step.needs, *more.get(step.name, ()))) for step in found] + list(
        _steps_of_shapes(config)
    )


def views_of_reports(config: Config) -> dict[str, str]:
    """Paths of the views of Neuroglancer that reports link bodies into, by what they are."""
    given = {one.roiset: one.neuroglancer_base_state for one in wanted_reports(config)}
    return {f"neuroglancer view of reports on {roiset}": path for roiset, path in given.items() if path}


def _steps_of_shapes(config: Config) -> Iterator[Step[Making]]:
    """A step for each set of skeletons and of meshes."""
    skeletons, meshes = config.outputs.skeletons.sets, config.outputs.meshes.sets
    wanted = [("skeletons", name, Making.skeletons) for name, one in skeletons.items() if one.export_skeletons]
    wanted += [("meshes", name, Making.meshes) for name, one in meshes.items() if one.export_meshes]
    for key, name, carry_out in wanted:
        yield Step(
            name=f"{key}-{name}",
            needs=("bodies", f"{key} {name} folder"),
            reads=(f"outputs.{key}",),
            carry_out=partial(carry_out, name=name),
            writes=(f"{key}-{name}",),
            ignores=(PROCESSES, "folder"),
        )


def folders_of(config: Config) -> dict[str, str]:
    """The folders of files of bodies that a configuration wants something made of, by what they are."""
    skeletons, meshes = config.outputs.skeletons.sets, config.outputs.meshes.sets
    found = {f"skeletons {name} folder": one.folder for name, one in skeletons.items() if one.export_skeletons}
    return found | {f"meshes {name} folder": one.folder for name, one in meshes.items() if one.export_meshes}


def _tables_of_elements(config: Config) -> list[str]:
    return [f"{what} {name} table" for name in config.inputs.elements.tables for what in ("elements", "distances")]
