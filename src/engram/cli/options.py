"""Options that many commands share, written once, with DataLad's names."""

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])


class NamedPath(click.Path):
    """A path that somebody named: an empty text is a variable of the shell that is not set, and never a path."""

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        """The path. Raises `click.BadParameter`."""
        if value == "":
            self.fail("'' is no path; is a variable of your shell empty?", param, ctx)
        return super().convert(value, param, ctx)


def dataset(tells: str) -> Callable[[Function], Function]:
    """``-d``: the dataset that a command is about."""
    return click.option("-d", "--dataset", metavar="DATASET", type=click.Path(), help=tells)


def message(tells: str = "What to tell about the change.") -> Callable[[Function], Function]:
    """``-m``: the message of a commit."""
    return click.option("-m", "--message", metavar="MESSAGE", help=tells)


def snapshot_config(function: Function) -> Function:
    """``-c``: the configuration of a snapshot."""
    tells = "The configuration: YAML, as flyem-snapshot reads it."
    return click.option("-c", "--config", metavar="CONFIG", type=NamedPath(), required=True, help=tells)(function)


def memory(function: Function) -> Function:
    """``--memory``: what work on a snapshot may take."""
    tells = "What it may take, as 8GB; default: half of what is free."
    return click.option("--memory", metavar="SIZE", help=tells)(function)


def threads(function: Function) -> Function:
    """``-J``: how many threads work on a snapshot."""
    tells = "Threads; default: one for each processor."
    return click.option("-J", "--jobs", metavar="N", callback=number_of_jobs, help=tells)(function)


def recursion(function: Function) -> Function:
    """``-r`` and ``-R``: into subdatasets, and how deep."""
    limit = click.option(
        "-R", "--recursion-limit", metavar="LEVELS", type=click.IntRange(min=0), help="Only so many levels deep."
    )
    recursive = click.option("-r", "--recursive", is_flag=True, help="Also in subdatasets.")
    return recursive(limit(function))


def jobs(function: Function) -> Function:
    """``-J``: how much is done at once; 0 for ``auto``."""
    tells = "How many files at once; auto: as many as fit this machine."
    return click.option("-J", "--jobs", metavar="NJOBS", callback=number_of_jobs, help=tells)(function)


def number_of_jobs(_: click.Context, option: click.Parameter, value: str | None) -> int | None:
    """What a ``-J`` says: 0 for ``auto``, ``None`` for nothing at all."""
    if value is None:
        return None
    if value == "auto":
        return 0
    if not value.isascii() or not value.isdigit() or int(value) < 1:
        raise click.BadParameter(f"{value!r} is neither a number of jobs nor 'auto'.", param=option)
    return int(value)


def plan(function: Function) -> Function:
    """``--dry-run`` and ``-o``: show what would be done, and keep it."""
    tells = "With --dry-run: write the plan into a file, too."
    kept = click.option("-o", "plan_file", metavar="FILE", type=click.Path(), callback=_only_planned, help=tells)
    dry_run = click.option("--dry-run", is_flag=True, is_eager=True, help="Show what would be done; change nothing.")
    return dry_run(kept(function))


def _only_planned(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is not None and not context.params.get("dry_run"):
        raise click.BadParameter("a plan is made by --dry-run alone; add it.", param=option)
    return value


def paths(function: Function) -> Function:
    """``PATH…``: any number of them."""
    return click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path())(function)


def keys(function: Function) -> Function:
    """``--key``, ``--all`` and ``--unused``: git-annex keys instead of files."""
    unused = click.option("-U", "--unused", is_flag=True, help="What engram unused has listed, instead of files.")
    everything = click.option("-A", "--all", "all_keys", is_flag=True, help="Every version of every file.")
    key = click.option("--key", "keys", metavar="KEY", multiple=True, help="This git-annex key, instead of files.")
    return key(everything(unused(function)))
