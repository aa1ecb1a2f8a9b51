"""Which addresses datasets are cloned from, what git is given, what the new folder is called."""

from pathlib import Path

import pytest

from engram.datasets.copying.addresses import read_address, without_secrets
from engram.model.errors import UsageError


@pytest.mark.parametrize(
    ("given", "candidates", "name"),
    [
        ("../src", ("/home/src",), "src"),
        ("/data/ds/", ("/data/ds",), "ds"),
        ("/data/ds/.git", ("/data/ds/.git",), "ds"),
        ("/data/ds.git", ("/data/ds.git",), "ds"),
        ("~/ds", ("/home/ada/ds",), "ds"),
        ("file:///data/my%20ds", ("/data/my ds",), "my ds"),
        ("file://localhost/data/ds", ("/data/ds",), "ds"),
        ("ssh://ada@host:22/~/ds.git", ("ssh://ada@host:22/~/ds.git",), "ds"),
        ("host:ds", ("host:ds",), "ds"),
        ("ada@host:data/ds.git/", ("ada@host:data/ds.git/",), "ds"),
        ("https://host/lab/ds", ("https://host/lab/ds", "https://host/lab/ds/.git"), "ds"),
        ("https://host/lab/ds.git", ("https://host/lab/ds.git", "https://host/lab/ds.git/.git"), "ds"),
        ("https://host/ds/.git", ("https://host/ds/.git",), "ds"),
        ("http://host", ("http://host", "http://host/.git"), "host"),
        ("https://host/%2e%2e", ("https://host/%2e%2e", "https://host/%2e%2e/.git"), "host"),
        ("./a:b", ("/home/ada/a:b",), "a:b"),
    ],
)
def test_an_address_is_taken_as_git_and_datalad_take_it(given: str, candidates: tuple[str, ...], name: str) -> None:
    address = read_address(given, "/home/ada", home="/home/ada")
    assert address.candidates == candidates
    assert address.name == name
    assert bool(address.place) == candidates[0].startswith("/")


def test_what_is_there_is_a_path_whatever_it_looks_like(tmp_path: Path) -> None:
    for name in ("host:ds", "https:", "a::b"):
        (tmp_path / name).mkdir()
        assert read_address(name, str(tmp_path)).place == str(tmp_path / name)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "-x",
        "--upload-pack=x",
        "ext::sh",
        "git://host/ds",
        "ria+ssh://host#~ds",
        "rsync://host/ds",
        "///",
        "///ds\n",
    ],
)
def test_other_protocols_and_what_looks_like_an_option_are_refused(given: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_address(given, "/home/ada")
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    "given", ["ssh://-oProxy/ds", "ssh://-x@host/ds", "https://", "-host:ds", "host:", "file:///a%0ab"]
)
def test_a_host_that_is_none_is_refused(given: str) -> None:
    with pytest.raises(UsageError):
        read_address(given, "/home/ada")


def test_only_what_starts_from_the_current_folder_is_relative() -> None:
    given = {"src": True, "../src": True, "/src": False, "~/src": False, "file:///src": False, "host:src": False}
    assert {text: read_address(text, "/w", home="/home/ada").is_relative for text in given} == given


def test_a_refusal_shows_no_secret() -> None:
    with pytest.raises(UsageError) as refused:
        read_address("ftp://ada:secret@host/ds", "/")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://ada:secret@host/ds", "https://host/ds"),
        ("https://token@host/ds", "https://host/ds"),
        ("ssh://ada:secret@host/ds", "ssh://ada@host/ds"),
        ("ada@host:ds", "ada@host:ds"),
        ("/data/ds@home", "/data/ds@home"),
        ("https://host/a@b", "https://host/a@b"),
    ],
)
def test_secrets_are_left_out(address: str, shown: str) -> None:
    assert without_secrets(address) == shown
