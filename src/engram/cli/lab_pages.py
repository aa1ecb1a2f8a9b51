"""What ``engram help`` tells about a lab."""

from engram.cli.topic import Section, Topic
from engram.model.lab import Layout, NamedLocation, Share
from engram.model.notes import field_notes
from engram.sessions.dates import DIRECTIVES
from engram.sessions.templates import DEFAULTS, FIELDS
from engram.workspace.lab_file import keys

_INTRODUCTION = (
    "A lab is a folder with a file engram.toml. It is found from every folder below it; --lab DIR names another one."
    " Commands that change it keep its comments and its order. What is unknown in it is an error that names what is"
    " nearest; a text that may be one of several can also be a list of them. Every value can be given for one call,"
    " too: -c engram.shares.NAME.root=/mnt/N, or ENGRAM_SHARES_NAME_ROOT. A file that came inside a dataset, or belongs"
    " to somebody else, is not read."
)
_SETTINGS = {
    "lab": {
        "name": "The lab's name, for people.",
        "timezone": "Time zone of times that a rig wrote without one, as Europe/Oslo.",
    },
    "catalogue": {
        "url": "Where the catalogue lies: sqlite:///PATH, relative to this file; postgresql+psycopg://…, mysql+pymysql://…."
    },
}
_NAMED = {
    "shares": (Share, "A place that rigs write to, which is scanned. Nothing on it is ever written."),
    "locations": (NamedLocation, "A place that data are archived to. What its kind needs stands beside these."),
    "layouts": (Layout, "How sessions are named at a location."),
}


def lab_file_page() -> Topic:
    """``engram help lab-file``."""
    told = tuple(
        Section(title=f"[{section}]", rows=tuple((key, rows[key]) for key in keys(section)))
        for section, rows in _SETTINGS.items()
    )
    named = tuple(_named(section, kind, text) for section, (kind, text) in _NAMED.items())
    return Topic(title="engram.toml, the lab's file", sections=(Section(text=_INTRODUCTION), *told, *named))


def _named(section: str, kind: type, text: str) -> Section:
    notes = field_notes(kind) | {"pattern": "As a share's template: {subject.alias}/{date:%m%d%y}[_{ident}]."}
    return Section(title=f"[{section}.NAME]", text=text, rows=tuple((key, notes.get(key, "")) for key in keys(section)))


_TEMPLATES = (
    "A template declares how the folders of sessions are named, relative to the share: {subject}/{session:%Y%m%d}."
    " Fields in braces vary, text in square brackets may be missing, all else stands for itself; a brace or bracket"
    " that means itself is doubled. A field that comes twice must say the same twice. Of several templates the first"
    " that matches a folder wins; what lies below a session's folder belongs to it, unless an earlier template claims"
    " it. A date is read in the declared format alone: 111219 is one day as %m%d%y and another as %y%m%d, and no"
    " program can know which. engram sessions template SHARE EXAMPLE… makes a template from examples."
)


def templates_page() -> Topic:
    """``engram help templates``."""
    usual = tuple((text, "") for text in DEFAULTS if not text.startswith("recordings/"))
    text = "They hold for a share that declares none; also below a folder recordings."
    types = (("{ident:d}", "Digits only."), ("{ident:w}", "Letters, digits and -."))
    return Topic(
        title="Templates of session folders",
        sections=(
            Section(text=_TEMPLATES),
            Section(title="Fields", rows=tuple((f"{{{name}}}", told) for name, told in FIELDS.items())),
            Section(title="Types of texts", rows=types),
            Section(title="Parts of a date", rows=tuple((f"%{name}", told) for name, (_, told) in DIRECTIVES.items())),
            Section(title="The usual templates", text=text, rows=usual),
        ),
    )


def choosing_page() -> Topic:
    """``engram help choosing``."""
    from engram.sessions.where import FIELDS, OPERATORS

    text = (
        "Sessions are chosen by the options --subject --since --until --kind --group --share --finding, and by"
        " --where: terms FIELD OP VALUE joined by and. A value of several words stands in quotes. Of a field that has"
        " several values in a session, one that fits is enough."
    )
    example = (("subject = 12347 and kind in (video, imaging)", ""), ("project ~ 'grid cells' and date < 2021", ""))
    return Topic(
        title="Choosing sessions",
        sections=(
            Section(text=text),
            Section(title="Fields", rows=tuple(FIELDS.items())),
            Section(title="Operators", rows=tuple(OPERATORS.items())),
            Section(title="Examples", rows=example),
        ),
    )
