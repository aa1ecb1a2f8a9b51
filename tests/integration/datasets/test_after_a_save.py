"""After a save git has nothing to read and no filter to start, and git-annex goes on with what it finds."""

import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from engram.testing.canary import Canary
from engram.testing.trees import nasty_tree
from tests.interop.peers import annex, annex_branch, create, git, keys_of, notes, save, told, without_complaint, write

pytestmark = pytest.mark.integration


def _files(folder: Path) -> None:
    write(folder, "text.txt", "text\n")
    write(folder, "sub/code.py", "print()\n")
    write(folder, "run.sh", "#!/bin/sh\n", mode=0o755)
    write(folder, "scan.nii.gz", b"\x1f\x8b\x08" + bytes(1000))
    os.symlink("text.txt", folder / "link")
    _make_old(folder)


def _make_old(folder: Path) -> None:
    """git reads every file that was changed in the same second as its index."""
    for place in folder.rglob("*"):
        if ".git" not in place.relative_to(folder).parts and place.is_file() and not place.is_symlink():
            os.utime(place, (1_500_000_000, 1_500_000_000))


@pytest.fixture(params=["annex", "text2git", "to git", "unlocked"])
def saved(request: pytest.FixtureRequest, git_annex: Path, tmp_path: Path) -> Path:
    """A dataset right after a save, of each kind."""
    folder = tmp_path / "ds"
    create(folder, procedures=("text2git",) if request.param == "text2git" else ())
    _files(folder)
    save(folder, to_git=request.param == "to git")
    if request.param == "unlocked":
        annex(folder, "unlock", "text.txt", "run.sh")
        git(folder, "commit", "-qm", "unlocked")
        _make_old(folder)
        write(folder, "another", "another")
        save(folder)
    return folder


class TestTheNextGitStatus:
    def test_it_starts_no_filter_and_finds_nothing(self, saved: Path, tmp_path: Path) -> None:
        canary = Canary(tmp_path / "cage")
        program = canary.program(tmp_path / "filter")
        settings = [f"filter.annex.{name}={program}" for name in ("process", "clean", "smudge")]
        words = [word for setting in settings for word in ("-c", setting)]
        assert git(saved, *words, "status", "--porcelain") == ""
        assert git(saved, *words, "diff-files") == ""
        assert canary.lives()

    def test_it_reads_no_file(self, saved: Path) -> None:
        """A file that was not looked at may be unreadable for all that git says."""
        for path in ("text.txt", "sub/code.py"):
            place = saved / path
            if place.is_symlink():
                continue
            content = place.read_bytes()
            state = place.stat()
            descriptor = os.open(place, os.O_WRONLY)
            os.pwrite(descriptor, b"#" * len(content), 0)  # same size, same inode
            os.close(descriptor)
            os.utime(place, ns=(state.st_atime_ns, state.st_mtime_ns))
        assert git(saved, "-c", "core.trustctime=false", "status", "--porcelain") == ""

    def test_the_index_is_one_that_git_would_write(self, saved: Path) -> None:
        git(saved, "ls-files", "--debug")
        before = git(saved, "ls-files", "-s", "--full-name", "-z")
        git(saved, "update-index", "-q", "--really-refresh")
        assert git(saved, "ls-files", "-s", "--full-name", "-z") == before
        assert git(saved, "write-tree").strip() == git(saved, "rev-parse", "HEAD^{tree}").strip()


