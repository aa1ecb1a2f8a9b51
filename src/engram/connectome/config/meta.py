"""How neuPrint describes a dataset: the file that ``outputs.neuprint.meta`` names.

Source: flyem-snapshot, ``flyem_snapshot/outputs/neuprint/meta.py`` (names, types and defaults), version 0.1.15.
"""

from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import msgspec

from engram.connectome.config.hierarchy import Written
from engram.connectome.config.kinds import Count, Fraction, Renames, Section, Texts, Triple


class Tree:
    """Marks a hierarchy of ROIs: mappings; lists, null or {} for leaves; a .json or .yaml file; roiset://NAME."""


#: Read with `Tree`: a mapping at the top, in which each value may be any of what `Tree` names.
RoiTree: TypeAlias = Annotated[object, Tree()]


class NeuronColumn(Section, frozen=True, kw_only=True):
    """A column of neuPrint's table of neurons."""

    REQUIRED: ClassVar = ("id",)

    #: The property of neurons.
    id: str = ""
    #: What people read above the column; '' for the property.
    name: str = ""
    #: neuPrint offers a field to search it.
    searchable: bool = True
    #: What the field offers: a list; auto for all values there are; null for nothing.
    choices: Literal["auto"] | Texts | None = None
    #: What people read when they point at it.
    description: str = ""


_IRREGULAR = {
    "post_high_precision_threshold": "postHPThreshold",
    "pre_high_precision_threshold": "preHPThreshold",
    "non_hierarchical_rois": "nonHierarchicalROIs",
}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return _IRREGULAR.get(name) or first + "".join(word.capitalize() for word in rest)


class Meta(msgspec.Struct, frozen=True, kw_only=True, rename=_camel):
    """The dataset as neuPrint shows it."""

    REQUIRED: ClassVar = ("dataset", "primary_rois", "roi_hierarchy")

    #: Name of the dataset, as cns, without its version.
    dataset: str = ""
    #: Its version, as v1.0.
    tag: str = ""
    #: Leave it out of the list that neuPrintExplorer offers.
    hide_data_set: bool = False
    #: Size of a voxel along x, y and z, in voxelUnits.
    voxel_size: Triple = (8.0, 8.0, 8.0)
    #: Unit of voxelSize.
    voxel_units: str = "nanometers"
    #: Address of a page about the dataset.
    info: str = "https://www.janelia.org/project-team/flyem"
    #: Address of a picture, or its path in the neuPrint server.
    logo: str = "https://www.janelia.org/sites/default/files/styles/epsa_580x580/public/flyEM-logo_580x580.jpg"
    #: What people read about the dataset.
    description: str = ""
    #: PSDs at or above this confidence (0 to 1) count in the weight of a connection.
    post_high_accuracy_threshold: Fraction = 0.0
    #: PSDs at or above this confidence (0 to 1) count in weightHP.
    post_high_precision_threshold: Fraction = 0.0
    #: Of no meaning any more; neuPrint still reads it.
    pre_high_precision_threshold: Fraction = 0.0
    #: The version in DVID; '' for that of the segmentation.
    uuid: str = ""
    #: The last mutation of the segmentation in DVID; 0 for that of the segmentation.
    latest_mutation_id: Count = 0
    #: When the segmentation was last changed; '' for what DVID says.
    last_database_edit: str = ""
    #: Columns of the table of neurons, in this order.
    neuron_columns_ordered: tuple[NeuronColumn, ...] = (
        NeuronColumn(id="bodyId", name="body ID"),
        NeuronColumn(id="type"),
        NeuronColumn(id="status", choices="auto"),
    )
    #: Columns that are shown unless the reader chooses others.
    neuron_columns_visible: Texts = ("bodyId", "type", "status")
    #: ROIs that do not overlap and together cover all others.
    primary_rois: Texts = ()
    #: ROIs outside of the hierarchy; null for none.
    non_hierarchical_rois: Texts | None = None
    #: ROIs of the picture on neuPrintExplorer's first page; null for the primary ones.
    overview_rois: Texts | None = None
    #: How they are ordered there: alike ones together, or as in overviewRois.
    overview_order: Literal["clustered", "explicit"] = "clustered"
    #: Which ROI lies in which: mappings; a list, null or {} for those without any; a .json or .yaml file;
    #: roiset://NAME for all ROIs of a ROI set. One ROI stands at the top.
    roi_hierarchy: RoiTree = msgspec.field(default_factory=dict)
    #: What people read about a ROI, by ROI.
    roi_descriptions: Renames = {}
    #: ROIs that are nerves.
    nerve_rois: Texts = ()
    #: ROIs that are left out of the picture on the first page.
    exclude_from_overview: Texts = ()

    @property
    def hierarchy(self) -> Written:
        """Which ROI lies in which; `engram.connectome.config.hierarchy.nest` makes it whole."""
        written: Any = self.roi_hierarchy
        return written  # type: ignore[no-any-return] # it was read as such
