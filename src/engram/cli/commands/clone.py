"""Obtain a copy of a dataset from a path or an address.

SOURCE is a path, file://, ssh://, user@host:path, http:// or https://. PATH is made where it is missing; default is the
source's own name in the current folder. The files' contents stay where they are until engram get brings them;
subdatasets, too. What follows PATH and is no option here goes to git clone.

    engram clone /data/raw                 a copy in ./raw
    engram clone ada@server:raw mine       over SSH, in ./mine
    engram clone -d . /data/raw inputs     as a subdataset of this one
    engram clone --reckless ephemeral /data/raw job-17
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.reckless import Reckless
from engram.model.errors import UsageError
from engram.workspace.cloning import Copies


@click.command(cls=Reckless, help=__doc__, context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, metavar="SOURCE [PATH] [GIT CLONE OPTIONS]...", type=click.UNPROCESSED)
@options.dataset("The dataset to register it in, as a subdataset.")
@click.option("-D", "--description", metavar="TEXT", help="What to call this copy, for people.")
@click.option(
    "--reckless",
    metavar="[auto|ephemeral|shared-MODE]",
    help="auto: share contents by hard links; ephemeral: throw-away, with the source's own annex; shared-group: for"
    " several users.",
)
@options.message("What to tell about it in the dataset that it is registered in.")
@click.option("-c", "--cfg-proc", metavar="PROC", multiple=True, help="Run a procedure in it: text2git, yoda, …")
@options.plan
@click.pass_obj
def command(
    call: Call,
    *,
    words: tuple[str, ...],
    dataset: str | None,
    description: str | None,
    reckless: str | None,
    message: str | None,
    cfg_proc: tuple[str, ...],
    dry_run: bool,
    plan_file: str | None,
) -> None:
    if not words or words[0].startswith("-"):
        raise UsageError("Say what to clone.", "See: engram clone --help. Options of git clone follow SOURCE and PATH.")
    has_path = len(words) > 1 and not words[1].startswith("-")
    copies = call.open(Copies)
    clone = copies.plan_clone if dry_run else copies.clone
    result = clone(
        words[0],
        words[1] if has_path else None,
        dataset=dataset,
        description=description,
        reckless=reckless,
        message=message,
        procedures=[name for name in cfg_proc if "=" not in name],
        git_options=[*(f"--config={one}" for one in cfg_proc if "=" in one), *words[1 + has_path :]],
    )
    call.show_either(result, plan_file)
