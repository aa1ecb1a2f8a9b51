"""People, subjects, and what is implanted in them."""

from sqlalchemy import Date

from engram.catalogue.columns import (
    LONG,
    MOMENT,
    NAME,
    NUMBER,
    REAL,
    WORD,
    holds,
    identity,
    may_hold,
    refers,
    table,
    unique,
)

PERSON = table(
    "person",
    "One person of the lab",
    identity("person_id", "Number of the person"),
    holds("person_name", NAME, "What the person is called in the lab's files: the account's name"),
    holds("person_full_name", NAME, "First and last name"),
    holds("person_email", NAME, "Address"),
    holds("person_orcid", WORD, "ORCID iD"),
    holds("person_note", LONG, "Remark"),
    unique("person_name"),
    noun="person",
)

PROJECT = table(
    "project",
    "One project",
    identity("project_id", "Number of the project"),
    holds("project_name", NAME, "What it is called"),
    holds("project_note", LONG, "Remark"),
    unique("project_name"),
    noun="project",
)

SUBJECT = table(
    "subject",
    "One subject: an animal or a person that is recorded from",
    identity("subject_id", "Number of the subject"),
    holds("subject_name", NAME, "What it is called in the lab"),
    holds("subject_species", NAME, "Species: Mus musculus"),
    holds("subject_sex", WORD, "F, M, U (unknown) or O (other), as NWB has it; '' when nobody said"),
    may_hold("subject_born", Date(), "Date of birth"),
    may_hold("subject_died", Date(), "Date of death"),
    holds("subject_strain", NAME, "Strain, line or genotype"),
    holds("subject_source", NAME, "Where it came from: the breeder, the colony"),
    holds("subject_cage", NAME, "Cage"),
    may_hold("subject_started", Date(), "Date of its first experiment or restriction"),
    may_hold("subject_start_weight_g", REAL, "Weight on that day, in grams"),
    refers("responsible_id", "person.person_id", "Who is responsible for it", optional=True),
    holds("subject_note", LONG, "Remark"),
    unique("subject_name"),
    noun="subject",
)

SUBJECT_ALIAS = table(
    "subject_alias",
    "One more name of a subject, while it had it",
    identity("alias_id", "Number of the alias"),
    refers("subject_id", "subject.subject_id", "Whose name it is"),
    holds("alias_kind", NAME, "What kind of name: water-restriction, colony"),
    holds("alias_name", NAME, "The name"),
    may_hold("alias_from", Date(), "First day; NULL: always"),
    may_hold("alias_until", Date(), "Last day; NULL: still"),
    unique("subject_id", "alias_kind", "alias_name"),
    noun="alias",
)

PROBE = table(
    "probe",
    "One probe",
    identity("probe_id", "Number of the probe"),
    holds("probe_serial", NAME, "Serial number"),
    holds("probe_type", NAME, "Type, as its maker says: NP1010"),
    holds("probe_maker", NAME, "Who made it"),
    may_hold("probe_shanks", NUMBER, "Number of shanks"),
    holds("probe_note", LONG, "Remark"),
    unique("probe_serial"),
    noun="probe",
)

IMPLANT = table(
    "implant",
    "One probe in one subject, from its insertion to its removal",
    identity("implant_id", "Number of the implant"),
    refers("subject_id", "subject.subject_id", "In whom"),
    refers("probe_id", "probe.probe_id", "Which probe"),
    holds("implant_inserted", MOMENT, "When it was inserted, by the clock of the lab"),
    may_hold("implant_removed", MOMENT, "When it was taken out"),
    holds("implant_name", NAME, "What the lab calls it: 1, left"),
    holds("implant_note", LONG, "Remark"),
    unique("subject_id", "probe_id", "implant_inserted"),
    noun="implant",
)

IMPLANT_SITE = table(
    "implant_site",
    "Where one shank of an implant was to go, and where it is",
    identity("site_id", "Number of the site"),
    refers("implant_id", "implant.implant_id", "Of which implant"),
    holds("site_shank", NUMBER, "Which shank, from 0; -1: the whole probe"),
    holds("site_intended", NAME, "Brain area that was aimed at"),
    holds("site_actual", NAME, "Brain area that histology found"),
    may_hold("site_ap_mm", REAL, "Anterior of bregma, in mm"),
    may_hold("site_ml_mm", REAL, "Right of the midline, in mm"),
    may_hold("site_depth_um", REAL, "Depth of the tip along the shank, in µm"),
    unique("implant_id", "site_shank"),
    noun="site",
)
