"""Counts, as people read them."""


def plural(count: int, word: str) -> str:
    """A count with its noun.

    >>> plural(1, "step"), plural(2, "step")
    ('1 step', '2 steps')
    """
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
