"""Build a snapshot: from the tables that a configuration names to a folder of tables and files for neuPrint."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import duckdb
import msgspec
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
from engram.connectome.reading import told
from engram.connectome.rois import Lookup
from engram.connectome.steps import Earlier, Planned, Step, plan_steps
from engram.connectome.synapses import Synapses
from engram.connectome.writing import Written, digest_of, write_output
from engram.durable import Steps
from engram.model.errors import BadTables, StorageFailed, TooLittleMemory


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file of an earlier build that is what a build would make now."""

    file: Written


def build(
    config: Config, steps: Steps, limits: Limits, *, version: str, now: Callable[[], str]
) -> Iterator[Begun | Finding | Written | Kept]:
    """Build the snapshot of a configuration into its folder; the files are in their place when they are told.

    What an earlier build left there is kept as far as it is what would be made now.

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
        seen = _seen(config)
        inputs = digests_of(config)
        earlier = Earlier(folder=folder.path, provenance=folder.provenance(), digest_of=digest_of)
        planned = plan_steps(wanted_steps(config), as_data(config), inputs, earlier)
        left = [file for one in planned if not one.wanted for file in earlier.files_of(one.step)]
        kept = [Written(**msgspec.structs.asdict(file)) for file in left]
        findings = [Finding(table=one.table, message=one.message) for one in earlier.provenance.findings]
        written: list[Written] = []
        wanted = [one.step for one in planned if one.wanted]
        if wanted:
            with opened(folder.work, limits) as work:
                with told_engine("check", limits, folder.path):
                    making = Making(work, config)
                for number, step in enumerate(wanted, start=1):
                    yield Begun(step=step.name, number=number, steps=len(wanted))
                    with told_engine(step.name, limits, folder.path):
                        written += [write_output(work, folder, steps, one) for one in step.carry_out(making) or ()]
                findings = [Finding(table=table, message=message) for table, message in making.sources.findings]
        provenance = {
            "snapshot": config.snapshot_tag,
            "engram": version,
            "libraries": {"duckdb": duckdb.__version__, "pyarrow": pyarrow.__version__},
            "begun": begun,
            "ended": now(),
            "inputs": [
                {"table": what, "path": path, "sha256": inputs[what]} for what, path in _inputs_of(config).items()
            ],
            "config": as_data(config),
            "steps": [one.as_json() for one in planned],
            "findings": [asdict(finding) for finding in findings],
            "tables": [one.as_json() for one in (*written, *kept)],
        }
        if changed := [path for path, was in seen.items() if _seen(config).get(path) != was]:
            raise BadTables(tuple(f"{path} changed while it was read: build again" for path in changed))
        if wanted or folder.parts() - {one.path.partition("/")[0] for one in kept}:
            folder.publish(provenance, keep={name for one in planned if not one.wanted for name in one.step.writes})
    yield from findings
    yield from written
    yield from (Kept(file=one) for one in kept)


def plan(config: Config, steps: Steps) -> list[Planned["Making"]]:
    """What `build` would do, and why. Input tables are read for their digests, and files of an earlier build."""
    folder = Folder(steps, config.job_settings.output_dir)
    earlier = Earlier(folder=folder.path, provenance=folder.provenance(), digest_of=digest_of)
    return plan_steps(wanted_steps(config), as_data(config), digests_of(config), earlier)


def _inputs_of(config: Config) -> dict[str, str]:
    """The files that are read while a snapshot is built, by what they are."""
    view = config.outputs.neuprint.neuroglancer.json_state
    return files_of(config.inputs) | ({"neuroglancer view": view} if view else {})


def _seen(config: Config) -> dict[str, tuple[int, int, int]]:
    """What tells by a look whether an input is another one: inode, size and time by path."""
    found = {}
    for path in _inputs_of(config).values():
        with told(path):
            now = os.stat(path)
            found[path] = (now.st_ino, now.st_size, now.st_mtime_ns)
    return found


def digests_of(config: Config) -> dict[str, str]:
    """Digests of the inputs, by what they are. Raises `Unreadable`."""
    found = {}
    for what, path in _inputs_of(config).items():
        with told(path):
            found[what] = digest_of(path)
    return found


def wanted_steps(config: Config) -> list[Step["Making"]]:
    """The steps that a configuration asks for."""
    return [step for step in STEPS if _is_wanted(step.name, config)]


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
        mib = limits.memory_bytes >> 20
        raise TooLittleMemory(step=step, memory_mib=mib, advised_mib=2 * mib) from error
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
        yield from neuprint_outputs(
            self.work,
            self.synapses,
            wanted,
            self.config.meta or Meta(),
            neurotransmitters=self.predictions.columns if self.sources.predictions else (),
            sizes=self.sources.sizes is not None,
            formulas=formulas,
        )


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
    ),
    Step(
        name="points",
        needs=("points table", "partners table"),
        reads=_under("inputs.synapses", "zone", "min-confidence", "permit-body-0", "compartment-column"),
        carry_out=Making.make_points,
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
    Step(name="tables", needs=("bodies",), reads=(_TAG,), carry_out=Making.overview, writes=("tables",)),
    Step(
        name="nt",
        needs=("synapses", "neurotransmitters"),
        reads=("outputs.neurotransmitters", _TAG),
        carry_out=Making.neurotransmitters,
        writes=("nt",),
    ),
    Step(
        name="flat-connectome",
        needs=("synapses", "bodies"),
        reads=("outputs.flat-connectome", _TAG),
        carry_out=Making.flat,
        writes=("flat-connectome",),
    ),
    Step(
        name="neuprint",
        needs=("synapses", "bodies", "neurotransmitters", "neuroglancer view"),
        reads=("outputs.neuprint",),
        carry_out=Making.neuprint,
        writes=("neuprint",),
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
