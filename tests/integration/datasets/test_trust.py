"""What a dataset brings along runs only after the user allowed exactly that; what the user's own settings name runs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from engram.model.errors import EngramError, NotTrusted, PeerFailed
from engram.testing.places import contents
from tests.conftest import NOT_HERE
from tests.interop.peers import annex, create, engram, git, save, status, told, tree_of, without_complaint, write

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is trusted in one test is not trusted in another."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def _hook(folder: Path, name: str, text: str) -> None:
    hook = folder / ".git/hooks" / name
    hook.write_text(f"#!/bin/sh\n{text}\n")
    hook.chmod(0o755)


def _outside_of_engram(folder: Path) -> dict[bytes, str]:
    return {path: what for path, what in contents(folder).items() if not path.startswith(b".git/engram")}


def _trust(folder: Path) -> list[dict[str, object]]:
    return [outcome.as_json() for outcome in engram(folder).trust(str(folder))]


class TestHooksOfTheDataset:
    def test_until_they_are_trusted_nothing_is_saved(self, dataset: Path) -> None:
        _hook(dataset, "pre-commit", "echo ran >>ran.txt")
        write(dataset, "new", "new")
        before = _outside_of_engram(dataset)
        with pytest.raises(NotTrusted) as refused:
            save(dataset)
        assert refused.value.exit_code == 2
        assert f"engram trust {dataset}" in refused.value.next_step
        assert "pre-commit" in refused.value.what
        assert _outside_of_engram(dataset) == before

    def test_once_they_are_trusted_they_run(self, dataset: Path, tmp_path: Path) -> None:
        log = tmp_path / "log"
        for name in ("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit"):
            _hook(dataset, name, f'echo "{name} $2" >>{log}')
        _hook(dataset, "pre-commit", f"echo pre-commit >>{log}; git annex pre-commit .")
        write(dataset, "new", "new")
        told_of = {record["item"] for record in _trust(dataset)}
        assert {"hook pre-commit", "hook commit-msg", "hook post-commit"} <= told_of
        assert told(save(dataset), dataset)[0][:4] == ("add", "ok", "file", "new")
        assert [line.split()[0] for line in log.read_text().splitlines()] == [
            "pre-commit",
            "prepare-commit-msg",
            "commit-msg",
            "post-commit",
        ]
        without_complaint(dataset)

    def test_a_hook_that_changed_is_refused_again(self, dataset: Path) -> None:
        _hook(dataset, "pre-commit", "exit 0")
        _trust(dataset)
        write(dataset, "new", "new")
        _hook(dataset, "pre-commit", "exit 0 # and more")
        with pytest.raises(NotTrusted):
            save(dataset)
        _trust(dataset)
        save(dataset)

    def test_trust_in_one_dataset_is_no_trust_in_its_copy(self, dataset: Path, tmp_path: Path) -> None:
        _hook(dataset, "pre-commit", "exit 0")
        _trust(dataset)
        shutil.copytree(dataset, tmp_path / "copy", symlinks=True)
        write(tmp_path, "copy/new", "new")
        with pytest.raises(NotTrusted):
            save(tmp_path / "copy")

    def test_a_hook_that_says_no_keeps_what_was_added(self, dataset: Path) -> None:
        _hook(dataset, "pre-commit", "echo 'no commits on Fridays' >&2; exit 1")
        _trust(dataset)
        head = git(dataset, "rev-parse", "HEAD")
        write(dataset, "new", "new")
        with pytest.raises(PeerFailed) as failed:
            save(dataset)
        assert "Fridays" in str(failed.value)
        assert git(dataset, "rev-parse", "HEAD") == head
        assert (dataset / "new").read_text() == "new"
        _hook(dataset, "pre-commit", "exit 0")
        _trust(dataset)
        save(dataset)
        without_complaint(dataset)

    def test_a_hook_may_change_the_message(self, dataset: Path) -> None:
        _hook(dataset, "commit-msg", 'echo "Signed-off-by: somebody" >>"$1"')
        _trust(dataset)
        write(dataset, "new", "new")
        save(dataset, message="mine")
        assert git(dataset, "log", "-1", "--format=%B").split() == ["mine", "Signed-off-by:", "somebody"]

    def test_with_something_else_staged_only_what_was_named_is_committed(self, dataset: Path) -> None:
        _hook(dataset, "pre-commit", "exit 0")
        _trust(dataset)
        write(dataset, "staged", "staged")
        annex(dataset, "add", "-q", "staged")
        write(dataset, "new", "new")
        save(dataset, "new")
        assert git(dataset, "status", "--porcelain") == "A  staged\n"
        assert "new" in tree_of(dataset)

    def test_a_hook_that_nobody_may_run_is_none(self, dataset: Path) -> None:
        (dataset / ".git/hooks/pre-commit").write_text("#!/bin/sh\nexit 1\n")
        (dataset / ".git/hooks/pre-commit").chmod(0o644)
        write(dataset, "new", "new")
        save(dataset)

    def test_git_annexs_own_hooks_need_no_trust(self, dataset: Path) -> None:
        assert [record["status"] for record in _trust(dataset)] == ["notneeded"]
        write(dataset, "new", "new")
        save(dataset)


class TestCommandsInItsConfiguration:
    @pytest.mark.parametrize(
        "name", ["core.fsmonitor", "core.sshCommand", "filter.tidy.clean", "annex.freezecontent-command", "gpg.program"]
    )
    def test_until_they_are_trusted_nothing_is_saved(self, dataset: Path, name: str) -> None:
        git(dataset, "config", name, "/bin/true x")
        write(dataset, "new", "new")
        with pytest.raises(NotTrusted) as refused:
            save(dataset)
        assert name.lower() in refused.value.what.lower()
        assert (dataset / "new").is_file()
        assert not (dataset / "new").is_symlink()

    def test_what_is_only_switched_on_or_off_is_no_command(self, dataset: Path) -> None:
        for name in ("core.fsmonitor", "pager.log"):
            git(dataset, "config", name, "false")
        write(dataset, "new", "new")
        save(dataset)


class TestTheUsersOwnSettings:
    @pytest.fixture
    def settings(self, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        file = tmp_path / "gitconfig"
        file.write_text((own_home / ".gitconfig").read_text())
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(file))
        return file

    def test_hooks_that_they_name_run(self, dataset: Path, settings: Path, tmp_path: Path) -> None:
        hooks = tmp_path / "hooks"
        hooks.mkdir()
        for name in ("pre-commit", "commit-msg", "post-commit"):
            (hooks / name).write_text(f"#!/bin/sh\necho {name} >>{tmp_path}/log\n")
            (hooks / name).chmod(0o755)
        git(dataset, "config", "--global", "core.hooksPath", str(hooks))
        write(dataset, "new", "new")
        save(dataset)
        assert (tmp_path / "log").read_text().split() == ["pre-commit", "commit-msg", "post-commit"]
        without_complaint(dataset)

    def test_a_signature_that_they_ask_for_is_made(
        self, dataset: Path, settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if shutil.which("gpg") is None:
            pytest.skip(f"{NOT_HERE} no gpg")
        home = Path("/tmp") / f"engram-gpg-{os.getpid()}"  # its socket's path must be short
        home.mkdir(mode=0o700)
        monkeypatch.setenv("GNUPGHOME", str(home))
        try:
            words = (
                "--batch",
                "--passphrase",
                "",
                "--quick-generate-key",
                "Ada Tester <ada@example.org>",
                "default",
                "default",
                "1d",
            )
            subprocess.run(["gpg", "--quiet", *words], check=True, capture_output=True)
            git(dataset, "config", "--global", "commit.gpgSign", "true")
            git(dataset, "config", "--global", "user.signingKey", "ada@example.org")
            write(dataset, "new", "new")
            save(dataset, message="signed")
            assert git(dataset, "log", "-1", "--format=%s %G?") in ("signed U\n", "signed G\n")
            assert git(dataset, "log", "-1", "--format=%G?", "git-annex") == "N\n"
            save(dataset, amend=True, message="signed again")
            assert git(dataset, "log", "-1", "--format=%s %G?") in ("signed again U\n", "signed again G\n")
            create(tmp_path / "made")
            assert git(tmp_path / "made", "log", "-1", "--format=%G?") in ("U\n", "G\n")
            without_complaint(dataset)
        finally:
            subprocess.run(["gpgconf", "--kill", "all"], check=False, capture_output=True)
            shutil.rmtree(home, ignore_errors=True)

    def test_a_signature_that_fails_keeps_what_was_added(self, dataset: Path, settings: Path) -> None:
        git(dataset, "config", "--global", "commit.gpgSign", "true")
        git(dataset, "config", "--global", "gpg.program", "/bin/false")
        head = git(dataset, "rev-parse", "HEAD")
        write(dataset, "new", "new")
        with pytest.raises(PeerFailed):
            save(dataset)
        assert git(dataset, "rev-parse", "HEAD") == head
        git(dataset, "config", "--global", "commit.gpgSign", "false")
        save(dataset)
        without_complaint(dataset)

    def test_settings_of_one_call_are_honoured(self, dataset: Path) -> None:
        write(dataset, "new", "new")
        list(engram(dataset, configuration=("user.name=Somebody Else",)).save())
        assert git(dataset, "log", "-1", "--format=%an") == "Somebody Else\n"

    def test_without_an_identity_nothing_is_written(self, dataset: Path, settings: Path) -> None:
        from engram.model.errors import NoIdentity

        settings.write_text("")
        write(dataset, "new", "new")
        with pytest.raises(NoIdentity) as refused:
            save(dataset)
        assert "git config --global user.name" in refused.value.next_step
        assert git(dataset, "status", "--porcelain") == "?? new\n"
        assert not (dataset / "new").is_symlink()


class TestDatasetsOfOthers:
    def test_a_dataset_that_belongs_to_somebody_else_is_left_alone(self, as_root: None, dataset: Path) -> None:
        for place in (dataset, dataset / ".git"):
            os.chown(place, 65534, 65534)
        write(dataset, "new", "new")
        with pytest.raises(EngramError) as refused:
            save(dataset)
        assert refused.value.exit_code == 2
        assert {record["state"] for record in status(dataset) if record["path"].endswith("/new")} == {"untracked"}
