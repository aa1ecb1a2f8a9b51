"""Clones over HTTP and SSH (on this machine): git fetches, git-annex asks the source who it is, no secret is shown."""

import functools
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from engram.model.errors import NoSource, SourceUnavailable, UsageError
from engram.workspace.cloning import Copies
from engram.workspace.context import Context
from engram.workspace.datasets import Datasets
from tests.interop.peers import git

pytestmark = pytest.mark.integration

#: Speaks as much of ssh's command line as git and git-annex use, and runs the command here.
_SSH = """#!/bin/sh
while :; do case "$1" in -o|-p|-l|-S) shift 2;; -*) shift;; *) break;; esac; done
echo "$1" >>"$(dirname "$0")/hosts"; shift
while :; do case "$1" in -o|-p|-l|-S) shift 2;; -*) shift;; *) break;; esac; done
exec sh -c "$*"
"""


@pytest.fixture(scope="module")
def source(git_annex: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("network")
    context = Context(folder=str(folder), environment=dict(os.environ))
    list(Datasets(context).create("ds"))
    (folder / "ds" / "one.bin").write_bytes(b"one\0")
    list(Datasets(Context(folder=str(folder / "ds"), environment=dict(os.environ))).save())
    git(folder / "ds", "update-server-info")
    return folder / "ds"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(source: Path) -> Iterator[str]:
    """The address of a plain file server."""
    serving = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(source.parent)))
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    yield f"127.0.0.1:{serving.server_port}"
    serving.shutdown()
    thread.join()
    serving.server_close()


def clone(
    folder: Path, source: str, *, environment: dict[str, str] | None = None, **options: Any
) -> list[dict[str, Any]]:
    context = Context(folder=str(folder), environment={**os.environ, **(environment or {})})
    return [outcome.as_json() for outcome in Copies(context).clone(source, "clone", **options)]


def test_http_is_tried_with_and_without_git_and_no_secret_is_shown(source: Path, server: str, tmp_path: Path) -> None:
    records = clone(tmp_path, f"http://ada:secret@{server}/ds")
    assert git(tmp_path / "clone", "rev-parse", "HEAD") == git(source, "rev-parse", "HEAD")
    assert git(tmp_path / "clone", "config", "remote.origin.url") == f"http://ada:secret@{server}/ds/.git\n"
    assert records[0]["source"]["giturl"] == f"http://{server}/ds/.git"
    assert "secret" not in str(records)
    assert git(tmp_path / "clone", "config", "annex.uuid")
    assert git(tmp_path / "clone", "status", "--porcelain") == ""


def test_a_secret_is_not_recorded_in_the_superdataset(server: str, tmp_path: Path) -> None:
    list(Datasets(Context(folder=str(tmp_path), environment=dict(os.environ))).create("super"))
    clone(tmp_path / "super", f"http://ada:secret@{server}/ds", dataset=".")
    recorded = (tmp_path / "super/.gitmodules").read_text() + (tmp_path / "super/.git/config").read_text()
    assert f"http://{server}/ds" in recorded
    assert "secret" not in recorded


def test_a_page_that_is_no_repository_is_told_in_one_line(server: str, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable) as refused:
        clone(tmp_path, f"http://ada:secret@{server}/nothing")
    assert "not found" in refused.value.what
    assert "secret" not in str(refused.value)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("spelled", ["ssh://ada@lab.example{}", "ada@lab.example:{}", "lab.example:{}"])
def test_ssh_is_gits_own(source: Path, tmp_path: Path, spelled: str) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/ssh").write_text(_SSH)
    (tmp_path / "bin/ssh").chmod(0o755)
    address = spelled.format(source)
    clone(tmp_path, address, environment={"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"})
    assert "lab.example" in (tmp_path / "bin/hosts").read_text()
    assert git(tmp_path / "clone", "config", "remote.origin.url") == f"{address}\n"
    assert git(tmp_path / "clone", "rev-parse", "HEAD") == git(source, "rev-parse", "HEAD")
    assert git(tmp_path / "clone", "config", "annex.uuid")


def test_the_users_own_ssh_command_is_used(source: Path, tmp_path: Path) -> None:
    other = tmp_path / "my-ssh"
    other.write_text(_SSH)
    other.chmod(0o755)
    (tmp_path / "gitconfig").write_text(f"[user]\n\tname=Ada\n\temail=a@b.c\n[core]\n\tsshCommand = {other}\n")
    clone(tmp_path, f"lab.example:{source}", environment={"GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig")})
    assert "lab.example" in (tmp_path / "hosts").read_text()


def test_a_host_that_does_not_let_in_is_told_in_its_own_words(source: Path, tmp_path: Path) -> None:
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text("#!/bin/sh\necho 'ada@lab.example: Permission denied (publickey).' >&2\nexit 255\n")
    ssh.chmod(0o755)
    with pytest.raises(SourceUnavailable) as refused:
        clone(tmp_path, "ada@lab.example:ds", environment={"PATH": f"{ssh.parent}:{os.environ['PATH']}"})
    assert "Permission denied (publickey)" in refused.value.what
    assert not (tmp_path / "clone").exists()


def test_a_shallow_clone_of_a_path_is_shallow_and_says_what_it_lacks(source: Path, tmp_path: Path) -> None:
    (record,) = clone(tmp_path, str(source), git_options=["--depth", "1"])
    assert git(tmp_path / "clone", "rev-list", "--count", "HEAD") == "1\n"
    assert "only one branch was cloned" in record["note"]
    subprocess.run(["rm", "-rf", str(tmp_path / "clone")], check=True)
    clone(tmp_path, str(source), git_options=["--depth", "1", "--no-single-branch"])
    assert git(tmp_path / "clone", "rev-list", "--count", "HEAD") == "1\n"
    assert git(tmp_path / "clone", "config", "annex.uuid")
    git(tmp_path / "clone", "annex", "get", ".")
    assert (tmp_path / "clone/one.bin").read_bytes() == b"one\0"


@pytest.mark.parametrize("option", ["--bare", "--mirror", "--recurse-submodules", "--separate-git-dir=x", "--no-such"])
def test_options_that_make_no_dataset_are_refused(source: Path, tmp_path: Path, option: str) -> None:
    with pytest.raises(UsageError):
        clone(tmp_path, str(source), git_options=[option])
    assert os.listdir(tmp_path) == []


def test_a_partial_clone_is_no_source(source: Path, tmp_path: Path) -> None:
    git(source, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--filter=blob:none", f"file://{source}", "partial")
    with pytest.raises(NoSource) as refused:
        clone(tmp_path, "partial")
    assert "clone what it came from" in refused.value.what
