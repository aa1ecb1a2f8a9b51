"""A git configuration file as bytes: which variables it sets, to what.

Source: git-config(1) "CONFIGURATION FILE"
"""

import re
from collections.abc import Iterator
from typing import TypeAlias

from engram.model.errors import DamagedRepository

#: A name as git prints it, section and variable in lower case; ``None`` for a variable without ``=``.
Setting: TypeAlias = tuple[str, str | None]

#: What on and off are called, in any case; numbers are on but for 0.
_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off", ""})

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
#: Spaces, empty lines and comments, then a section or a variable. Quantifiers never give back what they took, so
#: that what does not parse is found out in linear time. (Groups are made so by ``(?>…)``: of a group, ``*+`` takes what
#: does not match, before Python 3.11.5. Source: https://github.com/python/cpython/issues/106052)
_ITEM = re.compile(
    r"""(?>(?:[ \t\r\n]++|[\#;][^\n]*+)*)
    (?:
        \[ (?P<section>[A-Za-z0-9.-]*+) (?>(?:[ \t\r]++ "(?P<subsection>(?>(?:[^"\\\n]|\\[^\n])*))")?) \]
      | (?P<variable>[A-Za-z][A-Za-z0-9-]*+) [ \t]*+
        (?>(?:
            = (?P<value>(?>(?:[^"\\\n\#;]++ | \\(?:[tbn"\\\n]|\Z) | "(?>(?:[^"\\\n]++|\\[tbn"\\\n])*)" )*))
            (?>(?:[\#;][^\n]*+)?)
        )?)
        (?=\n|\Z)
      | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
_ESCAPED = {"t": "\t", "b": "\b", "n": "\n", "\n": ""}
_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)
#: What a value is made of: spaces outside of quotes, what is quoted, and the rest.
_PART = re.compile(r'([ \t\r]+)|"((?>(?:[^"\\]++|\\.)*))"|((?:[^ \t\r"\\]|\\(?:.|\Z))+)', re.DOTALL)
_NUMBER = re.compile(r"[ \t\n\v\f\r]*([+-]?)(?:0[xX]([0-9a-fA-F]+)|0([0-7]*)|([1-9][0-9]*))([kKmMgG]?)")
_FACTORS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_LARGEST = (1 << 63) - 1
#: Of a number that says on or off.
_LARGEST_SWITCH = (1 << 31) - 1
_LONGEST_DIGITS = 64
_NAME = re.compile(r"([A-Za-z0-9-]*)(\..*)?\.([A-Za-z][A-Za-z0-9-]*)", re.DOTALL)


def parse_config(data: bytes, name: str) -> Iterator[Setting]:
    """The settings of a file, in their order. *name* is for the error.

    Raises:
        DamagedRepository: for what git calls a bad config line.
    """
    text = data.removeprefix(_BYTE_ORDER_MARK).replace(b"\r\n", b"\n").decode("utf-8", "surrogateescape")
    position, section = 0, ""
    while True:
        item = _ITEM.match(text, position)
        if item is None or (item["section"] == "" and item["subsection"] is None):
            raise DamagedRepository(name, f"line {_line_number(text, position)} is no git configuration")
        position = item.end()
        variable, value = item["variable"], item["value"]
        if variable is not None:
            full = section + variable.lower()
            yield full.partition("\0")[0], None if value is None else _plain(value).partition("\0")[0]
        elif item["section"] is not None:
            subsection = item["subsection"]
            section = item["section"].lower() + "."
            if subsection is not None:
                section += _ESCAPE.sub(r"\1", subsection) + "."
        else:
            return


def _line_number(text: str, position: int) -> int:
    """Where reading stopped: the line of the first thing behind *position*."""
    blank = re.compile(r"(?>(?:[ \t\r\n]++|[#;][^\n]*+)*)").match(text, position)
    return text.count("\n", 0, blank.end() if blank else position) + 1


def _plain(value: str) -> str:
    r"""A value without quotes, escapes and the spaces around it.

    >>> _plain(r' a  "b "\t ')
    'a  b \t'
    """
    if '"' not in value and "\\" not in value:
        return value.strip(" \t\r")
    found = spaces = ""
    for space, quoted, bare in _PART.findall(value):
        if space:
            spaces = spaces + space if found else ""
            continue
        found += spaces + _ESCAPE.sub(_unescape, quoted or bare)
        spaces = ""
    return found


def _unescape(escape: re.Match[str]) -> str:
    return _ESCAPED.get(escape[1], escape[1])


def canonical(name: str) -> str | None:
    """A setting's name as files and people may write it, as git prints it; ``None`` if it is none.

    >>> canonical("Remote.Origin.URL")
    'remote.Origin.url'
    """
    match = _NAME.fullmatch(name)
    if match is None or name.startswith(".") or "\n" in name:
        return None
    return f"{match[1].lower()}{match[2] or ''}.{match[3].lower()}"


def switch(text: str) -> bool | None:
    """Whether a setting is on; ``None`` for what is neither on nor off.

    >>> switch("Yes"), switch("0"), switch("")
    (True, False, False)
    """
    word = text.lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    number = whole_number(text)
    return None if number is None or abs(number) > _LARGEST_SWITCH else number != 0


def whole_number(text: str) -> int | None:
    """A number as settings may give it; ``None`` for what is none, or too large for git.

    >>> whole_number("4k"), whole_number("0x10"), whole_number("many")
    (4096, 16, None)
    """
    match = _NUMBER.fullmatch(text)
    if match is None or len(text) > _LONGEST_DIGITS:
        return None
    sign, hexadecimal, octal, decimal, unit = match.groups(default="")
    digits, base = (hexadecimal, 16) if hexadecimal else (octal, 8) if octal else (decimal or "0", 10)
    number = int(sign + digits, base) * _FACTORS[unit.lower()]
    return number if abs(number) <= _LARGEST else None
