"""What was recorded in sessions, where its files lie, and what is wrong with them."""

from engram.catalogue.columns import (
    COUNT,
    DIGEST,
    LONG,
    MOMENT,
    NAME,
    NUMBER,
    PATH_KEY,
    REAL,
    WORD,
    holds,
    identity,
    may_hold,
    refers,
    table,
    unique,
)

RECORDING = table(
    "recording",
    "One recording: one stream of one device, or what was computed from some",
    identity("recording_id", "Number of the recording"),
    refers("session_id", "session.session_id", "In which session"),
    holds("recording_name", NAME, "Its identity, wherever its files lie: the id in commands"),
    holds("recording_kind", WORD, "neuropixels-ap, imaging, video, …"),
    holds("recording_device", NAME, "imec0, nidq, the camera's name, …"),
    holds("recording_serial", NAME, "Serial number of the probe or camera; '' where the format has none"),
    may_hold("recording_started", MOMENT, "When it began, by the clock of the rig"),
    may_hold("recording_utc_offset_s", NUMBER, "That clock minus UTC, in seconds; NULL: its files do not say"),
    may_hold("recording_duration_s", REAL, "Its length in seconds"),
    may_hold("recording_rate_hz", REAL, "Sampling rate in Hz"),
    may_hold("recording_channels", NUMBER, "Number of channels"),
    may_hold("recording_samples", COUNT, "Samples per channel, or frames, as its metadata declares them"),
    may_hold("recording_size_bytes", COUNT, "Size of its files together"),
    holds("recording_sha1", DIGEST, "SHA-1 of the main file in hex, where the rig wrote one"),
    holds("recording_processing", NAME, "What was done to it since: '' for raw data, catgt, compressed, …"),
    holds("recording_facts", LONG, "What else its files say about it, as a JSON object"),
    refers("probe_id", "probe.probe_id", "The probe that it was made with", optional=True),
    refers("implant_id", "implant.implant_id", "The implant that it was made with", optional=True),
    holds("recording_state", WORD, "there, or gone: its files were there once"),
    unique("recording_name"),
    noun="recording",
)

FILE = table(
    "file",
    "One file on a share",
    identity("file_id", "Number of the file"),
    refers("session_id", "session.session_id", "To which session it belongs"),
    refers("share_id", "share.share_id", "On which share it lies"),
    holds("file_path", LONG, "POSIX path relative to the share; a backslash is two, a byte that is not UTF-8 is \\xff"),
    holds("file_key", PATH_KEY, "Stands for the path in the constraint: first half of its SHA-256"),
    may_hold("file_size_bytes", COUNT, "Its size"),
    may_hold("file_mtime_ns", COUNT, "When it was written last, in nanoseconds since 1970, UTC"),
    holds("file_state", WORD, "there, or gone: it was there once"),
    unique("share_id", "file_key"),
    noun="file",
)

RECORDING_FILE = table(
    "recording_file",
    "One file of a recording",
    refers("recording_id", "recording.recording_id", "Of which recording", key=True),
    refers("file_id", "file.file_id", "Which file", key=True),
    holds("recording_file_number", NUMBER, "Which of the recording's files: 0 is the main one"),
    noun="recording_file",
)

FILE_DIGEST = table(
    "file_digest",
    "One digest of a file's bytes",
    identity("digest_id", "Number of the digest"),
    refers("file_id", "file.file_id", "Of which file"),
    holds("digest_method", WORD, "sha1, sha256, md5, …"),
    holds("digest_hex", DIGEST, "The digest, lower-case hex"),
    unique("file_id", "digest_method"),
    noun="digest",
)

SESSION_FINDING = table(
    "session_finding",
    "One thing to know about a session's files before trusting them, as the last look found it",
    identity("finding_id", "Number of the finding"),
    refers("session_id", "session.session_id", "In which session"),
    holds("finding_code", WORD, "Which kind: truncated, stale-copy, …"),
    holds("finding_path", LONG, "POSIX path relative to the share, escaped as file_path is"),
    holds("finding_key", PATH_KEY, "Stands for the path in the constraint: first half of its SHA-256"),
    holds("finding_message", LONG, "What is wrong with this one"),
    unique("session_id", "finding_code", "finding_key"),
    noun="finding",
)

WAIVER = table(
    "waiver",
    "One kind of finding that somebody has looked at and accepted, in one session or recording",
    identity("waiver_id", "Number of the waiver"),
    holds("waiver_item", NAME, "Id of the session or recording"),
    holds("waiver_code", WORD, "Which kind of finding"),
    holds("waiver_why", LONG, "Why it does not matter"),
    unique("waiver_item", "waiver_code"),
    noun="waiver",
)

EXCLUSION = table(
    "exclusion",
    "One pattern of paths, or one item, that is not ingested",
    identity("exclusion_id", "Number of the exclusion"),
    holds("exclusion_pattern", LONG, "The pattern, or the id of a session or recording, or SHARE:FOLDER"),
    holds("exclusion_key", PATH_KEY, "Stands for the pattern in the constraint: first half of its SHA-256"),
    holds("exclusion_why", LONG, "Why it is left out"),
    unique("exclusion_key"),
    noun="exclusion",
)
