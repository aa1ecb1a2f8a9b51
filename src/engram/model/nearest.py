"""Which of the known words somebody may have meant."""

from collections.abc import Iterable


def nearest_of(word: str, known: Iterable[str]) -> str:
    """The rest of a sentence about an unknown *word*: which of the *known* is nearest, else which there are."""
    from difflib import get_close_matches  # here, because it is needed for a mistake alone

    close = get_close_matches(word, sorted(known), n=1, cutoff=0.5)
    return f"; the nearest is {close[0]}" if close else f"; there are {', '.join(sorted(known))}"
