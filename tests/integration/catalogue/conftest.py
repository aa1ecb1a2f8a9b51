"""The same tests on each database: an empty catalogue for each of them."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

import pytest

from engram.catalogue.addresses import Address
from engram.catalogue.opening import Catalogue, open_catalogue
from tests.catalogues import Catalogues, on_server, on_sqlite


@pytest.fixture(scope="session", params=["sqlite", "postgresql", "mariadb"])
def catalogues(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Catalogues:
    """Empty catalogues on one database after the other."""
    if request.param == "sqlite":
        return on_sqlite(tmp_path_factory.mktemp("catalogue"))
    # Its own name each time: a worker that is given the tests out of order makes it anew on the same server.
    name = f"engram_tests_{secrets.token_hex(4)}"
    return on_server(request.getfixturevalue(f"{request.param}_server"), name)


@pytest.fixture
def address(catalogues: Catalogues) -> Address:
    """Where an empty catalogue lies."""
    return catalogues.fresh()


@pytest.fixture
def catalogue(address: Address) -> Iterator[Catalogue]:
    """An empty catalogue, with a clock that goes on by a second for each change."""
    seconds = count()
    with open_catalogue(address, clock=lambda: datetime.fromtimestamp(1_600_000_000 + next(seconds), UTC)) as opened:
        yield opened
