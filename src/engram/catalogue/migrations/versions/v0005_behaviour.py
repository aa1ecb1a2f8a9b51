"""Tasks and where they were done."""

import sqlalchemy as sa
from alembic import op

from engram.catalogue.columns import ID, LONG, NAME, ON_MARIADB, REAL, WORD

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """The new tables."""
    op.create_table(
        "apparatus",
        sa.Column("apparatus_id", ID, autoincrement=False, nullable=False, comment="Number of the apparatus"),
        sa.Column("apparatus_name", NAME, nullable=False, comment="What it is called"),
        sa.Column("apparatus_note", LONG, nullable=False, comment="Remark"),
        sa.Column(
            "apparatus_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"
        ),
        sa.ForeignKeyConstraint(
            ["apparatus_added_in"], ["catalogue_change.change_id"], name="fk_apparatus_apparatus_added_in"
        ),
        sa.PrimaryKeyConstraint("apparatus_id", name="pk_apparatus"),
        sa.UniqueConstraint("apparatus_name", name="uq_apparatus_apparatus_name"),
        comment="One apparatus: box, maze, wheel, head-fixed rig",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_table(
        "light",
        sa.Column("light_id", ID, autoincrement=False, nullable=False, comment="Number of the setting"),
        sa.Column("light_name", NAME, nullable=False, comment="What it is called: dark, dim"),
        sa.Column("light_lux", REAL, nullable=True, comment="Illuminance in lux"),
        sa.Column("light_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"),
        sa.ForeignKeyConstraint(["light_added_in"], ["catalogue_change.change_id"], name="fk_light_light_added_in"),
        sa.PrimaryKeyConstraint("light_id", name="pk_light"),
        sa.UniqueConstraint("light_name", name="uq_light_light_name"),
        comment="One setting of the light",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_table(
        "stimulus_object",
        sa.Column("object_id", ID, autoincrement=False, nullable=False, comment="Number of the object"),
        sa.Column("object_name", NAME, nullable=False, comment="What it is called"),
        sa.Column("object_note", LONG, nullable=False, comment="Remark"),
        sa.Column("object_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"),
        sa.ForeignKeyConstraint(
            ["object_added_in"], ["catalogue_change.change_id"], name="fk_stimulus_object_object_added_in"
        ),
        sa.PrimaryKeyConstraint("object_id", name="pk_stimulus_object"),
        sa.UniqueConstraint("object_name", name="uq_stimulus_object_object_name"),
        comment="One object, cue card or curtain that can stand in an arena",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_table(
        "arena",
        sa.Column("arena_id", ID, autoincrement=False, nullable=False, comment="Number of the arena"),
        sa.Column("arena_name", NAME, nullable=False, comment="What it is called"),
        sa.Column("apparatus_id", ID, autoincrement=False, nullable=True, comment="Which apparatus"),
        sa.Column("arena_note", LONG, nullable=False, comment="Remark: size, walls, cue cards"),
        sa.Column("arena_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"),
        sa.ForeignKeyConstraint(["apparatus_id"], ["apparatus.apparatus_id"], name="fk_arena_apparatus_id"),
        sa.ForeignKeyConstraint(["arena_added_in"], ["catalogue_change.change_id"], name="fk_arena_arena_added_in"),
        sa.PrimaryKeyConstraint("arena_id", name="pk_arena"),
        sa.UniqueConstraint("arena_name", name="uq_arena_arena_name"),
        comment="One arena: an apparatus as it was set up, with its size and cues",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_index("ix_arena_apparatus_id", "arena", ["apparatus_id"], if_not_exists=True)
    op.create_table(
        "task",
        sa.Column("task_id", ID, autoincrement=False, nullable=False, comment="Number of the task"),
        sa.Column("session_id", ID, autoincrement=False, nullable=False, comment="In which session"),
        sa.Column("task_name", NAME, nullable=False, comment="What it is called: open_field_1"),
        sa.Column("task_type", NAME, nullable=False, comment="Of which type it is: RUNNING; '' when nobody said"),
        sa.Column(
            "task_start_s", REAL, nullable=False, comment="When it began, in seconds from the start of the session"
        ),
        sa.Column("task_stop_s", REAL, nullable=True, comment="When it ended; NULL: nothing says so"),
        sa.Column("task_standing", WORD, nullable=False, comment="inferred from files, or confirmed by a person"),
        sa.Column("arena_id", ID, autoincrement=False, nullable=True, comment="In which arena"),
        sa.Column("light_id", ID, autoincrement=False, nullable=True, comment="In which light"),
        sa.Column("task_note", LONG, nullable=False, comment="Remark"),
        sa.Column("task_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"),
        sa.ForeignKeyConstraint(["arena_id"], ["arena.arena_id"], name="fk_task_arena_id"),
        sa.ForeignKeyConstraint(["light_id"], ["light.light_id"], name="fk_task_light_id"),
        sa.ForeignKeyConstraint(["session_id"], ["session.session_id"], name="fk_task_session_id"),
        sa.ForeignKeyConstraint(["task_added_in"], ["catalogue_change.change_id"], name="fk_task_task_added_in"),
        sa.PrimaryKeyConstraint("task_id", name="pk_task"),
        sa.UniqueConstraint("session_id", "task_start_s", name="uq_task_session_id_task_start_s"),
        comment="One task: what the subject did in a part of a session",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_index("ix_task_arena_id", "task", ["arena_id"], if_not_exists=True)
    op.create_index("ix_task_light_id", "task", ["light_id"], if_not_exists=True)
    op.create_table(
        "task_object",
        sa.Column("placement_id", ID, autoincrement=False, nullable=False, comment="Number of the placement"),
        sa.Column("task_id", ID, autoincrement=False, nullable=False, comment="In which task"),
        sa.Column("object_id", ID, autoincrement=False, nullable=False, comment="Which object"),
        sa.Column("placement_where", NAME, nullable=False, comment="Where it stood"),
        sa.Column(
            "placement_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"
        ),
        sa.ForeignKeyConstraint(["object_id"], ["stimulus_object.object_id"], name="fk_task_object_object_id"),
        sa.ForeignKeyConstraint(
            ["placement_added_in"], ["catalogue_change.change_id"], name="fk_task_object_placement_added_in"
        ),
        sa.ForeignKeyConstraint(["task_id"], ["task.task_id"], name="fk_task_object_task_id"),
        sa.PrimaryKeyConstraint("placement_id", name="pk_task_object"),
        sa.UniqueConstraint(
            "task_id", "object_id", "placement_where", name="uq_task_object_task_id_object_id_placement_where"
        ),
        comment="One object in a task",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_index("ix_task_object_object_id", "task_object", ["object_id"], if_not_exists=True)
