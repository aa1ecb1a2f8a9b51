"""Find what the annex holds and no version of any file uses any more.

Every branch, tag, and branch of a sibling counts as a use, and so do the index, the work tree and what was stashed.
What is found gets a number, for: engram dropunused. Damaged copies that a check has set aside are listed, too, and
contents that came half-way.

    engram unused
    engram unused --used-refspec '+refs/heads/*'     old tags do not count
    engram unused --fast                   only damaged and half-way contents
"""

from collections.abc import Iterable

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.keys import short_key
from engram.cli.root import Verb
from engram.cli.text import ink, printable, size
from engram.model.counting import plural
from engram.model.outcome import DatasetOutcome, Outcome, Status
from engram.workspace.auditing import Custody

_KINDS = {"bad": "  (damaged, set aside)", "tmp": "  (came half-way)"}


@click.command(cls=Verb, help=__doc__)
@options.dataset("The dataset; default is the one around the current folder.")
@click.option("--fast", is_flag=True, help="Only what was set aside as damaged, or came half-way.")
@click.option(
    "--used-refspec",
    metavar="REFSPEC",
    help="Which refs count, as +GLOB, -GLOB and reflog with : between; default is annex.used-refspec, or all.",
)
@click.pass_obj
def command(call: Call, *, dataset: str | None, fast: bool, used_refspec: str | None) -> None:
    call.show(call.open(Custody).unused(dataset=dataset, fast=fast, used_refspec=used_refspec), view=UnusedView())


class UnusedView:
    """A table of numbers, sizes and keys."""

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._bytes = 0
        self._note = ""

    def line(self, outcome: Outcome, colours: bool) -> str | None:
        if outcome.failed or not isinstance(outcome, DatasetOutcome):
            return None
        self._note = outcome.note
        if outcome.status is Status.NOT_NEEDED:
            return ""
        facts = dict(outcome.extra)
        number = facts["number"]
        self._numbers.append(number if isinstance(number, int) else 0)
        self._bytes += outcome.bytesize or 0
        how_much = "" if outcome.bytesize is None else size(outcome.bytesize)
        kind = _KINDS.get(str(facts["kind"]), "")
        return f"{ink(f'{number:>6}', 'action', colours)}  {how_much:>9}  {short_key(outcome.key)}{kind}"

    def summary(self) -> Iterable[str]:
        if not self._numbers:
            yield printable(self._note)
            return
        first, last = min(self._numbers), max(self._numbers)
        numbers = str(first) if first == last else f"{first}-{last}"
        yield f"{plural(len(self._numbers), 'content')}, {size(self._bytes)}; to drop: engram dropunused {numbers}"
        if self._note:
            yield printable(self._note)
