"""Record the current state of a dataset, or of some of its files.

Everything that is new, changed or deleted becomes part of the dataset's history; with PATHs only what they name
(a folder stands for what is in it, and patterns as '*.nii' work without the shell, too). When this has come back, it
is on the disk.

    engram save -m "add the first session"
    engram save -m "mend the labels" labels/
    engram save -u             what is tracked already, nothing new
    engram save --amend        into the last commit
    engram save --dry-run      what would be recorded, and where it would go
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.workspace.datasets import Datasets


@click.command(cls=Verb, help=__doc__)
@options.paths
@options.message()
@click.option("-F", "--message-file", metavar="FILE", type=click.Path(), help="Where the message stands.")
@options.dataset("The dataset; default is the one around the current folder.")
@click.option("-t", "--version-tag", metavar="ID", help="A tag for the new state, as a version.")
@options.recursion
@click.option("-u", "--updated", is_flag=True, help="Only what is tracked already.")
@click.option("--to-git", is_flag=True, help="Put contents into git itself, whatever their size.")
@click.option("--amend", is_flag=True, help="Replace the last commit instead of adding one.")
@options.jobs
@options.plan
@click.pass_obj
def command(
    call: Call,
    *,
    paths: tuple[str, ...],
    message: str | None,
    message_file: str | None,
    dataset: str | None,
    version_tag: str | None,
    recursive: bool,
    recursion_limit: int | None,
    updated: bool,
    to_git: bool,
    amend: bool,
    jobs: int | None,
    dry_run: bool,
    plan_file: str | None,
) -> None:
    datasets = call.open(Datasets)
    save = datasets.plan_save if dry_run else datasets.save
    result = save(
        paths,
        dataset=dataset,
        message=message,
        message_file=message_file,
        updated=updated,
        tag=version_tag,
        to_git=to_git,
        amend=amend,
        jobs=jobs,
        recursive=recursive,
        recursion_limit=recursion_limit,
    )
    call.show_either(result, plan_file)
