"""Drop removes a content only when another copy of it is proven: looked at, of its own, and locked."""

import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engram.datasets.dataset import Surroundings, open_dataset
from engram.datasets.dropping.dropping import Dropper, DropRequest
from engram.durable import AnyPath, Steps
from engram.model.errors import StorageFailed
from engram.testing.faults import Lacking
from engram.testing.places import Template, scratch
from tests.integration.clones import (
    connect,
    delete,
    drop,
    fresh,
    has,
    key_of,
    locked,
    object_of,
    remove,
    rewrite,
    says_it_has,
    two_clones,
    uuid_of,
)
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
    """Datasets ``a`` and ``b`` that both hold everything, and know it."""
    return fresh(template)


@pytest.fixture
def clone(folder: Path) -> Path:
    return folder / "b"


def statuses(records: list[dict[str, Any]]) -> dict[str, str]:
    return {record["item"]: str(record["status"]) for record in records}


def _move(place: Path, to: Path) -> None:
    """Move a folder past the permissions of the one it lies in, and its own."""
    place.parent.chmod(0o755)
    place.chmod(0o755)
    place.rename(to)


class TestWhatIsProven:
    def test_goes_and_the_log_says_so_and_git_annex_agrees(self, folder: Path, clone: Path) -> None:
        records = drop(clone, "a.dat", "d/e")
        assert statuses(records) == {"a.dat": "ok", "d/e/c.dat": "ok", "d/e": "ok"}
        assert not has(clone, "a.dat")
        assert not says_it_has(clone, "a.dat", clone)
        assert says_it_has(clone, "a.dat", folder / "a")
        assert has(clone, "d/b.dat")
        annex(clone, "fsck", "-q")
        assert git(clone, "status", "--porcelain") == ""

    def test_leaves_no_lock_no_empty_folder_and_no_open_door(self, folder: Path, clone: Path) -> None:
        drop(clone)
        assert list((clone / ".git/annex/objects").iterdir()) == []
        kept = folder / "a/.git/annex/objects"
        assert not list(kept.rglob("*.lck"))
        for name in ("a.dat", "d/b.dat"):
            assert stat.S_IMODE(object_of(folder / "a", name).parent.stat().st_mode) == 0o555

    def test_goes_for_every_file_that_has_it(self, clone: Path) -> None:
        (record,) = drop(clone, "a.dat")
        assert record["note"] == "with it that of d/same.dat"
        assert not (clone / "d/same.dat").exists()

    def test_comes_back_from_the_sibling(self, clone: Path) -> None:
        drop(clone)
        annex(clone, "get", "-q", ".")
        assert (clone / "a.dat").read_text() == "a" * 3000

    def test_is_dropped_by_key_too(self, clone: Path) -> None:
        records = drop(clone, what="allkeys")
        assert {(record["type"], str(record["status"])) for record in records} == {("key", "ok")}
        assert annex(clone, "find") == ""

    def test_takes_versions_along_that_no_file_has_any_more(self, clone: Path) -> None:
        key = key_of(clone, "d/b.dat")
        git(clone, "rm", "-q", "d/b.dat")
        git(clone, "commit", "-qm", "gone")
        assert os.fsdecode(key) in {record["key"] for record in drop(clone, what="allkeys")}

    def test_a_second_time_there_is_nothing_to_drop(self, clone: Path) -> None:
        drop(clone)
        (record,) = drop(clone)
        assert (str(record["status"]), record["note"]) == ("notneeded", f"nothing to drop from {clone}")

    def test_is_dropped_where_the_sibling_is_bare(self, folder: Path, clone: Path) -> None:
        git(folder, "clone", "-q", "--bare", "b", "bare")
        annex(folder / "bare", "init", "-q", "bare")
        connect(folder, "b", "bare", "bare")
        annex(clone, "copy", "-q", "--to", "bare", ".")
        git(clone, "remote", "remove", "origin")
        assert statuses(drop(clone, "a.dat")) == {"a.dat": "ok"}
        assert not says_it_has(clone, "a.dat", clone)

    def test_a_clock_that_went_back_does_not_make_the_log_forget_it(self, folder: Path, clone: Path) -> None:
        dataset = open_dataset(str(clone), Surroundings(environment=dict(os.environ)))
        outcomes = list(Dropper(dataset, DropRequest(scopes=(b"a.dat",)), clock=lambda: 1000.0).carry_out())
        assert [str(outcome.status) for outcome in outcomes] == ["ok"]
        assert not says_it_has(clone, "a.dat", clone)

    def test_hard_links_to_the_same_bytes_are_two_copies(self, folder: Path, clone: Path) -> None:
        mine, theirs = object_of(clone, "a.dat"), object_of(folder / "a", "a.dat")
        delete(mine)
        os.link(theirs, mine)
        mine.parent.chmod(0o555)
        assert statuses(drop(clone, "a.dat")) == {"a.dat": "ok"}
        assert theirs.read_text() == "a" * 3000


