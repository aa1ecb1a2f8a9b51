"""`create` leaves what DataLad's `create` leaves, but for the key backend."""

import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import engram as engram_package
from tests.interop.peers import (
    DataLad,
    Pair,
    annex,
    annex_branch,
    create,
    engram,
    git,
    notes,
    save,
    told,
    tree_of,
    without_complaint,
    write,
)

pytestmark = pytest.mark.integration

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HOOKS = {"pre-commit", "post-checkout", "post-merge", "post-receive", "pre-push"}


def _same_but_for_uuids(text: str) -> str:
    return _UUID.sub("(uuid)", text)


def _text_of(folder: Path, name: str) -> str:
    return _same_but_for_uuids((folder / name).read_text())


@pytest.fixture(scope="module")
def pair(datalad_api: DataLad, made_by_datalad: Path, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A new dataset of each tool."""
    ours = tmp_path_factory.mktemp("engram") / "ds"
    create(ours)
    return Pair(ours, made_by_datalad)


class TestANewDataset:
    def test_its_git_configuration_is_that_of_datalad(self, pair: Pair) -> None:
        assert _text_of(pair.ours, ".git/config") == _text_of(pair.theirs, ".git/config")

    def test_it_has_git_annexs_hooks_word_for_word(self, pair: Pair) -> None:
        ours, theirs = ({hook.name: hook.read_text() for hook in (ds / ".git/hooks").iterdir()} for ds in pair)
        assert ours == theirs
        assert set(ours) >= _HOOKS
        for name in _HOOKS:
            assert stat.S_IMODE((pair.ours / ".git/hooks" / name).stat().st_mode) == 0o755

    @pytest.mark.parametrize("name", [".git/info/attributes", ".git/info/exclude", ".git/HEAD", ".git/description"])
    def test_a_file_of_git_is_the_same(self, pair: Pair, name: str) -> None:
        assert (pair.ours / name).read_text() == (pair.theirs / name).read_text()

    def test_its_files_are_those_of_datalad(self, pair: Pair) -> None:
        assert _text_of(pair.ours, ".datalad/config") == _text_of(pair.theirs, ".datalad/config")
        assert _text_of(pair.ours, ".datalad/.gitattributes") == "config annex.largefiles=nothing\n"
        assert _text_of(pair.ours, ".gitattributes") == "* annex.backend=SHA256E\n**/.git* annex.largefiles=nothing\n"

    def test_its_tree_and_its_work_tree_are_the_same_paths(self, pair: Pair) -> None:
        ours, theirs = ({path: held.split(" ")[0] for path, held in tree_of(ds).items()} for ds in pair)
        assert ours == theirs
        assert {entry.name for entry in os.scandir(pair.ours)} == {".git", ".gitattributes", ".datalad"}

    def test_its_history_tells_the_same(self, pair: Pair) -> None:
        for name in ("HEAD", "git-annex"):
            ours, theirs = (git(ds, "log", "--format=%s|%b|%an|%ae|%cn|%ce|%P|%e", name).count("\n") for ds in pair)
            assert ours == theirs
            assert git(pair.ours, "log", "--format=%B%an%ae%e", name) == git(
                pair.theirs, "log", "--format=%B%an%ae%e", name
            )
        told_by_ours, told_by_theirs = (git(ds, "log", "-g", "--format=%gs", "HEAD") for ds in pair)
        assert told_by_ours == told_by_theirs == "commit (initial): [DATALAD] new dataset\n"

    def test_its_branches_are_the_same(self, pair: Pair) -> None:
        ours, theirs = (git(ds, "for-each-ref", "--format=%(refname)", "refs/heads", "refs/tags") for ds in pair)
        assert ours == theirs

    def test_git_annex_knows_it_by_the_same_kind_of_name(self, pair: Pair) -> None:
        ours, theirs = (annex_branch(ds) for ds in pair)
        assert set(ours) == set(theirs) == {"uuid.log"}
        words = ours["uuid.log"].decode().split()
        assert words[1] == theirs["uuid.log"].decode().split()[1].replace(str(pair.theirs), str(pair.ours))

    def test_nobody_finds_anything_wrong_with_it(self, pair: Pair, datalad_api: DataLad) -> None:
        without_complaint(pair.ours, datalad_api)

    def test_git_annex_finds_all_of_its_folders(self, pair: Pair) -> None:
        ours, theirs = ({entry.name for entry in os.scandir(ds / ".git/annex")} for ds in pair)
        missing = theirs - ours
        assert missing <= {"keysdb", "keysdb.lck", "smudge.log", "smudge.lck"}

    def test_nothing_of_the_making_is_left(self, pair: Pair) -> None:
        assert not list((pair.ours / ".git").rglob("*.lock"))
        assert not (pair.ours / ".git/engram/creating").exists()


class TestItsRecords:
    def test_one_record_says_that_it_was_made_and_how_contents_are_named(self, git_annex: Path, tmp_path: Path) -> None:
        records = create(tmp_path / "ds")
        assert told(records, tmp_path) == [("create", "ok", "dataset", "ds", "")]
        assert any("SHA256E" in note for note in notes(records))

    def test_the_description_is_what_git_annex_shows(self, git_annex: Path, tmp_path: Path) -> None:
        create(tmp_path / "ds", description="the copy in the lab")
        assert "the copy in the lab" in annex(tmp_path / "ds", "info", "--fast")

    def test_words_for_git_init_are_handed_on(self, git_annex: Path, tmp_path: Path) -> None:
        create(tmp_path / "ds", init_options=("--initial-branch", "trunk"))
        assert git(tmp_path / "ds", "symbolic-ref", "HEAD") == "refs/heads/trunk\n"

    def test_the_users_default_branch_is_honoured(self, git_annex: Path, tmp_path: Path) -> None:
        engram_with = engram(tmp_path, configuration=("init.defaultBranch=main",))
        list(engram_with.create("ds"))
        assert git(tmp_path / "ds", "symbolic-ref", "HEAD") == "refs/heads/main\n"

    @pytest.mark.parametrize("backend", ["MD5E", "SHA512E", "SHA1"])
    def test_another_key_backend_is_a_word_away(self, git_annex: Path, tmp_path: Path, backend: str) -> None:
        create(tmp_path / "ds", backend=backend)
        write(tmp_path / "ds", "a.txt", "a")
        (record,) = [record for record in save(tmp_path / "ds") if record["action"] == "add"]
        assert record["key"].startswith(f"{backend}-s1--")
        assert record["key"] == annex(tmp_path / "ds", "lookupkey", "a.txt").strip()


class TestNoAnnex:
    def test_a_dataset_without_an_annex_is_that_of_datalad(self, datalad_api: DataLad, tmp_path: Path) -> None:
        ours, theirs = tmp_path / "ours", tmp_path / "theirs"
        datalad_api("create", tmp_path, path=str(theirs), annex=False)
        create(ours, annex=False)
        assert {path: held for path, held in tree_of(ours).items() if path != ".datalad/config"} == {
            path: held for path, held in tree_of(theirs).items() if path != ".datalad/config"
        }
        assert (ours / ".git/config").read_text() == (theirs / ".git/config").read_text()
        assert git(ours, "for-each-ref", "--format=%(refname)") == "refs/heads/master\n"
        write(ours, "a.txt", "a")
        assert told(save(ours), ours) == [("add", "ok", "file", "a.txt", ""), ("save", "ok", "dataset", ".", "")]
        assert tree_of(ours)["a.txt"].startswith("100644 ")
        without_complaint(ours, datalad_api)


class TestWhatIsThereAlready:
    def test_a_folder_that_is_not_empty_is_refused_and_left_alone(self, git_annex: Path, tmp_path: Path) -> None:
        from engram.model.errors import TargetExists

        write(tmp_path, "ds/notes.txt", "mine")
        with pytest.raises(TargetExists) as refused:
            create(tmp_path / "ds")
        assert refused.value.exit_code == 2
        assert "create -f" in refused.value.next_step
        assert os.listdir(tmp_path / "ds") == ["notes.txt"]

    def test_a_file_in_its_place_is_refused(self, git_annex: Path, tmp_path: Path) -> None:
        from engram.model.errors import TargetExists

        write(tmp_path, "ds", "mine")
        with pytest.raises(TargetExists):
            create(tmp_path / "ds")
        assert (tmp_path / "ds").read_text() == "mine"

    def test_force_leaves_the_files_of_a_folder_untracked(self, datalad_api: DataLad, tmp_path: Path) -> None:
        for tool in ("ours", "theirs"):
            write(tmp_path, f"{tool}/notes.txt", "mine")
            write(tmp_path, f"{tool}/.gitattributes", "*.bin binary")  # no line end at its end
        create(tmp_path / "ours", force=True)
        datalad_api("create", tmp_path, path=str(tmp_path / "theirs"), force=True)
        ours, theirs = tmp_path / "ours", tmp_path / "theirs"
        assert (
            set(tree_of(ours))
            == set(tree_of(theirs))
            == {".datalad/config", ".datalad/.gitattributes", ".gitattributes"}
        )
        assert (ours / ".gitattributes").read_text() == (theirs / ".gitattributes").read_text().replace(
            "MD5E", "SHA256E"
        )
        assert git(ours, "status", "--porcelain") == git(theirs, "status", "--porcelain") == "?? notes.txt\n"

    def test_force_makes_a_dataset_of_a_git_repository(self, datalad_api: DataLad, tmp_path: Path) -> None:
        for tool in ("ours", "theirs"):
            git(tmp_path, "init", "-q", tool)
            write(tmp_path, f"{tool}/code.py", "print()")
            git(tmp_path / tool, "add", ".")
            git(tmp_path / tool, "commit", "-qm", "first")
            write(tmp_path, f"{tool}/new.txt", "new")
            write(tmp_path, f"{tool}/staged.txt", "staged")
            git(tmp_path / tool, "add", "staged.txt")
        create(tmp_path / "ours", force=True)
        datalad_api("create", tmp_path, path=str(tmp_path / "theirs"), force=True)
        ours, theirs = tmp_path / "ours", tmp_path / "theirs"
        assert set(tree_of(ours)) == set(tree_of(theirs))
        assert git(ours, "log", "--format=%s") == git(theirs, "log", "--format=%s")
        assert git(ours, "status", "--porcelain") == git(theirs, "status", "--porcelain")

    def test_force_in_a_dataset_changes_nothing(self, git_annex: Path, tmp_path: Path) -> None:
        create(tmp_path / "ds")
        before = git(tmp_path / "ds", "rev-parse", "HEAD"), (tmp_path / "ds/.datalad/config").read_text()
        records = create(tmp_path / "ds", force=True)
        assert told(records, tmp_path) == [("create", "ok", "dataset", "ds", "")]
        assert (git(tmp_path / "ds", "rev-parse", "HEAD"), (tmp_path / "ds/.datalad/config").read_text()) == before

    def test_an_empty_folder_is_taken_as_it_is(self, git_annex: Path, tmp_path: Path) -> None:
        (tmp_path / "ds").mkdir()
        create(tmp_path / "ds")
        assert git(tmp_path / "ds", "log", "--format=%s") == "[DATALAD] new dataset\n"


class TestWithoutAnIdentity:
    def test_it_is_refused_with_two_lines_to_type_before_anything_is_written(
        self, git_annex: Path, tmp_path: Path
    ) -> None:
        from engram.model.errors import NoIdentity

        environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "EMAIL"))}
        environment |= {"HOME": str(tmp_path / "home"), "GIT_CONFIG_NOSYSTEM": "1"}
        with pytest.raises(NoIdentity) as refused:
            list(engram(tmp_path, environment=environment).create("ds"))
        assert refused.value.exit_code == 2
        assert "git config --global user.name" in refused.value.next_step
        assert "git config --global user.email" in refused.value.next_step
        assert os.listdir(tmp_path) == []


class TestProcedures:
    @pytest.mark.parametrize("names", [("text2git",), ("yoda",), ("noannex",), ("text2git", "yoda")], ids="+".join)
    def test_what_they_leave_is_what_they_leave_with_datalad(
        self, datalad_api: DataLad, tmp_path: Path, names: tuple[str, ...]
    ) -> None:
        ours, theirs = tmp_path / "ours", tmp_path / "theirs"
        datalad_api("create", tmp_path, path=str(theirs), cfg_proc=list(names))
        records = create(ours, procedures=names)
        assert told(records, tmp_path)[-1] == ("create", "ok", "dataset", "ours", "")
        for path in set(tree_of(ours)) | set(tree_of(theirs)):
            if path != ".datalad/config":
                assert (ours / path).read_text() == (theirs / path).read_text().replace("MD5E", "SHA256E"), path
        assert {path: held[:6] for path, held in tree_of(ours).items()} == {
            path: held[:6] for path, held in tree_of(theirs).items()
        }
        ours_log, theirs_log = (git(ds, "log", "--format=%B") for ds in (ours, theirs))
        assert ours_log == theirs_log
        assert git(ours, "for-each-ref", "--format=%(refname)", "refs/heads") == git(
            theirs, "for-each-ref", "--format=%(refname)", "refs/heads"
        )
        assert git(ours, "status", "--porcelain") == ""
        assert {hook.name for hook in (ours / ".git/hooks").iterdir()} == {
            hook.name for hook in (theirs / ".git/hooks").iterdir()
        }

    @pytest.fixture
    def own(self) -> Iterator[None]:
        """Procedures of the user's own, one of which fails."""
        scripts = Path(os.environ["HOME"]) / ".config/datalad/procedures"
        scripts.mkdir(parents=True)
        (scripts / "cfg_mine.sh").write_text("exit 0\n")
        (scripts / "cfg_failing.sh").write_text("exit 3\n")
        yield
        shutil.rmtree(scripts.parent)

    @pytest.mark.usefixtures("own")
    @pytest.mark.parametrize("name", ["text2git", "mine"])
    def test_what_was_run_is_told_in_datalads_fields(self, datalad_api: DataLad, tmp_path: Path, name: str) -> None:
        ours = next(record for record in create(tmp_path / "ours", procedures=[name]) if record["action"] == "run")
        records = datalad_api("create", tmp_path, path=str(tmp_path / "theirs"), cfg_proc=[name])
        theirs = next(record for record in records if record["action"] == "run")
        for field in ("status", "exit_code", "msg_path"):
            assert ours[field] == theirs[field]
        mine, yours = ours["run_info"], theirs["run_info"]
        assert mine.keys() == yours.keys()
        assert {**mine, "cmd": "", "dsid": ""} == {**yours, "cmd": "", "dsid": ""}
        if name == "text2git":
            assert mine["cmd"] == "engram run-procedure cfg_text2git"
        else:
            assert mine["cmd"].replace("ours", "theirs") == yours["cmd"].strip()

    @pytest.mark.usefixtures("own", "git_annex")
    def test_the_exit_code_of_one_that_failed_is_told(self, tmp_path: Path) -> None:
        ours = next(record for record in create(tmp_path / "ours", procedures=["failing"]) if record["action"] == "run")
        assert (ours["status"], ours["error"], ours["exit_code"], ours["run_info"]["exit"]) == (
            "error",
            "PeerFailed",
            3,
            3,
        )

    def test_the_word_may_stand_on_either_side_of_the_path(self, git_annex: Path, tmp_path: Path) -> None:
        for words in (["-c", "yoda", "before"], ["after", "-c", "yoda"]):
            _call(tmp_path, "create", *words)
        before, after = (set(tree_of(tmp_path / name)) for name in ("before", "after"))
        assert before == after
        assert "code/README.md" in before

    def test_one_that_nobody_knows_is_refused_before_anything_is_written(self, git_annex: Path, tmp_path: Path) -> None:
        from engram.model.errors import EngramError

        with pytest.raises(EngramError) as refused:
            create(tmp_path / "ds", procedures=("text3git",))
        assert refused.value.exit_code == 2
        assert "text3git" in refused.value.what
        assert os.listdir(tmp_path) == []


def _call(folder: Path, *words: str) -> str:
    """What the command prints."""
    source = str(Path(engram_package.__file__ or "").parents[1])
    done = subprocess.run(
        [sys.executable, "-m", "engram", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": source},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class TestWhatGitInitRefuses:
    """Where DataLad refuses, too; it leaves an empty folder for some."""

    @pytest.mark.parametrize(
        "options",
        [
            ["--bare"],
            ["--bar"],
            ["--separate-git-dir=x.git"],
            ["--sep", "x"],
            ["--nonsense"],
            ["elsewhere"],
            ["-b"],
            ["-b", "a..b"],
        ],
    )
    @pytest.mark.parametrize("force", [False, True])
    def test_nothing_is_left_behind(self, git_annex: Path, tmp_path: Path, options: list[str], force: bool) -> None:
        from engram.model.errors import EngramError

        folder = tmp_path / "a/b/ds"
        if force:
            write(tmp_path, "a/b/ds/data.bin", "data")
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(EngramError) as refused:
            create(folder, init_options=options, force=force)
        assert sorted(tmp_path.rglob("*")) == before
        assert refused.value.exit_code == (40 if "a..b" in options else 2)
        create(folder, force=force)  # the same command, mended
        assert git(folder, "log", "--format=%s") == "[DATALAD] new dataset\n"

    def test_a_repository_that_lies_elsewhere_is_made_as_the_refusal_says(
        self, git_annex: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        git(tmp_path, "init", "-q", f"--separate-git-dir={tmp_path / 'x.git'}", "ds")
        list(engram(tmp_path).trust("ds"))
        create(tmp_path / "ds", force=True)
        assert git(tmp_path / "ds", "log", "--format=%s") == "[DATALAD] new dataset\n"
        assert annex(tmp_path / "ds", "fsck", "--quiet") == ""
