"""Addresses that datasets are cloned from: which are taken, what git is given, what of them may be shown.

Source: git-clone(1) "GIT URLS"; further candidates, and the name of the new folder, as DataLad's ``clone`` has them.
"""

import os
import re
from typing import NamedTuple

from engram.datasets.gitmodules import without_secrets as published
from engram.model.errors import UsageError

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.-]*::")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
#: ``user@host:path``, as git takes it for SSH: a colon before the first slash.
_SHORT_SSH = re.compile(r"(?P<host>[^/:]+):(?P<path>.*)", re.DOTALL)
_WEB = ("http", "https")
_KNOWN = "It can be a path, file://, ssh://, user@host:path, http:// or https://."


class Address(NamedTuple):
    """Where a dataset is to be had from."""

    #: As the user gave it; to be shown only without its secrets (`without_secrets`).
    given: str
    #: What git is given, one after the other until one works.
    candidates: tuple[str, ...]
    #: Absolute path of one on this machine; '' otherwise.
    place: str
    #: What the new folder is called when the user does not say.
    name: str

    @property
    def is_relative(self) -> bool:
        """Whether it is a path that starts from the current folder."""
        return bool(self.place) and not self.given.startswith(("/", "~", "file:"))


def read_address(given: str, folder: str, *, home: str = "") -> Address:
    """What a user means by an address.

    Args:
        folder: where relative paths start from.
        home: the user's, for ``~/``.

    Raises:
        UsageError: for what is no address, and for protocols that engram does not have git speak.
    """
    if not given or given.startswith("-") or _CONTROL.search(given):
        raise UsageError(f"{given!r} is no address of a dataset.", _KNOWN)
    place = os.path.join(folder, os.path.join(home, given[2:]) if home and given.startswith("~/") else given)
    if os.path.lexists(place):
        return _local(given, place)
    if scheme := _SCHEME.match(given):
        return _url(given, scheme[1].lower())
    if _HELPER.match(given):
        raise UsageError(f"{given} names a helper program of git's, which is not run.", _KNOWN)
    if short := _SHORT_SSH.fullmatch(given):
        if short["host"].startswith("-") or not short["path"]:
            raise UsageError(f"{given} is no address of a dataset.", _KNOWN)
        return Address(given=given, candidates=(given,), place="", name=_last_part(short["path"]))
    return _local(given, place)


def _local(given: str, place: str) -> Address:
    if given == "///" or _CONTROL.search(place):
        raise UsageError(f"{given!r} is no address of a dataset.", _KNOWN)
    place = os.path.normpath(place)
    return Address(given=given, candidates=(place,), place=place, name=_last_part(place))


def _url(given: str, scheme: str) -> Address:
    from urllib.parse import unquote, urlsplit  # late: 3 ms that a path does not need

    try:
        parts = urlsplit(given)
        host = parts.hostname or ""
    except ValueError as error:
        raise UsageError(f"{without_secrets(given)} is no address ({error}).", _KNOWN) from error
    if scheme == "file" and host in ("", "localhost") and parts.path.startswith("/"):
        return _local(given, unquote(parts.path, errors="surrogateescape"))
    if scheme not in ("ssh", *_WEB):
        raise UsageError(f"{without_secrets(given)}: engram does not clone by {scheme}://.", _KNOWN)
    if not host or host.startswith("-") or (parts.username or "").startswith("-"):
        raise UsageError(f"{without_secrets(given)} names no host.", _KNOWN)
    name = _last_part(unquote(parts.path, errors="surrogateescape")) or host
    also = f"{given.rstrip('/')}/.git"
    second = (also,) if scheme in _WEB and not given.rstrip("/").endswith("/.git") else ()
    return Address(given=given, candidates=(given, *second), place="", name=name)


def _last_part(path: str) -> str:
    """The folder's own name at the end of a path, without what git adds to it."""
    path = path.rstrip("/")
    path = path.removesuffix("/.git").rstrip("/")
    name = path.rpartition("/")[2].removesuffix(".git")
    return "" if name in (".", "..") or _CONTROL.search(name) else name


def without_secrets(address: str) -> str:
    """An address as it may be shown and recorded: tokens and passwords are left out.

    >>> without_secrets("https://ada:secret@host/ds"), without_secrets("git@host:ds")
    ('https://host/ds', 'git@host:ds')
    """
    return os.fsdecode(published(os.fsencode(address)))
