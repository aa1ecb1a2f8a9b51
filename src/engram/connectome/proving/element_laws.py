"""Laws of points that are no synapses: their sets, and how many of them bodies have."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engram.connectome.engine import Work
from engram.connectome.neuprint.elements import file_name
from engram.connectome.proving.laws import Law, Same
from engram.connectome.proving.scope import entries_of
from engram.connectome.proving.seen import Seen
from engram.connectome.proving.settings import MadeTotals
from engram.connectome.sql import name, text

_SET = "concat(body, '_', type)"
_KNOWN = "body IN (SELECT body FROM neuron)"


def element_laws(work: Work, seen: Seen) -> Iterator[Law]:
    """The laws of those tables that are there."""
    if not seen.has("element"):
        return
    yield from _sets(seen)
    made = seen.made
    # Elements that count and are no nodes, or the other way round: nothing follows.
    if seen.has("neuron") and not (made.elements_restriction or made.totals_restriction):
        for one in _tallies(work, made.element_totals):
            yield from _of_bodies(seen, one) if one.of_bodies else ()
            yield from _of_rois(seen, one) if one.of_rois else ()


def _sets(seen: Seen) -> Iterator[Law]:
    nodes = seen.paths["element"]
    wanted = {
        "element_set": ("id, type", f"{_SET} AS id, type", "(SELECT DISTINCT body, type FROM element)", "sets"),
        "set_element": ('"start", "end"', f'{_SET} AS "start", id AS "end"', "element", "relationships"),
    }
    if seen.has("neuron"):
        bodies = f"(SELECT DISTINCT body, type FROM element WHERE {_KNOWN})"
        columns = f'CAST(body AS VARCHAR) AS "start", {_SET} AS "end"'
        wanted["neuron_element_set"] = ('"start", "end"', columns, bodies, "relationships")
    for table, (here, there, source, what) in wanted.items():
        if seen.has(table):
            yield Same(
                path=seen.paths[table],
                what=what,
                other=f"the elements in {nodes}",
                here=f"SELECT {here} FROM {table}",
                there=f"SELECT {there} FROM {source}",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tally:
    """A number that bodies or ROIs have of elements: its name, and the condition of what is counted."""

    title: str
    condition: str
    of_bodies: bool
    of_rois: bool


def _tallies(work: Work, wanted: Mapping[str, MadeTotals]) -> Iterator[_Tally]:
    for elements, made in wanted.items():
        source = f"source = {text(file_name(elements))}"
        for title in dict.fromkeys(filter(None, (made.of_bodies, made.of_rois))):
            yield _Tally(
                title=title, condition=source, of_bodies=title == made.of_bodies, of_rois=title == made.of_rois
            )
        alone = not made.of_bodies and not made.of_rois
        for (kind,) in work.rows(f"SELECT DISTINCT kind FROM element WHERE {source} AND kind <> '' ORDER BY kind"):
            yield _Tally(
                title=kind,
                condition=f"{source} AND kind = {text(kind)}",
                of_bodies=bool(made.of_bodies) or alone,
                of_rois=bool(made.of_rois) or alone,
            )


def _of_bodies(seen: Seen, one: _Tally) -> Iterator[Same]:
    count = f"elements[{text(one.title)}]"
    there = f"SELECT id AS body, {count} AS elements FROM neuron WHERE {count} > 0"
    yield Same(
        path=seen.paths["neuron"],
        what=f"values of {one.title}",
        other=f"the elements in {seen.paths['element']}",
        here=there,
        there="SELECT CAST(body AS VARCHAR) AS body, count(*) AS elements FROM element"
        f" WHERE {one.condition} AND {_KNOWN} GROUP BY body",
    )
    if seen.has_column("body_elements", one.title):
        told = f"CAST({name(one.title)} AS BIGINT)"
        yield Same(
            path=seen.paths["body_elements"],
            what=f"values of {one.title}",
            other=f"their nodes in {seen.paths['neuron']}",
            here=f"SELECT CAST(body AS VARCHAR) AS body, {told} AS elements FROM body_elements WHERE {told} > 0",
            there=there,
        )


def _of_rois(seen: Seen, one: _Tally) -> Iterator[Same]:
    if not seen.has_column("roi_elements", one.title):
        return
    told = f"CAST({name(one.title)} AS BIGINT)"
    here = f"SELECT CAST(body AS VARCHAR) AS body, roi, {told} AS elements FROM roi_elements WHERE {told} > 0"
    found = f"SELECT body, unnest(flags) AS roi FROM element WHERE {one.condition} AND {_KNOWN}"
    yield Same(
        path=seen.paths["roi_elements"],
        what=f"values of {one.title}",
        other=f"the elements in {seen.paths['element']}",
        here=here,
        there=f"SELECT CAST(body AS VARCHAR) AS body, roi, count(*) AS elements FROM ({found})"
        " WHERE roi IN (SELECT roi FROM roi_elements) GROUP BY ALL",
    )
    entries = f"SELECT id AS body, {entries_of('info', (one.title,))} AS pair FROM neuron"
    count = f"pair.value[{text(one.title)}]"
    yield Same(
        path=seen.paths["neuron"],
        what=f"values of {one.title} in roiInfo",
        other=seen.paths["roi_elements"],
        here=f"SELECT body, pair.key AS roi, {count} AS elements FROM ({entries}) WHERE {count} > 0",
        there=here,
    )
