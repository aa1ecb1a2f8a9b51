"""Build a snapshot: from the tables that a configuration names to a folder of tables and files for neuPrint."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import duckdb
import pyarrow

from engram.connectome.annotations import Annotations
from engram.connectome.config.meta import Meta
from engram.connectome.config.records import Config
from engram.connectome.config.writing import as_data, as_yaml
from engram.connectome.engine import Work
from engram.connectome.expressions import read_formula
from engram.connectome.flat import flat_outputs
from engram.connectome.folder import Folder
from engram.connectome.inputs import (
    files_of,
    load_bodies,
    load_neurotransmitters,
    load_partners,
    load_points,
    load_rois,
    open_sources,
    wanted_sets,
)
from engram.connectome.neuprint.exporting import neuprint_outputs
from engram.connectome.neurotransmitters.bodies import Confusion
from engram.connectome.neurotransmitters.exporting import nt_outputs
from engram.connectome.neurotransmitters.predictions import Predictions
from engram.connectome.outputs import Output, TextOutput
from engram.connectome.overview import overview_outputs
from engram.connectome.points import BodyTypes
from engram.connectome.rois import Lookup
from engram.connectome.steps import Step, keys_of
from engram.connectome.synapses import Synapses
from engram.connectome.writing import Written, digest_of, write_output
from engram.durable import Steps
from engram.model.errors import StorageFailed, TooLittleMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a build may take."""

    #: Memory of the whole process.
    memory_bytes: int
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that people should know of the tables of a snapshot."""

    #: Name of the table.
    table: str
    #: One sentence.
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A step that begins now."""

    step: str
    #: Its number, from 1, and how many there are.
    number: int
    steps: int


def build(
    config: Config, steps: Steps, limits: Limits, *, version: str, now: Callable[[], str]
) -> Iterator[Begun | Finding | Written]:
    """Build the snapshot of a configuration into its folder; the files are in their place when the last was told.

    Args:
        config: complete, with absolute paths.
        version: engram's own.
        now: tells the time, ISO 8601.

    Raises:
        BadTables, Unreadable, Malformed: what is wrong with the tables.
        SnapshotBusy, TargetExists: somebody or something else is in the folder.
        TooLittleMemory, StorageFailed: nothing of the new snapshot is in its place.
    """
    begun = now()
    with Folder(steps, config.job_settings.output_dir).held() as folder:
        with opened(folder.work, limits) as work:
            making = Making(work, config)
            written: list[Written] = []
            wanted = [step for step in STEPS if _is_wanted(step.name, config)]
            digests = {what: digest_of(path) for what, path in files_of(config.inputs).items()}
            done = []
            for number, (step, key) in enumerate(keys_of(wanted, as_data(config), digests), start=1):
                yield Begun(step=step.name, number=number, steps=len(wanted))
                with told_engine(step.name, limits, folder.path):
                    for output in step.carry_out(making) or ():
                        written.append(write_output(work, folder, steps, output))
                done.append({"name": step.name, "version": step.version, "key": key, "needs": list(step.needs)})
            findings = [Finding(table=table, message=message) for table, message in making.sources.findings]
        inputs = [
            {"table": what, "path": path, "sha256": digests[what]} for what, path in files_of(config.inputs).items()
        ]
        folder.publish(
            {
                "snapshot": config.snapshot_tag,
                "engram": version,
                "libraries": {"duckdb": duckdb.__version__, "pyarrow": pyarrow.__version__},
                "begun": begun,
                "ended": now(),
                "inputs": inputs,
                "config": as_data(config),
                "steps": done,
                "findings": [asdict(finding) for finding in findings],
                "tables": [one.as_json() for one in written],
            }
        )
    yield from findings
    yield from written


@contextmanager
def opened(path: str, limits: Limits) -> Iterator[Work]:
    """A work file, closed whatever happens."""
    work = Work(path, memory_bytes=limits.memory_bytes, threads=limits.threads)
    try:
        yield work
    finally:
        work.close()


