"""The CSV files of a neuPrint database as tables of the work file: what laws need of them, and no more."""

import os
import posixpath
from collections.abc import Iterator, Mapping
from functools import partial

from engram.connectome.engine import Work
from engram.connectome.flat import COMPARTMENT_TOTALS
from engram.connectome.neo4j.header import BadFile, read_otherwise
from engram.connectome.neo4j.sources import is_of_nodes
from engram.connectome.neuprint.elements import file_name
from engram.connectome.proving.csvs import ODD, Csv, Gathered, add_checked, open_csv
from engram.connectome.proving.seen import Seen
from engram.connectome.proving.told import Wrong
from engram.connectome.sql import name, text

NEURONS, SYNAPSES = "Neuprint_Neurons", "Neuprint_Synapses"
TOTALS = ("post", "pre", "downstream", "upstream", "synweight", *COMPARTMENT_TOTALS)
#: Tables of relationships, by the names of their files.
_RELATIONS = {
    "Neuprint_Neuron_Connections": "connects",
    "Neuprint_Synapse_Connections": "edge",
    "Neuprint_SynapseSet_to_SynapseSet": "set_set",
    "Neuprint_Neuron_to_SynapseSet": "neuron_set",
    "Neuprint_SynapseSet_to_Synapses": "set_synapse",
}
#: Those of which there are several files: how their names begin.
_SEVERAL = {
    "Neuprint_Neuron_to_ElementSet_": "neuron_element_set",
    "Neuprint_ElementSet_to_Element_": "set_element",
    "Neuprint_Elements_CloseTo_": "close",
}
#: Columns of the tables of nodes, with their types.
_OF_NEURON = {
    "id": "VARCHAR",
    "body": "UBIGINT",
    **dict.fromkeys(TOTALS, "BIGINT"),
    "info": "VARCHAR",
    "label": "VARCHAR",
    "flags": "VARCHAR[]",
    "elements": "MAP(VARCHAR, BIGINT)",
    "digest": "UBIGINT",
}
_OF_ELEMENT = {
    "id": "VARCHAR",
    "source": "VARCHAR",
    "type": "VARCHAR",
    "kind": "VARCHAR",
    "body": "UBIGINT",
    "flags": "VARCHAR[]",
}
_OF_SYNAPSE = {
    "id": "VARCHAR",
    "point": "UBIGINT",
    "kind": "VARCHAR",
    "body": "UBIGINT",
    "conf": "FLOAT",
    "compartment": "VARCHAR",
    "flags": "UBIGINT",
}
_OF_NODES = {
    "neuron": _OF_NEURON,
    "synapse": _OF_SYNAPSE,
    "sets": {"id": "VARCHAR", "type": "VARCHAR"},
    "element": _OF_ELEMENT,
    "element_set": {"id": "VARCHAR", "type": "VARCHAR"},
    "meta": {"values": "MAP(VARCHAR, VARCHAR)"},
}
#: The space that the ids of such nodes are of.
_SPACES = {
    "neuron": "Body-ID",
    "synapse": "Element-ID",
    "element": "Element-ID",
    "sets": "SynSet-ID",
    "element_set": "ElementSet-ID",
}


