"""Prove that a finished snapshot is whole, and that its tables agree.

Every file has the digest that provenance.json tells, and none is missing or too many. Every table has the columns,
types and rows that it promises. Every CSV file can be imported into Neo4j: ids are there once, both ends of every
relationship exist. What follows from other tables is computed from them and compared: weights, totals of bodies and of
ROIs, sets of synapses, neurotransmitters, elements, reports. Skeletons and meshes are those that their tables list.

What flyem-snapshot wrote can be checked, too. It has no digests; what could not be proven is said. Nothing is changed.

    engram snapshot check release
    engram snapshot check release --memory 4GB
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.workspace.snapshot_proving import SnapshotProving


@click.command(cls=Verb, help=__doc__)
@click.argument("folder", metavar="DIR", type=options.NamedPath())
@options.memory
@options.threads
@click.pass_obj
def command(call: Call, *, folder: str, memory: str | None, jobs: int | None) -> None:
    proving = call.open(SnapshotProving)
    call.show(proving.check(folder, memory=memory or "", threads=jobs or 0), reads_only=True)
