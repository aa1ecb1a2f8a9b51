"""`engram.whereis`, `engram.numcopies`, `engram.unused`, `engram.dropunused`, `engram.fsck`."""

from collections.abc import Iterable

from engram.model.outcome import Outcome
from engram.model.plan import Plan
from engram.workspace.auditing import Custody
from engram.workspace.context import context_here
from engram.workspace.verbs.arguments import AnyPath, Paths, collected, text, texts
from engram.workspace.verbs.planning import Asked, asked, planned


def whereis(
    path: Paths = None,
    *,
    dataset: AnyPath | None = None,
    key: str | Iterable[str] = (),
    all_keys: bool = False,
    unused: bool = False,
    recursive: bool = False,
    recursion_limit: int | None = None,
) -> list[Outcome]:
    """Who holds the content of each file. Raises `EngramError`, or `IncompleteResults` when nobody holds one.

    Args:
        path: which files; default is all of them.
        dataset: the dataset; default is the one around the current folder.
        key: these git-annex keys instead of files.
        all_keys: every key that the dataset ever had instead of files.
        unused: what `unused` has listed instead of files.
        recursive: also in subdatasets.
        recursion_limit: so many levels deep.
    """
    outcomes = Custody(context_here()).whereis(
        texts(path),
        dataset=text(dataset),
        keys=_several(key),
        all_keys=all_keys,
        unused=unused,
        recursive=recursive,
        recursion_limit=recursion_limit,
    )
    return collected(outcomes)


@planned
def numcopies(number: int | None = None, *, dataset: AnyPath | None = None) -> Asked:
    """How many copies of each file are wanted, and who said so. Raises `EngramError`.

    Args:
        number: from now on so many, in every clone; default is to change nothing.
        dataset: the dataset; default is the one around the current folder.
    """
    custody, top = Custody(context_here()), text(dataset)
    return Asked(
        lambda: custody.numcopies(number, dataset=top),
        lambda: Plan() if number is None else custody.plan_numcopies(number, dataset=top),
    )


def unused(*, dataset: AnyPath | None = None, fast: bool = False, used_refspec: str | None = None) -> list[Outcome]:
    """What the annex holds and no version uses any more, numbered for `dropunused`. Raises `EngramError`.

    Args:
        dataset: the dataset; default is the one around the current folder.
        fast: only what was set aside as bad, or came half-way.
        used_refspec: which refs count, as git-annex writes it; default is the setting ``annex.used-refspec``, or all.
    """
    return collected(Custody(context_here()).unused(dataset=text(dataset), fast=fast, used_refspec=used_refspec))


@planned
def dropunused(
    number: int | str | Iterable[int | str], *, dataset: AnyPath | None = None, force: bool = False
) -> Asked:
    """The outcomes of dropping what is unused. Raises `EngramError`, or `IncompleteResults` when something stays.

    Args:
        number: numbers that `unused` gave, ranges as ``"3-9"``, or ``"all"``.
        dataset: the dataset; default is the one around the current folder.
        force: also what no other repository is proven to hold.
    """
    several = (number,) if isinstance(number, (int, str)) else tuple(number)
    numbers = tuple(str(one) for one in several)
    custody = Custody(context_here())
    return asked(custody.dropunused, custody.plan_dropunused, numbers, dataset=text(dataset), force=force)


@planned
def fsck(
    path: Paths = None,
    *,
    dataset: AnyPath | None = None,
    full: bool = False,
    key: str | Iterable[str] = (),
    all_keys: bool = False,
    unused: bool = False,
    jobs: int | None = None,
    recursive: bool = False,
    recursion_limit: int | None = None,
) -> Asked:
    """What was wrong with contents, and what was mended. Raises `EngramError`, or `IncompleteResults` if some is left.

    Args:
        path: which files; default is all of them.
        dataset: the dataset; default is the one around the current folder.
        full: hold every byte against the key of its content.
        key: these git-annex keys instead of files.
        all_keys: every key that the dataset ever had instead of files.
        unused: what `unused` has listed instead of files.
        jobs: how many large files are read at once; default is the setting.
        recursive: also in subdatasets.
        recursion_limit: so many levels deep.
    """
    custody = Custody(context_here())
    return asked(
        custody.fsck,
        custody.plan_fsck,
        texts(path),
        dataset=text(dataset),
        full=full,
        keys=_several(key),
        all_keys=all_keys,
        unused=unused,
        jobs=jobs,
        recursive=recursive,
        recursion_limit=recursion_limit,
    )


def _several(keys: str | Iterable[str]) -> tuple[str, ...]:
    return (keys,) if isinstance(keys, str) else tuple(keys)