class TestWhatIsNotProven:
    """Each time somebody claims to have the content; nobody else has."""

    def refused(self, clone: Path, *because: str) -> dict[str, Any]:
        record = drop(clone, "a.dat")[0]
        assert has(clone, "a.dat"), "the last copy is gone"
        assert (str(record["status"]), record["error"]) == ("error", "TooFewCopies")
        assert says_it_has(clone, "a.dat", clone)
        for text in ("unsafe; Could not verify the existence of the 1 necessary copy", *because):
            assert text in record["message"]
        assert "--reckless availability" in record["remedy"]
        return record

    def test_the_log_lies(self, folder: Path, clone: Path) -> None:
        delete(object_of(folder / "a", "a.dat"))
        self.refused(clone, "origin does not hold it, whatever the log says")

    def test_the_sibling_holds_another_size(self, folder: Path, clone: Path) -> None:
        rewrite(object_of(folder / "a", "a.dat"), "cut short")
        self.refused(clone, "origin holds 9 bytes where 3000 belong")

    @pytest.mark.parametrize("thin", ["true", "false"])
    def test_somebody_wrote_into_the_very_file_of_a_thin_sibling(self, folder: Path, clone: Path, thin: str) -> None:
        """There the file of the work tree is the object."""
        git(folder / "a", "config", "annex.thin", "true")
        annex(folder / "a", "unlock", "-q", "a.dat")
        with open(folder / "a" / "a.dat", "r+b") as file:
            file.write(b"b")
        git(folder / "a", "config", "annex.thin", thin)
        self.refused(clone)

    def test_the_sibling_holds_a_link_to_our_own_object(self, folder: Path, clone: Path) -> None:
        place = object_of(folder / "a", "a.dat")
        delete(place)
        place.symlink_to(object_of(clone, "a.dat"))
        self.refused(clone, "origin holds a link in its place")

    def test_the_sibling_keeps_its_contents_in_our_dataset(self, folder: Path, clone: Path) -> None:
        theirs = folder / "a/.git/annex"
        theirs.rename(folder / "theirs")
        theirs.symlink_to(clone / ".git/annex")
        self.refused(clone, "origin keeps its contents in this very dataset")

    @pytest.mark.parametrize("depth", [1, 2, 3])
    def test_a_folder_of_the_sibling_is_ours(self, folder: Path, clone: Path, depth: int) -> None:
        theirs, ours = object_of(folder / "a", "a.dat"), object_of(clone, "a.dat")
        for _ in range(depth):
            theirs, ours = theirs.parent, ours.parent
        _move(theirs, folder / "theirs")
        theirs.symlink_to(ours)
        self.refused(clone, "origin")

    def test_the_sibling_is_another_repository_now(self, folder: Path, clone: Path) -> None:
        git(folder / "a", "config", "annex.uuid", "11111111-2222-3333-4444-555555555555")
        self.refused(clone, "origin is another repository than it was")

    def test_the_sibling_is_this_very_dataset(self, folder: Path, clone: Path) -> None:
        (folder / "elsewhere").symlink_to(clone)
        git(clone, "remote", "set-url", "origin", "../elsewhere")
        self.refused(clone)

    def test_the_sibling_is_a_copy_of_this_dataset_with_its_uuid(self, folder: Path, clone: Path) -> None:
        shutil.copytree(clone, folder / "copy", symlinks=True)
        git(clone, "remote", "set-url", "origin", "../copy")
        git(clone, "config", "remote.origin.annex-uuid", uuid_of(clone))
        self.refused(clone)

    def test_the_sibling_is_not_there(self, folder: Path, clone: Path) -> None:
        (folder / "a").rename(folder / "unplugged")
        self.refused(clone)

    def test_the_sibling_is_ignored(self, clone: Path) -> None:
        git(clone, "config", "remote.origin.annex-ignore", "true")
        self.refused(clone)

    @pytest.mark.parametrize("level", ["untrusted", "dead"])
    def test_the_sibling_is_distrusted(self, clone: Path, level: str) -> None:
        git(clone, "config", "remote.origin.annex-trustlevel", level)
        self.refused(clone)

    def test_the_log_of_every_clone_distrusts_it(self, clone: Path) -> None:
        annex(clone, "untrust", "-q", "origin")
        self.refused(clone)

    def test_the_sibling_drops_it_just_now(self, folder: Path, clone: Path) -> None:
        with locked(object_of(folder / "a", "a.dat"), fcntl.F_WRLCK):
            self.refused(clone, "origin does not let its copy be locked")

    def test_the_log_says_nobody_else_has_it(self, folder: Path, clone: Path) -> None:
        annex(clone, "setpresentkey", os.fsdecode(key_of(clone, "a.dat")), uuid_of(folder / "a"), "0")
        self.refused(clone)

    def test_two_copies_are_wanted(self, clone: Path) -> None:
        annex(clone, "numcopies", "2", "-q")
        record = drop(clone, "a.dat")[0]
        assert "Could only verify the existence of 1 out of 2 necessary copies" in record["message"]
        assert has(clone, "a.dat")

    def test_an_attribute_of_another_file_with_this_content_wants_two(self, clone: Path) -> None:
        (clone / ".gitattributes").write_text((clone / ".gitattributes").read_text() + "d/same.dat annex.numcopies=2\n")
        git(clone, "commit", "-qam", "more")
        assert statuses(drop(clone, "a.dat")) == {"a.dat": "error"}
        assert statuses(drop(clone, "d/b.dat")) == {"d/b.dat": "ok"}

    def test_one_sibling_under_two_names_is_one_copy(self, folder: Path, clone: Path) -> None:
        annex(clone, "numcopies", "2", "-q")
        connect(folder, "b", "again", "a")
        assert "1 out of 2" in drop(clone, "a.dat")[0]["message"]

    def test_siblings_that_share_an_annex_are_one_copy(self, folder: Path, clone: Path) -> None:
        annex(clone, "numcopies", "2", "-q")
        git(folder, "clone", "-q", "a", "leech")
        annex(folder / "leech", "init", "-q", "leech")
        shutil.rmtree(folder / "leech/.git/annex/objects", ignore_errors=True)
        (folder / "leech/.git/annex/objects").symlink_to(folder / "a/.git/annex/objects")
        connect(folder, "b", "leech", "leech")
        annex(clone, "setpresentkey", os.fsdecode(key_of(clone, "a.dat")), uuid_of(folder / "leech"), "1")
        record = drop(clone, "a.dat")[0]
        assert "1 out of 2" in record["message"]
        assert "holds the same file as another sibling" in record["message"]

    def test_and_to_insist_drops_it(self, folder: Path, clone: Path) -> None:
        delete(object_of(folder / "a", "a.dat"))
        assert statuses(drop(clone, "a.dat", reckless="availability")) == {"a.dat": "ok"}
        assert not says_it_has(clone, "a.dat", clone)


