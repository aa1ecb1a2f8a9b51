"""Everything engram raises on purpose.

::

    EngramError                    exit code   what a script may conclude
    ├── RequestRefused                 2    the request makes no sense: fix it, nothing was changed
    │   ├── UsageError                 2    an option or an argument is wrong
    │   ├── NoDataset                  2    there is no dataset here
    │   │   ├── NotADataset            2    a folder was named as a dataset, and is none
    │   │   ├── BrokenDataset          2    only a part of a dataset is left here
    │   │   └── NotInstalled           2    a subdataset that is not here yet
    │   ├── CatalogueUnusable          2    the catalogue is not there, or not one for this program
    │   ├── NotInCatalogue             2    a name that the catalogue does not know
    │   ├── PathNotFound               2    an argument matches nothing
    │   ├── NoSuchVersion              2    a name that stands for no state of the dataset
    │   ├── OutsideDataset             2    an argument lies outside the dataset
    │   ├── TargetExists               2    something is in the way of what should be made
    │   ├── NoSnapshot                 2    a folder was named as a snapshot, and holds none
    │   ├── NoSource                   2    nothing is there that could be cloned
    │   ├── NoIdentity                 2    git does not know who the user is
    │   ├── NotTrusted                 2    the dataset brings commands along that nobody allowed yet
    │   ├── ExtraMissing               2    a program or extra is not installed
    │   ├── BadSetting                 2    a setting is unknown or has an impossible value
    │   ├── NoLab                      2    there is no lab here
    │   ├── BadLabFile                 2    a lab's engram.toml has unknown sections, keys or impossible values
    │   ├── BadSnapshotConfig          2    a snapshot's configuration has unknown keys or impossible values
    │   ├── BadTemplate                2    a template of a share, or the pattern of a layout, does not parse
    │   ├── BadExpression              2    an annex.largefiles expression does not parse
    │   ├── BadRecord                  2    a run record does not parse
    │   ├── BadTables                  2    the tables of a snapshot lack columns, or hold what cannot be
    │   ├── QueryRefused               2    a question to a snapshot that is none: it would change or open something
    │   ├── QueryFailed                2    a question to a snapshot that cannot be answered
    │   ├── TooLittleMemory            2    a snapshot needs more memory than it was given
    │   ├── UnsavedChanges             2    what a command changes could not be told from what was changed before
    │   └── NotAKey                    2    not a git-annex key
    ├── ItemFailed                     3    one item could not be done, the others were
    │   ├── Unreadable                 3    a file or folder could not be read
    │   ├── ChangedWhileSaved          3    a file changed while it was read: run again
    │   ├── NoCopy                     3    nobody, or too few, are known to hold the content of a file
    │   ├── NotDropped                 3    dropping it might lose what nobody else has, or somebody uses it just now
    │   │   └── TooFewCopies           3    too few copies of a content could be proven to drop it
    │   ├── NothingToRecord            3    a repository without a commit cannot become a subdataset
    │   ├── Unavailable                3    a content that nobody could give
    │   ├── NotHere                    3    the content of a snapshot's file is in another clone of its dataset
    │   ├── NotUploaded                3    a file that is not in its bucket, or not as it should be
    │   ├── NoRoom                     3    a content that the disk has no room for
    │   ├── PlanMoved                  3    a step of a plan whose ground has moved since it was made
    │   │   └── SessionMoved           3    a session that was changed since its ingest was planned
    │   ├── Malformed                  3    a file's text or metadata does not parse
    │   └── UnsupportedFile            3    a FIFO, socket, device or name that cannot be kept
    ├── IncompleteResults              3    Python only: some items failed, the rest was done
    ├── WrongBytes                    20    bytes are wrong: do not retry
    │   ├── DamagedRepository         20    a file of git or git-annex does not parse or does not match its digest
    │   ├── CatalogueDamaged          20    the catalogue's file is broken
    │   ├── WrongSnapshot             20    a file of a snapshot is damaged, or contradicts another one
    │   ├── MoveNotProven             20    a catalogue that was moved did not arrive as it was
    │   └── ChecksumMismatch          20    content differs from the checksum in its key
    ├── TryAgainLater                 30    nothing is lost, the same command later works
    │   ├── SourceUnavailable         30    no address that a dataset could be cloned from answered
    │   ├── CatalogueUnavailable      30    the catalogue did not answer, or somebody else was changing it
    │   │   └── CatalogueMoving        30    the catalogue is being moved, and takes no change meanwhile
    │   ├── ShareUnavailable          30    a share does not answer, or is gone
    │   ├── DatasetBusy               30    another program holds a lock of this dataset
    │   ├── BucketUnavailable         30    a bucket did not answer, or did not let this user in
    │   ├── SnapshotBusy              30    another engram works in this snapshot's folder
    │   └── MovedMeanwhile            30    somebody else moved a branch again and again
    ├── StorageFailed                 31    the disk refused: full, read-only, broken
    │   └── NoRoomToDrop              31    the disk is so full that not even the log can say what is dropped
    ├── PeerFailed                    40    git or git-annex failed where it must not
    ├── LoadFailed                    40    Neo4j did not take a snapshot
    └── CommandFailed                  3    the user's own command failed: engram's code is that command's
"""

