"""Add a share: a place that rigs write to.

PATH is where it is mounted here. Nothing on a share is ever written. What its folders are called is declared by
templates, of which the first that matches a folder wins; without any the usual ones hold (engram help templates). It
is looked whether this account, on this machine, can read it.

    engram share add recordings /mnt/N/recordings
    engram share add recordings /mnt/N/recordings --also-known-as N:/recordings
    engram share add rig4 /mnt/rig4 --template '{subject}/{session:%Y%m%d}'
    engram share add old /mnt/old --exclude lost+found --dry-run
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.workspace.shares import Shares


@click.command(cls=Verb, help=__doc__)
@click.argument("name")
@click.argument("path", type=click.Path())
@click.option("--template", metavar="TEMPLATE", multiple=True, help="What a session's folder is called (repeatable).")
@click.option(
    "--timezone", metavar="ZONE", default="", help="Time zone of what is recorded there; default is the lab's."
)
@click.option("--also-known-as", metavar="PREFIX", multiple=True, help="What it is called elsewhere, as N:/recordings.")
@click.option(
    "--exclude", metavar="PATTERN", multiple=True, help="Leave these paths out, as '**/logs/**' (repeatable)."
)
@options.plan
@click.pass_obj
def command(
    call: Call,
    *,
    name: str,
    path: str,
    template: tuple[str, ...],
    timezone: str,
    also_known_as: tuple[str, ...],
    exclude: tuple[str, ...],
    dry_run: bool,
    plan_file: str | None,
) -> None:
    shares = call.open(Shares)
    add = shares.plan_add if dry_run else shares.add
    result = add(name, path, template=template, timezone=timezone, also_known_as=also_known_as, exclude=exclude)
    call.show_either(result, plan_file)
