"""The settings: one frozen record, read once; each value knows where it came from.

Sources, the stronger first: ``-c engram.NAME=VALUE`` of this call, ``ENGRAM_…`` variables, the user's own file
(``config.toml`` in his configuration folder), the default. What belongs to a lab (``[lab]``, ``[catalogue]``) stands in
the lab's ``engram.toml`` instead of the user's file; its shares, locations and layouts are no settings of a call:
`engram.workspace.lab_file` reads them. Nothing that lies inside a dataset is read.
"""

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from enum import StrEnum
from typing import Any, TypeAlias

from engram.model.errors import BadSetting, UsageError
from engram.model.nearest import nearest_of
from engram.model.outcome import Leaf
from engram.model.records import record

#: A value as it stands in a source: text from a variable or an option, more kinds from a file.
Raw: TypeAlias = object
#: Name, value and source of a setting; value ``None``: the default again.
Given: TypeAlias = tuple[str, Raw, str]

DEFAULT = "default"
LAB_FILE = "engram.toml"
#: Sections of a lab's file that hold settings.
LAB_SECTIONS = ("lab", "catalogue")
#: Its other sections: a table for each thing that they name.
LAB_TABLES = ("shares", "locations", "layouts")


class Switch(StrEnum):
    """On, off, or whatever fits the terminal."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


@record
class Settings:
    """What a user or a lab can set. ``datasets_backend`` here is ``datasets.backend`` everywhere else."""

    #: Key backend of new datasets: SHA256E, MD5E, SHA256, … (a subdataset takes its parent's).
    datasets_backend: str = "SHA256E"
    #: Files that are hashed or copied at once; 0: as many as fit this machine.
    datasets_jobs: int = 0
    #: Colours: auto (on a terminal), on, off. NO_COLOR wins over auto.
    ui_color: Switch = Switch.AUTO
    #: Progress bars on a terminal, and a plain line now and then elsewhere.
    ui_progress: bool = True
    #: Lines alike that a terminal shows before it folds the rest into one; 0 or off: all.
    ui_suppress_similar_results_threshold: int = 10
    #: The lab's name, for people.
    lab_name: str = ""
    #: Time zone of times that a rig wrote without one, as Europe/Oslo.
    lab_timezone: str = ""
    #: Where the lab's catalogue lies; a file is named relative to engram.toml. Also postgresql+psycopg://… and
    #: mysql+pymysql://….
    catalogue_url: str = "sqlite:///.engram/catalogue.db"
    #: Where each value came from, by name; a value that is not listed is the default.
    sources: tuple[tuple[str, str], ...] = ()

    def source_of(self, name: str) -> str:
        """Where one value came from: ``default``, a file, a variable, ``-c``."""
        return dict(self.sources).get(name, DEFAULT)


def setting_name(attribute: str) -> str:
    """The name people type: ``ui_suppress_similar_results_threshold`` is ``ui.suppress-similar-…``."""
    section, _, rest = attribute.partition("_")
    return f"{section}.{rest.replace('_', '-')}"


def variable_name(attribute: str) -> str:
    """The name of the environment variable."""
    return f"ENGRAM_{attribute.upper()}"


#: The attributes of `Settings` that are settings, and what their values are when nobody sets them.
DEFAULTS: Mapping[str, Leaf] = {
    entry.name: getattr(Settings(), entry.name) for entry in fields(Settings) if entry.name != "sources"
}
_ATTRIBUTES = {setting_name(attribute): attribute for attribute in DEFAULTS}
_SECTIONS = {attribute.partition("_")[0] for attribute in DEFAULTS}
_BACKEND = re.compile(r"[A-Z][A-Z0-9_]*")
_NOTHING: Mapping[str, str] = {}
_ON = {"on", "true", "yes", "1"}
_OFF = {"off", "false", "no", "0"}


def read_settings(
    user_file: str,
    *,
    environment: Mapping[str, str] = _NOTHING,
    options: Sequence[str] = (),
    lab_file: str = "",
) -> Settings:
    """All settings, each from its strongest source. Raises `BadSetting` for unknown names and impossible values.

    Args:
        user_file: the user's own file; it need not exist.
        environment: where variables are looked up.
        options: ``NAME=VALUE`` of ``-c``, without ``engram.``; ``:NAME`` brings the default back.
        lab_file: the lab's file, or ''.
    """
    found: dict[str, tuple[Leaf, str]] = {}
    given = [*_from_files(user_file, lab_file), *_from_environment(environment), *_from_options(options)]
    for name, value, source in given:
        attribute = attribute_of(name, source)
        if value is None:
            found.pop(attribute, None)
        else:
            found[attribute] = (_checked(attribute, value, source), source)
    if not found:
        return Settings()
    where = tuple((setting_name(attribute), source) for attribute, (_, source) in found.items())
    values: dict[str, Any] = {attribute: value for attribute, (value, _) in found.items()}
    return replace(Settings(), sources=where, **values)


def attribute_of(name: str, source: str) -> str:
    """The attribute of `Settings` for a name. Raises `BadSetting`, naming the nearest, when there is none."""
    if name in _ATTRIBUTES:
        return _ATTRIBUTES[name]
    nearest = nearest_of(name, _ATTRIBUTES)
    raise BadSetting(name, source, f"there is no such setting{nearest}")


def find_lab(folder: str, trusted: str = "") -> str:
    """The lab's file at or above a folder, or ''.

    One that lies inside a dataset's work tree, or belongs to somebody else, is passed over: it came from elsewhere,
    unless the user allowed what it says, which is noted in the folder *trusted*.
    """
    while True:
        candidate = os.path.join(folder, LAB_FILE)
        if os.path.isfile(candidate) and not why_not_trusted(candidate, trusted):
            return candidate
        parent = os.path.dirname(folder)
        if parent == folder:
            return ""
        folder = parent


def why_not_trusted(lab_file: str, trusted: str = "") -> str:
    """Why a lab's file is not read, as part of a sentence; '' when it is, or the folder *trusted* allows it."""
    if os.stat(lab_file).st_uid not in (os.geteuid(), 0):
        why = "it belongs to somebody else"
    else:
        why = why_not_trusted_folder(os.path.dirname(os.path.realpath(lab_file)))
    allowed = bool(why and trusted) and os.path.isfile(os.path.join(trusted, lab_seal(lab_file)))
    return "" if allowed else why


