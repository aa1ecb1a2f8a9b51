"""What ``engram help TOPIC`` tells, made from the code wherever it can be: the same pages stand in the reference."""

from collections.abc import Callable, Mapping

from engram.cli.catalogue_page import catalogue_page
from engram.cli.datalad_page import datalad_page
from engram.cli.schemas import schemas
from engram.cli.topic import Section, Topic
from engram.config import DEFAULTS, Settings, Switch, setting_name, variable_name
from engram.model.errors import EngramError
from engram.model.notes import field_notes
from engram.model.outcome import IncompleteResults


def errors() -> tuple[type[EngramError], ...]:
    """Every error that is raised on purpose, groups left out, as the tree has them."""
    return tuple(kind for kind in [*_below(EngramError), IncompleteResults] if hasattr(kind, "message"))


def _below(kind: type[EngramError]) -> list[type[EngramError]]:
    found: list[type[EngramError]] = []
    for child in kind.__subclasses__():
        if child.__module__ == EngramError.__module__:
            found += [child, *_below(child)]
    return found


def exit_codes() -> dict[int, str]:
    """What each exit code lets a script conclude."""
    groups = {kind.exit_code: _first_line(kind) for kind in reversed(EngramError.__subclasses__())}
    return dict(sorted({**groups, **_EXIT_CODES}.items()))


_EXIT_CODES = {
    0: "All is well, or nothing was needed.",
    1: "A bug in engram; the message says where its traceback was saved.",
    2: "The request makes no sense as it stands; nothing was changed.",
    3: "Some items failed, the rest was done. Each outcome tells which, why, and what to do.",
    20: "Bytes are wrong. Trying again does not help: look for a good copy.",
    30: "Not now: something is busy or out of reach. The same command works later.",
    31: "The disk refused: full, read-only or broken.",
    40: "git or git-annex failed where it must not.",
    129: "Ended by SIGHUP (the terminal was closed): 128 + the signal's number.",
    130: "Interrupted (Ctrl-C). The same command again does the rest.",
    143: "Ended by SIGTERM: 128 + the signal's number.",
}


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").partition("\n")[0]


def _exit_codes() -> Topic:
    rows = tuple((str(code), meaning) for code, meaning in exit_codes().items())
    told = "Codes other than 0, 2 and 3 are used when nothing could be begun; when a part was done before, it is 3."
    ignored = "With --on-failure ignore failed items leave 0; arguments that match nothing are told, and leave 3."
    return Topic(title="Exit codes", sections=(Section(text=f"{told} {ignored}", rows=rows),))


def _errors() -> Topic:
    sections = tuple(
        Section(
            title=kind.__name__,
            text=_first_line(kind),
            rows=(("exit code", str(kind.exit_code)), ("says", kind.message), ("remedy", kind.remedy)),
        )
        for kind in errors()
    )
    text = "What may go wrong, what is said then, and what to do. Words in braces are filled in."
    ends = Section(
        title="Ends that are no error of yours",
        text="In the field error of a JSON line these two stand, as well:",
        rows=(
            ("Bug", "A mistake in engram; exit code 1. The message says where the traceback was saved."),
            ("Interrupted", "Ctrl-C, SIGTERM or SIGHUP; exit codes 130, 143 and 129."),
        ),
    )
    return Topic(title="Errors", sections=(Section(text=text), *sections, ends))


def _json() -> Topic:
    text = (
        "--json prints one JSON object a line, and nothing else on stdout. The field record says which kind it is."
        " Fields are added over time, never renamed or removed. Lines are ASCII; a name that is not UTF-8 keeps each"
        " stray byte as \\udc80 to \\udcff, which Python's os.fsencode turns back into that byte."
        " The schemas themselves: engram --json help json"
    )
    sections = tuple(
        Section(title=name, text=schema["description"], rows=tuple(_properties(schema)))
        for name, schema in schemas().items()
    )
    return Topic(title="JSON lines", sections=(Section(text=text), *sections))


