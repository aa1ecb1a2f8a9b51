"""Make a folder aside, and give it its name only when it is whole.

While it is being made it lies in a folder of engram's own beside its future place, which git ignores. Where the place
is there already (empty; a disk's own folder, perhaps, that must stay the same one) that folder lies within, and what
was made is moved out of it piece by piece, its ``.git`` last: before that nobody takes the place for a repository.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from engram import durable
from engram.datasets.git.small_files import read_small_file
from engram.datasets.locks import only_one_in, private_folder
from engram.durable import Steps
from engram.model.errors import EngramError, StorageFailed, TargetExists

#: In ``.git/engram`` of what is not finished yet.
MARK = "cloning"
_INSIDE = ".engram-cloning"
_IGNORED = b"*\n"
_LONGEST_NAME = 200


class Aside:
    """The folder beside (or, where it is there already, in) a place that is to be filled."""

    def __init__(self, steps: Steps, target: str) -> None:
        self._steps = steps
        self._target = target
        self._inside = os.path.isdir(target)
        parent, name = os.path.split(target)
        self._beside = os.path.join(parent, f".{name[:_LONGEST_NAME]}.engram-cloning")
        self.folder = os.path.join(target, _INSIDE) if self._inside else self._beside
        #: What is being made.
        self.inner = os.path.join(self.folder, "clone")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the place against every other engram that would fill it; what fails meanwhile is taken away again."""
        missing = _missing(os.path.dirname(self.folder))
        try:
            durable.make_folders(self._steps, os.path.dirname(self.folder))
            with suppress(FileExistsError):
                durable.make_folder(self._steps, self.folder)
        except (FileNotFoundError, NotADirectoryError) as error:  # /proc and its like, where nobody makes a folder
            raise StorageFailed(self.folder, error.strerror or "") from error
        try:
            with self._locked():
                with self._nothing_left_if_it_fails():
                    yield
                self._remove()
        except BaseException:
            self._take_away_empty(self.folder, *missing)
            raise

    @contextmanager
    def _locked(self) -> Iterator[None]:
        while True:
            with suppress(FileExistsError):  # a link, or no folder at all
                durable.make_folders(self._steps, self.folder)
            before = _status(self.folder)
            if before is None:  # somebody else was done with it just now
                continue
            if os.path.islink(self.folder) or before.st_uid != os.geteuid():
                raise TargetExists(self.folder, "is in the way and not your own folder", "Look at it, then remove it.")
            with ExitStack() as stack:
                with suppress(FileNotFoundError):  # somebody else was done with it
                    stack.enter_context(only_one_in(self.folder))
                now = _status(self.folder)
                if now is not None and os.path.samestat(before, now):
                    yield
                    return

    @property
    def mark(self) -> str:
        """What an interrupted call left as whole, by its mark's text; '' for nothing, or only a part."""
        return read_mark(self.inner)

    def begin(self) -> None:
        """Take away what an interrupted call left, and see to it that git takes nothing here for a dataset."""
        self._clear()
        ignored = os.path.join(self.folder, ".gitignore")
        if not _is_hidden_by(ignored):
            with suppress(FileNotFoundError):
                durable.remove(self._steps, ignored)
            durable.write_whole(self._steps, ignored, _IGNORED)

    def whole(self, text: str) -> None:
        """Say that what was made is whole: from now on the same call again does not begin anew."""
        durable.sync_file_system(self._steps, self.inner)
        folder = private_folder(os.path.join(self.inner, ".git"))
        durable.make_folders(self._steps, folder)
        durable.replace(self._steps, os.path.join(folder, MARK), text.encode("utf-8", "surrogateescape"))

    def put_in_place(self) -> bool:
        """Give what was made its name; whether its files got other folders, so that git has to look at them again.

        Raises `TargetExists` when somebody else filled the place meanwhile.
        """
        if not self._inside:
            try:
                durable.rename(self._steps, self.inner, self._target)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                    raise
                self._clear()
                raise _filled(self._target) from error
        else:
            for name in sorted(os.listdir(self.inner), key=lambda name: (name == ".git", name)):
                if os.path.lexists(os.path.join(self._target, name)):
                    raise _filled(self._target)
                durable.rename(self._steps, os.path.join(self.inner, name), os.path.join(self._target, name))
            durable.sync_folder(self._steps, self._target)
        durable.sync_folder(self._steps, os.path.dirname(self._target))
        return self._inside

    def _clear(self) -> None:
        if os.path.lexists(self.inner):
            durable.remove_tree(self._steps, self.inner)

    def _remove(self) -> None:
        if os.path.isdir(self.folder):
            self._clear()
            with suppress(FileNotFoundError):
                durable.remove(self._steps, os.path.join(self.folder, ".gitignore"))
            durable.remove_folder(self._steps, self.folder)
        if self._inside and os.path.isdir(self._beside) and os.listdir(self._beside) in ([], [".gitignore"]):
            durable.remove_tree(self._steps, self._beside)  # a call died just after it gave the place its name

    @contextmanager
    def _nothing_left_if_it_fails(self) -> Iterator[None]:
        """Take away what was begun, while the place is still held; what is whole stays for the next call."""
        try:
            yield
        except BaseException:
            with suppress(OSError, EngramError):  # the disk is broken, or somebody put something in
                if not self.mark:
                    self._remove()
            raise

    def _take_away_empty(self, *folders: str) -> None:
        """Take away folders that were made for nothing; one in which anything lies stays, whoever put it there."""
        for folder in folders:
            with suppress(OSError, EngramError):
                durable.remove_folder(self._steps, folder)


def _is_hidden_by(ignored: str) -> bool:
    """Whether a file tells git to pass over the folder that it lies in."""
    try:
        return read_small_file(os.fsencode(ignored), follow=False) == _IGNORED
    except OSError:  # nothing, or a link
        return False


def _status(place: str) -> os.stat_result | None:
    """Of what is at a place, if anything is."""
    try:
        return os.lstat(place)
    except FileNotFoundError:
        return None


def is_only_begun(target: str) -> bool:
    """Whether a folder holds nothing but what an interrupted call left in it."""
    return os.listdir(target) in ([], [_INSIDE])


def is_being_filled(target: str) -> bool:
    """Whether an interrupted call was moving pieces into a folder."""
    return bool(read_mark(os.path.join(target, _INSIDE, "clone")))


def read_mark(top: str) -> str:
    """What the mark of an unfinished work tree says; '' when there is none."""
    place = os.path.join(private_folder(os.path.join(top, ".git")), MARK)
    try:
        found = read_small_file(os.fsencode(place), follow=False)
    except OSError:  # a link, or nothing, or nothing that may be read
        return ""
    return (found or b"").decode("utf-8", "surrogateescape")


def _filled(target: str) -> TargetExists:
    return TargetExists(target, "was filled by somebody else meanwhile", "Choose another place, or look what is there.")


def _missing(path: str) -> list[str]:
    """The folders that are to be made for *path*, the deepest first."""
    missing = []
    while not os.path.lexists(path):
        missing.append(path)
        path = os.path.dirname(path)
    return missing
