"""The catalogue of the lab that a call is about."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engram.model.errors import ExtraMissing
from engram.workspace.context import Context
from engram.workspace.lab_here import LabHere, lab_here

if TYPE_CHECKING:
    from engram.catalogue.addresses import Address
    from engram.catalogue.opening import Catalogue
    from engram.catalogue.unit import Author

#: Where a lab's catalogue lies when its file does not say; relative to the lab's folder.
USUAL_URL = "sqlite:///.engram/catalogue.db"


@contextmanager
def catalogue_extra() -> Iterator[None]:
    """What is imported within needs the extra ``lab``. Raises `ExtraMissing`, which names it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("sqlalchemy", "alembic"):
            raise
        raise ExtraMissing(str(error.name), "pip install '.[lab]' in engram's clone") from error


def address_of(lab: LabHere) -> "Address":
    """Where the lab's catalogue lies: where its file says, unless a variable or ``-c`` says otherwise for this call."""
    with catalogue_extra():
        from engram.catalogue.addresses import read_address
    return read_address(lab.settings.catalogue_url, lab.lab.folder)


@contextmanager
def catalogue_here(context: Context) -> "Iterator[Catalogue]":
    """The catalogue of the lab of a call, open meanwhile. Raises `NoLab`, `CatalogueUnusable`, `ExtraMissing`."""
    address = address_of(lab_here(context))
    with catalogue_extra():
        from engram.catalogue.opening import open_catalogue
    with open_catalogue(address) as catalogue:
        yield catalogue


def author_here(context: Context, command: str, *, source: str = "", why: str = "") -> "Author":
    """Who changes the catalogue now, for its history."""
    from socket import gethostname  # here, because help needs none of it

    from engram.catalogue.unit import Author

    return Author(who=f"{_account(context)}@{gethostname()}", command=command, source=source, why=why)


def _account(context: Context) -> str:
    for variable in ("LOGNAME", "USER"):
        if name := context.environment.get(variable):
            return name
    from pwd import getpwuid

    try:
        return getpwuid(os.getuid()).pw_name
    except KeyError:  # an account without a name
        return str(os.getuid())


def source_file(path: str) -> str:
    """How the history names a file that rows came from: its path, and what it held."""
    from hashlib import file_digest

    with open(path, "rb") as file:
        return f"{path} (sha256 {file_digest(file, 'sha256').hexdigest()})"
