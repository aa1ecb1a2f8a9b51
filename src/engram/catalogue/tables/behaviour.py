"""What a subject did, and where."""

from engram.catalogue.columns import LONG, NAME, REAL, WORD, holds, identity, may_hold, refers, table, unique

APPARATUS = table(
    "apparatus",
    "One apparatus: box, maze, wheel, head-fixed rig",
    identity("apparatus_id", "Number of the apparatus"),
    holds("apparatus_name", NAME, "What it is called"),
    holds("apparatus_note", LONG, "Remark"),
    unique("apparatus_name"),
    noun="apparatus",
)

ARENA = table(
    "arena",
    "One arena: an apparatus as it was set up, with its size and cues",
    identity("arena_id", "Number of the arena"),
    holds("arena_name", NAME, "What it is called"),
    refers("apparatus_id", "apparatus.apparatus_id", "Which apparatus", optional=True),
    holds("arena_note", LONG, "Remark: size, walls, cue cards"),
    unique("arena_name"),
    noun="arena",
)

LIGHT = table(
    "light",
    "One setting of the light",
    identity("light_id", "Number of the setting"),
    holds("light_name", NAME, "What it is called: dark, dim"),
    may_hold("light_lux", REAL, "Illuminance in lux"),
    unique("light_name"),
    noun="light",
)

TASK = table(
    "task",
    "One task: what the subject did in a part of a session",
    identity("task_id", "Number of the task"),
    refers("session_id", "session.session_id", "In which session"),
    holds("task_name", NAME, "What it is called: open_field_1"),
    holds("task_type", NAME, "Of which type it is: RUNNING; '' when nobody said"),
    holds("task_start_s", REAL, "When it began, in seconds from the start of the session"),
    may_hold("task_stop_s", REAL, "When it ended; NULL: nothing says so"),
    holds("task_standing", WORD, "inferred from files, or confirmed by a person"),
    refers("arena_id", "arena.arena_id", "In which arena", optional=True),
    refers("light_id", "light.light_id", "In which light", optional=True),
    holds("task_note", LONG, "Remark"),
    unique("session_id", "task_start_s"),
    noun="task",
)

STIMULUS_OBJECT = table(
    "stimulus_object",
    "One object, cue card or curtain that can stand in an arena",
    identity("object_id", "Number of the object"),
    holds("object_name", NAME, "What it is called"),
    holds("object_note", LONG, "Remark"),
    unique("object_name"),
    noun="object",
)

TASK_OBJECT = table(
    "task_object",
    "One object in a task",
    identity("placement_id", "Number of the placement"),
    refers("task_id", "task.task_id", "In which task"),
    refers("object_id", "stimulus_object.object_id", "Which object"),
    holds("placement_where", NAME, "Where it stood"),
    unique("task_id", "object_id", "placement_where"),
    noun="placement",
)
