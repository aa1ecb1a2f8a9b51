"""See a small true story on real data.

Makes a dataset in DIR (default: engram-demo) with images that engram brings along: an analysis is recorded, its figure
traced, a copy made in DIR-copy, the figure made again there, and data that nobody else has is kept from being dropped.
Then a share of recordings, DIR-share, is scanned, planned, ingested into the catalogue of a lab in DIR-lab, annotated,
and scanned again; this part needs engram's extra lab. In DIR-connectomes two real connectomes are built into snapshots,
asked, checked, and two versions of one of them compared; this part needs the extra connectome.
Each command is shown with its meaning and the time it took. The folders stay for you to play with. Your own git
settings are not changed, and no name or address is needed.

    engram demo
    engram demo ~/playground
"""

import shlex
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.cli.states import StateView
from engram.cli.text import ink, printable
from engram.cli.view_history import block
from engram.model.outcome import DatasetOutcome, Outcome
from engram.workspace.demo import FOLDER, Demo

if TYPE_CHECKING:
    from engram.connectome.asking.changes import SnapshotChange, SnapshotDifference
    from engram.sessions.scanning.seen import Seen
    from engram.workspace.snapshot_asking import Columns, Row


@click.command(cls=Verb, help=__doc__)
@click.argument("folder", required=False, metavar="[DIR]", type=click.Path())
@click.pass_obj
def command(call: Call, *, folder: str | None) -> None:
    demo = call.open(Demo)
    demo.version_text = lambda version: "\n".join(block(version, call.screen.out_columns)).rstrip()
    demo.seen_text, demo.answer_text, demo.difference_text = _seen, _answered, _differing
    call.show(demo.tell(folder), view=DemoView(folder or FOLDER))


def _seen(found: "Iterable[Seen | Outcome]") -> str:
    from engram.cli.sessions_view import ScanView

    view = ScanView(colours=False)
    lines = [line for one in view.watch(found) for line in view.lines(one)]
    return "\n".join([*lines, *view.remedies()])


def _answered(answer: "Iterator[Columns | Row]") -> str:
    from engram.cli.answers import people_lines

    return "\n".join(people_lines(answer))


def _differing(told: "Iterable[SnapshotChange | SnapshotDifference]") -> str:
    from engram.cli.diff_view import difference_line

    return "\n".join(map(difference_line, told))


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
        lines += [f"{'>' if line.startswith(' ') else '$'} {printable(line)}" for line in outcome.item.splitlines()]
        lines += [printable(line.expandtabs()).rstrip() for line in str(extra.get("said", "")).splitlines()]
        return "\n".join(lines)

    def summary(self) -> Iterable[str]:
        folder = printable(shlex.quote(self._folder))
        others = [printable(shlex.quote(f"{self._folder}-{part}")) for part in ("copy", "share", "lab", "connectomes")]
        every = " ".join([folder, *others])
        yield ""
        yield f"All of it stays for you to play with: cd {folder}"
        yield f"To be rid of it: chmod -R u+w {every}; rm -r {every}"
