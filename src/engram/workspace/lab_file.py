"""A lab's ``engram.toml``: read strictly, changed without losing a comment, an order or a byte of the rest."""

import errno
import fcntl
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

from engram import durable
from engram.config import LAB_FILE, LAB_SECTIONS, LAB_TABLES, is_timezone, read_toml
from engram.model.errors import BadLabFile, ExtraMissing, UsageError
from engram.model.lab import Lab, Layout, NamedLocation, Share
from engram.model.nearest import nearest_of

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_TEXT, _TEXTS = "text", "texts"
#: What each section, or each thing that a section names, may say.
_KEYS: Mapping[str, Mapping[str, str]] = {
    "lab": {"name": _TEXT, "timezone": _TEXT},
    "catalogue": {"url": _TEXT},
    "shares": {
        "root": _TEXT,
        "also_known_as": _TEXTS,
        "template": _TEXTS,
        "exclude": _TEXTS,
        "timezone": _TEXT,
        "collection": _TEXT,
        "collection_root": _TEXT,
    },
    "locations": {"kind": _TEXT, "root": _TEXT, "layout": _TEXT},
    "layouts": {"pattern": _TEXT},
}
_NEEDED = {"shares": "root", "locations": "kind", "layouts": "pattern"}
#: Holds what is the lab's own, beside its file.
PRIVATE = ".engram"
_NEW_LAB = """# What this lab consists of. Everything that it may hold: engram help lab-file
[lab]
name = {name}
timezone = {timezone}

[catalogue]
url = {url}
"""


def keys(section: str) -> tuple[str, ...]:
    """The keys that a section, or each thing in it, may have."""
    return tuple(_KEYS[section])


