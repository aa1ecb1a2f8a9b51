"""The logs on the git-annex branch: lines with a time each, of which the newest holds.

Every log is text in which each line stands alone, so that two versions merge by joining their lines. Times are
seconds; old logs carry fractions of any length. Lines that nobody understands are kept.

Source: https://git-annex.branchable.com/internals/
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

#: Whole seconds, and the digits of the fraction without trailing zeros: compares as the time does.
Clock: TypeAlias = tuple[int, bytes]

PRESENT: Final = b"1"
MISSING: Final = b"0"
#: The content is gone for good: nobody should look for it any more.
DEAD: Final = b"X"

TRUSTED: Final = b"1"
UNTRUSTED: Final = b"0"
SEMITRUSTED: Final = b"?"
DEAD_REPOSITORY: Final = b"X"

#: Some versions on Windows wrote one or more carriage returns.
_LINE_END = re.compile(rb"[\r\n]+")
#: Of more digits Python makes no number; such a line is one that nobody understands.
_TIME = rb"(?P<seconds>-?[0-9]{1,4000})(?:\.(?P<fraction>[0-9]+))?s?"
_PRESENCE = re.compile(_TIME + rb" (?P<status>[01X]) (?P<about>.*)")
_VALUE = re.compile(_TIME + rb" (?P<value>.*)")
_NAMED = re.compile(_TIME + rb" (?P<name>[^ ]*) (?P<value>.*)")
_BY_UUID = re.compile(rb"(?P<uuid>[^ ]+)(?: (?P<value>.*?))??(?: timestamp=" + _TIME + rb")?")
#: When two lines with one time disagree, a merge keeps the one that promises least.
_PROMISES_LESS = (PRESENT, MISSING, DEAD)
#: More than anybody can have.
_MOST_COPIES = 999_999_999
_EVER_BEFORE: Clock = (-(1 << 63), b"")


def _lines(log: bytes) -> Iterable[bytes]:
    return filter(None, _LINE_END.split(log))


def _clock(match: "re.Match[bytes]") -> Clock:
    return int(match["seconds"]), (match["fraction"] or b"").rstrip(b"0")


def _newest(log: bytes) -> tuple[dict[bytes, "re.Match[bytes]"], list[bytes]]:
    """The line that holds about each repository, and the lines that say something unknown."""
    newest: dict[bytes, re.Match[bytes]] = {}
    unknown: list[bytes] = []
    for line in _lines(log):
        match = _PRESENCE.fullmatch(line)
        if match is None:
            unknown.append(line)
        elif (other := newest.get(match["about"])) is None or _clock(match) > _clock(other):
            newest[match["about"]] = match
    return newest, unknown


def holders(log: bytes) -> tuple[bytes, ...]:
    r"""The UUIDs of the repositories that hold a content, by its location log, sorted.

    Of two lines with the same time the first holds, as git-annex reads them.

    >>> holders(b"1s 1 laptop\n2.5s 0 laptop\n3s 1 server\n")
    (b'server',)
    """
    newest, _ = _newest(log)
    return tuple(sorted(about for about, line in newest.items() if line["status"] == PRESENT))


def said_at_s(log: bytes, uuid: bytes) -> int | None:
    r"""When repository *uuid* last said whether it holds a content; ``None`` when it never did.

    >>> said_at_s(b"5.5s 1 laptop\n7s 0 laptop\n", b"laptop"), said_at_s(b"", b"laptop")
    (7, None)
    """
    line = _newest(log)[0].get(uuid)
    return None if line is None else int(line["seconds"])


def is_dead(log: bytes) -> bool:
    r"""Whether a content was declared gone for good: every line of its location log that holds says so.

    >>> is_dead(b"5s X laptop\n"), is_dead(b"5s X laptop\n6s 0 server\n"), is_dead(b"")
    (True, False, False)
    """
    newest, _ = _newest(log)
    return bool(newest) and all(line["status"] == DEAD for line in newest.values())


def with_line(old: bytes, uuid: bytes, present: bool, now_s: int) -> bytes:
    r"""A location log that also says that repository *uuid* holds the content, or does not.

    Unchanged when it says so already. The new line is never older than the one it replaces, which it replaces even
    where a clock went back; lines that something newer overrules are left out.

    >>> with_line(b"5.5s 1 laptop\n", b"laptop", False, 3)
    b'6s 0 laptop\n'
    """
    status = PRESENT if present else MISSING
    if not old:
        return b"%ds %s %s\n" % (now_s, status, uuid)
    newest, unknown = _newest(old)
    known = {about: line[0] for about, line in newest.items()}
    if mine := newest.get(uuid):
        if mine["status"] == status:
            return old
        now_s = max(now_s, int(mine["seconds"]) + 1)
    known[uuid] = b"%ds %s %s" % (now_s, status, uuid)
    return _joined([*(known[about] for about in sorted(known)), *unknown])


def merged(logs: Iterable[bytes]) -> bytes:
    """What several versions of one location log say together: the newest line about each repository.

    The order of the versions does not matter.
    """
    best: dict[bytes, tuple[Clock, int, bytes]] = {}
    unknown: set[bytes] = set()
    for line in (line for log in logs for line in _lines(log)):
        match = _PRESENCE.fullmatch(line)
        if match is None:
            unknown.add(line)
            continue
        rank = _clock(match), _PROMISES_LESS.index(match["status"]), line
        best[match["about"]] = max(rank, best.get(match["about"], rank))
    return _joined([*(best[about][2] for about in sorted(best)), *sorted(unknown)])


def union(logs: Iterable[bytes]) -> bytes:
    """Several versions of any log as one: every line once, in the order they are met.

    This is how git-annex merges a log whose kind it need not know.
    """
    return _joined(dict.fromkeys(line for log in logs for line in log.split(b"\n") if line))


def _joined(lines: Iterable[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def newest_value(log: bytes) -> bytes | None:
    r"""The value that holds in a log of one value (``numcopies.log``, ``mincopies.log``).

    >>> newest_value(b"1s 2\n5s 3\n")
    b'3'
    """
    values = [(_clock(match), match["value"]) for line in _lines(log) if (match := _VALUE.fullmatch(line))]
    return max(values)[1] if values else None


def copies_in(value: "bytes | str | None") -> int | None:
    """A number of copies as settings, attributes and logs give it; ``None`` where they give none.

    >>> copies_in(b" 2"), copies_in("many"), copies_in("9" * 5000)
    (2, None, 999999999)
    """
    digits = (value or b"").strip()
    if not digits.isdigit() or not digits.isascii():
        return None
    return _MOST_COPIES if len(digits) > len(str(_MOST_COPIES)) else int(digits)


def with_one_value(old: bytes, value: bytes, now_s: int) -> bytes:
    r"""A log of one value that says this one: newer than whatever it said before.

    >>> with_one_value(b"9s 2\n", b"3", 5)
    b'10s 3\n'
    """
    clocks = [int(match["seconds"]) for line in _lines(old) if (match := _VALUE.fullmatch(line))]
    return b"%ds %s\n" % (max([now_s, *(clock + 1 for clock in clocks)]), value)


def named_values(log: bytes) -> dict[str, str]:
    r"""The values that hold in ``config.log``, by name. An empty value unsets one.

    >>> named_values(b"1s annex.largefiles largerthan=1mb and not include=*.txt\n")
    {'annex.largefiles': 'largerthan=1mb and not include=*.txt'}
    """
    entries = (
        (match["name"], _clock(match), match["value"]) for line in _lines(log) if (match := _NAMED.fullmatch(line))
    )
    return {_text(name): _text(value) for name, value in _last(entries) if value}


def values_by_uuid(log: bytes) -> dict[bytes, bytes]:
    r"""The values that hold in a log with one per repository (``uuid.log``, ``trust.log``, ``group.log``, …).

    >>> values_by_uuid(b"e605 ada@rig:~/data timestamp=1317929189.157237s\n")
    {b'e605': b'ada@rig:~/data'}
    """
    return dict(_last(_by_uuid(log)))


def trust_levels(log: bytes) -> dict[bytes, bytes]:
    r"""How far repositories are trusted, by ``trust.log``: those that are not in it are semitrusted.

    >>> trust_levels(b"e605 X timestamp=1s\n") == {b"e605": DEAD_REPOSITORY}
    True
    """
    known = (TRUSTED, UNTRUSTED, SEMITRUSTED, DEAD_REPOSITORY)
    return {uuid: level for uuid, level in values_by_uuid(log).items() if level in known}


def with_value(old: bytes, uuid: bytes, value: bytes, now_s: int) -> bytes:
    r"""A log with one value per repository in which *uuid* has this one.

    >>> with_value(b"", b"e605", b"ada@rig:~/data", 17)
    b'e605 ada@rig:~/data timestamp=17s\n'
    """
    kept: list[bytes] = []
    mine: list[bytes] = []
    for line in _lines(old):
        match = _BY_UUID.fullmatch(line)
        if match is None or match["uuid"] != uuid:
            kept.append(line)
            continue
        mine.append(match["value"] or b"")
        if match["seconds"]:
            now_s = max(now_s, int(match["seconds"]) + 1)
    if mine == [value]:
        return old
    return _joined([*kept, b"%s %s timestamp=%ds" % (uuid, value, now_s)])


def _by_uuid(log: bytes) -> Iterator[tuple[bytes, Clock, bytes]]:
    for line in _lines(log):
        if match := _BY_UUID.fullmatch(line):
            clock = _clock(match) if match["seconds"] else _EVER_BEFORE
            yield match["uuid"], clock, match["value"] or b""


def _last(entries: Iterable[tuple[bytes, Clock, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """The newest value under each name; of two with one time, the later line's."""
    newest: dict[bytes, tuple[Clock, bytes]] = {}
    for name, clock, value in entries:
        if name not in newest or clock >= newest[name][0]:
            newest[name] = clock, value
    return ((name, value) for name, (_, value) in newest.items())


def _text(value: bytes) -> str:
    return value.decode(errors="surrogateescape")
