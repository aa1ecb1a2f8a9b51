"""Allow a dataset's own hooks, procedures and commands to run.

A dataset that came from somebody else runs nothing here until you say so: neither the procedures that it holds, nor
hooks and commands that its .git brings along. What you allow is pinned to its content: when that changes, engram asks
again. Special remotes that its makers meant every clone to use are enabled; an external one's program is started.

    engram trust .
    engram trust --dry-run .    what would be allowed
"""

from collections.abc import Iterable

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.render import outcome_line
from engram.cli.root import Verb
from engram.model.outcome import Outcome, Status
from engram.workspace.datasets import Datasets


@click.command(cls=Verb, help=__doc__)
@click.argument("dataset", type=click.Path())
@options.plan
@click.pass_obj
def command(call: Call, *, dataset: str, dry_run: bool, plan_file: str | None) -> None:
    datasets = call.open(Datasets)
    trust = datasets.plan_trust if dry_run else datasets.trust
    call.show_either(trust(dataset), plan_file, view=_Answered())


class _Answered:
    """The lines that every command has, and one also where nothing had to be allowed: silence would leave doubts."""

    def line(self, outcome: Outcome, colours: bool) -> str | None:
        needless = outcome.status is Status.NOT_NEEDED and outcome.item == "."
        return outcome_line(outcome, colours) if needless else None

    def summary(self) -> Iterable[str]:
        return ()