def read_lab(path: str, *, options: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> Lab:
    """What a lab's file says. Raises `BadLabFile`, which names everything that is wrong, and `BadSetting`.

    Args:
        path: of the file.
        options: what ``-c`` says of shares, locations and layouts: ``shares.NAME.root=/mnt/N``. Others are passed over.
        environment: where the same is said as ``ENGRAM_SHARES_NAME_ROOT``.
    """
    tables: dict[str, Any] = read_toml(path)
    for source, name, value in (*_from_environment(environment or {}, tables), *_from_options(options)):
        _put(path, tables, source, name, value)
    problems = list(_problems(tables))
    if problems:
        raise BadLabFile(path, "; ".join(problems))
    return _lab(os.path.dirname(os.path.realpath(path)), tables)


def _from_environment(environment: Mapping[str, str], tables: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Source, name and value of what variables say. What they call a thing is its name in capitals, - being _."""
    for variable, value in environment.items():
        for section in LAB_TABLES:
            rest = variable.removeprefix(f"ENGRAM_{section.upper()}_")
            if rest != variable:
                known = tables.get(section, {})
                named = [each for each in known if rest.startswith(f"{each.upper().replace('-', '_')}_")]
                thing = max(named, key=len, default=rest.lower())
                yield variable, f"{section}.{thing}.{rest[len(thing) + 1 :].lower()}", value


def _from_options(options: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    for option in options:
        name, _, value = option.removeprefix(":").partition("=")
        if name.partition(".")[0] in LAB_TABLES:
            yield "-c", name, "" if option.startswith(":") else value


def _put(path: str, tables: dict[str, Any], source: str, name: str, value: str) -> None:
    """Let a value stand in the file's place, as if it had been written there; an empty one takes the key away."""
    section, _, rest = name.partition(".")
    thing, _, key = rest.rpartition(".")
    table = tables.setdefault(section, {}).setdefault(thing, {}) if thing else None
    if not isinstance(table, dict) or not key:
        raise BadLabFile(path, f"{source} says {name}, which is no value: write {section}.NAME.KEY=VALUE")
    if value:
        table[key] = value
    else:
        table.pop(key, None)


def _problems(tables: Mapping[str, object]) -> Iterator[str]:
    for section, table in tables.items():
        if section not in _KEYS:
            yield f"[{section}]: there is no such section{nearest_of(section, _KEYS)}"
        elif not isinstance(table, dict):
            yield f"{section} must be a table, written as [{section}]"
        elif section in LAB_SECTIONS:
            yield from _in_table(section, section, table)
        else:
            yield from _in_section(section, table)


def _in_section(section: str, things: Mapping[str, object]) -> Iterator[str]:
    for name, table in things.items():
        title = f"{section}.{name}"
        if not _NAME.fullmatch(name):
            yield f"[{title}]: a name consists of letters, digits, - and _"
        if not isinstance(table, dict):
            yield f"{title} must be a table, written as [{title}]"
            continue
        if _NEEDED[section] not in table:
            yield f"[{title}] lacks {_NEEDED[section]}"
        yield from _in_table(section, title, table)


def _in_table(section: str, title: str, table: Mapping[str, object]) -> Iterator[str]:
    known = _KEYS[section]
    for key, value in table.items():
        if key not in known:
            if section != "locations":  # a location's kind decides what else there is to say about it
                yield f"[{title}] {key}: there is no such key{nearest_of(key, known)}"
        elif not (isinstance(value, str) or (known[key] == _TEXTS and _are_texts(value))):
            yield f"[{title}] {key}: {value!r} is not {'text, nor a list of texts' if known[key] == _TEXTS else 'text'}"
        elif key == "timezone" and value and not is_timezone(str(value)):
            yield f"[{title}] {key}: {value!r} is not a time zone, as Europe/Oslo"
        elif key == "root" and section == "shares" and not value:
            yield f"[{title}] {key}: it is empty"


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _lab(folder: str, tables: Mapping[str, Any]) -> Lab:
    lab = tables.get("lab", {})
    return Lab(
        folder=folder,
        name=lab.get("name", ""),
        timezone=lab.get("timezone", ""),
        catalogue_url=tables.get("catalogue", {}).get("url", ""),
        shares=tuple(_share(folder, name, table) for name, table in tables.get("shares", {}).items()),
        locations=tuple(_location(name, table) for name, table in tables.get("locations", {}).items()),
        layouts=tuple(Layout(name, table["pattern"]) for name, table in tables.get("layouts", {}).items()),
    )


def _share(folder: str, name: str, table: Mapping[str, Any]) -> Share:
    values: dict[str, Any] = {
        key: _texts(table[key]) if kind == _TEXTS else table[key] for key, kind in _given("shares", table)
    }
    root = os.path.normpath(os.path.join(folder, values.pop("root")))
    return Share(name=name, root=root, **values)


def _location(name: str, table: Mapping[str, Any]) -> NamedLocation:
    values = {key: table[key] for key, _ in _given("locations", table)}
    more = tuple((key, value) for key, value in table.items() if key not in values)
    return NamedLocation(name=name, settings=more, **values)


def _given(section: str, table: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    return ((key, kind) for key, kind in _KEYS[section].items() if key in table)


def _texts(value: object) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else ()


def write_new_lab(steps: durable.Steps, folder: str, *, name: str, timezone: str, catalogue_url: str) -> str:
    """Write the file of a new lab into a folder, and say where it is. `FileExistsError` when there is one."""
    path = os.path.join(folder, LAB_FILE)
    text = _NEW_LAB.format(name=_quoted(name), timezone=_quoted(timezone), url=_quoted(catalogue_url))
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
    durable.replace(steps, path, text.encode())  # whole at any moment: half of one would be a lab without a name
    return path


def _quoted(text: str) -> str:
    """A basic string of TOML. Source: https://toml.io/en/v1.0.0#string (its escapes are JSON's, and DEL)."""
    import json  # here, because only a new lab is written

    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def change_lab(steps: durable.Steps, path: str, change: "Callable[[TOMLDocument], None]") -> Lab:
    """Change a lab's file; comments, order and everything else stay as they are. Gives what it says then.

    It is read back before it replaces the old one, which is there, whole, until then. Raises what `read_lab` raises,
    and `ExtraMissing` without tomlkit.
    """
    tomlkit = _tomlkit()
    target = os.path.realpath(path)
    with _alone(steps, os.path.dirname(target)):
        read_lab(path)  # what is wrong with it is not for us to write again
        with open(target, "rb") as file:
            old = file.read()
        document = tomlkit.parse(old.decode())
        change(document)
        new = tomlkit.dumps(document).encode()
        if new != old:
            _check(path, new)
            durable.replace(steps, target, new, mode=os.stat(target).st_mode & 0o777)
        return read_lab(path)


@contextmanager
def _alone(steps: durable.Steps, folder: str) -> Iterator[None]:
    """While this lasts nobody else changes the file: two at once would lose what one of them wrote."""
    private = os.path.join(folder, PRIVATE)
    durable.make_folders(steps, private)
    lock = durable.open_lock(steps, os.path.join(private, "settings.lock"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _check(path: str, text: bytes) -> None:
    import tomllib

    problems = list(_problems(tomllib.loads(text.decode())))
    if problems:
        raise BadLabFile(path, "; ".join(problems))


def put_catalogue(document: "TOMLDocument", url: str) -> None:
    """Let the file name another catalogue."""
    if "catalogue" not in document:
        document["catalogue"] = _tomlkit().table()
    section: Any = document["catalogue"]  # what tomlkit gives has a type for each way that TOML can be written
    section["url"] = url


def put_share(document: "TOMLDocument", name: str, values: Mapping[str, str | Iterable[str]]) -> None:
    """Give a share these values; an empty one takes the key away. A new share comes behind those that are there."""
    tomlkit = _tomlkit()
    if "shares" not in document:
        document["shares"] = tomlkit.table(is_super_table=True)
    shares: Any = document["shares"]  # what tomlkit gives has a type for each way that TOML can be written
    if name not in shares:
        shares[name] = tomlkit.table()
    for key, value in values.items():
        if not value:
            shares[name].pop(key, None)
        else:
            shares[name][key] = value if isinstance(value, str) else _array(value)


def take_share(document: "TOMLDocument", name: str) -> None:
    """Take a share out of the file."""
    shares: Any = document["shares"]  # as above
    del shares[name]
    if not shares:
        del document["shares"]


def _array(values: Iterable[str]) -> object:
    array = _tomlkit().array()
    array.extend(values)
    return array.multiline(sum(map(len, array)) > 80)


def _tomlkit() -> ModuleType:
    try:
        import tomlkit  # here, because only those need it who change the file
    except ImportError as error:
        raise ExtraMissing("tomlkit", "pip install '.[lab]' in engram's clone") from error
    return tomlkit


def check_name(kind: str, name: str) -> None:
    """Raise `UsageError` unless *name* can be the name of a share, location or layout."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of a {kind}.",
            "Take letters, digits, - and _, at most 64, a letter or digit first.",
        )
