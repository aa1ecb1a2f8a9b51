"""Siblings as git's configuration has them; those on this machine are opened, and no other in their place."""

import os
import subprocess
from pathlib import Path

import pytest

from engram.datasets.annex.hashdirs import object_path, object_path_lower
from engram.datasets.dataset import Surroundings, open_dataset
from engram.datasets.siblings import Sibling, SiblingGone, by_cost, local_place, open_sibling, siblings_of

KEY = b"MD5E-s3--5f0be34bb091840ea8975755ab076740"


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, capture_output=True, check=True)


def repository(folder: Path, *options: str, uuid: str = "u1") -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "-q", *options)
    git(folder, "config", "annex.uuid", uuid)
    git(folder, "config", "annex.version", "10")
    return folder


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    return repository(tmp_path / "clone", uuid="here")


def siblings(clone: Path) -> tuple[Sibling, ...]:
    return siblings_of(open_dataset(str(clone), Surroundings(environment=dict(os.environ))))


def remote(clone: Path, name: str, url: str, **values: str) -> Sibling:
    git(clone, "config", f"remote.{name}.url", url)
    for variable, value in values.items():
        git(clone, "config", f"remote.{name}.{variable.replace('_', '-')}", value)
    return next(one for one in siblings(clone) if one.name == name)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("/data/set", "/data/set"),
        ("../set", "/home/set"),
        ("set/", "/home/clone/set"),
        ("./a:b", "/home/clone/a:b"),
        ("file:///data/my%20set", "/data/my set"),
        ("file://elsewhere/data", ""),
        ("host:set", ""),
        ("ada@host:set", ""),
        ("ssh://host/set", ""),
        ("https://host/set", ""),
        ("ext::sh -c touch% canary", ""),
        ("annex::0137e8dc?type=directory", ""),
        ("ria+file:///store#id", ""),
        ("a\0b", ""),
        ("", ""),
    ],
)
def test_a_url_names_a_place_on_this_machine_or_none(url: str, place: str) -> None:
    assert local_place(url, "/home/clone") == place


def test_what_the_configuration_says_is_read(clone: Path) -> None:
    one = remote(clone, "origin", "../set", annex_uuid="u1", annex_ignore="true", annex_cost="50.5")
    assert one == Sibling(
        name="origin",
        url="../set",
        place=str(clone.parent / "set"),
        uuid="u1",
        ignored=True,
        cost_rank=5050,
    )


def test_the_cheapest_comes_first_and_equal_ones_stay_in_order(clone: Path) -> None:
    remote(clone, "far", "https://example.org/set")
    remote(clone, "near", "../set")
    remote(clone, "nearer", "../set2", annex_cost="10")
    remote(clone, "too", "../set3")
    assert [one.name for one in by_cost(siblings(clone))] == ["nearer", "near", "too", "far"]


def test_a_name_may_hold_dots(clone: Path) -> None:
    assert remote(clone, "my.lab", "/data/set").place == "/data/set"


def test_a_special_remote_has_no_place(clone: Path) -> None:
    git(clone, "config", "remote.store.annex-directory", "/data/store")
    (one,) = siblings(clone)
    assert (one.name, one.url, one.place) == ("store", "", "")


def test_what_the_user_replaces_in_urls_is_replaced(clone: Path) -> None:
    git(clone, "config", "url./data/.insteadOf", "lab:")
    assert remote(clone, "origin", "lab:set").place == "/data/set"


def test_where_only_git_annex_knows_the_way_it_is_said(clone: Path) -> None:
    one = remote(clone, "origin", "../set", annex_start_command="mount /data")
    assert one.reason == "remote.origin.annex-start-command is set"
    assert remote(clone, "odd", "../set", annex_cost="much").reason == "remote.odd.annex-cost is 'much'"


class TestOpening:
    @pytest.mark.parametrize("named", ["set", "set/.git"])
    def test_a_work_tree_is_opened_by_either_name(self, clone: Path, named: str) -> None:
        place = repository(clone.parent / "set")
        opened = open_sibling(remote(clone, "origin", f"../{named}", annex_uuid="u1"))
        assert opened.git_dir == os.fsencode(place / ".git")
        assert (opened.bare, opened.version, opened.pidlock) == (False, 10, False)

    @pytest.mark.parametrize("named", ["set", "set.git"])
    def test_a_bare_one_is_opened_with_and_without_its_ending(self, clone: Path, named: str) -> None:
        place = repository(clone.parent / "set.git", "--bare")
        opened = open_sibling(remote(clone, "origin", f"../{named}", annex_uuid="u1"))
        assert (opened.git_dir, opened.bare) == (os.fsencode(place), True)

    def test_a_subdataset_whose_git_folder_was_absorbed_is_opened(self, clone: Path) -> None:
        place = repository(clone.parent / "top" / ".git" / "modules" / "sub")
        inner = clone.parent / "top" / "sub"
        inner.mkdir()
        (inner / ".git").write_text("gitdir: ../.git/modules/sub/.git\n")
        opened = open_sibling(remote(clone, "origin", "../top/sub", annex_uuid="u1"))
        assert opened.git_dir == os.fsencode(place / ".git")

    def test_another_repository_in_its_place_is_not_taken_for_it(self, clone: Path) -> None:
        repository(clone.parent / "set", uuid="somebody else")
        with pytest.raises(SiblingGone, match="another repository"):
            open_sibling(remote(clone, "origin", "../set", annex_uuid="u1"))

    def test_one_that_nobody_asked_for_its_name_yet_is_opened(self, clone: Path) -> None:
        repository(clone.parent / "set")
        assert open_sibling(remote(clone, "origin", "../set")).uuid == "u1"

    def test_a_repository_further_up_is_not_taken_for_it(self, clone: Path) -> None:
        (repository(clone.parent / "set") / "folder").mkdir()
        with pytest.raises(SiblingGone, match="is not there"):
            open_sibling(remote(clone, "origin", "../set/folder", annex_uuid="u1"))

    @pytest.mark.parametrize("url", ["../nowhere", "https://example.org/set"])
    def test_what_is_not_there_is_gone(self, clone: Path, url: str) -> None:
        with pytest.raises(SiblingGone, match="is not there"):
            open_sibling(remote(clone, "origin", url, annex_uuid="u1"))

    def test_one_without_an_annex_is_gone(self, clone: Path) -> None:
        git(repository(clone.parent / "set"), "config", "--unset", "annex.uuid")
        with pytest.raises(SiblingGone, match="has no annex"):
            open_sibling(remote(clone, "origin", "../set"))

    def test_a_damaged_one_is_gone(self, clone: Path) -> None:
        (repository(clone.parent / "set") / ".git" / "config").write_text("[annex\nuuid")
        with pytest.raises(SiblingGone, match="cannot be read"):
            open_sibling(remote(clone, "origin", "../set", annex_uuid="u1"))

    @pytest.mark.parametrize("layout", [object_path, object_path_lower])
    @pytest.mark.parametrize("kind", [(), ("--bare",)])
    def test_content_is_looked_for_in_either_layout(self, clone: Path, layout: object, kind: tuple[str, ...]) -> None:
        repository(clone.parent / "set", *kind)
        opened = open_sibling(remote(clone, "origin", "../set", annex_uuid="u1"))
        place = Path(os.fsdecode(opened.git_dir)) / os.fsdecode(layout(KEY))  # type: ignore[operator]  # one of two functions
        place.parent.mkdir(parents=True)
        place.write_bytes(b"c1\n")
        assert os.fsencode(place) in (opened.place_of(KEY), opened.other_place_of(KEY))
