"""A template is made from examples; what cannot be decided is left to a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.model.errors import UsageError
from engram.sessions.inferring import below_a_root, candidates, infer
from engram.sessions.templates import parse_template


@pytest.mark.parametrize(
    ("examples", "templates"),
    [
        (["12347/20220419"], ["{subject}/{session:%Y%m%d}"]),
        (["12347/20170318/Session2"], ["{subject}/{session:%Y%m%d}/Session{ident}"]),
        (["12347/2020-01-01_10-00-30"], ["{subject}/{session:%Y-%m-%d_%H-%M-%S}"]),
        (["recordings/DL004/2021_03_08"], ["recordings/{subject}/{session:%Y_%m_%d}"]),
        (["dl25/2018-02-25/1"], ["{subject}/{session:%Y-%m-%d}/{ident}"]),
        (["x/20200101_surface"], ["{subject}/{session:%Y%m%d}[_{ident}]"]),
        (["a{b}/20200101"], ["{subject}/{session:%Y%m%d}"]),
        (["[x]/a/20200101"], ["[[x]]/{subject}/{session:%Y%m%d}"]),
        (["SC026/08082019"], ["{subject}/{session:%m%d%Y}", "{subject}/{session:%d%m%Y}"]),
        (["SC026/08082019", "SC026/08252019"], ["{subject}/{session:%m%d%Y}"]),
        (["dl59/12312018_1", "SC026/08082019"], ["{subject}/{session:%m%d%Y}[_{ident}]"]),
        (
            ["Ephys/SC033/catgt_SC033_111219_surface_g0", "Ephys/SC033/catgt_SC033_112519_g0"],
            ["Ephys/{subject}/catgt_{subject}_{session:%m%d%y}[_{ident}]_g0"],
        ),
    ],
)
def test_what_a_person_points_at_becomes_a_template(examples: list[str], templates: list[str]) -> None:
    assert [template.text for template in candidates(examples)] == templates


@pytest.mark.parametrize("examples", [["a/b"], ["20200101"], ["a/20200101", "b/c/20200101"], ["a/20201301"], [""]])
def test_what_tells_no_subject_or_date_is_refused(examples: list[str]) -> None:
    with pytest.raises(UsageError):
        candidates(examples)


def test_the_template_that_fits_most_folders_comes_first_with_what_nearly_fits() -> None:
    folders = ["s", "s/08082019", "s/25122019", "s/31122019", "s/notes", "s/x/y"]
    best, other = infer("raw", ["s/08082019"], folders)
    assert (best.template, best.matches, best.others) == ("{subject}/{session:%d%m%Y}", 3, 1)
    assert (other.template, other.matches) == ("{subject}/{session:%m%d%Y}", 1)
    assert [miss.folder for miss in best.near_misses] == ["s/notes"]
    assert "'25122019' is no date in the form %m%d%Y" in [miss.why for miss in other.near_misses]
    assert best.fits[0].started == "2019-08-08"


def test_what_misses_by_least_is_shown_of_many_that_miss() -> None:
    noise = [f"SC033/{name}" for name in ("a", "analysis", "b", "c", "d", "histology", "logs")]
    near = ["SC033/catgt_SC033_111219_surface_g0", "SC033/catgt_SC033_139999_g0", "SC034/catgt_SC034_11122019_g0"]
    for found in infer("raw", ["SC033/catgt_SC033_111219_g0"], [*noise, *near, "SC033/catgt_SC033_111219_g0"]):
        assert (found.matches, found.others) == (1, 10)
        assert {miss.folder for miss in found.near_misses[:3]} == set(near)


@given(
    subject=st.from_regex(r"[A-Za-z][A-Za-z0-9]{1,6}", fullmatch=True),
    day=st.dates().filter(lambda day: 1990 <= day.year <= 2068),
    form=st.sampled_from(["%Y%m%d", "%Y-%m-%d", "%Y_%m_%d", "%m%d%Y", "%m%d%y"]),
    around=st.sampled_from(
        ["{subject}/{date}", "{subject}/catgt_{subject}_{date}_g0", "data/{subject}/{date}_{ident}"]
    ),
)
def test_a_template_made_from_an_example_reads_it(subject: str, day: object, form: str, around: str) -> None:
    example = around.format(subject=subject, date=format(day, form), ident="x")
    found = candidates([example])
    assert any(f"{{session:{form}}}" in template.text for template in found)
    for template in found:
        named = parse_template(template.text).read(example)
        assert named is not None
        assert named.subject == subject


def test_a_path_is_known_by_any_name_of_its_share() -> None:
    roots = ("/mnt/N/recordings", "N:/recordings")
    for path in ("/mnt/N/recordings/a/b", "N:\\recordings\\a\\b", "n:/Recordings/a/b/"):
        assert list(below_a_root(path, roots)) == ["a/b"]
    assert list(below_a_root("/mnt/N/recordings2/a", roots)) == []
