"""Show the folder that a configuration's snapshot is built in.

It is what the configuration says, relative to its own folder; else a folder of the snapshot's name in the current one.
Nothing is built.

    engram snapshot dir -c manc.yaml
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.workspace.snapshots import Snapshots


@click.command(cls=Verb, help=__doc__)
@options.snapshot_config
@click.pass_obj
def command(call: Call, *, config: str) -> None:
    call.show_records([call.open(Snapshots).name(config)], lambda one: one.folder)
