"""Where a subdataset may be had from: DataLad's order, and no place on this machine that a stranger names."""

import os
import subprocess
from pathlib import Path

import pytest

from engram.datasets.copying.candidates import Candidate, Recorded, candidates
from engram.datasets.dataset import Surroundings, open_dataset
from engram.datasets.gitmodules import read_gitmodules


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, capture_output=True, check=True)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    folder = tmp_path / "top"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "first")
    return folder


def found(top: Path, remote: str = "", path: str = "sub", **properties: str) -> list[Candidate]:
    if remote:
        git(top, "remote", "add", "origin", remote)
        git(top, "config", "branch.main.remote", "origin")
    lines = "".join(f"\t{name.replace('_', '-')} = {value}\n" for name, value in properties.items())
    modules = read_gitmodules(f'[submodule "{path}"]\n\tpath = {path}\n{lines}'.encode())
    dataset = open_dataset(str(top), Surroundings(environment=dict(os.environ)))
    return candidates(dataset, Recorded(path.encode(), bytes(20), modules[0] if modules else None))


def urls(candidates: list[Candidate]) -> list[str]:
    return [one.url for one in candidates]


def test_a_relative_address_starts_from_that_of_the_superdataset(top: Path) -> None:
    assert found(top, "https://example.org/top", url="./sub") == [
        Candidate(600, "origin", "https://example.org/top/sub"),
    ]


def test_beside_the_recorded_one_stands_the_path_below_the_superdataset(top: Path) -> None:
    assert found(top, "https://example.org/top/.git", path="raw/s 1", url="../other") == [
        Candidate(600, "origin", "https://example.org/other/.git"),
        Candidate(650, "origin", "https://example.org/top/raw/s%201/.git"),
    ]


def test_an_address_of_its_own_is_taken_as_it_is(top: Path) -> None:
    assert urls(found(top, "https://example.org/top", url="https://elsewhere.org/sub")) == [
        "https://elsewhere.org/sub",
        "https://example.org/top/sub",
    ]


def test_the_address_that_datalad_noted_comes_first(top: Path) -> None:
    assert urls(found(top, datalad_url="ria+https://store.org#id", url="https://example.org/sub"))[0].startswith("ria+")


def test_of_ssh_addresses_the_superdatasets_own_scheme_is_tried_too(top: Path) -> None:
    assert urls(found(top, "https://github.com/lab/top", url="git@github.com:lab/sub")) == [
        "git@github.com:lab/sub",
        "https://github.com/lab/sub",
        "https://github.com/lab/top/sub",
    ]


def test_a_superdataset_reached_by_ssh_gives_addresses_of_its_form(top: Path) -> None:
    assert urls(found(top, "lab:data/top", url="../sub")) == ["lab:data/sub", "lab:data/top/sub"]


def test_on_this_machine_paths_are_paths(top: Path) -> None:
    origin = str(top.parent / "origin")
    assert urls(found(top, origin, url="./sub")) == [f"{origin}/sub"]


def test_a_relative_path_stays_one_so_that_both_can_be_moved(top: Path) -> None:
    assert urls(found(top, "../origin/.git", url="./sub")) == ["../origin/sub"]


def test_a_relative_path_to_the_subdataset_itself_is_no_candidate(top: Path) -> None:
    assert urls(found(top, "../top", url="./sub")) == []


def test_without_a_remote_it_lies_beside_the_superdataset(top: Path) -> None:
    assert found(top, url="../other") == [Candidate(900, "local", str(top.parent / "other"))]


def test_its_own_place_is_no_candidate(top: Path) -> None:
    assert found(top, url="./sub") == []


@pytest.mark.parametrize("url", ["/etc", "file:///home/ada/private", "../../../home/ada/private"])
def test_what_came_over_a_network_names_no_place_on_this_machine(top: Path, url: str) -> None:
    assert all(one.url.startswith("https://example.org/") for one in found(top, "https://example.org/top", url=url))


def test_the_users_own_templates_are_filled_in_and_put_in_order(top: Path) -> None:
    for name, template in {
        "100first": "https://store.org/{id}",
        "last": "https://late.org/{path_basename}",
        "300origin": "{remoteurl-origin}/../{path}",
        "200broken": "https://store.org/{unknown}",
        "210python": "https://store.org/{path.__class__}",
    }.items():
        git(top, "config", f"datalad.get.subdataset-source-candidate-{name}", template)
    assert found(top, "https://example.org/top", path="raw/sub", datalad_id="1234") == [
        Candidate(100, "first", "https://store.org/1234"),
        Candidate(300, "origin", "https://example.org/top/../raw/sub"),
        Candidate(650, "origin", "https://example.org/top/raw/sub"),
        Candidate(700, "last", "https://late.org/sub"),
    ]


def test_templates_that_the_dataset_carries_count_after_the_users(top: Path) -> None:
    (top / ".datalad").mkdir()
    section = '[datalad "get"]\n\tsubdataset-source-candidate-'
    (top / ".datalad" / "config").write_text(f"{section}100a = https://a.org/{{id}}\n{section}200b = /etc/{{id}}\n")
    git(top, "config", "datalad.get.subdataset-source-candidate-100a", "https://mine.org/{id}")
    assert urls(found(top, "https://example.org/top", datalad_id="1"))[0] == "https://mine.org/1"
    assert "/etc/1" not in urls(found(top, datalad_id="1"))


def test_what_gitmodules_does_not_know_lies_below_the_superdataset(top: Path) -> None:
    git(top, "remote", "add", "origin", "https://example.org/top")
    git(top, "config", "branch.main.remote", "origin")
    dataset = open_dataset(str(top), Surroundings(environment=dict(os.environ)))
    assert urls(candidates(dataset, Recorded(b"sub", bytes(20), None))) == ["https://example.org/top/sub"]
