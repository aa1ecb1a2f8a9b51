"""In which ROI of each ROI set a point lies: its name and its label, from every source that needs no DVID.

What a point has in its columns is looked up once per value, not once per point: a table of a few values, names and
labels is made for each ROI set, and joined.

Source: flyem-snapshot, ``flyem_snapshot/inputs/rois.py``
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engram.connectome.engine import Work
from engram.connectome.operations import BadFormula
from engram.connectome.reading import Source, distinct
from engram.connectome.sql import UNSPECIFIED, enum, name, text

_SIGNED = (("TINYINT", 7), ("UTINYINT", 8), ("SMALLINT", 15), ("USMALLINT", 16), ("INTEGER", 31), ("UINTEGER", 32))
_UNSIGNED = tuple((kind, bits) for kind, bits in _SIGNED if kind.startswith("U"))
#: The side of the body that a name may end in.
_SIDE = re.compile(r"(.*?)(\([LR]\))?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoiSet:
    """The ROIs of a ROI set, as they are in this snapshot."""

    name: str
    #: Names in the order of the category; `UNSPECIFIED` is the first.
    names: tuple[str, ...]
    #: Labels by name; 0 for `UNSPECIFIED`.
    labels: Mapping[str, int]
    #: Type of the labels.
    label_type: str


class RoiProblem(Exception):
    """What is wrong with a ROI set and the columns that it comes from: for those who collect problems."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A ROI set as the configuration wants it."""

    name: str
    #: ``point-table`` or ``unions-of-subrois``.
    source: str
    #: Labels by name, as far as they are given.
    ids: Mapping[str, int]
    #: Gives the name of a label, where names are made by a formula.
    formula: Callable[[int], object] | None = None
    #: The ROI set that unions are made of, and what each is made of.
    of: str = ""
    unions: Mapping[str, Sequence[str]] | None = None
    #: New name by name.
    renames: Mapping[str, str] | None = None
    #: The ROI set of the parents, and the parents in which points without a ROI get one.
    parent: str = ""
    parents: tuple[str, ...] = ()
    #: Labels that ROIs have already, by their new names: they keep them where nobody says others.
    known: Mapping[str, int] | None = None
    #: Whether points without a column of it lie in none of its ROIs; else they must have one.
    may_lack: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """How the ROIs of a ROI set are looked up: what is joined to the points, and what is taken from it."""

    rois: RoiSet
    join: str
    #: Expressions of the name, and of the label where the points have none.
    roi: str
    label: str
    #: Whether the points have a column of labels already, or of names.
    has_label: bool = False
    has_name: bool = False
    #: Whether the points have no column of it at all.
    is_lacking: bool = False


def look_up(
    work: Work, wanted: Wanted, source: Source, before: Mapping[str, Lookup], *, points: str = "kept"
) -> Lookup:
    """Make the tables that say what each value of the points' columns stands for.

    Args:
        before: the ROI sets that were looked up already, by name.
        points: the table of the points; the expressions call it ``kept``.

    Raises:
        RoiProblem: what the points or the configuration say does not fit.
    """
    if wanted.source == "unions-of-subrois":
        found = _unions(work, wanted, before, points)
    else:
        found = _given(work, wanted, source, points)
    return _with_parents(work, wanted, found, before, points) if wanted.parents else found


def _given(work: Work, wanted: Wanted, source: Source, points: str) -> Lookup:
    column, labels = wanted.name, f"{wanted.name}_label"
    if column in source.columns:
        return _by_name(work, wanted, source, points)
    if labels not in source.columns and wanted.may_lack:
        rois = _roi_set(column, (), {}, {}, _SIGNED)
        roi, label = f"CAST({text(UNSPECIFIED)} AS {enum(rois.names)})", f"CAST(0 AS {rois.label_type})"
        return Lookup(rois=rois, join="", roi=roi, label=label, is_lacking=True)
    if labels not in source.columns:
        raise RoiProblem(f"the points have no column {column} and none {labels}")
    return _by_label(work, wanted, points)


