"""Ask the tables of a finished snapshot in SQL.

Without a QUERY the tables are listed, with their columns. They are named after their files: syn_points,
connectome_weights, body_stats, neuprint_neurons, roi_elements. A query is one SELECT in DuckDB's dialect. It reads the
tables of the snapshot and nothing else; it changes nothing. Cypher is not understood yet.

    engram snapshot query release
    engram snapshot query release 'SELECT count(*) FROM body_stats'
    engram snapshot query release 'FROM body_stats' --csv > stats.csv
    engram --json snapshot query release 'SELECT body FROM body_stats'
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.workspace.memory import held_to, memory_of
from engram.workspace.snapshot_asking import SnapshotAsking


@click.command(cls=Verb, help=__doc__)
@click.argument("folder", metavar="DIR", type=options.NamedPath())
@click.argument("query", metavar="[QUERY]", required=False)
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values, instead of a table for people.")
@options.memory
@options.threads
@click.pass_obj
def command(call: Call, *, folder: str, query: str | None, as_csv: bool, memory: str | None, jobs: int | None) -> None:
    from engram.cli.answers import show_answer, table_lines  # here, because help needs neither

    asking = call.open(SnapshotAsking)
    if query is None:
        call.show_blocks(asking.tables(folder), table_lines)
        return
    with held_to(memory_of(memory or ""), "query"):
        show_answer(call, asking.query(folder, query, memory=memory or "", threads=jobs or 0), as_csv=as_csv)