import errno
import os
from typing import Any, ClassVar, dataclass_transform, get_origin


@dataclass_transform(eq_default=False)
class EngramError(Exception):
    """An error is a record: fields for programs, message and remedy for people.

    A subclass declares its fields as a dataclass does (and is none: fifty of those would cost each call 3 ms).
    A class without a message of its own (`RequestRefused`, …) is a group: to be caught, never raised.
    """

    exit_code: ClassVar[int] = 1
    #: What happened. Fields in braces are filled in.
    message: ClassVar[str]
    #: What the reader can do now: a command to run, or whom to ask.
    remedy: ClassVar[str]

    def __init__(self, *values: object, **named: object) -> None:
        super().__init__(*values)
        names = self.field_names()
        given = dict(zip(names, values, strict=False)) | named
        unknown = [name for name in named if name not in names]
        lacking = [name for name in names if name not in given and not hasattr(type(self), name)]
        if unknown or lacking or len(values) > len(names):
            raise TypeError(f"{type(self).__name__} takes {', '.join(names)}")
        for name, value in given.items():
            setattr(self, name, value)

    @classmethod
    def field_names(cls) -> tuple[str, ...]:
        """The names of its fields, those of the classes above first."""
        return tuple(
            name
            for kind in reversed(cls.__mro__)
            for name, declared in getattr(kind, "__annotations__", {}).items()
            if get_origin(declared) is not ClassVar
        )

    @property
    def what(self) -> str:
        """One line: what happened."""
        return self.message.format_map(_fields_of(self))

    @property
    def lines(self) -> tuple[str, ...]:
        """What happened, for people: one line, or one more for each of several reasons."""
        return (self.what,)

    @property
    def next_step(self) -> str:
        """One line: what to type, or whom to ask."""
        from shlex import quote  # late: most calls end well

        # A name may come from elsewhere, and what stands here is pasted into shells.
        fields = _fields_of(self)
        return self.remedy.format_map(fields | {name: quote(str(fields[name])) for name in _TYPED & fields.keys()})

    def __str__(self) -> str:
        return f"{self.what}\n{self.next_step}"

    def __reduce__(self) -> tuple[Any, ...]:  # survives a process pool
        return type(self), tuple(_fields_of(self).values())


#: Fields that stand in a remedy as a word of a command.
_TYPED = frozenset({"path", "dataset", "commit", "lock", "key"})


def _fields_of(error: EngramError) -> dict[str, Any]:
    return {name: getattr(error, name) for name in error.field_names()}


class RequestRefused(EngramError):
    """The request makes no sense; nothing was changed."""

    exit_code = 2


class UsageError(RequestRefused):
    """An option or an argument that is wrong, or two that do not go together."""

    problem: str
    advice: str = "See: engram --help"
    exit_code = 2
    message = "{problem}"
    remedy = "{advice}"


class NoDataset(RequestRefused):
    """No dataset at or above a folder."""

    path: str
    exit_code = 2
    message = "There is no dataset at or above {path}."
    remedy = "Go into one (cd), name one (-d DIR), or make one: engram create DIR"


class NotADataset(NoDataset):
    """A folder that was named as a dataset, and is none."""

    exit_code = 2
    message = "{path} is not a dataset."
    remedy = "Check the spelling: a dataset is named by its top folder."


class BrokenDataset(NoDataset):
    """A folder in which only a part of a dataset is left."""

    reason: str
    advice: str
    exit_code = 2
    message = "{path} is no dataset any more: {reason}."
    remedy = "{advice}"


