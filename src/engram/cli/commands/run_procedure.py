"""Run a procedure: a prepared program that sets something up in a dataset.

Procedures are programs cfg_NAME.py, cfg_NAME.sh or executable ones in your own procedure folder, in the machine's, and
in a dataset's .datalad/procedures; three are built in. What a dataset holds runs only after engram trust. Everything
from NAME on belongs to the procedure.

    engram run-procedure --discover
    engram run-procedure cfg_yoda
    engram run-procedure --dry-run cfg_yoda     what it would run or write
    engram run-procedure --help-proc cfg_text2git
"""

from collections.abc import Iterable, Sequence

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import UserCommandVerb
from engram.cli.runs import ends_as_its_command
from engram.cli.text import ink, printable
from engram.model.errors import UsageError
from engram.model.outcome import DatasetOutcome, Outcome
from engram.workspace.provenance import Provenance


@click.command(cls=UserCommandVerb, help=__doc__)
@click.argument("spec", nargs=-1, metavar="[NAME [ARGUMENT]...]", type=click.UNPROCESSED)
@options.dataset("The dataset; default is the one around the current folder.")
@click.option("--discover", is_flag=True, help="Show which procedures there are; run none.")
@click.option("--help-proc", is_flag=True, help="Show what the procedure says of itself; run nothing.")
@options.plan
@click.pass_obj
def command(
    call: Call,
    *,
    spec: Sequence[str],
    dataset: str | None,
    discover: bool,
    help_proc: bool,
    dry_run: bool,
    plan_file: str | None,
) -> None:
    provenance = call.open(Provenance)
    if discover:
        call.show(provenance.discover_procedures(dataset=dataset), view=ProcedureView(), reads_only=True)
    elif not spec:
        raise UsageError("Which procedure?", "See which there are: engram run-procedure --discover")
    elif help_proc:
        call.show(provenance.procedure_help(spec[0], dataset=dataset), view=ProcedureView(), reads_only=True)
    elif dry_run:
        call.show_plan(provenance.plan_run_procedure(spec[0], spec[1:], dataset=dataset), into=plan_file)
    else:
        outcomes = provenance.run_procedure(spec[0], spec[1:], dataset=dataset, starting=lambda _: call.screen.flush())
        call.show(ends_as_its_command(call, outcomes))


class ProcedureView:
    """Lines as ``cfg_yoda (path) [python_script]``."""

    def line(self, outcome: Outcome, colours: bool) -> str | None:
        if outcome.failed or not isinstance(outcome, DatasetOutcome):
            return None
        name = ink(printable(outcome.item), "action", colours)
        return f"{name} ({printable(outcome.path)}) [{printable(outcome.note)}]"

    def summary(self) -> Iterable[str]:
        return ()
