"""Templates read what labs call their folders, and print it again."""

from datetime import date, datetime, timedelta

import pytest

from engram.model.errors import BadTemplate, UsageError
from engram.sessions.dates import days_in, read_moment
from engram.sessions.templates import (
    DEFAULTS,
    Template,
    first_reading,
    near_misses,
    parse_template,
    session_templates,
)

MAP_EPHYS = "{subject.alias}/catgt_{subject.alias}_{date:%m%d%y}[_{ident}]_g0"
MAP_VIDEO = "{subject.alias}/{date:%m%d%Y}[_{ident}]"
KAVLI = (
    "{subject}/{session:%Y%m%d}/Session{ident}",
    "{subject}/{session:%Y-%m-%d_%H-%M-%S}",
    "{subject}/{session:%Y%m%d}",
)


@pytest.mark.parametrize(
    ("text", "path", "subject", "started", "ident"),
    [
        (MAP_EPHYS, "SC033/catgt_SC033_111219_g0", "SC033", date(2019, 11, 12), ""),
        (MAP_EPHYS, "SC033/catgt_SC033_111219_surface_g0", "SC033", date(2019, 11, 12), "surface"),
        (MAP_EPHYS, "SC035/catgt_SC035_010720_1_g0", "SC035", date(2020, 1, 7), "1"),
        (MAP_EPHYS, "SC036/catgt_SC036_123019_g0", "SC036", date(2019, 12, 30), ""),
        (MAP_EPHYS, "SC026/catgt_SC026_080819_g0", "SC026", date(2019, 8, 8), ""),
        (MAP_VIDEO, "SC026/08082019", "SC026", date(2019, 8, 8), ""),
        (MAP_VIDEO, "dl59/12072018_1", "dl59", date(2018, 12, 7), "1"),
        (KAVLI[0], "12347/20170318/Session2", "12347", date(2017, 3, 18), "2"),
        (KAVLI[1], "12347/2020-01-01_10-00-30", "12347", datetime.fromisoformat("2020-01-01T10:00:30"), ""),
        (KAVLI[2], "23457/20220419", "23457", date(2022, 4, 19), ""),
        ("{subject}/{date:%Y_%m_%d}", "DL004/2021_03_08", "DL004", date(2021, 3, 8), ""),
        ("{subject}/{date:%d-%b-%Y}", "a b/01-Jan-2021", "a b", date(2021, 1, 1), ""),
        (
            "{subject}_{task}_{date:%Y%m%d}_{time:%H%M%S}",
            "dl25_tw2_20180225_102508",
            "dl25",
            datetime.fromisoformat("2018-02-25T10:25:08"),
            "",
        ),
        ("{subject}/[[{date:%Y%m%d}]]{{x}}", "s/[20200101]{x}", "s", date(2020, 1, 1), ""),
        ("{subject}/{session:%Y%j}", "s/2020366", "s", date(2020, 12, 31), ""),
    ],
)
def test_what_labs_write_is_read_and_printed_again(
    text: str, path: str, subject: str, started: date, ident: str
) -> None:
    template = parse_template(text)
    named = template.read(path)
    assert named is not None
    assert (named.subject, named.started, named.ident) == (subject, started, ident)
    assert template.print(named.fields) == path
    others = {name: value for name, value in named.fields.items() if name not in ("session", "date", "time")}
    assert template.print(others, started) == path


@pytest.mark.parametrize(
    "path",
    [
        "SC033/catgt_SC034_111219_g0",
        "SC033/catgt_SC033_131319_g0",
        "SC033/catgt_SC033_11121_g0",
        "SC033/catgt_SC033_111219_g1",
        "SC033/catgt_SC033_111219__g0",
        "SC033/x/catgt_SC033_111219_g0",
        "SC033",
        "SC033/catgt_SC033_١١١٢١٩_g0",
    ],
)
def test_what_does_not_follow_is_not_read(path: str) -> None:
    template = parse_template(MAP_EPHYS)
    assert template.read(path) is None
    assert template.why_not(path)