class NotInstalled(NoDataset):
    """A subdataset that is recorded, and not here yet."""

    exit_code = 2
    message = "{path} is a subdataset that is not installed here."
    remedy = "Get it: engram get -n {path}"


class CatalogueUnusable(RequestRefused):
    """A catalogue that is not there, or is none, or is of another time than this program."""

    catalogue: str
    reason: str
    advice: str
    exit_code = 2
    message = "The catalogue {catalogue} {reason}."
    remedy = "{advice}"


class NotInCatalogue(RequestRefused):
    """A name that the catalogue does not know."""

    what_kind: str
    name: str
    advice: str
    exit_code = 2
    message = "The catalogue knows no {what_kind} {name}."
    remedy = "{advice}"


class PathNotFound(RequestRefused):
    """An argument that names nothing on disk and nothing that is recorded."""

    path: str
    exit_code = 2
    message = "{path} matches no file, neither on disk nor in the dataset."
    remedy = "Check the spelling; engram status shows what is there."


class OutsideDataset(RequestRefused):
    """An argument that lies outside the dataset it is meant for."""

    path: str
    dataset: str
    exit_code = 2
    message = "{path} does not lie in the dataset {dataset}."
    remedy = "Name what lies in it, or go to the dataset that holds that path (cd, or -d DIR)."


class NoSuchVersion(RequestRefused):
    """A name that stands for no state of the dataset."""

    version: str
    dataset: str
    exit_code = 2
    message = "{version!r} names no version of {dataset}."
    remedy = "See which there are: git -C {dataset} log --oneline --all"


class TargetExists(RequestRefused):
    """Something is in the way of what should be made."""

    path: str
    reason: str
    advice: str
    exit_code = 2
    message = "{path} {reason}."
    remedy = "{advice}"


class NoSnapshot(RequestRefused):
    """A folder that holds no snapshot of a connectome."""

    path: str
    exit_code = 2
    message = "{path} holds no snapshot of a connectome."
    remedy = "Name the folder that engram snapshot build, or flyem-snapshot, wrote."


class NoSource(RequestRefused):
    """A path that no dataset can be cloned from."""

    path: str
    reason: str
    exit_code = 2
    message = "{path} cannot be cloned: {reason}."
    remedy = "Check the spelling. It can be a path, file://, ssh://, user@host:path, http:// or https://."


class NoIdentity(RequestRefused):
    """git does not know whose name to put under a commit."""

    missing: str
    exit_code = 2
    message = "git does not know who you are (not set: {missing}), so nothing was written."
    remedy = "Type: git config --global user.name 'Your Name' && git config --global user.email you@example.org"


class NotTrusted(RequestRefused):
    """A dataset brings programs along that this user has not allowed to run."""

    dataset: str
    what_it_brings: str
    exit_code = 2
    message = "{dataset} brings its own commands along ({what_it_brings}); nothing was run or changed."
    remedy = "Look at them, then allow exactly these: engram trust {dataset}"


class ExtraMissing(RequestRefused):
    """A program, or an extra of engram, that this command needs is not installed."""

    needed: str
    install: str
    exit_code = 2
    message = "This needs {needed}, which is not installed."
    remedy = "Install it: {install}"


class BadSetting(RequestRefused):
    """A setting that does not exist, or has an impossible value."""

    setting: str
    source: str
    problem: str
    exit_code = 2
    message = "Setting {setting} ({source}): {problem}."
    remedy = "Mend it there. What can be set: engram help settings"


class NoLab(RequestRefused):
    """No lab at or above a folder."""

    path: str
    exit_code = 2
    message = "There is no lab at or above {path}."
    remedy = "Go into one (cd), name one (--lab DIR), or make one: engram lab create DIR"


class BadLabFile(RequestRefused):
    """A lab's file that says what nobody understands."""

    path: str
    problems: str
    exit_code = 2
    message = "{path}: {problems}."
    remedy = "Mend it there. What it may hold: engram help lab-file"


class BadSnapshotConfig(RequestRefused):
    """A snapshot's configuration, or a file that it names, that says what nobody understands: all of it at once."""

    path: str
    #: One text each: file, line, column, key, what is wrong.
    problems: tuple[str, ...]
    exit_code = 2
    message = "{path} cannot be used: {problems}."
    remedy = "Mend it there, nothing was built. All keys: engram snapshot config --comments"

    @property
    def what(self) -> str:
        """One line: everything that is wrong."""
        return self.message.format(path=self.path, problems="; ".join(self.problems))

    @property
    def lines(self) -> tuple[str, ...]:
        """One problem in the first line, several in lines of their own."""
        if len(self.problems) == 1:
            return (self.what,)
        head = f"{self.path} cannot be used, for {len(self.problems)} reasons:"
        return (head, *(f"  {problem}." for problem in self.problems))


