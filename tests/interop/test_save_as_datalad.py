"""`save` records what DataLad's `save` records: two copies of one dataset, one tool each, everything compared."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.interop.peers import (
    DataLad,
    Pair,
    annex,
    annex_branch,
    git,
    keys_of,
    link,
    links_of,
    modes_of,
    notes,
    objects_of,
    pair_of,
    remove,
    save,
    told,
    tree_of,
    without_complaint,
    write,
)

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Saved:
    """A pair after both tools saved, and what they told."""

    pair: Pair
    ours: list[dict[str, Any]]
    theirs: list[dict[str, Any]]

    def of(self, path: str) -> list[tuple[str, str, str, str, str]]:
        return [record for record in told(self.ours, self.pair.ours) if record[3] == path]

    def same_records(self) -> None:
        assert told(self.ours, self.pair.ours) == told(self.theirs, self.pair.theirs)
        assert [one.get("key", "-") for one in self.ours] == [one.get("key", "-") for one in self.theirs]

    def same_everything(self) -> None:
        ours, theirs = self.pair
        assert tree_of(ours) == tree_of(theirs)
        assert git(ours, "ls-files", "-s") == git(theirs, "ls-files", "-s")
        assert links_of(ours) == links_of(theirs)
        assert modes_of(ours) == modes_of(theirs)
        assert objects_of(ours) == objects_of(theirs)
        assert annex_branch(ours) == annex_branch(theirs)
        assert git(ours, "log", "--format=%B") == git(theirs, "log", "--format=%B")
        assert git(ours, "status", "--porcelain", "--ignored") == git(theirs, "status", "--porcelain", "--ignored")
        assert not any("handed" in note for note in notes(self.ours))


Change = Callable[[Path], object]


def both(pair: Pair, datalad: DataLad, change: Change, *paths: str, **options: Any) -> Saved:
    """Do the same in both, and have each tool save."""
    for folder in pair:
        change(folder)
    theirs = datalad.save(pair.theirs, *paths, **options)
    names = {"version_tag": "tag"}
    ours = save(pair.ours, *paths, **{names.get(name, name): value for name, value in options.items()})
    return Saved(pair, ours, theirs)


@pytest.fixture
def pair(made_by_datalad: Path, tmp_path: Path) -> Pair:
    return pair_of(made_by_datalad, tmp_path)


def _first(folder: Path) -> None:
    """Files of every kind."""
    write(folder, "a.txt", "text")
    write(folder, "b.bin", b"\0\1\2")
    write(folder, "empty", "")
    write(folder, "run.sh", "#!/bin/sh\n", mode=0o755)
    for mode in (0o600, 0o640, 0o664, 0o666, 0o700, 0o711, 0o750, 0o775, 0o444, 0o400, 0o200):
        write(folder, f"modes/{mode:o}", f"mode {mode:o}", mode=mode)
    write(folder, "copies/one", "the same")
    write(folder, "copies/two.txt", "the same")
    write(folder, "copies/three", "the same", mode=0o755)
    write(folder, "deep/er/and/deeper/still/x.nii.gz", "deep")
    write(folder, ".hidden", "hidden")
    write(folder, ".folder/file.txt", "in a hidden folder")
    write(folder, ".github/w.yml", "on: push")
    write(folder, ".datalad/foo", "annexed")
    write(folder, ".datalad/sub/config", "git")
    write(folder, "sub/.gitkeep", "")
    write(folder, ".gitfoo", "git")
    write(folder, "sub/.datalad/config", "annexed")
    for name in ("sp ace", 'q"uote', "é.txt", "B", "a-b", "a/x", "tab\tin", "-dash", "back\\slash"):
        write(folder, f"names/{name}", name)
    os.symlink("a.txt", folder / "link")
    os.symlink("nowhere", folder / "dangling")
    os.symlink("looping", folder / "looping")
    os.symlink("deep", folder / "to-folder")
    write(folder, "hard/one", "two names")
    os.link(folder / "hard/one", folder / "hard/two")
    (folder / "empty-folder/inner").mkdir(parents=True)
    os.mkfifo(folder / "pipe")
    write(folder, ".gitignore", "*.tmp\n/cache/\n!kept.tmp\n")
    write(folder, "x.tmp", "ignored")
    write(folder, "cache/x", "ignored")
    write(folder, "sub/kept.tmp", "not ignored")
    write(folder, "big.dat", b"0123456789abcdef" * 100_000)


def _second(folder: Path) -> None:
    """Changes of every kind to them."""
    write(folder, "a.txt", "changed")
    (folder / "b.bin").unlink()
    (folder / "empty").rename(folder / "deep/er/moved-deeper")
    (folder / "deep/er/and/deeper/still/x.nii.gz").rename(folder / "moved-up.nii.gz")
    (folder / "copies/two.txt").unlink()
    write(folder, "copies/two.txt/in", "file became folder")
    (folder / "hard/one").unlink()
    (folder / "hard/two").unlink()
    (folder / "hard").rmdir()
    write(folder, "hard", "folder became file")
    write(folder, "link", "link became file")
    (folder / "dangling").unlink()
    os.symlink("elsewhere", folder / "dangling")
    (folder / "copies/one").unlink()
    write(folder, "copies/one", "the same", mode=0o755)
    write(folder, "new/file", "the same")
    write(folder, ".gitfoo", "git, changed")


@pytest.fixture(scope="module")
def first(datalad_api: DataLad, made_by_datalad: Path, tmp_path_factory: pytest.TempPathFactory) -> Saved:
    pair = pair_of(made_by_datalad, tmp_path_factory.mktemp("first"))
    return both(pair, datalad_api, _first, message="first")


@pytest.fixture(scope="module")
def second(first: Saved, datalad_api: DataLad, tmp_path_factory: pytest.TempPathFactory) -> Saved:
    # each tool goes on where it stood, in a copy, so that the first state can still be looked at
    under = tmp_path_factory.mktemp("second")
    pair = Pair(pair_of(first.pair.ours, under / "o").ours, pair_of(first.pair.theirs, under / "t").ours)
    return both(pair, datalad_api, _second, message="second")


class TestNewFiles:
    def test_the_records_are_those_of_datalad_in_its_order(self, first: Saved) -> None:
        ours = [record for record in told(first.ours, first.pair.ours) if record[3] != "pipe"]
        assert ours == told(first.theirs, first.pair.theirs)

    def test_the_trees_are_the_same(self, first: Saved) -> None:
        assert tree_of(first.pair.ours) == tree_of(first.pair.theirs)

    def test_the_links_lead_to_the_same_places(self, first: Saved) -> None:
        assert links_of(first.pair.ours) == links_of(first.pair.theirs)

    def test_the_contents_lie_in_the_same_places_with_the_same_permissions(self, first: Saved) -> None:
        assert objects_of(first.pair.ours) == objects_of(first.pair.theirs)

    def test_the_git_annex_branch_says_the_same(self, first: Saved) -> None:
        assert annex_branch(first.pair.ours) == annex_branch(first.pair.theirs)

    def test_the_files_that_went_to_git_keep_their_permissions(self, first: Saved) -> None:
        assert modes_of(first.pair.ours) == modes_of(first.pair.theirs)

    def test_the_histories_are_the_same(self, first: Saved) -> None:
        for name in ("HEAD", "git-annex"):
            ours, theirs = (git(ds, "log", "--format=%B%an%ae%cn%ce", name) for ds in first.pair)
            assert ours == theirs

    def test_nothing_was_handed_over(self, first: Saved) -> None:
        assert not any("handed" in note for note in notes(first.ours))

    def test_a_pipe_is_passed_over_and_named(self, first: Saved) -> None:
        assert [record[:2] for record in first.of("pipe")] == [("add", "notneeded")]

    def test_nobody_complains(self, first: Saved, datalad_api: DataLad) -> None:
        without_complaint(first.pair.ours, datalad_api)

    def test_both_histories_give_the_same_contents_a_place_once(self, first: Saved) -> None:
        here = annex(first.pair.ours, "whereis", "--format=${file} ${key}\\n").splitlines()
        assert sorted(here) == sorted(annex(first.pair.theirs, "whereis", "--format=${file} ${key}\\n").splitlines())


class TestChangedFiles:
    def test_the_records_are_those_of_datalad_in_its_order(self, second: Saved) -> None:
        ours = [record for record in told(second.ours, second.pair.ours) if record[3] != "pipe"]
        assert ours == told(second.theirs, second.pair.theirs)

    def test_the_trees_are_the_same(self, second: Saved) -> None:
        assert tree_of(second.pair.ours) == tree_of(second.pair.theirs)

    def test_links_that_moved_to_another_depth_are_mended(self, second: Saved) -> None:
        assert links_of(second.pair.ours) == links_of(second.pair.theirs)
        assert (second.pair.ours / "moved-up.nii.gz").read_text() == "deep"
        assert (second.pair.ours / "deep/er/moved-deeper").read_bytes() == b""

    def test_the_contents_lie_in_the_same_places(self, second: Saved) -> None:
        assert objects_of(second.pair.ours) == objects_of(second.pair.theirs)

    def test_the_git_annex_branch_says_the_same(self, second: Saved) -> None:
        assert annex_branch(second.pair.ours) == annex_branch(second.pair.theirs)

    def test_nobody_complains(self, second: Saved, datalad_api: DataLad) -> None:
        without_complaint(second.pair.ours, datalad_api)


class TestNothingToDo:
    def test_one_record_says_so(self, second: Saved) -> None:
        before = git(second.pair.ours, "for-each-ref")
        assert [record[:3] for record in told(save(second.pair.ours), second.pair.ours) if record[3] != "pipe"] == [
            ("save", "notneeded", "dataset")
        ]
        assert git(second.pair.ours, "for-each-ref") == before

    def test_touched_files_are_nothing_to_do(self, pair: Pair) -> None:
        for path in (".gitattributes", ".datalad/config"):
            os.utime(pair.ours / path, (1_500_000_000, 1_500_000_000))
        assert told(save(pair.ours), pair.ours) == [("save", "notneeded", "dataset", ".", "")]
        assert git(pair.ours, "diff-files") == ""


def _as_is(_: Path) -> None:
    return


def _write(path: str, content: str = "x", *, mode: int | None = None) -> Change:
    def change(folder: Path) -> None:
        write(folder, path, content, mode=mode)

    return change


@pytest.fixture(scope="module")
def begun(datalad_api: DataLad, made_by_datalad: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = pair_of(made_by_datalad, tmp_path_factory.mktemp("begun")).ours
    write(folder, "git.txt", "in git")
    write(folder, "run.sh", "#!/bin/sh", mode=0o755)
    datalad_api.save(folder, to_git=True)
    write(folder, "d/annexed.txt", "annexed")
    write(folder, "d/other.txt", "other")
    write(folder, "x.sh", "run me", mode=0o755)
    os.symlink("git.txt", folder / "link")
    datalad_api.save(folder)
    annex(folder, "unlock", "d/other.txt")
    git(folder, "commit", "-qm", "unlocked")
    return folder


class TestLessUsualChanges:
    """Each begins with files in the annex and in git, then one thing happens, then both save."""

    @pytest.fixture
    def pair(self, begun: Path, tmp_path: Path) -> Pair:
        return pair_of(begun, tmp_path)

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda ds: write(ds, "git.txt", "now annexed"), id="git file modified"),
            pytest.param(lambda ds: (ds / "git.txt").chmod(0o755), id="git file made executable"),
            pytest.param(lambda ds: (ds / "run.sh").chmod(0o644), id="git file made not executable"),
            pytest.param(lambda ds: annex(ds, "unlock", "d/annexed.txt"), id="unlocked"),
            pytest.param(
                lambda ds: (annex(ds, "unlock", "d/annexed.txt"), write(ds, "d/annexed.txt", "changed")),
                id="unlocked and changed",
            ),
            pytest.param(lambda ds: write(ds, "d/other.txt", "changed"), id="pointer file changed"),
            pytest.param(lambda ds: (ds / "d/other.txt").chmod(0o755), id="pointer file made executable"),
            pytest.param(lambda ds: (ds / "d/other.txt").unlink(), id="pointer file deleted"),
            pytest.param(lambda ds: link(ds, "d/other.txt", "x"), id="pointer to link"),
            pytest.param(lambda ds: (ds / "d/other.txt").rename(ds / "moved.txt"), id="pointer file renamed"),
            pytest.param(lambda ds: git(ds, "mv", "d/other.txt", "moved.txt"), id="pointer file renamed by git"),
            pytest.param(lambda ds: write(ds, "x.sh", "changed", mode=0o755), id="program changed"),
            pytest.param(lambda ds: git(ds, "rm", "-q", "git.txt", "d/annexed.txt"), id="removed by git"),
            pytest.param(lambda ds: git(ds, "rm", "-q", "--cached", "d/annexed.txt"), id="forgotten by git"),
            pytest.param(lambda ds: git(ds, "mv", "d/annexed.txt", "up.txt"), id="annexed renamed by git"),
            pytest.param(lambda ds: (ds / "d").rename(ds / "e"), id="folder renamed"),
            pytest.param(lambda ds: (ds / "d/annexed.txt").rename(ds / "d/again.txt"), id="renamed beside"),
            pytest.param(lambda ds: (ds / "link").unlink(), id="link deleted"),
            pytest.param(lambda ds: annex(ds, "drop", "--force", "d/annexed.txt"), id="dropped"),
            pytest.param(
                lambda ds: (annex(ds, "drop", "--force", "d/annexed.txt"), (ds / "d/annexed.txt").rename(ds / "m.txt")),
                id="dropped and renamed",
            ),
            pytest.param(
                lambda ds: (annex(ds, "drop", "--force", "x.sh"), write(ds, "copy.sh", "run me")),
                id="content comes back by a copy",
            ),
            pytest.param(
                lambda ds: write(remove(ds, "git.txt"), "git.txt/in", "folder now"),
                id="git file became folder",
            ),
            pytest.param(
                lambda ds: os.symlink("../.git/annex/objects/aa/bb/MD5E-s1--0/MD5E-s1--0", ds / "d/fake"),
                id="link to content nobody has",
            ),
            pytest.param(lambda ds: annex(ds, "lock", "d/other.txt"), id="locked again"),
            pytest.param(
                lambda ds: (
                    write(ds, "s.txt", "staged"),
                    git(ds, "-c", "filter.annex.process=", "-c", "filter.annex.clean=", "add", "s.txt"),
                ),
                id="staged to git",
            ),
            pytest.param(
                lambda ds: (write(ds, "s.txt", "staged"), annex(ds, "add", "s.txt")), id="staged by git-annex"
            ),
            pytest.param(lambda ds: os.utime(ds / "d/other.txt", (1_500_000_000, 1_500_000_000)), id="pointer touched"),
            pytest.param(lambda ds: os.utime(ds / "git.txt", (1_500_000_000, 1_500_000_000)), id="git file touched"),
        ],
    )
    def test_it_comes_out_as_with_datalad(self, pair: Pair, datalad_api: DataLad, change: Change) -> None:
        saved = both(pair, datalad_api, change)
        saved.same_records()
        saved.same_everything()
        ours, theirs = (annex(ds, "fsck", "--quiet", fine=(0, 1)) for ds in pair)
        assert ours == theirs


class TestWhereDataLadIsNotFollowed:
    def test_a_link_of_the_users_own_in_the_place_of_an_annexed_file_stays(self, pair: Pair) -> None:
        """git-annex would put the link to the old content back."""
        write(pair.ours, "a.txt", "a")
        save(pair.ours)
        (pair.ours / "a.txt").unlink()
        os.symlink("elsewhere", pair.ours / "a.txt")
        assert told(save(pair.ours), pair.ours)[0] == ("add", "ok", "file", "a.txt", "")
        assert os.readlink(pair.ours / "a.txt") == "elsewhere"
        without_complaint(pair.ours)

    def test_a_file_whose_place_an_empty_folder_took_is_recorded_as_gone(self, pair: Pair) -> None:
        """DataLad tells it as modified, and leaves it so; once git knows that it is gone, DataLad's record is this."""
        write(pair.ours, "a", "a")
        save(pair.ours)
        remove(pair.ours, "a")
        (pair.ours / "a").mkdir()
        assert [record[:4] for record in told(save(pair.ours), pair.ours)] == [
            ("delete", "ok", "symlink", "a"),
            ("save", "ok", "dataset", "."),
        ]
        assert "a" not in tree_of(pair.ours)
        without_complaint(pair.ours)

    @pytest.mark.parametrize("annotated", [False, True])
    def test_a_tag_that_is_there_and_says_so_already_is_fine(self, pair: Pair, annotated: bool) -> None:
        """An interrupted save may have made it; DataLad fails."""
        write(pair.ours, "a", "a")
        save(pair.ours)
        git(pair.ours, "tag", *(["-a", "-m", "x"] if annotated else []), "v1")
        assert told(save(pair.ours, tag="v1"), pair.ours) == [("save", "ok", "dataset", ".", "")]
        write(pair.ours, "b", "b")
        records = save(pair.ours, tag="v1")
        assert told(records, pair.ours)[-1][:2] == ("save", "error")
        assert "already exists" in records[-1]["message"]

    def test_a_name_with_a_line_break_is_saved_once(self, pair: Pair) -> None:
        """DataLad takes what git says about such a name for a file that was deleted."""
        write(pair.ours, "new\nline", "a")
        assert [record[0] for record in told(save(pair.ours), pair.ours)] == ["add", "save"]
        assert [record[:2] for record in told(save(pair.ours), pair.ours)] == [("save", "notneeded")]
        without_complaint(pair.ours)

    def test_a_pointer_to_content_nobody_has_stays_as_it_is(self, pair: Pair, datalad_api: DataLad) -> None:
        """It is recorded alike; engram says its key, which DataLad leaves out."""
        saved = both(pair, datalad_api, _write("p", "/annex/objects/MD5E-s1--0\n"))
        saved.same_everything()
        assert saved.of("p") == [("add", "ok", "file", "p", "MD5E-s1--0")]


