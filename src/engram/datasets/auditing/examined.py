"""What a check found out about one content, and about one file."""

from typing import NamedTuple

from engram.datasets.annexed import AnnexedFile


class Condition(NamedTuple):
    """How one content fares in the object store."""

    #: Where it lies, b"" when it is not here.
    place: bytes = b""
    size_bytes: int = 0
    #: What is wrong with its bytes, '' when nothing is known to be.
    damage: str = ""
    #: Why it could not be looked at, '' when it could.
    unread: str = ""
    #: It, or its folder, could be written to by accident.
    loose: bool = False
    #: Only git-annex can hold it against its key.
    for_annex: bool = False

    @property
    def is_here(self) -> bool:
        """Whether it is here, as far as anybody can tell."""
        return bool(self.place) and not self.damage


class Sound(NamedTuple):
    """A file with which all is well, its content here: nothing else is to be said of nearly every file."""

    file: AnnexedFile
    size_bytes: int


class Examined(NamedTuple):
    """What was found out about one file, or about one key that stands for itself."""

    #: ``None`` for a key.
    file: AnnexedFile | None
    key: bytes
    condition: Condition
    #: The log says that it is here.
    logged: bool
    #: No log ever said anything about it.
    unknown: bool
    #: How many repositories hold it and count, this one as it was found.
    copies: int
    #: How many copies are wanted.
    wanted: int
    #: It is not here, but a damaged copy of it was set aside once.
    was_aside: bool
    #: What the link in the work tree ought to say, b"" when it does or none lies there.
    link: bytes = b""
    #: A pointer lies in the work tree though the content is here.
    pointer: bool = False
    #: What is wrong with the content in the work tree that nobody wrote to, '' when nothing is.
    damage: str = ""

    @property
    def is_well(self) -> bool:
        """Whether there is nothing to mend and nothing to tell."""
        condition = self.condition
        return (
            self.logged is bool(condition.place)
            and not (condition.damage or condition.unread or condition.loose or condition.for_annex)
            and self.copies >= self.wanted
            and not (self.link or self.pointer or self.damage or self.unknown or self.was_aside)
        )