def test_the_year_is_the_calendars_around_new_year() -> None:
    """The year of the week is another on 18 of these days."""
    template = parse_template(MAP_EPHYS)
    day = date(2015, 12, 25)
    while day < date(2026, 1, 10):
        path = template.print({"subject.alias": "SC036"}, day)
        named = template.read(path)
        assert named is not None
        assert named.started == day
        day += timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "must name folders"),
        ("/a/{subject}", "must name folders"),
        ("{subject}//x", "must name folders"),
        ("{subjcet}", "there is no field"),
        ("{subject}/{session}", "needs a format"),
        ("{subject}/{date:%Y%m%g}", "year of the week"),
        ("{subject}/{date:%Y%m%Q}", "is no part of a date"),
        ("{subject}/{date:%Y%Y%m%d}", "stands there twice"),
        ("{subject}/{date:%Y%m}", "completely"),
        ("{subject}/{date:%Y%m%d%M}", "completely"),
        ("{subject}/{date:x}", "completely"),
        ("{subject}/{time:%H%M}", "needs a {date}"),
        ("{subject:z}", "of type d"),
        ("{subject}/{date:%Y%m%d}{date:%d%m%Y}", "in two formats"),
        ("{subject}[_{ident}", "is not closed"),
        ("{subject}]", "closes nothing"),
        ("{subject}[a[b]]", "brackets"),
        ("{subject}[/{ident}]", "cannot hold a /"),
        ("{subject", "stands alone"),
        ("subject}", "stands alone"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_reason(text: str, problem: str) -> None:
    with pytest.raises(BadTemplate) as caught:
        parse_template(text)
    assert problem in caught.value.what


@pytest.mark.parametrize(("text", "problem"), [("{date:%Y%m%d}", "no {subject}"), ("{subject}/x", "tells no time")])
def test_a_shares_template_tells_subject_and_time(text: str, problem: str) -> None:
    with pytest.raises(BadTemplate) as caught:
        session_templates([text])
    assert problem in caught.value.what


def test_what_would_be_read_as_something_else_is_not_printed() -> None:
    template = parse_template("{subject}_{ident}/{date:%Y%m%d}")
    assert template.print({"subject": "a", "ident": "b_c"}, date(2020, 1, 1)) == "a_b_c/20200101"
    with pytest.raises(UsageError, match="would not be read back"):
        template.print({"subject": "a_b", "ident": "c"}, date(2020, 1, 1))
    with pytest.raises(UsageError, match=r"needs \{ident"):
        template.print({"subject": "a"}, date(2020, 1, 1))
    with pytest.raises(UsageError, match="would not be read back"):
        parse_template("{subject}").print({"subject": "a/b"})


def _templates(*texts: str) -> tuple[Template, ...]:
    return session_templates(texts)


def test_the_first_that_matches_wins_and_another_day_is_told() -> None:
    templates = _templates("{subject}/{session:%m%d%Y}", "{subject}/{session:%d%m%Y}")
    reading = first_reading(templates, "s/03042018")
    assert reading is not None
    assert reading.named.started == date(2018, 3, 4)
    assert [named.started for _, named in reading.others] == [date(2018, 4, 3)]
    only = first_reading(templates, "s/17042018")
    assert only is not None
    assert (only.named.started, only.others) == (date(2018, 4, 17), ())


def test_eight_digits_are_never_read_in_two_ways_by_the_usual_templates() -> None:
    templates = session_templates(())
    for path in ("12347/20200101", "12347/20170318/Session2", "a/2018-02-25", "a/2021_03_08", "a/2020-01-01_10-00-30"):
        reading = first_reading(templates, path)
        assert reading is not None, path
        assert reading.others == ()
    assert first_reading(templates, "SC026/08082019") is None
    assert first_reading(templates, "SC026/111219") is None
    assert len(DEFAULTS) == len(set(DEFAULTS))


def test_a_near_miss_says_what_is_wrong() -> None:
    assert list(near_misses(_templates(*KAVLI), "12347/20201301")) == [
        "it does not look like {subject}/{session:%Y-%m-%d_%H-%M-%S}",
        "'20201301' is no date in the form %Y%m%d",
    ]


def test_all_readings_of_digits_are_found() -> None:
    assert [form for _, form, _ in days_in("111219")] == ["%m%d%y", "%y%m%d", "%d%m%y"]
    assert [form for _, form, _ in days_in("x_20200101_y")] == ["%Y%m%d"]
    assert [form for _, form, _ in days_in("08082019")] == ["%m%d%Y", "%d%m%Y"]
    assert list(days_in("123456789")) == []


def test_two_texts_that_disagree_tell_no_time() -> None:
    assert read_moment([("2020", "%Y"), ("0102", "%m%d")]) == date(2020, 1, 2)
    assert read_moment([("20200102", "%Y%m%d"), ("21", "%y")]) is None
    assert read_moment([("246060", "%H%M%S"), ("20200102", "%Y%m%d")]) is None
