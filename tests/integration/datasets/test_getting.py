"""Contents are brought here from whoever has them: verified, logged, and with git-annex where that is needed."""

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import engram
from engram.datasets.annex.hashdirs import log_path, object_path
from engram.datasets.annex.receiving import Receiving
from engram.durable import Steps
from engram.model.errors import UsageError
from engram.model.outcome import IncompleteResults
from engram.testing.malice import git_annex_branch_with
from engram.testing.places import Template, contents, remove_tree
from engram.workspace.context import Context
from engram.workspace.getting import Getting
from tests.interop.peers import annex, create, git, keys_of, notes, save, told, without_complaint, write

Copier = Callable[[str], Path]


def get(folder: Path, *paths: str, configuration: tuple[str, ...] = (), **options: Any) -> list[dict[str, Any]]:
    context = Context(folder=str(folder), environment=dict(os.environ), git_configuration=configuration)
    return [outcome.as_json() for outcome in Getting(context).get(paths, **options)]


def planned(folder: Path, *paths: str, **options: Any) -> list[tuple[str, str, str]]:
    plan = Getting(Context(folder=str(folder), environment=dict(os.environ))).plan_get(paths, **options)
    return [(step.action, step.item, step.why) for step in (*plan.steps, *plan.refused)]


def clone(source: Path, target: Path, *words: str) -> Path:
    git(source.parent, "clone", "--quiet", *words, str(source), str(target))
    annex(target, "init", "--quiet", "clone")
    return target


