"""How many elements bodies have, in all and in each ROI, beside their synapses."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engram.connectome.config.outputs import RESERVED_TOTALS, ElementTotals
from engram.connectome.elements import Elements
from engram.connectome.engine import Work
from engram.connectome.neuprint.elements import counted_of
from engram.connectome.neuprint.totals import Rois, number_in
from engram.connectome.points import narrowest
from engram.connectome.sql import UNSPECIFIED, counted, name, selected, text
from engram.model.errors import BadTables

#: A column with more values than these tells no kinds.
MOST_KINDS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """One number that bodies or ROIs have of the elements of a table."""

    elements: Elements
    #: Which of them count.
    condition: str
    name: str
    of_bodies: bool
    of_rois: bool


def counted_rois(
    elements: Iterable[Elements], wanted: Mapping[str, ElementTotals], sets: Sequence[str]
) -> Iterator[str]:
    """The ROIs of some sets that have totals of elements."""
    for one in elements:
        if one.name in wanted and _places(wanted[one.name])[1]:
            for roiset in sets:
                yield from one.rois[roiset].names if roiset in one.rois else ()


def _places(wanted: ElementTotals) -> tuple[bool, bool]:
    """Whether bodies have totals, and whether ROIs have: kinds alone are counted in both."""
    bodies, rois = bool(wanted.compute_segment_totals_with_name), bool(wanted.compute_roi_totals_with_name)
    alone = bool(wanted.compute_kind_totals_for_column) and not bodies and not rois
    return bodies or alone, rois or alone


def tallies_of(work: Work, elements: Iterable[Elements], wanted: Mapping[str, ElementTotals]) -> list[Tally]:
    """All that is counted, in the order of the tables; kinds in the order of their names.

    Raises:
        BadTables: columns of kinds that are not there or have too many of them, and names that are taken.
    """
    found: list[Tally] = []
    problems: list[str] = []
    for one in elements:
        if one.name not in wanted:
            continue
        given = wanted[one.name]
        bodies, rois = given.compute_segment_totals_with_name, given.compute_roi_totals_with_name
        for title in dict.fromkeys(filter(None, (bodies, rois))):
            of_bodies, of_rois = title == bodies, title == rois
            found.append(Tally(elements=one, condition="true", name=title, of_bodies=of_bodies, of_rois=of_rois))
        if given.compute_kind_totals_for_column:
            found += _kinds(work, one, given, problems)
    for of in (_of_bodies, _of_rois):
        times = Counter(one.name for one in found if of(one))
        problems += [f"elements: {title} is the name of {count} totals" for title, count in times.items() if count > 1]
    if problems:
        raise BadTables(tuple(dict.fromkeys(problems)))
    return found


def _of_bodies(tally: Tally) -> bool:
    return tally.of_bodies


def _of_rois(tally: Tally) -> bool:
    return tally.of_rois


def _kinds(work: Work, one: Elements, wanted: ElementTotals, problems: list[str]) -> Iterator[Tally]:
    column = wanted.compute_kind_totals_for_column
    where = f"elements {one.name}, column {column}"
    if column not in one.properties and column != "type":
        if column not in one.empty:
            problems.append(f"{where}: is missing; they have {', '.join(one.properties) or 'no other columns'}")
        return
    kind = f"CAST({name(column)} AS VARCHAR)"
    rows = work.rows(f"SELECT DISTINCT {kind} AS one FROM {counted_of(one)} ORDER BY one LIMIT {MOST_KINDS + 2}")
    kinds = [value for (value,) in rows if value]
    if len(kinds) > MOST_KINDS:
        problems.append(f"{where}: has more than {MOST_KINDS} values, and each is counted alone: they are no kinds")
        return
    of_bodies, of_rois = _places(wanted)
    for value in kinds:
        if value in RESERVED_TOTALS:
            problems.append(f"{where}: {value!r} is the name of something else that bodies have")
        condition = f"{kind} = {text(value)}"
        yield Tally(elements=one, condition=condition, name=value, of_bodies=of_bodies, of_rois=of_rois)


def make_element_totals(work: Work, tallies: Sequence[Tally], rois: Rois, *, keep_all: bool) -> None:
    """Make the table ``element total``, by body, and add the totals of ROIs to ``roi total``.

    Args:
        keep_all: bodies without synapses that are annotated are in the database, too.
    """
    of_bodies = [one for one in tallies if one.of_bodies]
    parts = [
        f"SELECT body, {selected(_numbers(one, of_bodies))} FROM {counted_of(one)} GROUP BY body"
        for one in _tables(of_bodies)
    ]
    work.make("element total", _summed("body", parts, of_bodies))
    of_rois = [one for one in tallies if one.of_rois]
    if of_rois and rois.sets:
        _add_to_rois(work, of_rois, rois, keep_all=keep_all)


def _add_to_rois(work: Work, tallies: Sequence[Tally], rois: Rois, *, keep_all: bool) -> None:
    parts = [
        f"SELECT body, {number_in(rois, roiset, one.rois[roiset].names)} AS roi, {selected(_numbers(one, tallies))}"
        f" FROM {counted_of(one)} WHERE {name(roiset)} <> {text(UNSPECIFIED)} GROUP BY body, roi"
        for one in _tables(tallies)
        for roiset in rois.sets
        if roiset in one.rois
    ]
    known = 'SELECT body FROM "body total"' + (" UNION ALL SELECT bodyId FROM described" if keep_all else "")
    some = " OR ".join(f"{name(one.name)} > 0" for one in tallies)
    of_elements = f"SELECT * FROM ({_summed('body, roi', parts, tallies)}) WHERE body IN ({known}) AND ({some})"
    counts = [column for column in work.columns("roi total") if column not in ("body", "roi")]
    columns = {column: f"coalesce({name(column)}, 0)" for column in (*counts, *(one.name for one in tallies))}
    ((largest,),) = work.rows(f"SELECT max(body) FROM ({known})")
    work.make(
        "roi total with elements",
        f"SELECT CAST(body AS {narrowest(largest)}) AS body, roi, {selected(columns)} FROM"
        ' (SELECT CAST(body AS UBIGINT) AS body, * EXCLUDE (body) FROM "roi total") AS synapses'
        f" FULL JOIN ({of_elements}) AS elements USING (body, roi) ORDER BY body, roi",
    )
    work.run('DROP TABLE "roi total"; ALTER TABLE "roi total with elements" RENAME TO "roi total"')


def _tables(tallies: Iterable[Tally]) -> list[Elements]:
    return list({one.elements.name: one.elements for one in tallies}.values())


def _numbers(elements: Elements, tallies: Iterable[Tally]) -> dict[str, str]:
    """What a table has of each number: nothing of those of other tables."""
    return {one.name: counted(one.condition) if one.elements.name == elements.name else "0" for one in tallies}


def _summed(keys: str, parts: Sequence[str], tallies: Sequence[Tally]) -> str:
    if not parts:
        return f'SELECT {keys.replace("roi", "0 AS roi")} FROM "body total" LIMIT 0'
    sums = {one.name: f"CAST(sum({name(one.name)}) AS INTEGER)" for one in tallies}
    return f"SELECT {keys}, {selected(sums)} FROM ({' UNION ALL '.join(parts)}) GROUP BY {keys} ORDER BY {keys}"
