"""Complete a configuration: absolute paths, and values that follow from others.

Source: flyem-snapshot, ``flyem_snapshot/main.py`` (what is filled in, and from where), version 0.1.15.
"""

import os
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec
from msgspec.structs import replace

from engram.connectome.config.inputs import SYNDIR, Inputs, Synapses
from engram.connectome.config.kinds import InputFile
from engram.connectome.config.outputs import Outputs, Report, ReportSet
from engram.connectome.config.records import Config
from engram.connectome.config.shaping import Shaper, hints_of

Record = TypeVar("Record", bound=msgspec.Struct)


def complete(config: Config, read: Shaper, *, folder: str, here: str, output_dir: str = "") -> Config:
    """The configuration with everything filled in that follows from the rest.

    Args:
        config: as its file says, with defaults.
        read: what knows which keys the file has.
        folder: absolute path of the folder of the configuration.
        here: absolute path of the folder for an output folder that nobody named.
        output_dir: absolute path of the output folder that the user named; '' for what the file says.
    """
    config = with_files(config, lambda path: path if "://" in path else _absolute(folder, path))
    job = config.job_settings
    wanted = output_dir or (_absolute(folder, job.output_dir) if job.output_dir else _absolute(here, job.snapshot_tag))
    return replace(
        config,
        job_settings=replace(job, output_dir=wanted),
        inputs=_inputs(config, read, folder),
        outputs=_outputs(config, read),
    )


def with_files(record: Record, change: Callable[[str], str]) -> Record:
    """The record with every path of an input file in it changed; those that begin with ``{syndir}`` are left."""
    hints = hints_of(type(record))
    return replace(record, **{name: _changed(hints[name], getattr(record, name), change) for name in hints_in(record)})


def hints_in(record: msgspec.Struct) -> tuple[str, ...]:
    """The names of a record's fields."""
    return tuple(field.name for field in msgspec.structs.fields(record))


def _changed(kind: Any, value: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401 (a value of that kind)
    if isinstance(value, msgspec.Struct):
        return with_files(value, change)
    if isinstance(value, str):
        is_file = value and not value.startswith(SYNDIR) and _marks_file(kind)
        return change(value) if is_file else value
    if isinstance(value, tuple) and get_args(kind):
        return tuple(_changed(None, inner, change) for inner in value)
    if isinstance(value, Mapping):
        return {name: _changed(None, inner, change) for name, inner in value.items()}
    return value


def _marks_file(kind: Any) -> bool:  # noqa: ANN401 (a type, or an annotation around one)
    if get_origin(kind) is Annotated:
        return any(isinstance(mark, InputFile) for mark in get_args(kind)[1:])
    return any(map(_marks_file, get_args(kind)))


def _absolute(folder: str, path: str) -> str:
    return os.path.normpath(os.path.join(folder, path))


def _inputs(config: Config, read: Shaper, folder: str) -> Inputs:
    inputs, processes = config.inputs, config.job_settings.processes
    sets = dict(inputs.rois.roi_sets)
    if ("inputs", "rois", "roi-sets") not in read.places:
        sets = {}  # the example is no wish
    for name, roi_set in sets.items():
        if isinstance(roi_set.rois, str) and roi_set.rois.lower().endswith(".json"):
            sets[name] = replace(roi_set, rois=_absolute(folder, roi_set.rois))
    names = tuple(sets)
    syndir = _absolute(folder, inputs.synapses.syndir)
    predictions = inputs.neurotransmitters.synister_feather.replace(SYNDIR, syndir)
    tables = {
        name: replace(one, roi_set_names=one.roi_set_names or names) for name, one in inputs.elements.tables.items()
    }
    inputs = replace(
        inputs,
        synapses=replace(inputs.synapses, syndir=syndir, roi_set_names=inputs.synapses.roi_set_names or names),
        elements=replace(inputs.elements, tables=tables),
        rois=replace(inputs.rois, roi_sets=sets),
        neurotransmitters=replace(inputs.neurotransmitters, synister_feather=predictions),
    )
    return _with_processes(inputs, processes)


def _with_processes(record: Record, processes: int) -> Record:
    """The record, in whose sections processes are filled in."""
    sections = {name: getattr(record, name) for name in hints_in(record)}
    lacking = {name: one for name, one in sections.items() if getattr(one, "processes", 0) is None}
    return replace(record, **{name: replace(one, processes=processes) for name, one in lacking.items()})


def _outputs(config: Config, read: Shaper) -> Outputs:
    outputs, synapses = config.outputs, config.inputs.synapses
    flat, neuprint = outputs.flat_connectome, outputs.neuprint
    names = synapses.roi_set_names or _set_names(config, read)
    if neuprint.export_neuprint_snapshot and not neuprint.roi_set_names:
        neuprint = replace(neuprint, roi_set_names=names)
    compartments = synapses.compartment_column
    if ("outputs", "flat-connectome", "roi-set") not in read.places and flat.roi_set not in names:
        flat = replace(flat, roi_set="")
    outputs = replace(
        outputs,
        flat_connectome=replace(flat, compartment_column=flat.compartment_column or compartments),
        neuprint=replace(neuprint, compartment_column=neuprint.compartment_column or compartments),
        connectivity_reports=tuple(_named(one, synapses) for one in outputs.connectivity_reports),
    )
    return _with_processes(outputs, config.job_settings.processes)


def _set_names(config: Config, read: Shaper) -> tuple[str, ...]:
    return tuple(config.inputs.rois.roi_sets) if ("inputs", "rois", "roi-sets") in read.places else ()


def _named(reports: ReportSet, synapses: Synapses) -> ReportSet:
    def name(report: Report) -> str:
        return report.name or "-".join(report.rois) or synapses.zone or "all"

    return replace(reports, reports=tuple(replace(report, name=name(report)) for report in reports.reports))
