"""Who changed what, when, from where: nothing in the catalogue is without it, and nothing that was in it is lost."""

from sqlalchemy import Column, Index, Table

from engram.catalogue.columns import (
    ID,
    LONG,
    METADATA,
    MOMENT,
    NAME,
    ON_MARIADB,
    WORD,
    holds,
    identity,
    refers,
)

CHANGE = Table(
    "catalogue_change",
    METADATA,
    identity("change_id", "Number of the change"),
    holds("change_made", MOMENT, "When, in UTC"),
    holds("change_by", NAME, "Who: the account and the machine"),
    holds("change_command", NAME, "What was asked for: subjects import"),
    holds("change_source", LONG, "The file or plan that it came from, with its digest; '' when it was typed"),
    holds("change_why", LONG, "The reason that was given; '' for none"),
    comment="One change: what one transaction did, or its part of a longer command",
    **ON_MARIADB,
)

EDIT = Table(
    "catalogue_edit",
    METADATA,
    identity("edit_id", "Number of the edit; a later one is higher"),
    refers("change_id", "catalogue_change.change_id", "The change that it is part of"),
    holds("edit_table", WORD, "The table that the row is or was in"),
    holds("edit_row", NAME, "The row's number; of a row that has two, both with a space between"),
    holds("edit_action", WORD, "edit or remove"),
    holds("edit_was", LONG, "What the row held before, as JSON: of an edit the columns that changed, else all"),
    holds("edit_now", LONG, "What the columns that changed hold since, as JSON; '' of a row that was removed"),
    Index(None, "edit_table", "edit_row"),
    Index(None, "change_id"),
    comment="One row that was changed or removed: what it held before",
    **ON_MARIADB,
)

#: Read and written by every change: it gives out numbers, and one change waits here for another.
COUNTER = Table(
    "catalogue_counter",
    METADATA,
    Column("counter_id", ID, primary_key=True, autoincrement=False, comment="Always 1"),
    holds("counter_next", ID, "The number that the next row gets, in whichever table"),
    comment="The one row that gives out numbers; whoever changes the catalogue holds it meanwhile",
    **ON_MARIADB,
)
