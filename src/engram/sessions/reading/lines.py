"""Text of the form ``name=value``, and other plain lines that rigs write."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from engram.model.errors import Malformed

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MATLAB_TIME = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d{1,2}):(\d\d):(\d\d)")


def text_of(data: bytes) -> str:
    """Text whose encoding nobody wrote down: UTF-8 with or without mark, whatever is not is replaced."""
    return data.decode("utf-8-sig", errors="replace")


def pairs(data: bytes) -> dict[str, str]:
    r"""``name=value`` lines, split at the first ``=``; long tables (SpikeGLX's ``~`` names) and other lines left out.

    Source: https://billkarsh.github.io/SpikeGLX/Sgl_help/Metadata_Help.html

    >>> pairs(b"typeThis=imec\r\ncatGTCmdline0=<CatGT -run=a -g=0>\n~imroTbl=(0,384)\n")
    {'typeThis': 'imec', 'catGTCmdline0': '<CatGT -run=a -g=0>'}
    """
    short, tables = data, data.find(b"\n~")
    if data[:1] == b"~" or (tables >= 0 and not _is_all_tables(data, tables)):
        short = b"\n".join(line for line in data.split(b"\n") if line[:1] != b"~")
    elif tables >= 0:
        short = data[:tables]  # they come last, and are most of it
    lines = short.replace(b"\r", b"").decode(errors="replace").split("\n")
    return dict([line.split("=", 1) for line in lines if "=" in line])


def _is_all_tables(data: bytes, place: int) -> bool:
    """Whether every line from one on that begins at *place* (its line break) is a table, up to the last line break."""
    while place >= 0:
        following = data[place + 1 : place + 2]
        if following != b"~":
            return not following
        place = data.find(b"\n", place + 1)
    return True


def integer(tags: Mapping[str, str], name: str, path: str) -> int | None:
    """A whole number that *tags* hold, ``None`` without one. Raises `Malformed` for what is none."""
    text = tags.get(name)
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    if not text.strip().isascii() or not text.strip().isdigit() or len(text) > 18:
        raise Malformed(path, f"{name} is no whole number: {text[:40]!r}")
    return int(text)


def positive(tags: Mapping[str, str], name: str, path: str) -> float | None:
    """A positive number that *tags* hold, ``None`` without one. Raises `Malformed` for what is none."""
    text = tags.get(name)
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        raise Malformed(path, f"{name} is no number: {text[:40]!r}") from None
    if not 0 < number < 1e15:
        raise Malformed(path, f"{name} is not positive: {text[:40]!r}")
    return number


def iso_time(text: str, name: str, path: str) -> datetime:
    """A time as ISO 8601 writes it. Raises `Malformed`."""
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        raise Malformed(path, f"{name} is no time: {text[:40]!r}") from None


def matlab_time(text: str) -> datetime | None:
    """A time as MATLAB's ``datestr`` writes it, in no zone; ``None`` for anything else.

    >>> matlab_time("14-Jul-2018 20:47:58")
    datetime.datetime(2018, 7, 14, 20, 47, 58)
    """
    match = _MATLAB_TIME.fullmatch(text.strip())
    if match is None or match[2].lower() not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(match[place]) for place in (1, 3, 4, 5, 6))
    return real_time(year, _MONTHS.index(match[2].lower()) + 1, day, hour, minute, second)


def real_time(*fields: int) -> datetime | None:
    """Year, month, day, … as a time in no zone; ``None`` when there is no such."""
    try:
        return datetime(*fields)  # type: ignore[arg-type]  # noqa: DTZ001 - three to seven numbers, which have no zone
    except (ValueError, TypeError):
        return None


def parsed_json(data: bytes, path: str) -> Mapping[str, object]:
    """A JSON object. Raises `Malformed` for anything else."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Malformed(path, f"no JSON ({type(error).__name__})") from None
    if not isinstance(value, dict):
        raise Malformed(path, "no JSON object")
    return value


def flat_yaml(data: bytes) -> dict[str, str | tuple[str, ...]]:
    r"""The scalars and lists of scalars at the top of a YAML mapping, all of them as text; nothing else.

    Anchors, aliases, tags, block texts and nesting are left out, so that nothing can grow; ``102_1`` stays as it is.

    >>> flat_yaml(b"Task: openfield  # 2 arenas\nbodyparts:\n- nose\n- 'tail'\niteration: 0\nvideos:\n  a.mp4:\n")
    {'Task': 'openfield', 'bodyparts': ('nose', 'tail'), 'iteration': '0'}
    """
    found: dict[str, str | list[str]] = {}
    name = ""
    for line in text_of(data).splitlines():
        stripped = line.strip()
        if stripped.startswith("- ") and name:
            item, known = _scalar(stripped[2:]), found.setdefault(name, [])
            if item is not None and isinstance(known, list):
                known.append(item)
        elif line[:1] not in {" ", "\t", "#", "-", ""}:
            name, value = _entry(line)
            if value:
                found[name], name = value, ""
        elif stripped and not stripped.startswith("#"):
            name = ""  # a mapping below it: its lists are not of the top
    return {name: value if isinstance(value, str) else tuple(value) for name, value in found.items() if value}


def _entry(line: str) -> tuple[str, str | None]:
    name, colon, value = line.partition(":")
    if not colon or (value and value[0] not in " \t"):
        return "", None
    return name.strip().strip("'\""), _scalar(value)


def _scalar(text: str) -> str | None:
    text = text.strip()
    if text[:1] in {"'", '"'}:
        return text[1:].partition(text[0])[0]
    if text[:1] in {"&", "*", "!", "|", ">", "[", "{", "#", "%", "@", "`"}:
        return None
    text = text.partition(" #")[0].rstrip()
    return None if text.endswith(":") or ": " in text else text


def rows(data: bytes, *, most: int = 10_000) -> Iterator[tuple[int, str]]:
    """Lines that say something, with their numbers from 1 on."""
    lines: Iterable[str] = text_of(data).splitlines()
    for number, line in enumerate(lines, start=1):
        if number > most:
            return
        if line.strip():
            yield number, line
