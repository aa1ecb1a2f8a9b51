"""Programs that are started: in which environment, with which settings."""

import os
from pathlib import Path

import pytest

from engram.datasets.programs import Programs, find_git_annex
from engram.durable import AnyPath, Steps
from engram.model.errors import DatasetBusy, ExtraMissing, PeerFailed, StorageFailed


def programs(**environment: str) -> Programs:
    return Programs(environment={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **environment})


@pytest.mark.parametrize(
    "name",
    "GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE GIT_OBJECT_DIRECTORY GIT_EXTERNAL_DIFF GIT_SSH_COMMAND GIT_PAGER LD_PRELOAD"
    " GIT_EXEC_PATH GIT_TEMPLATE_DIR BASH_ENV PYTHONPATH".split(),
)
def test_what_would_change_what_is_done_or_where_is_not_handed_on(tmp_path: Path, name: str) -> None:
    one = programs(**{name: str(tmp_path / "elsewhere")})
    one.git(tmp_path.as_posix(), "init", "-q")
    assert one.git(tmp_path.as_posix(), "rev-parse", "--git-dir").strip() == b".git"
    assert name not in one._environment()


def test_who_commits_and_where_the_user_keeps_his_settings_is_handed_on() -> None:
    given = {"GIT_AUTHOR_NAME": "A", "GIT_COMMITTER_DATE": "1 +0000", "XDG_CONFIG_HOME": "/x", "LC_TIME": "C"}
    assert programs(**given)._environment().items() >= given.items()


def test_nothing_that_a_repository_names_is_run(tmp_path: Path) -> None:
    one = programs()
    top = str(tmp_path)
    one.git(top, "init", "-q")
    evil = tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\ntouch {tmp_path}/harm\n")
    evil.chmod(0o755)
    for name in ("core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "core.askPass"):
        one.git(top, "config", name, str(evil))
    (tmp_path / ".git" / "hooks").mkdir(exist_ok=True)
    for hook in ("post-index-change", "pre-commit", "reference-transaction", "post-commit"):
        os.link(evil, tmp_path / ".git" / "hooks" / hook)
    one.git(top, "add", "evil")
    one.git(top, "-c", "user.name=A", "-c", "user.email=a@x", "commit", "-q", "-m", "one")
    one.git(top, "status")
    assert not (tmp_path / "harm").exists()


def test_paths_are_never_patterns_or_options(tmp_path: Path) -> None:
    one = programs()
    one.git(str(tmp_path), "init", "-q")
    for name in ("*", ":(top)", "other"):
        (tmp_path / name).touch()
    one.git(str(tmp_path), "add", "--", "*", ":(top)")
    assert one.git(str(tmp_path), "ls-files").split() == [b"*", b":(top)"]


def test_a_failure_says_what_failed_and_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(PeerFailed) as failed:
        programs().git(str(tmp_path), "rev-parse", "HEAD")
    assert "rev-parse" in failed.value.what
    status, out, said = programs().git_status_of(str(tmp_path), "rev-parse", "HEAD")
    assert (status, out) == (128, b"")
    assert "not a git repository" in said


def test_every_start_is_a_step(tmp_path: Path) -> None:
    taken: list[tuple[str, AnyPath]] = []

    class Noting(Steps):
        def take(self, kind: str, path: AnyPath) -> None:
            taken.append((kind, path))

    Programs(environment={"PATH": os.environ["PATH"]}, steps=Noting()).git(str(tmp_path), "version")
    assert [kind for kind, _ in taken] == ["run"]


def test_a_missing_git_names_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(ExtraMissing):
        Programs(environment={"PATH": str(tmp_path)}).git(str(tmp_path), "version")


def test_only_an_executable_file_is_a_git_annex(tmp_path: Path) -> None:
    (tmp_path / "folder" / "git-annex").mkdir(parents=True)
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "git-annex").touch()
    found = find_git_annex({"PATH": f"{tmp_path}/folder:{tmp_path}/plain:"})
    assert found is None or not found.program.startswith(str(tmp_path))


def test_the_first_git_annex_on_the_path_is_taken(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "git-annex").write_bytes(b"\x7fELF")
        (tmp_path / name / "git-annex").chmod(0o755)
    found = find_git_annex({"PATH": f"{tmp_path}/one:{tmp_path}/two"})
    assert found is not None
    assert found.program == f"{tmp_path}/one/git-annex"


def test_a_batch_is_answered_while_it_is_asked(tmp_path: Path, git_annex: Path) -> None:
    one = programs()
    one.git(str(tmp_path), "init", "-q")
    one.git_annex(str(tmp_path), "init")
    names = [b"n%d" % number for number in range(3_000)]
    with one.annex_batch(
        str(tmp_path), "examinekey", "--batch", "--json", requests=b"MD5-s1--x\n" * len(names)
    ) as batch:
        assert sum(1 for _ in batch.lines()) == len(names)
    assert (batch.status, batch.said) == (0, "")


def test_a_batch_that_is_left_early_ends(tmp_path: Path, git_annex: Path) -> None:
    one = programs()
    one.git(str(tmp_path), "init", "-q")
    one.git_annex(str(tmp_path), "init")
    with one.annex_batch(str(tmp_path), "examinekey", "--batch", requests=b"MD5-s1--x\n" * 20_000) as batch:
        next(batch.lines())
    assert batch.status is not None


def test_what_a_batch_complains_about_is_kept(tmp_path: Path, git_annex: Path) -> None:
    one = programs()
    with one.annex_batch(str(tmp_path), "examinekey", "--batch", requests=b"") as batch:
        assert list(batch.lines()) == []
    assert batch.status
    assert "git" in batch.said


def test_what_git_annex_says_is_told_before_what_git_says_of_its_end(tmp_path: Path) -> None:
    said = "!echo 'git-annex: too new' >&2; echo 'fatal: it hung up' >&2; exit 3"
    with pytest.raises(PeerFailed) as failed:
        programs().git(str(tmp_path), "-c", f"alias.annexed={said}", "annexed")
    assert failed.value.said == "git-annex: too new"


def test_a_lock_that_git_could_not_take_is_named(tmp_path: Path) -> None:
    one = programs()
    one.git(str(tmp_path), "init", "-q")
    (tmp_path / ".git" / "index.lock").touch()
    (tmp_path / "file").touch()
    with pytest.raises(DatasetBusy) as busy:
        one.git(str(tmp_path), "add", "file")
    assert busy.value.lock == str(tmp_path / ".git" / "index.lock")


def test_a_full_disk_is_told_as_that_of_the_disk(tmp_path: Path) -> None:
    said = "!echo 'error: copy-fd: No space left on device' >&2; echo 'fatal: cannot copy' >&2; exit 128"
    with pytest.raises(StorageFailed) as failed:
        programs().git(str(tmp_path), "-c", f"alias.copied={said}", "copied")
    assert failed.value.what == f"{tmp_path} could not be written: No space left on device."
    assert "See to room" in failed.value.next_step


def test_a_reason_comes_before_what_git_annex_tells_its_programmers(tmp_path: Path) -> None:
    lines = ("git-annex: /x: does not exist", "HasCallStack backtrace:", "  throwM, called at Messages.hs:387:17")
    said = "!printf '%s\\n' " + " ".join(f"'{line}'" for line in lines) + " >&2; exit 3"
    _, _, told = programs().git_status_of(str(tmp_path), "-c", f"alias.annexed={said}", "annexed")
    assert told == lines[0]
