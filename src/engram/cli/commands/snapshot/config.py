"""Show a configuration to start from: every key with its default.

It is the configuration of flyem-snapshot, whose files are read as they are. A key that a file leaves out has the value
that stands here.

    engram snapshot config > manc.yaml
    engram snapshot config --comments | less
    engram snapshot config --meta --comments > neuprint-meta.yaml
"""

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.cli.schemas import Help
from engram.workspace.snapshots import Snapshots


@click.command(cls=Verb, help=__doc__)
@click.option("--comments", is_flag=True, help="Say of each key what it means.")
@click.option("--meta", is_flag=True, help="The file that describes the dataset for neuPrint, instead.")
@click.pass_obj
def command(call: Call, *, comments: bool, meta: bool) -> None:
    text = call.open(Snapshots).template(meta=meta, comments=comments)
    call.show_text(Help(topic=f"snapshot config{' --meta' if meta else ''}", text=text))
