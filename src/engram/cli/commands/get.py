"""Bring the contents of files here, and the subdatasets on the way to them.

What lies on this machine is copied and verified; everything else is brought by git-annex. A transfer that broke off
goes on where it ended. When this has come back, it is on the disk.

    engram get sub-01/              what is missing of a folder
    engram get -s origin data.nii   from this sibling only
    engram get -n raw               a subdataset, none of its contents
    engram get -r .                 everything, at any depth
    engram get --dry-run .          what would be got, and from where
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.reckless import Reckless
from engram.workspace.getting import EXISTING, WHICH, Getting


def _levels(_: click.Context, option: click.Parameter, value: str | None) -> int | str | None:
    if value is None or value == EXISTING:
        return value
    if not value.isascii() or not value.isdigit():
        raise click.BadParameter(f"{value!r} is neither a number of levels nor '{EXISTING}'.", param=option)
    return int(value)


@click.command(cls=Reckless, help=__doc__)
@options.paths
@click.option("-s", "--source", metavar="SIBLING", help="Get it from this sibling only.")
@options.dataset("The dataset; default is the one around the current folder.")
@click.option("-r", "--recursive", is_flag=True, help="Also in subdatasets; missing ones are installed.")
@click.option(
    "-R",
    "--recursion-limit",
    metavar="LEVELS",
    callback=_levels,
    help=f"Only so many levels deep; '{EXISTING}': only what is installed.",
)
@click.option("-n", "--no-data", is_flag=True, help="Install subdatasets, get no content of files.")
@click.option(
    "--data",
    "which",
    type=click.Choice(WHICH),
    default=WHICH[0],
    help="Which contents: what the preferred content of this copy asks for, if it asks (default); all; only what it"
    " asks for; none.",
)
@click.option("-c", "--cfg-proc", metavar="PROC", multiple=True, help="Run a procedure in each that is installed.")
@click.option("-D", "--description", metavar="TEXT", help="What to call subdatasets that are installed.")
@click.option("--reckless", metavar="[auto|ephemeral|shared-MODE]", help="How to clone them; see engram clone --help.")
@options.jobs
@options.plan
@click.pass_obj
def command(
    call: Call,
    *,
    paths: tuple[str, ...],
    source: str | None,
    dataset: str | None,
    recursive: bool,
    recursion_limit: int | str | None,
    no_data: bool,
    which: str,
    cfg_proc: tuple[str, ...],
    description: str | None,
    reckless: str | None,
    jobs: int | None,
    dry_run: bool,
    plan_file: str | None,
) -> None:
    getting = call.open(Getting)
    get = getting.plan_get if dry_run else getting.get
    result = get(
        paths,
        dataset=dataset,
        source=source,
        data=not no_data,
        which=which,
        procedures=cfg_proc,
        description=description,
        reckless=reckless,
        recursive=recursive,
        recursion_limit=recursion_limit,
        jobs=jobs,
    )
    call.show_either(result, plan_file)