def _by_name(work: Work, wanted: Wanted, source: Source, points: str) -> Lookup:
    """Names are given; labels too, or by the configuration, or numbers from 1 in the names' alphabetical order."""
    present = [
        one for (one,) in work.rows(f"SELECT DISTINCT {_key(wanted.name)} AS one FROM {name(points)} ORDER BY one")
    ]
    listed = distinct(work, source, wanted.name) if wanted.name in source.categories else present
    has_label = f"{wanted.name}_label" in source.columns
    real = [one for one in present if one != UNSPECIFIED]
    renames = wanted.renames or {}
    labels = dict(wanted.ids) or _numbered(real, wanted, {})
    if has_label:
        labels |= dict(
            work.rows(
                f"SELECT {_key(wanted.name)}, any_value({name(wanted.name + '_label')}) FROM {name(points)} GROUP BY 1"
            )
        )
    if unknown := [one for one in real if one not in labels]:
        raise RoiProblem(f"{len(unknown)} names of its column are not among its rois; the first is {unknown[0]!r}")
    rois = _roi_set(wanted.name, listed, labels, renames, _SIGNED)
    table = f"roi of {wanted.name} of {points}"
    pairs = [(one, renames.get(one, one)) for one in (UNSPECIFIED, *real)]
    _keep(work, table, rois, [(text(key), *_row(rois, roi)) for key, roi in dict(pairs).items()], "VARCHAR")
    label = f"kept.{name(wanted.name + '_label')}" if has_label else f"{name(table)}.label"
    join = f"LEFT JOIN {name(table)} ON {name(table)}.given = {_key(wanted.name, of='kept.')}"
    return Lookup(rois=rois, join=join, roi=f"{name(table)}.roi", label=label, has_label=has_label, has_name=True)


def _numbered(names: Iterable[str], wanted: Wanted, taken: Mapping[str, int]) -> dict[str, int]:
    """The label of each name: that which it has already, else the next number after all others, in the names' order."""
    renames, known = wanted.renames or {}, wanted.known or {}
    labels: dict[str, int] = {}
    largest = max((*known.values(), *taken.values()), default=0)
    for one in names:
        label = known.get(renames.get(one, one))
        largest += 0 if label else 1
        labels[one] = label or largest
    return labels


def _by_label(work: Work, wanted: Wanted, points: str) -> Lookup:
    """Labels are given; names by the configuration or by its formula."""
    column = f"{wanted.name}_label"
    present = [one for (one,) in work.rows(f"SELECT DISTINCT {name(column)} AS one FROM {name(points)} ORDER BY one")]
    by_label = {label: roi for roi, label in wanted.ids.items()}
    names_by_label = {0: UNSPECIFIED, None: UNSPECIFIED}
    for label in filter(None, present):
        roi = _named(wanted, label) if wanted.formula else by_label.get(label)
        if roi is None:
            raise RoiProblem(f"label {label} of its column {column} is not among its rois")
        names_by_label[label] = (wanted.renames or {}).get(roi, roi)
    labels = {roi: label for label, roi in names_by_label.items() if label}
    rois = _roi_set(wanted.name, sorted(labels), labels, {}, _SIGNED)
    table = f"roi of {wanted.name} of {points}"
    keys = (0, *filter(None, present))
    _keep(work, table, rois, [(str(key), *_row(rois, names_by_label[key])) for key in keys], "BIGINT")
    join = f"LEFT JOIN {name(table)} ON {name(table)}.given = coalesce(kept.{name(column)}, 0)"
    return Lookup(
        rois=rois, join=join, roi=f"{name(table)}.roi", label=f"coalesce(kept.{name(column)}, 0)", has_label=True
    )


def _named(wanted: Wanted, label: int) -> str:
    assert wanted.formula is not None
    try:
        return str(wanted.formula(label))
    except BadFormula as error:
        raise RoiProblem(str(error)) from error


def _unions(work: Work, wanted: Wanted, before: Mapping[str, Lookup], points: str) -> Lookup:
    """Each new ROI is the union of some ROIs of a set that came before; labels are numbers from 1, by name."""
    if wanted.of not in before:
        raise RoiProblem(f"the ROI set {wanted.of!r} that it is made of does not come before it")
    parts = before[wanted.of]
    unions = wanted.unions or {}
    union_of = {part: union for union, its in unions.items() for part in its}
    if len(union_of) != sum(map(len, unions.values())):
        raise RoiProblem("a ROI is in two of its unions")
    renames = wanted.renames or {}
    labels = {union: number for number, union in enumerate(sorted(unions), start=1)}
    rois = _roi_set(wanted.name, sorted(unions), labels, renames, _UNSIGNED)
    table = f"roi of {wanted.name} of {points}"
    pairs = {part: union_of.get(part, UNSPECIFIED) for part in parts.rois.names}
    rows = [(text(part), *_row(rois, renames.get(union, union))) for part, union in pairs.items()]
    _keep(work, table, rois, rows, "VARCHAR")
    join = f"LEFT JOIN {name(table)} ON {name(table)}.given = CAST({parts.roi} AS VARCHAR)"
    return Lookup(rois=rois, join=join, roi=f"{name(table)}.roi", label=f"{name(table)}.label")


