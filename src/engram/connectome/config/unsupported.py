"""What a configuration asks for that engram cannot do yet: said before anything is built.

The seam for a source that reads from DVID: whatever it will read stands here, key by key, and nothing else of the
configuration knows of a server.
"""

from collections.abc import Iterator, Mapping

from engram.connectome.config.nodes import Path
from engram.connectome.config.outputs import Meshes, Skeletons
from engram.connectome.config.records import Config

_SERVER = "needs a DVID server: not supported yet"


def unsupported(config: Config) -> Iterator[tuple[Path, str]]:
    """Each key that is used and cannot be done, with what to do instead."""
    yield from _of_dvid_inputs(config)
    yield from _of_dvid_outputs(config)


def _of_dvid_inputs(config: Config) -> Iterator[tuple[Path, str]]:
    inputs = config.inputs
    if inputs.dvid_seg.server:
        yield ("inputs", "dvid-seg", "server"), f"{_SERVER}; without it bodies are those of the tables"
    if inputs.dvid_seg.export_mapping:
        yield ("inputs", "dvid-seg", "export-mapping"), _SERVER
    annotations: Path = ("inputs", "annotations")
    if not inputs.annotations.body_annotations_table:
        yield (*annotations, "body-annotations-table"), f"reading annotations {_SERVER}; name a table"
    for place, _ in enumerate(inputs.annotations.point_annotations):
        yield (*annotations, "point-annotations", place), f"{_SERVER}; put the points into the table of annotations"
    for name, table in inputs.elements.tables.items():
        if table.dvid_point_annotations.instance:
            path: Path = ("inputs", "elements", name, "dvid-point-annotations")
            yield path, f"{_SERVER}; name a point-table"
    yield from _of_dvid_rois(config)
    if inputs.body_sizes.load_sizes and not inputs.body_sizes.cache_file:
        yield ("inputs", "body-sizes", "load-sizes"), f"{_SERVER}; name a table as cache-file"


def _of_dvid_rois(config: Config) -> Iterator[tuple[Path, str]]:
    inputs = config.inputs
    used = {*(inputs.synapses.roi_set_names or ())}
    used.update(name for table in inputs.elements.tables.values() for name in table.roi_set_names or ())
    for name, roi_set in inputs.rois.roi_sets.items():
        if name in used and roi_set.source.startswith("dvid-"):
            path: Path = ("inputs", "rois", "roi-sets", name, "source")
            yield path, f"{roi_set.source} {_SERVER}; put the ROIs into the point table (source: point-table)"


def _of_dvid_outputs(config: Config) -> Iterator[tuple[Path, str]]:
    outputs = config.outputs
    # flyem-snapshot writes back whether or not it exports tables: see export_neurotransmitters there
    if outputs.neurotransmitters.dvid.perform_backport:
        yield ("outputs", "neurotransmitters", "dvid", "perform-backport"), _SERVER
    sets: tuple[tuple[str, Mapping[str, Skeletons | Meshes]], ...] = (
        ("skeletons", outputs.skeletons.sets),
        ("meshes", outputs.meshes.sets),
    )
    for key, named in sets:
        for name, one in named.items():
            wanted = one.export_skeletons if isinstance(one, Skeletons) else one.export_meshes
            path: Path = ("outputs", key, name)
            if wanted and not one.folder:
                yield (*path, f"export-{key}"), f"reading {key} {_SERVER}; name a folder of files as folder"
            elif wanted and one.dvid.server:
                yield (*path, "dvid", "server"), f"{_SERVER}; take it away where folder names the files"