@contextmanager
def told_engine(step: str, limits: Limits, path: str) -> Iterator[None]:
    """What the engine could not do, as an error that people can act on: `TooLittleMemory`, `StorageFailed`."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise TooLittleMemory(
            step=step, memory_bytes=limits.memory_bytes, advised_bytes=2 * limits.memory_bytes
        ) from error
    except duckdb.IOException as error:
        raise StorageFailed(path, str(error).splitlines()[0]) from error


class Making:
    """What the steps of one build make, one after the other."""

    types: BodyTypes
    columns: tuple[str, ...]
    lookups: dict[str, Lookup]
    annotations: Annotations
    synapses: Synapses
    predictions: Predictions
    confusion: Confusion | None

    def __init__(self, work: Work, config: Config) -> None:
        self.work = work
        self.config = config
        self.sources = open_sources(work, config.inputs)

    def make_points(self) -> None:
        """Points and partner rows that stay."""
        self.types, self.columns = load_points(self.work, self.sources)

    def make_rois(self) -> None:
        """In which ROIs they lie."""
        self.lookups = load_rois(self.work, self.sources, wanted_sets(self.config.inputs), self.columns)

    def make_bodies(self) -> None:
        """What is known of bodies."""
        properties = self.config.outputs.neuprint.annotation_property_names
        self.annotations = load_bodies(self.work, self.sources, self.config.inputs, properties)

    def make_partners(self) -> None:
        """Synapses, with all that is known of both sides."""
        self.synapses = load_partners(self.work, self.sources, self.types, self.lookups, self.annotations)

    def make_neurotransmitters(self) -> None:
        """What T-bars, bodies and cell types release."""
        typed = "type" in self.annotations.columns
        found = load_neurotransmitters(self.work, self.sources, self.config.inputs, typed=typed)
        self.predictions, self.confusion = found

    def overview(self) -> Iterator[Output | TextOutput]:
        """The files of ``tables/``, and the configuration."""
        yield TextOutput(path="final-config.yaml", text=as_yaml(self.config))
        if self.config.meta is not None:
            yield TextOutput(path="neuprint-meta.yaml", text=as_yaml(self.config.meta))
        yield from overview_outputs(self.synapses, tag=self.config.snapshot_tag)

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
        yield from neuprint_outputs(
            self.work,
            self.synapses,
            wanted,
            self.config.meta or Meta(),
            neurotransmitters=self.predictions.columns if self.sources.predictions else (),
            sizes=self.sources.sizes is not None,
            formulas=formulas,
        )


#: All that a build does, in this order.
STEPS: tuple[Step[Making], ...] = (
    Step(
        name="points",
        needs=("points", "partners"),
        reads=("inputs.synapses",),
        carry_out=Making.make_points,
    ),
    Step(name="rois", needs=("points",), reads=("inputs.rois",), carry_out=Making.make_rois),
    Step(
        name="bodies",
        needs=("annotations", "sizes"),
        reads=("inputs.annotations", "inputs.body-sizes", "outputs.neuprint.annotation-property-names"),
        carry_out=Making.make_bodies,
    ),
    Step(name="synapses", needs=("points", "rois", "bodies"), reads=(), carry_out=Making.make_partners),
    Step(
        name="neurotransmitters",
        needs=("synapses", "predictions", "ground truth", "experiments"),
        reads=("inputs.neurotransmitters",),
        carry_out=Making.make_neurotransmitters,
    ),
    Step(name="tables", needs=("bodies",), reads=("job-settings.snapshot-tag",), carry_out=Making.overview),
    Step(
        name="nt",
        needs=("neurotransmitters",),
        reads=("outputs.neurotransmitters", "job-settings.snapshot-tag"),
        carry_out=Making.neurotransmitters,
    ),
    Step(
        name="flat-connectome",
        needs=("synapses",),
        reads=("outputs.flat-connectome", "job-settings.snapshot-tag"),
        carry_out=Making.flat,
    ),
    Step(
        name="neuprint",
        needs=("synapses", "neurotransmitters"),
        reads=("outputs.neuprint",),
        carry_out=Making.neuprint,
    ),
)


def _is_wanted(step: str, config: Config) -> bool:
    outputs, has_predictions = config.outputs, bool(config.inputs.neurotransmitters.synister_feather)
    wanted: dict[str, Any] = {
        "neurotransmitters": has_predictions,
        "nt": has_predictions and outputs.neurotransmitters.export_neurotransmitters,
        "flat-connectome": outputs.flat_connectome.export_connectome,
        "neuprint": outputs.neuprint.export_neuprint_snapshot,
    }
    return bool(wanted.get(step, True))
