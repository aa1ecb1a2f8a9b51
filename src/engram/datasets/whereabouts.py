"""Who holds which content, and what every clone agreed on: read from the git-annex branch, as git-annex would see it.

That is the branch, what other clones' branches say that were fetched and not merged yet, and what git-annex wrote down
and did not commit yet. Nothing is written.

Source: https://git-annex.branchable.com/internals/; the order in which settings hold, from runs of git-annex 10.
"""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property

from engram.datasets.annex import BRANCH
from engram.datasets.annex.branch import AnnexBranch, read_journal
from engram.datasets.annex.hashdirs import key_of, log_path
from engram.datasets.annex.logs import (
    SEMITRUSTED,
    copies_in,
    holders,
    is_dead,
    newest_value,
    trust_levels,
    values_by_uuid,
)
from engram.datasets.annex.union import joined, siblings_tips, unmerged
from engram.datasets.dataset import Dataset
from engram.model.keys import normal_form

#: Fewer are looked up one by one.
_MANY = 500
_LOCATION_LOG = b".log"
_NUMCOPIES = b"annex.numcopies"
_ESCAPED = re.compile("&([0-9]{1,9});")
_TRUST = {"trusted": b"1", "untrusted": b"0", "semitrusted": b"?", "dead": b"X"}


class Whereabouts:
    """What is known of where content is, at the moment of making. Cheap to make; reads what is asked for."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        objects = dataset.objects
        tip = dataset.resolve(BRANCH)
        mine = bytes.fromhex(tip) if tip else None
        git_dir = os.fsencode(dataset.git_dir)
        others = unmerged(objects, mine, siblings_tips(dataset.refs), git_dir)
        tips = [*([mine] if mine else []), *others.values()]
        self._branches = [AnnexBranch(objects, objects.tree_of(one)) for one in tips]
        self._pending = read_journal(git_dir)
        self._private = read_journal(git_dir, b"journal-private")
        self._is_simple = len(self._branches) == 1 and not self._pending and not self._private
        #: Many location logs are alike, byte by byte.
        self._holders: dict[bytes, tuple[bytes, ...]] = {}
        #: All files of the only branch there is, by path, once they were listed.
        self._listed: Mapping[bytes, bytes] = {}
        #: Holders by the id of the log, b"" for none.
        self._holders_by_id: dict[bytes, tuple[bytes, ...]] = {}

    def log(self, path: bytes) -> bytes:
        """One file of the branch, b"" when nobody wrote it."""
        if self._is_simple:
            return self._branches[0].read(path) or b""
        versions = [branch.read(path) or b"" for branch in self._branches]
        if path in self._pending:  # stands for this clone's own
            versions[:1] = [self._pending[path]]
        if path in self._private:
            versions.append(self._private[path])
        return versions[0] if len(versions) == 1 else joined(path, versions)

    def holders(self, key: bytes) -> tuple[bytes, ...]:
        """The UUIDs of the repositories that hold a content, as far as is known, sorted."""
        return self.holders_in(log_path(key))

    def holders_in(self, path: bytes) -> tuple[bytes, ...]:
        """The same by the path of the location log."""
        if self._listed:
            identity = self._listed.get(path, b"")
            known = self._holders_by_id.get(identity)
            if known is None:
                known = self._holders_by_id[identity] = holders(self.log(path))
            return known
        log = self.log(path)
        known = self._holders.get(log)
        if known is None:
            known = self._holders[log] = holders(log)
        return known

    def is_known(self, key: bytes) -> bool:
        """Whether anybody ever said where a content is."""
        return bool(self.log(log_path(key)))

    def is_dead(self, key: bytes) -> bool:
        """Whether a content was declared gone for good, so that nobody misses it."""
        return is_dead(self.log(log_path(key)))

    def prefetch(self, keys: Collection[bytes]) -> None:
        """Be ready to be asked about many keys: git lists the whole branch faster than each is looked up in it."""
        if len(keys) < _MANY:
            return
        self._list()

    def known_keys(self) -> Iterator[bytes]:
        """Every key that a location log on any clone's branch is about, each once, whoever holds it."""
        self._list()
        found: dict[bytes, None] = {}
        listed = (path for branch in self._branches for path in branch.files)
        for path in (*listed, *self._pending, *self._private):
            if path.endswith(_LOCATION_LOG) and path.count(b"/") == 2:
                name = path[path.rfind(b"/") + 1 : -len(_LOCATION_LOG)]
                key = normal_form(key_of(name))
                if key is not None:
                    found[key] = None
        return iter(found)

    def _list(self) -> None:
        for branch in self._branches:
            if branch.tree is None or branch.files:
                continue
            lines = self._dataset.programs.tree_lines(self._dataset.work_tree, branch.tree)
            branch.know({line[53:]: bytes.fromhex(line[12:52].decode()) for line in lines})
        if self._is_simple:
            self._listed = self._branches[0].files

    @cached_property
    def descriptions(self) -> Mapping[bytes, bytes]:
        """What people call the repositories, by UUID."""
        return values_by_uuid(self.log(b"uuid.log"))

    @cached_property
    def remotes(self) -> Mapping[bytes, Mapping[str, str]]:
        """The special remotes that clones share (``remote.log``): their settings by UUID."""
        return {uuid: _settings(value) for uuid, value in values_by_uuid(self.log(b"remote.log")).items()}

    @cached_property
    def groups(self) -> Mapping[bytes, tuple[bytes, ...]]:
        """The groups that repositories are in, by UUID."""
        return {uuid: tuple(value.split()) for uuid, value in values_by_uuid(self.log(b"group.log")).items()}

    @cached_property
    def _trust(self) -> Mapping[bytes, bytes]:
        levels = dict(trust_levels(self.log(b"trust.log")))
        for name, value, _, _ in self._dataset.config.items():
            if name.startswith("remote.") and name.endswith(".annex-trustlevel") and value in _TRUST:
                uuid = self._dataset.setting(name.removesuffix("trustlevel") + "uuid")
                if uuid:
                    levels[os.fsencode(uuid)] = _TRUST[value]
        return levels

    def trust_of(self, uuid: bytes) -> bytes:
        """How far a repository is trusted: one of `engram.datasets.annex.logs`' four levels."""
        return self._trust.get(uuid, SEMITRUSTED)

    def required(self, uuid: bytes) -> bytes:
        """What a repository must keep, as an expression; b"" when nothing is required."""
        return values_by_uuid(self.log(b"required-content.log")).get(uuid, b"")

    def wanted(self, uuid: bytes) -> bytes:
        """What a repository would like to have, as an expression; b"" when it does not say."""
        return values_by_uuid(self.log(b"preferred-content.log")).get(uuid, b"")

    def numcopies(self, path: bytes) -> int:
        """How many copies a file shall have."""
        return self._copies(path, _NUMCOPIES, b"numcopies.log", "annex.numcopies")

    def numcopies_below(self, folder: bytes) -> int | None:
        """How many copies every file right in *folder* (with a slash at its end) shall have; ``None``: it depends."""
        if self._dataset.attributes.are_silent(folder, (_NUMCOPIES,)):
            return self.numcopies(folder)
        return None

    def mincopies(self, path: bytes) -> int:
        """How many copies of a file must be locked in place before one is dropped."""
        return self._copies(path, b"annex.mincopies", b"mincopies.log", "")

    def _copies(self, path: bytes, attribute: bytes, log: bytes, setting: str) -> int:
        """The attribute holds before what the clones agreed on, that before the (outdated) setting."""
        if not self._dataset.attributes.are_silent(path, (attribute,)):
            said = self._dataset.attributes_of(path, (attribute,)).get(attribute)
            if isinstance(said, bytes) and (number := copies_in(said)) is not None:
                return number
        agreed = self._agreed.get(log)
        if agreed is None:
            agreed = self._agreed[log] = self._agreement(log, setting)
        return agreed

    def _agreement(self, log: bytes, setting: str) -> int:
        """What holds for files of which no attribute says more."""
        agreed = copies_in(newest_value(self.log(log)))
        if agreed is None and setting:
            agreed = copies_in(self._dataset.setting(setting))
        return 1 if agreed is None else agreed

    @cached_property
    def _agreed(self) -> dict[bytes, int]:
        return {}


def _settings(value: bytes) -> Mapping[str, str]:
    pairs = (word.partition("=") for word in os.fsdecode(value).split(" "))
    return {name: _unescaped(text) for name, equals, text in pairs if equals}


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(_character, text)


def _character(match: "re.Match[str]") -> str:
    """The character that an escape stands for; the escape itself where it stands for none."""
    code = int(match[1])
    return chr(code) if code < 0xD800 or 0xDFFF < code <= 0x10FFFF else match[0]
