"""Run a command, and record what it changes together with how that came about.

Everything from the first word of COMMAND on is the command's own; one word that holds a whole line ('a | b > c') goes
to the shell as it is. Its inputs are got beforehand, its outputs made writable; what it changed is saved in one commit
that holds the command, its inputs and outputs, so that engram rerun can repeat it, and engram history find it. The exit
code is the command's; when it fails nothing is saved.

In the command, {inputs} and {outputs} stand for what -i and -o name ({inputs[0]} for the first), {pwd} for this folder,
{dspath} for the dataset, {tmpdir} for a fresh folder; {name} for what datalad.run.substitutions.name is set to. Braces
that are meant as such are doubled: {{ }}.

    engram run -m "mask" -i sub-01/T1w.nii -o m.nii "bet {inputs} {outputs}"
    engram run --explicit -o 'figures/*.png' python plot.py
    engram run --dry-run basic -i 'data/**/*.csv' "wc {inputs}"
"""

from collections.abc import Sequence

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import UserCommandVerb
from engram.cli.runs import ends_as_its_command, show_dry_run
from engram.workspace.provenance import Provenance

_BOTH = ("inputs", "outputs", "both")


def _yes_or_no(_: click.Context, option: click.Parameter, value: str | None) -> bool | None:
    if value is None:
        return None
    if value.lower() not in ("yes", "no", "true", "false", "on", "off", "1", "0"):
        raise click.BadParameter(f"{value!r} is neither yes nor no.", param=option)
    return value.lower() in ("yes", "true", "on", "1")


@click.command(cls=UserCommandVerb, help=__doc__)
@click.argument("words", nargs=-1, required=True, metavar="COMMAND...", type=click.UNPROCESSED)
@options.dataset("The dataset; the command runs at its top. Default is the one around the current folder.")
@click.option(
    "-i", "--input", "inputs", metavar="PATH", multiple=True, help="What the command reads; may be a pattern."
)
@click.option(
    "-o", "--output", "outputs", metavar="PATH", multiple=True, help="What the command writes; may be a pattern."
)
@click.option("--expand", type=click.Choice(_BOTH), help="Record what these patterns match, instead of the patterns.")
@click.option("--assume-ready", type=click.Choice(_BOTH), help="Do not get inputs, or make outputs writable: they are.")
@click.option("--explicit", is_flag=True, help="Save the outputs alone; other changes do not matter.")
@options.message("What the command is about; default is the command.")
@click.option("--sidecar", metavar="[yes|no]", callback=_yes_or_no, help="Keep the record in a file of its own.")
@click.option(
    "--dry-run",
    type=click.Choice(("basic", "command")),
    help="Show what would be run, with placeholders filled in: all of it, or the command alone.",
)
@click.option(
    "--on-cmd-failure",
    type=click.Choice(("error", "save", "all")),
    help="When the command fails: save nothing (error, default), save and exit with 0 (save), or with its code (all).",
)
@options.jobs
@click.pass_obj
def command(
    call: Call,
    *,
    words: Sequence[str],
    dataset: str | None,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    expand: str | None,
    assume_ready: str | None,
    explicit: bool,
    message: str | None,
    sidecar: bool | None,
    dry_run: str | None,
    on_cmd_failure: str | None,
    jobs: int | None,
) -> None:
    provenance = call.open(Provenance)
    if dry_run:
        planned = provenance.plan_run(
            words,
            dataset=dataset,
            inputs=inputs,
            outputs=outputs,
            expand=expand,
            assume_ready=assume_ready,
            explicit=explicit,
            message=message,
            sidecar=sidecar,
            on_command_failure=on_cmd_failure,
            jobs=jobs,
        )
        show_dry_run(call, planned, whole=dry_run == "basic")
        return
    outcomes = provenance.run(
        words,
        dataset=dataset,
        inputs=inputs,
        outputs=outputs,
        expand=expand,
        assume_ready=assume_ready,
        explicit=explicit,
        message=message,
        sidecar=sidecar,
        on_command_failure=on_cmd_failure,
        jobs=jobs,
        starting=lambda _: call.screen.flush(),
    )
    call.show(ends_as_its_command(call, outcomes))
