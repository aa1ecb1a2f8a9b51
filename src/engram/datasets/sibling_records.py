"""What there is to tell about a dataset and its siblings, as DataLad's ``siblings query`` tells it. Starts no program.

Source: DataLad 1.7.1, runs of ``siblings`` and ``git annex info --fast``.
"""

import os
from collections.abc import Iterator
from typing import TypeAlias

from engram.datasets.annex.logs import DEAD_REPOSITORY, values_by_uuid
from engram.datasets.dataset import Dataset
from engram.datasets.gitmodules import without_secrets
from engram.datasets.siblings import siblings_of
from engram.datasets.whereabouts import Whereabouts
from engram.model.errors import UsageError
from engram.model.outcome import DatasetOutcome, Leaf, Status

#: What a field may hold.
Value: TypeAlias = Leaf | tuple[str, ...]

#: What a dataset is called among its siblings.
HERE = "here"
#: The UUIDs of git-annex's own special remotes begin so.
_BUILT_IN = "00000000-0000-0000-0000-00000000000"
_SECRET = ("url", "pushurl", "annexurl", "annex-url")


class SiblingQuery:
    """Looks at one dataset's siblings."""

    def __init__(self, dataset: Dataset, *, refds: str = "", annex_info: bool = True) -> None:
        self._dataset = dataset
        self._refds = refds or dataset.work_tree
        self._annex_info = annex_info and dataset.has_annex
        self._names = [one.name for one in siblings_of(dataset)]

    def records(self, name: str | None = None) -> Iterator[DatasetOutcome]:
        """One outcome for the dataset itself, and one for each sibling; only for the one called *name*, if given.

        Raises:
            UsageError: when there is no sibling of that name.
        """
        if name is not None and name != HERE and name not in self._names:
            known = ", ".join([HERE, *self._names])
            raise UsageError(f"{self._dataset.work_tree} has no sibling {name!r}.", f"It has: {known}")
        names = [HERE, *self._names] if name is None else [name]
        whereabouts = Whereabouts(self._dataset) if self._annex_info else None
        return (self._record(one, whereabouts) for one in names)

    def _record(self, name: str, whereabouts: Whereabouts | None) -> DatasetOutcome:
        fields: dict[str, Value] = {"name": name, **(self._of_here() if name == HERE else self._of_remote(name))}
        if whereabouts is not None:
            if name == HERE:
                fields["available_local_disk_space"] = _free_bytes(self._dataset.git_dir)
            uuid = os.fsencode(str(fields.get("annex-uuid") or ""))
            fields.update(_of_annex(uuid, name, whereabouts))
            if fields.get("annex-ignore") == "true":
                fields["annex-ignore"] = True
        return DatasetOutcome(
            action="query-sibling",
            item=name,
            status=Status.OK,
            path=self._dataset.work_tree,
            type="sibling",
            refds=self._refds,
            extra=tuple(fields.items()),
        )

    def _of_here(self) -> dict[str, Value]:
        settings = (("annex-uuid", "annex.uuid"), ("annex-bare", "core.bare"), ("annex-version", "annex.version"))
        found = ((field, self._dataset.setting(setting)) for field, setting in settings)
        return {field: value for field, value in found if value is not None}

    def _of_remote(self, name: str) -> dict[str, Value]:
        """Every variable of a remote; of one that was set several times all values."""
        prefix = f"remote.{name}."
        found: dict[str, list[str]] = {}
        for setting in self._dataset.config.settings:
            variable = setting.name.removeprefix(prefix)
            if variable != setting.name and "." not in variable:
                value = "true" if setting.value is None else setting.value
                if variable in _SECRET:
                    value = os.fsdecode(without_secrets(os.fsencode(value)))
                found.setdefault(variable, []).append(value)
        return {name: values[0] if len(values) == 1 else tuple(values) for name, values in found.items()}


def _of_annex(uuid: bytes, name: str, whereabouts: Whereabouts) -> dict[str, Value]:
    """What the clones agreed on about one of them."""
    if not uuid or os.fsdecode(uuid).startswith(_BUILT_IN):
        return {}
    fields: dict[str, Value] = {}
    if whereabouts.trust_of(uuid) != DEAD_REPOSITORY:
        said = os.fsdecode(whereabouts.descriptions.get(uuid, b""))
        fields["annex-description"] = said if name == HERE else _with_name(said, name)
    groups = whereabouts.groups.get(uuid, ())
    agreed = {
        "annex-wanted": whereabouts.wanted(uuid),
        "annex-required": whereabouts.required(uuid),
        "annex-group": b" ".join(groups),
        "annex-groupwanted": _wanted_by_group(whereabouts, groups),
    }
    fields.update({field: os.fsdecode(value) for field, value in agreed.items() if value})
    special = whereabouts.remotes.get(uuid, {})
    fields.update({f"annex-{field}": value for field, value in special.items() if field not in _PRIVATE})
    return fields


#: Settings of special remotes that hold what only their users should see.
_PRIVATE = ("cipher", "cipherkeys", "s3creds", "davcreds", "glaciercreds")


def _with_name(description: str, name: str) -> str:
    return f"[{name}]" if description in ("", name) else f"{description} [{name}]"


def _wanted_by_group(whereabouts: Whereabouts, groups: tuple[bytes, ...]) -> bytes:
    if len(groups) != 1:
        return b""
    return values_by_uuid(whereabouts.log(b"group-preferred-content.log")).get(groups[0], b"")


def _free_bytes(folder: str) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
