"""``engram help catalogue``: the catalogue's tables, for those who read them with SQL or DataJoint."""

from engram.cli.topic import Section, Topic

_TEXT = (
    "The catalogue is plain SQL: read it with whatever you like, wherever it lies (engram lab show). Write to it with"
    " engram alone: each change takes its numbers from catalogue_counter and leaves what was there before in"
    " catalogue_edit."
)
_NAMES = (
    "No two tables share the name of a column unless it names the same row: a natural join joins what belongs"
    " together. Text that says nothing is '', everything else NULL. Times are what the rig's clock showed; a column"
    " …_utc_offset_s beside one tells how far that was from UTC. Paths are POSIX and relative to their share; a"
    " backslash in a name is two, a byte that is not UTF-8 is \\xff. Every row names the change that added it."
)
_DATAJOINT = (
    "DataJoint (2.3) opens a catalogue on PostgreSQL or MariaDB: lab = dj.VirtualModule('lab', SCHEMA), where SCHEMA is"
    " public on PostgreSQL and the database's name on MariaDB; then lab.Subject * lab.Session and so on. A table"
    " session_folder is the class SessionFolder. For reading only."
)
#: The picture's file, beside the page.
PICTURE = "catalogue.svg"
_SHOWN = "Boxes for the tables, with lines from each column that names a row of another table to that table"
_PICTURED = (
    "People and subjects are the beginning, sessions and their recordings the middle, and everything else refers to"
    " them. Every table also refers to catalogue_change, by its column …_added_in; those lines are left out."
)


def pictures() -> dict[str, str]:
    """What the page shows beside its words, by the files' names."""
    from engram.catalogue.describing import tables_in_words
    from engram.cli.catalogue_picture import catalogue_picture

    return {PICTURE: catalogue_picture(tables_in_words())}


def catalogue_page() -> Topic:
    """All tables and columns. Raises `ExtraMissing` without the extra that the catalogue needs."""
    from engram.workspace.catalogue_here import catalogue_extra  # here, because other help needs none of it

    with catalogue_extra():
        from engram.catalogue.describing import tables_in_words
    sections = [Section(text=_TEXT), Section(title="Names and values", text=_NAMES)]
    sections += [Section(title="DataJoint", text=_DATAJOINT)]
    sections += [Section(title="The tables in a picture", text=_PICTURED, picture=(PICTURE, _SHOWN))]
    for table in tables_in_words():
        keys = "; or ".join(", ".join(key) for key in table.natural_keys)
        told = f"{table.row}." + (f" Rows differ in {keys}." if keys else "")
        rows = tuple((column.name, f"{column.meaning} ({column.kind})") for column in table.columns)
        sections.append(Section(title=table.name, text=told, rows=rows))
    return Topic(title="The catalogue's tables", sections=tuple(sections))