class BadTemplate(RequestRefused):
    """A template of a share's folders, or a layout's pattern, that does not parse."""

    template: str
    problem: str
    exit_code = 2
    message = "The template {template!r} does not parse: {problem}."
    remedy = "Write it like {{subject}}/{{session:%Y%m%d}}; all fields and formats: engram help templates"


class BadExpression(RequestRefused):
    """An ``annex.largefiles`` expression that does not parse."""

    expression: str
    source: str
    problem: str
    exit_code = 2
    message = "annex.largefiles in {source} does not parse ({problem}): {expression}"
    remedy = "Mend it there; the terms are shown by: engram help largefiles"


class BadRecord(RequestRefused):
    """A run record that does not parse, or that asks for what no record may ask for."""

    commit: str
    problem: str
    exit_code = 2
    message = "The run record of commit {commit} cannot be used: {problem}."
    remedy = "Look at it: git show {commit}"


class BadTables(RequestRefused):
    """Tables of a snapshot that lack columns, or hold what cannot be: all of it at once."""

    #: One text each: table, column, what is wrong, in how many rows, one of them.
    problems: tuple[str, ...]
    exit_code = 2
    message = "{problems}"
    remedy = "Mend the tables, or what the configuration says of them; nothing was built."

    @property
    def what(self) -> str:
        """One line: everything that is wrong."""
        return f"The tables cannot be used: {'; '.join(self.problems)}"

    @property
    def lines(self) -> tuple[str, ...]:
        """One problem in the first line, several in lines of their own."""
        if len(self.problems) == 1:
            return (self.what,)
        head = f"The tables cannot be used, for {len(self.problems)} reasons:"
        return (head, *(f"  {problem}" for problem in self.problems))


class QueryRefused(RequestRefused):
    """A question to a snapshot that would change or open something, or that is in no language we know."""

    reason: str
    advice: str
    exit_code = 2
    message = "This is not answered: {reason}."
    remedy = "{advice}"


class QueryFailed(RequestRefused):
    """A question to a snapshot that cannot be answered: a name that is not there, a sum of texts, …."""

    reason: str
    exit_code = 2
    message = "{reason}"
    remedy = "Tables and columns that there are: engram snapshot query DIR"


class TooLittleMemory(RequestRefused):
    """A step of a snapshot, or a question, that needs more memory than it was given."""

    step: str
    memory_mib: int
    advised_mib: int
    exit_code = 2
    message = "The step {step} needs more memory than the {memory_mib} MiB that it was given."
    remedy = "Nothing was changed. Give it more: --memory {advised_mib}MiB"


class UnsavedChanges(RequestRefused):
    """Changes from before, which could not be told from those that a command makes."""

    path: str
    #: What there is to do beside saving them.
    otherwise: str = "or say what the command writes: engram run --explicit -o FILE"
    exit_code = 2
    message = "clean dataset required to detect changes from command; {path} holds unsaved changes."
    remedy = "See them: engram status. Then engram save, {otherwise}"


class NotAKey(RequestRefused):
    """Text that is no git-annex key."""

    text: str
    exit_code = 2
    message = "{text!r} is not a git-annex key."
    remedy = "A key looks like SHA256E-s5--2cf24d….txt; engram status --annex basic --json prints a file's."


class ItemFailed(EngramError):
    """One item could not be done; the others were."""

    path: str
    reason: str
    exit_code = 3
    message = "{path}: {reason}."
    remedy = "Mend the cause, then run the same command again: it does the rest."


#: Why a FIFO or a device is not read: one would be waited for, the other has no end.
NO_FILE = "it is no regular file"


class Unreadable(ItemFailed):
    """A file or folder that could not be read."""

    exit_code = 3
    message = "{path} cannot be read ({reason})."
    remedy = "Make it readable (chmod u+r), then run the same command again."

    @property
    def next_step(self) -> str:
        """What to do, which is another thing where there is no such file."""
        if self.reason in (os.strerror(errno.ENOENT), NO_FILE):
            return "Put it there, or mend its path where it is named; then run the same command again."
        if "://" in self.path:
            return "See whether the link is right and its server answers, then run the same command again."
        return super().next_step


