"""What a snapshot is made from: the section ``inputs`` of the configuration.

Source: flyem-snapshot, ``flyem_snapshot/inputs`` (names, types and defaults of its keys), version 0.1.15.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

import msgspec

from engram.connectome.config.kinds import (
    Count,
    Csv,
    Feather,
    Fraction,
    Processes,
    Renames,
    Rois,
    Section,
    Table,
    Texts,
    Triple,
)

#: What stands for the folder ``syndir`` in paths.
SYNDIR = "{syndir}"
#: Columns of annotations that are dropped unless the file says otherwise: the neurotransmitter tables bring their own.
_NEUROTRANSMITTER_COLUMNS = (
    "predicted_nt",
    "predicted_nt_confidence",
    "total_nt_predictions",
    "celltype_predicted_nt",
    "celltype_predicted_nt_confidence",
    "celltype_total_nt_predictions",
    "consensus_nt",
)
#: Names of synister in full. flyem-snapshot spells two of them ``gluatmate`` and ``dopmaine``.
_NEUROTRANSMITTERS = {
    "neither": "unknown",
    "glut": "glutamate",
    "oct": "octopamine",
    "da": "dopamine",
    "ser": "serotonin",
    "5ht": "serotonin",
    "ach": "acetylcholine",
}


class DvidNode(Section, frozen=True, kw_only=True):
    """A version in a DVID server."""

    #: Host and port; '' for the server of ``inputs.dvid-seg``.
    server: str = ""
    #: The version: a UUID, ``:master`` or ``:master~1``; '' for that of ``inputs.dvid-seg``.
    uuid: str = ""


class Segmentation(Section, frozen=True, kw_only=True):
    """The segmentation in DVID that says which body a point belongs to. Without a server, the tables themselves say."""

    #: Host and port; '' for none: bodies are those of the tables.
    server: str = ""
    #: The version: a UUID, ``:master`` for the newest, ``:master~1`` for the one before it.
    uuid: str = ":master~1"
    #: Name of the labelmap.
    instance: str = "segmentation"
    #: Write the table of every supervoxel's body, too.
    export_mapping: bool = False


class Synapses(Section, frozen=True, kw_only=True):
    """T-bars, PSDs, and which of them are partners."""

    REQUIRED: ClassVar = ("synapse_points", "synapse_partners")

    #: A folder that the paths of the points, the partners and the neurotransmitters may begin with, as {syndir}.
    syndir: str = ""
    #: Table of points: point_id or x, y, z (voxels); kind (PreSyn or PostSyn); conf; body; columns of ROI sets. What
    #: else it has becomes a property of the synapses.
    synapse_points: Feather = ""
    #: Table of partners: pre_id and post_id, the point_id of a T-bar and of a PSD.
    synapse_partners: Feather = ""
    #: Keep one part of the male CNS alone: z below 45056 voxels is the brain, the rest the vnc; '' keeps both.
    zone: Literal["", "brain", "vnc"] = ""
    #: Points below this confidence (0 to 1, compared as 32-bit floats) and their partners are left out.
    min_confidence: Fraction = 0.0
    #: Keep synapses of body 0, which is no body but unsegmented tissue.
    permit_body_0: bool = msgspec.field(default=False, name="permit-body-0")
    #: ROI sets that synapses get columns of; null or an empty list for all, in the order of ``inputs.rois.roi-sets``.
    roi_set_names: Texts | None = None
    #: Column of the points that tells axon from dendrite; '' for none.
    compartment_column: str = ""
    #: Worker processes of flyem-snapshot, kept as they are (engram has -J); null for those of ``job-settings``.
    processes: Processes = None

    @property
    def points_path(self) -> str:
        """Path of the table of points; absolute in a completed configuration."""
        return self.synapse_points.replace(SYNDIR, self.syndir)

    @property
    def partners_path(self) -> str:
        """Path of the table of partners; absolute in a completed configuration."""
        return self.synapse_partners.replace(SYNDIR, self.syndir)


class PointAnnotations(Section, frozen=True, kw_only=True):
    """Points in a DVID annotation instance that describe bodies, such as the centres of nuclei."""

    #: Name of the annotation instance.
    instance: str = ""
    #: The column that takes the position of the point; '' for the name of the instance.
    column_name: str = ""
    #: Columns for properties of the points: column by property.
    extract_properties: Renames = {}


class BodyPointAnnotations(PointAnnotations, frozen=True, kw_only=True):
    """Points in a DVID annotation instance that become columns of the annotations."""

    REQUIRED: ClassVar = ("instance",)


class ElementTable(Section, frozen=True, kw_only=True):
    """Points that are no synapses, such as mitochondria or cell bodies."""

    #: Table of points: x, y, z (voxels), type, body; what else it has becomes a property.
    point_table: Table = ""
    #: Points in DVID, instead of a table.
    dvid_point_annotations: PointAnnotations = PointAnnotations()
    #: Keep elements of body 0.
    permit_body_0: bool = msgspec.field(default=False, name="permit-body-0")
    #: Type of all elements of the table; '' where the table has a column of that name.
    type: str = ""
    #: Table of pairs that lie close together: source_x, source_y, source_z, target_x, target_y, target_z, distance.
    distance_table: Feather = ""
    #: ROI sets that the elements get columns of; null or an empty list for all, in the order of
    #: ``inputs.rois.roi-sets``. Where the table lacks the column of a set, its elements lie outside of all ROIs of it.
    roi_set_names: Texts | None = None


class Elements(Section, frozen=True, kw_only=True):
    """Tables of elements, each under a name of its own."""

    NAMED: ClassVar = "tables"

    #: A table of elements; the key is its name.
    tables: Mapping[str, ElementTable] = {}
    #: Worker processes of flyem-snapshot, kept as they are (engram has -J); null for those of ``job-settings``.
    processes: Processes = None


class ValueReplacement(Section, frozen=True, kw_only=True):
    """A column of annotations that follows from another one."""

    REQUIRED: ClassVar = ("source_column",)

    #: The column that is looked at.
    source_column: str = ""
    #: The column that is written; '' for the same one.
    target_column: str = ""
    #: New value by old value; what is not listed stays.
    replacements: Renames = {}


class Annotations(Section, frozen=True, kw_only=True):
    """What is known of bodies: status, type, class and whatever else a column tells."""

    #: Table of annotations, by body; '' reads them from DVID.
    body_annotations_table: Table = ""
    #: Points in DVID that become columns.
    point_annotations: tuple[BodyPointAnnotations, ...] = ()
    #: Columns that follow from others, in this order.
    replace_values: tuple[ValueReplacement, ...] = ()
    #: New name by column, for all outputs; '' drops the column.
    rename_annotation_columns: Renames = msgspec.field(
        default_factory=lambda: dict.fromkeys(_NEUROTRANSMITTER_COLUMNS, "")
    )
    #: Worker processes of flyem-snapshot, kept as they are (engram has -J); null for those of ``job-settings``.
    processes: Processes = None


class RoiSet(Section, frozen=True, kw_only=True):
    """ROIs that do not overlap."""

    #: Names; ids by name; a .json file with either of these; text in which {x} stands for the id, as
    #: "ME_R_col_{x // 100}_{x % 100}"; for unions the ROIs that each new one is made of.
    rois: Rois = {}
    #: New name by name.
    rename_rois: Renames = {}
    #: Where the ROI of a point is looked up: in DVID, in a column of the point table, or in another ROI set.
    source: Literal["dvid-rois", "dvid-labelmap", "point-table", "unions-of-subrois"] = "dvid-rois"
    #: The labelmap in DVID, 32 times coarser than the segmentation; for the source dvid-labelmap alone.
    labelmap: str = ""
    #: The ROI set that holds the subROIs; it stands before this one.
    union_source_roiset: str = ""
    #: A ROI set whose ROIs are parents of these.
    parent_roiset: str = ""
    #: Parents in which points without a ROI get one of their own, <parent>-unspecified.
    parent_rois: Texts = ()


class RoiSets(Section, frozen=True, kw_only=True):
    """ROI sets: for each of them, every point lies in one ROI or in none."""

    #: The version in DVID that ROIs are read from.
    dvid: DvidNode = DvidNode()
    #: ROI sets by name.
    roi_sets: Mapping[str, RoiSet] = msgspec.field(default_factory=lambda: {"example_roiset": RoiSet()})
    #: Worker processes of flyem-snapshot, kept as they are (engram has -J); null for those of ``job-settings``.
    processes: Processes = None


class BodySizes(Section, frozen=True, kw_only=True):
    """How many voxels each body has."""

    #: Add sizes to the neuPrint bodies.
    load_sizes: bool = False
    #: Table of sizes: body, size (voxels).
    cache_file: Feather = ""
    #: The version in DVID that the table was made from.
    cache_uuid: str = ""
    #: Worker processes of flyem-snapshot, kept as they are (engram has -J); null for those of ``job-settings``.
    processes: Processes = None


class RoiOfSet(Section, frozen=True, kw_only=True):
    """One ROI of a ROI set."""

    #: Name of the ROI set; '' for no restriction.
    roiset: str = ""
    #: Name of the ROI; '' for all of the set.
    roi: str = ""


class Neurotransmitters(Section, frozen=True, kw_only=True):
    """Predicted neurotransmitters of T-bars."""

    #: Table of predictions of synister: x, y, z or point_id, columns nts_… with probabilities, split; '' for none.
    synister_feather: Feather = ""
    #: What coordinates are multiplied by, to be voxels: one number, or three for x, y and z.
    rescale_coords: float | Triple = (1, 1, 1)
    #: Name by name of the predictions' file.
    translate_names: Renames = msgspec.field(default_factory=lambda: dict(_NEUROTRANSMITTERS))
    #: What counts instead of a cell type's prediction in the consensus, by that prediction.
    override_celltype_before_consensus: Renames = {}
    #: Where T-bars lie that bodies and cell types are judged by.
    restrict_to_roi: RoiOfSet = RoiOfSet()
    #: Table of known cell types: cell_type, ground_truth. Without it there are no confidences.
    ground_truth: Csv = ""
    #: Table of what experiments have shown of cell types; it wins over predictions in the consensus.
    experimental_groundtruth: Csv = ""
    #: Values of the column split that mark T-bars which the network was trained with.
    training_set_split_indicators: Texts = ("train", "validation")
    #: Bodies below this confidence (0 to 1) are 'unclear'.
    min_body_confidence: Fraction = 0.5
    #: Bodies with fewer T-bars are 'unclear'.
    min_body_presyn: Count = 50
    #: Cell types below this confidence (0 to 1) are 'unclear'.
    min_celltype_confidence: Fraction = 0.5
    #: Cell types with fewer T-bars are 'unclear'.
    min_celltype_presyn: Count = 100
    #: Give bodies the mean probability of each neurotransmitter, too.
    export_mean_tbar_scores: bool = True


class Inputs(Section, frozen=True, kw_only=True):
    """What the snapshot is made from."""

    REQUIRED: ClassVar = ("synapses",)

    #: The segmentation in DVID; nothing of it is needed where the tables have bodies.
    dvid_seg: Segmentation = Segmentation()
    #: The synapses.
    synapses: Synapses = Synapses()
    #: Points that are no synapses.
    elements: Elements = Elements()
    #: What is known of bodies.
    annotations: Annotations = Annotations()
    #: Where points lie.
    rois: RoiSets = RoiSets()
    #: How large bodies are.
    body_sizes: BodySizes = BodySizes()
    #: What synapses release.
    neurotransmitters: Neurotransmitters = Neurotransmitters()