def lab_seal(lab_file: str) -> str:
    """What stands for a lab's file, and all that it says now, among what the user trusts."""
    from hashlib import sha256  # here, because few labs come from elsewhere

    with open(lab_file, "rb") as file:
        return f"lab-{sha256(os.fsencode(os.path.realpath(lab_file)) + bytes(1) + file.read()).hexdigest()}"


def why_not_trusted_folder(folder: str) -> str:
    """Why a lab's file that lay in *folder* would not be read, whoever wrote it; '' when it would."""
    folder = os.path.realpath(folder)
    while True:
        if os.path.lexists(os.path.join(folder, ".git")):
            return f"it lies inside the dataset {folder}"
        parent = os.path.dirname(folder)
        if parent == folder:
            return ""
        folder = parent


def lab_file_in(folder: str, trusted: str = "") -> str:
    """The file of the lab that the user named himself. Raises `UsageError` when there is none that may be read."""
    lab_file = os.path.join(folder, LAB_FILE)
    if not os.path.isfile(lab_file):
        raise UsageError(f"{folder} is no lab: it holds no {LAB_FILE}.", "Name a folder that does: --lab DIR")
    if why := why_not_trusted(lab_file, trusted):
        from shlex import quote  # here, because it is needed for a mistake alone

        raise UsageError(
            f"{lab_file} is not read: {why}.", f"If you know what it says: engram lab trust {quote(folder)}"
        )
    return lab_file


def _from_files(user_file: str, lab_file: str) -> Iterator[Given]:
    if user_file and os.path.isfile(user_file):
        yield from _from_file(user_file, _SECTIONS.difference(LAB_SECTIONS))
    if lab_file:
        yield from _from_file(lab_file, LAB_SECTIONS, others=LAB_TABLES)


