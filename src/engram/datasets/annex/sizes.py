"""Sizes as git-annex reads them: ``100kb``, ``1.5GiB``, ``0x10``, ``2 terabytes`` without the space.

Source: https://git-annex.branchable.com/git-annex-matching-expression/, and answers of ``git annex matchexpression``
"""

import math
import re
from collections.abc import Mapping
from itertools import takewhile
from types import MappingProxyType

_NUMBER = re.compile(
    r"(?P<sign>-?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[oO](?P<octal>[0-7]+)"
    r"|(?P<decimal>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)|(?P<odd>Infinity|NaN)(?![\w']))"
)
#: What git-annex makes of infinity.
_ENDLESS = 1 << 1024

_PREFIXES = "kilo mega giga tera peta exa zetta yotta ronna quetta".split()
_BINARY_PREFIXES = "kibi mebi gibi tebi pebi exbi zebi yobi".split()


def _units() -> Mapping[str, int]:
    """Every accepted spelling in small letters, and its bytes."""
    units = {"": 1, "b": 1, "byte": 1, "bytes": 1}
    for power, name in enumerate(_PREFIXES, start=1):
        bits = 1000**power // 8
        for spelling in (name[0], f"{name[0]}b", f"{name}byte", f"{name}bytes"):
            units[spelling] = 1000**power
        if power <= len(_BINARY_PREFIXES):
            units |= dict.fromkeys((f"{name[0]}bit", f"{name}bit", f"{name}bits"), bits)
    for power, name in enumerate(_BINARY_PREFIXES, start=1):
        for spelling in (f"{name[0]}i", f"{name[0]}ib", f"{name}byte", f"{name}bytes"):
            units[spelling] = 1024**power
    return MappingProxyType(units)


_UNITS = _units()


def size_in(text: str) -> int | None:
    """The number of bytes; ``None`` if it is no size. Anything after the unit is passed over.

    >>> size_in("1.5kB"), size_in("1KiB"), size_in("100"), size_in("many")
    (1500, 1024, 100, None)
    """
    match = _NUMBER.match(text)
    if match is None:
        return None
    unit = "".join(takewhile(str.isalpha, text[match.end() :].lstrip())).lower()
    if unit not in _UNITS:
        return None
    size_bytes = _number(match) * float(_UNITS[unit])
    if math.isnan(size_bytes):
        return -_ENDLESS
    if math.isinf(size_bytes):
        return int(math.copysign(1, size_bytes)) * _ENDLESS
    return round(size_bytes)


def _number(match: "re.Match[str]") -> float:
    if match["odd"]:
        number = float(match["odd"])
    elif match["decimal"]:
        number = float(match["decimal"])
    else:
        digits, base = (match["hex"], 16) if match["hex"] else (match["octal"], 8)
        whole = int(digits, base)
        number = float(whole) if whole < _ENDLESS >> 1 else math.inf
    return -number if match["sign"] else number
