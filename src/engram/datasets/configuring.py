"""Settings of a dataset, told and changed: git's own, what the dataset carries, DataLad's variables.

Of the same name the later of these holds: what the dataset carries (``.datalad/config``), the machine's, the user's,
the repository's, what this call was given, ``DATALAD_…`` variables. Source: datalad-configuration(1)
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from engram import durable
from engram.datasets.dataset import Dataset, Surroundings
from engram.datasets.git.config import COMMAND, GLOBAL, LOCAL, SYSTEM, WORKTREE, GitConfig
from engram.datasets.git.config_file import canonical
from engram.datasets.gitmodules import without_secrets
from engram.datasets.locks import only_engram
from engram.datasets.permission import check_may_write
from engram.datasets.programs import Programs
from engram.datasets.worktree import link_above
from engram.model.errors import ItemFailed, UsageError
from engram.model.outcome import DatasetOutcome, Status
from engram.model.plan import Plan, PlannedStep

CARRIED = ".datalad/config"
_SCOPES = (SYSTEM, GLOBAL, LOCAL, WORKTREE, COMMAND)
_VARIABLE = "DATALAD_"
_OVERRIDES = "DATALAD_CONFIG_OVERRIDES_JSON"
#: What ``git config`` ends with when there is nothing to take away. Source: git-config(1)
_NOT_THERE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Configure:
    """What is to be told or changed, in one dataset after the other."""

    #: ``dump``, ``get``, ``set`` or ``unset``.
    action: str
    #: ``NAME`` or, for ``set``, ``NAME=VALUE``.
    items: tuple[str, ...] = ()
    #: ``branch``, ``local``, ``global`` or '' for what holds.
    scope: str = ""

    def check(self) -> None:
        """Raises `UsageError` for what makes no sense."""
        if self.action == "dump" and (self.scope or self.items):
            raise UsageError("dump tells everything that holds.", "One setting: engram configuration get NAME")
        if self.action != "dump" and not self.items:
            raise UsageError(
                f"Which setting is to be {_DONE[self.action]}?", f"engram configuration {self.action} NAME"
            )
        if self.action in ("set", "unset") and self.scope not in ("branch", "local", "global"):
            raise UsageError(f"{self.scope!r} is no place for a setting.", "Known are: branch, local, global.")
        for item in self.items:
            if self.action == "set" and "=" not in item:
                raise UsageError(f"{item} has no value.", f"engram configuration set {item}=VALUE")
            if canonical(item.partition("=")[0]) is None:
                raise UsageError(
                    f"{item.partition('=')[0]!r} is no name of a setting.", "It is SECTION.NAME, as in: user.name"
                )


_DONE = {"get": "told", "set": "set", "unset": "taken away"}


def configure(dataset: Dataset, wish: Configure, *, refds: str) -> Iterator[DatasetOutcome]:
    """One outcome for each setting. Reading starts no program; writing is left to git.

    Raises:
        NotTrusted, ExtraMissing: when something is to be changed, before it is.
    """
    tell = _Teller(wish.action, dataset.work_tree, refds)
    if wish.action == "dump":
        yield from _dump(dataset, tell)
    elif wish.action == "get":
        values = _read(dataset, wish.scope)
        yield from (tell.value(name, values.get(canonical(name) or name, ())[-1:]) for name in wish.items)
    else:
        check_may_write(dataset)
        with only_engram(dataset.steps, dataset.git_dir):
            yield from _write(dataset.programs, dataset.work_tree, _place(dataset, wish.scope), wish, tell)


def configure_user(around: Surroundings, folder: str, wish: Configure) -> Iterator[DatasetOutcome]:
    """The same for the user's own settings, which need no dataset."""
    programs = Programs(environment=around.environment, configuration=(), steps=around.steps)
    tell = _Teller(wish.action, "", "")
    if wish.action in ("set", "unset"):
        yield from _write(programs, folder, ["--global"], wish, tell)
        return
    config = GitConfig.read(common_dir=None, git_dir=None, environment=around.environment)
    for name in wish.items:
        yield tell.value(name, config.get_all(name)[-1:])


def plan_configure(dataset: Dataset, wish: Configure, *, refds: str) -> Plan:
    """What `configure` would set or take away in a dataset. Raises as it does."""
    check_may_write(dataset)
    if wish.scope == "branch":
        _check_is_own_file(dataset)
        place = os.fsencode(os.path.join(dataset.work_tree, CARRIED))
        known = _by_name(GitConfig.from_file(place).items(_SCOPES))
    else:
        known = _by_name(dataset.config.items((LOCAL,)))
    inner = os.path.relpath(dataset.work_tree, refds)
    return _planned(wish, known, "" if inner == "." else f" of {inner}")


def plan_configure_user(around: Surroundings, wish: Configure) -> Plan:
    """The same for the user's own settings."""
    config = GitConfig.read(common_dir=None, git_dir=None, environment=around.environment)
    return _planned(wish, _by_name(config.items((GLOBAL,))), "")


