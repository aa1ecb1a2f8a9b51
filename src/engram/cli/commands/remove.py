"""Remove files, folders and whole datasets, and record that they are gone.

What is not saved keeps all of it from being removed. The contents of annexed files stay in the dataset, so that an
earlier version is complete; --drop all lets go of them, too. A subdataset goes with all in it, and only when its
revisions and contents are elsewhere.

    engram remove notes.txt old/           files and folders
    engram remove -m "not needed" raw      a subdataset
    engram remove -d copy                  a whole dataset, from outside of it
    engram remove --dry-run raw            what would be removed
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.commands.drop import ask_before, recklessness
from engram.cli.root import Verb
from engram.workspace.dropping import Dropping


@click.command(cls=Verb, help=__doc__)
@options.paths
@click.option(
    "--drop",
    type=click.Choice(("datasets", "all")),
    default="datasets",
    help="Let go of the contents of datasets that go (default), or of every file that is removed.",
)
@recklessness
@options.message()
@options.dataset("The dataset; without PATHs, the one to be removed.")
@click.option("-r", "--recursive", is_flag=True, hidden=True, expose_value=False)  # as DataLad: it always is
@options.jobs
@options.plan
@click.pass_obj
def command(
    call: Call,
    *,
    paths: tuple[str, ...],
    drop: str,
    reckless: str | None,
    message: str | None,
    dataset: str | None,
    jobs: int | None,
    dry_run: bool,
    plan_file: str | None,
) -> None:
    dropping = call.open(Dropping)
    if not dry_run and (paths or dataset is not None):
        ask_before(call, dropping.doomed(paths, dataset=dataset, what=drop, reckless=reckless, recursive=True))
    remove = dropping.plan_remove if dry_run else dropping.remove
    result = remove(paths, dataset=dataset, drop=drop, reckless=reckless, message=message, jobs=jobs)
    call.show_either(result, plan_file)
