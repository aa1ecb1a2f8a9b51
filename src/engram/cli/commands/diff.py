"""Show what differs between two versions.

By default: what has changed since the last save. A version is named as git names it: a commit, a branch, a tag,
HEAD~3.

    engram diff
    engram diff --from HEAD~1 --to HEAD
    engram diff --from v1.0 -r sub-01
"""

import click

from engram.cli import options, states
from engram.cli.call import Call
from engram.workspace.comparing import Comparing


@click.command(cls=states.AnnexMode, help=__doc__)
@options.paths
@click.option("-f", "--from", "before", metavar="VERSION", default="HEAD", help="The earlier one; default is HEAD.")
@click.option("-t", "--to", "later", metavar="VERSION", help="The later one; default is the work tree as it is now.")
@options.dataset("The dataset; default is the one around the current folder.")
@states.annex
@states.untracked
@options.recursion
@click.pass_obj
def command(
    call: Call,
    *,
    paths: tuple[str, ...],
    before: str,
    later: str | None,
    dataset: str | None,
    annex: str | None,
    untracked: str,
    recursive: bool,
    recursion_limit: int | None,
) -> None:
    outcomes = call.open(Comparing).diff(
        paths,
        dataset=dataset,
        before=before,
        later=later,
        annex=annex,
        untracked=untracked,
        recursive=recursive,
        recursion_limit=recursion_limit,
        report_clean=annex is not None or call.style.form != "tailored",
    )
    call.show(outcomes, view=states.StateView(call.folder, named=dataset is not None), reads_only=True)
