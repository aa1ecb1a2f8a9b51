"""Every table of the catalogue, described well enough to be its own documentation."""

from sqlalchemy import MetaData

from engram.catalogue.columns import METADATA
from engram.catalogue.tables import animals, behaviour, changes, outputs, recordings, sessions

#: The groups of tables, in the order in which they are explained and made.
GROUPS = (changes, animals, sessions, recordings, behaviour, outputs)


def whole_schema() -> MetaData:
    """All tables: whoever asks here has them declared."""
    return METADATA
