"""What changed between two versions of a snapshot: bodies, cell types, connections and ROIs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engram.connectome.asking.changes import SnapshotChange, SnapshotDifference
from engram.connectome.asking.tables import absent_tables, selected_from, tables_of
from engram.connectome.contents import not_here
from engram.connectome.engine import Work
from engram.connectome.reading import told
from engram.connectome.sql import UNSPECIFIED, name, selected, text
from engram.model.errors import NoSnapshot, UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One kind of thing that two snapshots are compared by."""

    name: str
    #: Where it is looked for, the first table that both have: columns by what they are called here. Tables of a
    #: neuPrint database count some synapses otherwise, and have simpler statuses.
    sources: Mapping[str, Mapping[str, str]]
    #: What tells one thing from another, of these columns.
    keys: tuple[str, ...]
    #: Whether rows of the tables are gathered: of types and of ROIs.
    grouped: bool = False


_BODIES = {
    "body": "CAST({body} AS UBIGINT)",
    "synweight": "CAST(synweight AS BIGINT)",
    "pre": "CAST(pre AS BIGINT)",
    "post": "CAST(post AS BIGINT)",
    "downstream": "CAST(downstream AS BIGINT)",
    "type": "nullif(CAST(type AS VARCHAR), '')",
    "instance": "nullif(CAST(instance AS VARCHAR), '')",
    "status": "nullif(CAST({status} AS VARCHAR), '')",
}
_TYPES = {"type": "CAST(type AS VARCHAR)", "synweight": "CAST(sum(synweight) AS BIGINT)", "bodies": "count(*)"}
_ROIS = {
    "roi": "roi",
    "post": "CAST(sum(post) AS BIGINT)",
    "pre": "CAST(sum(pre) AS BIGINT)",
    "bodies": "count(DISTINCT body)",
}


def _bodies(body: str, status: str) -> dict[str, str]:
    return {column: one.format(body=body, status=status) for column, one in _BODIES.items()}


#: What is compared. The first value of each says how much it matters.
PARTS = (
    Part(
        name="bodies",
        sources={"body_stats": _bodies("body", "status_fine"), "neuprint_neurons": _bodies("bodyId", "status")},
        keys=("body",),
    ),
    Part(
        name="types",
        sources={"body_stats": _TYPES, "neuprint_neurons": _TYPES},
        keys=("type",),
        grouped=True,
    ),
    Part(
        name="connections",
        sources={
            "connectome_weights": {
                "body_pre": "CAST(body_pre AS UBIGINT)",
                "body_post": "CAST(body_post AS UBIGINT)",
                "weight": "CAST(weight AS BIGINT)",
            },
            "neuprint_neuron_connections": {
                "body_pre": "CAST(start_id AS UBIGINT)",
                "body_post": "CAST(end_id AS UBIGINT)",
                "weight": 'CAST("weightHR" AS BIGINT)',
            },
        },
        keys=("body_pre", "body_post"),
    ),
    Part(name="rois", sources={"roi_elements": _ROIS}, keys=("roi",), grouped=True),
)
_SIDES = ("old", "new")


