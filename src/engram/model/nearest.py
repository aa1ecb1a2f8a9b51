"""Which of the known words somebody may have meant."""

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is nearest to an unknown one; '' when none is near."""
    from difflib import get_close_matches  # here, because it is needed for a mistake alone

    return next(iter(get_close_matches(word, sorted(known), n=1, cutoff=0.5)), "")


def nearest_of(word: str, known: Iterable[str]) -> str:
    """The rest of a sentence about an unknown *word*: which of the *known* is nearest, else which there are."""
    known = sorted(known)
    close = nearest(word, known)
    return f"; the nearest is {close}" if close else f"; there are {', '.join(known)}"
