"""A git configuration file as bytes, changed in one place and otherwise left as it is.

Source: git-config(1) "CONFIGURATION FILE"
"""

import re
from collections.abc import Mapping
from itertools import pairwise

_SECTION = re.compile(rb"^[ \t]*\[", re.MULTILINE)
_NEEDS_QUOTES = re.compile(rb"[\"\\;#\n\t\x08]|^\s|\s$")
_SPELLED = {b'"': b'\\"', b"\\": b"\\\\", b"\n": b"\\n", b"\t": b"\\t", b"\b": b"\\b"}
_SPECIAL = re.compile(rb"[\"\\\n\t\x08]")


def header(section: bytes, subsection: bytes = b"") -> bytes:
    r"""How a section begins, as git writes it.

    >>> header(b"remote", b"origin")
    b'[remote "origin"]'
    """
    if not subsection:
        return b"[" + section + b"]"
    return b"[" + section + b' "' + subsection.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"]'


def quoted(value: bytes) -> bytes:
    r"""A value as git's own files spell it; NUL and carriage return, which no value can hold, are left out.

    >>> quoted(b"a b"), quoted(b"a;b")
    (b'a b', b'"a;b"')
    """
    value = value.replace(b"\0", b"").replace(b"\r", b"")
    if _NEEDS_QUOTES.search(value) is None:
        return value
    return b'"' + _SPECIAL.sub(lambda match: _SPELLED[match[0]], value) + b'"'


def with_values(text: bytes, head: bytes, values: Mapping[bytes, bytes]) -> bytes:
    r"""The file's *text* with these variables in the section that begins with the line *head*.

    A variable that this section has already gets its new value; the others follow its last line. Where there is no such
    section, it is put at the end.

    >>> with_values(b"[a]\n\tx = 1\n[b]\n\ty = 2\n", b"[a]", {b"x": b"3", b"z": b"4"})
    b'[a]\n\tx = 3\n\tz = 4\n[b]\n\ty = 2\n'
    """
    if text and not text.endswith(b"\n"):
        text += b"\n"
    bounds = [*(match.start() for match in _SECTION.finditer(text)), len(text)]
    for start, end in pairwise(bounds):
        if text[start:end].split(b"\n")[0].strip() == head:
            return text[:start] + _changed(text[start:end], values) + text[end:]
    return text + _changed(head + b"\n", values)


def _changed(section: bytes, values: Mapping[bytes, bytes]) -> bytes:
    lines = section.split(b"\n")[:-1]
    places = {line.partition(b"=")[0].strip().lower(): place for place, line in enumerate(lines) if b"=" in line}
    for name, value in values.items():
        line = b"\t" + name + b" = " + quoted(value)
        place = places.get(name.lower())
        if place is None:
            lines.append(line)
        else:
            lines[place] = line
    return b"\n".join(lines) + b"\n"
