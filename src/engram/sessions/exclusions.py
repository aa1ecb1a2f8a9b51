"""What is left out of a plan, by whom it was decided, and why."""

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import translate

_WILD = re.compile(r"[*?\[]")


class Exclusions:
    """Ids, places (``SHARE:FOLDER``) and patterns of them, each with its reason.

    >>> exclusions = Exclusions({"12347/2020-01-01": "a test", "raw:*/pilot/*": "pilots"})
    >>> exclusions.why(["12347/2020-01-01"]), exclusions.why(["M1/2020-01-01", "raw:M1/pilot/3"]), exclusions.why(["x"])
    ('a test', 'pilots', '')
    """

    def __init__(self, excluded: Mapping[str, str]) -> None:
        self._exact = excluded
        wild = sorted((pattern, why) for pattern, why in excluded.items() if _WILD.search(pattern))
        self._patterns = [(re.compile(translate(pattern)), why) for pattern, why in wild]

    def why(self, names: Iterable[str]) -> str:
        """Why something of these names is left out; '' when it is not."""
        for name in names:
            if name in self._exact:
                return self._exact[name]
            for pattern, why in self._patterns:
                if pattern.match(name):
                    return why
        return ""


def places(share: str, path: str) -> Iterator[str]:
    """How people name a place, and the folders around it: what lies in a folder that was left out is left out.

    >>> list(places("raw", "M1/pilot/3"))
    ['raw:M1/pilot/3', 'raw:M1/pilot', 'raw:M1']
    """
    while path:
        yield f"{share}:{path}"
        path = path.rpartition("/")[0]
