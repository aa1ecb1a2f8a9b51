"""The one node that describes the dataset to those who open the database.

Source: flyem-snapshot, ``flyem_snapshot/outputs/neuprint/meta.py``
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from engram.connectome.config.hierarchy import Nest, nest
from engram.connectome.config.meta import Meta, NeuronColumn
from engram.connectome.engine import Work
from engram.connectome.neuprint.neurons import Neurons
from engram.connectome.neuprint.totals import Rois
from engram.connectome.outputs import TextOutput
from engram.connectome.sql import name
from engram.connectome.synapses import Synapses
from engram.connectome.tables import Column, Table

_LISTS = {
    "voxelSize": "float[]",
    **dict.fromkeys(("primaryRois", "superLevelRois", "nonHierarchicalROIs", "overviewRois"), "string[]"),
}
_NUMBERS = {
    **dict.fromkeys(("postHighAccuracyThreshold", "preHPThreshold", "postHPThreshold"), "float"),
    **dict.fromkeys(("latestMutationId", "totalPreCount", "totalPostCount"), "int"),
}
META = Table(
    "Neuprint_Meta",
    "neuprint/Neuprint_Meta.csv",
    "dataset: there is one",
    "none",
    (
        Column("dataset:string", "VARCHAR", "Its name, without the version"),
        Column("tag:string", "VARCHAR", "Its version"),
        Column("voxelSize:float[]", "VARCHAR", "Size of a voxel along x, y and z, in voxelUnits"),
        Column("voxelUnits:string", "VARCHAR", "Unit of voxelSize"),
        Column("info:string", "VARCHAR", "Address of a page about it"),
        Column("logo:string", "VARCHAR", "Address of a picture"),
        Column("description:string", "VARCHAR", "What people read about it"),
        Column("postHighAccuracyThreshold:float", "VARCHAR", "What a PSD must have to count in weight"),
        Column("preHPThreshold:float", "VARCHAR", "Of no meaning any more"),
        Column("postHPThreshold:float", "VARCHAR", "What a PSD must have to count in weightHP"),
        Column("primaryRois:string[]", "VARCHAR", "ROIs that do not overlap and cover all others"),
        Column("nonHierarchicalROIs:string[]", "VARCHAR", "ROIs outside of the hierarchy"),
        Column("overviewRois:string[]", "VARCHAR", "ROIs of the picture on the first page"),
        Column("overviewOrder:string", "VARCHAR", "How they are ordered: clustered or explicit"),
        Column("neuronColumnsVisible:string", "VARCHAR", "JSON: columns that are shown at first"),
        Column("uuid:string", "VARCHAR", "Its version in DVID, or unknown"),
        Column("latestMutationId:int", "VARCHAR", "The last mutation of its segmentation"),
        Column("lastDatabaseEdit:string", "VARCHAR", "When its segmentation was last changed, or unknown"),
        Column("superLevelRois:string[]", "VARCHAR", "The same as primaryRois"),
        Column("totalPreCount:int", "VARCHAR", "T-bars"),
        Column("totalPostCount:int", "VARCHAR", "PSDs"),
        Column("neuronProperties:string", "VARCHAR", "JSON: types in neo4j by property of a body"),
        Column("roiHierarchy:string", "VARCHAR", "JSON: which ROI lies in which"),
        Column("roiInfo:string", "VARCHAR", "JSON: by ROI what people read of it, and its totals"),
        Column("neuronColumnsOrdered:string", "VARCHAR", "JSON: columns of the table of neurons"),
        Column("meshHost:string", "VARCHAR", "Empty"),
        Column(":Label", "VARCHAR", "Meta, and the same with the dataset's name"),
        Column("hideDataSet:boolean", "VARCHAR", "Whether it is left out of the list of datasets"),
    ),
)
TABLES = (META,)


def meta_outputs(
    work: Work, synapses: Synapses, rois: Rois, neurons: Neurons, meta: Meta, *, inside: str
) -> Iterator[TextOutput]:
    """The node, and the same as JSON that people can read.

    Args:
        inside: the ROI set that connectivity is restricted to: totals are those of its ROIs; '' for all.
    """
    totals = _roi_totals(work, rois)
    written: Any = meta.roi_hierarchy  # read as `Written`
    hierarchy = nest(written, lambda roiset: synapses.rois[roiset].labels)
    if inside:
        within = [totals[roi] for roi in synapses.rois[inside].names if roi in totals]
        pre, post = (sum(one[place] for one in within) for place in (0, 1))
    else:
        ((pre, post),) = work.rows('SELECT coalesce(sum(pre), 0), coalesce(sum(post), 0) FROM "body total"')
    node: dict[str, Any] = {
        "dataset": meta.dataset,
        "tag": meta.tag,
        "hideDataSet": meta.hide_data_set,
        "voxelSize": list(meta.voxel_size),
        "voxelUnits": meta.voxel_units,
        "info": meta.info,
        "logo": meta.logo,
        "description": meta.description,
        "postHighAccuracyThreshold": meta.post_high_accuracy_threshold,
        "preHPThreshold": meta.pre_high_precision_threshold,
        "postHPThreshold": meta.post_high_precision_threshold,
        "primaryRois": list(meta.primary_rois),
        "nonHierarchicalROIs": _listed(meta.non_hierarchical_rois),
        "overviewRois": _listed(meta.overview_rois),
        "overviewOrder": meta.overview_order,
        "neuronColumnsVisible": list(meta.neuron_columns_visible),
        "uuid": meta.uuid or "unknown",
        "latestMutationId": meta.latest_mutation_id,
        "lastDatabaseEdit": meta.last_database_edit or "unknown",
        "superLevelRois": list(meta.primary_rois),
        "totalPreCount": int(pre),
        "totalPostCount": int(post),
        "neuronProperties": neurons.properties,
        "roiHierarchy": _children(hierarchy)[0] if hierarchy else {},
        "roiInfo": _roi_info(meta, totals, hierarchy),
        "neuronColumnsOrdered": [_column(work, neurons, meta, column) for column in meta.neuron_columns_ordered],
        "meshHost": "",
    }
    yield TextOutput(
        path="neuprint/Neuprint_Meta_debug.json", text=json.dumps(node, indent=2, ensure_ascii=False) + "\n"
    )
    yield TextOutput(path=META.file, text=_as_csv(node))


def _children(hierarchy: Nest) -> list[dict[str, Any]]:
    return [{"name": roi} | ({"children": _children(below)} if below else {}) for roi, below in hierarchy.items()]


def _parents(hierarchy: Nest, above: str | None = None) -> Iterator[tuple[str, str | None]]:
    for roi, below in hierarchy.items():
        yield roi, above
        yield from _parents(below, roi)


def _listed(rois: tuple[str, ...] | None) -> list[str] | None:
    return None if rois is None else list(rois)


def _roi_totals(work: Work, rois: Rois) -> dict[str, tuple[int, int]]:
    """T-bars and PSDs by ROI, of those ROIs that have any."""
    found = work.rows('SELECT roi, sum(pre), sum(post) FROM "roi total" GROUP BY roi ORDER BY roi')
    return {rois.names[roi]: (int(pre), int(post)) for roi, pre, post in found if rois.names[roi] in rois.real}


def _roi_info(meta: Meta, totals: Mapping[str, tuple[int, int]], hierarchy: Nest) -> dict[str, Any]:
    parents = dict(_parents(hierarchy))
    return {
        roi: {
            "description": meta.roi_descriptions.get(roi, ""),
            "excludeFromOverview": roi in meta.exclude_from_overview,
            "isNerve": roi in meta.nerve_rois,
            "isPrimary": roi in meta.primary_rois,
            "parent": parents.get(roi),
            "post": post,
            "pre": pre,
        }
        for roi, (pre, post) in totals.items()
    }


def _column(work: Work, neurons: Neurons, meta: Meta, column: NeuronColumn) -> dict[str, Any]:
    choices: Any = column.choices if column.choices is None or column.choices == "auto" else list(column.choices)
    header = next((one for one in neurons.columns if one.partition(":")[0] == column.id), "")
    if choices == "auto":
        query = f"SELECT DISTINCT CAST({name(header)} AS VARCHAR) AS one FROM neuron ORDER BY one"
        choices = [one for (one,) in work.rows(query) if one is not None] if header else []
    found = {"id": column.id, "name": column.name or column.id, "searchable": column.searchable, "choices": choices}
    found |= {"description": column.description} if column.description else {}
    return found | {"visible": column.id in meta.neuron_columns_visible}


def _as_csv(node: Mapping[str, Any]) -> str:
    values = {
        f"{key}:{_LISTS.get(key) or _NUMBERS.get(key) or 'string'}": _value(key, one) for key, one in node.items()
    }
    hidden = values.pop("hideDataSet:string")
    values |= {":Label": f"Meta;{node['dataset']}_Meta", "hideDataSet:boolean": hidden}
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(column.name for column in META.columns)
    writer.writerow(values[column.name] for column in META.columns)
    return file.getvalue()


def _value(key: str, value: Any) -> str:  # noqa: ANN401 (of the node)
    if key in _LISTS:
        return ";".join(map(str, value or ()))
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value)
