"""Remove temporary files that git-annex and DataLad left behind.

Half a transfer is among them: without it, the next get begins anew. Nothing is removed while one is under way.

    engram clean --dry-run
    engram clean -r
    engram clean --what annex-tmp
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.workspace.upkeep import Upkeep

_WHAT = ("cached-archives", "annex-tmp", "annex-transfer", "search-index")


@click.command(cls=Verb, help=__doc__)
@options.dataset("The dataset; default is the one around the current folder.")
@click.option("--what", multiple=True, type=click.Choice(_WHAT), help="Only this; can be given again.")
@options.recursion
@options.plan
@click.pass_obj
def command(
    call: Call,
    *,
    dataset: str | None,
    what: tuple[str, ...],
    recursive: bool,
    recursion_limit: int | None,
    dry_run: bool,
    plan_file: str | None,
) -> None:
    room = call.open(Upkeep)
    work = room.plan_clean if dry_run else room.clean
    call.show_either(work(dataset=dataset, what=what, recursive=recursive, recursion_limit=recursion_limit), plan_file)