class TestGitAnnexGoesOn:
    def test_it_finds_every_content_where_the_branch_says(self, saved: Path) -> None:
        assert annex(saved, "fsck", "--quiet") == ""
        here = annex(saved, "info", "--fast", "--json")
        assert here
        for path in keys_of(saved):
            assert annex(saved, "find", "--in", "here", path) == f"{path}\n"

    def test_files_can_be_unlocked_changed_and_locked(self, dataset: Path) -> None:
        annex(dataset, "unlock", "a.txt")
        (dataset / "a.txt").write_text("changed")
        annex(dataset, "add", "a.txt")
        git(dataset, "commit", "-qm", "changed by git-annex")
        annex(dataset, "lock", "d/b.bin")
        write(dataset, "new", "new")
        save(dataset)
        without_complaint(dataset)

    def test_content_can_be_dropped_and_fetched(self, dataset: Path, tmp_path: Path) -> None:
        write(dataset, "new", "new")
        save(dataset)
        git(tmp_path, "clone", "-q", str(dataset), "clone")
        clone = tmp_path / "clone"
        annex(clone, "get", "-q", ".")
        assert (clone / "new").read_text() == "new"
        git(dataset, "remote", "add", "clone", str(clone))
        git(dataset, "fetch", "-q", "clone")
        annex(dataset, "drop", "-q", "new")
        assert not (dataset / "new").exists()
        assert "1 " in annex_branch(dataset)[_log_of(dataset, "new")].decode()
        annex(dataset, "get", "-q", "new")
        assert (dataset / "new").read_text() == "new"
        without_complaint(dataset)

    def test_what_was_dropped_can_be_saved_again(self, dataset: Path) -> None:
        content = (dataset / "a.txt").read_text()
        annex(dataset, "drop", "--force", "-q", "a.txt")
        write(dataset, "again.txt", content)
        save(dataset)
        assert annex(dataset, "find", "--in", "here", "a.txt", "again.txt") == "a.txt\nagain.txt\n"
        without_complaint(dataset)

    def test_two_clones_that_saved_can_be_merged(self, dataset: Path, tmp_path: Path) -> None:
        folders = [tmp_path / "one", tmp_path / "two"]
        for folder in folders:
            git(tmp_path, "clone", "-q", str(dataset), folder.name)
            annex(folder, "init", folder.name)
            write(folder, f"by-{folder.name}", folder.name)
            write(folder, "by-both", "the same")
            save(folder, message=folder.name)
        git(folders[0], "remote", "add", "two", str(folders[1]))
        git(folders[1], "remote", "add", "one", str(folders[0]))
        for folder in (*folders, folders[0]):
            annex(
                folder,
                "sync",
                "-q",
                "--content",
                "--allow-unrelated-histories",
                "two" if folder == folders[0] else "one",
            )
        for folder in folders:
            assert (folder / "by-one").read_text() == "one"
            assert (folder / "by-two").read_text() == "two"
            assert annex(folder, "fsck", "--quiet") == ""
            assert git(folder, "fsck", "--strict", "--no-dangling", "--no-progress") == ""
        assert annex_branch(folders[0])[_log_of(folders[0], "by-both")].count(b" 1 ") == 2

    def test_what_its_journal_holds_is_carried_over(self, dataset: Path) -> None:
        key = keys_of(dataset)["a.txt"]
        other = "11111111-2222-4333-8444-555555555555"
        git(dataset, "-c", "annex.alwayscommit=false", "annex", "setpresentkey", key, other, "1")
        journal = dataset / ".git/annex/journal"
        assert list(journal.iterdir())
        write(dataset, "new", "new")
        save(dataset)
        assert list(journal.iterdir()) == []
        assert other.encode() in annex_branch(dataset)[_log_of(dataset, "a.txt")]
        without_complaint(dataset)

    def test_a_journal_line_about_the_very_key_that_is_saved_is_kept(self, dataset: Path) -> None:
        write(dataset, "new", "new")
        key = annex(dataset, "calckey", "new").strip()
        other = "11111111-2222-4333-8444-555555555555"
        git(dataset, "-c", "annex.alwayscommit=false", "annex", "setpresentkey", key, other, "1")
        save(dataset)
        assert annex_branch(dataset)[_log_of(dataset, "new")].count(b" 1 ") == 2

    def test_a_journal_with_names_of_every_kind_is_carried_over(self, dataset: Path) -> None:
        name = "SHA256E-s1--odd_name__with___under_scores.t_t"
        other = "11111111-2222-4333-8444-555555555555"
        git(dataset, "-c", "annex.alwayscommit=false", "annex", "setpresentkey", name, other, "1")
        write(dataset, "new", "new")
        save(dataset)
        assert [path for path in annex_branch(dataset) if path.endswith(f"/{name}.log")]
        assert other in git(dataset, "annex", "whereis", "--key", name, fine=(0, 1))

    def test_a_merge_of_its_branch_that_waits_is_not_lost(self, dataset: Path, tmp_path: Path) -> None:
        git(tmp_path, "clone", "-q", str(dataset), "clone")
        clone = tmp_path / "clone"
        annex(clone, "init", "clone")
        annex(clone, "get", "-q", "a.txt")
        git(dataset, "remote", "add", "clone", str(clone))
        git(dataset, "fetch", "-q", "clone")
        write(dataset, "new", "new")
        save(dataset)
        assert "a.txt (2 copies)" in annex(dataset, "whereis", "a.txt")
        without_complaint(dataset)

    def test_it_may_add_at_the_same_time(self, dataset: Path) -> None:
        for number in range(150):
            write(dataset, f"theirs/{number}", f"theirs {number}")
        adding = threading.Thread(target=annex, args=(dataset, "add", "-q", "theirs"))
        adding.start()
        for number in range(8):
            write(dataset, f"ours/{number}", f"ours {number}")
            save(dataset, f"ours/{number}")
        adding.join()
        save(dataset)
        assert len(annex(dataset, "find", "--in", "here", "theirs", "ours").splitlines()) == 158
        without_complaint(dataset)

    def test_a_foreign_line_is_never_overruled_by_an_older_clock(self, dataset: Path) -> None:
        key = keys_of(dataset)["a.txt"]
        annex(dataset, "drop", "--force", "-q", "a.txt")
        log = git(dataset, "show", f"git-annex:{_log_of(dataset, 'a.txt')}")
        stamp, _, uuid = log.split()
        later = f"{int(stamp.rstrip('s')) + 1_000_000}s 0 {uuid}\n"
        _put_on_branch(dataset, _log_of(dataset, "a.txt"), later)
        write(dataset, "again.txt", "a\n")
        save(dataset)
        assert keys_of(dataset)["again.txt"] == key
        assert annex(dataset, "find", "--in", "here", "again.txt") == "again.txt\n"
        assert annex(dataset, "whereis", "again.txt").startswith("whereis again.txt (1 copy)")


