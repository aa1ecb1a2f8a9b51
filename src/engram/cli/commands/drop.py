"""Let go of the contents of files, or of whole datasets, once nothing is lost by it.

A content goes only when enough other copies are proven: those in siblings on this machine are looked at, and locked
meanwhile; all others are git-annex's to ask. A dataset goes only when everything in it is saved and its revisions are
in a sibling. 'engram get' brings all of it back.

    engram drop sub-01/            the contents of a folder's files
    engram drop                    of the whole dataset's files
    engram drop --what allkeys     of all versions of all files
    engram drop --what all raw     a whole subdataset; -r for those inside of it
    engram drop --dry-run .        what would go, and who else has it
"""

import sys

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.options import Function
from engram.cli.root import Verb
from engram.model.counting import plural
from engram.workspace.dropping import Dropping

#: What DataLad lets one leave out of the checks, and what that risks.
RECKLESS = ("modification", "availability", "undead", "kill")


def recklessness(function: Function) -> Function:
    """``--reckless``, and DataLad's older word for that of ``availability``."""
    tells = "Do not look for: unsaved changes, copies elsewhere, siblings that count on it; or nothing at all."
    option = click.option("--reckless", type=click.Choice(RECKLESS), help=tells)
    return option(click.option("--nocheck", "reckless", flag_value="availability", hidden=True)(function))


def ask_before(call: Call, doomed: tuple[str, ...]) -> None:
    """Ask who sits at a terminal whether these datasets shall really go."""
    if doomed and sys.stdin.isatty() and call.screen.err.isatty():
        named = ", ".join(doomed[:3]) + (", …" if len(doomed) > 3 else "")
        call.confirm(f"Remove {plural(len(doomed), 'dataset')} from this machine ({named})?")


@click.command(cls=Verb, help=__doc__)
@options.paths
@click.option(
    "--what",
    type=click.Choice(("filecontent", "allkeys", "datasets", "all")),
    default="filecontent",
    help="Contents of files (default), of all versions, whole datasets only, or both.",
)
@recklessness
@options.dataset("The dataset; default is the one around the current folder.")
@options.recursion
@options.jobs
@options.plan
@click.pass_obj
def command(
    call: Call,
    *,
    paths: tuple[str, ...],
    what: str,
    reckless: str | None,
    dataset: str | None,
    recursive: bool,
    recursion_limit: int | None,
    jobs: int | None,
    dry_run: bool,
    plan_file: str | None,
) -> None:
    dropping = call.open(Dropping)
    if not dry_run:
        doomed = dropping.doomed(
            paths,
            dataset=dataset,
            what=what,
            reckless=reckless,
            recursive=recursive,
            recursion_limit=recursion_limit,
        )
        ask_before(call, doomed)
    drop = dropping.plan_drop if dry_run else dropping.drop
    result = drop(
        paths,
        dataset=dataset,
        what=what,
        reckless=reckless,
        recursive=recursive,
        recursion_limit=recursion_limit,
        jobs=jobs,
    )
    call.show_either(result, plan_file)
