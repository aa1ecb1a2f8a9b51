"""The kinds of value that a configuration holds, beside text, numbers and truths.

A kind is an annotation: `engram.connectome.config.shaping` checks by it, templates and the reference are printed
from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import msgspec


@dataclass(frozen=True, slots=True)
class InputFile:
    """Marks text as the path of a file that is read: relative to the configuration, '' for none."""

    #: Endings that its name may have; none: any.
    endings: tuple[str, ...] = ()
    #: Whether a link (https://…, gs://…) will do, too.
    may_be_link: bool = False
    #: Whether it is a folder of files.
    is_folder: bool = False


class Section(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """A mapping with keys of its own; ``min_confidence`` here is ``min-confidence`` in the file.

    Three names of a subclass are read by those who walk over it: ``NAMED``, the field that takes the keys which the
    file chooses freely; ``REQUIRED``, the fields that must be given; and ``OWN``, fields that flyem-snapshot does not
    know: a configuration that is written has them only where they say something.
    """


Fraction: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1)]
Number: TypeAlias = float
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
Several: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
Texts: TypeAlias = tuple[str, ...]
Renames: TypeAlias = Mapping[str, str]
#: A number of worker processes, 0 for none but our own; ``null`` takes that of ``job-settings``.
Processes: TypeAlias = Count | None
#: Three numbers, x y z.
Triple: TypeAlias = tuple[float, float, float]

Feather: TypeAlias = Annotated[str, InputFile((".feather", ".parquet"))]
Table: TypeAlias = Annotated[str, InputFile((".feather", ".parquet", ".csv"))]
Csv: TypeAlias = Annotated[str, InputFile((".csv",))]
JsonFile: TypeAlias = Annotated[str, InputFile((".json",))]
JsonFileOrLink: TypeAlias = Annotated[str, InputFile((".json",), may_be_link=True)]
Yaml: TypeAlias = Annotated[str, InputFile((".yaml", ".yml", ".json"))]

Folder: TypeAlias = Annotated[str, InputFile(is_folder=True)]

#: The ROIs of a set: names; ids by name; a ``.json`` file with either, or a formula in ``x``; subROIs by new name.
Rois: TypeAlias = str | Texts | Mapping[str, Several] | Mapping[str, Texts]
