"""Sessions, and what they are grouped by."""

import sqlalchemy as sa
from alembic import op

from engram.catalogue.columns import ID, LONG, MOMENT, NAME, NUMBER, ON_MARIADB, PATH_KEY, WORD

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """The new tables."""
    op.create_table(
        "rig",
        sa.Column("rig_id", ID, autoincrement=False, nullable=False, comment="Number of the rig"),
        sa.Column("rig_name", NAME, nullable=False, comment="What it is called"),
        sa.Column("rig_note", LONG, nullable=False, comment="Remark"),
        sa.Column("rig_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"),
        sa.ForeignKeyConstraint(["rig_added_in"], ["catalogue_change.change_id"], name="fk_rig_rig_added_in"),
        sa.PrimaryKeyConstraint("rig_id", name="pk_rig"),
        sa.UniqueConstraint("rig_name", name="uq_rig_rig_name"),
        comment="One rig",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_table(
        "room",
        sa.Column("room_id", ID, autoincrement=False, nullable=False, comment="Number of the room"),
        sa.Column("room_name", NAME, nullable=False, comment="What it is called"),
        sa.Column("room_note", LONG, nullable=False, comment="Remark"),
        sa.Column("room_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"),
        sa.ForeignKeyConstraint(["room_added_in"], ["catalogue_change.change_id"], name="fk_room_room_added_in"),
        sa.PrimaryKeyConstraint("room_id", name="pk_room"),
        sa.UniqueConstraint("room_name", name="uq_room_room_name"),
        comment="One room of the lab",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_table(
        "session_group",
        sa.Column("group_id", ID, autoincrement=False, nullable=False, comment="Number of the group"),
        sa.Column("group_name", NAME, nullable=False, comment="What it is called"),
        sa.Column("group_note", LONG, nullable=False, comment="Remark"),
        sa.Column("group_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"),
        sa.ForeignKeyConstraint(
            ["group_added_in"], ["catalogue_change.change_id"], name="fk_session_group_group_added_in"
        ),
        sa.PrimaryKeyConstraint("group_id", name="pk_session_group"),
        sa.UniqueConstraint("group_name", name="uq_session_group_group_name"),
        comment="One group of sessions: a cohort, a data set, anything",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_table(
        "share",
        sa.Column("share_id", ID, autoincrement=False, nullable=False, comment="Number of the share"),
        sa.Column("share_name", NAME, nullable=False, comment="What the lab's engram.toml calls it"),
        sa.Column("share_root", LONG, nullable=False, comment="Where it was mounted last"),
        sa.Column("share_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"),
        sa.ForeignKeyConstraint(["share_added_in"], ["catalogue_change.change_id"], name="fk_share_share_added_in"),
        sa.PrimaryKeyConstraint("share_id", name="pk_share"),
        sa.UniqueConstraint("share_name", name="uq_share_share_name"),
        comment="One share (repository): a place where files lie, wherever it is mounted",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_table(
        "tag",
        sa.Column("tag_id", ID, autoincrement=False, nullable=False, comment="Number of the tag"),
        sa.Column("tag_name", NAME, nullable=False, comment="The tag"),
        sa.Column("tag_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"),
        sa.ForeignKeyConstraint(["tag_added_in"], ["catalogue_change.change_id"], name="fk_tag_tag_added_in"),
        sa.PrimaryKeyConstraint("tag_id", name="pk_tag"),
        sa.UniqueConstraint("tag_name", name="uq_tag_tag_name"),
        comment="One tag",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_table(
        "session",
        sa.Column("session_id", ID, autoincrement=False, nullable=False, comment="Number of the session"),
        sa.Column(
            "session_name",
            NAME,
            nullable=False,
            comment="Its id in commands: 12347/2020-01-01T10-00-30, SC033/2019-11-12_surface",
        ),
        sa.Column("subject_id", ID, autoincrement=False, nullable=False, comment="Who was recorded from"),
        sa.Column("session_date", sa.Date(), nullable=False, comment="Day on which it began, by the clock of the rig"),
        sa.Column(
            "session_started",
            MOMENT,
            nullable=True,
            comment="When it began, by the clock of the rig; NULL: only the day is known",
        ),
        sa.Column(
            "session_utc_offset_s",
            NUMBER,
            nullable=True,
            comment="That clock minus UTC, in seconds; NULL: nobody said which zone it shows",
        ),
        sa.Column(
            "session_ident",
            NAME,
            nullable=False,
            comment="Which of several of a day, in the words of the folder's name",
        ),
        sa.Column("room_id", ID, autoincrement=False, nullable=True, comment="Where"),
        sa.Column("rig_id", ID, autoincrement=False, nullable=True, comment="At which rig"),
        sa.Column("session_note", LONG, nullable=False, comment="Remark"),
        sa.Column(
            "session_touched_in",
            ID,
            autoincrement=False,
            nullable=False,
            comment="The last change of it or of what belongs to it",
        ),
        sa.Column(
            "session_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"
        ),
        sa.ForeignKeyConstraint(["rig_id"], ["rig.rig_id"], name="fk_session_rig_id"),
        sa.ForeignKeyConstraint(["room_id"], ["room.room_id"], name="fk_session_room_id"),
        sa.ForeignKeyConstraint(
            ["session_added_in"], ["catalogue_change.change_id"], name="fk_session_session_added_in"
        ),
        sa.ForeignKeyConstraint(
            ["session_touched_in"], ["catalogue_change.change_id"], name="fk_session_session_touched_in"
        ),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.subject_id"], name="fk_session_subject_id"),
        sa.PrimaryKeyConstraint("session_id", name="pk_session"),
        sa.UniqueConstraint("session_name", name="uq_session_session_name"),
        comment="One session: one visit of one subject",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_index("ix_session_rig_id", "session", ["rig_id"], if_not_exists=True)
    op.create_index("ix_session_room_id", "session", ["room_id"], if_not_exists=True)
    op.create_index("ix_session_session_touched_in", "session", ["session_touched_in"], if_not_exists=True)
    op.create_index("ix_session_subject_id", "session", ["subject_id"], if_not_exists=True)
    op.create_table(
        "group_member",
        sa.Column("session_id", ID, autoincrement=False, nullable=False, comment="Which session"),
        sa.Column("group_id", ID, autoincrement=False, nullable=False, comment="Which group"),
        sa.Column("member_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"),
        sa.ForeignKeyConstraint(["group_id"], ["session_group.group_id"], name="fk_group_member_group_id"),
        sa.ForeignKeyConstraint(
            ["member_added_in"], ["catalogue_change.change_id"], name="fk_group_member_member_added_in"
        ),
        sa.ForeignKeyConstraint(["session_id"], ["session.session_id"], name="fk_group_member_session_id"),
        sa.PrimaryKeyConstraint("session_id", "group_id", name="pk_group_member"),
        comment="One session in a group",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_table(
        "session_experimenter",
        sa.Column("session_id", ID, autoincrement=False, nullable=False, comment="Which session"),
        sa.Column("person_id", ID, autoincrement=False, nullable=False, comment="Who"),
        sa.Column(
            "experimenter_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"
        ),
        sa.ForeignKeyConstraint(
            ["experimenter_added_in"],
            ["catalogue_change.change_id"],
            name="fk_session_experimenter_experimenter_added_in",
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.person_id"], name="fk_session_experimenter_person_id"),
        sa.ForeignKeyConstraint(["session_id"], ["session.session_id"], name="fk_session_experimenter_session_id"),
        sa.PrimaryKeyConstraint("session_id", "person_id", name="pk_session_experimenter"),
        comment="One person who took part in a session",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_table(
        "session_folder",
        sa.Column("folder_id", ID, autoincrement=False, nullable=False, comment="Number of the folder"),
        sa.Column("session_id", ID, autoincrement=False, nullable=False, comment="Of which session"),
        sa.Column("share_id", ID, autoincrement=False, nullable=False, comment="On which share"),
        sa.Column(
            "folder_path", LONG, nullable=False, comment="POSIX path relative to the share, escaped as file_path is"
        ),
        sa.Column(
            "folder_key",
            PATH_KEY,
            nullable=False,
            comment="Stands for the path in the constraint: first half of its SHA-256",
        ),
        sa.Column("folder_state", WORD, nullable=False, comment="there, or gone: it was there once"),
        sa.Column("folder_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"),
        sa.ForeignKeyConstraint(
            ["folder_added_in"], ["catalogue_change.change_id"], name="fk_session_folder_folder_added_in"
        ),
        sa.ForeignKeyConstraint(["session_id"], ["session.session_id"], name="fk_session_folder_session_id"),
        sa.ForeignKeyConstraint(["share_id"], ["share.share_id"], name="fk_session_folder_share_id"),
        sa.PrimaryKeyConstraint("folder_id", name="pk_session_folder"),
        sa.UniqueConstraint(
            "session_id", "share_id", "folder_key", name="uq_session_folder_session_id_share_id_folder_key"
        ),
        comment="One folder that holds files of a session; several when there are copies",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_index("ix_session_folder_share_id", "session_folder", ["share_id"], if_not_exists=True)
    op.create_table(
        "session_project",
        sa.Column("session_id", ID, autoincrement=False, nullable=False, comment="Which session"),
        sa.Column("project_id", ID, autoincrement=False, nullable=False, comment="Which project"),
        sa.Column(
            "session_project_added_in",
            ID,
            autoincrement=False,
            nullable=False,
            comment="The change that added this row",
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.project_id"], name="fk_session_project_project_id"),
        sa.ForeignKeyConstraint(["session_id"], ["session.session_id"], name="fk_session_project_session_id"),
        sa.ForeignKeyConstraint(
            ["session_project_added_in"],
            ["catalogue_change.change_id"],
            name="fk_session_project_session_project_added_in",
        ),
        sa.PrimaryKeyConstraint("session_id", "project_id", name="pk_session_project"),
        comment="One project that a session is for",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_table(
        "session_tag",
        sa.Column("session_id", ID, autoincrement=False, nullable=False, comment="Which session"),
        sa.Column("tag_id", ID, autoincrement=False, nullable=False, comment="Which tag"),
        sa.Column(
            "session_tag_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"
        ),
        sa.ForeignKeyConstraint(["session_id"], ["session.session_id"], name="fk_session_tag_session_id"),
        sa.ForeignKeyConstraint(
            ["session_tag_added_in"], ["catalogue_change.change_id"], name="fk_session_tag_session_tag_added_in"
        ),
        sa.ForeignKeyConstraint(["tag_id"], ["tag.tag_id"], name="fk_session_tag_tag_id"),
        sa.PrimaryKeyConstraint("session_id", "tag_id", name="pk_session_tag"),
        comment="One tag on a session",
        if_not_exists=True,
        **ON_MARIADB,
    )
