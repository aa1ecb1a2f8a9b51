"""Load a finished snapshot into Neo4j, for neuPrint.

neo4j-admin imports its files, Neo4j is started, and its indexes are made. Neo4j must be installed (neo4j-admin, neo4j
and cypher-shell on PATH) and at rest; what the database held before is replaced. --print shows the script instead: for
another machine, for Neo4j 4.4, or with --apptainer for a cluster, where Neo4j comes in a container.

    engram snapshot load release
    engram snapshot load release --print > load.sh
    engram snapshot load release --for 4.4 --apptainer --print > load.sh
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.cli.schemas import Help
from engram.workspace.snapshot_loading import SnapshotLoading


@click.command(cls=Verb, help=__doc__)
@click.argument("folder", metavar="DIR", type=options.NamedPath())
@click.option("--print", "as_script", is_flag=True, help="Show the script, and run nothing.")
@click.option(
    "--for",
    "version",
    metavar="VERSION",
    type=click.Choice(("5", "4.4")),
    default="5",
    show_default=True,
    help="The version of Neo4j: 5 or 4.4.",
)
@click.option("--database", metavar="NAME", default="neo4j", show_default=True, help="The database's name there.")
@click.option("--apptainer", is_flag=True, help="With --print: run it in a container of apptainer.")
@options.memory
@options.threads
@click.pass_obj
def command(
    call: Call,
    *,
    folder: str,
    as_script: bool,
    version: str,
    database: str,
    apptainer: bool,
    memory: str | None,
    jobs: int | None,
) -> None:
    loading = call.open(SnapshotLoading)
    wanted = {"version": version, "database": database, "memory": memory or ""}
    if as_script:
        text = loading.script(folder, **wanted, threads=jobs or 0, in_container=apptainer)
        call.show_text(Help(topic="snapshot load", text=text))
        return
    if apptainer:
        raise click.UsageError("--apptainer goes with --print.")
    call.confirm(f"Replace what the database {database} holds?")
    call.show(loading.load(folder, **wanted, threads=jobs or 0))
