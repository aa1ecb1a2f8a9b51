"""CSV files of nodes with a flag for each of their ROIs, written line by line.

Of a node's flags almost all are empty, and there are as many as ROIs. Lines that are put together here take a third of
the time that a CSV writer takes for as many fields. Where there are too many ROIs for one file, nodes are spread over
several, each of which has the flags of its own nodes alone.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import pyarrow as pa

from engram.connectome.engine import Work
from engram.connectome.sql import name, selected

QUOTE = '"'
#: So many flags may stand in one file.
MOST_FLAGS = 128

#: One file of nodes: the numbers of the ROIs whose flags it has, rising.
File: TypeAlias = tuple[int, ...]
#: Which file each combination of ROIs goes into, and the files.
Spread: TypeAlias = tuple["array[int]", list[File]]


def spread(combinations: Iterable[Sequence[int]], *, most: int = MOST_FLAGS) -> Spread:
    """Files for nodes with these combinations of ROIs, each of them rising, and one after the other in order.

    Those with one ROI in common lie together, as many as fit; combinations that are larger than a file have one of
    their own, all together.

    >>> places, files = spread([(1,), (1, 2, 3), (2,), (2, 3)], most=2)
    >>> list(places), files
    ([0, 2, 0, 1], [(1, 2), (2, 3), (1, 2, 3)])
    """
    places = array("l")
    files: list[set[int]] = []
    large: set[int] = set()
    for rois in combinations:
        if len(rois) > most:
            large.update(rois)
            places.append(_LARGE)
            continue
        if not files or len(files[-1].union(rois)) > most:
            files.append(set())
        files[-1].update(rois)
        places.append(len(files) - 1)
    if large:
        places = array("l", (len(files) if place == _LARGE else place for place in places))
        files.append(large)
    return places, [tuple(sorted(rois)) for rois in files]


_LARGE = -1


def deal(combinations: Iterable[tuple[Sequence[int], int]], *, share: int) -> Spread:
    """Files for nodes with these combinations of ROIs, and how many nodes have each; the most frequent come first.

    Combinations share a file until it has its *share* of all nodes.

    >>> places, files = deal([((2,), 9), ((1, 2), 2), ((1,), 1)], share=6)
    >>> list(places), files
    ([0, 1, 1], [(2,), (1, 2)])
    """
    places = array("l")
    files: list[set[int]] = []
    held = share
    for rois, count in combinations:
        if held >= share:
            files.append(set())
            held = 0
        files[-1].update(rois)
        held += count
        places.append(len(files) - 1)
    return places, [tuple(sorted(rois)) for rois in files]


#: A file for each combination.
EACH = 1 << 62
#: Rows that are read at once.
_ROWS = 10_000
#: Combinations of ROIs, of which there may be as many as nodes.
_COMBINATIONS = "combination of ROIs"
_PLACES = "place of a combination"


def make_nodes(
    work: Work,
    table: str,
    query: str,
    keys: Sequence[str],
    rois: str,
    *,
    order: str,
    most_files: int = 0,
    is_in_order: bool = False,
) -> list[File]:
    """Make *table*, which is what *query* gives and the number of each row's `FILE`, ordered by that and by *order*.

    Args:
        keys: columns whose values tell the ROIs of a row.
        rois: an expression of them that gives the numbers of these ROIs, a list of integers that rise.
        most_files: nodes are dealt to so many files by their ROIs; 0: to as few as ROIs allow.
        is_in_order: the query gives them in that order; then *table* is a view if one file takes all of them.
    """
    files: list[File] = [()]
    if keys:
        listed = ", ".join(map(name, keys))
        counted = f"SELECT {listed}, count(*) AS nodes FROM ({query}) GROUP BY ALL"
        by = "nodes DESC, rois" if most_files else "rois"
        work.make(_COMBINATIONS, f"SELECT *, CAST({rois} AS INTEGER[]) AS rois FROM ({counted}) ORDER BY {by}")
        files = _spread_over_files(work, most_files)
    if len(files) > 1:
        same = " AND ".join(f"one.{name(key)} = found.{name(key)}" for key in keys)
        work.make(
            table,
            f"SELECT one.*, place.{name(FILE)} FROM ({query}) AS one JOIN {name(_COMBINATIONS)} AS found ON {same}"
            f" JOIN {name(_PLACES)} AS place ON place.combination = found.rowid ORDER BY place.{name(FILE)}, {order}",
        )
        work.connection.unregister(_PLACES)
    elif is_in_order:
        work.view(table, f"SELECT *, 0 AS {name(FILE)} FROM ({query})")
    else:
        work.make(table, f"SELECT *, 0 AS {name(FILE)} FROM ({query}) ORDER BY {order}")
    if keys:
        work.run(f"DROP TABLE {name(_COMBINATIONS)}")
    return files


def _spread_over_files(work: Work, most_files: int) -> list[File]:
    """The files of all combinations; where there are several, which of them goes where is known as `_PLACES`."""
    used = work.rows(f"SELECT DISTINCT unnest(rois) AS roi FROM {name(_COMBINATIONS)} ORDER BY roi")
    if not most_files and len(used) <= MOST_FLAGS:
        return [tuple(roi for (roi,) in used)]
    in_order = f"FROM {name(_COMBINATIONS)} ORDER BY rowid"
    if most_files:
        nodes = work.count(f"SELECT coalesce(sum(nodes), 0) FROM {name(_COMBINATIONS)}")
        places, files = deal(_read(work, f"SELECT rois, nodes {in_order}"), share=-(-nodes // most_files))
    else:
        places, files = spread(rois for (rois,) in _read(work, f"SELECT rois {in_order}"))
    if len(files) > 1:
        numbered = pa.table({"combination": pa.array(range(len(places))), FILE: pa.array(places)})
        work.connection.register(_PLACES, numbered)
    return files or [()]


def _read(work: Work, query: str) -> Iterator[tuple[Any, ...]]:
    """The rows of a query that may have many."""
    for batch in work.relation(query).to_arrow_reader(_ROWS):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def lines_of(work: Work, table: str, columns: Mapping[str, str], flags: Iterable[str], file: int) -> str:
    """A query for the lines of a file: *columns* of a table by their expressions, then *flags*, each after a comma."""
    kinds = work.relation(f"SELECT {selected(columns)} FROM {name(table)} LIMIT 0").types
    fields = [
        expression if str(kind) in _PLAIN else quoted(f"CAST({expression} AS VARCHAR)")
        for expression, kind in zip(columns.values(), kinds, strict=True)
    ]
    comma = ", ',', "
    pieces = ", ".join([comma.join(fields), *flags])
    return f"SELECT concat({pieces}) AS line FROM {name(table)} WHERE {name(FILE)} = {file}"


#: The column of a file's number.
FILE = "file of the node"
_PLAIN = frozenset(
    ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "FLOAT", "DOUBLE")
)


def quoted(text: str) -> str:
    """The expression of a text as a field of a CSV file: in quotes where it needs them; nothing stays nothing."""
    special = f"{text} = '' OR regexp_matches({text}, '[\",\\r\\n]')"
    return f"CASE WHEN {special} THEN concat('\"', replace({text}, '\"', '\"\"'), '\"') ELSE {text} END"


def header_of(columns: Iterable[str]) -> str:
    """The first line of a CSV file.

    >>> print(header_of(["id:long", 'a "b", c']))
    id:long,"a ""b"", c"
    """
    return ",".join(f'"{one.replace(QUOTE, QUOTE * 2)}"' if set(one) & set('",\r\n') else one for one in columns)


def paths_of(files: int, path: str) -> Iterator[str]:
    """The paths of so many files; *path* is that of the first one, and says how many digits a name has at least."""
    folder, _, first = path.rpartition("/")
    digits = max(len(first.removesuffix(".csv")), len(str(files - 1)))
    return (f"{folder}/{number:0{digits}d}.csv" for number in range(files))
