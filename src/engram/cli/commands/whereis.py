"""Tell which repositories hold the content of each file.

It is what the clones of the dataset have told each other: nobody is asked now. A file that nobody is known to hold is
an error. Copies in repositories that are not trusted, or were given up, are named and do not count.

    engram whereis                     every file
    engram whereis sub-01/ -r          a folder, and the subdatasets in it
    engram whereis --key SHA256E-s5--2cf2…
    engram --json whereis              every copy, with UUID and addresses
"""

from collections.abc import Iterable

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.keys import key_line, name_of
from engram.cli.root import Verb
from engram.cli.text import ink, printable
from engram.model.copies import CopiesOutcome, Copy
from engram.model.counting import plural
from engram.model.outcome import Outcome
from engram.workspace.auditing import Custody


@click.command(cls=Verb, help=__doc__)
@options.paths
@options.dataset("The dataset; default is the one around the current folder.")
@options.recursion
@options.keys
@click.pass_obj
def command(
    call: Call,
    *,
    paths: tuple[str, ...],
    dataset: str | None,
    recursive: bool,
    recursion_limit: int | None,
    keys: tuple[str, ...],
    all_keys: bool,
    unused: bool,
) -> None:
    outcomes = call.open(Custody).whereis(
        paths,
        dataset=dataset,
        keys=keys,
        all_keys=all_keys,
        unused=unused,
        recursive=recursive,
        recursion_limit=recursion_limit,
    )
    call.show(outcomes, view=WhereisView(), reads_only=True)


class WhereisView:
    """Lines as ``path: here, origin``; addresses below."""

    def __init__(self) -> None:
        self._told = 0
        self._here = 0
        self._alone = 0
        self._nowhere = 0
        self._what = "file"
        #: The line of the copies that were told last: the next file's are the same ones, mostly.
        self._last: tuple[Copy, ...] | None = None
        self._last_said = ""
        self._last_counted: tuple[bool, bool, bool] = (False, False, False)

    def line(self, outcome: Outcome, colours: bool) -> str | None:
        if not isinstance(outcome, CopiesOutcome):
            return None
        if outcome.copies is not self._last:
            counted = [copy for copy in outcome.copies if copy.counts]
            here = any(copy.here for copy in outcome.copies)
            self._last, self._last_said = outcome.copies, _said(outcome.copies, colours)
            self._last_counted = here, len(counted) == 1, not counted
        here, alone, nowhere = self._last_counted
        self._told += 1
        self._what = "key" if outcome.type == "key" else self._what
        self._here += here
        self._alone += alone
        self._nowhere += nowhere
        return key_line(outcome, colours) if outcome.failed else f"{name_of(outcome)}: {self._last_said}"

    def summary(self) -> Iterable[str]:
        if self._told > 1:
            said = [f"{plural(self._told, self._what)}: {self._here} with content here"]
            said += [f"{self._alone} with one copy only"] if self._alone else []
            said += [f"{self._nowhere} with no copy at all"] if self._nowhere else []
            yield ", ".join(said)


def _said(copies: Iterable[Copy], colours: bool) -> str:
    doubtful = [f"{printable(copy.called)} ({copy.trust})" for copy in copies if not copy.counts]
    where = ", ".join(ink(printable(copy.called), "ok", colours and copy.here) for copy in copies if copy.counts)
    rest = f"; not counted: {', '.join(doubtful)}" if doubtful else ""
    return "\n".join([f"{where}{rest}", *_addresses(copies)])


def _addresses(copies: Iterable[Copy]) -> list[str]:
    return [f"  {printable(copy.called)}: {printable(address)}" for copy in copies for address in copy.urls]
