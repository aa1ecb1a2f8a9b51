"""The copies of a content: who holds it, by what people call them, as far as the git-annex branch knows."""

import os
from collections.abc import Mapping
from functools import cached_property
from typing import Final

from engram.datasets.annex.hashdirs import log_path
from engram.datasets.annex.logs import DEAD_REPOSITORY, SEMITRUSTED, TRUSTED, UNTRUSTED, holders
from engram.datasets.dataset import Dataset
from engram.datasets.siblings import siblings_of
from engram.datasets.whereabouts import Whereabouts
from engram.model.copies import Copy

WEB: Final = b"00000000-0000-0000-0000-000000000001"
BITTORRENT: Final = b"00000000-0000-0000-0000-000000000002"
#: Repositories that every git-annex knows. Source: runs of git-annex 10.
_BUILT_IN: Mapping[bytes, bytes] = {WEB: b"web", BITTORRENT: b"bittorrent"}
_TRUST: Mapping[bytes, str] = {
    TRUSTED: "trusted",
    SEMITRUSTED: "semitrusted",
    UNTRUSTED: "untrusted",
    DEAD_REPOSITORY: "dead",
}
#: Before an address that not the web, but another remote takes content from. Source: internals, "`*.log.web`".
_CLAIMED: Final = b":"
_URL_LOG: Final = b".log.web"


class Copies:
    """Tells of one dataset's contents who holds them."""

    def __init__(self, dataset: Dataset, whereabouts: Whereabouts) -> None:
        self._dataset = dataset
        self._whereabouts = whereabouts
        self._here = dataset.annex_uuid.encode()
        #: Most contents are held by the same few.
        self._known: dict[tuple[bytes, ...], tuple[Copy, ...]] = {}

    def of(self, key: bytes) -> tuple[Copy, ...]:
        """Every repository that is said to hold *key*: this one first, then by name; dead ones too."""
        held = self._whereabouts.holders(key)
        plain = self._known.get(held)
        if plain is None:
            plain = self._known[held] = tuple(sorted((self._copy(uuid) for uuid in held), key=_order))
        if not self._with_addresses.isdisjoint(held) and (addresses := self._addresses(key)):
            return tuple(sorted((self._copy(uuid, addresses) for uuid in held), key=_order))
        return plain

    @cached_property
    def here(self) -> Copy:
        """This repository, as if it held something."""
        return self._copy(self._here)

    def _copy(self, uuid: bytes, addresses: tuple[str, ...] = ()) -> Copy:
        web = tuple(address for address in addresses if not address.startswith(_CLAIMED.decode()))
        claimed = tuple(address[1:] for address in addresses if address.startswith(_CLAIMED.decode()))
        own = web if uuid == WEB else claimed if self._claims(uuid) else ()
        description = self._whereabouts.descriptions.get(uuid) or _BUILT_IN.get(uuid, b"")
        return Copy(
            uuid=os.fsdecode(uuid),
            description=os.fsdecode(description),
            remote=self._remotes.get(uuid, ""),
            here=uuid == self._here,
            trust=_TRUST[self._whereabouts.trust_of(uuid)],
            urls=own,
        )

    @cached_property
    def _remotes(self) -> Mapping[bytes, str]:
        """The remotes that reach a repository from here, the first of each."""
        names: dict[bytes, str] = {}
        for sibling in siblings_of(self._dataset):
            if sibling.uuid:
                names.setdefault(sibling.uuid.encode(), sibling.name)
        return names

    @cached_property
    def _with_addresses(self) -> frozenset[bytes]:
        """Those whose content may have addresses of its own."""
        external = (uuid for uuid in self._whereabouts.remotes if self._claims(uuid))
        return frozenset((WEB, BITTORRENT, *external))

    def _claims(self, uuid: bytes) -> bool:
        """Whether a remote may have taken content from addresses that are not the web's: only other programs do."""
        return uuid == BITTORRENT or self._whereabouts.remotes.get(uuid, {}).get("type") == "external"

    def _addresses(self, key: bytes) -> tuple[str, ...]:
        return tuple(os.fsdecode(address) for address in holders(self._whereabouts.log(log_path(key, _URL_LOG))))


def _order(copy: Copy) -> tuple[bool, str, str]:
    return not copy.here, copy.remote or copy.description, copy.uuid
