"""Remove temporary files that git-annex and DataLad left behind.

Half a transfer is among them: without it, the next get begins anew. Nothing is removed while one is under way.

    engram clean --dry-run
    engram clean -r
    engram clean --what annex-tmp annex-transfer
"""

from collections.abc import Iterable

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.model.outcome import Outcome, Status
from engram.workspace.upkeep import Upkeep

_WHAT = ("cached-archives", "annex-tmp", "annex-transfer", "search-index")


@click.command(cls=Verb, help=__doc__)
@options.dataset("The dataset; default is the one around the current folder.")
@click.argument("more", nargs=-1, metavar="[WHAT]...", type=click.Choice(_WHAT))
@click.option("--what", multiple=True, type=click.Choice(_WHAT), help="Only this; others may follow it.")
@options.recursion
@options.plan
@click.pass_obj
def command(
    call: Call,
    *,
    dataset: str | None,
    what: tuple[str, ...],
    more: tuple[str, ...],
    recursive: bool,
    recursion_limit: int | None,
    dry_run: bool,
    plan_file: str | None,
) -> None:
    room = call.open(Upkeep)
    work = room.plan_clean if dry_run else room.clean
    result = work(dataset=dataset, what=(*what, *more), recursive=recursive, recursion_limit=recursion_limit)
    call.show_either(result, plan_file, view=CleanView())


class CleanView:
    """The lines that every command has; and one where there are none, because nothing was left behind."""

    def __init__(self) -> None:
        self._says_something = False

    def line(self, outcome: Outcome, colours: bool) -> str | None:  # noqa: ARG002  # the usual line has them
        self._says_something = self._says_something or outcome.status is not Status.NOT_NEEDED
        return None

    def summary(self) -> Iterable[str]:
        if not self._says_something:
            yield "nothing to clean"