@pytest.fixture(scope="module")
def original(git_annex: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with locked and unlocked files, one executable, one in git, one content twice."""
    folder = tmp_path_factory.mktemp("original") / "ds"
    create(folder, backend="SHA256E")
    write(folder, "in-git.txt", "in git\n")
    save(folder, to_git=True)
    write(folder, "a.txt", "a\n")
    write(folder, "d/b.bin", b"\0\1\2")
    write(folder, "d/twin.bin", b"\0\1\2")
    write(folder, "free.txt", "unlocked\n")
    write(folder, "run.sh", "#!/bin/sh\n", mode=0o755)
    save(folder, message="some files")
    annex(folder, "unlock", "free.txt", "run.sh")
    git(folder, "commit", "--quiet", "-m", "unlocked")
    return folder


@pytest.fixture(scope="module")
def cloned(original: Path) -> Path:
    return clone(original, original.parent / "clone")


@pytest.fixture
def copies(tmp_path: Path) -> Callable[[Path], Path]:
    """Makes copies of datasets, all of which stay."""
    count = iter(range(100))

    def fresh(folder: Path) -> Path:
        under = tmp_path / f"copy-{next(count)}"
        under.mkdir()
        made = Template(folder, under).fresh()
        git(made, "update-index", "-q", "--really-refresh")
        return made

    return fresh


@pytest.fixture
def here(cloned: Path, copies: Callable[[Path], Path]) -> Path:
    """A clone in which nothing is."""
    return copies(cloned)


@pytest.fixture
def origin(original: Path, here: Path, copies: Callable[[Path], Path]) -> Path:
    """The clone's own origin, which may be spoiled."""
    folder = copies(original)
    git(here, "remote", "set-url", "origin", str(folder))
    return folder


def spoil(folder: Path, path: str, data: bytes | None) -> Path:
    """Replace a content by other bytes, or take it away."""
    place = folder / ".git" / os.fsdecode(object_path(os.fsencode(keys_of(folder)[path])))
    place.parent.chmod(0o755)
    place.unlink()
    if data is not None:
        place.write_bytes(data)
        place.chmod(0o444)
    return place


def second(here: Path, origin: Path, copies: Callable[[Path], Path], cost: int) -> Path:
    """Another sibling that has everything."""
    other = clone(origin, here.parent / "second")
    annex(other, "get", "--quiet", ".")
    git(here, "remote", "add", "second", str(other))
    git(here, "config", "remote.second.annex-cost", str(cost))
    git(here, "fetch", "--quiet", "second")
    annex(here, "merge", "--quiet")
    annex(here, "info", "--fast", "--quiet")
    return other


class TestFromASibling:
    def test_a_file_comes_with_its_content_and_everybody_knows(self, here: Path) -> None:
        records = get(here, "a.txt")
        assert told(records, here) == [("get", "ok", "file", "a.txt", keys_of(here)["a.txt"])]
        assert records[0]["note"] == "from origin..."
        assert records[0]["moved_bytes"] == 2
        assert records[0]["annexkey"] == records[0]["key"]
        assert (here / "a.txt").read_text() == "a\n"
        assert "[here]" in annex(here, "whereis", "a.txt")
        assert "a.txt (checksum...) ok" in annex(here, "fsck", "a.txt")

    def test_everything_comes_and_nobody_has_anything_to_complain_about(self, here: Path) -> None:
        assert {record["status"] for record in get(here, ".")} == {"ok"}
        without_complaint(here)
        assert (here / "run.sh").read_text() == "#!/bin/sh\n"

    def test_the_source_stays_as_it_was(self, here: Path, origin: Path) -> None:
        before = contents(origin)
        get(here, ".")
        assert contents(origin) == before

    def test_what_is_here_is_not_needed(self, here: Path) -> None:
        get(here, "a.txt", "d")
        assert told(get(here, "a.txt", "d", "in-git.txt"), here) == [
            ("get", "notneeded", "file", "a.txt", ""),
            ("get", "notneeded", "directory", "d", ""),
            ("get", "notneeded", "file", "in-git.txt", ""),
        ]

    def test_a_folder_is_told_of_after_its_files(self, here: Path) -> None:
        assert [record[1:4] for record in told(get(here, "d"), here)] == [
            ("ok", "file", "d/b.bin"),
            ("ok", "file", "d/twin.bin"),
            ("ok", "directory", "d"),
        ]

    def test_a_content_that_two_files_want_moves_once(self, here: Path) -> None:
        assert [record["moved_bytes"] for record in get(here, "d")] == [3, 0, 0]

    def test_what_nobody_saved_cannot_be_got(self, here: Path) -> None:
        write(here, "new.txt", "new")
        (record,) = get(here, "new.txt")
        assert (record["status"], record["error"]) == ("impossible", "PathNotFound")

    def test_a_sibling_that_belongs_to_somebody_else_and_may_not_be_written_to_will_do(
        self, here: Path, origin: Path, as_root: None
    ) -> None:
        subprocess.run(["chown", "-R", "12345", str(origin)], check=True)
        subprocess.run(["chmod", "-R", "a-w,a+rX", str(origin)], check=True)
        before = contents(origin)
        assert notes(get(here, "a.txt")) == {"from origin..."}
        assert contents(origin) == before

    def test_where_all_is_here_nothing_need_be_written(self, here: Path) -> None:
        get(here, ".")
        before = contents(here)
        assert {record["status"] for record in get(here, ".")} == {"notneeded"}
        assert contents(here) == before

    def test_a_sibling_whose_name_for_itself_climbs_out_makes_nothing_there(self, here: Path, origin: Path) -> None:
        climbs = "../" * 40 + str(here.parent).lstrip("/") + "/escaped"
        key = os.fsencode(keys_of(here)["a.txt"])
        git(here, "config", "--unset", "remote.origin.annex-uuid")
        git(origin, "config", "annex.uuid", climbs)
        git_annex_branch_with(here, {log_path(key).decode(): f"1s 1 {climbs}\n".encode()})
        (here / ".git/annex/tmp").mkdir(exist_ok=True)
        (here / ".git/annex/tmp" / os.fsdecode(key)).write_bytes(b"")  # so that it is resumed, as large ones are
        get(here, "a.txt")
        assert not (here.parent / "escaped").exists()

    def test_a_bare_sibling_keeps_contents_in_its_own_layout(self, here: Path, origin: Path, tmp_path: Path) -> None:
        bare = clone(origin, tmp_path / "bare.git", "--bare")
        annex(origin, "copy", "--quiet", "--to", str(bare), ".", fine=(0, 1))
        git(origin, "remote", "add", "bare", str(bare))
        annex(origin, "copy", "--quiet", "--to", "bare", ".")
        annex(origin, "sync", "--quiet", "--no-content", "bare", fine=(0, 1))
        git(here, "remote", "set-url", "origin", str(bare))
        git(here, "config", "--unset", "remote.origin.annex-uuid")
        git(here, "fetch", "--quiet")
        assert notes(get(here, "a.txt")) == {"from origin..."}
        assert (here / "a.txt").read_text() == "a\n"

    def test_a_link_is_made_instead_of_a_copy_where_the_user_said_so(self, here: Path) -> None:
        git(here, "config", "annex.hardlink", "true")
        get(here, "a.txt")
        assert (here / "a.txt").stat().st_nlink == 2

    def test_a_link_is_not_made_of_wrong_bytes(self, here: Path, origin: Path) -> None:
        git(here, "config", "annex.hardlink", "true")
        spoil(origin, "a.txt", b"b\n")
        assert [record["status"] for record in get(here, "a.txt")] == ["error"]
        assert not (here / "a.txt").exists()

    def test_contents_of_a_key_without_a_checksum_come(self, here: Path, origin: Path) -> None:
        write(origin, "worm.txt", "worm")
        annex(origin, "add", "--quiet", "--backend=WORM", "worm.txt")
        git(origin, "commit", "--quiet", "-m", "worm")
        git(here, "pull", "--quiet", "--no-rebase")
        assert notes(get(here, "worm.txt")) == {"from origin..."}
        assert (here / "worm.txt").read_text() == "worm"


class TestUnlockedFiles:
    def test_they_get_their_content_and_git_need_not_look_at_it(self, here: Path) -> None:
        get(here, "free.txt", "run.sh")
        assert (here / "free.txt").read_text() == "unlocked\n"
        assert stat.S_IMODE((here / "run.sh").stat().st_mode) & 0o100
        later = (here / "free.txt").stat().st_mtime + 2  # what is as old as the index is looked at again by git
        os.utime(here / ".git" / "index", (later, later))
        assert git(here, "-c", "filter.annex.process=false", "status", "--porcelain", "free.txt", "run.sh") == ""

    def test_one_that_was_not_named_gets_the_content_it_shares(self, here: Path, origin: Path) -> None:
        write(origin, "free2.txt", "a\n")
        save(origin)
        annex(origin, "unlock", "free2.txt")
        git(origin, "commit", "--quiet", "-m", "unlocked")
        git(here, "pull", "--quiet", "--no-rebase")
        get(here, "a.txt")
        assert (here / "free2.txt").read_text() == "a\n"

    def test_one_that_was_written_to_meanwhile_is_left_alone(self, here: Path) -> None:
        write(here, "free.txt", "my own words")
        get(here, "free.txt")
        assert (here / "free.txt").read_text() == "my own words"

    def test_a_pointer_whose_content_came_before_is_filled(self, here: Path) -> None:
        get(here, "free.txt")
        key = keys_of(here)["free.txt"]
        (here / "free.txt").write_text(f"/annex/objects/{key}\n")
        get(here, "free.txt")
        assert (here / "free.txt").read_text() == "unlocked\n"


class TestSeveralSources:
    def test_the_cheaper_one_is_asked(self, here: Path, origin: Path, copies: Callable[[Path], Path]) -> None:
        second(here, origin, copies, 50)
        assert notes(get(here, "a.txt")) == {"from second..."}

    @pytest.mark.parametrize("bytes_there", [b"b\n", b"a", b"a\n and more", None])
    def test_the_next_one_is_asked_when_the_first_has_no_good_copy(
        self, here: Path, origin: Path, copies: Callable[[Path], Path], bytes_there: bytes | None
    ) -> None:
        second(here, origin, copies, 200)
        spoil(origin, "a.txt", bytes_there)
        (record,) = get(here, "a.txt")
        assert record["status"] == "ok"
        assert record["note"].startswith("from second...; origin ") or "origin" in record["note"]
        assert (here / "a.txt").read_text() == "a\n"

    def test_the_next_one_is_asked_when_the_first_is_gone(
        self, here: Path, origin: Path, copies: Callable[[Path], Path]
    ) -> None:
        second(here, origin, copies, 200)
        git(here, "remote", "set-url", "origin", str(origin) + "-moved")
        assert notes(get(here, "a.txt")) == {"from second..."}

    def test_a_source_that_lies_is_named_with_the_key(self, here: Path, origin: Path) -> None:
        spoil(origin, "a.txt", b"b\n")
        (record,) = get(here, "a.txt")
        assert (record["status"], record["error"]) == ("error", "ChecksumMismatch")
        assert "origin holds wrong bytes" in record["message"]
        assert keys_of(here)["a.txt"] in record["message"]
        assert not (here / "a.txt").exists()
        assert "[here]" not in annex(here, "whereis", "a.txt")

    def test_a_folder_with_a_failure_in_it_is_not_called_got(self, here: Path, origin: Path) -> None:
        spoil(origin, "d/b.bin", None)
        write(origin, "d/c.bin", "c")
        save(origin)
        git(here, "pull", "--quiet", "--no-rebase")
        assert [record[1:4] for record in told(get(here, "d"), here)] == [
            ("ok", "file", "d/c.bin"),
            ("error", "file", "d/b.bin"),
            ("error", "file", "d/twin.bin"),
            ("impossible", "directory", "d"),
        ]

    def test_the_named_one_alone_is_asked(self, here: Path, origin: Path, copies: Callable[[Path], Path]) -> None:
        second(here, origin, copies, 50)
        assert notes(get(here, "a.txt", source="origin")) == {"from origin..."}

    def test_no_other_one_is_asked_when_the_named_one_fails(
        self, here: Path, origin: Path, copies: Callable[[Path], Path]
    ) -> None:
        second(here, origin, copies, 50)
        spoil(origin, "a.txt", None)
        assert [record["status"] for record in get(here, "a.txt", source="origin")] == ["error"]

    def test_a_source_that_nobody_knows_is_refused(self, here: Path) -> None:
        with pytest.raises(UsageError, match="nobody is no sibling"):
            get(here, "a.txt", source="nobody")

    def test_a_dead_repository_is_asked_no_more(self, here: Path, origin: Path) -> None:
        annex(here, "dead", "--quiet", "origin")
        (record,) = get(here, "a.txt")
        assert (record["status"], record["error"]) == ("error", "Unavailable")

    def test_one_that_may_have_it_though_no_log_says_so_is_asked(self, here: Path, origin: Path) -> None:
        annex(origin, "drop", "--quiet", "--force", "a.txt")
        write(origin / ".git", os.fsdecode(object_path(os.fsencode(keys_of(origin)["a.txt"]))), "a\n")
        git(here, "fetch", "--quiet")
        assert [record["status"] for record in get(here, "a.txt")] == ["error"]
        git(here, "config", "remote.origin.annex-speculate-present", "true")
        assert notes(get(here, "a.txt")) == {"from origin..."}

    def test_one_that_is_to_be_left_alone_is(self, here: Path) -> None:
        git(here, "config", "remote.origin.annex-ignore", "true")
        assert [record["status"] for record in get(here, "a.txt")] == ["error"]

    def test_a_special_remote_that_nobody_enabled_here_is_named(self, here: Path, origin: Path, tmp_path: Path) -> None:
        store = tmp_path / "store"
        store.mkdir()
        annex(origin, "initremote", "back-up", "type=directory", f"directory={store}", "encryption=none")
        annex(origin, "move", "--quiet", "--to", "back-up", "a.txt")
        git(here, "fetch", "--quiet")
        (record,) = get(here, "a.txt")
        assert record["error"] == "Unavailable"
        assert "a special remote that is not enabled here: git annex enableremote -- back-up" in record["message"]
        annex(here, "enableremote", "back-up", f"directory={store}")
        (record,) = get(here, "a.txt")
        assert "not enabled" not in record["message"]

    def test_what_nobody_has_is_said_to_be_so(self, here: Path, origin: Path) -> None:
        annex(origin, "drop", "--quiet", "--force", "a.txt")
        git(here, "fetch", "--quiet")
        (record,) = get(here, "a.txt")
        assert (record["status"], record["error"]) == ("error", "Unavailable")
        assert "no other repository is known to have it" in record["message"]


class TestByGitAnnex:
    def _store(self, here: Path, folder: Path) -> None:
        """A special remote that has two files, and is cheaper than the origin."""
        folder.mkdir()
        annex(here, "initremote", "--quiet", "store", "type=directory", f"directory={folder}", "encryption=none")
        annex(here, "get", "--quiet", "a.txt", "free.txt")
        annex(here, "move", "--quiet", "--to", "store", "a.txt", "free.txt")
        git(here, "config", "remote.store.annex-cost", "10")

    def test_what_lies_in_a_special_remote_comes_with_it(self, here: Path, tmp_path: Path) -> None:
        self._store(here, tmp_path / "store")
        records = get(here, "a.txt", "free.txt", "d")
        assert {record["status"] for record in records} == {"ok"}
        assert notes(records) == {"from store...", "from origin..."}
        assert (here / "free.txt").read_text() == "unlocked\n"
        assert annex(here, "find", "--in", "here").split() == ["a.txt", "d/b.bin", "d/twin.bin", "free.txt"]
        assert git(here, "status", "--porcelain") == ""

    def test_its_failures_are_told(self, here: Path, tmp_path: Path) -> None:
        self._store(here, tmp_path / "store")
        git(here, "config", "remote.origin.annex-ignore", "true")
        remove_tree(tmp_path / "store")
        (record,) = get(here, "a.txt")
        assert (record["status"], record["error"]) == ("error", "Unavailable")
        assert "store" in record["message"]

    def test_another_repository_in_a_siblings_place_is_for_git_annex(self, here: Path, origin: Path) -> None:
        git(here, "config", "remote.origin.annex-uuid", "11111111-2222-3333-4444-555555555555")
        assert notes(get(here, "a.txt")) == {"from origin..."}
        assert git(here, "config", "remote.origin.annex-uuid").strip() == git(origin, "config", "annex.uuid").strip()

    def test_what_this_repository_does_not_want_is_left(self, here: Path) -> None:
        annex(here, "wanted", ".", "exclude=*.txt")
        records = get(here, "a.txt", "d/b.bin")
        assert [(record["item"], record["status"]) for record in records] == [("d/b.bin", "ok"), ("a.txt", "notneeded")]
        assert not (here / "a.txt").exists()

    def test_a_word_for_other_contents_is_refused(self, here: Path) -> None:
        with pytest.raises(UsageError, match="--data"):
            get(here, "a.txt", which="some")

    def test_a_clone_that_git_annex_never_saw_is_initialised(self, original: Path, tmp_path: Path) -> None:
        git(tmp_path, "clone", "--quiet", str(original), "fresh")
        assert [record["status"] for record in get(tmp_path / "fresh", "a.txt")] == ["ok"]
        assert git(tmp_path / "fresh", "config", "annex.uuid")
        assert "[here]" in annex(tmp_path / "fresh", "whereis", "a.txt")


class TestWithoutAnAnnex:
    def test_everything_is_here_already(self, tmp_path: Path) -> None:
        git(tmp_path, "init", "--quiet", "plain")
        write(tmp_path / "plain", "a.txt")
        git(tmp_path / "plain", "add", "a.txt")
        records = get(tmp_path / "plain", "a.txt")
        assert [(record["status"], record["note"]) for record in records] == [
            ("notneeded", "no dataset annex, content already present")
        ]


class TestAfterACrash:
    def _place(self, here: Path, origin: Path, data: bytes) -> bytes:
        """What a get leaves that died before it wrote the log."""
        key = os.fsencode(keys_of(here)["a.txt"])
        receiving = Receiving(Steps(), git_dir=os.fsencode(here / ".git"))
        receiving.clear_what_a_crash_left()
        receiving.take(key, os.fsencode(origin / ".git" / os.fsdecode(object_path(key))), "origin")
        receiving.settle()
        return key

    def test_a_content_that_no_log_tells_of_is_logged(self, here: Path, origin: Path) -> None:
        self._place(here, origin, b"a\n")
        assert "[here]" not in annex(here, "whereis", "a.txt")
        assert [record["status"] for record in get(here, "a.txt")] == ["notneeded"]
        assert "[here]" in annex(here, "whereis", "a.txt")

    def test_wrong_bytes_that_no_log_tells_of_are_not_logged(self, here: Path, origin: Path) -> None:
        self._place(here, origin, b"a\n")
        spoil(here, "a.txt", b"b\n")
        (record,) = get(here, "a.txt")
        assert (record["status"], record["error"]) == ("error", "ChecksumMismatch")
        assert "[here]" not in annex(here, "whereis", "a.txt")

    @pytest.mark.parametrize(("text", "status"), [("unlocked\n", ""), ("UNLOCKED\n", " M free.txt\n")])
    def test_the_index_learns_of_a_file_that_was_filled_and_of_no_other(
        self, here: Path, origin: Path, text: str, status: str
    ) -> None:
        index = (here / ".git/index").read_bytes()
        get(here, "free.txt")
        (here / ".git/index").write_bytes(index)  # as it was when the file still was a pointer
        (here / "free.txt").write_text(text)
        assert git(here, "-c", "filter.annex.process=", "-c", "filter.annex.clean=", "diff-files", "--name-only") != ""
        assert {record["status"] for record in get(here, "free.txt")} == {"notneeded"}
        assert git(here, "status", "--porcelain", "free.txt") == status


class TestRoom:
    def test_what_does_not_fit_is_not_begun(self, here: Path) -> None:
        git(here, "config", "annex.diskreserve", "100000 petabytes")
        (record,) = get(here, "a.txt")
        assert (record["status"], record["error"]) == ("error", "NoRoom")
        assert "annex.diskreserve" in record["remedy"]
        assert not (here / "a.txt").exists()

    def test_what_is_empty_needs_none(self, here: Path, origin: Path) -> None:
        write(origin, "empty.dat")
        annex(origin, "add", "--quiet", "--force-large", "empty.dat")
        git(origin, "commit", "--quiet", "-m", "empty")
        git(here, "pull", "--quiet", "--no-rebase")
        git(here, "config", "annex.diskreserve", "100000 petabytes")
        assert [record["status"] for record in get(here, "empty.dat")] == ["ok"]


class TestPlans:
    def test_a_plan_tells_what_would_come_from_where_and_changes_nothing(self, here: Path) -> None:
        before = contents(here)
        assert planned(here, "a.txt", "d") == [
            ("get", "a.txt", "from origin"),
            ("get", "d/b.bin", "from origin"),
        ]
        assert contents(here) == before


class TestFromPython:
    def test_it_is_a_function_with_datalads_arguments(self, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(here)
        (outcome,) = engram.get("a.txt", source="origin", jobs=2)
        assert (outcome.action, outcome.status, outcome.note) == ("get", "ok", "from origin...")
        assert {one.status for one in engram.get(dataset=here, recursive=True, recursion_limit=1)} == {"ok"}

    def test_what_failed_is_raised_with_everything_that_came(
        self, here: Path, origin: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        spoil(origin, "a.txt", b"b\n")
        monkeypatch.chdir(here)
        with pytest.raises(IncompleteResults) as caught:
            engram.get(["a.txt", "free.txt"])
        assert [outcome.status for outcome in caught.value.outcomes] == ["ok", "error"]
