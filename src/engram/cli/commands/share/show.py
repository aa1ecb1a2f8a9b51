"""Show what is known of a share.

Where it is mounted, how its folders are read, and whether it is there just now.

    engram share show recordings
"""

from collections.abc import Iterator

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.cli.text import printable
from engram.workspace.shares import ShareHere, Shares


@click.command(cls=Verb, help=__doc__)
@click.argument("name")
@click.pass_obj
def command(call: Call, name: str) -> None:
    call.show_blocks(call.open(Shares).show(name), _lines)


def _lines(one: ShareHere) -> Iterator[str]:
    share = one.share
    yield f"{share.name}: {printable(share.root)}"
    if one.trouble:
        yield f"  not readable here: {one.trouble}"
    rows = [("also known as", share.also_known_as), ("left out", share.exclude)]
    rows += [("time zone", (share.timezone,)), ("Globus collection", (share.collection,))]
    rows += [("in the collection", (share.collection_root,))]
    rows += [("templates" if share.template else "templates (the usual ones)", one.templates)]
    for title, values in rows:
        shown = [value for value in values if value]
        if shown:
            yield f"  {title}:" if len(shown) > 1 else f"  {title}: {printable(shown[0])}"
            yield from (f"    {printable(value)}" for value in shown if len(shown) > 1)
