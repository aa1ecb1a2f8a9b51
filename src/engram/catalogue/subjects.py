"""Subjects in the catalogue, with the names that they have, or had."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from sqlalchemy import Connection, select

from engram.catalogue.names import given
from engram.catalogue.people import put_person
from engram.catalogue.tables.animals import PERSON, SUBJECT, SUBJECT_ALIAS
from engram.catalogue.unit import Became, Put, Row, Unit, Value
from engram.model.animals import Alias, Subject
from engram.model.errors import NotInCatalogue, UsageError

_SEE = "See which there are: engram subjects list"
#: Fields of a subject that stand in a column of its own row.
COLUMNS = {
    field: f"subject_{field}"
    for field in "species sex born died strain source cage started start_weight_g note".split()
}


def put_subject(unit: Unit, name: str, values: Row, aliases: Iterable[Alias] = ()) -> Put:
    """A subject with these *values* (fields of `Subject`) and *aliases*: added, corrected, or left as it is.

    What is not said stays as it was. A person that is responsible and not known is added. Raises `UsageError` when a
    name would mean two subjects at a time, or cannot be read by people.
    """
    columns: dict[str, Value] = {COLUMNS[field]: value for field, value in values.items() if field in COLUMNS}
    if responsible := values.get("responsible"):
        columns["responsible_id"] = put_person(unit, str(responsible), {}).row_id
    _refuse_second_meaning(unit.connection, name)
    done = unit.put(SUBJECT, {"subject_name": given(name, "name of a subject")}, columns)
    changed = list(done.changed)
    for alias in aliases:
        changed += _put_alias(unit, done.row_id, alias)
    if done.became is Became.ADDED or not changed:
        return done
    return Put(done.row_id, Became.EDITED, tuple(changed))


def _put_alias(unit: Unit, subject: int, alias: Alias) -> list[tuple[str, Value, Value]]:
    _refuse_second_bearer(unit.connection, subject, alias)
    kind, name = given(alias.kind, "kind of an alias"), given(alias.name, "alias of a subject")
    natural: Row = {"subject_id": subject, "alias_kind": kind, "alias_name": name}
    days = {"alias_from": alias.since, "alias_until": alias.until}
    done = unit.put(SUBJECT_ALIAS, natural, {name: day for name, day in days.items() if day is not None})
    if done.became is Became.ADDED:
        return [(f"alias {alias.kind}", "", alias.name)]
    return list(done.changed)


def _refuse_second_meaning(connection: Connection, name: str) -> None:
    """An alias of one subject must not be the name of another: folders say only one word."""
    bearers = select(SUBJECT.c.subject_name).join(SUBJECT_ALIAS)
    of_others = bearers.where(SUBJECT_ALIAS.c.alias_name == name, SUBJECT.c.subject_name != name)
    found = connection.execute(of_others).scalar()
    if found is not None:
        raise UsageError(f"{name} is an alias of subject {found} already.", f"Show it: engram subjects show {found}")


def _refuse_second_bearer(connection: Connection, subject: int, alias: Alias) -> None:
    other = SUBJECT.c.subject_id != subject
    named = connection.execute(select(SUBJECT.c.subject_name).where(SUBJECT.c.subject_name == alias.name, other))
    if (found := named.scalar()) is not None:
        raise UsageError(f"{alias.name} is the name of another subject already.", f"engram subjects show {found}")
    bearers = select(SUBJECT.c.subject_name, SUBJECT_ALIAS).join(SUBJECT_ALIAS)
    for row in connection.execute(bearers.where(SUBJECT_ALIAS.c.alias_name == alias.name, other)).mappings():
        if _overlap(row["alias_from"], row["alias_until"], alias):
            bearer = row["subject_name"]
            advice = "Say from when and until when each of them had it: NAME@2020-01-01..2020-06-30"
            raise UsageError(f"{alias.name} is an alias of subject {bearer} at the same time.", advice)


def _overlap(since: date | None, until: date | None, alias: Alias) -> bool:
    begins_later = alias.since is not None and until is not None and until < alias.since
    ends_before = since is not None and alias.until is not None and alias.until < since
    return not begins_later and not ends_before


def subjects(connection: Connection, *names: str) -> Iterator[Subject]:
    """The subjects of these names or aliases, all when there are none, by name. Raises `NotInCatalogue`."""
    wanted = {subject_named(connection, name) for name in names}
    aliases = _aliases(connection)
    rows = select(SUBJECT, PERSON.c.person_name).outerjoin(PERSON).order_by(SUBJECT.c.subject_name)
    for row in connection.execute(rows).mappings():
        if not names or row["subject_name"] in wanted:
            values = {field: row[column] for field, column in COLUMNS.items()}
            yield Subject(
                name=row["subject_name"],
                responsible=row["person_name"] or "",
                aliases=tuple(aliases[row["subject_id"]]),
                **values,
            )


def _aliases(connection: Connection) -> Mapping[int, list[Alias]]:
    found: dict[int, list[Alias]] = defaultdict(list)
    for row in connection.execute(select(SUBJECT_ALIAS).order_by(SUBJECT_ALIAS.c.alias_id)).mappings():
        alias = Alias(kind=row["alias_kind"], name=row["alias_name"], since=row["alias_from"], until=row["alias_until"])
        found[row["subject_id"]].append(alias)
    return found


def subject_named(connection: Connection, name: str) -> str:
    """The own name of the subject that has this name or alias. Raises `NotInCatalogue`, or `UsageError` for two."""
    own = connection.execute(select(SUBJECT.c.subject_name).where(SUBJECT.c.subject_name == name)).scalar()
    if own is not None:
        return str(own)
    bearers = select(SUBJECT.c.subject_name).join(SUBJECT_ALIAS).where(SUBJECT_ALIAS.c.alias_name == name)
    found = sorted(set(connection.execute(bearers).scalars()))
    if len(found) > 1:
        raise UsageError(f"{name} was a name of {' and '.join(found)}, at different times.", "Say which one.")
    if not found:
        raise NotInCatalogue("subject", name, _SEE)
    return str(found[0])


def names_of_subjects(connection: Connection) -> dict[str, str]:
    """By every name and alias that means one subject alone: the subject's own name."""
    meanings: dict[str, set[str]] = defaultdict(set)
    for alias, name in connection.execute(select(SUBJECT_ALIAS.c.alias_name, SUBJECT.c.subject_name).join(SUBJECT)):
        meanings[alias].add(name)
    own = dict.fromkeys(connection.execute(select(SUBJECT.c.subject_name)).scalars())
    known = {alias: names.pop() for alias, names in meanings.items() if len(names) == 1}
    return known | {name: name for name in own}
