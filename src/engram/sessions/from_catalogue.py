"""What a plan compares with, read from the catalogue in one go."""

from engram.catalogue.known import excluded, known_sessions, waived
from engram.catalogue.opening import Catalogue
from engram.catalogue.subjects import names_of_subjects
from engram.sessions.known import Known


def known_of(catalogue: Catalogue) -> Known:
    """Everything that the catalogue knows of subjects and sessions. Memory grows with all their files."""
    with catalogue.reading() as connection:
        return Known(
            subjects=names_of_subjects(connection),
            sessions={known.session.id: known for known in known_sessions(connection)},
            waived=waived(connection),
            excluded=excluded(connection),
        )
