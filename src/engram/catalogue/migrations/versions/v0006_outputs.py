"""What was computed from recordings."""

import sqlalchemy as sa
from alembic import op

from engram.catalogue.columns import ID, LONG, MOMENT, NAME, NUMBER, ON_MARIADB, PATH_KEY, WORD

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """The new tables."""
    op.create_table(
        "pose_model",
        sa.Column("pose_model_id", ID, autoincrement=False, nullable=False, comment="Number of the model"),
        sa.Column(
            "pose_model_name",
            NAME,
            nullable=False,
            comment="What it calls itself: its scorer, or task, date, iteration, shuffle and snapshot",
        ),
        sa.Column("pose_model_software", NAME, nullable=False, comment="DeepLabCut, SLEAP"),
        sa.Column("pose_model_facts", LONG, nullable=False, comment="What its files say about it, as a JSON object"),
        sa.Column(
            "pose_model_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"
        ),
        sa.ForeignKeyConstraint(
            ["pose_model_added_in"], ["catalogue_change.change_id"], name="fk_pose_model_pose_model_added_in"
        ),
        sa.PrimaryKeyConstraint("pose_model_id", name="pk_pose_model"),
        sa.UniqueConstraint("pose_model_name", name="uq_pose_model_pose_model_name"),
        comment="One model that tracks a pose (DeepLabCut, SLEAP)",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_table(
        "clustering",
        sa.Column("clustering_id", ID, autoincrement=False, nullable=False, comment="Number of the clustering"),
        sa.Column(
            "clustering_name",
            NAME,
            nullable=False,
            comment="What it is called; of a group of sessions the group's name",
        ),
        sa.Column("clustering_software", NAME, nullable=False, comment="Kilosort 2, MClust, KlustaKwik, Tint, …"),
        sa.Column("curator_id", ID, autoincrement=False, nullable=True, comment="Who did the curation"),
        sa.Column("clustering_curated", MOMENT, nullable=True, comment="When it was curated, by the clock of the lab"),
        sa.Column(
            "clustering_standing",
            WORD,
            nullable=False,
            comment="Whether curator and time are inferred from files, or confirmed by a person",
        ),
        sa.Column(
            "clustering_share_id", ID, autoincrement=False, nullable=True, comment="On which share its files lie"
        ),
        sa.Column(
            "clustering_path",
            LONG,
            nullable=False,
            comment="POSIX path of its folder relative to that share, escaped as file_path is",
        ),
        sa.Column("clustering_key", PATH_KEY, nullable=False, comment="Stands for the path: first half of its SHA-256"),
        sa.Column("clustering_note", LONG, nullable=False, comment="Remark"),
        sa.Column(
            "clustering_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"
        ),
        sa.ForeignKeyConstraint(
            ["clustering_added_in"], ["catalogue_change.change_id"], name="fk_clustering_clustering_added_in"
        ),
        sa.ForeignKeyConstraint(["clustering_share_id"], ["share.share_id"], name="fk_clustering_clustering_share_id"),
        sa.ForeignKeyConstraint(["curator_id"], ["person.person_id"], name="fk_clustering_curator_id"),
        sa.PrimaryKeyConstraint("clustering_id", name="pk_clustering"),
        sa.UniqueConstraint("clustering_name", name="uq_clustering_clustering_name"),
        comment="One clustering (spike sorting): of one probe or several, of one session or several",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_index("ix_clustering_clustering_share_id", "clustering", ["clustering_share_id"], if_not_exists=True)
    op.create_index("ix_clustering_curator_id", "clustering", ["curator_id"], if_not_exists=True)
    op.create_table(
        "clustering_recording",
        sa.Column("clustering_id", ID, autoincrement=False, nullable=False, comment="Which clustering"),
        sa.Column("recording_id", ID, autoincrement=False, nullable=False, comment="Which recording"),
        sa.Column(
            "clustered_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"
        ),
        sa.ForeignKeyConstraint(
            ["clustered_added_in"], ["catalogue_change.change_id"], name="fk_clustering_recording_clustered_added_in"
        ),
        sa.ForeignKeyConstraint(
            ["clustering_id"], ["clustering.clustering_id"], name="fk_clustering_recording_clustering_id"
        ),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recording.recording_id"], name="fk_clustering_recording_recording_id"
        ),
        sa.PrimaryKeyConstraint("clustering_id", "recording_id", name="pk_clustering_recording"),
        comment="One recording that went into a clustering",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_table(
        "imaging_output",
        sa.Column("recording_id", ID, autoincrement=False, nullable=False, comment="Which recording"),
        sa.Column("imaging_software", NAME, nullable=False, comment="suite2p, …"),
        sa.Column(
            "imaging_combined",
            WORD,
            nullable=False,
            comment="yes: all recordings of the folder together; no: this one alone; '' unknown",
        ),
        sa.Column("imaging_planes", NUMBER, nullable=True, comment="Number of planes"),
        sa.Column(
            "imaging_basename",
            NAME,
            nullable=False,
            comment="Name of the recording that it is of; '' for all of the folder",
        ),
        sa.Column(
            "imaging_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"
        ),
        sa.ForeignKeyConstraint(
            ["imaging_added_in"], ["catalogue_change.change_id"], name="fk_imaging_output_imaging_added_in"
        ),
        sa.ForeignKeyConstraint(["recording_id"], ["recording.recording_id"], name="fk_imaging_output_recording_id"),
        sa.PrimaryKeyConstraint("recording_id", name="pk_imaging_output"),
        comment="One recording of kind segmentation: how it was made",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_table(
        "pose_output",
        sa.Column("recording_id", ID, autoincrement=False, nullable=False, comment="Which recording"),
        sa.Column("pose_model_id", ID, autoincrement=False, nullable=False, comment="Which model"),
        sa.Column(
            "pose_output_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"
        ),
        sa.ForeignKeyConstraint(["pose_model_id"], ["pose_model.pose_model_id"], name="fk_pose_output_pose_model_id"),
        sa.ForeignKeyConstraint(
            ["pose_output_added_in"], ["catalogue_change.change_id"], name="fk_pose_output_pose_output_added_in"
        ),
        sa.ForeignKeyConstraint(["recording_id"], ["recording.recording_id"], name="fk_pose_output_recording_id"),
        sa.PrimaryKeyConstraint("recording_id", name="pk_pose_output"),
        comment="One recording of kind pose: by which model it was made",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_index("ix_pose_output_pose_model_id", "pose_output", ["pose_model_id"], if_not_exists=True)
