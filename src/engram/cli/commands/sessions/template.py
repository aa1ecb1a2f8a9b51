"""Make a template from examples of session folders.

It shows which folders of the share the template would match, and which it nearly does. Where a date can be read in
several ways, each is shown: give another example that only one of them can read.

    engram sessions template recordings 12347/20220419
    engram sessions template recordings N:/raw/12347/20170318/Session2 --save
    engram sessions template recordings 12347/20220419 --save --dry-run
    engram sessions template ephys SC033/catgt_SC033_111219_g0
"""

from collections.abc import Iterator

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.cli.text import ink, printable
from engram.model.counting import plural
from engram.model.errors import UsageError
from engram.sessions.inferring import Inferred
from engram.workspace.scanning import Scanning


@click.command(cls=Verb, help=__doc__)
@click.argument("share")
@click.argument("examples", nargs=-1, required=True, metavar="EXAMPLE...")
@click.option("--save", is_flag=True, help="Let the share have it, in engram.toml; only when there is but one.")
@options.plan
@click.pass_obj
def command(
    call: Call, *, share: str, examples: tuple[str, ...], save: bool, dry_run: bool, plan_file: str | None
) -> None:
    scanning = call.open(Scanning)
    found = scanning.infer(share, examples)
    colours = call.screen.colours
    call.show_blocks(found, lambda one: _lines(one, colours))
    if save and len(found) > 1:
        raise UsageError(
            f"{len(found)} templates read these examples; none was saved.",
            "Give another example that only one of them can read, or write one into engram.toml.",
        )
    if save and dry_run:
        call.show_plan(scanning.plan_template(share, found[0].template), into=plan_file)
    elif save:
        call.show(scanning.save_template(share, found[0].template))
    elif call.style.for_people and not call.style.quiet:
        call.show_lines(
            "To use it, add: --save"
            if len(found) == 1
            else "Only the lab knows which is right: give another example that only one of them can read."
        )


def _lines(one: Inferred, colours: bool) -> Iterator[str]:
    yield ink(printable(one.template), "action", colours)
    yield f"  matches {plural(one.matches, 'folder')}{':' if one.fits else ''}"
    for fit in one.fits:
        ident = f", {printable(fit.ident)}" if fit.ident else ""
        yield f"    {printable(fit.folder)}: {printable(fit.subject)}, {fit.started}{ident}"
    if one.others:
        yield f"  does not match {plural(one.others, 'folder')} equally deep:"
    for miss in one.near_misses:
        yield f"    {printable(miss.folder)}: {printable(miss.why)}"
