"""Show what has changed since the last save.

Files are untracked, added, modified or deleted; clean ones are not shown, unless as JSON. Nothing is changed.

    engram status
    engram status sub-01 --untracked all
    engram status --annex                 with the sizes of what is in the annex
    engram --json status                  every file, for a program
"""

import click

from engram.cli import options, states
from engram.cli.call import Call
from engram.workspace.datasets import Datasets


@click.command(cls=states.AnnexMode, help=__doc__)
@options.paths
@options.dataset("The dataset; default is the one around the current folder.")
@states.annex
@states.untracked
@options.recursion
@click.option(
    "-e",
    "--eval-subdataset-state",
    type=click.Choice(("no", "commit", "full")),
    default="full",
    help="How closely to look at subdatasets: not, at their commit, or at their files, too (default).",
)
# DataLad's scripts still give it, and DataLad itself passes over it.
@click.option("-t", "--report-filetype", type=click.Choice(("raw", "eval")), hidden=True, expose_value=False)
@click.pass_obj
def command(
    call: Call,
    *,
    paths: tuple[str, ...],
    dataset: str | None,
    annex: str | None,
    untracked: str,
    recursive: bool,
    recursion_limit: int | None,
    eval_subdataset_state: str,
) -> None:
    outcomes = call.open(Datasets).status(
        paths,
        dataset=dataset,
        annex=annex,
        untracked=untracked,
        evaluate_subdatasets=eval_subdataset_state,
        recursive=recursive,
        recursion_limit=recursion_limit,
        report_clean=annex is not None or call.style.form != "tailored",
    )
    view = states.StateView(call.folder, named=dataset is not None, all_clean="nothing to save, working tree clean")
    call.show(outcomes, view=view, reads_only=True)
