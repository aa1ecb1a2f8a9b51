"""Repeat commands that engram run (or datalad run) recorded.

Without options the command of the last commit is run again on what is here now; REVISION names another commit, --since
a whole range. A new commit is made only if the results differ. Commands that you did not record yourself are shown
first, and you are asked; without a terminal they are refused until you said: engram trust DATASET. The exit code is
that of the command that failed.

    engram rerun                          the last commit's command
    engram rerun --since=                 every command, the oldest first
    engram rerun --since=HEAD~5 --report  what would be run, and what it changed
    engram rerun --since= --onto= -b verify
    engram rerun --since= --script -
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.cli.runs import allowed, ends_as_its_command, show_script
from engram.workspace.provenance import Provenance


@click.command(cls=Verb, help=__doc__)
@click.argument("revision", required=False, metavar="[REVISION]")
@click.option("--since", metavar="REVISION", help="All commands since this commit; empty: since the beginning.")
@options.dataset("The dataset; default is the one around the current folder.")
@click.option("-b", "--branch", metavar="NAME", help="Put the results on a new branch.")
@options.message("Instead of the recorded message.")
@click.option("--onto", metavar="REVISION", help="Start from this commit; empty: from before the first command.")
@click.option(
    "--script", metavar="FILE", type=click.Path(), help="Write the commands into a file instead; -: show them."
)
@click.option("--report", is_flag=True, help="Run nothing; show what would be done with each commit.")
@click.option(
    "--assume-ready",
    type=click.Choice(("inputs", "outputs", "both")),
    help="Do not get inputs, or make outputs writable: they are.",
)
@click.option("--explicit", is_flag=True, help="Save the outputs alone; other changes do not matter.")
@click.option(
    "--on-cmd-failure",
    type=click.Choice(("error", "save", "all")),
    help="When a command fails: save nothing (error, default), save and go on (save), or with its code (all).",
)
@options.jobs
@click.pass_obj
def command(
    call: Call,
    *,
    revision: str | None,
    since: str | None,
    dataset: str | None,
    branch: str | None,
    message: str | None,
    onto: str | None,
    script: str | None,
    report: bool,
    assume_ready: str | None,
    explicit: bool,
    on_cmd_failure: str | None,
    jobs: int | None,
) -> None:
    provenance = call.open(Provenance)
    if script == "-":
        show_script(call, provenance.script(revision, since=since, dataset=dataset))
    elif script is not None:
        call.show(provenance.write_script(script, revision, since=since, dataset=dataset))
    else:
        outcomes = provenance.rerun(
            revision,
            since=since,
            dataset=dataset,
            branch=branch,
            message=message,
            onto=onto,
            report=report,
            assume_ready=assume_ready,
            explicit=explicit,
            on_command_failure=on_cmd_failure,
            jobs=jobs,
            starting=lambda _: call.screen.flush(),
            ask=lambda records: allowed(call, records),
        )
        call.show(ends_as_its_command(call, outcomes))