class TestWhatIsInUse:
    def test_is_not_dropped_while_somebody_counts_on_it(self, clone: Path) -> None:
        with locked(object_of(clone, "a.dat"), fcntl.F_RDLCK):
            record = drop(clone, "a.dat")[0]
        assert record["message"] == "somebody else uses it just now."
        assert has(clone, "a.dat")
        assert says_it_has(clone, "a.dat", clone)

    def test_is_not_dropped_when_somebody_far_away_was_promised_it(self, clone: Path) -> None:
        place = object_of(clone, "a.dat")
        place.parent.chmod(0o755)
        Path(f"{place}.rtm").write_text("99999999999")
        place.parent.chmod(0o555)
        record = drop(clone, "a.dat")[0]
        assert "handed to git-annex" in record["note"]
        assert has(clone, "a.dat") is (str(record["status"]) == "error")


class TestWhatIsNotSaved:
    def test_an_untracked_file_keeps_all_from_being_dropped(self, clone: Path) -> None:
        (clone / "new.dat").write_text("new")
        (record,) = drop(clone)
        assert (str(record["status"]), record["item"]) == ("impossible", "new.dat")
        assert record["message"] == "cannot drop untracked content, save first"
        assert has(clone, "a.dat")

    def test_unless_the_user_insists(self, clone: Path) -> None:
        (clone / "new.dat").write_text("new")
        assert "error" not in statuses(drop(clone, reckless="modification")).values()
        assert not has(clone, "a.dat")
        assert (clone / "new.dat").read_text() == "new"

    def test_a_modified_file_keeps_its_folder(self, clone: Path) -> None:
        (clone / "d/b.dat").unlink()
        (clone / "d/b.dat").write_text("changed")
        assert statuses(drop(clone, "d")) == {"d/b.dat": "impossible"}
        assert statuses(drop(clone, "a.dat")) == {"a.dat": "ok"}


