"""What engram does not fully know is left to git-annex, and the record says why; ordinary datasets never are."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from engram.model.errors import EngramError, UsageError
from tests.conftest import NOT_HERE
from tests.interop.peers import annex, create, engram, git, keys_of, notes, save, told, tree_of, write

pytestmark = pytest.mark.integration

Trap = Callable[[Path], object]


def _config(*settings: str) -> Trap:
    def change(folder: Path) -> None:
        for setting in settings:
            name, _, value = setting.partition("=")
            git(folder, "config", name, value)

    return change


def _attribute(line: str) -> Trap:
    def change(folder: Path) -> None:
        with (folder / ".gitattributes").open("a") as attributes:
            attributes.write(f"{line}\n")
        save(folder, ".gitattributes")

    return change


def _view(folder: Path) -> None:
    annex(folder, "metadata", "-q", "-s", "tag=x", "a.txt")
    annex(folder, "view", "tag=x")


def _sparse(folder: Path) -> None:
    git(folder, "sparse-checkout", "set", "d")


def _merging(folder: Path) -> None:
    git(folder, "checkout", "-q", "-b", "other")
    write(folder, "from-other.txt", "other")
    save(folder)
    git(folder, "checkout", "-q", "master")
    write(folder, "from-master.txt", "master")
    save(folder)
    git(folder, "merge", "-q", "--no-commit", "--no-ff", "other")


def _split_index(folder: Path) -> None:
    git(folder, "update-index", "--split-index")


def _daemon(folder: Path) -> None:
    write(folder, ".git/annex/daemon.pid", f"{os.getpid()}\n")


def _alternative_git_folder(folder: Path) -> None:
    aside = folder.parent / f"{folder.name}.git"
    (folder / ".git").rename(aside)
    write(folder, ".git", f"gitdir: {aside}\n")
    list(engram(folder).trust("."))


def _unlocked_branch(folder: Path) -> None:
    annex(folder, "adjust", "--unlock")


#: The trap, what the note says, and whether git-annex takes the new file into the annex there.
TRAPS = [
    pytest.param(_unlocked_branch, "adjusted branch", id="adjusted branch"),
    pytest.param(_config("annex.thin=true"), "annex.thin", id="annex.thin"),
    pytest.param(_config("annex.addunlocked=true"), "annex.addunlocked", id="annex.addunlocked"),
    pytest.param(_config("annex.addunlocked=include=*.txt"), "annex.addunlocked", id="annex.addunlocked expression"),
    pytest.param(_config("annex.pidlock=true"), "annex.pidlock", id="annex.pidlock"),
    pytest.param(_config("annex.private=true"), "annex.private", id="annex.private"),
    pytest.param(_config("annex.alwayscommit=false"), "annex.alwayscommit", id="annex.alwayscommit"),
    pytest.param(_config("annex.securehashesonly=true"), "annex.securehashesonly", id="annex.securehashesonly"),
    pytest.param(_config("annex.maxextensionlength=8"), "annex.maxextensionlength", id="annex.maxextensionlength"),
    pytest.param(_config("core.sharedRepository=group"), "core.sharedrepository", id="core.sharedRepository"),
    pytest.param(_attribute("*.new annex.backend=WORM"), "WORM", id="WORM"),
    pytest.param(_attribute("*.new annex.backend=BLAKE2BP512E"), "BLAKE2BP512E", id="a backend only git-annex has"),
    pytest.param(_split_index, "index", id="split index"),
    pytest.param(_daemon, "daemon", id="watch daemon"),
    pytest.param(_sparse, "sparse", id="sparse checkout"),
    pytest.param(_merging, "under way", id="merge"),
    pytest.param(_view, "view", id="metadata view"),
    pytest.param(_alternative_git_folder, ".git is not a plain folder", id="git folder elsewhere"),
]


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is trusted in one test is not trusted in another."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.mark.parametrize(("trap", "why"), TRAPS)
def test_a_trap_hands_over_and_the_result_is_right(dataset: Path, trap: Trap, why: str) -> None:
    trap(dataset)
    write(dataset, "d/x.new", "new content")
    records = save(dataset, message="in a trap")
    assert any(note.startswith("handed to git-annex: ") and why in note for note in notes(records)), records
    assert ("add", "ok", "file", "d/x.new") in [record[:4] for record in told(records, dataset)]
    assert told(records, dataset)[-1][:2] == ("save", "ok")
    assert git(dataset, "log", "-1", "--format=%s", "--all", "--grep=in a trap") == "in a trap\n"
    _right_by_git_annex(dataset, "d/x.new")
    list(engram(dataset).trust("."))  # git-annex has made a link of a .git that was a file
    assert told(save(dataset), dataset) == [("save", "notneeded", "dataset", ".", "")]


def _right_by_git_annex(dataset: Path, path: str) -> None:
    assert git(dataset, "status", "--porcelain") == ""
    assert git(dataset, "fsck", "--strict", "--full", "--no-dangling", "--no-progress") == ""
    assert annex(dataset, "fsck", "--quiet") == ""
    assert annex(dataset, "find", "--in", "here", path) == f"{path}\n"
    assert (dataset / path).read_text() == "new content"


class TestMoreHandOvers:
    def test_changed_and_deleted_files_are_handed_over_too(self, dataset: Path) -> None:
        git(dataset, "config", "annex.thin", "true")
        write(dataset, "a.txt", "changed")
        (dataset / "d/b.bin").unlink()
        write(dataset, "e/new.txt", "new content")
        records = told(save(dataset), dataset)
        assert [record[:4] for record in records] == [
            ("delete", "ok", "symlink", "d/b.bin"),
            ("add", "ok", "file", "e/new.txt"),
            ("add", "ok", "file", "a.txt"),
            ("save", "ok", "dataset", "."),
        ]
        _right_by_git_annex(dataset, "e/new.txt")

    def test_what_was_unlocked_and_not_changed_is_locked_again(self, dataset: Path) -> None:
        """As DataLad does it: otherwise repeating a command with the same result would make a commit."""
        git(dataset, "config", "annex.thin", "true")
        annex(dataset, "unlock", "a.txt")
        assert told(save(dataset), dataset)[-1][:2] == ("save", "notneeded")
        assert (dataset / "a.txt").is_symlink()
        assert git(dataset, "status", "--porcelain") == ""

    def test_what_the_other_side_of_a_merge_unlocked_stays_unlocked(self, dataset: Path) -> None:
        git(dataset, "checkout", "-q", "-b", "side")
        annex(dataset, "unlock", "a.txt")
        git(dataset, "commit", "-q", "-m", "unlocked for good")
        git(dataset, "checkout", "-q", "-")
        git(dataset, "merge", "-q", "--no-ff", "--no-commit", "side")
        write(dataset, "e/new.txt", "new content")
        save(dataset)
        assert git(dataset, "ls-files", "--stage", "a.txt").startswith("100644")

    def test_only_what_a_path_names_is_handed_over(self, dataset: Path) -> None:
        git(dataset, "config", "annex.thin", "true")
        write(dataset, "one", "new content")
        write(dataset, "two", "two")
        save(dataset, "one")
        assert git(dataset, "status", "--porcelain") == "?? two\n"

    def test_to_git_is_honoured(self, dataset: Path) -> None:
        git(dataset, "config", "annex.thin", "true")
        write(dataset, "one", "one")
        save(dataset, to_git=True)
        assert "one" not in keys_of(dataset)
        assert git(dataset, "show", "HEAD:one") == "one"

    def test_updated_is_honoured(self, dataset: Path) -> None:
        git(dataset, "config", "annex.thin", "true")
        write(dataset, "a.txt", "changed")
        write(dataset, "new", "new")
        save(dataset, updated=True)
        assert git(dataset, "status", "--porcelain") == "?? new\n"

    def test_amend_and_tag_are_honoured(self, dataset: Path) -> None:
        git(dataset, "config", "annex.thin", "true")
        before = git(dataset, "rev-list", "--count", "HEAD")
        write(dataset, "new", "new")
        save(dataset, amend=True, message="better", tag="v1")
        assert git(dataset, "rev-list", "--count", "HEAD") == before
        assert git(dataset, "log", "-1", "--format=%s", "v1") == "better\n"

    def test_names_of_every_kind_are_handed_over(self, dataset: Path) -> None:
        from engram.testing.trees import ODD_NAMES, odd_names

        git(dataset, "config", "annex.thin", "true")
        made = odd_names(dataset, [name for name in ODD_NAMES if len(name) < 250])
        records = save(dataset)
        assert {os.fsencode(record["path"])[len(os.fsencode(dataset)) + 1 :] for record in records} >= set(made)
        assert git(dataset, "status", "--porcelain") == ""

    def test_nested_repositories_are_registered(self, dataset: Path) -> None:
        git(dataset, "config", "annex.thin", "true")
        for name in ("nested", "without"):
            git(dataset, "init", "-q", name)
        git(dataset / "nested", "commit", "-q", "--allow-empty", "-m", "first")
        write(dataset, "new", "new")
        records = told(save(dataset), dataset)
        assert [record[:4] for record in records] == [
            ("add", "ok", "dataset", "nested"),
            ("add", "ok", "file", ".gitmodules"),
            ("add", "error", "dataset", "without"),
            ("add", "ok", "file", "new"),
            ("save", "ok", "dataset", "."),
        ]
        assert "path = nested" in (dataset / ".gitmodules").read_text()
        assert git(dataset, "submodule", "status").split()[1] == "nested"
        git(dataset / "nested", "commit", "-q", "--allow-empty", "-m", "second")
        assert told(save(dataset), dataset)[0][:4] == ("add", "ok", "dataset", "nested")
        (dataset / "nested").rename(dataset.parent / "aside")
        assert [record[:4] for record in told(save(dataset), dataset)][:2] == [
            ("delete", "ok", "dataset", "nested"),
            ("add", "ok", "file", ".gitmodules"),
        ]
        assert git(dataset, "submodule", "status") == ""

    def test_a_conflict_is_refused_until_it_is_mended(self, dataset: Path) -> None:
        git(dataset, "checkout", "-q", "-b", "other")
        write(dataset, "c", "theirs\n")
        save(dataset, to_git=True)
        git(dataset, "checkout", "-q", "master")
        write(dataset, "c", "ours\n")
        save(dataset, to_git=True)
        git(dataset, "merge", "-q", "other", fine=(1,))
        head = git(dataset, "rev-parse", "HEAD")
        with pytest.raises(UsageError) as refused:
            save(dataset)
        assert "git add c" in refused.value.next_step
        assert git(dataset, "rev-parse", "HEAD") == head
        write(dataset, "c", "both\n")
        git(dataset, "add", "c")
        assert told(save(dataset), dataset)[-1][:2] == ("save", "ok")
        assert git(dataset, "log", "-1", "--format=%P").count(" ") == 1

    def test_a_plan_says_so_beforehand(self, dataset: Path) -> None:
        git(dataset, "config", "annex.thin", "true")
        write(dataset, "new", "new")
        plan = engram(dataset).plan_save()
        assert plan.steps[0].action == "hand-over"
        assert "annex.thin" in plan.steps[0].why
        assert git(dataset, "status", "--porcelain") == "?? new\n"


class TestWhatGitConverts:
    def test_line_ends_that_git_would_convert(self, dataset: Path) -> None:
        _attribute("*.csv text=auto annex.largefiles=nothing")(dataset)
        write(dataset, "t.csv", "a,b\r\n1,2\r\n")
        assert any("converts" in note for note in notes(save(dataset)))
        assert git(dataset, "show", "HEAD:t.csv") == "a,b\n1,2\n"
        assert git(dataset, "status", "--porcelain") == ""

    def test_line_ends_that_need_no_conversion_are_no_reason(self, dataset: Path) -> None:
        _attribute("*.csv text=auto annex.largefiles=nothing")(dataset)
        write(dataset, "t.csv", "a,b\n1,2\n")
        assert notes(save(dataset)) == set()
        assert git(dataset, "status", "--porcelain") == ""

    def test_autocrlf_converts_what_goes_to_git(self, dataset: Path) -> None:
        git(dataset, "config", "core.autocrlf", "input")
        write(dataset, "t.csv", "a,b\r\n1,2\r\n")
        assert any("autocrlf" in note for note in notes(save(dataset, to_git=True)))
        assert git(dataset, "show", "HEAD:t.csv") == "a,b\n1,2\n"

    def test_autocrlf_is_no_reason_for_what_goes_to_the_annex(self, dataset: Path) -> None:
        git(dataset, "config", "core.autocrlf", "input")
        write(dataset, "t.csv", "a,b\r\n1,2\r\n")
        assert notes(save(dataset)) == set()
        assert (dataset / "t.csv").read_bytes() == b"a,b\r\n1,2\r\n"

    def test_a_filter_of_the_users_own(self, dataset: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = dataset.parent / "settings"
        settings.write_text((own_home / ".gitconfig").read_text() + '[filter "upper"]\n\tclean = tr a-z A-Z\n')
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
        with (dataset / ".git/info/attributes").open("a") as attributes:
            attributes.write("*.up filter=upper annex.largefiles=nothing\n")
        write(dataset, "t.up", "quiet")
        assert any("converts t.up (filter)" in note for note in notes(save(dataset)))
        assert git(dataset, "show", "HEAD:t.up") == "QUIET"
        assert git(dataset, "status", "--porcelain") == ""

    def test_git_annexs_own_attribute_rules_over_that_of_another_filter(self, dataset: Path) -> None:
        _attribute("*.up filter=upper annex.largefiles=nothing")(dataset)
        write(dataset, "t.up", "quiet")
        assert git(dataset, "check-attr", "filter", "t.up") == "t.up: filter: annex\n"
        assert notes(save(dataset)) == set()


class TestOtherRepositories:
    def test_a_tuned_repository(self, git_annex: Path, tmp_path: Path) -> None:
        folder = tmp_path / "tuned"
        git(tmp_path, "init", "-q", "tuned")
        git(folder, "-c", "annex.tune.objecthash1=true", "-c", "annex.tune.branchhash1=true", "annex", "init")
        assert "difference.log" in tree_of(folder, "git-annex")
        write(folder, "d/x.new", "new content")
        records = save(folder)
        assert any("tuned" in note or "annex.tune" in note for note in notes(records))
        _right_by_git_annex(folder, "d/x.new")

    def test_a_difference_that_only_the_branch_tells(self, git_annex: Path, tmp_path: Path) -> None:
        self.test_a_tuned_repository(git_annex, tmp_path)
        git(tmp_path, "clone", "-q", "tuned", "clone")
        write(tmp_path, "clone/d/y.new", "new content")
        assert any("handed" in note for note in notes(save(tmp_path / "clone")))
        _right_by_git_annex(tmp_path / "clone", "d/y.new")

    def test_object_names_of_sha256(self, git_annex: Path, tmp_path: Path) -> None:
        folder = tmp_path / "sha256"
        git(tmp_path, "init", "-q", "--object-format=sha256", "sha256")
        annex(folder, "init")
        write(folder, "d/x.new", "new content")
        assert any("handed" in note for note in notes(save(folder)))
        _right_by_git_annex(folder, "d/x.new")

    def test_refs_in_a_reftable(self, git_annex: Path, tmp_path: Path) -> None:
        folder = tmp_path / "reftable"
        done = subprocess.run(["git", "init", "-q", "--ref-format=reftable", str(folder)], capture_output=True)
        if done.returncode:
            pytest.skip(f"{NOT_HERE} this git has no reftable")
        annex(folder, "init")
        write(folder, "d/x.new", "new content")
        assert any("handed" in note for note in notes(save(folder)))
        _right_by_git_annex(folder, "d/x.new")

    def test_a_clone_that_git_annex_does_not_know_yet(self, dataset: Path, tmp_path: Path) -> None:
        git(tmp_path, "clone", "-q", str(dataset), "clone")
        write(tmp_path, "clone/d/x.new", "new content")
        assert any("not initialised" in note for note in notes(save(tmp_path / "clone")))
        assert annex(tmp_path / "clone", "find", "--in", "here") == "d/x.new\n"
        assert git(tmp_path / "clone", "status", "--porcelain") == ""

    def test_a_submodule_whose_repository_lies_in_its_superdatasets(self, git_annex: Path, tmp_path: Path) -> None:
        """git-annex makes a link of its ``.git`` file, which needs no trust."""
        create(tmp_path / "ds")
        create(tmp_path / "ds/sub", dataset=str(tmp_path / "ds"))
        git(tmp_path / "ds", "submodule", "--quiet", "absorbgitdirs")
        for name in ("one", "two"):
            write(tmp_path, f"ds/sub/{name}", "new content")
            assert notes(save(tmp_path / "ds/sub")) == {"handed to git-annex: its .git is not a plain folder"}
        assert (tmp_path / "ds/sub/.git").is_symlink()
        assert told(save(tmp_path / "ds"), tmp_path / "ds")[0] == ("add", "ok", "dataset", "sub", "")
        _right_by_git_annex(tmp_path / "ds/sub", "two")

    def test_a_linked_work_tree(self, dataset: Path, tmp_path: Path) -> None:
        """git-annex makes a link of its ``.git`` file and of its annex, which needs no trust."""
        git(dataset, "worktree", "add", "-q", str(tmp_path / "linked"))
        assert (tmp_path / "linked/.git").is_symlink()
        write(tmp_path, "linked/d/x.new", "new content")
        assert notes(save(tmp_path / "linked")) == {"handed to git-annex: its .git is not a plain folder"}
        _right_by_git_annex(tmp_path / "linked", "d/x.new")

    def test_a_version_nobody_here_reads_is_an_error_and_changes_nothing(self, dataset: Path) -> None:
        git(dataset, "config", "annex.version", "99")
        write(dataset, "d/x.new", "new content")
        head = git(dataset, "rev-parse", "HEAD", "git-annex")
        with pytest.raises(EngramError) as failed:
            save(dataset)
        assert "99" in str(failed.value)
        assert git(dataset, "rev-parse", "HEAD", "git-annex") == head
        assert (dataset / "d/x.new").read_text() == "new content"


class TestOrdinaryDatasets:
    """They are never handed over."""

    @pytest.mark.parametrize("procedures", [(), ("text2git",), ("yoda",), ("text2git", "yoda")])
    def test_what_create_makes(self, git_annex: Path, tmp_path: Path, procedures: tuple[str, ...]) -> None:
        create(tmp_path / "ds", procedures=procedures)
        write(tmp_path, "ds/text.txt", "text\n")
        write(tmp_path, "ds/scan.nii.gz", b"\x1f\x8b\x08" + bytes(100))
        write(tmp_path, "ds/code/run.py", "print()\n")
        assert not any("handed" in note for note in notes(save(tmp_path / "ds")))
        assert git(tmp_path / "ds", "status", "--porcelain") == ""

    def test_one_with_unlocked_files(self, dataset: Path) -> None:
        annex(dataset, "unlock", "a.txt", "d/b.bin")
        git(dataset, "commit", "-qm", "unlocked")
        write(dataset, "a.txt", "changed")
        write(dataset, "new.txt", "new")
        records = save(dataset)
        assert notes(records) == set()
        assert [record[:4] for record in told(records, dataset)[:2]] == [
            ("add", "ok", "file", "new.txt"),
            ("add", "ok", "file", "a.txt"),
        ]
        assert git(dataset, "status", "--porcelain") == ""
        assert annex(dataset, "fsck", "--quiet") == ""

    def test_a_clone_that_git_annex_knows(self, dataset: Path, tmp_path: Path) -> None:
        git(tmp_path, "clone", "-q", str(dataset), "clone")
        annex(tmp_path / "clone", "init")
        write(tmp_path, "clone/x", "new content")
        assert notes(save(tmp_path / "clone")) == set()
        assert annex(tmp_path / "clone", "find", "--in", "here") == "x\n"

    def test_a_subdataset(self, git_annex: Path, tmp_path: Path) -> None:
        create(tmp_path / "ds")
        create(tmp_path / "ds/sub", dataset=str(tmp_path / "ds"))
        write(tmp_path, "ds/sub/x", "new content")
        records = save(tmp_path / "ds", recursive=True)
        assert notes(records) == set()

    @pytest.mark.parametrize("version", [2, 3, 4])
    def test_every_index_version(self, dataset: Path, version: int) -> None:
        git(dataset, "update-index", f"--index-version={version}")
        write(dataset, "d/x.new", "new content")
        assert notes(save(dataset)) == set()
        _right_by_git_annex(dataset, "d/x.new")

    def test_a_dataset_without_an_annex(self, git_annex: Path, tmp_path: Path) -> None:
        create(tmp_path / "ds", annex=False)
        write(tmp_path, "ds/x", "new content")
        assert notes(save(tmp_path / "ds")) == set()

    def test_packed_refs_and_a_packed_index_of_objects(self, dataset: Path) -> None:
        git(dataset, "gc", "-q")
        git(dataset, "pack-refs", "--all")
        write(dataset, "d/x.new", "new content")
        assert notes(save(dataset)) == set()
        _right_by_git_annex(dataset, "d/x.new")