@pytest.fixture(params=["text2git", "yoda"])
def configured(request: pytest.FixtureRequest, datalad_api: DataLad, tmp_path: Path) -> Pair:
    original = tmp_path / "original"
    datalad_api("create", tmp_path, path=str(original), cfg_proc=request.param)
    return pair_of(original, tmp_path)


class TestConfiguredDatasets:
    def test_text_goes_where_datalad_puts_it(self, configured: Pair, datalad_api: DataLad) -> None:
        def change(folder: Path) -> None:
            write(folder, "text.txt", "plain text\n")
            write(folder, "utf8.txt", "größer als ü\n")
            write(folder, "latin.txt", "gr\xf6\xdfer".encode("latin-1"))
            write(folder, "utf16.txt", "text".encode("utf-16"))
            write(folder, "data.json", '{"a": 1}\n')
            write(folder, "empty", "")
            write(folder, "one-byte", "x")
            write(folder, "binary.dat", b"\0\1\2\3" * 100)
            write(folder, "nul-in-text", b"text\0text")
            write(folder, "code/run.py", "print('x')\n")
            write(folder, "code/model.bin", b"\0" * 100)
            write(folder, "README.md", "# read me\n")
            write(folder, "sub/README.md", "# read me, too\n")
            write(folder, "inputs/scan.nii.gz", b"\x1f\x8b\x08" + b"\0" * 50)

        saved = both(configured, datalad_api, change)
        saved.same_records()
        saved.same_everything()

        def change_again(folder: Path) -> None:
            write(folder, "text.txt", "other text\n")
            write(folder, "data.json", b"\0\0\0binary now")
            write(folder, "binary.dat", "text now\n")

        saved = both(configured, datalad_api, change_again)
        saved.same_records()
        saved.same_everything()
        without_complaint(configured.ours, datalad_api)