class Comparing:
    """Two snapshots, side by side."""

    def __init__(self, work: Work, folders: Sequence[str], paths: Sequence[tuple[list[str], list[str]]]) -> None:
        """Open the tables of the older and of the newer one.

        Args:
            paths: of each the files that are here, and those whose content is not.

        Raises:
            NoSnapshot: one of them has none of the tables.
            Unreadable, Malformed: a table that is none.
            NotHere: what would be compared with the other's is not here.
        """
        self._work = work
        self._columns: dict[str, dict[str, set[str]]] = {}
        #: The paths of tables, by what the engine calls them.
        self._paths: dict[str, str] = {}
        for side, folder, (files, absent) in zip(_SIDES, folders, paths, strict=True):
            for lacking, path in absent_tables(files, absent).items():
                if any(lacking in part.sources for part in PARTS):
                    raise not_here(folder, path)
            self._columns[side] = {}
            for table in tables_of(folder, files, absent):
                if any(table.name in part.sources for part in PARTS):
                    self._open(side, table.name, table.path, table.source, table.columns)
            if not self._columns[side]:
                raise NoSnapshot(folder)

    def _open(self, side: str, table: str, path: str, source: Any, columns: Mapping[str, str]) -> None:  # noqa: ANN401 (of pyarrow, which has no types)
        with told(path):
            self._work.connection.register(f"{side} file of {table}", source)
            self._work.view(f"{side} {table}", selected_from(f"{side} file of {table}", columns))
        self._columns[side][table] = set(columns.values())
        self._paths[f"{side} {table}"] = path

    def compare(self, *, most: int) -> Iterator[SnapshotChange | SnapshotDifference]:
        """What changed: how much of each part, then the *most* largest changes of it, 0 for all.

        Raises `UsageError` where they have no table of a part in common.
        """
        common: dict[str, str] = {}
        for part in PARTS:
            old, new = ([one for one in part.sources if self._has(side, part, one)] for side in _SIDES)
            common[part.name] = table = next((one for one in old if one in new), "")
            if old and new and not table:
                raise _apart(f"{part.name} are in {old[0]} of one and in {new[0]} of the other")
        if not any(common.values()):
            raise _apart(" and ".join(f"one has {', '.join(sorted(self._columns[side]))}" for side in _SIDES))
        for part in PARTS:
            if table := common[part.name]:
                yield from self._part(part, table, most)

    def _has(self, side: str, part: Part, table: str) -> bool:
        """Whether a table is there, with what tells one thing of a part from another."""
        there = self._columns[side].get(table)
        return there is not None and all(_needs(part.sources[table][key]) <= there for key in part.keys)

    def _part(self, part: Part, table: str, most: int) -> Iterator[SnapshotChange | SnapshotDifference]:
        values = self._make_sides(part, table)
        keys = ", ".join(part.keys)
        first = part.keys[0]
        differs = " OR ".join(f"old.{name(one)} IS DISTINCT FROM new.{name(one)}" for one in values) or "false"
        added, removed, both = f"old.{first} IS NULL", f"new.{first} IS NULL", f"old.{first} = new.{first}"
        main = name(values[0]) if values else "NULL"
        shown = {
            **{key: f"coalesce(new.{key}, old.{key})" for key in part.keys},
            "change": f"CASE WHEN {added} THEN 'added' WHEN {removed} THEN 'removed' ELSE 'changed' END",
            "size": f"abs(coalesce(new.{main}, 0) - coalesce(old.{main}, 0))",
            **{f"{side} {one}": f"{side}.{name(one)}" for side in _SIDES for one in values},
        }
        same = " AND ".join(f"old.{key} = new.{key}" for key in part.keys)
        joined = f'"old part" AS old FULL JOIN "new part" AS new ON {same}'
        some = f"{added} OR {removed} OR ({both} AND ({differs}))"
        self._work.make("difference", f"SELECT {selected(shown)} FROM {joined} WHERE {some}")
        old, new = (self._work.count(f'SELECT count(*) FROM "{side} part"') for side in _SIDES)
        counts = dict(self._work.rows("SELECT change, count(*) FROM difference GROUP BY change"))
        kinds = {kind: int(counts.get(kind, 0)) for kind in ("added", "removed", "changed")}
        yield SnapshotChange(part=part.name, old=old, new=new, **kinds)
        limit = f" LIMIT {most}" if most else ""
        found = self._work.connection.execute(f"SELECT * FROM difference ORDER BY size DESC, {keys}{limit}")
        while rows := found.fetchmany(1000):
            yield from (_difference(part, values, row) for row in rows)
        self._work.run('DROP TABLE difference; DROP TABLE "old part"; DROP TABLE "new part"')

    def _make_sides(self, part: Part, table: str) -> list[str]:
        """Make the two tables that are compared; the columns that both have, without keys."""
        values: list[str] | None = None
        for side in _SIDES:
            there = self._columns[side][table]
            wanted = {one: how for one, how in part.sources[table].items() if _needs(how) <= there}
            values = [one for one in wanted if values is None or one in values]
        columns = [*part.keys, *(one for one in values or () if one not in part.keys)]
        for side in _SIDES:
            wanted = {one: part.sources[table][one] for one in columns}
            key, query = part.keys[0], f"SELECT {selected(wanted)} FROM {name(f'{side} {table}')}"
            if part.grouped:
                query += f" WHERE coalesce(CAST({key} AS VARCHAR), '') NOT IN ('', {text(UNSPECIFIED)}) GROUP BY {key}"
            with told(self._paths[f"{side} {table}"]):
                self._work.make(f"{side} part", query)
        return [one for one in columns if one not in part.keys]


def _apart(how: str) -> UsageError:
    remedy = "Build the older one with the outputs of the newer one: their tables do not count alike."
    return UsageError(f"The two snapshots have no table in common: {how}.", remedy)


def _needs(expression: str) -> set[str]:
    """The columns that an expression reads: words that are no functions or types."""
    words = set(re.findall(r"[A-Za-z_]+", re.sub(r"'[^']*'", "", expression)))
    return {word for word in words if word.lower() not in _WORDS and not word.isupper()}


_WORDS = frozenset({"cast", "nullif", "as", "sum", "count", "distinct", "ubigint", "bigint", "varchar"})


def _difference(part: Part, values: Sequence[str], row: Sequence[Any]) -> SnapshotDifference:
    count = len(part.keys)
    keys, change, told = row[:count], row[count], row[count + 2 :]
    old = dict(zip(values, told[: len(values)], strict=True))
    new = dict(zip(values, told[len(values) :], strict=True))
    if change == "changed":
        differing = [one for one in values if old[one] != new[one]]
        old, new = ({one: side[one] for one in differing} for side in (old, new))
    return SnapshotDifference(
        part=part.name,
        item=" -> ".join(map(str, keys)),
        change=change,
        old={} if change == "added" else old,
        new={} if change == "removed" else new,
    )
