"""`engram.configuration`, `engram.clean`, `engram.wtf`."""

from collections.abc import Sequence
from typing import Literal

from engram.model.outcome import Outcome
from engram.workspace.context import context_here
from engram.workspace.upkeep import Upkeep
from engram.workspace.verbs.arguments import AnyPath, collected, text
from engram.workspace.verbs.planning import Asked, asked, planned


def configuration(
    action: Literal["dump", "get", "set", "unset"] = "dump",
    spec: str | tuple[str, str] | Sequence[str | tuple[str, str]] = (),
    *,
    scope: Literal["branch", "local", "global"] | None = None,
    dataset: AnyPath | None = None,
    recursive: bool = False,
    recursion_limit: int | None = None,
) -> list[Outcome]:
    """One outcome for each setting, with its name and value. Raises `EngramError`, or `IncompleteResults`.

    Args:
        action: tell everything, tell one, set or take away.
        spec: names; to set, ``NAME=VALUE`` or pairs.
        scope: what travels with the dataset, what this copy alone has, or what holds for the user.
        dataset: the dataset; default is the one around the current folder.
        recursive: also in subdatasets.
        recursion_limit: so many levels deep.
    """
    items = [spec] if isinstance(spec, (str, tuple)) and spec else list(spec)
    outcomes = Upkeep(context_here()).configuration(
        action,
        [item if isinstance(item, str) else "=".join(item) for item in items],
        scope=scope,
        dataset=text(dataset),
        recursive=recursive,
        recursion_limit=recursion_limit,
    )
    return collected(outcomes)


@planned
def clean(
    *,
    dataset: AnyPath | None = None,
    what: str | Sequence[str] = (),
    recursive: bool = False,
    recursion_limit: int | None = None,
) -> Asked:
    """The outcomes of removing temporary files that others left behind. Raises `EngramError`, or `IncompleteResults`.

    Args:
        dataset: the dataset; default is the one around the current folder.
        what: only ``cached-archives``, ``annex-tmp``, ``annex-transfer`` or ``search-index``; default is all.
        recursive: also in subdatasets.
        recursion_limit: so many levels deep.
    """
    places = (what,) if isinstance(what, str) else tuple(what)
    upkeep = Upkeep(context_here())
    return asked(
        upkeep.clean,
        upkeep.plan_clean,
        dataset=text(dataset),
        what=places,
        recursive=recursive,
        recursion_limit=recursion_limit,
    )


def wtf(*, dataset: AnyPath | None = None, sections: str | Sequence[str] = ()) -> list[Outcome]:
    """What whoever is to help needs to know, one outcome for each section. Raises `EngramError`.

    Args:
        dataset: the dataset to tell about; default is the one around the current folder.
        sections: only these; default is all.
    """
    wanted = (sections,) if isinstance(sections, str) else tuple(sections)
    return collected(Upkeep(context_here()).wtf(dataset=text(dataset), sections=wanted))
