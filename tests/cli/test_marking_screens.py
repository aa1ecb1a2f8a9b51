"""Whole screens of what people decide about sessions: left out, accepted, grouped."""

from pathlib import Path

import pytest

from engram.catalogue.addresses import read_address
from engram.catalogue.decisions import decisions_in
from engram.catalogue.known import excluded, waived
from engram.catalogue.opening import open_catalogue
from tests.cli.conftest import Engram
from tests.cli.labs import IMAGING, NPX, ingested

pytestmark = pytest.mark.integration

TRUNCATED = "neuropixels-ap:18408403232:20200102T111317"


@pytest.fixture
def lab(engram: Engram, tmp_path: Path) -> Path:
    return ingested(engram, tmp_path)


@pytest.mark.parametrize(
    "pattern", ["12347/2020-01-02*", "recordings:12347/2020-01-02_11-13-17", "recordings:*02_11-13-1?", TRUNCATED]
)
def test_what_is_excluded_is_left_with_its_reason_until_it_is_included(engram: Engram, lab: Path, pattern: str) -> None:
    shown = engram("sessions", "exclude", pattern, "--why", "a test of the rig")
    assert (shown.code, shown.out) == (0, f"exclude(ok): {pattern} [a test of the rig]\n")
    planned = engram("sessions", "plan").out
    assert "[excluded: a test of the rig]" in planned
    assert "truncated" not in planned
    shown = engram("sessions", "include", pattern, "--why", "it was none")
    assert (shown.code, shown.out) == (0, f"include(ok): {pattern} [it was none]\n")
    assert "truncated" in engram("sessions", "plan").out


def test_a_scan_says_no_more_of_what_was_excluded_or_accepted(engram: Engram, lab: Path) -> None:
    (lab / "share/junk").mkdir()
    (lab / "share/junk/a.dat").touch()
    told = engram("sessions", "scan").out
    assert all(said in told for said in ("error truncated: ", "warning misnamed: ", "unknown-layout: junk"))
    before = engram("sessions", "plan", "-o", "before.json").out
    for decision in (
        ("exclude", "12347/2020-01-02*", "recordings:junk"),
        ("waive", IMAGING, "misnamed"),
    ):
        assert engram("sessions", *decision, "--why", "we know").code == 0
    shown = engram("sessions", "scan").out
    assert "12347/2020-01-02T11-13-17 [excluded]: " in shown
    assert not any(said in shown for said in ("truncated", "misnamed", "unknown-layout: junk"))
    assert "[excluded: we know]" in engram("sessions", "plan").out != before


def test_a_scan_reads_the_same_decisions_as_the_catalogue_gives(engram: Engram, lab: Path) -> None:
    for pattern in ("recordings:a\\\\b*", "m\u00e9/2020-01-01", "recordings:\udcff"):
        assert engram("sessions", "exclude", pattern, "--why", "no \u2603").code == 0
    assert engram("sessions", "waive", IMAGING, "misnamed", "--why", "yes").code == 0
    file = str(lab / ".engram/catalogue.db")
    found = decisions_in(file)
    with open_catalogue(read_address(f"sqlite:///{file}", "/")) as catalogue, catalogue.reading() as connection:
        assert (found.excluded, found.waived) == (excluded(connection), waived(connection))
    assert len(found.excluded) == 3


def test_a_scan_goes_on_without_a_catalogue_that_cannot_be_asked(engram: Engram, lab: Path) -> None:
    (lab / ".engram/catalogue.db").write_bytes(b"no database" * 1000)
    shown = engram("sessions", "scan")
    assert shown.code == 3
    assert shown.out.startswith("load(error): exclusions")
    assert "error truncated: " in shown.out


def test_what_is_not_excluded_cannot_be_included(engram: Engram, lab: Path) -> None:
    shown = engram("sessions", "include", "12347/*", "--why", "x")
    assert shown.code == 2
    assert "The catalogue knows no exclusion 12347/*." in shown.out + shown.err


@pytest.mark.parametrize(
    "words",
    [("exclude", "x"), ("include", "x"), ("waive", NPX, "truncated"), ("exclude", "x", "--why", " ")],
)
def test_a_reason_is_needed(engram: Engram, lab: Path, words: tuple[str, ...]) -> None:
    assert engram("sessions", *words).code == 2


def test_a_finding_that_was_waived_is_marked_and_told_with_its_reason(engram: Engram, lab: Path) -> None:
    before = engram("sessions", "show", IMAGING).out
    assert "\n  warning misnamed: " in before
    assert engram("sessions", "waive", IMAGING, "misnamed", "--why", "named before 2020").code == 0
    shown = engram("sessions", "show", IMAGING).out
    assert "\n  warning misnamed: " not in shown
    assert shown.count("\n  accepted warning misnamed: ") == before.count("\n  warning misnamed: ")
    assert "\n    accepted: named before 2020\n" in shown
    (record,) = engram("--json", "sessions", "show", IMAGING).records
    assert record["waived"] == {f"{IMAGING} misnamed": "named before 2020"}


def test_a_finding_that_was_waived_hinders_no_more(engram: Engram, lab: Path) -> None:
    shown = engram("sessions", "waive", TRUNCATED, "truncated", "--why", "the rest is sound")
    assert shown.code == 0
    assert shown.out.startswith(f"waive(ok): {TRUNCATED} truncated [the catalogue has nothing of this id yet;")
    planned = engram("sessions", "plan", "-o", "plan.json").out
    assert f"would not link: {TRUNCATED}" not in planned
    assert "would add: 12347/2020-01-02T11-13-17" in planned
    assert engram("sessions", "ingest", "plan.json").code == 0


def test_a_finding_that_there_is_not_is_refused_with_the_nearest(engram: Engram, lab: Path) -> None:
    shown = engram("sessions", "waive", NPX, "trunkated", "--why", "x")
    assert shown.code == 2
    assert "There is no finding trunkated; the nearest is truncated." in shown.err


def test_sessions_are_put_into_a_group_all_or_none(engram: Engram, lab: Path) -> None:
    shown = engram("sessions", "group", "cohort 3", NPX, "nobody/2020-01-01")
    assert shown.code == 2
    assert "The catalogue knows no session nobody/2020-01-01." in shown.out + shown.err
    shown = engram("sessions", "group", "cohort 3", NPX, IMAGING)
    assert shown.out.splitlines()[:2] == [f"group(ok): {NPX} [in cohort 3]", f"group(ok): {IMAGING} [in cohort 3]"]
    again = engram("sessions", "group", "cohort 3", NPX)
    assert (again.code, again.out.splitlines()[-1:]) == (0, [])


def test_a_group_whose_name_nobody_can_see_is_refused(engram: Engram, lab: Path) -> None:
    shown = engram("sessions", "group", "co\nhort", NPX)
    assert (shown.code, shown.err.splitlines()[0]) == (
        2,
        r"'co\nhort' cannot be the name of a group: it holds what cannot be seen.",
    )


def test_a_dry_run_decides_nothing(engram: Engram, lab: Path) -> None:
    shown = engram("sessions", "exclude", "12347/*", "--why", "x", "--dry-run")
    assert "would exclude: 12347/*" in shown.out
    assert "[excluded: x]" not in engram("sessions", "plan").out