class ChangedWhileSaved(ItemFailed):
    """A file that changed while it was read."""

    exit_code = 3
    message = "{path} changed while it was saved ({reason}); it was left as it is."
    remedy = "Wait until nothing writes to it, then run the same command again."


class NoCopy(ItemFailed):
    """Nobody, or fewer than the user wants, are known to hold a content."""

    exit_code = 3
    message = "{path}: {reason}."
    remedy = "Hear what other clones say, then ask again: git fetch --all. What only one holds is safer in two."


class NotDropped(ItemFailed):
    """What is kept, because dropping it might lose something."""

    advice: str
    exit_code = 3
    message = "{reason}."
    remedy = "{advice}"


class TooFewCopies(NotDropped):
    """A content of which too few copies could be proven."""


class NothingToRecord(ItemFailed):
    """A repository without a commit, where a subdataset is to be recorded."""

    exit_code = 3
    message = "{path} cannot be recorded as a subdataset: it has no commit yet."
    remedy = "Save something in it first: engram save -d {path}"


class UnsupportedFile(ItemFailed):
    """Something git cannot keep: a FIFO, a socket, a device, a forbidden name."""

    exit_code = 3
    message = "{path} cannot be kept in a dataset: {reason}."
    remedy = "Move it elsewhere, or list it in .gitignore."


class Unavailable(ItemFailed):
    """A content that none of the places that should have it could give."""

    exit_code = 3
    message = "{path} could not be had: {reason}."
    remedy = "See who has it: engram whereis {path}"


class NotHere(ItemFailed):
    """A file of a snapshot that was saved as a dataset, and whose content is not in this clone."""

    advice: str
    exit_code = 3
    message = "{path}: {reason}."
    remedy = "{advice}"


class NotUploaded(ItemFailed):
    """A file that is not in its bucket, or not as it should be."""

    exit_code = 3
    message = "{path} could not be uploaded: {reason}."
    remedy = "The snapshot is whole. Run the same build again: what is there already is not sent again."


class NoRoom(ItemFailed):
    """A content for which the disk has no room, with what is to stay free (``annex.diskreserve``)."""

    exit_code = 3
    message = "{path} needs more room than there is: {reason}."
    remedy = "Make room, or keep less free (git config annex.diskreserve 100MB), then run the same command again."


class Malformed(ItemFailed):
    """A file whose text or metadata does not parse."""

    exit_code = 3
    message = "{path} does not parse: {reason}."
    remedy = "Open it and mend what is named, or leave it out."


class PlanMoved(ItemFailed):
    """A step of a plan that does not hold any more: what it was made from has changed."""

    exit_code = 3
    message = "{path} is left alone: {reason}."
    remedy = "Look at it, then make a plan of what is there now: --dry-run -o PLAN.json"


class SessionMoved(PlanMoved):
    """A session that is not ingested as it was planned: its files or the catalogue have changed since."""

    exit_code = 3
    message = "{path} is not ingested: {reason}."
    remedy = "Plan again: engram sessions plan -o PLAN.json"


class WrongBytes(EngramError):
    """Bytes that are not what they are said to be: trying again does not help."""

    exit_code = 20


class DamagedRepository(WrongBytes):
    """A file of git or git-annex that does not parse or does not match its digest."""

    path: str
    reason: str
    exit_code = 20
    message = "{path} is damaged: {reason}."
    remedy = "Nothing was changed. Get a good copy: git fsck and git annex fsck tell what is hit."


class ChecksumMismatch(WrongBytes):
    """Content that differs from the checksum in its key."""

    key: str
    location: str
    found: str
    exit_code = 20
    message = "{location} holds wrong bytes for {key} (found {found})."
    remedy = "Keep every other copy. Set this one aside: git annex fsck --key {key}"


class CatalogueDamaged(WrongBytes):
    """A catalogue whose file is broken."""

    catalogue: str
    reason: str
    exit_code = 20
    message = "The catalogue {catalogue} is damaged: {reason}."
    remedy = "Keep it as it is. Put the latest backup in its place: it lies in .engram/backups beside engram.toml"