def _from_environment(environment: Mapping[str, str]) -> Iterator[Given]:
    _refuse_unknown_variables(environment)
    for attribute in DEFAULTS:
        variable = variable_name(attribute)
        if variable in environment:
            yield setting_name(attribute), environment[variable], variable


def _from_options(options: Sequence[str]) -> Iterator[Given]:
    for option in options:
        name, _, value = option.removeprefix(":").partition("=")
        if name.partition(".")[0] not in LAB_TABLES:  # a share's or location's: whoever reads the lab reads it, too
            yield name, None if option.startswith(":") else value, "-c"


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    """A misspelt ``ENGRAM_UI_…`` is an error; ``ENGRAM_`` followed by no section of ours belongs to somebody else."""
    known = {variable_name(attribute) for attribute in DEFAULTS}
    for variable in environment:
        if variable.startswith("ENGRAM_") and variable not in known:
            section = variable.removeprefix("ENGRAM_").partition("_")[0].lower()
            if section in _SECTIONS:
                nearest = nearest_of(variable, known)
                raise BadSetting(variable, "environment", f"there is no such setting{nearest}")


def read_toml(path: str) -> dict[str, object]:
    """What stands in a TOML file. Raises `BadSetting` when it cannot be read, or does not parse."""
    import tomllib  # here, because most calls find no file

    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise BadSetting("file", path, f"it cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, nested without end
        raise BadSetting("file", path, f"it does not parse ({error})") from error


def _from_file(path: str, sections: Collection[str], others: Collection[str] = ()) -> Iterator[Given]:
    """The settings in *sections*; *others* may stand beside them, and are left to others."""
    for section, table in read_toml(path).items():
        if section in others:
            continue
        if section not in sections:
            nearest = nearest_of(section, (*sections, *others))
            raise BadSetting(f"[{section}]", path, f"there is no such section here{nearest}")
        if not isinstance(table, dict):
            raise BadSetting(section, path, f"it must be a table, written as [{section}]")
        for name, value in table.items():
            yield f"{section}.{name}", value, path


def _checked(attribute: str, value: Raw, source: str) -> Leaf:
    """A value as its setting wants it. Raises `BadSetting`."""
    default = DEFAULTS[attribute]
    if isinstance(default, Switch):
        return _switch(attribute, value, source)
    if isinstance(default, bool):
        return _truth(attribute, value, source)
    if isinstance(default, int):
        return _count(attribute, value, source)
    return _text(attribute, value, source)


def _bad(attribute: str, value: Raw, source: str, wanted: str) -> BadSetting:
    return BadSetting(setting_name(attribute), source, f"{value!r} is not {wanted}")


def _truth(attribute: str, value: Raw, source: str) -> bool:
    word = str(value).lower()
    if word not in _ON | _OFF:
        raise _bad(attribute, value, source, "on or off")
    return word in _ON


def _switch(attribute: str, value: Raw, source: str) -> Switch:
    word = str(value).lower()
    if word == Switch.AUTO:
        return Switch.AUTO
    if word not in _ON | _OFF:
        raise _bad(attribute, value, source, "auto, on or off")
    return Switch.ON if word in _ON else Switch.OFF


def _count(attribute: str, value: Raw, source: str) -> int:
    word = str(value).lower()
    if word in ("off", "auto"):
        return 0
    if not word.isascii() or not word.isdigit() or len(word) > 9:
        raise _bad(attribute, value, source, "a whole number, 0 or more")
    return int(word)


def _text(attribute: str, value: Raw, source: str) -> str:
    if not isinstance(value, str):
        raise _bad(attribute, value, source, "text")
    if attribute == "datasets_backend" and not _BACKEND.fullmatch(value):
        raise _bad(attribute, value, source, "the name of a key backend, as SHA256E or MD5E")
    if attribute == "lab_timezone" and value and not is_timezone(value):
        raise _bad("lab_timezone", value, source, "a time zone, as Europe/Oslo")
    return value


def is_timezone(name: str) -> bool:
    """Whether there is a time zone of that name, as Europe/Oslo."""
    from zoneinfo import ZoneInfo  # here, because few calls have a lab

    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return False
    return True
