"""How outcomes about git-annex keys are shown to people."""

from engram.cli.render import relative_path
from engram.cli.text import ink, printable
from engram.model.outcome import DatasetOutcome, Outcome

_SHOWN_LETTERS = 12


def short_key(key: str) -> str:
    """A key that fits on a line: its digest is cut.

    >>> short_key("SHA256E-s5--2cf24dba5fb0a30e26e83b2ac5b9e29e.bin")
    'SHA256E-s5--2cf24dba5fb0….bin'
    """
    fields, dashes, name = key.partition("--")
    digest, dot, extension = name.partition(".")
    if len(digest) > _SHOWN_LETTERS + 1 and digest.isalnum():
        digest = digest[:_SHOWN_LETTERS] + "…"
    return printable(f"{fields}{dashes}{digest}{dot}{extension}")


def name_of(outcome: DatasetOutcome) -> str:
    """What an outcome is about, as people call it: a path, or a key."""
    if outcome.type == "key":
        return short_key(outcome.key)
    return printable(relative_path(outcome.path, outcome.refds))


def key_line(outcome: Outcome, colours: bool) -> str | None:
    """The usual line for an outcome about a key, which has no path of its own; ``None`` for any other outcome."""
    if not isinstance(outcome, DatasetOutcome) or outcome.type != "key":
        return None
    action, status = ink(outcome.action, "action", colours), ink(outcome.status, outcome.status, colours)
    number = dict(outcome.extra).get("number")
    name = short_key(outcome.key) if number is None else f"{number} {short_key(outcome.key)}"
    remarks = "".join(f" [{printable(remark)}]" for remark in (outcome.message, outcome.note) if remark)
    return f"{action}({status}): {name}{remarks}"
