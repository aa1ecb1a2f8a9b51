"""Predictions of single T-bars, as synister gives them.

Source: flyem-snapshot, ``flyem_snapshot/inputs/neurotransmitters.py``
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engram.connectome.engine import Work
from engram.connectome.points import packed
from engram.connectome.reading import Source, distinct
from engram.connectome.sql import enum, name, selected, text

_PREDICTION = re.compile(r"nts.+|nt_.+", re.DOTALL)
_PROBABILITY = re.compile(r"_prob.*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """The table ``tbar nt``: a row for each T-bar that has a prediction, by point_id."""

    #: Names of neurotransmitters, in the order of the file's columns.
    names: tuple[str, ...]
    #: Whether it tells which T-bars the network was trained with.
    has_split: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns but ``point_id``."""
        return (*map(column_of, self.names), *(("split",) if self.has_split else ()))


def column_of(neurotransmitter: str) -> str:
    """The column of a neurotransmitter's probability."""
    return f"nt_{neurotransmitter}_prob"


def name_in(column: str, translations: Mapping[str, str]) -> str:
    """The neurotransmitter that a column of predictions is about; '' if it is about none.

    >>> name_in("nts_8.glutamate", {}), name_in("nt_ach_prob", {"ach": "acetylcholine"}), name_in("split", {})
    ('glutamate', 'acetylcholine', '')
    """
    if not _PREDICTION.fullmatch(column):
        return ""
    called = re.split(r"[._]", _PROBABILITY.sub("", column))[-1]
    return translations.get(called, called)


def load_predictions(
    work: Work, source: Source, *, rescale: Sequence[float], translations: Mapping[str, str], within: str
) -> Predictions:
    """Make the table ``tbar nt``.

    Args:
        rescale: what x, y and z are multiplied by, to be voxels.
        within: a condition on ``partner``: only T-bars of such synapses count; '' for all.
    """
    by_name = {called: column for column in source.columns if (called := name_in(column, translations))}
    columns = {column_of(one): _probability(column) for one, column in by_name.items()}
    has_split = "split" in source.columns
    if has_split:
        columns["split"] = f"CAST(given.split AS {enum(distinct(work, source, 'split'))})"
    tbars = "SELECT point_id FROM point WHERE kind = 'PreSyn'"
    if within:
        tbars = f"SELECT DISTINCT pre_id AS point_id FROM partner WHERE {within}"
    work.make(
        "tbar nt",
        f"SELECT tbar.point_id, {selected(columns)} FROM {name(source.view)} AS given"
        f" JOIN ({tbars}) AS tbar ON tbar.point_id = {_point_id(source, rescale)} ORDER BY tbar.point_id",
    )
    return Predictions(names=tuple(by_name), has_split=has_split)


def _probability(column: str) -> str:
    value = f"CAST(given.{name(column)} AS FLOAT)"
    return f"CASE WHEN NOT isnan({value}) THEN {value} END"


def _point_id(source: Source, rescale: Sequence[float]) -> str:
    if "point_id" in source.columns:
        return "CAST(given.point_id AS UBIGINT)"
    axes = []
    for axis, factor in zip("xyz", rescale, strict=True):
        column = next((one for one in (axis, f"pre_{axis}", f"{axis}_pre") if one in source.columns), axis)
        axes.append(f"CAST(trunc(given.{name(column)} * {factor!r}) AS INTEGER)")
    return packed(*axes)


def within_roi(roiset: str, roi: str) -> str:
    """The condition on ``partner`` that a setting means."""
    if not roiset:
        return ""
    return f"{name(roiset)} = {text(roi)}" if roi else f"{name(roiset)} <> '<unspecified>'"
