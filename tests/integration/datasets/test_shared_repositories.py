"""A repository that a group shares: what one user saved, another one saves on."""

import os
import stat
from pathlib import Path

import pytest

from engram.durable import Steps
from engram.testing.faults import in_child
from engram.testing.places import scratch
from tests.interop.peers import create, git, notes, save, told, write

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("git_annex")]

_GROUP, _ADA, _BO = 43000, 43001, 43002


def _as_user(user: int, act: object) -> None:
    """Run something as a user of the group, who would not by himself let it write to what he makes."""

    def do(_: object, steps: Steps) -> int:
        os.setgroups([])
        os.setgid(_GROUP)
        os.setuid(user)
        os.umask(0o022)
        assert callable(act)
        act()
        return 0

    ending = in_child(do, None)
    assert ending.exit_code == 0, ending.what + ending.bug


@pytest.mark.root
@pytest.mark.usefixtures("as_root")
def test_two_users_save_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    with scratch() as folder:
        os.chown(folder, _ADA, _GROUP)
        folder.chmod(0o2775)
        (folder / "gitconfig").write_text("[user]\n\tname = A\n\temail = a@example.org\n[safe]\n\tdirectory = *\n")
        (folder / "gitconfig").chmod(0o644)
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(folder / "gitconfig"))
        for name in ("HOME", "TMPDIR", "XDG_STATE_HOME"):
            monkeypatch.setenv(name, str(folder))
        dataset = folder / "ds"
        create(folder / "warm-up")  # all modules are loaded before the children change who they are
        write(folder, "warm-up/x", "x")
        git(folder / "warm-up", "config", "core.sharedRepository", "group")
        save(folder / "warm-up")

        def make() -> None:
            create(dataset, init_options=["--shared=group"])
            dataset.chmod(0o2775)

        def save_one(name: str) -> None:
            write(dataset, name, name)
            records = save(dataset)
            assert told(records, dataset)[0] == ("add", "ok", "file", name, records[0]["key"])
            assert notes(records) == {"handed to git-annex: core.sharedrepository is 1"}

        _as_user(_ADA, make)
        _as_user(_ADA, lambda: save_one("one"))
        _as_user(_BO, lambda: save_one("two"))
        _as_user(_ADA, lambda: save_one("three"))
        assert git(dataset, "fsck", "--strict") == ""
        folders = [path for path in (dataset / ".git").rglob("*") if path.is_dir() and "annex" not in path.parts]
        assert [path for path in folders if not stat.S_IMODE(path.stat().st_mode) & stat.S_IWGRP] == []


def test_what_is_made_where_git_alone_knows_the_ground_is_a_dataset(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "ds")
    write(tmp_path, "ds/code.py", "print()\n")
    write(tmp_path, "ds/staged.py", "print()\n")
    git(tmp_path / "ds", "add", "code.py")
    git(tmp_path / "ds", "commit", "-qm", "code")
    git(tmp_path / "ds", "add", "staged.py")
    git(tmp_path / "ds", "update-index", "--split-index")
    create(tmp_path / "ds", force=True)
    assert git(tmp_path / "ds", "log", "--format=%s") == "[DATALAD] new dataset\ncode\n"
    assert git(tmp_path / "ds", "status", "--porcelain") == "A  staged.py\n"
    assert {record["status"] for record in create(tmp_path / "ds", force=True)} == {"ok"}
    assert git(tmp_path / "ds", "rev-list", "--count", "HEAD") == "2\n"
