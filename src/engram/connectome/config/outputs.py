"""What a snapshot gives: the section ``outputs`` of the configuration.

Source: flyem-snapshot, ``flyem_snapshot/outputs`` (names, types and defaults of its keys), version 0.1.15.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal, TypeAlias

import msgspec

from engram.connectome.config.kinds import (
    Count,
    Folder,
    JsonFile,
    JsonFileOrLink,
    Processes,
    Renames,
    Section,
    Several,
    Texts,
    Triple,
    Yaml,
)
from engram.connectome.config.meta import Meta

#: Every status a body may have in DVID, worst first. Source: neuclease, ``DEFAULT_BODY_STATUS_CATEGORIES``.
STATUSES = (
    "Unimportant",
    "Glia",
    "Hard to trace",
    "Orphan-artifact",
    "Orphan",
    "Orphan hotknife",
    "Putative Leaves",
    "Out of scope",
    "Not examined",
    "",
    "0.5assign",
    "Anchor",
    "Cleaved Anchor",
    "Will be merged",
    "Partially traced",
    "Sensory Anchor",
    "Cervical Anchor",
    "Soma Anchor",
    "Examined Soma Anchor",
    "Primary Anchor",
    "Leaves",
    "PRT Orphan",
    "Reviewed",
    "Prelim Roughly traced",
    "RT Hard to trace",
    "RT Orphan",
    "Roughly traced",
    "Traced in ROI",
    "Traced",
    "Finalized",
)


class BackPort(Section, frozen=True, kw_only=True):
    """Where neurotransmitters of bodies are written back to, in DVID."""

    #: Write them there, whether or not tables of them are exported.
    perform_backport: bool = False
    #: Host and port.
    server: str = ""
    #: The version: a UUID, :master or :master~1.
    uuid: str = ""
    #: Name of the neuronjson instance.
    neuronjson_instance: str = msgspec.field(default="", name="neuronjson_instance")


class NeurotransmitterExport(Section, frozen=True, kw_only=True):
    """Tables of neurotransmitters: nt/."""

    #: Write them.
    export_neurotransmitters: bool = False
    #: ROI sets whose columns stand in the table of T-bars.
    roi_sets: Texts = ()
    #: A ROI set: T-bars outside of it are left out of the tables.
    restrict_export: str = ""
    #: Writing back to DVID.
    dvid: BackPort = BackPort()


class FlatConnectome(Section, frozen=True, kw_only=True):
    """Tables of synapses, connections and bodies: flat-connectome/."""

    #: Write them.
    export_connectome: bool = True
    #: The ROI set whose ROI stands beside each connection; '' for none.
    roi_set: str = "primary"
    #: Column of the points that tells axon from dendrite; '' for that of the synapses.
    compartment_column: str = ""
    #: A ROI set: connections outside of it are left out.
    restrict_connectivity_to_roiset: str = ""
    #: Project in Google Cloud that pays for what is uploaded.
    gcp_project: str = ""
    #: Folder in Google Cloud Storage, as gs://bucket/folder; each table is uploaded into a folder of it that is named
    #: by the snapshot's tag; '' for none.
    gcs_bucket_dir: str = ""


class DvidInstance(Section, frozen=True, kw_only=True):
    """An instance in a DVID server."""

    #: Host and port; '' for the server of ``inputs.dvid-seg``.
    server: str = ""
    #: The version: a UUID, :master or :master~1; '' for that of ``inputs.dvid-seg``.
    uuid: str = ""
    #: Name of the instance; '' for the one that belongs to the segmentation.
    instance: str = ""


class Skeletons(Section, frozen=True, kw_only=True):
    """Skeletons of bodies, as SWC and as Neuroglancer's precomputed format."""

    OWN: ClassVar = ("folder",)

    #: Write them.
    export_skeletons: bool = False
    #: Where they are read from; the instance defaults to <segmentation>_skeletons.
    dvid: DvidInstance = DvidInstance()
    #: Engram's own key. A folder of files <body>.swc that they are read from, instead of DVID; '' for none.
    folder: Folder = ""
    #: Nanometres of a voxel along x, y and z; 0 for those of the segmentation in DVID. 1 where files have nanometres.
    coordinate_resolution_nm: Triple = (0, 0, 0)


class SkeletonSets(Section, frozen=True, kw_only=True):
    """Sets of skeletons, each under a name of its own: skeletons-<name>/."""

    NAMED: ClassVar = "sets"

    #: A set of skeletons; the key is its name.
    sets: Mapping[str, Skeletons] = {}
    #: Worker processes of flyem-snapshot, kept as they are (engram has -J); null for those of ``job-settings``.
    processes: Processes = None


