"""Go wrong in the way that is asked for."""

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.model.errors import DatasetBusy, PathNotFound, StorageFailed


@click.command(cls=Verb, help=__doc__)
@click.argument("how")
@click.pass_obj
def command(call: Call, how: str) -> None:
    match how:
        case "path":
            raise PathNotFound("no\x1bsuch")
        case "busy":
            raise DatasetBusy("index.lock", "git")
        case "disk":
            raise StorageFailed("/data", "No space left on device")
        case "ask":
            call.confirm("Delete everything?")
        case _:
            raise KeyError("a\nbug")
