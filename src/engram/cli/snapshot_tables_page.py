"""What ``engram help snapshot-tables`` tells, made from the promises that every file is written by."""

from engram.cli.topic import Section, Topic
from engram.workspace.snapshots import connectome_extra

_TEXT = (
    "The files of a snapshot. {tag} is its name; in flat-connectome -minconf-<least confidence> stands after it, and"
    " the ROI set that connectivity is restricted to. Every feather file holds its promise in its metadata, under"
    " engram.table. The same inputs give the same bytes: the order of rows is total. A column that is there for each"
    " roiset has its name in place of {roiset}; compartments means that a column tells axon from dendrite; … stands"
    " for columns that the input brings. Columns of CSV files are named as neo4j-admin reads them, and an empty field"
    " is no value."
)


def snapshot_tables_page() -> Topic:
    """Every table, what a row is, how rows are ordered, and what each column holds."""
    with connectome_extra():
        from engram.connectome.promises import TABLES
    sections = (
        Section(
            title=table.name,
            text=f"{table.file}: a row is a {table.row}. Order: {table.order}.",
            rows=tuple(table.in_words()),
        )
        for table in TABLES
    )
    return Topic(title="Tables of a snapshot", sections=(Section(text=_TEXT), *sections))
