"""Sessions: when, where, of whom, by whom, what for."""

from sqlalchemy import Date

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

ROOM = table(
    "room",
    "One room of the lab",
    identity("room_id", "Number of the room"),
    holds("room_name", NAME, "What it is called"),
    holds("room_note", LONG, "Remark"),
    unique("room_name"),
    noun="room",
)

RIG = table(
    "rig",
    "One rig",
    identity("rig_id", "Number of the rig"),
    holds("rig_name", NAME, "What it is called"),
    holds("rig_note", LONG, "Remark"),
    unique("rig_name"),
    noun="rig",
)

SHARE = table(
    "share",
    "One share (repository): a place where files lie, wherever it is mounted",
    identity("share_id", "Number of the share"),
    holds("share_name", NAME, "What the lab's engram.toml calls it"),
    holds("share_root", LONG, "Where it was mounted last"),
    unique("share_name"),
    noun="share",
)

SESSION = table(
    "session",
    "One session: one visit of one subject",
    identity("session_id", "Number of the session"),
    holds("session_name", NAME, "Its id in commands: 12347/2020-01-01T10-00-30, SC033/2019-11-12_surface"),
    refers("subject_id", "subject.subject_id", "Who was recorded from"),
    holds("session_date", Date(), "Day on which it began, by the clock of the rig"),
    may_hold("session_started", MOMENT, "When it began, by the clock of the rig; NULL: only the day is known"),
    may_hold("session_utc_offset_s", NUMBER, "That clock minus UTC, in seconds; NULL: nobody said which zone it shows"),
    holds("session_ident", NAME, "Which of several of a day, in the words of the folder's name"),
    refers("room_id", "room.room_id", "Where", optional=True),
    refers("rig_id", "rig.rig_id", "At which rig", optional=True),
    holds("session_note", LONG, "Remark"),
    refers("session_touched_in", "catalogue_change.change_id", "The last change of it or of what belongs to it"),
    unique("session_name"),
    noun="session",
)

SESSION_FOLDER = table(
    "session_folder",
    "One folder that holds files of a session; several when there are copies",
    identity("folder_id", "Number of the folder"),
    refers("session_id", "session.session_id", "Of which session"),
    refers("share_id", "share.share_id", "On which share"),
    holds("folder_path", LONG, "POSIX path relative to the share, escaped as file_path is"),
    holds("folder_key", PATH_KEY, "Stands for the path in the constraint: first half of its SHA-256"),
    holds("folder_state", WORD, "there, or gone: it was there once"),
    unique("session_id", "share_id", "folder_key"),
    noun="folder",
)

SESSION_EXPERIMENTER = table(
    "session_experimenter",
    "One person who took part in a session",
    refers("session_id", "session.session_id", "Which session", key=True),
    refers("person_id", "person.person_id", "Who", key=True),
    noun="experimenter",
)

SESSION_PROJECT = table(
    "session_project",
    "One project that a session is for",
    refers("session_id", "session.session_id", "Which session", key=True),
    refers("project_id", "project.project_id", "Which project", key=True),
    noun="session_project",
)

TAG = table(
    "tag",
    "One tag",
    identity("tag_id", "Number of the tag"),
    holds("tag_name", NAME, "The tag"),
    unique("tag_name"),
    noun="tag",
)

SESSION_TAG = table(
    "session_tag",
    "One tag on a session",
    refers("session_id", "session.session_id", "Which session", key=True),
    refers("tag_id", "tag.tag_id", "Which tag", key=True),
    noun="session_tag",
)

SESSION_GROUP = table(
    "session_group",
    "One group of sessions: a cohort, a data set, anything",
    identity("group_id", "Number of the group"),
    holds("group_name", NAME, "What it is called"),
    holds("group_note", LONG, "Remark"),
    unique("group_name"),
    noun="group",
)

GROUP_MEMBER = table(
    "group_member",
    "One session in a group",
    refers("session_id", "session.session_id", "Which session", key=True),
    refers("group_id", "session_group.group_id", "Which group", key=True),
    noun="member",
)
