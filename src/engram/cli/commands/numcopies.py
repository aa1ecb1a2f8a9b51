"""Show, or set, how many copies of each file there should be.

Nothing is dropped while fewer others than NUMBER are proven to hold it, and fsck tells which files have fewer. What is
set here holds in every clone; .gitattributes can ask for another number for some files.

    engram numcopies          what holds, and who said so
    engram numcopies 2        two copies of everything
"""

from collections.abc import Iterable

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.cli.text import ink, printable
from engram.model.errors import UsageError
from engram.model.outcome import DatasetOutcome, Outcome, Status
from engram.workspace.auditing import Custody

_SOURCES = {
    "default": "nobody set it: the default",
    "numcopies.log": "set for every clone",
    "mincopies.log": "set for every clone",
    "annex.numcopies": "git's setting annex.numcopies (outdated: set it for every clone)",
}


def _number(_: click.Context, __: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    if not value.isascii() or not value.isdigit() or int(value) < 1:
        raise UsageError(
            f"{printable(value)} is no number of copies.", "Give a number of 1 or more: engram numcopies 2"
        )
    return int(value)


@click.command(cls=Verb, help=__doc__)
@click.argument("number", required=False, metavar="[NUMBER]", callback=_number)
@options.dataset("The dataset; default is the one around the current folder.")
@options.plan
@click.pass_obj
def command(call: Call, *, number: int | None, dataset: str | None, dry_run: bool, plan_file: str | None) -> None:
    custody = call.open(Custody)
    if dry_run and number is not None:
        call.show_plan(custody.plan_numcopies(number, dataset=dataset), into=plan_file)
    else:
        call.show(custody.numcopies(number, dataset=dataset), view=NumcopiesView())


class NumcopiesView:
    """Both numbers, each with who said so."""

    def line(self, outcome: Outcome, colours: bool) -> str | None:
        if outcome.failed or not isinstance(outcome, DatasetOutcome):
            return None
        facts = dict(outcome.extra)
        lines = []
        for name in ("numcopies", "mincopies"):
            source = _SOURCES.get(str(facts.get(f"{name}_source")), "")
            lines.append(f"{name} {ink(str(facts.get(name)), 'action', colours)}   {source}".rstrip())
        if facts.get("own_rules"):
            lines.append(f"Some files have numbers of their own: see {printable(str(facts['own_rules']))}")
        if outcome.status is Status.OK and outcome.note:
            lines.append(printable(outcome.note))
        return "\n".join(lines)

    def summary(self) -> Iterable[str]:
        return ()
