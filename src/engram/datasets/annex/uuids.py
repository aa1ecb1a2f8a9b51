"""The names by which git-annex knows repositories."""

import re

_UUID = re.compile("[0-9A-Za-z][0-9A-Za-z._-]*")


def is_uuid(text: str) -> bool:
    """Whether a text can name a repository: one word in a log, and one folder in a path.

    >>> is_uuid("00000000-0000-0000-0000-000000000001"), is_uuid("../elsewhere"), is_uuid("a b")
    (True, False, False)
    """
    return bool(_UUID.fullmatch(text))
