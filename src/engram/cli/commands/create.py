"""Make a new dataset, empty or around the files of a folder.

PATH is made where it is missing; default is the current folder. Files that are there already are left alone: engram
save records them. New datasets name contents by SHA256E; a subdataset takes its parent's way. What follows PATH and is
no option here goes to git init.

    engram create mydata                a new dataset
    engram create -c text2git mydata    text goes to git, all else to the annex
    engram create -f                    around the files of the current folder
    engram create -d . inputs/scans     as a subdataset of this one
    engram create mydata -b main        what follows PATH is for git init
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.datalad_words import missing_option
from engram.cli.root import Verb
from engram.model.errors import UsageError
from engram.workspace.datasets import Datasets


@click.command(cls=Verb, help=__doc__, context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, metavar="[PATH] [GIT INIT OPTIONS]...", type=click.UNPROCESSED)
@click.option("-f", "--force", is_flag=True, help="Also in a folder that is not empty.")
@options.dataset("The dataset to register it in; without PATH, where to make it.")
@click.option(
    "-c", "--cfg-proc", metavar="PROC", multiple=True, help="Run a procedure in it: text2git, yoda, noannex, …"
)
@click.option("--annex/--no-annex", default=True, help="With an annex (default), or plain git.")
@click.option("-D", "--description", metavar="TEXT", help="What to call this copy, for people.")
@options.message("What to tell about it in the dataset that it is registered in.")
@click.option("--backend", metavar="NAME", help="How contents are named: SHA256E (default), MD5E, …")
@options.plan
@click.pass_obj
def command(
    call: Call,
    *,
    words: tuple[str, ...],
    force: bool,
    dataset: str | None,
    cfg_proc: tuple[str, ...],
    annex: bool,
    description: str | None,
    message: str | None,
    backend: str | None,
    dry_run: bool,
    plan_file: str | None,
) -> None:
    path = words[0] if words else None
    if path is not None and path.startswith("-"):
        raise missing_option("create", path, ()) or UsageError(
            f"There is no option {path}.", "See: engram create --help. Options of git init follow PATH."
        )
    datasets = call.open(Datasets)
    create = datasets.plan_create if dry_run else datasets.create
    result = create(
        path,
        dataset=dataset,
        procedures=cfg_proc,
        force=force,
        annex=annex,
        message=message,
        description=description,
        backend=backend,
        init_options=words[1:],
    )
    call.show_either(result, plan_file)
