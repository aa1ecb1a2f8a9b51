"""People, subjects, probes and implants."""

import sqlalchemy as sa
from alembic import op

from engram.catalogue.columns import ID, LONG, MOMENT, NAME, NUMBER, ON_MARIADB, REAL, WORD

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """The new tables."""
    op.create_table(
        "person",
        sa.Column("person_id", ID, autoincrement=False, nullable=False, comment="Number of the person"),
        sa.Column(
            "person_name",
            NAME,
            nullable=False,
            comment="What the person is called in the lab's files: the account's name",
        ),
        sa.Column("person_full_name", NAME, nullable=False, comment="First and last name"),
        sa.Column("person_email", NAME, nullable=False, comment="Address"),
        sa.Column("person_orcid", WORD, nullable=False, comment="ORCID iD"),
        sa.Column("person_note", LONG, nullable=False, comment="Remark"),
        sa.Column("person_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"),
        sa.ForeignKeyConstraint(["person_added_in"], ["catalogue_change.change_id"], name="fk_person_person_added_in"),
        sa.PrimaryKeyConstraint("person_id", name="pk_person"),
        sa.UniqueConstraint("person_name", name="uq_person_person_name"),
        comment="One person of the lab",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_table(
        "probe",
        sa.Column("probe_id", ID, autoincrement=False, nullable=False, comment="Number of the probe"),
        sa.Column("probe_serial", NAME, nullable=False, comment="Serial number"),
        sa.Column("probe_type", NAME, nullable=False, comment="Type, as its maker says: NP1010"),
        sa.Column("probe_maker", NAME, nullable=False, comment="Who made it"),
        sa.Column("probe_shanks", NUMBER, nullable=True, comment="Number of shanks"),
        sa.Column("probe_note", LONG, nullable=False, comment="Remark"),
        sa.Column("probe_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"),
        sa.ForeignKeyConstraint(["probe_added_in"], ["catalogue_change.change_id"], name="fk_probe_probe_added_in"),
        sa.PrimaryKeyConstraint("probe_id", name="pk_probe"),
        sa.UniqueConstraint("probe_serial", name="uq_probe_probe_serial"),
        comment="One probe",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_table(
        "project",
        sa.Column("project_id", ID, autoincrement=False, nullable=False, comment="Number of the project"),
        sa.Column("project_name", NAME, nullable=False, comment="What it is called"),
        sa.Column("project_note", LONG, nullable=False, comment="Remark"),
        sa.Column(
            "project_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"
        ),
        sa.ForeignKeyConstraint(
            ["project_added_in"], ["catalogue_change.change_id"], name="fk_project_project_added_in"
        ),
        sa.PrimaryKeyConstraint("project_id", name="pk_project"),
        sa.UniqueConstraint("project_name", name="uq_project_project_name"),
        comment="One project",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_table(
        "subject",
        sa.Column("subject_id", ID, autoincrement=False, nullable=False, comment="Number of the subject"),
        sa.Column("subject_name", NAME, nullable=False, comment="What it is called in the lab"),
        sa.Column("subject_species", NAME, nullable=False, comment="Species: Mus musculus"),
        sa.Column(
            "subject_sex",
            WORD,
            nullable=False,
            comment="F, M, U (unknown) or O (other), as NWB has it; '' when nobody said",
        ),
        sa.Column("subject_born", sa.Date(), nullable=True, comment="Date of birth"),
        sa.Column("subject_died", sa.Date(), nullable=True, comment="Date of death"),
        sa.Column("subject_strain", NAME, nullable=False, comment="Strain, line or genotype"),
        sa.Column("subject_source", NAME, nullable=False, comment="Where it came from: the breeder, the colony"),
        sa.Column("subject_cage", NAME, nullable=False, comment="Cage"),
        sa.Column("subject_started", sa.Date(), nullable=True, comment="Date of its first experiment or restriction"),
        sa.Column("subject_start_weight_g", REAL, nullable=True, comment="Weight on that day, in grams"),
        sa.Column("responsible_id", ID, autoincrement=False, nullable=True, comment="Who is responsible for it"),
        sa.Column("subject_note", LONG, nullable=False, comment="Remark"),
        sa.Column(
            "subject_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"
        ),
        sa.ForeignKeyConstraint(["responsible_id"], ["person.person_id"], name="fk_subject_responsible_id"),
        sa.ForeignKeyConstraint(
            ["subject_added_in"], ["catalogue_change.change_id"], name="fk_subject_subject_added_in"
        ),
        sa.PrimaryKeyConstraint("subject_id", name="pk_subject"),
        sa.UniqueConstraint("subject_name", name="uq_subject_subject_name"),
        comment="One subject: an animal or a person that is recorded from",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_index("ix_subject_responsible_id", "subject", ["responsible_id"], if_not_exists=True)
    op.create_table(
        "implant",
        sa.Column("implant_id", ID, autoincrement=False, nullable=False, comment="Number of the implant"),
        sa.Column("subject_id", ID, autoincrement=False, nullable=False, comment="In whom"),
        sa.Column("probe_id", ID, autoincrement=False, nullable=False, comment="Which probe"),
        sa.Column("implant_inserted", MOMENT, nullable=False, comment="When it was inserted, by the clock of the lab"),
        sa.Column("implant_removed", MOMENT, nullable=True, comment="When it was taken out"),
        sa.Column("implant_name", NAME, nullable=False, comment="What the lab calls it: 1, left"),
        sa.Column("implant_note", LONG, nullable=False, comment="Remark"),
        sa.Column(
            "implant_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"
        ),
        sa.ForeignKeyConstraint(
            ["implant_added_in"], ["catalogue_change.change_id"], name="fk_implant_implant_added_in"
        ),
        sa.ForeignKeyConstraint(["probe_id"], ["probe.probe_id"], name="fk_implant_probe_id"),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.subject_id"], name="fk_implant_subject_id"),
        sa.PrimaryKeyConstraint("implant_id", name="pk_implant"),
        sa.UniqueConstraint(
            "subject_id", "probe_id", "implant_inserted", name="uq_implant_subject_id_probe_id_implant_inserted"
        ),
        comment="One probe in one subject, from its insertion to its removal",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_index("ix_implant_probe_id", "implant", ["probe_id"], if_not_exists=True)
    op.create_table(
        "subject_alias",
        sa.Column("alias_id", ID, autoincrement=False, nullable=False, comment="Number of the alias"),
        sa.Column("subject_id", ID, autoincrement=False, nullable=False, comment="Whose name it is"),
        sa.Column("alias_kind", NAME, nullable=False, comment="What kind of name: water-restriction, colony"),
        sa.Column("alias_name", NAME, nullable=False, comment="The name"),
        sa.Column("alias_from", sa.Date(), nullable=True, comment="First day; NULL: always"),
        sa.Column("alias_until", sa.Date(), nullable=True, comment="Last day; NULL: still"),
        sa.Column("alias_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"),
        sa.ForeignKeyConstraint(
            ["alias_added_in"], ["catalogue_change.change_id"], name="fk_subject_alias_alias_added_in"
        ),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.subject_id"], name="fk_subject_alias_subject_id"),
        sa.PrimaryKeyConstraint("alias_id", name="pk_subject_alias"),
        sa.UniqueConstraint(
            "subject_id", "alias_kind", "alias_name", name="uq_subject_alias_subject_id_alias_kind_alias_name"
        ),
        comment="One more name of a subject, while it had it",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_table(
        "implant_site",
        sa.Column("site_id", ID, autoincrement=False, nullable=False, comment="Number of the site"),
        sa.Column("implant_id", ID, autoincrement=False, nullable=False, comment="Of which implant"),
        sa.Column("site_shank", NUMBER, nullable=False, comment="Which shank, from 0; -1: the whole probe"),
        sa.Column("site_intended", NAME, nullable=False, comment="Brain area that was aimed at"),
        sa.Column("site_actual", NAME, nullable=False, comment="Brain area that histology found"),
        sa.Column("site_ap_mm", REAL, nullable=True, comment="Anterior of bregma, in mm"),
        sa.Column("site_ml_mm", REAL, nullable=True, comment="Right of the midline, in mm"),
        sa.Column("site_depth_um", REAL, nullable=True, comment="Depth of the tip along the shank, in µm"),
        sa.Column("site_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"),
        sa.ForeignKeyConstraint(["implant_id"], ["implant.implant_id"], name="fk_implant_site_implant_id"),
        sa.ForeignKeyConstraint(
            ["site_added_in"], ["catalogue_change.change_id"], name="fk_implant_site_site_added_in"
        ),
        sa.PrimaryKeyConstraint("site_id", name="pk_implant_site"),
        sa.UniqueConstraint("implant_id", "site_shank", name="uq_implant_site_implant_id_site_shank"),
        comment="Where one shank of an implant was to go, and where it is",
        if_not_exists=True,
        **ON_MARIADB,
    )
