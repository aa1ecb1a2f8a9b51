"""Words of the command line about days, moments and names, read."""

from datetime import date, datetime

import click

from engram.model.animals import Alias


def day(_: click.Context, option: click.Parameter, value: str | None) -> date | None:
    """A day that an option was given."""
    return None if value is None else _day(value, option)


def _day(text: str, option: click.Parameter) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no day; write it as 2020-01-31.", param=option) from error


def moment(_: click.Context, option: click.Parameter, value: str | None) -> datetime | None:
    """A moment by the lab's clock that an option was given: a day alone is its beginning."""
    if value is None:
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no time; write it as 2020-01-31T14:30.", param=option) from error
    if read.tzinfo is not None:
        raise click.BadParameter("the lab's own clock is meant: leave the zone out.", param=option)
    return read


def aliases(_: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[Alias, ...]:
    """``KIND=NAME`` or ``KIND=NAME@FROM..UNTIL``, either day left out where it is open."""
    return tuple(_alias(value, option) for value in values)


def _alias(text: str, option: click.Parameter) -> Alias:
    kind, found, rest = text.partition("=")
    name, _, days = rest.partition("@")
    if not found or not kind or not name:
        raise click.BadParameter(f"{text!r} is not KIND=NAME, as water-restriction=SC026.", param=option)
    since, _, until = days.partition("..")
    return Alias(
        kind=kind,
        name=name,
        since=_day(since, option) if since else None,
        until=_day(until, option) if until else None,
    )
