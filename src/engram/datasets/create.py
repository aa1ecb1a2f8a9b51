"""Create: make a folder, or a git repository, a dataset, as DataLad's ``create`` does.

git and git-annex make the repository themselves, so that it is theirs to the last byte; the first commit is engram's.
A mark in ``.git/engram`` says that it is not finished: the same command again then begins anew, or goes on.
"""

import os
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from shlex import quote

from engram import durable
from engram.datasets.dataset import Dataset, Surroundings, open_dataset
from engram.datasets.git.index import GitIndex, entry_from_stat
from engram.datasets.git.objects import BLOB, FILE_MODE, object_id
from engram.datasets.git.problems import NotUnderstood
from engram.datasets.git.refs import find_repository
from engram.datasets.git.small_files import read_file
from engram.datasets.locks import clear_what_a_crash_left, only_engram, only_one_in, private_folder
from engram.datasets.people import clean_message
from engram.datasets.permission import check_is_outside_of_git, check_may_write
from engram.datasets.programs import Programs
from engram.datasets.recorded import Recorded
from engram.datasets.saving.recording import Changes, CommitWish, Recorder, commits_by_git
from engram.datasets.saving.subdatasets import dataset_id_of
from engram.datasets.syncing import ToSync
from engram.model.errors import PeerFailed, StorageFailed, TargetExists, UsageError

#: DataLad's subjects for the first commit, and for the superdataset's.
NEW_DATASET = "[DATALAD] new dataset"
NEW_SUBDATASET = "[DATALAD] Created subdataset"

_MARK = "creating"
#: What the first commit may hold.
_OURS = {b".datalad/config", b".datalad/.gitattributes", b".gitattributes", b".noannex"}
#: Options of ``git init`` that make no dataset, each with what to do instead.
_NO_DATASET = {
    "--bare": "Without files there is no dataset. For a place to push to: git init --bare DIR",
    "--separate-git-dir": "Make the repository first (git init --separate-git-dir=DIR .), then: engram create -f",
}
#: The exit status of a git that did not understand its options. Source: git's api-parse-options.
_USAGE = 129
_OWN_FILES = (b".datalad/.gitattributes", b".datalad/config", b".gitattributes", b".noannex")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRequest:
    """What is to be made."""

    #: Absolute.
    path: str
    force: bool = False
    annex: bool = True
    message: str = ""
    #: What git-annex shows for this repository; '' for ``user@host:path``.
    description: str = ""
    #: Key backend of the annex.
    backend: str = "SHA256E"
    #: Further words for ``git init``.
    init_options: tuple[str, ...] = ()


