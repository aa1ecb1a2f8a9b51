"""Which synapses a neuPrint database counts, and which of them it holds.

Two settings narrow it. The first leaves synapses out altogether. The second keeps those bodies that have a synapse in a
ROI set, counts all of their synapses, but holds only those within.

Source: flyem-snapshot, ``flyem_snapshot/outputs/neuprint/neuprint.py``
"""

from dataclasses import dataclass

from engram.connectome.engine import Work
from engram.connectome.sql import UNSPECIFIED, name, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Tables of points and partners, quoted: ``counted`` for totals of bodies, ``held`` for nodes and edges."""

    counted_point: str
    counted_partner: str
    held_point: str
    held_partner: str
    #: A condition on ``body``: which bodies are in the database.
    bodies: str


def make_scope(work: Work, *, totals: str, connectivity: str) -> Scope:
    """Make the tables of a scope: *totals* and *connectivity* are ROI sets, or '' for no restriction. Body 0 is out."""
    work.view("info partner", f"SELECT * FROM partner WHERE body_pre <> 0 AND body_post <> 0{_within(totals)}")
    if not totals:
        work.view("info point", "SELECT * FROM point WHERE body <> 0")
    else:
        _points_of(work, "info point", "info partner")
    if not connectivity:
        point, partner = name("info point"), name("info partner")
        return Scope(
            counted_point=point, counted_partner=partner, held_point=point, held_partner=partner, bodies="true"
        )
    work.make("inside partner", f'SELECT * FROM "info partner" WHERE true{_within(connectivity)} ORDER BY ALL')
    work.make(
        "inside body",
        'SELECT DISTINCT body FROM (SELECT body_pre AS body FROM "inside partner" UNION ALL'
        ' SELECT body_post FROM "inside partner") ORDER BY body',
    )
    inside = 'IN (SELECT body FROM "inside body")'
    work.make(
        "touching partner",
        f'SELECT * FROM "info partner" WHERE body_pre {inside} OR body_post {inside} ORDER BY ALL',
    )
    _points_of(work, "touching point", "touching partner")
    _points_of(work, "inside point", "inside partner")
    return Scope(
        counted_point=name("touching point"),
        counted_partner=name("touching partner"),
        held_point=name("inside point"),
        held_partner=name("inside partner"),
        bodies=f"body {inside}",
    )


def _within(roiset: str) -> str:
    return f" AND {name(roiset)} <> {text(UNSPECIFIED)}" if roiset else ""


def _points_of(work: Work, table: str, partner: str) -> None:
    ids = f"SELECT pre_id FROM {name(partner)} UNION ALL SELECT post_id FROM {name(partner)}"
    work.make(table, f"SELECT * FROM point WHERE body <> 0 AND point_id IN ({ids}) ORDER BY body, point_id")
