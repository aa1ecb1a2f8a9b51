"""Colours of statuses: one order from dark to light, which colour-blind people see, too, and which survives print.

Source: https://bids.github.io/colormap/ (viridis; twelve of its colours, CC0)
"""

from collections.abc import Mapping, Sequence

_VIRIDIS = (
    *("440154", "482173", "433e85", "38588c", "2d708e", "25858e"),
    *("1e9b8a", "2ab07f", "52c569", "86d549", "c2df23", "fde725"),
)
#: The light end has too little contrast with white paper.
_LIGHTEST = 0.936
#: What is no better than none.
_DARK_GREY, _LIGHT_GREY = 0x80, 0xD2
#: Ink of what has no status.
INK = "#3a3a3a"


def colours(statuses: Sequence[str], order: Sequence[str]) -> Mapping[str, str]:
    """A colour for each of some statuses: the best is the darkest; what is no better than none is grey.

    Args:
        statuses: those that bodies of the snapshot have.
        order: from the worst to the best.

    >>> colours(["Traced", "Anchor", "Glia"], ["Glia", "", "Anchor", "Traced"])
    {'Traced': '#440154', 'Anchor': '#d3e124', 'Glia': '#808080'}
    """
    best_first = [status for status in reversed(order) if status in set(statuses)]
    none = order.index("") if "" in order else -1
    better = [status for status in best_first if order.index(status) > none]
    worse = [status for status in best_first if status not in better]
    step = _LIGHTEST / max(len(better) - 1, 1)
    found = {status: _between(place * step) for place, status in enumerate(better)}
    paler = (_LIGHT_GREY - _DARK_GREY) / max(len(worse) - 1, 1)
    greys = (round(_DARK_GREY + place * paler) for place in range(len(worse)))
    return found | {status: f"#{grey:02x}{grey:02x}{grey:02x}" for status, grey in zip(worse, greys, strict=True)}


def _between(along_ratio: float) -> str:
    """The colour at a place along the map, 0 for its first, 1 for its last."""
    place = along_ratio * (len(_VIRIDIS) - 1)
    first = min(int(place), len(_VIRIDIS) - 2)
    part = place - first
    pairs = zip(_channels(_VIRIDIS[first]), _channels(_VIRIDIS[first + 1]), strict=True)
    return "#" + "".join(f"{round(one + (other - one) * part):02x}" for one, other in pairs)


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour))