class Creator:
    """Makes one dataset."""

    def __init__(
        self,
        request: CreateRequest,
        around: Surroundings,
        *,
        clock: Callable[[], float] = time.time,
        new_id: Callable[[], uuid.UUID] = uuid.uuid4,
    ) -> None:
        self._request = request
        self._around = around
        self._steps = around.steps
        self._clock = clock
        self._new_id = new_id
        self._programs = Programs(
            environment=around.environment, configuration=around.configuration, steps=around.steps
        )
        self._git_dir = os.path.join(request.path, ".git")

    def check(self) -> None:
        """Refuse what cannot be done, before anything is written.

        Raises `TargetExists`, `ExtraMissing`, `UsageError`.
        """
        request = self._request
        _check_options(request.init_options)
        self._programs.annex()
        check_is_outside_of_git(request.path)
        if os.path.lexists(request.path) and not os.path.isdir(request.path):
            raise TargetExists(request.path, "is a file", "Choose another name, or move it away.")
        if not request.force and not self.is_unfinished() and self._is_dataset():
            raise TargetExists(request.path, "is a dataset already", f"See: engram -C {quote(request.path)} status")
        if not request.force and os.path.isdir(request.path) and not self._is_ours_alone():
            raise TargetExists(
                request.path,
                "is not empty",
                f"To make it a dataset with what is in it: engram create -f {request.path}",
            )
        if os.path.lexists(self._git_dir) and not self.is_unfinished():
            found = find_repository(os.fsencode(request.path))
            if found is not None and os.fsdecode(found.work_tree) == request.path:
                check_may_write(Dataset(found, self._around))

    def _is_dataset(self) -> bool:
        return os.path.lexists(self._git_dir) and os.path.lexists(os.path.join(self._request.path, ".datalad/config"))

    def _is_ours_alone(self) -> bool:
        """Whether the folder is empty, but for what an interrupted create left."""
        names = set(os.listdir(self._request.path))
        return not names or (self.is_unfinished() and names <= {".git", ".datalad", ".gitattributes", ".noannex"})

    def is_unfinished(self) -> bool:
        """Whether a create of it was interrupted."""
        return os.path.lexists(os.path.join(private_folder(self._git_dir), _MARK))

    def create(self) -> Dataset:
        """The new dataset, with its first commit; durable after `settle`, and done after `finish`."""
        new = _missing(self._request.path)
        durable.make_folders(self._steps, self._request.path)
        with only_one_in(self._request.path):
            begun = self._begin()
            try:
                self._init()
            except (PeerFailed, StorageFailed) as error:
                if begun:
                    self._leave_nothing(new)
                if isinstance(error, PeerFailed) and error.exit_status == _USAGE:
                    said = "more than one folder is named" if error.said.startswith("usage:") else error.said
                    raise UsageError(f"git init refuses: {said}.", "See its options: git init -h") from error
                raise
            dataset = self._repository()
            self.settle()  # a first commit says that all below it is whole
            with only_engram(self._steps, dataset.git_dir):
                clear_what_a_crash_left(self._steps, dataset.git_dir)
                dataset.clear_ref_locks_of_a_crash()
                self._first_commit(dataset)
        return open_dataset(self._request.path, self._around)

    def settle(self) -> None:
        """Bring everything to the disk."""
        durable.sync_file_system(self._steps, self._git_dir)

    def finish(self) -> None:
        """Take the mark away: all is done. Nothing may come after it; should it come back, there is nothing to do."""
        mark = os.path.join(private_folder(self._git_dir), _MARK)
        with suppress(FileNotFoundError):
            durable.remove(self._steps, mark)

    def _begin(self) -> bool:
        """Leave the mark in what is no repository yet. False where one is."""
        if self.is_unfinished() and not self._has_commit() and not self._has_content():
            durable.remove_tree(self._steps, self._git_dir)
        if os.path.lexists(self._git_dir):
            return False
        durable.make_folders(self._steps, private_folder(self._git_dir))
        durable.write_new(self._steps, os.path.join(private_folder(self._git_dir), _MARK), b"")
        return True

    def _has_commit(self) -> bool:
        status, _, _ = self._programs.git_status_of(self._request.path, "rev-parse", "--verify", "-q", "HEAD")
        return status == 0

    def _has_content(self) -> bool:
        """Whether somebody went on with what an interrupted create left: then it is finished, never begun anew."""
        objects = os.path.join(self._git_dir, "annex", "objects")
        index = GitIndex.read(os.fsencode(os.path.join(self._git_dir, "index")))
        return bool(set(index.paths) - _OURS) or any(files for _, _, files in os.walk(objects))

    def _init(self) -> None:
        self._programs.git(self._request.path, "init", "-q", ".", *self._request.init_options)

    def _repository(self) -> Dataset:
        path = self._request.path
        dataset = open_dataset(path, self._around)
        check_may_write(dataset)
        if self._request.annex and not dataset.annex_uuid:
            words = [self._request.description] if self._request.description else []
            self._programs.git_annex(path, "init", "--no-autoenable", *words)
        return open_dataset(path, self._around)

    def _leave_nothing(self, new: list[str]) -> None:
        """Take away what was begun, and *new* folders: git did not make a repository of it."""
        with suppress(OSError, StorageFailed):  # the disk is broken, or somebody put something in
            durable.remove_tree(self._steps, self._git_dir)
            for folder in new:
                durable.remove_folder(self._steps, folder)

    # --- the first commit

    def _first_commit(self, dataset: Dataset) -> None:
        from engram.datasets.traps import reason_to_hand_over

        try:
            if not reason_to_hand_over(dataset):
                self._commit(dataset)
                return
        except NotUnderstood:
            pass
        self._commit_by_git(dataset)

    def _commit_by_git(self, dataset: Dataset) -> None:
        """Have git make the commit: in a shared repository, and whatever else engram does not fully know."""
        top, git = dataset.work_tree, self._programs.git
        files = self._files(GitIndex.from_nothing())
        for path, text in files.items():
            self._write_file(dataset, path, text)
        git(top, "-c", "annex.largefiles=nothing", "add", "--force", "--", *files)
        status, _, _ = self._programs.git_status_of(top, "diff", "--cached", "--quiet", "--", *files)
        if status or not dataset.head_commit():
            message = clean_message(self._request.message or NEW_DATASET)
            git(top, "commit", "-q", "-F", "-", "--cleanup=verbatim", "--only", "--", *files, stdin=message, hooks=True)

    def _commit(self, dataset: Dataset) -> None:
        changes = Changes()
        recorder = Recorder(dataset, dataset.objects)
        for path, text in self._files(dataset.read_index()).items():
            self._write(dataset, path, text, changes, recorder)
        if not changes.entries and dataset.equals_head(dataset.read_index()):
            return
        now_s = self._clock()
        wish = CommitWish(
            message=clean_message(self._request.message or NEW_DATASET),
            author=dataset.identity("author", now_s=now_s),
            committer=dataset.identity("committer", now_s=now_s),
            scopes=_OWN_FILES if dataset.head_commit() else (b"",),
            by_git=commits_by_git(dataset) and bool(changes.entries),
            now_s=int(now_s),
        )
        to_sync = ToSync(dataset.repository.git_dir, dataset.repository.work_tree)
        recorder.record(dataset.read_index(), changes, wish, to_sync)

    def _files(self, index: GitIndex) -> dict[str, bytes]:
        """What the first commit holds, each file as it is to become; unchanged files are left out."""
        top = self._request.path
        wanted: dict[str, bytes] = {}
        config = os.path.join(top, ".datalad", "config")
        if not dataset_id_of(config):
            text = f'[datalad "dataset"]\n\tid = {self._new_id()}\n'
            wanted[".datalad/config"] = read_file(config) + text.encode()
        elif index.find(b".datalad/config") is None:  # an interrupted create wrote it
            wanted[".datalad/config"] = read_file(config)
        if not self._request.annex:
            wanted[".noannex"] = b""
        else:
            wanted[".datalad/.gitattributes"] = _with_lines(
                read_file(os.path.join(top, ".datalad", ".gitattributes")), ["config annex.largefiles=nothing"]
            )
            attributes = read_file(os.path.join(top, ".gitattributes"))
            lines = ["**/.git* annex.largefiles=nothing"]
            if b"annex.backend=" not in attributes:
                lines.insert(0, f"* annex.backend={self._request.backend}")
            wanted[".gitattributes"] = _with_lines(attributes, lines)
        return wanted

    def _write_file(self, dataset: Dataset, path: str, text: bytes) -> str:
        place = os.path.join(dataset.work_tree, path)
        if not os.path.isfile(place) or read_file(place) != text:
            durable.make_folders(self._steps, os.path.dirname(place))
            durable.replace(self._steps, place, text, aside=private_folder(dataset.git_dir))
        return place

    def _write(self, dataset: Dataset, path: str, text: bytes, changes: Changes, recorder: Recorder) -> None:
        place = self._write_file(dataset, path, text)
        name = os.fsencode(path)
        oid = object_id(BLOB, text)
        index = dataset.read_index()
        position = index.find(name)
        if position is None or index.oid(position) != oid:
            entry = entry_from_stat(name, os.lstat(place), FILE_MODE, oid)
            changes.add(Recorded(name, entry))
            recorder.new.put(BLOB, text, oid)


def _check_options(options: tuple[str, ...]) -> None:
    """Refuse what would make no dataset, in any spelling that git takes. Raises `UsageError`."""
    for option in options:
        for name, instead in _NO_DATASET.items():
            word = option.partition("=")[0]
            if len(word) > len("--") and name.startswith(word):
                raise UsageError(f"A dataset cannot be made with {name}.", instead)


def _missing(path: str) -> list[str]:
    """The folders that are to be made for *path*, the deepest first."""
    missing = []
    while not os.path.lexists(path):
        missing.append(path)
        path = os.path.dirname(path)
    return missing


def _with_lines(text: bytes, lines: list[str]) -> bytes:
    """*text* with those of *lines* that it does not have yet at its end."""
    have = text.splitlines()
    missing = [line.encode() for line in lines if line.encode() not in have]
    if missing and text and not text.endswith(b"\n"):
        text += b"\n"
    return text + b"".join(line + b"\n" for line in missing)
