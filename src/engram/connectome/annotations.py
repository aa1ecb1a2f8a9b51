"""What is known of bodies: the annotation table, as it is given and in neuPrint's words.

Source: flyem-snapshot, ``flyem_snapshot/inputs/annotations.py`` and ``outputs/neuprint/annotations.py``
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engram.connectome.config.outputs import STATUSES
from engram.connectome.engine import Work
from engram.connectome.reading import Source
from engram.connectome.sql import enum, name, selected, text

#: The worst status of a significant body, and that of a traced one.
SIGNIFICANT, TRACED = "Sensory Anchor", "Leaves"

_SIMPLE = {
    "Orphan": ("Hard to trace", "Orphan-artifact", "Orphan", "Orphan hotknife"),
    "": ("Putative Leaves", "Out of scope", "Not examined", ""),
    "Assign": ("0.5assign",),
    "Anchor": (
        *("Anchor", "Cleaved Anchor", "Will be merged", "Partially traced", "Sensory Anchor", "Cervical Anchor"),
        *("Soma Anchor", "Examined Soma Anchor", "Primary Anchor"),
    ),
    "Traced": STATUSES[STATUSES.index("Leaves") :],
}
#: Properties whose names follow from no rule; '' for columns that neuPrint does not get.
_PROPERTIES = {
    "bodyid": "bodyId",
    "hemibrain_bodyid": "hemibrainBodyId",
    "status": "statusLabel",
    "position": "location",
    "position_type": "locationType",
    "soma_position": "somaLocation",
    "tosoma_position": "tosomaLocation",
    "root_position": "rootLocation",
    "synonym": "synonyms",
    **dict.fromkeys(("last_modified_by", "old_bodyids", "old_type", "reviewer", "to_review", "typing_notes"), ""),
    **dict.fromkeys(("user", "notes", "halfbrain_body", "halfbrainBody", "group_old", "confidence"), ""),
}
_NUMBER = r"\s*(-?\d+(?:\.\d+)?)\s*"
_POINT = rf"\[?{_NUMBER},{_NUMBER},{_NUMBER}\]?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotations:
    """The annotation table of a snapshot: the tables ``annotation``, ``known`` and ``described`` of the work file."""

    #: Types of its columns.
    columns: Mapping[str, str]
    #: Statuses from the worst to the best; none where nobody knows their order.
    order: tuple[str, ...]
    #: Properties in neuPrint's words, and their types.
    properties: Mapping[str, str]
    #: Columns as the file had them that became points.
    points: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What the configuration changes of the annotations."""

    #: Column that is looked at, column that is written, new value by old value; in this order.
    replacements: Sequence[tuple[str, str, Mapping[str, str]]] = ()
    #: New name by column; '' drops it.
    renames: Mapping[str, str] | None = None
    #: neuPrint's property by column; '' drops it.
    properties: Mapping[str, str] | None = None


def load_annotations(work: Work, source: Source | None, changes: Changes) -> Annotations:
    """Make the tables ``annotation`` (as given, by body), ``known`` (ranks) and ``described`` (in neuPrint's words)."""
    order: tuple[str, ...] = ()
    if source is None:
        work.run(f"CREATE TABLE annotation (body BIGINT, status {enum(STATUSES)})")
        order = STATUSES
    else:
        columns, order = _columns(work, source, changes)
        work.make("annotation", f"SELECT {selected(columns)} FROM {name(source.view)} AS given ORDER BY {name('body')}")
    _rank(work, order)
    properties = _describe(work, changes)
    points = tuple(one for one in properties if is_location(one))
    return Annotations(columns=work.columns("annotation"), order=order, properties=properties, points=points)


def _columns(work: Work, source: Source, changes: Changes) -> tuple[dict[str, str], tuple[str, ...]]:
    columns = {column: _as_given(source, column) for column in source.columns if column != "group_old"}
    for looked_at, written, values in changes.replacements:
        cases = " ".join(f"WHEN {text(old)} THEN {text(new)}" for old, new in values.items())
        given = f"CAST({columns[looked_at]} AS VARCHAR)"
        columns[written or looked_at] = f"CASE {given} {cases} ELSE {given} END" if cases else given
    renames = changes.renames or {}
    columns = {renames.get(column, column): expression for column, expression in columns.items()}
    columns.pop("", None)
    order = _order(work, source, columns["status"])
    if order:
        columns["status"] = f"CAST(coalesce(CAST({columns['status']} AS VARCHAR), '') AS {enum(order)})"
    return columns, order


def _as_given(source: Source, column: str) -> str:
    given = f"given.{name(column)}"
    if source.columns[column].strip('"') == "NULL":
        return f"CAST({given} AS VARCHAR)"
    return f"CAST({given} AS {enum(source.categories[column])})" if source.categories.get(column) else given


