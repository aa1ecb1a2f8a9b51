"""Check that the content of each file is here, whole, known to the others, and held often enough.

Without --full no content is read: whether each is where the log says, its size, its permissions, its copies, and the
links to it. With --full every byte is held against its key. What can be mended is mended: the log, permissions, links.
A damaged content is set aside, never deleted, and restored from a sibling on this machine that has a good one.

    engram fsck
    engram fsck --full sub-01/         every byte of a folder
    engram fsck --full --all -J 4      every version, large files four at a time
    engram fsck --dry-run              what would be mended; change nothing
"""

from collections.abc import Iterable

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.keys import key_line
from engram.cli.root import Verb
from engram.model.counting import plural
from engram.model.outcome import DatasetOutcome, Outcome, Status
from engram.workspace.auditing import Custody


@click.command(cls=Verb, help=__doc__)
@options.paths
@options.dataset("The dataset; default is the one around the current folder.")
@click.option("--full", is_flag=True, help="Read every content, and hold it against its key.")
@options.recursion
@options.keys
@options.jobs
@options.plan
@click.pass_obj
def command(
    call: Call,
    *,
    paths: tuple[str, ...],
    dataset: str | None,
    full: bool,
    recursive: bool,
    recursion_limit: int | None,
    keys: tuple[str, ...],
    all_keys: bool,
    unused: bool,
    jobs: int | None,
    dry_run: bool,
    plan_file: str | None,
) -> None:
    custody, view = call.open(Custody), FsckView(full=full)
    if dry_run:
        plan = custody.plan_fsck(
            paths,
            dataset=dataset,
            full=full,
            keys=keys,
            all_keys=all_keys,
            unused=unused,
            jobs=jobs,
            recursive=recursive,
            recursion_limit=recursion_limit,
        )
        call.show_plan(plan, into=plan_file)
        return
    outcomes = custody.fsck(
        paths,
        dataset=dataset,
        full=full,
        keys=keys,
        all_keys=all_keys,
        unused=unused,
        jobs=jobs,
        recursive=recursive,
        recursion_limit=recursion_limit,
        count_sound=view.count_sound if call.style.form == "tailored" else None,
    )
    call.show(outcomes, view=view)


class FsckView:
    """Only what was mended, or is wrong; what is well is counted."""

    def __init__(self, *, full: bool) -> None:
        self._full = full
        self._well = 0
        self._mended = 0
        self._failed = 0
        self._what = "file"

    def count_sound(self) -> None:
        """One more file is well, of which nothing else is to be said."""
        self._well += 1

    def line(self, outcome: Outcome, colours: bool) -> str | None:
        if isinstance(outcome, DatasetOutcome) and outcome.type == "key":
            self._what = "key"
        if outcome.status is Status.OK and not outcome.note:
            self._well += 1
            return ""
        if outcome.failed:
            self._failed += 1
        else:
            self._mended += 1
        return key_line(outcome, colours)

    def summary(self) -> Iterable[str]:
        total = self._well + self._mended + self._failed
        how = "every byte" if self._full else "without reading contents"
        rest = f", {self._mended} with a remark" if self._mended else ""
        wrong = f", {self._failed} not" if self._failed else ""
        yield f"{plural(total, self._what)} checked ({how}): {self._well} sound{rest}{wrong}"