class TestAThrowAwayClone:
    def test_does_not_drop_what_is_its_origins(self, folder: Path) -> None:
        git(folder, "clone", "-q", "a", "light")
        light = folder / "light"
        annex(light, "init", "-q")
        shutil.rmtree(light / ".git/annex")
        (light / ".git/annex").symlink_to(folder / "a/.git/annex")
        (record,) = drop(light)
        assert "its contents are those of another dataset" in record["message"]
        assert has(folder / "a", "a.dat")

    def test_can_itself_be_removed(self, folder: Path) -> None:
        git(folder, "clone", "-q", "a", "light")
        light = folder / "light"
        annex(light, "init", "-q")
        shutil.rmtree(light / ".git/annex")
        (light / ".git/annex").symlink_to(folder / "a/.git/annex")
        assert statuses(remove(folder, dataset="light")) == {".": "ok"}
        assert not light.exists()
        assert has(folder / "a", "a.dat")


class TestByGitAnnex:
    """What engram does not look at itself."""

    def handed(self, records: list[dict[str, Any]]) -> bool:
        return all("handed to git-annex" in record["note"] for record in records if record["type"] == "file")

    def test_a_special_remote_is_asked(self, folder: Path, clone: Path) -> None:
        (folder / "store").mkdir()
        annex(clone, "initremote", "-q", "store", "type=directory", f"directory={folder}/store", "encryption=none")
        annex(clone, "copy", "-q", "--to", "store", ".")
        delete(object_of(folder / "a", "a.dat"))
        records = drop(clone, "a.dat", "d/b.dat")
        assert statuses(records) == {"a.dat": "ok", "d/b.dat": "ok"}
        assert {record["item"]: bool(record["note"]) for record in records} == {"a.dat": True, "d/b.dat": False}
        assert not says_it_has(clone, "a.dat", clone)

    def test_a_sibling_whose_files_are_its_objects_is_asked(self, folder: Path, clone: Path) -> None:
        git(folder / "a", "config", "annex.thin", "true")
        annex(folder / "a", "unlock", "-q", "a.dat")
        records = drop(clone, "a.dat")
        assert statuses(records) == {"a.dat": "ok"}
        assert self.handed(records)

    def test_a_sibling_that_lied_is_not_believed_by_git_annex_either(self, folder: Path, clone: Path) -> None:
        (folder / "store").mkdir()
        annex(clone, "initremote", "-q", "store", "type=directory", f"directory={folder}/store", "encryption=none")
        annex(clone, "copy", "-q", "--to", "store", "a.dat")
        for place in (folder / "store").rglob("SHA256E*"):
            if place.is_file():
                delete(place)
        rewrite(object_of(folder / "a", "a.dat"), "cut short")
        records = drop(clone, "a.dat")
        assert statuses(records) == {"a.dat": "error"}
        assert has(clone, "a.dat")

    def test_a_liar_whose_name_git_annex_cannot_be_told_keeps_it_from_being_asked(
        self, folder: Path, clone: Path
    ) -> None:
        (folder / "store").mkdir()
        annex(clone, "initremote", "-q", "store", "type=directory", f"directory={folder}/store", "encryption=none")
        annex(clone, "copy", "-q", "--to", "store", "a.dat")
        git(clone, "remote", "rename", "origin", "a=b")
        rewrite(object_of(folder / "a", "a.dat"), "cut short")
        record = drop(clone, "a.dat")[0]
        assert "a=b holds 9 bytes where 3000 belong" in record["message"]
        assert has(clone, "a.dat")

    def test_a_trusted_sibling_that_lied_is_not_believed_either(self, folder: Path, clone: Path) -> None:
        git(clone, "config", "remote.origin.annex-trustlevel", "trusted")
        (folder / "store").mkdir()
        annex(clone, "initremote", "-q", "store", "type=directory", f"directory={folder}/store", "encryption=none")
        annex(clone, "copy", "-q", "--to", "store", "a.dat")
        for place in (folder / "store").rglob("SHA256E*"):
            if place.is_file():
                delete(place)
        delete(object_of(folder / "a", "a.dat"))
        assert statuses(drop(clone, "a.dat")) == {"a.dat": "error"}
        assert has(clone, "a.dat")

    @pytest.mark.parametrize("setting", ["annex.pidlock=true", "annex.thin=true"])
    def test_a_setting_that_changes_the_rules(self, clone: Path, setting: str) -> None:
        git(clone, "config", *setting.split("="))
        assert self.handed(drop(clone, "a.dat"))
        assert not has(clone, "a.dat")

    def test_a_version_whose_locks_are_others(self, folder: Path, clone: Path) -> None:
        git(folder / "a", "config", "annex.version", "8")
        git(folder / "a", "config", "annex.autoupgraderepository", "false")
        assert self.handed(drop(clone, "a.dat"))

    def test_required_content(self, clone: Path) -> None:
        annex(clone, "required", "here", "include=*.dat", "-q")
        record = drop(clone, "a.dat")[0]
        assert "required content" in record["message"]
        assert has(clone, "a.dat")
        annex(clone, "required", "here", "nothing", "-q")
        assert drop(clone, "a.dat")[0]["note"] == "with it that of d/same.dat"

    def test_an_unlocked_file_gets_its_pointer_back(self, clone: Path) -> None:
        annex(clone, "unlock", "-q", "d/b.dat")
        git(clone, "commit", "-qam", "unlocked")
        assert statuses(drop(clone, "d/b.dat")) == {"d/b.dat": "ok"}
        assert (clone / "d/b.dat").read_text().startswith("/annex/objects/")
        assert git(clone, "status", "--porcelain") == ""

    def test_a_trusted_repository_that_is_out_of_reach_counts_as_it_does_there(self, folder: Path, clone: Path) -> None:
        git(clone, "config", "remote.origin.annex-trustlevel", "trusted")
        (folder / "a").rename(folder / "unplugged")
        assert self.handed(drop(clone, "a.dat"))
        assert not has(clone, "a.dat")

    def test_a_linked_work_tree(self, folder: Path, clone: Path) -> None:
        git(clone, "worktree", "add", "-q", "../tree")
        annex(folder / "tree", "init", "-q")
        assert self.handed(drop(folder / "tree", "a.dat"))
        assert not has(clone, "a.dat")


def test_a_dataset_on_a_disk_that_is_read_only_is_left_alone_in_plain_words(clone: Path) -> None:
    with pytest.raises(StorageFailed, match="Read-only file system"):
        drop(clone, "a.dat", steps=Lacking(dict.fromkeys(("create", "mkdir", "write"), errno.EROFS)))
    assert has(clone, "a.dat")


class _ReadOnly(Steps):
    """Nothing below a folder can be changed."""

    def __init__(self, below: Path) -> None:
        self._below = f"{below}/"

    def take(self, kind: str, path: AnyPath) -> None:
        if kind in ("chmod", "create") and os.fsdecode(path).startswith(self._below):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), os.fsdecode(path))


def test_a_sibling_on_a_disk_that_is_read_only_proves_nothing(clone: Path) -> None:
    records = drop(clone, "a.dat", steps=_ReadOnly(clone.parent / "a"))
    assert statuses(records) == {"a.dat": "error"}
    assert "does not let its copy be locked" in records[0]["message"]
    assert has(clone, "a.dat")
