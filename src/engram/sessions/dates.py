"""Dates in names: strptime's directives, each of one width, so that what is read is printed the same again."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from typing import TypeAlias

from engram.model.errors import BadTemplate

#: A day, or a day with its time; never with a zone: names have none.
Moment: TypeAlias = date | datetime

#: Fields that are times, and a usual format of each.
TIMES: Mapping[str, str] = {"session": "%Y-%m-%d_%H-%M-%S", "date": "%Y%m%d", "time": "%H%M%S"}
#: What each directive reads, and its meaning.
DIRECTIVES: Mapping[str, tuple[str, str]] = {
    "Y": (r"[0-9]{4}", "year, four digits"),
    "y": (r"[0-9]{2}", "year, two digits: 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068"),
    "m": (r"[0-9]{2}", "month, two digits"),
    "b": (r"Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec", "month, three letters of its English name"),
    "d": (r"[0-9]{2}", "day of the month, two digits"),
    "j": (r"[0-9]{3}", "day of the year, three digits"),
    "H": (r"[0-9]{2}", "hour, 00 to 23"),
    "M": (r"[0-9]{2}", "minute"),
    "S": (r"[0-9]{2}", "second"),
    "f": (r"[0-9]{6}", "microseconds, six digits"),
}
_WIDTHS = {"Y": 4, "b": 3, "j": 3, "f": 6}
_MONTHS = tuple(DIRECTIVES["b"][0].split("|"))
_CENTURY_TURNS = 69
_DIRECTIVE = re.compile(r"%(.?)", re.DOTALL)
#: Whole sets of directives that tell a day.
_DAYS = tuple(map(frozenset, ("Ymd", "ymd", "Ybd", "ybd", "Yj", "yj")))
#: What can be told of a time of day: hours alone, hours and minutes, ….
_CLOCKS = tuple(map(frozenset, ("", "H", "HM", "HMS", "HMSf")))

#: Formats of days that labs use, those that are most common first.
COMMON_DAYS = ("%Y%m%d", "%Y-%m-%d", "%Y_%m_%d", "%m%d%Y", "%d%m%Y", "%m%d%y", "%y%m%d", "%d%m%y", "%d-%b-%Y")
#: Formats of a time of day behind a day.
COMMON_TIMES = ("_%H-%M-%S", "_%H%M%S", "-%H%M%S", "T%H%M%S", "_%H:%M:%S", "T%H-%M-%S")


def moment_pattern(template: str, form: str) -> str:
    """The regular expression of a format. Raises `BadTemplate`, which names *template*, for one that tells no time."""
    found, last, seen = "", 0, set[str]()
    for match in _DIRECTIVE.finditer(form):
        letter = match[1]
        if letter in ("g", "G"):
            raise BadTemplate(
                template, f"%{letter} is the year of the week, which is another around New Year: write %y or %Y"
            )
        if letter not in DIRECTIVES or letter in seen:
            problem = (
                "stands there twice" if letter in seen else "is no part of a date; there are %" + " %".join(DIRECTIVES)
            )
            raise BadTemplate(template, f"%{letter} {problem}")
        seen.add(letter)
        found += f"{re.escape(form[last : match.start()])}(?:{DIRECTIVES[letter][0]})"
        last = match.end()
    _check(template, form, seen)
    return found + re.escape(form[last:])


def _check(template: str, form: str, letters: set[str]) -> None:
    clock = letters & set("HMSf")
    day = letters - clock
    if clock not in _CLOCKS or (day and day not in _DAYS) or not letters:
        raise BadTemplate(template, f"{form} tells neither a day nor a time of day completely")


def read_moment(texts: Iterable[tuple[str, str]], *, alone: bool = False) -> Moment | None:
    """The time that several texts tell together, each with its format; ``None`` when there is no such time.

    Args:
        alone: a time of day is looked at without its day.

    >>> read_moment([("111219", "%m%d%y"), ("102508", "%H%M%S")])
    datetime.datetime(2019, 11, 12, 10, 25, 8)
    """
    values: dict[str, str] = {}
    for text, form in texts:
        for letter, value in _values(text, form):
            if values.setdefault(letter, value) != value:
                return None
    try:
        return _moment(values, alone=alone)
    except ValueError:
        return None


def _values(text: str, form: str) -> Iterator[tuple[str, str]]:
    """Each directive's letter and text. Widths are fixed, so that positions tell them."""
    return ((letter, text[place:end]) for letter, place, end in _places(form))


@cache
def _places(form: str) -> tuple[tuple[str, int, int], ...]:
    """Where each directive of a format stands in a text: first and behind the last character."""
    found, place, last = [], 0, 0
    for match in _DIRECTIVE.finditer(form):
        place += match.start() - last
        width = _WIDTHS.get(match[1], 2)
        found.append((match[1], place, place + width))
        place, last = place + width, match.end()
    return tuple(found)


def _moment(values: Mapping[str, str], *, alone: bool) -> Moment:
    day = date(2000, 1, 1) if alone and not {"Y", "y"} & values.keys() else _day(values)
    if "H" not in values:
        return day
    hour, minute, second, micro = (int(values.get(letter, "0")) for letter in "HMSf")
    return datetime(day.year, day.month, day.day, hour, minute, second, micro)  # noqa: DTZ001  # names have no zone


def _day(values: Mapping[str, str]) -> date:
    year = int(values["Y"]) if "Y" in values else _full_year(int(values["y"]))
    if "Y" in values and "y" in values and year % 100 != int(values["y"]):
        raise ValueError(values)
    if "j" in values:
        day = date(year, 1, 1) + timedelta(days=int(values["j"]) - 1)
        if day.year != year or int(values["j"]) < 1:
            raise ValueError(values)
        return day
    month = _MONTHS.index(values["b"]) + 1 if "b" in values else int(values["m"])
    return date(year, month, int(values["d"]))


def _full_year(two_digits: int) -> int:
    """Source: strptime(3), %y."""
    return two_digits + (1900 if two_digits >= _CENTURY_TURNS else 2000)


def printed(moment: Moment, form: str) -> str:
    """A time in a format. A day has midnight as its time."""

    def one(match: re.Match[str]) -> str:
        letter = match[1]
        if letter == "b":
            return _MONTHS[moment.month - 1]
        if letter == "Y":
            return f"{moment.year:04d}"
        return (
            moment.strftime(f"%{letter}")
            if isinstance(moment, datetime) or letter not in "HMSf"
            else "0" * _WIDTHS.get(letter, 2)
        )

    return _DIRECTIVE.sub(one, form)


_DIGITS = re.compile(
    r"(?<![0-9])(?:[0-9]{4}[-_][0-9]{2}[-_][0-9]{2}|[0-9]{8}|[0-9]{6}|[0-9]{2}-[A-Z][a-z]{2}-[0-9]{4})(?![0-9])"
)


def days_in(text: str, *, earliest: int = 1990, latest: int = 2068) -> Iterator[tuple[str, str, date]]:
    """Every way in which a part of a name can be read as a day: the part, the format, the day.

    >>> [(form, str(day)) for _, form, day in days_in("catgt_SC033_111219_g0")]
    [('%m%d%y', '2019-11-12'), ('%y%m%d', '2011-12-19'), ('%d%m%y', '2019-12-11')]
    """
    for match in _DIGITS.finditer(text):
        for form in COMMON_DAYS:
            if re.fullmatch(moment_pattern("", form), match[0]):
                day = read_moment([(match[0], form)])
                if day is not None and earliest <= day.year <= latest:
                    yield match[0], form, day