class TestOptions:
    def test_updated_leaves_new_files_alone(self, pair: Pair, datalad_api: DataLad) -> None:
        both(pair, datalad_api, _write("a.txt"))

        def change(folder: Path) -> None:
            write(folder, "a.txt", "changed")
            write(folder, "new.txt", "new")

        saved = both(pair, datalad_api, change, updated=True)
        saved.same_records()
        saved.same_everything()

    def test_to_git_puts_everything_into_git(self, pair: Pair, datalad_api: DataLad) -> None:
        both(pair, datalad_api, _write("annexed.txt"))

        def change(folder: Path) -> None:
            write(folder, "a.txt", "a")
            write(folder, "run.sh", "#!/bin/sh\n", mode=0o755)
            write(folder, "annexed.txt", "changed")

        saved = both(pair, datalad_api, change, to_git=True)
        assert sorted(told(saved.ours, pair.ours)) == sorted(told(saved.theirs, pair.theirs))
        saved.same_everything()
        assert keys_of(pair.ours) == {}

    @pytest.mark.parametrize("message", [None, "again"])
    def test_amend_replaces_the_last_commit(self, pair: Pair, datalad_api: DataLad, message: str | None) -> None:
        both(pair, datalad_api, _write("a.txt"), message="first\n\nwith a body")
        saved = both(pair, datalad_api, _write("b.txt"), amend=True, **({"message": message} if message else {}))
        saved.same_records()
        saved.same_everything()

    @pytest.mark.parametrize("message", [None, "only the words"])
    def test_amend_with_nothing_changed_takes_the_new_words(
        self, pair: Pair, datalad_api: DataLad, message: str | None
    ) -> None:
        both(pair, datalad_api, _write("a.txt"), message="first")
        saved = both(pair, datalad_api, _as_is, amend=True, **({"message": message} if message else {}))
        saved.same_records()
        saved.same_everything()

    def test_a_tag_is_put_on_the_new_state(self, pair: Pair, datalad_api: DataLad) -> None:
        saved = both(pair, datalad_api, _write("a.txt"), version_tag="v1")
        saved.same_records()
        assert saved.ours[-1]["version_tag"] == saved.theirs[-1]["version_tag"] == "v1"
        for folder in pair:
            assert git(folder, "rev-parse", "v1") == git(folder, "rev-parse", "HEAD")
            assert git(folder, "cat-file", "-t", "v1") == "commit\n"
        saved = both(pair, datalad_api, _as_is, version_tag="v2")
        saved.same_records()
        saved = both(pair, datalad_api, _write("b.txt"), version_tag="v2")
        saved.same_records()
        saved.same_everything()
        assert "already exists" in saved.ours[-1]["message"]

    @pytest.mark.parametrize(
        "message", ["one line", "\n\n  two  \n\n\n\nlines  \n# kept\n\n", "ümlaut", "", "trailing\n\n\n"]
    )
    def test_a_message_is_cleaned_as_git_cleans_it(self, pair: Pair, datalad_api: DataLad, message: str) -> None:
        both(pair, datalad_api, _write("a.txt"), message=message).same_everything()

    def test_a_message_file_is_read(self, pair: Pair, datalad_api: DataLad, tmp_path: Path) -> None:
        write(tmp_path, "message", "from a file\n\nbody\n")
        both(pair, datalad_api, _write("a.txt"), message_file=str(tmp_path / "message")).same_everything()


