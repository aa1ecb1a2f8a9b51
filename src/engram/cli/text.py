"""Text that is safe and pleasant to print: names without control characters, sizes, colours."""

from collections.abc import Mapping

_SPACES = frozenset("\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000")
_SIZES = ("B", "KB", "MB", "GB", "TB", "PB", "EB")

#: Colour and weight by what is shown, as numbers of SGR (ECMA-48, 8.3.117).
STYLES: Mapping[str, str] = {
    "ok": "32",
    "notneeded": "32",
    "impossible": "31",
    "error": "31",
    "clean": "32",
    "added": "32",
    "modified": "31",
    "deleted": "31",
    "untracked": "31",
    "unknown": "33",
    "type": "35",
    "action": "1",
    "remedy": "33",
}


def printable(text: str) -> str:
    r"""The text with everything escaped that a terminal could obey or hide: C0, C1, DEL, bidi marks, stray bytes.

    >>> printable("a\x1b[2Jb"), printable("Zürich 水.nii"), printable("\udcff\u202e")
    ('a\\x1b[2Jb', 'Zürich 水.nii', '\\xff\\u202e')
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in _SPACES else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    number = ord(char)
    if 0xDC80 <= number <= 0xDCFF:  # a byte that is not UTF-8, as Python keeps it in names
        return f"\\x{number - 0xDC00:02x}"
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")


def size(count: int) -> str:
    """A number of bytes for people, as DataLad writes it.

    >>> size(0), size(1536), size(1024**3)
    ('0.0 B', '1.5 KB', '1.0 GB')
    """
    value = float(count)
    for unit in _SIZES:
        if value < 1024 or unit == _SIZES[-1]:
            break
        value /= 1024
    return f"{value:.1f} {unit}"


def typed(name: str) -> str:
    """A name, of a file perhaps, as it is typed into a shell after other words of a command.

    >>> typed("plan.json"), typed("my plan.json"), typed("-plan.json")
    ('plan.json', "'my plan.json'", './-plan.json')
    """
    from shlex import quote  # here, because few calls offer a line to paste

    return printable(quote(f"./{name}" if name.startswith("-") else name))


def ink(text: str, style: str, colours: bool) -> str:
    """The text in the colour of a *style*, where colours are shown."""
    code = STYLES.get(style) if colours else None
    return f"\x1b[{code}m{text}\x1b[0m" if code else text
