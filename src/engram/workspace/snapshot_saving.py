"""Save a snapshot that was built as a version of a dataset: in one commit, and in the datasets around it."""

import os
from collections.abc import Iterator, Mapping
from shlex import quote
from typing import TYPE_CHECKING

from engram import durable
from engram.connectome.crate import CRATE
from engram.connectome.folder import PROVENANCE, Folder, is_part
from engram.connectome.proving.settings import CONFIG
from engram.datasets.dataset import Dataset, open_dataset
from engram.datasets.git.refs import find_repository, holds_repository
from engram.datasets.git.small_files import read_file
from engram.datasets.locks import private_folder
from engram.datasets.nesting import superdataset
from engram.datasets.permission import check_may_write, identity_is_known
from engram.datasets.saving.save import Saver
from engram.datasets.saving.subdatasets import dataset_id_of
from engram.datasets.saving.survey import SaveRequest
from engram.durable import Steps
from engram.model.errors import NoDataset, SnapshotBusy, TargetExists
from engram.model.outcome import Outcome
from engram.workspace.context import Context
from engram.workspace.creating import CreateWish, Creation
from engram.workspace.opening import Opening, refusals_told, told

if TYPE_CHECKING:
    from engram.connectome.writing import Written

#: Texts that a clone has without getting any content: what the snapshot is, and what it was made from.
SMALL_TEXTS = (PROVENANCE, CRATE, CONFIG, "neuprint-meta.yaml")
#: Of a snapshot with so many files that one of these becomes large, git would carry every version for ever.
_IN_GIT = "annex.largefiles=largerthan=10mb"
_ATTRIBUTES = ".gitattributes"


class SnapshotSaving:
    """Saves one snapshot's folder, which need not be there yet when it is made."""

    def __init__(self, context: Context, folder: str, *, steps: Steps | None = None) -> None:
        self._context = context
        self._opening = Opening(context, steps=steps)
        self._around = self._opening.around
        self._steps = self._around.steps
        self._folder = folder

    def check(self) -> None:
        """Refuse, before anything is built, what would keep it from being saved.

        Raises:
            TargetExists, UsageError: it cannot become a dataset of its own, or holds a conflict.
            NoIdentity, NotTrusted, ExtraMissing: who saves is not known, or may not.
        """
        with refusals_told():
            if self._is_dataset():
                dataset = self._dataset()
                check_may_write(dataset)
                identity_is_known(self._around, self._folder)
                Saver(dataset, self._request("", dataset)).plan()
            else:
                self._creation().check()
            for above, place in self._above():
                self._check_above(above, place)

    def carry_out(self, tag: str, files: "Mapping[str, Written]") -> Iterator[Outcome]:
        """Save it, with its tag in the message; nothing when nothing changed.

        Args:
            files: what was built, by its path: nothing else is saved.

        Raises:
            SnapshotBusy: somebody else builds there, or has built something else meanwhile.
        """
        with Folder(self._steps, self._folder).looked_at() as _, refusals_told():
            self._refuse_others(files)
            if not self._is_dataset():
                yield from told(self._creation().carry_out())
            dataset = self._dataset()
            self._keep_texts_in_git(dataset)
            dataset = dataset.reopened()
            yield from Saver(dataset, self._request(tag, dataset), progress=self._context.progress).carry_out()
            for above, place in self._above():
                scopes = (above.relative(place), b".gitmodules")  # an interrupted save may have staged either
                yield from Saver(above, SaveRequest(scopes=scopes, message=_message(tag))).carry_out()

    def _refuse_others(self, files: "Mapping[str, Written]") -> None:
        there = {one.path: one.sha256 for one in Folder(self._steps, self._folder).provenance().tables}
        if there != {path: one.sha256 for path, one in files.items()}:
            raise SnapshotBusy(self._folder)

    # ---- the dataset itself

    def _is_dataset(self) -> bool:
        """Whether the folder is the top of a whole dataset: not one that a killed save had begun to make."""
        config = os.path.join(self._folder, ".datalad", "config")
        is_top = holds_repository(os.fsencode(self._folder))
        return is_top and bool(dataset_id_of(config)) and not self._creation().is_unfinished()

    def _dataset(self) -> Dataset:
        return self._opening.dataset(self._folder)

    def _creation(self) -> Creation:
        return Creation(self._opening, CreateWish(path=self._folder, force=True))

    def _keep_texts_in_git(self, dataset: Dataset) -> None:
        """Add a rule for each small text that no rule says anything about; what the user wrote is left as it is."""
        silent = [
            name
            for name in SMALL_TEXTS
            if dataset.attributes.of(name.encode(), (b"annex.largefiles",))[b"annex.largefiles"] is None
        ]
        if not silent or not dataset.has_annex:
            return
        place = os.path.join(self._folder, _ATTRIBUTES)
        text = read_file(place)
        text += b"\n" if text and not text.endswith(b"\n") else b""
        text += b"".join(f"/{name} {_IN_GIT}\n".encode() for name in silent)
        durable.replace(self._steps, place, text, aside=private_folder(dataset.git_dir))

    def _request(self, tag: str, dataset: Dataset) -> SaveRequest:
        """All of the snapshot, and nothing else that lies in its folder."""
        there = set(os.listdir(self._folder)) | {
            os.fsdecode(path.partition(b"/")[0]) for path in dataset.read_index().paths
        }
        names = (PROVENANCE, CRATE, _ATTRIBUTES)
        return SaveRequest(
            scopes=tuple(os.fsencode(name) for name in sorted(there) if name in names or is_part(name)),
            message=_message(tag),
            jobs=self._context.settings.datasets_jobs,
            backend=self._context.settings.datasets_backend,
        )

    # ---- the datasets around it

    def _above(self) -> Iterator[tuple[Dataset, str]]:
        """The dataset around it, if that does not ignore it, and those that hold this one, with what each records."""
        place, above = self._folder, self._around_it()
        while above is not None:
            yield above, place
            place, above = above.work_tree, superdataset(above)

    def _around_it(self) -> Dataset | None:
        repository = find_repository(os.fsencode(os.path.dirname(self._folder)))
        if repository is None or not repository.work_tree:
            return None
        try:
            found = open_dataset(os.fsdecode(repository.work_tree), self._around)
        except NoDataset:
            return None
        if not dataset_id_of(os.path.join(found.work_tree, ".datalad", "config")):
            return None  # somebody's repository of programs, say: it knows no subdatasets
        rules, (*folders, name) = found.ignore, found.relative(self._folder).split(b"/")
        for one in folders:
            rules = rules.enter(one)
        return None if rules.ignores(name, is_dir=True) else found

    def _check_above(self, above: Dataset, place: str) -> None:
        check_may_write(above)
        identity_is_known(self._around, above.work_tree)
        first, last = (index := above.read_index()).below(above.relative(place))
        if first < last:
            one = os.fsdecode(index.paths[first])
            raise TargetExists(
                place,
                f"cannot become a dataset of its own: {above.work_tree} records files in it, as {one}",
                f"Build without --save, then: engram save -d {quote(above.work_tree)} {quote(place)}",
            )


def _message(tag: str) -> str:
    return f"snapshot {tag}"