class Database:
    """Reads the files of ``neuprint/`` one after the other."""

    def __init__(self, work: Work, folder: str, seen: Seen) -> None:
        self._work, self._folder, self._seen = work, folder, seen
        #: Rows of each file that was read.
        self.rows: dict[str, int] = {}
        #: The file in which each relationship table begins and ends, with the spaces of their ids.
        self.ends: list[tuple[str, str, str, str]] = []
        #: Queries for the ids of each space.
        self._nodes: dict[str, set[str]] = {}
        self._broken: set[str] = set()
        #: Spaces of ids of which a file of nodes cannot be read: what else is not there in them is not told.
        self.unread: set[str] = set()
        #: Tables of relationships that are parts of one, by its name.
        self._parts: dict[str, list[str]] = {}
        self._gathered = {"neuron": Gathered(), "synapse": Gathered()}
        for table, columns in _OF_NODES.items():
            listed = ", ".join(f"{name(column)} {kind}" for column, kind in {**columns, ODD: "BOOLEAN"}.items())
            work.run(f"CREATE TABLE {table} ({listed})")

    def read(self, path: str) -> Iterator[Wrong]:
        """Read one file, and tell what is wrong with it alone. A table of which a part is broken is not tried."""
        of_nodes = is_of_nodes(path)
        try:
            file = open_csv(self._folder, path, of_nodes=of_nodes)
        except BadFile as error:
            yield Wrong(path=path, message=str(error))
            self._broken.add(table := self._table_of(path))
            if of_nodes and table in _SPACES:
                self.unread.add(_SPACES[table])
            return
        if otherwise := read_otherwise(tuple(file.columns), of_nodes=of_nodes):
            self._seen.read_otherwise[path] = otherwise
        table = self._table_of(path)
        whole = table in _RELATIONS.values()
        target = table if table in _OF_NODES else ("one node file" if of_nodes else table if whole else f"part {path}")
        if self._is_small(path) and table in self._gathered:
            gathered = self._gathered[table]
            rows, problems = gathered.add(file, self._folder)
            if gathered.is_full:
                gathered.hand_on(self._work, table, partial(self._wanted, table))
        else:
            rows, problems = add_checked(self._work, file, target, self._wanted(table, file), self._folder)
        self.rows[path] = rows
        yield from (Wrong(path=path, message=problem) for problem in problems)
        if rows < 0:
            self._broken.add(table)
        else:
            self._note(file, table, target, of_nodes=of_nodes)

    def leave_out(self, path: str) -> None:
        """The content of a file is not here: the table that it is a part of is not tried."""
        self._broken.add(self._table_of(path))

    def _is_small(self, path: str) -> bool:
        return os.path.getsize(os.path.join(self._folder, path)) < Gathered.SMALL_BYTES

    def finish(self) -> None:
        """Tell what is there to those who try laws."""
        for table, gathered in self._gathered.items():
            gathered.hand_on(self._work, table, partial(self._wanted, table))
        for table, path in (
            ("neuron", NEURONS),
            ("synapse", SYNAPSES),
            ("sets", "Neuprint_SynapseSet.csv"),
            ("meta", "Neuprint_Meta.csv"),
            ("element", "Neuprint_Elements/"),
            ("element_set", "Neuprint_ElementSets/"),
        ):
            if any(one.startswith(f"neuprint/{path}") for one in self.rows) and table not in self._broken:
                self._seen.paths[table] = f"neuprint/{path.rstrip('/')}"
                self._seen.columns[table] = self._work.columns(table)
        for prefix, table in _SEVERAL.items():
            if (parts := self._parts.get(table)) and table not in self._broken:
                self._work.view(table, " UNION ALL ".join(f'SELECT "start", "end" FROM {name(one)}' for one in parts))
                self._seen.paths[table] = f"neuprint/{prefix.rstrip('_')}"
                self._seen.columns[table] = self._work.columns(table)
        for table in self._broken & self._seen.paths.keys():
            del self._seen.paths[table]

    @staticmethod
    def _table_of(path: str) -> str:
        stem = posixpath.basename(path).removesuffix(".gz").removesuffix(".csv")
        folder = posixpath.basename(posixpath.dirname(path))
        known = {NEURONS: "neuron", SYNAPSES: "synapse", "Neuprint_ElementSets": "element_set"}
        if posixpath.dirname(path).startswith("neuprint/Neuprint_Elements/"):
            return "element"
        return (
            known.get(folder)
            or next((table for prefix, table in _SEVERAL.items() if stem.startswith(prefix)), "")
            or _RELATIONS.get(stem)
            or {"Neuprint_SynapseSet": "sets", "Neuprint_Meta": "meta"}.get(stem, "")
        )

    def _wanted(self, table: str, file: Csv) -> dict[str, str]:
        """What is kept of a file, by the names of its columns in the work file."""
        of = _Columns(file)
        if table == "neuron":
            totals = {one: of.number(f"{one}:int") for one in TOTALS}
            wanted = {"id": of.named("ID"), "body": of.number("bodyId:long", "UBIGINT"), **totals}
            wanted |= {"info": of.first("roiInfo:string", "roiInfo:string[]"), "label": of.named("LABEL")}
            wanted |= {"flags": of.flags(), "elements": of.numbers()}
            return wanted | {"digest": self._digest(table, file)}
        if table == "element":
            return self._wanted_of_element(file, of)
        if table == "synapse":
            wanted = {"id": of.named("ID"), "point": f"TRY_CAST({of.named('ID')} AS UBIGINT)"}
            wanted |= {"kind": of.first("type:string"), "body": of.number("bodyId:long", "UBIGINT")}
            wanted |= {
                "conf": of.number("confidence:float", "FLOAT"),
                "compartment": of.first(f"{self._seen.made.compartment}:string"),
            }
            return wanted | {"flags": f"hash({of.flags_as_text(self._properties_of_synapses())})"}
        if table in ("sets", "element_set"):
            return {"id": of.named("ID"), "type": of.first("type:string")}
        if table == "meta":
            heads, values = (", ".join(map(quote, file.columns)) for quote in (text, name))
            return {"values": f"map([{heads}], [{values}])"}
        if file.named("ID"):
            return {"id": of.named("ID")}
        wanted = {"start": of.named("START_ID"), "end": of.named("END_ID")}
        if table == "connects":
            names = [head for head, column in file.columns.items() if column.is_property]
            wanted |= {head.partition(":")[0]: name(head) for head in names} | {"digest": self._digest(table, file)}
        return wanted

    def _properties_of_synapses(self) -> frozenset[str]:
        """The truths of synapses that are no ROIs: what a formula gave, and columns of the points."""
        points = self._seen.columns.get("points", {})
        return self._seen.made.formulas.union(column for column, kind in points.items() if kind == "BOOLEAN")

    def _wanted_of_element(self, file: Csv, of: "_Columns") -> dict[str, str]:
        source = posixpath.basename(posixpath.dirname(file.path))
        totals = {file_name(elements): made for elements, made in self._seen.made.element_totals.items()}
        column = totals[source].kinds if source in totals else ""
        return {
            "id": of.named("ID"),
            "source": text(source),
            "type": of.first("type:string"),
            "kind": of.first(*(head for head, one in file.columns.items() if column and one.name == column)),
            "body": of.number("bodyId:long", "UBIGINT"),
            "flags": of.flags(),
        }

    def _digest(self, of: str, file: Csv) -> str:
        """The digest of a row, as that of the same row of the feather file: see `digest_of`."""
        table = "neuron_table" if of == "neuron" else "connection_table"
        known = self._seen.columns.get(table, {})
        return digest_of(
            {head: known[head] for head in known if head != "roiset_hash"}, frozenset(file.columns), as_text=True
        )

    def _note(self, file: Csv, table: str, target: str, *, of_nodes: bool) -> None:
        """Note where the ids of its nodes are, or between which spaces its relationships lead."""
        if not of_nodes:
            if table and table != target:
                self._parts.setdefault(table, []).append(target)
            self._seen.paths[target], self._seen.columns[target] = file.path, self._work.columns(target)
            start, end = (file.columns[file.named(kind)].space for kind in ("START_ID", "END_ID"))
            self.ends.append((target, file.path, start, end))
        elif head := file.named("ID"):
            space = file.columns[head].space
            if table in _OF_NODES:
                self._nodes.setdefault(space, set()).add(f"SELECT id FROM {table}")
            else:
                kept = f"ids {space}"
                self._work.run(f"CREATE TABLE IF NOT EXISTS {name(kept)} (id VARCHAR)")
                self._work.run(f"INSERT INTO {name(kept)} SELECT id FROM {name(target)}")
                self._nodes.setdefault(space, set()).add(f"SELECT id FROM {name(kept)}")
        if target == "one node file":
            self._work.run(f"DROP TABLE {name(target)}")

    def nodes(self, space: str) -> str:
        """A query for the ids of all nodes of a space."""
        return (
            " UNION ALL ".join(sorted(self._nodes.get(space, ()))) or "SELECT CAST(NULL AS VARCHAR) AS id WHERE false"
        )

    @property
    def spaces(self) -> tuple[str, ...]:
        """Spaces of ids that nodes were found in."""
        return tuple(sorted(self._nodes))


