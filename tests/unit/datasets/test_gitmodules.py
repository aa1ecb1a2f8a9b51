"""``.gitmodules``: what is written is what git reads."""

import os
import subprocess
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engram.datasets.gitmodules import (
    is_safe_path,
    names,
    read_gitmodules,
    relative_url,
    with_active_subdataset,
    with_property,
    with_subdataset,
    without_secrets,
)
from engram.model.errors import UnsupportedFile

NAME = st.binary(min_size=1, max_size=12).filter(
    lambda name: not name.startswith((b"-", b"/")) and all(byte >= 32 and byte != 127 for byte in name)
)
#: Whatever a subdataset's own files may say.
FOREIGN = st.binary(max_size=20).map(lambda text: text.replace(b"\0", b"").replace(b"\r", b""))


def read_by_git(text: bytes) -> list[tuple[bytes, bytes]]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(text)
        file.flush()
        said = subprocess.run(["git", "config", "-f", file.name, "-l", "-z"], capture_output=True, check=True).stdout
    pairs = [line.split(b"\n", 1) for line in said.split(b"\0") if line]
    return [(pair[0], pair[1]) for pair in pairs]


@settings(max_examples=80, deadline=None)
@given(NAME, FOREIGN, FOREIGN)
def test_git_reads_what_was_written_and_nothing_else(path: bytes, url: bytes, dataset_id: bytes) -> None:
    text = with_subdataset(b"", path, url=url, dataset_id=dataset_id)
    section = b"submodule." + path
    expected = [(section + b".path", path), (section + b".url", url)]
    expected += [(section + b".datalad-id", dataset_id)] if dataset_id else []
    assert read_by_git(text) == expected


@settings(max_examples=25, deadline=None)
@given(st.lists(NAME, unique=True, max_size=4))
def test_one_more_leaves_the_others_as_they_are(paths: list[bytes]) -> None:
    text = b"[core]\n\tbare = false"
    for path in paths:
        assert not names(text, path)
        text = with_active_subdataset(text, path, url=relative_url(path))
    assert all(names(text, path) for path in paths)
    found = read_by_git(text)
    assert found[0] == (b"core.bare", b"false")
    assert [value for name, value in found if name.endswith(b".url")] == [b"./" + path for path in paths]


@pytest.mark.parametrize("path", [b"a\nb", b"tab\there", b"-option", b"\x7f"])
def test_a_path_that_could_be_read_as_something_else_is_refused(path: bytes) -> None:
    with pytest.raises(UnsupportedFile):
        with_subdataset(b"", path, url=b"./x", dataset_id=b"")


def test_an_id_cannot_smuggle_settings_in() -> None:
    text = with_subdataset(b"", b"sub", url=b"./sub", dataset_id=b"abc\n\turl = ext::harm\n[core]\n\tpager = harm")
    assert [name for name, _ in read_by_git(text)] == [
        b"submodule.sub.path",
        b"submodule.sub.url",
        b"submodule.sub.datalad-id",
    ]


def test_names_that_are_not_text_are_kept() -> None:
    assert read_by_git(with_subdataset(b"", b"\xff\xfe", url=b"./\xff\xfe", dataset_id=b""))[0][1] == b"\xff\xfe"
    assert os.fsdecode(relative_url(b"\xff")) == "./\udcff"


@pytest.mark.parametrize(
    ("url", "published"),
    [
        (b"https://ada:secret@example.org/x.git", b"https://example.org/x.git"),
        (b"https://token@example.org/x.git", b"https://example.org/x.git"),
        (b"HTTPS://ada:s@cr:t@example.org:8080", b"HTTPS://example.org:8080"),
        (b"datalad-annex::https://a:b@example.org?type=webdav", b"datalad-annex::https://example.org?type=webdav"),
        (b"ria+https://a:b@example.org#~alias", b"ria+https://example.org#~alias"),
        (b"ssh://git:secret@example.org/x", b"ssh://git@example.org/x"),
        (b"ria+ssh://ada@example.org/store#id", b"ria+ssh://ada@example.org/store#id"),
        (b"git@example.org:x/y.git", b"git@example.org:x/y.git"),
        (b"https://example.org/a@b:c@d", b"https://example.org/a@b:c@d"),
        (b"https://[::1]:80/x", b"https://[::1]:80/x"),
        (b"/data/a@b", b"/data/a@b"),
        (b"", b""),
    ],
)
def test_secrets_are_not_published(url: bytes, published: bytes) -> None:
    assert without_secrets(url) == published
    assert without_secrets(published) == published


VARIABLE = st.sampled_from(["url", "datalad-url", "datalad-recursiveinstall", "x"])


@settings(max_examples=60, deadline=None)
@given(st.lists(NAME, unique=True, min_size=1, max_size=3), st.data(), VARIABLE, st.text('aé"\\ ;#', max_size=6))
def test_a_property_that_is_set_is_what_git_reads_and_nothing_else_changes(
    paths: list[bytes], data: st.DataObject, variable: str, value: str
) -> None:
    text = b""
    for path in paths:
        text = with_subdataset(text, path, url=b"./" + path, dataset_id=b"")
    chosen = data.draw(st.sampled_from(paths))
    before, setting = dict(read_by_git(text)), b"submodule." + chosen + b"." + variable.encode()
    new = with_property(text, os.fsdecode(chosen), variable, value)
    assert dict(read_by_git(new)) == {**before, setting: value.encode()}
    without = with_property(new, os.fsdecode(chosen), variable, None)
    assert dict(read_by_git(without)) == {name: kept for name, kept in before.items() if name != setting}


@settings(max_examples=60, deadline=None)
@given(st.lists(NAME, unique=True, max_size=4))
def test_every_harmless_subdataset_that_was_written_is_read_again(paths: list[bytes]) -> None:
    text = b""
    for path in paths:
        text = with_subdataset(text, path, url=b"./x", dataset_id=b"id")
    harmless = [path for path in paths if is_safe_path(path)]
    assert [(one.path, one.url) for one in read_gitmodules(text)] == [(path, "./x") for path in harmless]


@pytest.mark.parametrize(
    "section",
    [
        b'[submodule "../../x"]\n\tpath = x\n',
        b'[submodule "x"]\n\tpath = ../x\n',
        b'[submodule "x"]\n\tpath = /etc\n',
        b'[submodule "x"]\n\tpath = .git/hooks\n',
        b'[submodule "x"]\n\tpath = a/.Git /hooks\n',
        b'[submodule "x"]\n\tpath = a/git~1\n',
        b'[submodule "x"]\n\tpath = -u./payload\n',
        b'[submodule "x"]\n\tpath = "a\\nb"\n',
        b'[submodule "x"]\n\tpath = a//b\n',
        b'[submodule "x"]\n\tpath\n',
        b'[submodule "x"]\n\turl = ./x\n',
        b"[submodule]\n\tpath = x\n",
        b'[other "x"]\n\tpath = x\n',
    ],
)
def test_what_tries_tricks_names_no_subdataset(section: bytes) -> None:
    good = b'[submodule "good"]\n\tpath = good\n\turl = ./good\n'
    assert [one.path for one in read_gitmodules(section + good)] == [b"good"]


def test_of_two_sections_for_one_path_the_first_holds() -> None:
    text = b'[submodule "a"]\n\tpath = x\n\turl = ./a\n[submodule "b"]\n\tpath = x\n\turl = ./b\n'
    assert [one.url for one in read_gitmodules(text)] == ["./a"]
