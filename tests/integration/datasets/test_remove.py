"""A dataset goes only when nothing is lost by that, and no file goes that nobody saved."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engram.model.errors import UsageError
from engram.testing.places import Template, scratch
from tests.integration.clones import drop, fresh, has, object_of, remove, two_clones
from tests.interop.peers import annex, git

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def scene() -> Iterator[Path]:
    with scratch() as folder:
        yield folder


@pytest.fixture(scope="module")
def template(git_annex: Path, scene: Path) -> Template:
    (scene / "original").mkdir()
    return Template(two_clones(scene / "original"), scene)


@pytest.fixture
def folder(template: Template) -> Path:
    return fresh(template)


def refusal(folder: Path, **options: Any) -> str:
    """Why dataset ``b`` is not dropped as a whole; nothing of it may be gone."""
    options = {"what": "all", "reckless": "undead", **options}
    records = drop(folder, dataset="b", **options)
    assert [record["action"] for record in records] == ["uninstall"]
    assert [str(record["status"]) for record in records] == ["error"]
    assert has(folder / "b", "a.dat")
    assert (folder / "b/.git/HEAD").exists()
    return str(records[0]["message"])


class TestADataset:
    def test_goes_with_everything_in_it(self, folder: Path) -> None:
        assert str(remove(folder, dataset="b", reckless="undead")[-1]["status"]) == "ok"
        assert not (folder / "b").exists()
        assert has(folder / "a", "a.dat")

    @pytest.mark.parametrize("branch", ["main", "side"])
    def test_stays_while_nobody_else_has_a_revision(self, folder: Path, branch: str) -> None:
        git(folder / "b", "checkout", "-q", "-B", branch)
        git(folder / "b", "commit", "-q", "--allow-empty", "-m", "only here")
        git(folder / "b", "checkout", "-q", "--detach", "HEAD~")
        assert refusal(folder).endswith(f"known sibling: {branch}.")

    def test_stays_while_a_detached_head_is_only_here(self, folder: Path) -> None:
        git(folder / "b", "checkout", "-q", "--detach")
        git(folder / "b", "commit", "-q", "--allow-empty", "-m", "only here")
        assert refusal(folder).endswith("known sibling: HEAD.")

    def test_stays_while_git_keeps_a_stash(self, folder: Path) -> None:
        (folder / "b/notes.txt").write_text("unfinished")
        git(folder / "b", "stash", "-q")
        assert refusal(folder).endswith("known sibling: stash.")

    @pytest.mark.parametrize("words", [("tag", "v1"), ("tag", "-a", "-m", "one", "v1")], ids=["light", "annotated"])
    def test_stays_while_a_tag_alone_holds_a_revision(self, folder: Path, words: tuple[str, ...]) -> None:
        git(folder / "b", "commit", "-q", "--allow-empty", "-m", "only here")
        git(folder / "b", *words)
        git(folder / "b", "reset", "-q", "--hard", "HEAD~")
        assert refusal(folder).endswith("known sibling: tags/v1.")
        git(folder / "b", "push", "-q", "origin", "v1")
        assert str(drop(folder, dataset="b", what="all", reckless="undead")[-1]["status"]) == "ok"

    def test_stays_while_notes_are_only_here(self, folder: Path) -> None:
        git(folder / "b", "notes", "add", "-m", "precious")
        assert refusal(folder).endswith("known sibling: notes/commits.")

    def test_stays_while_another_work_tree_needs_it(self, folder: Path) -> None:
        git(folder / "b", "worktree", "add", "-q", "--detach", "../other")
        (folder / "other/draft.txt").write_text("unsaved")
        assert f"checked out from it: {folder}/other." in refusal(folder)
        git(folder / "other", "commit", "-q", "--allow-empty", "-m", "only here")
        shutil.rmtree(folder / "other")
        assert refusal(folder).endswith("known sibling: worktrees/other.")

    def test_stays_while_it_keeps_a_subdataset_that_is_not_checked_out(self, folder: Path) -> None:
        git(folder, "clone", "-q", "a", "c")
        kept = folder / "b/.git/modules/nested/sub"
        kept.parent.mkdir(parents=True)
        (folder / "c/.git").rename(kept)
        git(kept, "config", "core.bare", "true")
        git(kept, "remote", "set-url", "origin", str(folder / "a"))
        tree = git(kept, "rev-parse", "HEAD^{tree}").strip()
        commit = git(kept, "commit-tree", "-m", "only here", tree).strip()
        git(kept, "update-ref", "refs/heads/mine", commit)
        assert refusal(folder).endswith("nobody else has: nested/sub.")
        git(kept, "update-ref", "-d", "refs/heads/mine")
        assert str(drop(folder, dataset="b", what="all", reckless="undead")[-1]["status"]) == "ok"

    def test_stays_when_the_sibling_has_lost_what_was_fetched_from_it(self, folder: Path) -> None:
        git(folder / "b", "commit", "-q", "--allow-empty", "-m", "pushed once")
        git(folder / "b", "push", "-q", "origin", "main:kept")
        git(folder / "a", "branch", "-q", "-D", "kept")
        assert refusal(folder).endswith("known sibling: main.")

    def test_stays_when_the_sibling_claims_a_commit_that_it_has_not(self, folder: Path) -> None:
        git(folder / "b", "commit", "-q", "--allow-empty", "-m", "only here")
        commit = git(folder / "b", "rev-parse", "HEAD")
        (folder / "a/.git/refs/heads/claimed").write_text(commit)
        assert refusal(folder).endswith("known sibling: main.")

    def test_stays_when_the_sibling_borrows_its_objects_from_here(self, folder: Path) -> None:
        git(folder / "b", "commit", "-q", "--allow-empty", "-m", "only here")
        git(folder, "clone", "-q", "--shared", "b", "leech")
        git(folder / "b", "remote", "set-url", "origin", "../leech")
        git(folder / "b", "remote", "set-url", "origin", str(folder / "leech"))
        assert refusal(folder).endswith("known sibling: main.")

    def test_stays_when_its_only_sibling_is_itself(self, folder: Path) -> None:
        (folder / "elsewhere").symlink_to(folder / "b")
        git(folder / "b", "remote", "set-url", "origin", "../elsewhere")
        git(folder / "b", "fetch", "-q")
        assert refusal(folder).endswith("known sibling: main.")

    def test_stays_while_a_sibling_counts_on_its_annex(self, folder: Path) -> None:
        assert "not declared 'dead' at the following siblings: origin" in refusal(folder, reckless=None)
        annex(folder / "b", "dead", "-q", "here")
        git(folder / "b", "push", "-q", "origin", "git-annex:refs/heads/synced/git-annex")
        annex(folder / "a", "merge", "-q")
        git(folder / "b", "fetch", "-q", "origin")
        assert str(drop(folder, dataset="b", what="all")[-1]["status"]) == "ok"

    def test_stays_while_a_content_is_nowhere_else(self, folder: Path) -> None:
        (folder / "b/new.dat").write_text("new" * 1000)
        annex(folder / "b", "add", "-q", "new.dat")
        git(folder / "b", "commit", "-qm", "new")
        git(folder / "b", "push", "-q", "origin", "main:kept")
        records = drop(folder, dataset="b", what="all", reckless="undead")
        assert {record["action"] for record in records} == {"drop"}
        assert sum(record["error"] == "TooFewCopies" for record in records) == 1
        assert has(folder / "b", "new.dat")
        assert (folder / "b/.git/HEAD").exists()

    @pytest.mark.parametrize("name", ["untracked.txt", "notes.txt"])
    def test_stays_while_something_is_not_saved(self, folder: Path, name: str) -> None:
        (folder / "b" / name).write_text("unsaved")
        (record,) = drop(folder, dataset="b", what="all", reckless="undead")
        assert (str(record["status"]), record["item"].rpartition("/")[2]) == ("impossible", name)
        assert has(folder / "b", "a.dat")

    def test_killed_it_goes_whatever_it_holds(self, folder: Path) -> None:
        (folder / "b/untracked.txt").write_text("unsaved")
        (record,) = drop(folder, dataset="b", what="all", reckless="kill", recursive=True)
        assert record["action"] == "uninstall"
        assert not (folder / "b").exists()

    def test_is_not_removed_from_within(self, folder: Path) -> None:
        with pytest.raises(UsageError, match="current working directory"):
            remove(folder / "b/d", dataset="..")
        with pytest.raises(UsageError, match="current working directory"):
            drop(folder / "b", what="all")

    def test_a_link_in_it_leads_nobody_elsewhere(self, folder: Path) -> None:
        (folder / "mine").mkdir()
        (folder / "mine/thesis.txt").write_text("years")
        (folder / "b/shortcut").symlink_to(folder / "mine")
        drop(folder, dataset="b", what="all", reckless="kill", recursive=True)
        assert not (folder / "b").exists()
        assert (folder / "mine/thesis.txt").read_text() == "years"


class TestFiles:
    def test_go_and_their_contents_stay(self, folder: Path) -> None:
        place = object_of(folder / "b", "d/b.dat")
        remove(folder / "b", "d")
        assert not (folder / "b/d").exists()
        assert place.is_file()
        assert git(folder / "b", "status", "--porcelain") == ""

    def test_and_their_contents_go_where_that_is_wanted_and_safe(self, folder: Path) -> None:
        place = object_of(folder / "b", "d/b.dat")
        remove(folder / "b", "d/b.dat", drop="all")
        assert not place.exists()

    def test_stay_when_their_contents_were_to_go_and_may_not(self, folder: Path) -> None:
        git(folder / "b", "remote", "remove", "origin")
        records = remove(folder / "b", "d/b.dat", drop="all")
        assert records[0]["error"] == "TooFewCopies"
        assert (folder / "b/d/b.dat").is_symlink()
        assert git(folder / "b", "log", "-1", "--format=%s") == "files\n"

    @pytest.mark.parametrize("path", [".git", ".git/config", "../a", "d/../../a/notes.txt"])
    def test_of_others_and_of_git_are_not_reached(self, folder: Path, path: str) -> None:
        with pytest.raises(Exception, match=r"matches no file|does not lie|git's own|removed"):
            remove(folder / "b", path)
        assert (folder / "b/.git/config").exists()
        assert (folder / "a/notes.txt").exists()

    def test_beyond_a_link_are_not_reached(self, folder: Path) -> None:
        (folder / "b/link").symlink_to(folder / "a")
        git(folder / "b", "add", "link")
        git(folder / "b", "commit", "-qm", "link")
        with pytest.raises(Exception, match="beyond the symbolic link"):
            remove(folder / "b", "link/notes.txt")
        remove(folder / "b", "link")
        assert (folder / "a/notes.txt").exists()
        assert not os.path.lexists(folder / "b/link")


def test_in_the_middle_of_a_merge_nothing_is_removed(folder: Path) -> None:
    top = folder / "b"
    git(top, "checkout", "-q", "-b", "side", "HEAD~1")
    git(top, "commit", "-q", "--allow-empty", "-m", "side")
    git(top, "merge", "-q", "--no-commit", "--no-ff", "-")
    before = git(top, "status", "--porcelain"), git(top, "ls-files", "-s")
    with pytest.raises(UsageError, match="MERGE_HEAD"):
        remove(folder, "b/a.dat", dataset="b")
    assert (git(top, "status", "--porcelain"), git(top, "ls-files", "-s")) == before