class MoveNotProven(WrongBytes):
    """A catalogue that was moved did not arrive as it was; nothing points to the new one."""

    catalogue: str
    table: str
    reason: str
    exit_code = 20
    message = "{table} did not arrive in {catalogue} as it was: {reason}."
    remedy = "The lab goes on with its old catalogue. Look for what changes rows there, or take another empty database."


class TryAgainLater(EngramError):
    """Nothing is lost; the same command works later."""

    exit_code = 30


class SourceUnavailable(TryAgainLater):
    """A dataset could not be cloned: its address did not answer, or did not let this user in."""

    source: str
    reason: str
    exit_code = 30
    message = "{source} could not be cloned: {reason}."
    remedy = "Nothing was left behind. Check the address, the network and your access to it, then try again."


class CatalogueUnavailable(TryAgainLater):
    """The catalogue did not answer, or somebody else was changing it all the while."""

    catalogue: str
    reason: str
    exit_code = 30
    message = "The catalogue {catalogue} is not available: {reason}."
    remedy = "Nothing of this change was kept, nothing from before is lost. Run the same command again later."


class CatalogueMoving(CatalogueUnavailable):
    """The catalogue is being carried over to another database, and takes no change meanwhile."""

    message = "The catalogue {catalogue} is being moved to another database (engram lab move): {reason}."
    remedy = (
        "Nothing of this change was kept, nothing from before is lost. Once it has moved, run the same command again."
    )


class ShareUnavailable(TryAgainLater):
    """A share that does not answer, or is gone."""

    share: str
    reason: str
    exit_code = 30
    message = "The share {share} is not there: {reason}."
    remedy = "Nothing was lost. Mount it again, or wait for its server; then run the same command again."


class DatasetBusy(TryAgainLater):
    """Another program holds a lock of this dataset."""

    lock: str
    holder: str
    exit_code = 30
    message = "Another program is working here ({holder} holds {lock})."
    remedy = "Wait for it. If none is running any more: rm {lock}"


class WrongSnapshot(WrongBytes):
    """A file of a snapshot that is damaged, or that contradicts its promise or another file."""

    path: str
    problem: str
    advice: str
    exit_code = 20
    message = "{path} {problem}"
    remedy = "{advice}"


class BucketUnavailable(TryAgainLater):
    """A bucket that files were to be uploaded into did not answer, or did not let this user in."""

    bucket: str
    reason: str
    exit_code = 30
    message = "{bucket} cannot be uploaded into: {reason}."
    remedy = "Nothing was built. See to its name and your credentials: gcloud auth application-default login"


class SnapshotBusy(TryAgainLater):
    """Another engram works in a snapshot's folder."""

    path: str
    exit_code = 30
    message = "Another engram works in {path}: it builds a snapshot, or reads one."
    remedy = "Wait until it has ended; what is to be built can go into another folder: -o DIR"


class MovedMeanwhile(TryAgainLater):
    """Somebody else moved a branch again and again while we tried."""

    branch: str
    exit_code = 30
    message = "{branch} was moved by another program while saving, several times."
    remedy = "What was read is kept. Run the same command again."


class StorageFailed(EngramError):
    """The disk refused: full, read-only, broken."""

    path: str
    reason: str
    exit_code = 31
    message = "{path} could not be written: {reason}."
    remedy = "Nothing that was saved before is lost. See to room, rights or the disk, then run the same command again."


class NoRoomToDrop(StorageFailed):
    """A disk so full that not even the log can say what is dropped, which has to come first."""

    advice: str
    message = "{path} could not be written: {reason}. What was not reported as dropped is still here."
    remedy = "{advice}, then run the same command again."


class LoadFailed(EngramError):
    """Neo4j did not take a snapshot."""

    database: str
    said: str
    exit_code = 40
    message = "The database {database} was not loaded: {said}"
    remedy = "The snapshot is as it was. See what would be run: engram snapshot load DIR --print"


class PeerFailed(EngramError):
    """git or git-annex failed where it must not."""

    command: str
    exit_status: int
    said: str
    exit_code = 40
    message = "{command} failed ({exit_status}): {said}"
    remedy = "Nothing that was saved before is lost. Run that command yourself to see more, then this one again."


class CommandFailed(EngramError):
    """The user's own command failed. Its exit code is engram's; this class is never raised, it names an outcome."""

    exit_status: int
    became: str
    advice: str
    exit_code = 3
    message = "The command ended with exit code {exit_status}; {became}."
    remedy = "{advice}"
