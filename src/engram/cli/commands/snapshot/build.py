"""Build a snapshot of a connectome from flyem-snapshot's configuration.

What the configuration asks for appears in the snapshot's folder when all of it is there: flat tables, files for a
neuPrint database, tables of neurotransmitters, reports with their plots. What an earlier build left there is kept where
it would be made again as it is. An interrupted build leaves what was there, and goes on where it is begun again. The
last file to come, provenance.json, says what all of it was made from; ro-crate-metadata.json says it to archives.

What else lies in the folder stays as it is: a build replaces what a build made, and refuses where something else has
the name of a part of a snapshot. A build that is refused leaves no new folder behind.

With --save the folder becomes a dataset, if it is none, and the snapshot a commit in it, so that every version can be
had again: engram history DIR. Large files go to the annex, a few texts to git. A build that fails saves nothing.

    engram snapshot build -c release.yaml
    engram snapshot build -c release.yaml -o /data/release
    engram snapshot build -c release.yaml --memory 8GB -J 4
    engram snapshot build -c release.yaml --explain
    engram snapshot build -c release.yaml --save
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.workspace.snapshot_building import SnapshotBuilding


@click.command(cls=Verb, help=__doc__)
@options.snapshot_config
@click.option(
    "-o", "--output", metavar="DIR", type=options.NamedPath(), help="The snapshot's folder, whatever CONFIG says."
)
@options.memory
@options.threads
@click.option("--no-plots", "plots", flag_value=False, default=True, help="Leave out the plots of reports.")
@click.option("--explain", is_flag=True, help="Tell which steps would be carried out, and why; change nothing.")
@click.option("--save", is_flag=True, help="Save the snapshot as a version of a dataset, its folder.")
@click.pass_obj
def command(
    call: Call,
    *,
    config: str,
    output: str | None,
    memory: str | None,
    jobs: int | None,
    plots: bool,
    explain: bool,
    save: bool,
) -> None:
    building = call.open(SnapshotBuilding)
    folder = output or ""
    if explain:
        call.show_plan(building.plan_build(config, output=folder, plots=plots, save=save))
        return
    told = building.build(config, output=folder, memory=memory or "", threads=jobs or 0, plots=plots, save=save)
    call.show(told)
