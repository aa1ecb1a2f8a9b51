"""Tell what whoever is to help you needs to know.

Versions, this machine, the dataset around the current folder, and how engram would write to it. No secret is told;
names and paths are.

    engram wtf
    engram wtf -S dataset
    engram --json wtf
"""

from collections.abc import Iterable

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.cli.text import ink, printable
from engram.model.outcome import DatasetOutcome, Outcome
from engram.workspace.upkeep import SECTIONS, Upkeep


@click.command(cls=Verb, help=__doc__)
@options.dataset("The dataset; default is the one around the current folder.")
@click.option("-S", "--section", "sections", multiple=True, metavar="SECTION", help=f"Only: {', '.join(SECTIONS)}.")
@click.pass_obj
def command(call: Call, *, dataset: str | None, sections: tuple[str, ...]) -> None:
    call.show(call.open(Upkeep).wtf(dataset=dataset, sections=sections), view=ReportView(), reads_only=True)


class ReportView:
    """Markdown: a heading for each section, a line for each fact."""

    def line(self, outcome: Outcome, colours: bool) -> str | None:
        if outcome.failed or not isinstance(outcome, DatasetOutcome):
            return None
        facts = [f"- {name}: {'-' if value is None else value}" for name, value in outcome.extra]
        lines = [*facts, *([f"- {outcome.note}"] if outcome.note else [])]
        return "\n".join([f"## {ink(outcome.item, 'type', colours)}", *map(printable, lines)])

    def summary(self) -> Iterable[str]:
        return ()