def _log_of(folder: Path, path: str) -> str:
    key = keys_of(folder)[path]
    (log,) = [name for name in annex_branch(folder) if name.endswith(f"/{key}.log")]
    return log


def _put_on_branch(folder: Path, name: str, text: str) -> None:
    from engram.testing.malice import git_annex_branch_with

    git_annex_branch_with(folder, {name: text.encode()})


class TestEveryKindOfFile:
    def test_a_nasty_tree_is_saved_whole(self, git_annex: Path, tmp_path: Path) -> None:
        folder, outside = tmp_path / "ds", tmp_path / "outside"
        create(folder)
        outside.mkdir()
        made = set(nasty_tree(folder, outside)) - {b"links/like-annexed"}
        (folder / "links/like-annexed").unlink()  # content that is nowhere
        before = {path: _content(folder, path) for path in made}
        led = {path: _link(folder, path) for path in made if path.startswith(b"links/")}
        records = save(folder)
        assert not [record for record in records if record["status"] in ("error", "impossible")]
        assert notes(records) <= {""}
        added = {os.fsencode(record["item"]) for record in records if record["action"] == "add"}
        assert added == made
        assert {path: _content(folder, path) for path in made} == before
        now = {path: _link(folder, path) for path in led}
        assert {path for path in led if now[path] != led[path]} == {b"links/target"}
        assert git(folder, "status", "--porcelain") == ""
        assert git(folder, "fsck", "--strict", "--full", "--no-dangling", "--no-progress") == ""
        assert annex(folder, "fsck", "--quiet") == ""
        assert (outside / "hard-outside").read_bytes() == b"two names, one outside"
        assert (outside / "hard-outside").stat().st_mode & 0o200
        assert told(save(folder), folder)[-1][:2] == ("save", "notneeded")

    def test_names_that_git_refuses_are_named_and_the_rest_is_saved(self, dataset: Path) -> None:
        from engram.testing.trees import names_git_refuses

        made = names_git_refuses(dataset)
        write(dataset, "fine", "fine")
        records = save(dataset)
        failed = {os.fsencode(record["item"]) for record in records if record["status"] in ("error", "impossible")}
        assert failed
        assert all(any(path == name or path.startswith(name + b"/") for name in made) for path in failed)
        assert "fine" in keys_of(dataset)

    def test_nothing_that_an_unlocked_file_shares_is_taken_apart(self, dataset: Path) -> None:
        """An unlocked file whose content another name asks for again."""
        annex(dataset, "unlock", "a.txt")
        git(dataset, "commit", "-qm", "unlocked")
        write(dataset, "same", (dataset / "a.txt").read_text())
        save(dataset)
        (dataset / "a.txt").write_text("changed in place")
        assert (dataset / "same").read_text() == "a\n"
        save(dataset)
        without_complaint(dataset)


def _content(folder: Path, path: bytes) -> bytes | None:
    place = os.path.join(os.fsencode(folder), path)
    if not os.path.isfile(place):
        return None
    with open(place, "rb") as file:
        return file.read()


def _link(folder: Path, path: bytes) -> bytes:
    place = os.path.join(os.fsencode(folder), path)
    return os.readlink(place) if os.path.islink(place) else b""


class TestLargeContents:
    def test_they_are_hashed_in_threads_and_in_order(self, dataset: Path) -> None:
        for number in range(6):
            write(dataset, f"large/{number}", bytes([number]) * ((2 << 20) + number))
        records = save(dataset, jobs=3)
        assert [record["item"] for record in records[:-1]] == [f"large/{number}" for number in range(6)]
        without_complaint(dataset)

    def test_they_can_go_to_git_in_pieces(self, dataset: Path) -> None:
        content = os.urandom(1 << 20) * 17
        write(dataset, "large.txt", content)
        save(dataset, to_git=True)
        done = subprocess.run(["git", "show", "HEAD:large.txt"], cwd=dataset, capture_output=True, check=True)
        assert done.stdout == content
        without_complaint(dataset)


def test_many_saves_one_after_the_other_stay_sound(copy: Callable[[], Path]) -> None:
    dataset = copy()
    for number in range(12):
        write(dataset, f"{number % 3}/{number}", f"content {number}")
        write(dataset, "counter", str(number))
        save(dataset)
    assert git(dataset, "rev-list", "--count", "HEAD") == "15\n"
    without_complaint(dataset)
