"""`status` needs git's files alone: no git-annex, no filter, no process at all."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import engram as engram_package
from engram.testing.canary import Canary
from tests.conftest import NOT_HERE
from tests.interop.peers import annex, create, engram, git, save, status, write

pytestmark = pytest.mark.integration

SOURCE = str(Path(engram_package.__file__ or "").parents[1])

#: Asks for a status in a process of its own, in which starting any program, or loading the wheel, is an error.
_ASK = """
import os, sys

def forbid(event, arguments):
    if event in ("subprocess.Popen", "os.posix_spawn", "os.fork", "os.forkpty", "os.exec", "os.system", "pty.spawn"):
        raise SystemExit(f"started {event} {arguments}")

sys.addaudithook(forbid)
from engram.workspace.context import Context
from engram.workspace.datasets import Datasets

for mode in (None, "basic", "availability"):
    for recursive in (False, True):
        for outcome in Datasets(Context(folder=sys.argv[1], environment=dict(os.environ))).status(
            annex=mode, recursive=recursive
        ):
            if mode is None and not recursive and outcome.state != "clean":
                print(outcome.status, outcome.state, outcome.item, sep="|")
assert not [name for name in sys.modules if name.startswith(("git_annex", "subprocess"))], "loaded too much"
"""


def _asked(folder: Path, tmp_path: Path) -> set[str]:
    """What changed, told by a process without git-annex, without the wheel, and without git's own programs."""
    nothing = tmp_path / "empty-path"
    nothing.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {SOURCE!r})\n{_ASK}", str(folder)],
        env={"HOME": os.environ["HOME"], "PATH": str(nothing), "LC_ALL": "C.UTF-8", "GIT_CONFIG_NOSYSTEM": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return set(done.stdout.splitlines())


@pytest.fixture
def unlocked(dataset: Path) -> Path:
    """A dataset with unlocked files beside the locked ones, and text in git."""
    for name in ("u-clean", "u-touched", "u-modified", "u-same-size", "u-dropped"):
        write(dataset, name, name)
    write(dataset, "text-touched.txt", "text")
    write(dataset, "text-modified.txt", "text")
    save(dataset, "text-touched.txt", "text-modified.txt", to_git=True)
    save(dataset)
    annex(dataset, "unlock", "u-clean", "u-touched", "u-modified", "u-same-size", "u-dropped")
    git(dataset, "commit", "-qm", "unlocked")
    annex(dataset, "drop", "--force", "-q", "u-dropped")
    return dataset


class TestWithoutAnyProgram:
    def test_a_clean_dataset_is_clean(self, unlocked: Path, tmp_path: Path) -> None:
        assert _asked(unlocked, tmp_path) == set()

    def test_touched_and_changed_files_are_told_apart(self, unlocked: Path, tmp_path: Path) -> None:
        for name in ("u-clean", "u-touched", "text-touched.txt", "in-git.txt", "u-dropped"):
            os.utime(unlocked / name, (1_500_000_000, 1_500_000_000))
        write(unlocked, "u-modified", "changed")
        write(unlocked, "u-same-size", "U-SAME-SIZE")
        write(unlocked, "text-modified.txt", "TEXT")
        write(unlocked, "new", "new")
        assert _asked(unlocked, tmp_path) == {
            "ok|modified|u-modified",
            "ok|modified|u-same-size",
            "ok|modified|text-modified.txt",
            "ok|untracked|new",
        }

    def test_a_subdataset_and_its_changes_are_told(self, dataset: Path, tmp_path: Path) -> None:
        list(engram(dataset).create("sub", dataset="."))
        assert _asked(dataset, tmp_path) == set()
        write(dataset, "sub/x", "x")
        assert _asked(dataset, tmp_path) == {"ok|modified|sub"}

    def test_packed_and_deltified_datasets_are_read(self, unlocked: Path, tmp_path: Path) -> None:
        for number in range(20):
            write(unlocked, "growing.txt", "line\n" * 500 + f"{number}\n")
            save(unlocked, to_git=True)
        git(unlocked, "gc", "-q", "--aggressive")
        assert _asked(unlocked, tmp_path) == set()

    def test_an_unlocked_file_of_a_key_that_only_git_annex_can_check_is_impossible(
        self, dataset: Path, tmp_path: Path
    ) -> None:
        write(dataset, "worm", "worm")
        git(dataset, "annex", "add", "-q", "--backend=WORM", "worm")
        git(dataset, "commit", "-qm", "worm")
        annex(dataset, "unlock", "worm")
        git(dataset, "commit", "-qm", "unlocked")
        assert _asked(dataset, tmp_path) == set()
        os.utime(dataset / "worm", (1_500_000_000, 1_500_000_000))
        assert _asked(dataset, tmp_path) == {"impossible||worm"}

    def test_a_file_that_a_filter_of_the_datasets_own_rules_over_is_impossible(
        self, dataset: Path, tmp_path: Path
    ) -> None:
        write(dataset, "t.up", "quiet")
        save(dataset, to_git=True)
        canary = Canary(tmp_path / "cage")
        git(dataset, "config", "filter.upper.clean", str(canary.program(tmp_path / "upper")))
        with (dataset / ".git/info/attributes").open("a") as attributes:
            attributes.write("*.up filter=upper\n")
        write(dataset, "t.up", "other")
        assert _asked(dataset, tmp_path) == {"impossible||t.up"}
        (record,) = [record for record in status(dataset) if record["status"] == "impossible"]
        assert record["message"]
        assert record["remedy"]
        assert canary.lives()

    def test_line_ends_that_git_converts_are_no_change(self, dataset: Path, tmp_path: Path) -> None:
        with (dataset / ".gitattributes").open("a") as attributes:
            attributes.write("*.csv text eol=crlf annex.largefiles=nothing\n")
        save(dataset, ".gitattributes")
        write(dataset, "t.csv", "a\r\nb\r\n")
        save(dataset)
        os.utime(dataset / "t.csv", (1_500_000_000, 1_500_000_000))
        assert _asked(dataset, tmp_path) <= {"impossible||t.csv"}

    def test_a_damaged_index_is_said_in_one_line(self, dataset: Path) -> None:
        from engram.model.errors import EngramError

        index = dataset / ".git/index"
        index.write_bytes(index.read_bytes()[:50])
        with pytest.raises(EngramError) as failed:
            status(dataset)
        assert "\n" not in failed.value.what


class TestTheCommandItself:
    def test_it_starts_no_program(self, unlocked: Path, tmp_path: Path) -> None:
        """Seen by the kernel, from the first to the last moment."""
        if shutil.which("strace") is None:
            pytest.skip(f"{NOT_HERE} no strace")
        write(unlocked, "u-modified", "changed")
        words = ["strace", "-f", "-qq", "-e", "trace=execve,fork,vfork,clone,clone3", "-o", str(tmp_path / "calls")]
        done = subprocess.run(
            [*words, sys.executable, "-m", "engram", "status", "--annex", "all"],
            cwd=unlocked,
            env={**os.environ, "PYTHONPATH": SOURCE},
            capture_output=True,
            text=True,
        )
        if "PTRACE" in done.stderr or "ptrace" in done.stderr:
            pytest.skip(f"{NOT_HERE} no ptrace")
        assert done.returncode == 0, done.stderr
        assert "u-modified" in done.stdout
        calls = (tmp_path / "calls").read_text().splitlines()
        assert len([line for line in calls if "execve(" in line]) == 1
        assert not [line for line in calls if "fork(" in line or "clone" in line]

    def test_writing_without_a_git_annex_is_refused_with_the_line_to_install_it(
        self, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from engram.model.errors import ExtraMissing

        without = [folder for folder in sys.path if not os.path.isdir(os.path.join(folder, "git_annex"))]
        monkeypatch.setattr(sys, "path", without)  # what is imported stays; git-annex's wheel is not found any more

        programs = tmp_path / "bin"
        programs.mkdir()
        for name in ("git", "sh"):
            (programs / name).symlink_to(shutil.which(name) or "")
        write(dataset, "new", "new")
        environment = {**os.environ, "PATH": str(programs)}
        with pytest.raises(ExtraMissing) as refused:
            list(engram(dataset, environment=environment).save())
        assert "pip install" in refused.value.next_step
        for wanted in (True, False):
            with pytest.raises(ExtraMissing):
                list(engram(tmp_path, environment=environment).create("another", annex=wanted))
            assert not (tmp_path / "another").exists()
        assert git(dataset, "status", "--porcelain") == "?? new\n"


def test_a_dataset_can_be_created_where_git_alone_is_wanted(git_annex: Path, tmp_path: Path) -> None:
    create(tmp_path / "ds", annex=False)
    write(tmp_path, "ds/x", "x")
    assert _asked(tmp_path / "ds", tmp_path) == {"ok|untracked|x"}
