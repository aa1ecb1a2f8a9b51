"""What a page of help is made of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Some words, and a list of terms with their meanings."""

    title: str = ""
    text: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    #: A picture beside the page, where one can be shown: its file's name, and what it shows.
    picture: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One page of help."""

    title: str
    sections: tuple[Section, ...]