def _with_parents(work: Work, wanted: Wanted, found: Lookup, before: Mapping[str, Lookup], points: str) -> Lookup:
    """Points without a ROI whose parent is one of some get a ROI of their own: ``<parent>-unspecified``."""
    if wanted.parent not in before:
        raise RoiProblem(f"the ROI set of its parents, {wanted.parent!r}, does not come before it")
    parents = before[wanted.parent]
    if parents.is_lacking:  # then no point lies in a parent
        return found
    if unknown := [one for one in wanted.parents if one not in parents.rois.labels]:
        raise RoiProblem(f"{unknown[0]!r} is no ROI of {wanted.parent}")
    rest_of = {parent: rest_name(parent) for parent in wanted.parents}
    more = _numbered(rest_of.values(), wanted, found.rois.labels)
    labels = {**found.rois.labels, **more}
    rois = _roi_set(wanted.name, (*found.rois.names, *more), labels, {}, _SIGNED)
    table = f"rest of {wanted.name} of {points}"
    _keep(work, table, rois, [(text(one), *_row(rois, rest)) for one, rest in rest_of.items()], "VARCHAR")
    own, rest = f"CAST({found.roi} AS VARCHAR)", f"{name(table)}.roi"
    join = (
        f"LEFT JOIN {name(table)} ON {own} = {text(UNSPECIFIED)}"
        f" AND {name(table)}.given = CAST({parents.roi} AS VARCHAR)"
    )
    roi = f"coalesce({rest}, CAST({own} AS {enum(rois.names)}))"
    label = f"CAST(coalesce({name(table)}.label, {found.label}) AS {rois.label_type})"
    return Lookup(
        rois=rois,
        join=f"{found.join} {join}",
        roi=roi,
        label=label,
        has_label=found.has_label,
        has_name=found.has_name,
    )


def rest_name(parent: str) -> str:
    """The ROI of those points of a parent that lie in none of its parts.

    >>> rest_name("ME(R)"), rest_name("GNG")
    ('ME-unspecified(R)', 'GNG-unspecified')
    """
    match = _SIDE.fullmatch(parent)
    stem, side = (match[1], match[2] or "") if match else (parent, "")
    return f"{stem}-unspecified{side}"


def _roi_set(
    called: str,
    listed: Iterable[str],
    labels: Mapping[str, int],
    renames: Mapping[str, str],
    kinds: Sequence[tuple[str, int]],
) -> RoiSet:
    if any(not renames.get(roi, roi).strip() for roi in labels):
        raise RoiProblem(f"the name of one of its ROIs is empty: outside of all ROIs is {UNSPECIFIED}, or no value")
    renamed = {renames.get(roi, roi): label for roi, label in labels.items() if roi != UNSPECIFIED}
    if len(renamed) != len([roi for roi in labels if roi != UNSPECIFIED]):
        raise RoiProblem("two of its ROIs are renamed to one")
    known = [renames.get(roi, roi) for roi in listed if roi != UNSPECIFIED]
    largest = max(renamed.values(), default=0)
    kind = next(kind for kind, bits in (*kinds, ("BIGINT", 64)) if largest < 1 << bits)
    return RoiSet(name=called, names=tuple(dict.fromkeys((UNSPECIFIED, *known))), labels=renamed, label_type=kind)


def _key(column: str, *, of: str = "") -> str:
    return f"coalesce(CAST({of}{name(column)} AS VARCHAR), {text(UNSPECIFIED)})"


def _row(rois: RoiSet, roi: str) -> tuple[str, str]:
    return text(roi), str(rois.labels.get(roi, 0))


def _keep(work: Work, table: str, rois: RoiSet, rows: Sequence[tuple[str, str, str]], key: str) -> None:
    work.run(f"CREATE TABLE {name(table)} (given {key}, roi {enum(rois.names)}, label {rois.label_type})")
    for start in range(0, len(rows), 1000):
        values = ", ".join(f"({', '.join(row)})" for row in rows[start : start + 1000])
        work.run(f"INSERT INTO {name(table)} VALUES {values}")


def make_points(work: Work, columns: Sequence[str], lookups: Sequence[Lookup]) -> None:
    """Make the table ``point``: the points that stay, with name and label in each ROI set, by body and point_id.

    Columns keep the order of the input; those that it lacks come after it, in the order of the ROI sets.
    """
    chosen = {column: f"kept.{name(column)}" for column in ("point_id", *columns)}
    for lookup in lookups:
        chosen[lookup.rois.name] = lookup.roi
        chosen[f"{lookup.rois.name}_label"] = lookup.label
    listed = ", ".join(f"{expression} AS {name(column)}" for column, expression in chosen.items())
    joins = " ".join(lookup.join for lookup in lookups)
    work.make("point", f"SELECT {listed} FROM kept {joins} ORDER BY kept.body, kept.point_id")


def in_two_sets(lookups: Mapping[str, Lookup]) -> Iterator[str]:
    """Each ROI that two ROI sets have, in words."""
    owner: dict[str, str] = {}
    for roiset, lookup in lookups.items():
        for roi in lookup.rois.labels:
            if roi in owner:
                yield f"ROI {roi!r} is in two ROI sets, {owner[roi]} and {roiset}"
            owner.setdefault(roi, roiset)
