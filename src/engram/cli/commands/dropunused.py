"""Drop what engram unused has listed.

NUMBERs are those of the list; 3-9 stands for a range, all for everything. As with engram drop, content goes only when
enough others are proven to hold it; --force drops it for good. What is used again meanwhile stays.

    engram dropunused 1 3-9
    engram dropunused all --dry-run     what would go, and what would stay
    engram dropunused 2 --force         although nobody else has it
"""

from collections.abc import Iterable

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.keys import key_line
from engram.cli.root import Verb
from engram.cli.text import size
from engram.model.counting import plural
from engram.model.outcome import DatasetOutcome, Outcome, Status
from engram.workspace.auditing import Custody


@click.command(cls=Verb, help=__doc__)
@click.argument("numbers", nargs=-1, metavar="NUMBER...")
@options.dataset("The dataset; default is the one around the current folder.")
@click.option("--force", is_flag=True, help="Also what no other repository is proven to hold: it may be lost.")
@options.plan
@click.pass_obj
def command(
    call: Call, *, numbers: tuple[str, ...], dataset: str | None, force: bool, dry_run: bool, plan_file: str | None
) -> None:
    custody = call.open(Custody)
    if dry_run:
        call.show_plan(custody.plan_dropunused(numbers, dataset=dataset, force=force), into=plan_file)
    else:
        call.show(custody.dropunused(numbers, dataset=dataset, force=force), view=DropUnusedView())


class DropUnusedView:
    """A line each, with the number and the key."""

    def __init__(self) -> None:
        self._dropped = 0
        self._bytes = 0

    def line(self, outcome: Outcome, colours: bool) -> str | None:
        if isinstance(outcome, DatasetOutcome) and outcome.status is Status.OK:
            self._dropped += 1
            self._bytes += outcome.bytesize or 0
        return key_line(outcome, colours)

    def summary(self) -> Iterable[str]:
        yield f"{plural(self._dropped, 'content')} dropped, {size(self._bytes)}"