def _order(work: Work, source: Source, status: str) -> tuple[str, ...]:
    """The statuses from the worst to the best: the table's own order, or DVID's if it knows all of them."""
    if "status" in source.ordered:
        given = source.categories["status"]
        return given if "" in given else ("", *given)
    query = f"SELECT DISTINCT CAST({status} AS VARCHAR) FROM {name(source.view)} AS given"
    found = {one or "" for (one,) in work.rows(query)}
    return STATUSES if found <= set(STATUSES) else ()


def _rank(work: Work, order: Sequence[str]) -> None:
    rank = "0"
    if SIGNIFICANT in order and TRACED in order:
        traced, significant = order[order.index(TRACED) :], order[order.index(SIGNIFICANT) :]
        rank = f"CASE WHEN status IN ({_texts(traced)}) THEN 2 WHEN status IN ({_texts(significant)}) THEN 1 ELSE 0 END"
    work.make("known", f"SELECT body, CAST({rank} AS UTINYINT) AS rank FROM annotation")


def _texts(values: Sequence[str]) -> str:
    return ", ".join(map(text, values))


# ---- in neuPrint's words ---------------------------------------------------------------------------------------------


def camel(column: str) -> str:
    """A column's name as neuPrint writes names.

    >>> camel("predicted_nt_confidence"), camel("entry nerve"), camel("somaSide")
    ('predictedNtConfidence', 'entryNerve', 'somaSide')
    """
    first, *rest = [word for word in re.split(r"[_ ]", column) if word] or [column]
    return first[:1].lower() + first[1:] + "".join(word[:1].upper() + word[1:] for word in rest)


def property_of(column: str, changes: Changes) -> str:
    """The property of neuPrint that a column becomes; '' if it becomes none."""
    said = (changes.properties or {}).get(column)
    if said is not None:
        return said
    return _PROPERTIES[column] if column in _PROPERTIES else camel(column.replace("Position", "Location"))


def is_location(prop: str) -> bool:
    """Whether a property is a point, as its name tells."""
    return bool(re.search("position|location", prop.lower())) and prop not in ("positionType", "locationType")


def _describe(work: Work, changes: Changes) -> dict[str, str]:
    """Make the table ``described``: what neuPrint knows of bodies but 0, without columns that are empty throughout."""
    kinds = work.columns("annotation")
    by_property: dict[str, list[str]] = {}
    for column, kind in kinds.items():
        if column != "body" and (prop := property_of(column, changes)):
            filled = f"CASE WHEN {name(column)} <> '' THEN {name(column)} END" if _is_text(kind) else name(column)
            by_property.setdefault(prop, []).append(filled)
    columns = {
        prop: found[0] if len(found) == 1 else f"coalesce({', '.join(found)})" for prop, found in by_property.items()
    }
    counts = work.rows(
        f"SELECT {', '.join(f'count({one})' for one in columns.values())} FROM annotation WHERE body <> 0"
    )
    columns = {prop: one for (prop, one), count in zip(columns.items(), counts[0], strict=True) if count}
    status = columns.get("statusLabel", "CAST(NULL AS VARCHAR)")
    columns |= {"bodyId": "body", "status": simple_status(f"CAST({status} AS VARCHAR)")}
    work.make("described", f"SELECT {selected(columns)} FROM annotation WHERE body <> 0 ORDER BY body")
    return work.columns("described")


def _is_text(kind: str) -> bool:
    return kind == "VARCHAR" or kind.startswith("ENUM")


def simple_status(label: str) -> str:
    """neuPrint's status for one of DVID's; a label that neuPrint has no word for stays as it is."""
    cases = " ".join(f"WHEN {label} IN ({_texts(labels)}) THEN {text(status)}" for status, labels in _SIMPLE.items())
    return f"nullif(CASE {cases} ELSE {label} END, '')"


def spatial(column: str, kind: str) -> str:
    """A point as neo4j reads it, ``{x:1, y:2, z:3}``, from a list or from text; empty where it is no point."""
    if kind.endswith("]"):
        x, y, z = (f"{column}[{place}]" for place in (1, 2, 3))
        return f"CASE WHEN len({column}) = 3 THEN '{{x:' || {x} || ', y:' || {y} || ', z:' || {z} || '}}' END"
    found = f"regexp_extract(CAST({column} AS VARCHAR), {text(_POINT)}, ['x', 'y', 'z'])"
    x, y, z = (f"{found}.{axis}" for axis in "xyz")
    return f"CASE WHEN {x} <> '' THEN '{{x:' || {x} || ', y:' || {y} || ', z:' || {z} || '}}' END"
