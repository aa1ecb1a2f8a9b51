"""The configuration of a snapshot, as a whole.

Source: flyem-snapshot, ``flyem_snapshot/main.py`` (names, types and defaults of its keys), version 0.1.15.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import msgspec

from engram.connectome.config.inputs import Inputs
from engram.connectome.config.kinds import Count, Section
from engram.connectome.config.meta import Meta
from engram.connectome.config.outputs import Outputs


class JobSettings(Section, frozen=True, kw_only=True):
    """What holds for the whole build."""

    #: Name of the snapshot: a part of every table's name. Without DVID it must be given.
    snapshot_tag: str = ""
    #: Where the snapshot is written: in the folder of this file or in the current one (elsewhere only what -o says);
    #: '' for a folder of the snapshot's name in the current folder.
    output_dir: str = ""
    #: Worker processes of flyem-snapshot, kept as they are (engram has -J).
    processes: Count = 16
    #: Seconds that DVID has to answer; of no meaning without it.
    dvid_timeout_s: Annotated[float, msgspec.Meta(gt=0)] = msgspec.field(default=300.0, name="dvid-timeout")
    #: Python's logging, incrementally. It is read and kept; engram tells what people need without it.
    logging_config: Mapping[str, object] = msgspec.field(
        default_factory=lambda: {"version": 1, "incremental": True, "loggers": {"flyem_snapshot": {"level": "INFO"}}}
    )


class Config(Section, frozen=True, kw_only=True):
    """A snapshot: what it is made from, and what it gives."""

    REQUIRED: ClassVar = ("inputs", "outputs")

    #: What it is made from.
    inputs: Inputs = Inputs()
    #: What it gives.
    outputs: Outputs = Outputs()
    #: What holds for the whole build.
    job_settings: JobSettings = JobSettings()

    @property
    def meta(self) -> Meta | None:
        """What neuPrint is told about the dataset, once the file that says so was read."""
        meta = self.outputs.neuprint.meta
        return meta if isinstance(meta, Meta) else None

    @property
    def snapshot_tag(self) -> str:
        """Name of the snapshot."""
        return self.job_settings.snapshot_tag
