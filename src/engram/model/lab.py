"""A lab as its ``engram.toml`` tells it: shares, locations, layouts."""

from dataclasses import dataclass, fields
from typing import Any

from engram.model.outcome import Leaf


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A place that rigs write to, which is scanned for sessions; nothing on it is ever written."""

    #: What it is called in commands and in the catalogue.
    name: str
    #: Where it is mounted here; an absolute path.
    root: str
    #: What the same place is called elsewhere: ``N:/recordings``, another mount.
    also_known_as: tuple[str, ...] = ()
    #: How its sessions' folders are named, the first that matches wins; empty: the usual ones.
    template: tuple[str, ...] = ()
    #: Patterns of paths that are left out, relative to the share: ``**/logs/**``.
    exclude: tuple[str, ...] = ()
    #: Time zone of what is recorded there; '': the lab's.
    timezone: str = ""
    #: The Globus collection that shows this share, '' for none.
    collection: str = ""
    #: Where in that collection the share begins.
    collection_root: str = ""

    def as_json(self) -> dict[str, Any]:
        """The record behind ``share list --json``. Fields may be added, never changed."""
        values = ((entry.name, getattr(self, entry.name)) for entry in fields(self))
        return {"record": "share", **{name: list(one) if isinstance(one, tuple) else one for name, one in values}}


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedLocation:
    """A location of the lab, as its file tells it; what its kind needs beyond this stands in *settings*."""

    name: str
    #: ``folder``, ``ssh``, ``s3``, ``webdav`` or ``globus``.
    kind: str
    root: str = ""
    #: Name of the layout that its files follow; '' for none.
    layout: str = ""
    #: What else is said about it, in the file's order.
    settings: tuple[tuple[str, Leaf], ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """How sessions are named at a location."""

    name: str
    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """Everything that a lab's ``engram.toml`` says."""

    #: The folder that holds it; absolute.
    folder: str
    name: str = ""
    #: Zone of times that a rig wrote without one; '' when nobody said.
    timezone: str = ""
    #: As it stands in the file: relative to *folder*; '' when the file names none.
    catalogue_url: str = ""
    shares: tuple[Share, ...] = ()
    locations: tuple[NamedLocation, ...] = ()
    layouts: tuple[Layout, ...] = ()

    def share(self, name: str) -> Share | None:
        """The share of that name."""
        return next((share for share in self.shares if share.name == name), None)
