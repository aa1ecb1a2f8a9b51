"""What a check has mended."""

from dataclasses import dataclass, field

#: Names below ``.git/engram/tmp`` of what is to be renamed into its place: a crash may leave them.
ASIDE = ("link", "pointer")


@dataclass(slots=True)
class Mended:
    """What was done about some files."""

    #: Keys about which the log was wrong, and what is true.
    logged: dict[bytes, bool] = field(default_factory=dict)
    #: Where damaged contents lie now, by key.
    aside: dict[bytes, bytes] = field(default_factory=dict)
    #: Where good copies of them came from, by key.
    restored: dict[bytes, str] = field(default_factory=dict)
    #: Keys whose folder and content are protected again.
    protected: set[bytes] = field(default_factory=set)
    #: Files whose link is right again, and files that have their content again.
    links: set[bytes] = field(default_factory=set)
    filled: set[bytes] = field(default_factory=set)
    #: Where damaged contents of unlocked files lie now, by path.
    files_aside: dict[bytes, bytes] = field(default_factory=dict)
    #: What could not be mended, and why, by key or path.
    problems: dict[bytes, str] = field(default_factory=dict)