class TestSomePaths:
    def test_only_what_a_path_names_is_recorded(self, pair: Pair, datalad_api: DataLad) -> None:
        def change(folder: Path) -> None:
            for path in ("a.txt", "d/b.txt", "d/e/c.txt", "f.txt"):
                write(folder, path, path)

        for paths in (("d/e",), ("a.txt", "d"), ("./f.txt",)):
            saved = both(pair, datalad_api, change if paths == ("d/e",) else _as_is, *paths)
            saved.same_records()
            saved.same_everything()

    def test_what_else_is_staged_stays_staged(self, pair: Pair, datalad_api: DataLad) -> None:
        def change(folder: Path) -> None:
            write(folder, "staged.txt", "staged")
            annex(folder, "add", "staged.txt")
            write(folder, "b.txt", "b")

        saved = both(pair, datalad_api, change, "b.txt")
        saved.same_records()
        saved.same_everything()
        assert git(pair.ours, "status", "--porcelain") == "A  staged.txt\n"

    def test_a_deleted_path_can_be_named(self, pair: Pair, datalad_api: DataLad) -> None:
        both(pair, datalad_api, lambda ds: (write(ds, "a.txt"), write(ds, "d/b.txt"), write(ds, "d/c.txt")))
        saved = both(pair, datalad_api, lambda ds: remove(ds, "a.txt", "d/b.txt"), "d/b.txt")
        saved.same_records()
        saved.same_everything()

    def test_a_pattern_stands_for_what_it_matches(self, pair: Pair) -> None:
        for path in ("sub-01/a.nii", "sub-02/a.nii", "sub-02/b.txt"):
            write(pair.ours, path, path)
        records = save(pair.ours, "sub-*/*.nii")
        assert [record[3] for record in told(records, pair.ours)] == ["sub-01/a.nii", "sub-02/a.nii", "."]
        assert git(pair.ours, "status", "--porcelain") == "?? sub-02/b.txt\n"

    def test_a_path_that_names_nothing_refuses_everything(self, pair: Pair) -> None:
        from engram.model.errors import PathNotFound

        write(pair.ours, "a.txt", "a")
        with pytest.raises(PathNotFound) as refused:
            save(pair.ours, "a.txt", "nothing-here")
        assert refused.value.exit_code == 2
        assert git(pair.ours, "status", "--porcelain") == "?? a.txt\n"

    def test_a_path_outside_refuses_everything(self, pair: Pair) -> None:
        from engram.model.errors import OutsideDataset

        with pytest.raises(OutsideDataset) as refused:
            save(pair.ours, "/etc/passwd")
        assert refused.value.exit_code == 2


class TestWithoutAnyCommit:
    def test_a_plain_git_repository_can_be_saved(self, datalad_api: DataLad, tmp_path: Path) -> None:
        for tool in ("ours", "theirs"):
            git(tmp_path, "init", "-q", tool)
            write(tmp_path, f"{tool}/a.txt", "a")
        theirs = datalad_api.save(tmp_path / "theirs")
        ours = save(tmp_path / "ours")
        assert told(ours, tmp_path / "ours") == told(theirs, tmp_path / "theirs")
        assert tree_of(tmp_path / "ours") == tree_of(tmp_path / "theirs")