class Meshes(Section, frozen=True, kw_only=True):
    """Meshes of bodies, in Neuroglancer's format of one resolution."""

    OWN: ClassVar = ("folder",)

    #: Write them.
    export_meshes: bool = False
    #: Where they are read from; the instance defaults to <segmentation>_meshes.
    dvid: DvidInstance = DvidInstance()
    #: Engram's own key. A folder of files <body>.ngmesh that they are read from, instead of DVID; '' for none.
    folder: Folder = ""
    #: Bodies of these statuses are left out.
    exclude_statuses: Texts = ("Unimportant", "Glia")


class MeshSets(Section, frozen=True, kw_only=True):
    """Sets of meshes, each under a name of its own: meshes-<name>/."""

    NAMED: ClassVar = "sets"

    #: A set of meshes; the key is its name.
    sets: Mapping[str, Meshes] = {}
    #: Worker processes of flyem-snapshot, kept as they are (engram has -J); null for those of ``job-settings``.
    processes: Processes = None


class NeuroglancerState(Section, frozen=True, kw_only=True):
    """The view of Neuroglancer that neuPrint opens with."""

    #: The view, in whose text the words below are replaced; '' for none.
    json_state: JsonFile = ""
    #: Text by word; '' of DATASET_AND_TAG, DVID_UUID and VERSION_TAG stands for what describes the dataset.
    replacements: Renames = msgspec.field(
        default_factory=lambda: {"DATASET_AND_TAG": "", "DVID_UUID": "", "VERSION_TAG": ""}
    )


class NeuronLabelCriteria(Section, frozen=True, kw_only=True):
    """Which bodies are neurons: one criterion is enough."""

    #: Inputs and outputs together, at least so many.
    synweight: Count = 100
    #: T-bars, at least so many.
    pre: Count = 100
    #: PSDs, at least so many.
    post: Count = 100
    #: One of these properties has a value.
    properties: Texts = (
        "rootLocation",
        "somaLocation",
        "class",
        "type",
        "instance",
        "group",
        "somaSide",
        "synonyms",
    )
    #: The neuPrint status is one of these.
    status: Texts = ("Traced", "Anchor")
    #: Bodies of these neuPrint statuses are no neurons, whatever else they have.
    excluded_status: Texts = ("Unimportant", "Glia")


#: Properties that every body of a neuPrint database has, and those of every synapse; elements have the latter, too, but
#: for the confidence.
OF_BODIES = ("bodyId", "status", "post", "pre", "downstream", "upstream", "synweight", "roiInfo")
OF_POINTS = ("type", "confidence", "bodyId", "location")
#: What bodies have already under these names.
RESERVED_TOTALS = frozenset(
    (
        *("post", "pre", "downstream", "upstream", "synweight", "axonIn", "dendriteIn", "axonOut", "dendriteOut"),
        *("bodyId", "status", "statusLabel", "type", "instance", "roiInfo", "size", "body", "roi", "body_batch"),
    )
)


class ElementTotals(Section, frozen=True, kw_only=True):
    """How many elements of a table bodies and ROIs have."""

    #: Name of the property of bodies that counts them; '' for none.
    compute_segment_totals_with_name: str = ""
    #: Name under which roiInfo counts them; '' for none.
    compute_roi_totals_with_name: str = ""
    #: A column: each of its values is counted alone, too; '' for none.
    compute_kind_totals_for_column: str = ""


class ElementRoiIndex(Section, frozen=True, kw_only=True):
    """ROIs of elements that a database looks up quickly."""

    #: The label of the elements, as :Mito.
    neuprint_label: str = ""
    #: ROI sets whose ROIs are indexed.
    roisets: Texts = ()


class Indexes(Section, frozen=True, kw_only=True):
    """What the database looks up quickly: create-indexes.cypher."""

    #: Properties of bodies without an index; all others have one.
    exclude_properties: Texts = ("roiInfo", "notes")
    #: ROI sets whose ROIs have no index; all others have one.
    exclude_roisets: Texts = ()
    #: ROIs of elements that have an index; no others have one.
    element_roisets_to_index: tuple[ElementRoiIndex, ...] = ()
    #: Properties in which neuPrint's search for neurons looks.
    find_neurons_fulltext_index_properties: Texts = ("type", "instance", "synonyms")


