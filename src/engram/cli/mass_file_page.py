"""What ``engram help`` tells about mass files."""

from collections.abc import Iterator, Sequence

from engram.cli.topic import Section, Topic
from engram.sessions.massfile.keys import FILE, Key
from engram.sessions.massfile.nodes import DEEPEST, LARGEST_BYTES, MOST_NODES
from engram.sessions.massfile.sheet import columns

_TEXT = (
    "A mass file names sessions, and says of them what no machine can know. engram sessions plan --from FILE plans what"
    " it names; engram sessions ingest takes it. Files of the Kavli Institute's mass ingestion are read as they are."
    " It is YAML (.yml, .yaml), JSON (.json) or a table (.csv, .tsv, .xlsx). Keys are strict: what is unknown, twice"
    " there, missing or empty is told with the nearest known one, and so is everything else that is wrong, all at once,"
    " each with its line or row and its key; nothing is taken then."
)
_VALUES = (
    ("102_1, 1e3, 08:30, no", "Text stays as it is written: no reader makes a number, time or truth of it."),
    ("yes, true, on", "Where a key inherits: take it from where the key says. In a text only without quotes."),
    ("no, false, off", "Where a key says what it means. Elsewhere it is text, or an error."),
    ("2020-01-31 10:00:00", "A time, by the clock of the lab; without a zone."),
    ("&anchor, *alias, !!tag", "Are refused, in YAML: write out what they stand for."),
    ("limits", f"{LARGEST_BYTES >> 20} MiB, {MOST_NODES} values, {DEEPEST} levels."),
)
_SEVERAL = (
    "A file of several subjects is a list of the above; in YAML also several documents, each after a line of three"
    " hyphens. In a table each row names its subject."
)
_STAGES = (
    ("0", "The file is read: encoding, syntax, limits."),
    ("1", "Keys, and what kind of value each holds."),
    (
        "2",
        "Names and places: the subject is known; each location is a session that was recognised, by its folder, else by"
        " its subject and time; implants, clustering and sessions that are named are there; tasks do not overlap.",
    ),
    ("3", "All of it is done in the catalogue, and undone again: what would fail is told before anything is kept."),
)
_NEW = (
    "People, rooms, projects, arenas, lights and objects that the catalogue does not know are added with the plan: a"
    " step each, which says what known name is near. A subject is not: engram subjects add NAME. What was taken counts"
    " as confirmed, with the file, its digest, and the key that it came from; a corrected file that is planned again is"
    " an edit, with history. What a file does not say stays as it is."
)
_TABLE = (
    "The same in a table, a column for each key. A session's rows follow one another; each says one more task, object"
    " or clustering of it. location is said again, or left empty; so is subject. Several names stand in one cell with ;"
    " between. Every cell is text. Columns that nobody needs are left out."
)
_LEADS = {
    "sessions": "Each entry is a session. In a table its columns have no more than the key's name.",
    "clustering": "Each entry is a clustering of several sessions. In a table its columns begin with group.",
}


def mass_file_page() -> Topic:
    """``engram help mass-file``."""
    blocks = [
        Section(
            title=f"Keys of {path}" if path else "Keys at the top",
            text=_LEADS.get(path, ""),
            rows=tuple((key.name, _told(key)) for key in keys),
        )
        for path, keys in _blocks(FILE, "")
    ]
    named = tuple((name, "") for name in columns())
    return Topic(
        title="Mass files",
        sections=(
            Section(text=_TEXT),
            Section(title="Values", rows=_VALUES),
            *blocks,
            Section(title="Several subjects", text=_SEVERAL),
            Section(title="Stages", rows=_STAGES),
            Section(title="What is added", text=_NEW),
            Section(title="As a table", text=_TABLE, rows=(*named, ("probe_association.PROBE", ""))),
        ),
    )


def _blocks(keys: Sequence[Key], path: str) -> Iterator[tuple[str, Sequence[Key]]]:
    yield path, keys
    for key in keys:
        if key.keys:
            yield from _blocks(key.keys, f"{path}.{key.name}" if path else key.name)


def _told(key: Key) -> str:
    kind = f"{'Required; ' if key.required else ''}{key.kind}."
    words = [kind[0].upper() + kind[1:], key.meaning]
    words += [f"yes: {key.inherits}"] if key.inherits else []
    words += [f"no: {key.denies}"] if key.denies else []
    return " ".join(words)
