"""Save: record the state of a work tree, as DataLad's ``save`` does.

Source: datalad-save(1); the order of the records, and what each holds, from runs of DataLad 1.7.1.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from engram.datasets.dataset import Dataset
from engram.datasets.locks import clear_what_a_crash_left, only_engram
from engram.datasets.people import clean_message
from engram.datasets.permission import check_may_write
from engram.datasets.records import Made, Reporter
from engram.datasets.saving.survey import SaveRequest, survey
from engram.model.errors import ItemFailed, UnsupportedFile, UsageError
from engram.model.outcome import Outcome, Status
from engram.model.progress import Progress, Silent

if TYPE_CHECKING:
    from engram.model.plan import Plan

#: DataLad's own message for a commit nobody described.
DEFAULT_MESSAGE = "[DATALAD] Recorded changes"


class Saver:
    """One save in one dataset."""

    def __init__(
        self,
        dataset: Dataset,
        request: SaveRequest,
        *,
        clock: Callable[[], float] = time.time,
        progress: Progress | None = None,
    ) -> None:
        self._dataset = dataset
        self._request = request
        self._clock = clock
        self._progress = progress or Silent()
        self._report = Reporter(dataset, refds=request.refds)

    @property
    def work_tree(self) -> str:
        """The dataset that is saved."""
        return self._dataset.work_tree

    def plan(self) -> "Plan":
        """What would be done. Changes nothing."""
        from engram.datasets.saving.planning import as_plan

        return as_plan(self._dataset, survey(self._dataset, self._request), refds=self._request.refds)

    def carry_out(self) -> Iterator[Outcome]:
        """Do it, and say so once it is durable.

        Raises:
            NotTrusted, NoIdentity, ExtraMissing, BadExpression: before anything is written.
        """
        dataset = self._dataset
        check_may_write(dataset)
        now_s = self._clock()
        author, committer = dataset.identity("author", now_s=now_s), dataset.identity("committer", now_s=now_s)
        with only_engram(dataset.steps, dataset.git_dir, waiting=self._say_waiting):
            clear_what_a_crash_left(dataset.steps, dataset.git_dir)
            dataset.clear_ref_locks_of_a_crash()
            found = survey(dataset, self._request)
            if found.nothing and not (self._request.amend and self._request.message):
                made = Made(dataset.head_commit(), dataset.head_commit())
            else:
                from engram.datasets.saving.saving import CommitWish, Saving, commits_by_git

                wish = CommitWish(
                    message=self._message(),
                    author=author,
                    committer=committer,
                    amend=self._request.amend,
                    scopes=self._request.scopes,
                    by_git=commits_by_git(dataset),
                    now_s=int(now_s),
                )
                saving = Saving(dataset, self._request, found, wish, self._progress)
                yield from saving.carry_out()
                made = saving.made
            for problem in found.decisions.problems:
                yield self._report.failed("add", problem)
            for special in found.decisions.special:
                yield self._passed_over(special.path)
            for path in found.ignored:
                if path != b".gitmodules":  # which is recorded with the subdatasets that it tells of, ignored or not
                    yield self._ignored(path)
            yield from self._finish(made)

    def _passed_over(self, path: bytes) -> Outcome:
        """A FIFO, socket or device: nobody misses it, unless it was named."""
        if path not in self._request.scopes:
            return self._report.passed_over(path)
        problem = UnsupportedFile(os.fsdecode(path), "it is no regular file")
        return self._report.failed("add", problem, status=Status.IMPOSSIBLE)

    def _ignored(self, path: bytes) -> Outcome:
        from shlex import quote

        problem = ItemFailed(os.fsdecode(path), "a rule in .gitignore hides it")
        advice = f"Take it out of that rule, or: git add -f {quote(problem.path)}; then save again."
        failed = self._report.failed("add", problem, status=Status.IMPOSSIBLE)
        return replace(failed, message=problem.reason, remedy=advice)

    def has_tag(self) -> bool:
        """Whether there is nothing to tag, or the tag is there already."""
        return not self._request.tag or bool(self._dataset.resolve("refs/tags/" + self._request.tag))

    def check_tag(self) -> None:
        """Refuse a name that the tag cannot have. Raises `UsageError`; nothing was written."""
        tag, git, top = self._request.tag, self._dataset.programs.git_status_of, self._dataset.work_tree
        if not tag:
            return
        if tag.startswith("-") or git(top, "check-ref-format", f"refs/tags/{tag}")[0]:
            raise UsageError(f"{tag!r} cannot be the name of a tag.", "Choose another, as in: v1.0 or submitted-2026")
        _, tagged, _ = git(top, "rev-parse", "--verify", "-q", f"refs/tags/{tag}^{{commit}}")
        if tagged and tagged.decode().strip() != self._dataset.head_commit():
            raise UsageError(f"There is a tag {tag} already.", "Choose another name: git tag --list shows those taken.")

    def _say_waiting(self, holder: str) -> None:
        self._progress.start(f"waiting for {holder}", None, "")

    def _message(self) -> bytes:
        given = clean_message(self._request.message)
        if given or self._request.amend:
            return given
        return clean_message(DEFAULT_MESSAGE)

    def _finish(self, made: Made) -> Iterator[Outcome]:
        tag = self._request.tag
        if tag and (problem := self._tag(tag)):
            if made.before != made.after:
                yield self._report.saved(made)
            yield self._report.dataset(
                "save",
                Status.ERROR,
                message=f"cannot tag this version: {problem}",
                error="PeerFailed",
                remedy="Choose another name: git tag --list shows those that are taken.",
            )
            return
        yield self._report.saved(made, tag=tag)

    def _tag(self, tag: str) -> str:
        """Tag the new state; what git complained about, '' if it did not.

        A tag that says so already is fine: an interrupted save made it.
        """
        git, top = self._dataset.programs.git_status_of, self._dataset.work_tree
        status, _, said = git(top, "tag", "--no-sign", "--", tag)
        if status:
            _, tagged, _ = git(top, "rev-parse", "--verify", "-q", f"refs/tags/{tag}^{{commit}}")
            if tagged.decode().strip() != self._dataset.head_commit():
                return said
        self._dataset.sync_refs("refs/tags/" + tag)
        return ""