def _properties(schema: Mapping[str, object]) -> list[tuple[str, str]]:
    properties, required = schema["properties"], schema["required"]
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    rows = []
    for name, entry in properties.items():
        values = f" One of: {', '.join(entry['enum'])}." if "enum" in entry else ""
        spare = "" if name in required else " (optional)"
        rows.append((name, f"{entry.get('description', entry.get('const', ''))}{values}{spare}"))
        if "items" in entry and "properties" in entry["items"]:
            rows += [(f"{name}[].{part}", text) for part, text in _properties(entry["items"])]
    return rows


def _settings() -> Topic:
    notes = field_notes(Settings)
    rows = tuple((setting_name(name), f"{notes[name]} Default: {_value(DEFAULTS[name])}") for name in DEFAULTS)
    text = (
        "A setting comes from the strongest source that has it: -c engram.NAME=VALUE before the command, an"
        " environment variable, the user's own file (config.toml in ~/.config/engram, or what ENGRAM_CONFIG_FILE says),"
        " the default. The settings of a lab stand in its engram.toml instead, found by walking up from the current"
        " folder; one that lies inside a dataset or belongs to somebody else is not read. In a file the first part of a"
        ' name is the section: [ui] and, below it, color = "off". What holds, and where from: engram config explain'
    )
    return Topic(title="Settings", sections=(Section(text=text, rows=rows),))


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Switch):
        return value.value
    return "none" if value == "" else str(value)


def _environment() -> Topic:
    rows = (
        *((variable_name(name), f"The setting {setting_name(name)}.") for name in DEFAULTS),
        ("ENGRAM_CONFIG_FILE", "The user's own settings file; empty: none."),
        ("XDG_CONFIG_HOME", "Where the user's settings lie, instead of ~/.config."),
        ("XDG_STATE_HOME", "Where tracebacks of bugs are kept, instead of ~/.local/state."),
        ("NO_COLOR", "Not empty: no colours, unless the setting ui.color is on."),
        ("TERM", "dumb: neither colours nor progress bars."),
        ("GIT_AUTHOR_…, GIT_COMMITTER_…", "Who and when, for commits."),
    )
    text = "The variables that engram looks at. One that is misspelt (ENGRAM_UI_COLOUR) is an error."
    return Topic(title="Environment", sections=(Section(text=text, rows=rows),))


def _output() -> Topic:
    forms = (
        ("tailored", "Lines for people, as each command suits best (default)."),
        ("generic, default", "A line for each outcome: action(status): path (type) [remark]."),
        ("json", "JSON lines; the same as --json."),
        ("json_pp", "JSON, indented."),
        ("disabled", "No results; only the exit code tells."),
        ("'{path}: {state}'", "A template: fields of the JSON record in braces; N/A where there is none."),
    )
    statuses = (
        ("ok", "It was done."),
        ("notneeded", "Nothing had to be done; people are not told, only the summary counts it."),
        ("impossible", "It cannot be done as things are."),
        ("error", "It went wrong; the remedy stands below it."),
    )
    text = (
        "Results go to stdout, progress and messages to stderr. On a terminal more than ten lines alike are folded into"
        " one (failures never are), there are colours, and long work has a progress bar."
        " Control characters in names are shown as \\x1b, bytes that are not UTF-8 as \\xff."
    )
    return Topic(
        title="Output",
        sections=(
            Section(text=text),
            Section(title="Formats (-f)", rows=forms),
            Section(title="Statuses (--report-status)", rows=statuses),
        ),
    )


