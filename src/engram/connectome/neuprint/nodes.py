"""CSV files of nodes with a flag for each of their ROIs, written line by line.

Of a node's flags almost all are empty, and there are as many as ROIs. Lines that are put together here take a third of
the time that a CSV writer takes for as many fields. Where there are too many ROIs for one file, nodes are spread over
several, each of which has the flags of its own nodes alone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from engram.connectome.engine import Work
from engram.connectome.sql import name, selected

QUOTE = '"'
#: So many flags may stand in one file.
MOST_FLAGS = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of nodes: which combinations of ROIs it holds, and the flags that they need."""

    #: Places in the list of combinations.
    combinations: tuple[int, ...]
    #: Numbers of ROIs, rising.
    rois: tuple[int, ...]


def spread(combinations: Sequence[frozenset[int]], *, most: int = MOST_FLAGS) -> list[File]:
    """Files for nodes with these combinations of ROIs.

    All of them go into one if it needs no more than *most* flags. Else those with one ROI in common lie together, as
    many as fit; combinations that are larger than a file have one of their own, all together.

    >>> sets = [frozenset({1}), frozenset({2, 3}), frozenset({2}), frozenset({1, 2, 3})]
    >>> [file.rois for file in spread(sets, most=2)]
    [(1, 2), (2, 3), (1, 2, 3)]
    """
    everything = frozenset().union(*combinations)
    if len(everything) <= most:
        return [File(combinations=tuple(range(len(combinations))), rois=tuple(sorted(everything)))]
    files: list[tuple[list[int], set[int]]] = []
    large: tuple[list[int], set[int]] = ([], set())
    for place in sorted(range(len(combinations)), key=lambda place: sorted(combinations[place])):
        rois = combinations[place]
        if len(rois) > most:
            file = large
        elif files and len(files[-1][1] | rois) <= most:
            file = files[-1]
        else:
            files.append(file := ([], set()))
        file[0].append(place)
        file[1].update(rois)
    found = [*files, *([large] if large[0] else [])]
    return [File(combinations=tuple(places), rois=tuple(sorted(rois))) for places, rois in found]


def deal(combinations: Sequence[frozenset[int]], counts: Sequence[int], *, most: int) -> list[File]:
    """At most so many files for nodes with these combinations of ROIs; nodes of one combination lie together.

    The largest come first. Combinations share a file until it has its share of all nodes.

    >>> sets = [frozenset({1}), frozenset({2}), frozenset({1, 2})]
    >>> [file.combinations for file in deal(sets, [1, 9, 2], most=2)]
    [(1,), (2, 0)]
    """
    share = -(-sum(counts) // most)
    files: list[list[int]] = []
    held = share
    for place in sorted(range(len(counts)), key=lambda place: (-counts[place], sorted(combinations[place]))):
        if held >= share:
            files.append([])
            held = 0
        files[-1].append(place)
        held += counts[place]
    found = [(places, frozenset().union(*(combinations[place] for place in places))) for places in files]
    return [File(combinations=tuple(places), rois=tuple(sorted(rois))) for places, rois in found]


#: A file for each combination.
EACH = 1 << 62


def make_nodes(
    work: Work,
    table: str,
    query: str,
    keys: Sequence[str],
    rois_of: Callable[[Sequence[Any]], Iterable[int]],
    *,
    order: str,
    most_files: int = 0,
) -> list[File]:
    """Make *table*, which is what *query* gives and the number of each row's `FILE`, ordered by that and by *order*.

    Args:
        keys: columns whose values tell the ROIs of a row.
        rois_of: the numbers of the ROIs that such values tell.
        most_files: nodes are dealt to so many files by their ROIs; 0: to as few as ROIs allow.
    """
    distinct = f"SELECT {', '.join(map(name, keys))}, count(*) FROM ({query}) GROUP BY ALL ORDER BY ALL"
    rows = work.rows(distinct) if keys else []
    combinations = [row[:-1] for row in rows]
    sets = [frozenset(rois_of(one)) for one in combinations] or [frozenset()]
    files = deal(sets, [row[-1] for row in rows] or [0], most=most_files) if most_files else spread(sets)
    if len(files) == 1:
        work.make(table, f"SELECT *, 0 AS {name(FILE)} FROM ({query}) ORDER BY {order}")
        return files
    dealt = [(*combinations[place], number) for number, file in enumerate(files) for place in file.combinations]
    columns = [pa.array([row[place] for row in dealt]) for place in range(len(keys) + 1)]
    work.connection.register("files of nodes", pa.Table.from_arrays(columns, names=[*keys, FILE]))
    joined = " AND ".join(f"CAST(one.{name(key)} AS VARCHAR) = CAST(found.{name(key)} AS VARCHAR)" for key in keys)
    work.make(
        table,
        f'SELECT one.*, found.{name(FILE)} FROM ({query}) AS one JOIN "files of nodes" AS found ON {joined}'
        f" ORDER BY found.{name(FILE)}, {order}",
    )
    work.connection.unregister("files of nodes")
    return files


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


def paths_of(files: Sequence[File], path: str) -> Iterator[str]:
    """The path of each file; *path* is that of the first one, and says how many digits a name has at least."""
    folder, _, first = path.rpartition("/")
    digits = max(len(first.removesuffix(".csv")), len(str(len(files) - 1)))
    return (f"{folder}/{number:0{digits}d}.csv" for number in range(len(files)))
