"""Which recognisers there are: those that come with engram, and those that plugins bring."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from engram.model.errors import Unreadable
from engram.model.findings import Finding
from engram.sessions.recogniser import Folder, Recogniser, Seen

#: Where plugins name theirs.
GROUP = "engram.recognisers"
#: Those of engram itself, asked in this order; ``pyproject.toml`` names the same, so that others see how it is done.
BUILT_IN = (
    *("spikeglx", "scanimage", "suite2p", "deeplabcut", "matmot", "motive", "sessions_txt", "matlab", "video"),
    *("kilosort", "tetrodes", "open_ephys", "neuralynx", "axona", "nwb", "bids", "containers", "neurologger"),
)


@dataclass(frozen=True, slots=True)
class Discovered:
    """What can be asked, and what could not be loaded."""

    recognisers: tuple[Recogniser, ...]
    #: One line for each plugin that is broken, with its name: to be told once, before a scan.
    broken: tuple[str, ...] = ()


def built_in() -> tuple[Recogniser, ...]:
    """The recognisers that come with engram."""
    return tuple(import_module(f"engram.sessions.recognisers.{name}").RECOGNISER for name in BUILT_IN)


def discover(plugins: Iterable[EntryPoint] | None = None) -> Discovered:
    """All recognisers. A plugin that does not load, or is none, is told of and left out.

    Args:
        plugins: instead of those that are installed.
    """
    found, broken = list(built_in()), []
    for plugin in sorted(entry_points(group=GROUP) if plugins is None else plugins, key=lambda one: one.name):
        if plugin.value.startswith("engram.sessions."):
            continue
        try:
            loaded = plugin.load()
        except Exception as error:  # noqa: BLE001 - whatever another's package raises while it loads
            broken.append(f"The plugin {plugin.name} ({plugin.value}) does not load: {type(error).__name__}: {error}")
            continue
        if isinstance(loaded, Recogniser):
            found.append(loaded)
        else:
            broken.append(f"The plugin {plugin.name} ({plugin.value}) is no Recogniser.")
    return Discovered(tuple(found), tuple(broken))


def recognised(folder: Folder, recognisers: Iterable[Recogniser]) -> Iterator[tuple[Recogniser, Seen]]:
    """What the recognisers see in a folder, and which of them sees it: only those are asked that know a suffix there.

    One that fails costs a finding, never the scan.
    """
    for recogniser in recognisers:
        if not any(map(folder.ending, recogniser.suffixes)):
            continue
        try:
            for seen in recogniser.recognise(folder):
                yield recogniser, seen
        except Unreadable as error:
            path = error.path if folder.holds(error.path) else folder.ending(*recogniser.suffixes)[0]
            yield recogniser, Finding(code="unreadable", path=path, message=f"It cannot be read: {error.reason}.")
        except Exception as error:  # noqa: BLE001 - a plugin's mistake must not end the scan of a share
            path = folder.ending(*recogniser.suffixes)[0]
            message = f"The recogniser of {recogniser.name} failed: {type(error).__name__}: {error}."
            yield recogniser, Finding(code="recogniser-failed", path=path, message=message[:500])
