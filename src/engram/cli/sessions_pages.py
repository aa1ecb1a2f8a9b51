"""What ``engram help`` tells about what is found on a share."""

from engram.cli.topic import Section, Topic
from engram.model.findings import FINDINGS
from engram.sessions.discovery import GROUP, built_in
from engram.sessions.recogniser import Recogniser
from engram.sessions.workers import INSTALL_RIG

_RECOGNISERS = (
    "Every folder of a session is shown to those that know a file name in it. They read headers, never a file as a"
    " whole, run nothing that a file brings along, and tell what is wrong as findings. HDF5 files, and MATLAB files of"
    f" version 7.3, are opened by a process of their own that has limits: {INSTALL_RIG}"
)
_PLUGINS = (
    f"A package adds its own under the entry point group {GROUP}: the name of an engram.sessions.recogniser.Recogniser."
    " engram.testing.recognisers has the suite that proves it: a subclass of RecogniserContract with a sample."
)
_FINDINGS = (
    "What a person should know about a file before trusting it, with the code that JSON lines carry. An error is not"
    " ingested as sound; a warning is ingested, and somebody should look; a note is good to know. One that is as it has"
    " to be is waived, with the reason: engram sessions waive ID CODE --why TEXT"
)


def recognisers_page() -> Topic:
    """``engram help recognisers``."""
    sections = tuple(_recogniser(recogniser) for recogniser in built_in())
    plugins = Section(title="Formats of your own", text=_PLUGINS)
    return Topic(title="What is recognised on a share", sections=(Section(text=_RECOGNISERS), *sections, plugins))


def _recogniser(recogniser: Recogniser) -> Section:
    rows = (
        ("file names end in", _listed(recogniser.suffixes)),
        ("reads", recogniser.reads or "what it has to"),
        ("source", recogniser.source),
    )
    return Section(title=recogniser.name, rows=rows)


def _listed(suffixes: tuple[str, ...]) -> str:
    """Suffixes in a row; many that differ by a number alone are told by the first and the last."""
    numbered = [suffix for suffix in suffixes if suffix[1:].isdigit()]
    others = [suffix for suffix in suffixes if suffix not in numbered]
    return ", ".join([*others, f"{numbered[0]} to {numbered[-1]}"] if numbered else others)


def findings_page() -> Topic:
    """``engram help findings``."""
    sections = tuple(
        Section(
            title=code,
            text=kind.meaning,
            rows=(("severity", str(kind.severity)), ("remedy", kind.remedy)),
        )
        for code, kind in sorted(FINDINGS.items())
    )
    return Topic(title="Findings", sections=(Section(text=_FINDINGS), *sections))
