"""Show the name of the snapshot that a configuration builds.

Nothing is built. Everything that is wrong with the configuration is told; its tables are not looked at.

    engram snapshot tag -c manc.yaml
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
    call.show_records([call.open(Snapshots).name(config)], lambda one: one.tag)