def _largefiles() -> Topic:
    terms = (
        ("anything", "Every file."),
        ("nothing", "No file."),
        ("largerthan=SIZE", "Files of more than SIZE bytes: 100, 20kb, 10mb, 1.5gb (kB = 1000, KiB = 1024)."),
        ("smallerthan=SIZE", "Files of less than SIZE bytes."),
        ("include=GLOB", "Files whose path in the dataset matches; * also matches /."),
        ("exclude=GLOB", "Files whose path does not match."),
        ("mimetype=GLOB", "Files of that type, by their first bytes: text/*, image/png."),
        ("mimeencoding=GLOB", "Files of that encoding: binary, us-ascii, utf-8."),
        ("A and B, A or B", "Both; one of them. Terms side by side mean and. Taken from left to right: use brackets."),
        ("not A", "The other files."),
        ("( … )", "Brackets; in .gitattributes no spaces are allowed, and brackets stand instead of them."),
    )
    places = (
        (".gitattributes", "* annex.largefiles=(largerthan=10mb)or(mimeencoding=binary) for a pattern of files."),
        ("git config", "git config annex.largefiles 'largerthan=10mb': this clone; it wins over .gitattributes."),
        (
            "git annex config",
            "git annex config --set annex.largefiles …: all clones, where neither of the others says.",
        ),
    )
    text = (
        "What goes to the annex and what into git itself: a file that annex.largefiles matches goes to the annex, any"
        " other into git. Without a rule everything goes to the annex. engram save --to-git is stronger than any rule."
    )
    return Topic(
        title="annex.largefiles",
        sections=(
            Section(text=text),
            Section(title="Terms", rows=terms),
            Section(title="Where the rule stands", rows=places),
        ),
    )


def _lab_file() -> Topic:
    from engram.cli.lab_pages import lab_file_page  # here, because other help needs nothing of labs

    return lab_file_page()


def _templates() -> Topic:
    from engram.cli.lab_pages import templates_page  # as above

    return templates_page()


def _choosing() -> Topic:
    from engram.cli.lab_pages import choosing_page  # as above

    return choosing_page()


def _mass_file() -> Topic:
    from engram.cli.mass_file_page import mass_file_page  # as above

    return mass_file_page()


def _recognisers() -> Topic:
    from engram.cli.sessions_pages import recognisers_page  # as above

    return recognisers_page()


def _findings() -> Topic:
    from engram.cli.sessions_pages import findings_page  # as above

    return findings_page()


#: Every topic by the name that one types.
def _snapshot_config() -> Topic:
    from engram.cli.snapshot_pages import snapshot_config_page  # here, because other help needs none of it

    return snapshot_config_page()


def _neuprint_meta() -> Topic:
    from engram.cli.snapshot_pages import neuprint_meta_page  # here, because other help needs none of it

    return neuprint_meta_page()


def _snapshot_tables() -> Topic:
    from engram.cli.snapshot_tables_page import snapshot_tables_page  # here, because other help needs none of it

    return snapshot_tables_page()


TOPICS: Mapping[str, tuple[str, Callable[[], Topic]]] = {
    "catalogue": ("The tables of the lab's catalogue, for readers of SQL.", catalogue_page),
    "choosing": ("How sessions are chosen: filters, and conditions.", _choosing),
    "datalad": ("What is equal to DataLad, and what differs.", datalad_page),
    "environment": ("The environment variables that count.", _environment),
    "errors": ("What may go wrong, and what to do then.", _errors),
    "exit-codes": ("What a script may conclude from how a command ended.", _exit_codes),
    "findings": ("What may be wrong with files on a share, and what to do then.", _findings),
    "json": ("The JSON lines: kinds, fields, schemas.", _json),
    "lab-file": ("What a lab's engram.toml may hold.", _lab_file),
    "largefiles": ("What goes to git and what to the annex.", _largefiles),
    "mass-file": ("What a lab can tell of many sessions in one file.", _mass_file),
    "neuprint-meta": ("What a snapshot tells neuPrint of its dataset.", _neuprint_meta),
    "output": ("Formats, statuses, what a terminal shows.", _output),
    "recognisers": ("Which files on a share are known, and what is read of them.", _recognisers),
    "settings": ("What can be set, and where.", _settings),
    "snapshot-config": ("Every key of a snapshot's configuration.", _snapshot_config),
    "snapshot-tables": ("Every table of a snapshot, column by column.", _snapshot_tables),
    "templates": ("What the folders of sessions may be called.", _templates),
}
