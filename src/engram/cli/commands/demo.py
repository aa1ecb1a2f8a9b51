"""See a small true story on real brain images.

Makes a dataset in DIR (default: engram-demo), saves images that engram brings along, changes something and saves
again. Each command is shown with its meaning and the time it took. The folder stays for you to play with. Your own git
settings are not changed, and no name or address is needed.

    engram demo
    engram demo ~/playground
"""

import shlex
from collections.abc import Iterable

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.cli.states import StateView
from engram.cli.text import ink, printable
from engram.model.outcome import DatasetOutcome, Outcome
from engram.workspace.demo import FOLDER, Demo


@click.command(cls=Verb, help=__doc__)
@click.argument("folder", required=False, metavar="[DIR]", type=click.Path())
@click.pass_obj
def command(call: Call, *, folder: str | None) -> None:
    call.show(call.open(Demo).tell(folder), view=DemoView(folder or FOLDER))


class DemoView:
    """Each command as one would type it, above what it said."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._status = StateView(folder, named=True, all_clean="nothing to save, working tree clean")

    def line(self, outcome: Outcome, colours: bool) -> str | None:
        if outcome.failed or not isinstance(outcome, DatasetOutcome):
            return None
        if outcome.action == "status":
            return self._status.line(outcome, colours)
        if outcome.action != "demo":
            return None
        extra = dict(outcome.extra)
        time = f"[{extra.get('seconds', 0):.2f} s]"
        lines = ["", ink(f"# {printable(outcome.note)} {time}", "remedy", colours)]
        lines += [f"$ {printable(line)}" for line in outcome.item.splitlines()]
        lines += [printable(line.expandtabs()).rstrip() for line in str(extra.get("said", "")).splitlines()]
        return "\n".join(lines)

    def summary(self) -> Iterable[str]:
        folder = printable(shlex.quote(self._folder))
        yield ""
        yield f"The dataset stays for you to play with: cd {folder}"
        yield f"To be rid of it: chmod -R u+w {folder} && rm -r {folder}"