def _planned(wish: Configure, known: Mapping[str, tuple[str, ...]], where: str) -> Plan:
    steps, refused = [], []
    for item in wish.items:
        name, _, value = item.partition("=")
        before = known.get(canonical(name) or name, ())
        was = f"{wish.scope}{where}: {', '.join(map(_shown, before)) or 'nothing'}"
        if wish.action == "set" and before != (value,):
            steps.append(PlannedStep(action="set", item=name, why=f"{was} becomes {_shown(value)}"))
        elif wish.action == "unset" and before:
            steps.append(PlannedStep(action="unset", item=name, why=was))
        elif wish.action == "unset":
            refused.append(PlannedStep(action="unset", item=name, why=f"{wish.scope}{where}: it is not set there"))
    return Plan(steps=tuple(steps), refused=tuple(refused))


def _shown(value: str) -> str:
    """A value without passwords."""
    return os.fsdecode(without_secrets(os.fsencode(value)))


def _dump(dataset: Dataset, tell: "_Teller") -> Iterator[DatasetOutcome]:
    for name, values in sorted(_read(dataset, "").items()):
        yield tell.value(name, tuple(map(_shown, values)))


def _read(dataset: Dataset, scope: str) -> dict[str, tuple[str, ...]]:
    """Every value of each setting, the one that holds last."""
    found: dict[str, tuple[str, ...]] = {}
    if scope != "local":
        _check_is_own_file(dataset)
        carried = GitConfig.from_file(os.fsencode(os.path.join(dataset.work_tree, CARRIED)))
        found |= _by_name(carried.items(_SCOPES))
    if scope != "branch":
        found |= _by_name(dataset.config.items(_SCOPES))
    if not scope:
        found |= {name: (value,) for name, value in _from_environment(dataset.around.environment)}
    return found


def _by_name(lines: Iterable[tuple[str, str, str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, value, _, _ in lines:
        found[name] = (*found.get(name, ()), value)
    return found


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """DataLad's variables: ``DATALAD_SOME__NAME`` stands for ``datalad.some-name``. Raises `UsageError`."""
    try:
        overrides = json.loads(environment.get(_OVERRIDES, "{}"))
        yield from ((str(name), str(value)) for name, value in overrides.items())
    except (ValueError, AttributeError) as error:
        raise UsageError(f"{_OVERRIDES} is no JSON object.", f"Mend it, or: unset {_OVERRIDES}") from error
    for name, value in environment.items():
        if name.startswith(_VARIABLE) and name != _OVERRIDES:
            yield name.lower().replace("__", "-").replace("_", "."), value


def _place(dataset: Dataset, scope: str) -> list[str]:
    """Where ``git config`` is to write."""
    if scope != "branch":
        return [f"--{scope}"]
    _check_is_own_file(dataset)
    durable.make_folders(dataset.steps, os.path.join(dataset.work_tree, ".datalad"))
    return ["--file", os.path.join(dataset.work_tree, CARRIED)]


def _check_is_own_file(dataset: Dataset) -> None:
    """Refuse a ``.datalad/config`` that is a link, which git would follow wherever it leads."""
    place = os.path.join(dataset.work_tree, CARRIED)
    beyond = link_above(os.fsencode(dataset.work_tree), CARRIED.encode())
    if beyond or os.path.islink(place) or (os.path.lexists(place) and not os.path.isfile(place)):
        raise ItemFailed(place, "it is no regular file of the dataset's own, so its settings are not read or changed")


def _write(
    programs: Programs, folder: str, place: list[str], wish: Configure, tell: "_Teller"
) -> Iterator[DatasetOutcome]:
    for item in wish.items:
        name, _, value = item.partition("=")
        words = ["--unset-all", name] if wish.action == "unset" else ["--replace-all", name, value]
        status, _, said = programs.git_status_of(folder, "config", *place, *words)
        if status == _NOT_THERE and wish.action == "unset":
            yield tell.failed(name, f"{name} is not set there", "See what is: engram configuration")
        elif status:
            yield tell.failed(name, f"git could not change {name}: {said}", "Mend that, then run it again.")
        else:
            yield tell.value(name, () if wish.action == "unset" else (value,))


@dataclass(frozen=True, slots=True)
class _Teller:
    """Outcomes about the settings of one dataset."""

    action: str
    top: str
    refds: str

    def value(self, name: str, values: tuple[str, ...]) -> DatasetOutcome:
        """One setting; with several values when there are."""
        value = values[0] if len(values) == 1 else values or None
        shown = "" if value is None else f"{name}={', '.join(values)}"
        return self._outcome(name, Status.OK, note=shown, value=value)

    def failed(self, name: str, message: str, remedy: str) -> DatasetOutcome:
        return self._outcome(name, Status.ERROR, message=message, error="ItemFailed", remedy=remedy)

    def _outcome(
        self,
        name: str,
        status: Status,
        *,
        note: str = "",
        message: str = "",
        error: str = "",
        remedy: str = "",
        value: str | tuple[str, ...] | None = None,
    ) -> DatasetOutcome:
        return DatasetOutcome(
            action=f"{self.action}_configuration",
            item=os.path.relpath(self.top, self.refds) if self.top else ".",
            status=status,
            path=self.top,
            type="dataset",
            refds=self.refds,
            note=note,
            message=message,
            error=error,
            remedy=remedy,
            extra=(("name", name), ("value", value)) if self.action != "unset" else (("name", name),),
        )
