"""What was computed from recordings: sorted units, poses, segmented cells."""

from engram.catalogue.columns import (
    LONG,
    MOMENT,
    NAME,
    NUMBER,
    PATH_KEY,
    WORD,
    holds,
    identity,
    may_hold,
    refers,
    table,
    unique,
)

CLUSTERING = table(
    "clustering",
    "One clustering (spike sorting): of one probe or several, of one session or several",
    identity("clustering_id", "Number of the clustering"),
    holds("clustering_name", NAME, "What it is called; of a group of sessions the group's name"),
    holds("clustering_software", NAME, "Kilosort 2, MClust, KlustaKwik, Tint, …"),
    refers("curator_id", "person.person_id", "Who did the curation", optional=True),
    may_hold("clustering_curated", MOMENT, "When it was curated, by the clock of the lab"),
    holds("clustering_standing", WORD, "Whether curator and time are inferred from files, or confirmed by a person"),
    refers("clustering_share_id", "share.share_id", "On which share its files lie", optional=True),
    holds("clustering_path", LONG, "POSIX path of its folder relative to that share, escaped as file_path is"),
    holds("clustering_key", PATH_KEY, "Stands for the path: first half of its SHA-256"),
    holds("clustering_note", LONG, "Remark"),
    unique("clustering_name"),
    noun="clustering",
)

CLUSTERING_RECORDING = table(
    "clustering_recording",
    "One recording that went into a clustering",
    refers("clustering_id", "clustering.clustering_id", "Which clustering", key=True),
    refers("recording_id", "recording.recording_id", "Which recording", key=True),
    noun="clustered",
)

POSE_MODEL = table(
    "pose_model",
    "One model that tracks a pose (DeepLabCut, SLEAP)",
    identity("pose_model_id", "Number of the model"),
    holds("pose_model_name", NAME, "What it calls itself: its scorer, or task, date, iteration, shuffle and snapshot"),
    holds("pose_model_software", NAME, "DeepLabCut, SLEAP"),
    holds("pose_model_facts", LONG, "What its files say about it, as a JSON object"),
    unique("pose_model_name"),
    noun="pose_model",
)

POSE_OUTPUT = table(
    "pose_output",
    "One recording of kind pose: by which model it was made",
    refers("recording_id", "recording.recording_id", "Which recording", key=True),
    refers("pose_model_id", "pose_model.pose_model_id", "Which model"),
    noun="pose_output",
)

IMAGING_OUTPUT = table(
    "imaging_output",
    "One recording of kind segmentation: how it was made",
    refers("recording_id", "recording.recording_id", "Which recording", key=True),
    holds("imaging_software", NAME, "suite2p, …"),
    holds("imaging_combined", WORD, "yes: all recordings of the folder together; no: this one alone; '' unknown"),
    may_hold("imaging_planes", NUMBER, "Number of planes"),
    holds("imaging_basename", NAME, "Name of the recording that it is of; '' for all of the folder"),
    noun="imaging",
)
