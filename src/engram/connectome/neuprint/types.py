"""How a property is named and typed in the header of a CSV file for neo4j-admin.

Source: https://neo4j.com/docs/operations-manual/current/import/ (header format); flyem-snapshot,
``flyem_snapshot/outputs/neuprint/util.py``
"""

from engram.connectome.annotations import is_location, spatial
from engram.connectome.sql import name

#: Three coordinates that are no place on Earth. Source: https://neo4j.com/docs/cypher-manual/current/values-and-types/spatial/
POINT = "point{srid:9157}"
_BY_NAME = {
    **dict.fromkeys(("bodyId", "group", "hemibrainBodyid", "mitoSegment", "size", "somaId", "zapbenchId"), "long"),
    **dict.fromkeys(("pre", "post", "upstream", "downstream", "synweight"), "int"),
    **dict.fromkeys(("positionType", "locationType"), "string"),
}
_WHOLE = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT"), "int"),
    **dict.fromkeys(("BIGINT", "UINTEGER", "UBIGINT", "HUGEINT"), "long"),
}


def neo4j_type(prop: str, kind: str) -> str:
    """The type of a property in neo4j, by its name or else by its type in DuckDB.

    >>> neo4j_type("bodyId", "DOUBLE"), neo4j_type("somaLocation", "BIGINT[]"), neo4j_type("radius", "FLOAT")
    ('long', 'point{srid:9157}', 'float')
    """
    if prop in _BY_NAME:
        return _BY_NAME[prop]
    if is_location(prop):
        return POINT
    if kind.endswith("]"):
        return neo4j_type("", kind[: kind.rindex("[")]) + "[]"
    if kind in _WHOLE:
        return _WHOLE[kind]
    if kind in ("FLOAT", "DOUBLE") or kind.startswith("DECIMAL"):
        return "float"
    return "boolean" if kind == "BOOLEAN" else "string"


def header(prop: str, kind: str) -> str:
    """A property with its type, as it stands in a header."""
    return f"{prop}:{neo4j_type(prop, kind)}"


def as_kept(prop: str, kind: str, given: str) -> str:
    """The expression of a property as it is kept in a table, from *given*: points and truths are texts."""
    found = neo4j_type(prop, kind)
    if found == POINT:
        return spatial(given, kind)
    if found == "boolean":
        return f"CASE {given} WHEN true THEN 'true' WHEN false THEN 'false' END"
    return given


def written(prop: str, kind: str, given: str) -> str:
    """The expression of a property as it is written into a CSV file, from *given*."""
    if kind.endswith("]") and neo4j_type(prop, kind) != POINT:
        return f"array_to_string({given}, ';')"
    return as_kept(prop, kind, given)


def as_written(column: str, kind: str) -> str:
    """The expression of a column, type and all, as it is written into a CSV file: whole numbers without a point."""
    found = column.rpartition(":")[2]
    if kind.endswith("]"):
        return f"array_to_string({name(column)}, ';')"
    if found in ("int", "long") and kind in ("FLOAT", "DOUBLE"):
        return f"CAST({name(column)} AS BIGINT)"
    return name(column)
