"""One version of a file as a readable block, for a window as wide as it is."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from engram.cli.text import printable, size

if TYPE_CHECKING:
    from engram.datasets.provenance.versions import MadeBy, UsedFile, Version

_NARROWEST = 40
_LABEL = 10
_MOST_FILES = 8


def block(version: "Version", columns: int) -> list[str]:
    """The lines of one version, none wider than *columns*, with an empty one below."""
    width = max(columns, _NARROWEST) - 1
    when = version.when.replace("T", " ", 1)
    head = f"{version.commit[:7]}  {when}  {version.who.partition(' <')[0]}"
    lines = [printable(head)[:width], *_row(version.state, _name(version), width)]
    if version.run is None:
        lines += _row("message", version.message, width)
    else:
        lines += _command(version.run, width)
    lines += _content(version, width)
    return [*lines, ""]


def _name(version: "Version") -> str:
    if version.state == "renamed":
        return f"{version.other_path} -> {version.path}"
    return version.path + (f" (is {version.other_path} since)" if version.other_path else "")


def _command(run: "MadeBy", width: int) -> Iterator[str]:
    yield from _row("message", run.message, width)
    if run.problem:
        yield from _row("run", f"a record that cannot be read: {run.problem}", width)
        return
    yield from _row("command", run.cmd, width)
    place = "" if run.pwd == "." else f"in {run.pwd}, "
    again = f", repeats {run.chain[-1][:7]}" if run.chain else ""
    yield from _row("ran", f"{place}exit {run.exit}{again}", width)
    yield from _files("inputs", run.inputs, width)
    yield from _files("code", run.code, width)


def _files(label: str, files: Sequence["UsedFile"], width: int) -> Iterator[str]:
    for used in files[:_MOST_FILES]:
        known = used.key or (f"git {used.gitshasum[:7]}" if used.gitshasum else "")
        yield from _row(label, "  ".join(filter(None, (used.path, _short(known), "(changed)" * used.changed))), width)
        label = ""
    if len(files) > _MOST_FILES:
        yield from _row("", f"and {len(files) - _MOST_FILES} more: --json", width)


def _short(key: str) -> str:
    """A key without most of its digest."""
    head, dashes, digest = key.partition("--")
    name, dot, extension = digest.partition(".")
    return f"{head}{dashes}{name[:8]}…{dot}{extension}" if dashes and len(name) > _LABEL else key


def _content(version: "Version", width: int) -> Iterator[str]:
    if version.state == "deleted":
        return
    amount = "" if version.size_bytes is None else size(version.size_bytes)
    if version.key:
        yield from _row("content", "  ".join(filter(None, (amount, version.key))), width)
        yield from _row("held by", _holders(version), width)
    elif version.size_bytes is not None:
        yield from _row("content", f"{amount}  in git", width)


def _holders(version: "Version") -> str:
    others = [one.remote or one.description or one.uuid for one in version.holders if not one.here]
    return ", ".join([*(["here"] if version.here else []), *others]) or "nobody, as far as is known"


def _row(label: str, text: str, width: int) -> list[str]:
    """A label and its text, the text in lines of its own column."""
    indent = " " * (_LABEL + 2)
    parts = [printable(part) for part in text.split("\n")]
    lines = [line for part in parts for line in wrap(part, max(width - len(indent), _LABEL)) or [""]]
    return [f"  {label:<{_LABEL}}{lines[0]}", *(indent + line for line in lines[1:])]
