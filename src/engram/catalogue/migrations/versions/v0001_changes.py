"""Who changed what: changes, edits, the counter."""

import sqlalchemy as sa
from alembic import op

from engram.catalogue.columns import ID, LONG, MOMENT, NAME, ON_MARIADB, WORD

revision = "0001"
down_revision = None


def upgrade() -> None:
    """The new tables."""
    op.create_table(
        "catalogue_change",
        sa.Column("change_id", ID, autoincrement=False, nullable=False, comment="Number of the change"),
        sa.Column("change_made", MOMENT, nullable=False, comment="When, in UTC"),
        sa.Column("change_by", NAME, nullable=False, comment="Who: the account and the machine"),
        sa.Column("change_command", NAME, nullable=False, comment="What was asked for: subjects import"),
        sa.Column(
            "change_source",
            LONG,
            nullable=False,
            comment="The file or plan that it came from, with its digest; '' when it was typed",
        ),
        sa.Column("change_why", LONG, nullable=False, comment="The reason that was given; '' for none"),
        sa.PrimaryKeyConstraint("change_id", name="pk_catalogue_change"),
        comment="One change: what one transaction did, or its part of a longer command",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_table(
        "catalogue_counter",
        sa.Column("counter_id", ID, autoincrement=False, nullable=False, comment="Always 1"),
        sa.Column("counter_next", ID, nullable=False, comment="The number that the next row gets, in whichever table"),
        sa.PrimaryKeyConstraint("counter_id", name="pk_catalogue_counter"),
        comment="The one row that gives out numbers; whoever changes the catalogue holds it meanwhile",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_table(
        "catalogue_edit",
        sa.Column(
            "edit_id", ID, autoincrement=False, nullable=False, comment="Number of the edit; a later one is higher"
        ),
        sa.Column("change_id", ID, autoincrement=False, nullable=False, comment="The change that it is part of"),
        sa.Column("edit_table", WORD, nullable=False, comment="The table that the row is or was in"),
        sa.Column(
            "edit_row",
            NAME,
            nullable=False,
            comment="The row's number; of a row that has two, both with a space between",
        ),
        sa.Column("edit_action", WORD, nullable=False, comment="edit or remove"),
        sa.Column(
            "edit_was",
            LONG,
            nullable=False,
            comment="What the row held before, as JSON: of an edit the columns that changed, else all",
        ),
        sa.Column(
            "edit_now",
            LONG,
            nullable=False,
            comment="What the columns that changed hold since, as JSON; '' of a row that was removed",
        ),
        sa.ForeignKeyConstraint(["change_id"], ["catalogue_change.change_id"], name="fk_catalogue_edit_change_id"),
        sa.PrimaryKeyConstraint("edit_id", name="pk_catalogue_edit"),
        comment="One row that was changed or removed: what it held before",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_index("ix_catalogue_edit_change_id", "catalogue_edit", ["change_id"], if_not_exists=True)
    op.create_index("ix_catalogue_edit_edit_table", "catalogue_edit", ["edit_table", "edit_row"], if_not_exists=True)
