"""Properties of synapses and elements that follow from the label of their ROI, as a configuration's formulas say."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TypeAlias

from engram.connectome.config.outputs import OF_POINTS
from engram.connectome.elements import Elements
from engram.connectome.expressions import Value
from engram.connectome.neuprint.types import header
from engram.connectome.operations import BadFormula
from engram.connectome.rois import RoiSet
from engram.connectome.sql import name, text
from engram.model.errors import BadTables

#: Gives a property of a point for the label of its ROI.
Formula: TypeAlias = Callable[[int], Value]
#: Formulas by ROI set and name of the property.
Formulas: TypeAlias = Mapping[str, Mapping[str, Formula]]


def check_formulas(
    formulas: Formulas, synapses: Mapping[str, RoiSet], columns: Collection[str], elements: Sequence[Elements]
) -> None:
    """Look at every property before anything is written.

    Args:
        synapses: ROI sets of the synapses.
        columns: what synapses have, beside ROIs.

    Raises:
        BadTables: a formula that gives nothing for a label, and names that are taken.
    """
    tables: list[tuple[str, Mapping[str, RoiSet], Collection[str]]] = [("the points", synapses, columns)]
    tables += [(f"elements {one.name}", one.rois, one.properties) for one in elements]
    problems = [
        f"ROI set {roiset}, property {prop}: {what}"
        for roiset, properties in formulas.items()
        for prop, formula in properties.items()
        for table, sets, taken in tables
        if roiset in sets
        for what in _problems(prop, formula, sets[roiset], table, taken)
    ]
    if problems:
        raise BadTables(tuple(dict.fromkeys(problems)))


def _problems(prop: str, formula: Formula, rois: RoiSet, table: str, taken: Collection[str]) -> Iterator[str]:
    if prop in (*OF_POINTS, *taken):
        yield f"{table} have a property of that name: give it another one"
    try:
        values = _values(rois, formula).values()
    except BadFormula as error:
        yield f"{error}"
        return
    numbers = [value for value in values if isinstance(value, int)] if _kind(values) == "BIGINT" else []
    if not all(-(1 << 63) <= number < 1 << 63 for number in numbers):
        yield "it gives numbers that need more than 64 bits"


def computed(rois: RoiSet, properties: Mapping[str, Formula]) -> dict[str, str]:
    """Expressions by header: the value for each label; points without a ROI have none."""
    found = {}
    for prop, formula in properties.items():
        values = _values(rois, formula)
        cases = " ".join(f"WHEN {label} THEN {_literal(value)}" for label, value in values.items())
        column = name(f"{rois.name}_label")
        found[header(prop, _kind(values.values()))] = f"CASE {column} {cases} END" if cases else "NULL"
    return found


def _values(rois: RoiSet, formula: Formula) -> dict[int, Value]:
    """What a formula gives, by label, where it gives something. Raises `BadFormula`."""
    of_labels = {label: formula(label) for label in rois.labels.values()}
    return {label: value for label, value in of_labels.items() if value is not None}


def _kind(values: Collection[Value]) -> str:
    kinds = {type(value) for value in values}
    if kinds <= {bool}:
        return "BOOLEAN"
    if kinds <= {int}:
        return (
            "INTEGER" if all(-(1 << 31) <= value < 1 << 31 for value in values if isinstance(value, int)) else "BIGINT"
        )
    return "DOUBLE" if kinds <= {int, float} else "VARCHAR"


def _literal(value: Value) -> str:
    return text(("true" if value else "false") if isinstance(value, bool) else str(value))