class _Columns:
    """Expressions over the columns of a file; NULL for what it does not have."""

    def __init__(self, file: Csv) -> None:
        self._file = file

    def first(self, *heads: str) -> str:
        return next((name(head) for head in heads if head in self._file.columns), "CAST(NULL AS VARCHAR)")

    def named(self, kind: str) -> str:
        head = self._file.named(kind)
        return name(head) if head else "CAST(NULL AS VARCHAR)"

    def number(self, head: str, kind: str = "BIGINT") -> str:
        return f"TRY_CAST({self.first(head)} AS {kind})"

    def numbers(self) -> str:
        """The whole numbers of a row that are no totals of synapses, by name: among them are totals of elements."""
        heads = {
            one.name: head
            for head, one in self._file.columns.items()
            if one.kind == "int" and not one.is_array and one.name not in TOTALS
        }
        listed, values = ", ".join(map(text, heads)), ", ".join(map(self.number, heads.values()))
        return f"map(CAST([{listed}] AS VARCHAR[]), CAST([{values}] AS BIGINT[]))"

    def flags(self) -> str:
        """The names of the truths of a row, sorted."""
        listed = ", ".join(self._truths())
        return f"list_filter(CAST([{listed}] AS VARCHAR[]), lambda one: one IS NOT NULL)"

    def flags_as_text(self, others: frozenset[str]) -> str:
        """The same in one text, in half of the time, without *others*."""
        return f"concat_ws(';', {', '.join(self._truths(others)) or 'NULL'})"

    def _truths(self, others: frozenset[str] = frozenset()) -> list[str]:
        """Expressions of the name of each truth where it is true, in the order of the names, without *others*."""
        truths = [
            (one.name, head)
            for head, one in self._file.columns.items()
            if one.kind == "boolean" and not one.is_array and one.name not in others
        ]
        return [f"CASE WHEN {name(head)} = 'true' THEN {text(flag)} END" for flag, head in sorted(truths)]


def digest_of(kinds: Mapping[str, str], there: frozenset[str], *, as_text: bool) -> str:
    """The digest of a row of a table of nodes or edges, which stands in a feather file and in a CSV file.

    Args:
        kinds: types of the columns in the feather file.
        there: columns that the CSV file has: others are empty there.
        as_text: of the row of the CSV file, whose columns are all text.
    """
    values = []
    for head, kind in kinds.items():
        value, plain = name(head) if head in there else "CAST(NULL AS VARCHAR)", kind.partition("(")[0]
        if kind.endswith("[]"):
            found = value if as_text else f"array_to_string({value}, ';')"
        elif plain in ("FLOAT", "DOUBLE"):
            found = f"nullif(TRY_CAST({value} AS {plain}), CAST('NaN' AS {plain}))"
        elif plain.endswith("INT") or plain in ("INTEGER", "UINTEGER"):
            found = f"TRY_CAST({value} AS HUGEINT)"
        else:
            found = f"nullif(CAST({value} AS VARCHAR), '')"
        values.append(found)
    return f"hash({', '.join(values)})" if values else "CAST(NULL AS UBIGINT)"
