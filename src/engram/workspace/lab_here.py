"""The lab that a call is about, with the settings that hold in it."""

import os
from dataclasses import dataclass

from engram.config import LAB_FILE, Settings, find_lab, read_settings, why_not_trusted
from engram.model.errors import NoLab, UsageError
from engram.model.lab import Lab, Share
from engram.workspace.context import Context, trust_folder, user_file
from engram.workspace.lab_file import PRIVATE, read_lab


@dataclass(frozen=True, slots=True, kw_only=True)
class LabHere:
    """The lab that the user named, or the one around his folder."""

    #: Path of its ``engram.toml``.
    file: str
    lab: Lab
    #: The lab's, where nothing stronger says otherwise.
    settings: Settings

    @property
    def private(self) -> str:
        """The folder of what is the lab's own: catalogue, states, backups."""
        return os.path.join(self.lab.folder, PRIVATE)

    def shares(self, names: tuple[str, ...]) -> tuple[Share, ...]:
        """The shares of these names, all when there are none. Raises `UsageError` for one that there is not."""
        known = {share.name: share for share in self.lab.shares}
        unknown = [name for name in names if name not in known]
        if unknown:
            raise UsageError(f"The lab has no share {unknown[0]!r}.", "See which there are: engram share list")
        if not known:
            raise UsageError("The lab has no share yet.", "Add one: engram share add NAME PATH")
        return tuple(known[name] for name in dict.fromkeys(names)) or tuple(known.values())


def lab_here(context: Context) -> LabHere:
    """The lab of a call. Raises `NoLab`, and what reading its file raises."""
    file = context.lab_file or find_lab(context.folder, trust_folder(context))
    if not file:
        _tell_of_one_not_trusted(context.folder)
        raise NoLab(context.folder)
    lab = read_lab(file, options=context.options, environment=context.environment)
    settings = read_settings(
        user_file(context.environment), environment=context.environment, options=context.options, lab_file=file
    )
    return LabHere(file=file, lab=lab, settings=settings)


def _tell_of_one_not_trusted(folder: str) -> None:
    """Silence about a lab that is passed over would leave its owner at a loss."""
    while True:
        candidate = os.path.join(folder, LAB_FILE)
        if os.path.isfile(candidate) and (why := why_not_trusted(candidate)):
            raise UsageError(f"{candidate} is not read: {why}.", f"If it is yours: engram lab trust {folder}")
        parent = os.path.dirname(folder)
        if parent == folder:
            return
        folder = parent
