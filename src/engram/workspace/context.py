"""What every operation is told about the call that it serves."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from engram.config import Settings, read_settings
from engram.model.progress import Progress, Silent


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)  # nobody compares two, and each call pays
class Context:
    """One call: where it happens, with which settings, and who listens to its progress."""

    #: Absolute path that relative paths start from.
    folder: str
    settings: Settings = field(default_factory=Settings)
    #: git's configuration for this call: ``NAME=VALUE``; ``:NAME`` takes one away.
    git_configuration: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    progress: Progress = field(default_factory=Silent)
    #: The lab's file that the user named, or ''.
    lab_file: str = ""
    #: What ``-c engram.…`` said, without ``engram.``, for those who read settings of their own.
    options: tuple[str, ...] = ()
    #: Arguments that match nothing become outcomes; otherwise they refuse the whole request before anything is done.
    reports_unknown: bool = False


def context_here() -> Context:
    """The context of this process, for the Python interface: its folder, its environment, the user's settings."""
    environment = dict(os.environ)
    settings = read_settings(user_file(environment), environment=environment)
    return Context(folder=os.getcwd(), settings=settings, environment=environment)


def user_file(environment: Mapping[str, str], platform: str = sys.platform) -> str:
    """Path of the user's own settings file: what ``ENGRAM_CONFIG_FILE`` says, else in his configuration folder."""
    named = environment.get("ENGRAM_CONFIG_FILE")
    if named is not None:
        return named
    if platform == "linux":  # as platformdirs says (a test compares), without the 10 ms that it takes to load
        folder = environment.get("XDG_CONFIG_HOME", "").strip()
        home = environment.get("HOME") or os.path.expanduser("~")
        return os.path.join(folder or os.path.join(home, ".config"), "engram", "config.toml")
    from platformdirs import user_config_path

    return str(user_config_path("engram", appauthor=False) / "config.toml")


def trust_folder(context: Context) -> str:
    """Where it is noted, one file each, what this user allowed to run."""
    folder = context.environment.get("XDG_STATE_HOME", "").strip()
    folder = folder if os.path.isabs(folder) else ""  # a relative one would be the dataset's to choose
    home = context.environment.get("HOME") or os.path.expanduser("~")
    return os.path.join(folder or os.path.join(home, ".local", "state"), "engram", "trust")
