"""Show or change settings of git and DataLad.

Settings lie in three places: branch (.datalad/config, which travels with the dataset and is saved like any file), local
(this copy alone; the default for changes), global (everything you do). Engram's own settings: engram config explain.

    engram configuration                            everything that holds here
    engram configuration get user.name
    engram configuration set annex.numcopies=2
    engram configuration --scope branch set annex.numcopies=2
    engram configuration unset annex.numcopies
    engram configuration --dry-run set annex.numcopies=2
"""

from collections.abc import Iterable

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.cli.text import ink, printable
from engram.model.outcome import DatasetOutcome, Outcome
from engram.workspace.upkeep import Upkeep

_ACTIONS = ("dump", "get", "set", "unset")


@click.command(cls=Verb, help=__doc__)
@click.argument("action", required=False, default="dump", type=click.Choice(_ACTIONS), metavar="[dump|get|set|unset]")
@click.argument("items", nargs=-1, metavar="[NAME[=VALUE]]...")
@click.option("--scope", type=click.Choice(("branch", "local", "global")), help="Only there; for set and unset: where.")
@options.dataset("The dataset; default is the one around the current folder.")
@options.recursion
@options.plan
@click.pass_obj
def command(
    call: Call,
    *,
    action: str,
    items: tuple[str, ...],
    scope: str | None,
    dataset: str | None,
    recursive: bool,
    recursion_limit: int | None,
    dry_run: bool,
    plan_file: str | None,
) -> None:
    upkeep = call.open(Upkeep)
    if dry_run and action in ("set", "unset"):
        plan = upkeep.plan_configuration(
            action, items, scope=scope, dataset=dataset, recursive=recursive, recursion_limit=recursion_limit
        )
        call.show_plan(plan, into=plan_file)
        return
    outcomes = upkeep.configuration(
        action, items, scope=scope, dataset=dataset, recursive=recursive, recursion_limit=recursion_limit
    )
    view = ConfigurationView(several=recursive) if action in ("dump", "get") else None
    call.show(outcomes, view=view, reads_only=view is not None)


class ConfigurationView:
    """``NAME=VALUE`` of everything; of what was asked for the value alone. Of several datasets: which one it is."""

    def __init__(self, *, several: bool) -> None:
        self._several = several

    def line(self, outcome: Outcome, colours: bool) -> str | None:
        if outcome.failed or not isinstance(outcome, DatasetOutcome):
            return None
        fields = dict(outcome.extra)
        value = fields.get("value")
        shown = ", ".join(value) if isinstance(value, tuple) else str(value if value is not None else "")
        name = (
            "" if outcome.action == "get_configuration" else f"{ink(printable(str(fields['name'])), 'type', colours)}="
        )
        where = f"<{printable(outcome.item)}>: " if self._several else ""
        return f"{where}{name}{printable(shown)}" or " "

    def summary(self) -> Iterable[str]:
        return ()
