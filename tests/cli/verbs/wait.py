"""Wait for a signal, and tidy up."""

import os
import time
from collections.abc import Iterator

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.model.outcome import Outcome, Status


@click.command(cls=Verb, help=__doc__)
@click.option("--tidy-s", type=float, default=0.0)
@click.argument("folder")
@click.pass_obj
def command(call: Call, tidy_s: float, folder: str) -> None:
    call.show(_waiting(folder, tidy_s))


def _waiting(folder: str, tidy_s: float) -> Iterator[Outcome]:
    try:
        yield Outcome(action="wait", item="first", status=Status.OK)
        os.mkdir(os.path.join(folder, "began"))
        time.sleep(60)
    finally:
        time.sleep(tidy_s)
        os.mkdir(os.path.join(folder, "tidy"))
