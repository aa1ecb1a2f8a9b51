"""Recordings, their files, and what is wrong with them."""

import sqlalchemy as sa
from alembic import op

from engram.catalogue.columns import COUNT, DIGEST, ID, LONG, MOMENT, NAME, NUMBER, ON_MARIADB, PATH_KEY, REAL, WORD

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """The new tables."""
    op.create_table(
        "exclusion",
        sa.Column("exclusion_id", ID, autoincrement=False, nullable=False, comment="Number of the exclusion"),
        sa.Column(
            "exclusion_pattern",
            LONG,
            nullable=False,
            comment="The pattern, or the id of a session or recording, or SHARE:FOLDER",
        ),
        sa.Column(
            "exclusion_key",
            PATH_KEY,
            nullable=False,
            comment="Stands for the pattern in the constraint: first half of its SHA-256",
        ),
        sa.Column("exclusion_why", LONG, nullable=False, comment="Why it is left out"),
        sa.Column(
            "exclusion_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"
        ),
        sa.ForeignKeyConstraint(
            ["exclusion_added_in"], ["catalogue_change.change_id"], name="fk_exclusion_exclusion_added_in"
        ),
        sa.PrimaryKeyConstraint("exclusion_id", name="pk_exclusion"),
        sa.UniqueConstraint("exclusion_key", name="uq_exclusion_exclusion_key"),
        comment="One pattern of paths, or one item, that is not ingested",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_table(
        "waiver",
        sa.Column("waiver_id", ID, autoincrement=False, nullable=False, comment="Number of the waiver"),
        sa.Column("waiver_item", NAME, nullable=False, comment="Id of the session or recording"),
        sa.Column("waiver_code", WORD, nullable=False, comment="Which kind of finding"),
        sa.Column("waiver_why", LONG, nullable=False, comment="Why it does not matter"),
        sa.Column("waiver_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"),
        sa.ForeignKeyConstraint(["waiver_added_in"], ["catalogue_change.change_id"], name="fk_waiver_waiver_added_in"),
        sa.PrimaryKeyConstraint("waiver_id", name="pk_waiver"),
        sa.UniqueConstraint("waiver_item", "waiver_code", name="uq_waiver_waiver_item_waiver_code"),
        comment="One kind of finding that somebody has looked at and accepted, in one session or recording",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_table(
        "file",
        sa.Column("file_id", ID, autoincrement=False, nullable=False, comment="Number of the file"),
        sa.Column("session_id", ID, autoincrement=False, nullable=False, comment="To which session it belongs"),
        sa.Column("share_id", ID, autoincrement=False, nullable=False, comment="On which share it lies"),
        sa.Column(
            "file_path",
            LONG,
            nullable=False,
            comment="POSIX path relative to the share; a backslash is two, a byte that is not UTF-8 is \\xff",
        ),
        sa.Column(
            "file_key",
            PATH_KEY,
            nullable=False,
            comment="Stands for the path in the constraint: first half of its SHA-256",
        ),
        sa.Column("file_size_bytes", COUNT, nullable=True, comment="Its size"),
        sa.Column(
            "file_mtime_ns", COUNT, nullable=True, comment="When it was written last, in nanoseconds since 1970, UTC"
        ),
        sa.Column("file_state", WORD, nullable=False, comment="there, or gone: it was there once"),
        sa.Column("file_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"),
        sa.ForeignKeyConstraint(["file_added_in"], ["catalogue_change.change_id"], name="fk_file_file_added_in"),
        sa.ForeignKeyConstraint(["session_id"], ["session.session_id"], name="fk_file_session_id"),
        sa.ForeignKeyConstraint(["share_id"], ["share.share_id"], name="fk_file_share_id"),
        sa.PrimaryKeyConstraint("file_id", name="pk_file"),
        sa.UniqueConstraint("share_id", "file_key", name="uq_file_share_id_file_key"),
        comment="One file on a share",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_index("ix_file_session_id", "file", ["session_id"], if_not_exists=True)
    op.create_table(
        "recording",
        sa.Column("recording_id", ID, autoincrement=False, nullable=False, comment="Number of the recording"),
        sa.Column("session_id", ID, autoincrement=False, nullable=False, comment="In which session"),
        sa.Column(
            "recording_name", NAME, nullable=False, comment="Its identity, wherever its files lie: the id in commands"
        ),
        sa.Column("recording_kind", WORD, nullable=False, comment="neuropixels-ap, imaging, video, …"),
        sa.Column("recording_device", NAME, nullable=False, comment="imec0, nidq, the camera's name, …"),
        sa.Column(
            "recording_serial",
            NAME,
            nullable=False,
            comment="Serial number of the probe or camera; '' where the format has none",
        ),
        sa.Column("recording_started", MOMENT, nullable=True, comment="When it began, by the clock of the rig"),
        sa.Column(
            "recording_utc_offset_s",
            NUMBER,
            nullable=True,
            comment="That clock minus UTC, in seconds; NULL: its files do not say",
        ),
        sa.Column("recording_duration_s", REAL, nullable=True, comment="Its length in seconds"),
        sa.Column("recording_rate_hz", REAL, nullable=True, comment="Sampling rate in Hz"),
        sa.Column("recording_channels", NUMBER, nullable=True, comment="Number of channels"),
        sa.Column(
            "recording_samples",
            COUNT,
            nullable=True,
            comment="Samples per channel, or frames, as its metadata declares them",
        ),
        sa.Column("recording_size_bytes", COUNT, nullable=True, comment="Size of its files together"),
        sa.Column(
            "recording_sha1", DIGEST, nullable=False, comment="SHA-1 of the main file in hex, where the rig wrote one"
        ),
        sa.Column(
            "recording_processing",
            NAME,
            nullable=False,
            comment="What was done to it since: '' for raw data, catgt, compressed, …",
        ),
        sa.Column(
            "recording_facts", LONG, nullable=False, comment="What else its files say about it, as a JSON object"
        ),
        sa.Column("probe_id", ID, autoincrement=False, nullable=True, comment="The probe that it was made with"),
        sa.Column("implant_id", ID, autoincrement=False, nullable=True, comment="The implant that it was made with"),
        sa.Column("recording_state", WORD, nullable=False, comment="there, or gone: its files were there once"),
        sa.Column(
            "recording_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"
        ),
        sa.ForeignKeyConstraint(["implant_id"], ["implant.implant_id"], name="fk_recording_implant_id"),
        sa.ForeignKeyConstraint(["probe_id"], ["probe.probe_id"], name="fk_recording_probe_id"),
        sa.ForeignKeyConstraint(
            ["recording_added_in"], ["catalogue_change.change_id"], name="fk_recording_recording_added_in"
        ),
        sa.ForeignKeyConstraint(["session_id"], ["session.session_id"], name="fk_recording_session_id"),
        sa.PrimaryKeyConstraint("recording_id", name="pk_recording"),
        sa.UniqueConstraint("recording_name", name="uq_recording_recording_name"),
        comment="One recording: one stream of one device, or what was computed from some",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_index("ix_recording_implant_id", "recording", ["implant_id"], if_not_exists=True)
    op.create_index("ix_recording_probe_id", "recording", ["probe_id"], if_not_exists=True)
    op.create_index("ix_recording_session_id", "recording", ["session_id"], if_not_exists=True)
    op.create_table(
        "session_finding",
        sa.Column("finding_id", ID, autoincrement=False, nullable=False, comment="Number of the finding"),
        sa.Column("session_id", ID, autoincrement=False, nullable=False, comment="In which session"),
        sa.Column("finding_code", WORD, nullable=False, comment="Which kind: truncated, stale-copy, …"),
        sa.Column(
            "finding_path", LONG, nullable=False, comment="POSIX path relative to the share, escaped as file_path is"
        ),
        sa.Column(
            "finding_key",
            PATH_KEY,
            nullable=False,
            comment="Stands for the path in the constraint: first half of its SHA-256",
        ),
        sa.Column("finding_message", LONG, nullable=False, comment="What is wrong with this one"),
        sa.Column(
            "finding_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"
        ),
        sa.ForeignKeyConstraint(
            ["finding_added_in"], ["catalogue_change.change_id"], name="fk_session_finding_finding_added_in"
        ),
        sa.ForeignKeyConstraint(["session_id"], ["session.session_id"], name="fk_session_finding_session_id"),
        sa.PrimaryKeyConstraint("finding_id", name="pk_session_finding"),
        sa.UniqueConstraint(
            "session_id", "finding_code", "finding_key", name="uq_session_finding_session_id_finding_code_finding_key"
        ),
        comment="One thing to know about a session's files before trusting them, as the last look found it",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_table(
        "file_digest",
        sa.Column("digest_id", ID, autoincrement=False, nullable=False, comment="Number of the digest"),
        sa.Column("file_id", ID, autoincrement=False, nullable=False, comment="Of which file"),
        sa.Column("digest_method", WORD, nullable=False, comment="sha1, sha256, md5, …"),
        sa.Column("digest_hex", DIGEST, nullable=False, comment="The digest, lower-case hex"),
        sa.Column("digest_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"),
        sa.ForeignKeyConstraint(
            ["digest_added_in"], ["catalogue_change.change_id"], name="fk_file_digest_digest_added_in"
        ),
        sa.ForeignKeyConstraint(["file_id"], ["file.file_id"], name="fk_file_digest_file_id"),
        sa.PrimaryKeyConstraint("digest_id", name="pk_file_digest"),
        sa.UniqueConstraint("file_id", "digest_method", name="uq_file_digest_file_id_digest_method"),
        comment="One digest of a file's bytes",
        if_not_exists=True,
        **ON_MARIADB,
    )
    op.create_table(
        "recording_file",
        sa.Column("recording_id", ID, autoincrement=False, nullable=False, comment="Of which recording"),
        sa.Column("file_id", ID, autoincrement=False, nullable=False, comment="Which file"),
        sa.Column(
            "recording_file_number", NUMBER, nullable=False, comment="Which of the recording's files: 0 is the main one"
        ),
        sa.Column(
            "recording_file_added_in", ID, autoincrement=False, nullable=False, comment="The change that added this row"
        ),
        sa.ForeignKeyConstraint(["file_id"], ["file.file_id"], name="fk_recording_file_file_id"),
        sa.ForeignKeyConstraint(
            ["recording_file_added_in"],
            ["catalogue_change.change_id"],
            name="fk_recording_file_recording_file_added_in",
        ),
        sa.ForeignKeyConstraint(["recording_id"], ["recording.recording_id"], name="fk_recording_file_recording_id"),
        sa.PrimaryKeyConstraint("recording_id", "file_id", name="pk_recording_file"),
        comment="One file of a recording",
        if_not_exists=True,
        **ON_MARIADB,
    )
