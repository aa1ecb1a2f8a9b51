"""List subdatasets, and what is recorded about each.

Those that are not installed here are listed, too: get installs them.

    engram subdatasets
    engram subdatasets -r --state absent
    engram subdatasets --contains inputs/scans/sub-01/anat.nii
    engram subdatasets --set-property datalad-recursiveinstall skip inputs/huge
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.workspace.nesting import Nesting


@click.command(cls=Verb, help=__doc__)
@options.paths
@options.dataset("The dataset; default is the one around the current folder.")
@click.option(
    "--state",
    type=click.Choice(("present", "absent", "any")),
    default="any",
    help="Only those that are installed here, or only those that are not.",
)
@click.option("--fulfilled", type=click.BOOL, hidden=True)  # DataLad's older word for --state
@options.recursion
@click.option("--contains", multiple=True, metavar="PATH", help="Only those that hold this path. Can be given again.")
@click.option("--bottomup", is_flag=True, help="What is inside of a subdataset before itself.")
@click.option(
    "--set-property",
    "properties",
    multiple=True,
    nargs=2,
    metavar="NAME VALUE",
    help="Record a property in .gitmodules, and save that. '<…{gitmodule_name}…>' fills in what is known of each.",
)
@click.option("--delete-property", "without", multiple=True, metavar="NAME", help="Take a property away again.")
@options.plan
@click.pass_obj
def command(
    call: Call,
    *,
    paths: tuple[str, ...],
    dataset: str | None,
    state: str,
    fulfilled: bool | None,
    recursive: bool,
    recursion_limit: int | None,
    contains: tuple[str, ...],
    bottomup: bool,
    properties: tuple[tuple[str, str], ...],
    without: tuple[str, ...],
    dry_run: bool,
    plan_file: str | None,
) -> None:
    if fulfilled is not None:
        state = "present" if fulfilled else "absent"
    nesting = call.open(Nesting)
    if dry_run and (properties or without):
        plan = nesting.plan_subdatasets(
            paths,
            dataset=dataset,
            state=state,
            contains=contains,
            properties=properties,
            without=without,
            recursive=recursive,
            recursion_limit=recursion_limit,
        )
        call.show_plan(plan, into=plan_file)
        return
    outcomes = nesting.subdatasets(
        paths,
        dataset=dataset,
        state=state,
        contains=contains,
        bottom_up=bottomup,
        properties=properties,
        without=without,
        recursive=recursive,
        recursion_limit=recursion_limit,
    )
    call.show(outcomes, reads_only=not properties and not without)