class Neuprint(Section, frozen=True, kw_only=True):
    """Files of a neuPrint database: neuprint/."""

    OWN: ClassVar = ("csv_compression", "synapse_sets", "split_nodes")

    #: Write them.
    export_neuprint_snapshot: bool = False
    #: The file that describes the dataset for neuPrint (engram snapshot config --meta shows one).
    meta: Yaml | Meta = ""
    #: The view of Neuroglancer.
    neuroglancer: NeuroglancerState = NeuroglancerState()
    #: ROI sets that are ROIs in neuPrint; null or an empty list for those of the synapses.
    roi_set_names: Texts | None = None
    #: Column of the points that tells axon from dendrite; '' for that of the synapses.
    compartment_column: str = ""
    #: A ROI set: synapses and elements outside of it do not exist.
    restrict_info_totals_to_roiset: str = ""
    #: A ROI set: connections outside of it are left out, but count in the totals of bodies that reach into it.
    restrict_connectivity_to_roiset: str = ""
    #: A ROI set: elements outside of it are left out, but count in the totals of bodies.
    restrict_elements_to_roiset: str = ""
    #: Properties of synapses and elements that follow from a ROI's id: an expression in x by property, by ROI set.
    roi_synapse_properties: Mapping[str, Renames] = {}
    #: Which bodies are neurons.
    neuron_label_criteria: NeuronLabelCriteria = NeuronLabelCriteria()
    #: Name in neuPrint by column of the annotations; '' leaves the column out.
    annotation_property_names: Renames = {}
    #: Keep annotated bodies without synapses.
    keep_non_synaptic_segments: bool = False
    #: Label of elements, as :Mito, by their name in ``inputs.elements``.
    element_labels: Renames = {}
    #: What is counted of elements, by their name in ``inputs.elements``.
    element_totals: Mapping[str, ElementTotals] = {}
    #: What the database looks up quickly.
    indexes: Indexes = Indexes()
    #: Engram's own key. gzip compresses the CSV files of nodes and edges to .csv.gz, which neo4j-admin reads.
    csv_compression: Literal["none", "gzip"] = "none"
    #: Engram's own key. False leaves out sets of synapses and all that leads to them, a third of the bytes: queries for
    #: the synapses of a body or of a connection need them.
    synapse_sets: bool = True
    #: Engram's own key. True deals nodes to files by their ROIs, as flyem-snapshot does: bodies to max-segment-files,
    #: synapses and elements to one for each combination of ROIs. Else all are in one, or in as few as ROIs allow.
    split_nodes: bool = False
    #: Bodies are dealt to at most so many files, where split-nodes is true.
    max_segment_files: Several = 30_000
    #: Worker processes of flyem-snapshot, kept as they are (engram has -J); null for those of ``job-settings``.
    processes: Processes = None


NonSynaptic: TypeAlias = Literal["", "element-presence", "all", "none"]


class Report(Section, frozen=True, kw_only=True):
    """One report: how completely some ROIs are captured."""

    #: ROIs that are taken together; none for all synapses.
    rois: Texts = ()
    #: Its name; '' for the names of its ROIs, else the zone, else all.
    name: str = ""
    #: Which bodies without synapses take a place in the ranking; '' for what holds for the set of reports.
    non_synaptic_bodies: NonSynaptic = ""


class ReportSet(Section, frozen=True, kw_only=True):
    """Reports on ROIs of one ROI set: reports/<roiset>/."""

    #: The ROI set.
    roiset: str = ""
    #: Names of reports that are shown together, by the group's name.
    capture_summary_subsets: Mapping[str, Texts] = {}
    #: The reports.
    reports: tuple[Report, ...] = ()
    #: Bodies after this rank are left out.
    stop_at_rank: Several = 1_000_000
    #: Which bodies without synapses take a place in the ranking.
    non_synaptic_bodies: Literal["element-presence", "all", "none"] = "element-presence"
    #: A view of Neuroglancer that bodies are linked into: a .json file, or a link to one that begins with https:// or
    #: gs://; '' for none.
    neuroglancer_base_state: JsonFileOrLink = ""
    #: Statuses of bodies that count as captured.
    capture_statuses: Texts = STATUSES[STATUSES.index("Sensory Anchor") :]


class Outputs(Section, frozen=True, kw_only=True):
    """What the snapshot gives."""

    #: Tables of neurotransmitters.
    neurotransmitters: NeurotransmitterExport = NeurotransmitterExport()
    #: Tables of synapses, connections and bodies.
    flat_connectome: FlatConnectome = FlatConnectome()
    #: Skeletons.
    skeletons: SkeletonSets = SkeletonSets()
    #: Meshes.
    meshes: MeshSets = MeshSets()
    #: Files of a neuPrint database.
    neuprint: Neuprint = Neuprint()
    #: Reports.
    connectivity_reports: tuple[ReportSet, ...] = ()
