"""Which source is asked for which content, and in which order: as git-annex does, the cheapest first."""

import os
from collections.abc import Callable, Iterable
from functools import cached_property
from shlex import quote
from typing import Final

from engram.datasets.annex.logs import DEAD_REPOSITORY
from engram.datasets.annex.receiving import Receiving
from engram.datasets.annex.verification import can_verify
from engram.datasets.copying.annex_source import AnnexSource
from engram.datasets.copying.sibling_source import SiblingSource
from engram.datasets.dataset import Dataset
from engram.datasets.siblings import OpenSibling, Sibling, SiblingGone, by_cost, open_sibling, siblings_of
from engram.datasets.whereabouts import Whereabouts
from engram.model.errors import UsageError
from engram.model.source import Source

#: Stands for everything that git-annex reaches.
ANNEX: Final = ""
#: Repositories that git-annex reaches without a remote of that name: the web, BitTorrent.
_EVERYWHERE = frozenset({b"00000000-0000-0000-0000-000000000001", b"00000000-0000-0000-0000-000000000002"})


class Supply:
    """The sources of one dataset.

    Args:
        only: the name of the one source that may be asked; '' for all.
        jobs: for git-annex.
        automatic: as in `AnnexSource`.
        advance: told of bytes as they come.

    Raises `UsageError` when there is no sibling of the name *only*.
    """

    def __init__(
        self,
        dataset: Dataset,
        whereabouts: Whereabouts,
        receiving: Receiving,
        *,
        only: str = "",
        jobs: int = 0,
        automatic: bool = False,
        advance: Callable[[int], None] | None = None,
    ) -> None:
        self._dataset = dataset
        self._whereabouts = whereabouts
        self._receiving = receiving
        self._only = only
        self._jobs = jobs
        self._automatic = automatic
        self._advance = advance
        self._sources: dict[str, Source] = {}
        self._routes: dict[tuple[bytes, ...], tuple[str, ...]] = {}
        self._open: dict[str, OpenSibling] = {}
        #: What is wrong with siblings that cannot be opened, by name.
        self.gone: dict[str, SiblingGone] = {}
        known = siblings_of(dataset)
        if only and all(one.name != only for one in known):
            raise UsageError(
                f"{only} is no sibling of {dataset.work_tree}.",
                "See which there are: engram siblings, or git remote -v",
            )
        self._siblings = [one for one in by_cost(known) if (one.name == only if only else not one.ignored)]
        for sibling in self._siblings:
            self._look_at(sibling)

    def _look_at(self, sibling: Sibling) -> None:
        if not sibling.place or sibling.reason:
            return
        try:
            opened = open_sibling(sibling)
        except SiblingGone as gone:
            self.gone[sibling.name] = gone
            return
        if opened.uuid != self._dataset.annex_uuid:
            self._open[sibling.name] = opened

    def route(self, key: bytes) -> tuple[str, ...]:
        """The names of the sources to ask for a content, one after the other; () when nobody is known to hold it."""
        if not can_verify(key):
            return (ANNEX,)
        held = self._whereabouts.holders(key)
        route = self._routes.get(held)
        if route is None:
            route = self._routes[held] = self._route_of(frozenset(held))
        return route

    def _route_of(self, held: frozenset[bytes]) -> tuple[str, ...]:
        if self._only:
            return (self._only,) if self._only in self._open else (ANNEX,)
        living = {uuid for uuid in held if self._whereabouts.trust_of(uuid) != DEAD_REPOSITORY}
        living.discard(self._dataset.annex_uuid.encode())
        route: list[str] = []
        for sibling in self._siblings:
            opened = self._open.get(sibling.name)
            uuid = os.fsencode(opened.uuid if opened else sibling.uuid)
            if uuid not in living and not sibling.speculated:
                continue
            living.discard(uuid)
            if opened is None and self._only_git_annex_may(sibling):
                return (*route, ANNEX)  # it goes on from here by itself
            if opened is not None:
                route.append(sibling.name)
        perhaps = not living.isdisjoint(_EVERYWHERE) or (living and self._has_strangers)
        return (*route, ANNEX) if perhaps else tuple(route)

    @cached_property
    def _has_strangers(self) -> bool:
        """Whether git-annex might find out that a sibling is one of those that are known to hold something."""
        return any(
            one.name not in self._open and (not one.uuid or (one.name in self.gone and self._only_git_annex_may(one)))
            for one in self._siblings
        )

    def _only_git_annex_may(self, sibling: Sibling) -> bool:
        if sibling.name in self._dataset.left_alone:
            return False
        gone = self.gone.get(sibling.name)
        return gone is None or not gone.nothing_there

    def source(self, name: str) -> Source:
        """The source of a name that `route` gave."""
        source = self._sources.get(name)
        if source is None:
            source = self._sources[name] = self._made(name)
        return source

    def _made(self, name: str) -> Source:
        if name in self._open:
            return SiblingSource(self._open[name], self._receiving)
        return AnnexSource(
            self._dataset, remote=self._only, jobs=self._jobs, automatic=self._automatic, advance=self._advance
        )

    def why_nobody(self, key: bytes) -> str:
        """Why there is no source to ask, in words."""
        held = self._whereabouts.holders(key)
        named = [f"{one.name} {self.gone[one.name].why}" for one in self._siblings if self._is_gone_holder(one, held)]
        if named:
            return "; ".join(named)
        others = [uuid for uuid in held if uuid != self._dataset.annex_uuid.encode()]
        if others:
            said = [os.fsdecode(self._whereabouts.descriptions.get(uuid, uuid)) for uuid in others]
            return f"no way leads to those who have it ({', '.join(said)}){self._to_enable(others)}"
        return "not available; no other repository is known to have it"

    def _to_enable(self, holders: Iterable[bytes]) -> str:
        """What to type for those holders that are special remotes which nobody enabled here."""
        here = {os.fsencode(sibling.uuid) for sibling in self._siblings}
        names = [self._whereabouts.remotes.get(uuid, {}).get("name", "") for uuid in holders if uuid not in here]
        lines = [f"git annex enableremote -- {quote(name)}" for name in names if name]
        return f"; a special remote that is not enabled here: {'; '.join(lines)}" if lines else ""

    def _is_gone_holder(self, sibling: Sibling, held: tuple[bytes, ...]) -> bool:
        return sibling.name in self.gone and os.fsencode(sibling.uuid) in held
