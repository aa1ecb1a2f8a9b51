"""The tables of a finished snapshot, under names that can be typed, for the engine to read and never to write."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import csv as pa_csv
from pyarrow import dataset

from engram.connectome.neo4j.header import BadFile, Column
from engram.connectome.neo4j.sources import is_of_nodes
from engram.connectome.proving.csvs import open_csv
from engram.connectome.proving.schema import promise_of
from engram.connectome.reading import told
from engram.connectome.sql import name

_TYPES = {
    "int": pa.int64(),
    "long": pa.int64(),
    "float": pa.float64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
}
#: What columns that are no properties are called.
_SPECIAL = {"ID": "id", "START_ID": "start_id", "END_ID": "end_id", "LABEL": "labels", "TYPE": "type"}
_BLOCK_BYTES = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A table that can be asked."""

    #: What SQL calls it.
    name: str
    #: POSIX path of its file in the snapshot's folder; of a table in several files, that of their folder.
    path: str
    #: Its columns and their types, as SQL sees them; none of one that is not here.
    columns: Mapping[str, str]
    #: Whether its content is.
    is_here: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable:
    """A table and what it is read from."""

    name: str
    path: str
    source: dataset.Dataset
    #: Its columns, with what they are called here.
    columns: Mapping[str, str]


def absent_tables(paths: Iterable[str], absent: Iterable[str]) -> dict[str, str]:
    """Tables that cannot be read, because the content of a file of them is not here: that file's path by their names.

    Args:
        paths: files that are here.
        absent: those that are not.
    """
    here = {name_of(path) for path in paths if path.endswith((".feather", ".parquet"))}
    found: dict[str, str] = {}
    for path in absent:
        if path.endswith((".feather", ".parquet", ".csv", ".csv.gz")) and name_of(path) not in here:
            found.setdefault(name_of(path), path)
    whole = {name_of(path) for path in paths if path.endswith((".csv", ".csv.gz"))} - {
        name_of(path) for path in absent if path.endswith((".csv", ".csv.gz"))
    }
    return {table: path for table, path in found.items() if table not in whole}


def tables_of(folder: str, paths: list[str], absent: Sequence[str] = ()) -> Iterator[Readable]:
    """The tables among the files of a snapshot. Where a table is there as feather and as CSV, it is read as feather.

    Args:
        paths: its files.
        absent: those whose content is not here: a table of several files is left out when it is of one of these.

    Raises `Unreadable`, `Malformed`.
    """
    feathers: dict[str, str] = {}
    for path in paths:
        if path.endswith((".feather", ".parquet")):
            table = name_of(path)
            table = f"{path.partition('/')[0]}_{table}" if table in feathers else table
            while table in feathers:
                table += "_"
            feathers[table] = path
    for table, path in feathers.items():
        place = posixpath.join(folder, path)
        with told(place):
            found = dataset.dataset(place, format=path.rpartition(".")[2])
        yield Readable(name=table, path=path, source=found, columns=_renamed(found.schema.names))
    files: dict[str, list[str]] = {}
    lacking = {name_of(path) for path in absent if path.endswith((".csv", ".csv.gz"))}
    for path in paths:
        if path.endswith((".csv", ".csv.gz")) and name_of(path) not in {*feathers, *lacking}:
            files.setdefault(name_of(path), []).append(path)
    for table, parts in files.items():
        found = dataset.dataset([_of_csv(folder, part) for part in parts])
        path = parts[0] if len(parts) == 1 else posixpath.dirname(parts[0])
        yield Readable(name=table, path=path, source=found, columns=_renamed(found.schema.names))


def name_of(path: str) -> str:
    """What SQL calls the table of a file.

    >>> name_of("flat-connectome/syn-partners-manc-v1.2-minconf-0.4-traced-only.feather")
    'syn_partners_traced_only'
    >>> name_of("neuprint/Neuprint_Neurons/0017.csv"), name_of("nt/neurotransmitter-confusion.csv")
    ('neuprint_neurons', 'neurotransmitter_confusion')
    >>> name_of("reports/primary/reports/AL(L)/AL(L)-conn_df-manc-v1.2.feather")[:24]
    'reports_primary_al_l_con'
    """
    folder, _, file = path.rpartition("/")
    stem = file.removesuffix(".gz").rpartition(".")[0]
    _, tag = promise_of(path)
    if stem.isdigit():
        stem = folder.rpartition("/")[2]
    elif tag:
        stem = stem.replace(f"-{tag}", "", 1)
    if path.startswith("reports/"):
        stem = f"reports-{path.split('/')[1]}-{stem}"
    return re.sub(r"[^0-9a-zA-Z]+", "_", stem).strip("_").lower()


def _renamed(heads: list[str]) -> dict[str, str]:
    """Plain names for columns of neuPrint: ``pre:int`` is ``pre``; no two are alike in upper and lower case."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for head in heads:
        plain = _plain(head)
        while plain.lower() in taken:
            plain += "_"
        taken.add(plain.lower())
        found[head] = plain
    return found


def _plain(head: str) -> str:
    match = re.fullmatch(r"(?P<name>[^:]*):(?P<kind>[A-Za-z_]+)(?:\([^()]*\)|\{.*\}|\[\])?", head)
    if match is None:
        return head
    return match["name"] or _SPECIAL.get(match["kind"].upper(), head)


def _of_csv(folder: str, path: str) -> dataset.Dataset:
    place = posixpath.join(folder, path)
    kinds: dict[str, pa.DataType] = {}
    if path.startswith("neuprint/"):
        try:
            kinds = {
                head: _type(one) for head, one in open_csv(folder, path, of_nodes=is_of_nodes(path)).columns.items()
            }
        except BadFile:  # then it is read as text, where it can be read at all
            kinds = {}
    how = dataset.CsvFileFormat(
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        read_options=pa_csv.ReadOptions(block_size=_BLOCK_BYTES),
        convert_options=pa_csv.ConvertOptions(
            column_types=kinds, strings_can_be_null=True, quoted_strings_can_be_null=True
        ),
    )
    with told(place):
        return dataset.dataset(place, format=how)


def _type(column: Column) -> pa.DataType:
    return pa.string() if column.is_array else _TYPES.get(column.kind, pa.string())


def selected_from(source: str, columns: Mapping[str, str]) -> str:
    """A query for a table, its columns under their plain names."""
    listed = ", ".join(f"{name(head)} AS {name(plain)}" for head, plain in columns.items())
    return f"SELECT {listed} FROM {name(source)}"
