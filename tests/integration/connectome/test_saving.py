"""A snapshot that is saved is a version of a dataset: whole, in one commit, and nothing else is."""

import json
import os
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from engram.connectome.asking.changes import SnapshotChange
from engram.connectome.folder import Folder
from engram.connectome.proving.told import Kind
from engram.durable import Steps
from engram.model.errors import BadTables, EngramError, NoIdentity, NotHere, SnapshotBusy, TargetExists, UsageError
from engram.model.outcome import Outcome, Status
from engram.testing.faults import die_at_every_step, fail_at_every_step
from engram.workspace.context import Context
from engram.workspace.snapshot_asking import Row, SnapshotAsking
from engram.workspace.snapshot_building import SnapshotBuilding
from engram.workspace.snapshot_loading import SnapshotLoading
from engram.workspace.snapshot_proving import SnapshotProving
from tests.integration.connectome.test_building import CONNECTOME, change_settings
from tests.integration.connectome.test_shapes import ShapeLab
from tests.integration.connectome.test_snapshot_check import wrong_in
from tests.interop.peers import annex, create, git, save, tree_of, write
from tests.naive_connectome import write_connectome

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("git_annex")]
TEXTS = {"provenance.json", "ro-crate-metadata.json", "final-config.yaml", "neuprint-meta.yaml"}
STATS = "flat-connectome/body-stats-naive-minconf-0.0.feather"


def context(folder: Path, **environment: str) -> Context:
    return Context(folder=str(folder), environment={**os.environ, **environment})


def build(config: Path, out: Path, *, steps: Steps | None = None, saved: bool = True) -> list[Outcome]:
    building = SnapshotBuilding(context(config.parent), steps=steps)
    told = building.build(str(config), output=str(out), memory="512MB", threads=1, plots=False, save=saved)
    return list(told)


def proven(folder: Path) -> list[Outcome]:
    return list(SnapshotProving(context(folder.parent)).check(folder.name, memory="512MB", threads=1))


def subjects(dataset: Path) -> list[str]:
    return git(dataset, "log", "--format=%s").splitlines()


def is_clean(dataset: Path) -> bool:
    return git(dataset, "status", "--porcelain", "--untracked-files=all") == ""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_connectome(CONNECTOME, tmp_path / "in")


@pytest.fixture
def out(config: Path, tmp_path: Path) -> Path:
    """A snapshot that was saved."""
    build(config, tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture
def clone(out: Path, tmp_path: Path) -> Path:
    """A clone of it, without any content."""
    git(tmp_path, "clone", "-q", str(out), "clone")
    annex(tmp_path / "clone", "init")
    return tmp_path / "clone"


class TestVersions:
    def test_all_of_a_snapshot_is_one_commit_and_nothing_of_the_build_is(self, out: Path) -> None:
        assert subjects(out) == ["snapshot naive", "[DATALAD] new dataset"]
        assert is_clean(out)
        told = json.loads((out / "provenance.json").read_text())
        files = {one["path"] for one in told["tables"]}
        recorded = tree_of(out)
        ours = {".gitattributes", ".datalad/config", ".datalad/.gitattributes"}
        assert recorded.keys() == {*files, *TEXTS, *ours}
        assert {path for path in recorded if (out / path).is_symlink()} == files - TEXTS
        assert wrong_in(out) == []

    def test_an_unchanged_build_is_no_new_version(self, config: Path, out: Path) -> None:
        before = git(out, "rev-parse", "HEAD")
        told = build(config, out)
        assert {(one.action, one.status) for one in told} == {
            ("build", Status.NOT_NEEDED),
            ("save", Status.NOT_NEEDED),
        }
        assert git(out, "rev-parse", "HEAD") == before

    def test_a_changed_build_is_a_new_version_and_the_old_one_stays_as_it_was(self, config: Path, out: Path) -> None:
        old = {path: (out / path).read_bytes() for path in tree_of(out)}
        change_settings(config, "small", "0.7")
        build(config, out)
        assert subjects(out)[:2] == ["snapshot naive", "snapshot naive"]
        assert is_clean(out)
        assert wrong_in(out) == []
        assert (out / "provenance.json").read_bytes() != old["provenance.json"]
        git(out, "checkout", "-q", "HEAD~1")
        assert {path: (out / path).read_bytes() for path in tree_of(out)} == old
        assert "fsck" in annex(out, "fsck", "--all")

    def test_what_is_not_of_the_snapshot_is_not_saved(self, config: Path, out: Path) -> None:
        write(out, "notes.txt", "mine")
        change_settings(config, "small", "0.7")
        build(config, out)
        assert git(out, "status", "--porcelain") == "?? notes.txt\n"

    def test_a_part_that_nobody_wants_any_more_is_gone_from_the_new_version(self, config: Path, out: Path) -> None:
        text = config.read_text()
        config.write_text(text.replace("export-neuprint-snapshot: true", "export-neuprint-snapshot: false"))
        build(config, out)
        assert is_clean(out)
        assert not [path for path in tree_of(out) if path.startswith("neuprint/")]

    def test_a_save_by_hand_passes_over_what_builds_keep_for_themselves(self, config: Path, tmp_path: Path) -> None:
        build(config, tmp_path / "out", saved=False)
        create(tmp_path / "out", force=True)
        save(tmp_path / "out")
        assert is_clean(tmp_path / "out")
        assert not [path for path in tree_of(tmp_path / "out") if path.startswith(".engram")]

    def test_a_dataset_that_only_git_annex_may_write_to_is_saved_by_it(self, config: Path, tmp_path: Path) -> None:
        create(tmp_path / "out")
        git(tmp_path / "out", "config", "core.sharedRepository", "group")
        told = build(config, tmp_path / "out")
        assert any("handed to git-annex" in one.note for one in told)
        assert subjects(tmp_path / "out")[0] == "snapshot naive"
        assert is_clean(tmp_path / "out")
        assert wrong_in(tmp_path / "out") == []

    def test_a_build_that_fails_saves_nothing(self, config: Path, tmp_path: Path) -> None:
        (config.parent / "partners.feather").write_bytes(b"no table")
        with pytest.raises((BadTables, EngramError)):
            build(config, tmp_path / "out")
        assert not (tmp_path / "out" / ".git").exists()

    def test_skeletons_that_were_saved_are_kept_behind_their_links(self, tmp_path: Path) -> None:
        """What is kept of a part that changed is the same link; it leads into the annex again once it is in place."""
        lab = ShapeLab(tmp_path)
        lab.build()
        build(lab.folder / "config.yaml", lab.out)
        links = [path for path in lab.out.glob("skeletons-main/skeletons-swc/*") if path.is_symlink()]
        before = {path: os.readlink(path) for path in links}
        changed = min(path for path in lab.folder.rglob("*.swc") if lab.out not in path.parents)
        changed.write_text(changed.read_text() + "# changed\n")
        build(lab.folder / "config.yaml", lab.out)
        assert is_clean(lab.out)
        assert wrong_in(lab.out) == []
        same = [path for path in links if path.is_symlink() and os.readlink(path) == before[path]]
        assert 0 < len(same) < len(links)


class TestWhichDataset:
    def test_a_dataset_around_it_records_each_version_as_a_subdataset(self, config: Path, tmp_path: Path) -> None:
        create(tmp_path / "super")
        out = tmp_path / "super" / "release"
        for setting in ("big", "small"):
            change_settings(config, setting, "0.7")
            build(config, out)
            assert is_clean(tmp_path / "super")
            assert tree_of(tmp_path / "super")["release"].split() == ["160000", git(out, "rev-parse", "HEAD").strip()]
        assert subjects(tmp_path / "super")[:2] == ["snapshot naive"] * 2

    @pytest.mark.parametrize("how", ["ignored", "no dataset"])
    def test_a_repository_that_does_not_want_it_is_left_alone(self, config: Path, tmp_path: Path, how: str) -> None:
        code = tmp_path / "code"
        if how == "ignored":
            create(code)
            write(code, ".gitignore", "release/\n")
            save(code)
        else:
            git(tmp_path, "init", "-q", str(code))
            git(code, "commit", "-q", "--allow-empty", "-m", "begin")
        before = git(code, "rev-parse", "HEAD")
        build(config, code / "release")
        assert git(code, "rev-parse", "HEAD") == before
        assert subjects(code / "release")[0] == "snapshot naive"

    def test_files_that_the_dataset_around_it_records_are_not_taken_from_it(self, config: Path, tmp_path: Path) -> None:
        create(tmp_path / "super")
        build(config, tmp_path / "super" / "release", saved=False)
        save(tmp_path / "super")
        before = git(tmp_path / "super", "rev-parse", "HEAD")
        with pytest.raises(TargetExists, match="records files in it, as release/") as told:
            build(config, tmp_path / "super" / "release")
        assert "engram save -d" in told.value.next_step
        assert is_clean(tmp_path / "super")
        assert git(tmp_path / "super", "rev-parse", "HEAD") == before

    def test_rules_of_the_user_are_left_and_only_what_is_missing_is_added(self, config: Path, tmp_path: Path) -> None:
        create(tmp_path / "out")
        mine = "* annex.backend=MD5E\n**/.git* annex.largefiles=nothing\n"
        mine += "*.json annex.largefiles=anything\n*.feather annex.largefiles=nothing\n"
        write(tmp_path / "out", ".gitattributes", mine)
        save(tmp_path / "out")
        build(config, tmp_path / "out")
        text = (tmp_path / "out" / ".gitattributes").read_text()
        assert text.startswith(mine)
        assert [line.split()[0] for line in text[len(mine) :].splitlines()] == [
            "/final-config.yaml",
            "/neuprint-meta.yaml",
        ]
        assert (tmp_path / "out" / "provenance.json").is_symlink()
        assert not (tmp_path / "out" / STATS).is_symlink()
        assert is_clean(tmp_path / "out")
        assert wrong_in(tmp_path / "out") == []

    def test_a_plain_repository_becomes_a_dataset_with_its_history(self, config: Path, tmp_path: Path) -> None:
        git(tmp_path, "init", "-q", "out")
        git(tmp_path / "out", "commit", "-q", "--allow-empty", "-m", "mine")
        build(config, tmp_path / "out")
        assert subjects(tmp_path / "out") == ["snapshot naive", "[DATALAD] new dataset", "mine"]
        assert is_clean(tmp_path / "out")

    def test_a_clone_is_built_in_like_the_folder_it_came_from(self, config: Path, clone: Path) -> None:
        """It has no private folder: what is in it is known by its sealed provenance."""
        change_settings(config, "small", "0.7")
        build(config, clone)
        assert is_clean(clone)
        assert wrong_in(clone) == []
        assert subjects(clone)[:2] == ["snapshot naive"] * 2


class TestRefusals:
    """What would keep a snapshot from being saved is told before anything is built."""

    def refused(self, config: Path, out: Path, error: type[EngramError], message: str) -> None:
        before = sorted(out.rglob("*")) if out.is_dir() else []
        with pytest.raises(error, match=message):
            build(config, out)
        assert (sorted(out.rglob("*")) if out.is_dir() else []) == before

    def test_a_bare_repository(self, config: Path, tmp_path: Path) -> None:
        git(tmp_path, "init", "-q", "--bare", "bare.git")
        self.refused(config, tmp_path / "bare.git" / "out", UsageError, "where a repository keeps what is its own")

    def test_a_file(self, config: Path, tmp_path: Path) -> None:
        (tmp_path / "out").write_text("mine")
        self.refused(config, tmp_path / "out", UsageError, "is no folder")

    def test_a_conflict(self, config: Path, out: Path) -> None:
        blob = git(out, "hash-object", "-w", "--stdin", stdin="theirs").strip()
        lines = "".join(f"100644 {blob} {stage}\tprovenance.json\n" for stage in (1, 2, 3))
        git(out, "update-index", "--index-info", stdin=f"0 {'0' * 40}\tprovenance.json\n{lines}")
        self.refused(config, out, UsageError, "provenance.json is in conflict")

    def test_nobody_who_saves(self, config: Path, tmp_path: Path) -> None:
        (tmp_path / "home").mkdir()
        building = SnapshotBuilding(context(tmp_path, HOME=str(tmp_path / "home"), GIT_CONFIG_GLOBAL="/dev/null"))
        with pytest.raises(NoIdentity):
            list(building.build(str(config), output="out", memory="512MB", threads=1, plots=False, save=True))
        assert not (tmp_path / "out").exists()

    def test_a_part_that_is_a_repository(self, config: Path, out: Path) -> None:
        shutil.rmtree(out / "nt", ignore_errors=True)
        git(out, "init", "-q", "nt")
        self.refused(config, out, TargetExists, "is a repository of its own")
        assert (out / "nt" / ".git").is_dir()


class TestWhatIsNotHere:
    def test_a_clone_says_what_to_get(self, clone: Path) -> None:
        told = proven(clone)
        failed = [one for one in told if one.failed]
        assert {one.status for one in failed} == {Status.IMPOSSIBLE}
        assert [(one.item, one.remedy) for one in failed] == [
            (part, f"Get it: engram -C {clone} get {part}") for part in ("flat-connectome", "neuprint")
        ] + [(path, f"Get it: engram -C {clone} get {path}") for path in self.tables(clone)]
        sound = {one.item for one in told if not one.failed and not one.note.startswith("not proven")}
        assert sound == TEXTS - {"provenance.json"}

    def tables(self, clone: Path) -> list[str]:
        """What is to get of the small parts."""
        found = sorted(path.relative_to(clone).as_posix() for path in (clone / "tables").iterdir())
        return found if len(found) == 1 else ["tables"]

    @pytest.mark.parametrize("unlocked", [False, True])
    def test_questions_say_what_to_get_and_are_answered_afterwards(self, clone: Path, unlocked: bool) -> None:
        if unlocked:
            annex(clone, "unlock")
            assert (clone / STATS).read_bytes().startswith(b"/annex/objects/")
        asking = SnapshotAsking(context(clone.parent))
        with pytest.raises(NotHere, match=f"^{STATS}: its content is not here") as told:
            list(asking.query("clone", "SELECT * FROM body_stats", memory="512MB", threads=1))
        assert told.value.next_step == f"Get it: engram -C {clone} get {STATS}"
        assert [one.name for one in asking.tables("clone") if one.is_here] == []
        with pytest.raises(NotHere):
            list(asking.diff("out", "clone", most=1, memory="512MB", threads=1))
        loading = SnapshotLoading(context(clone.parent))
        with pytest.raises(NotHere, match="neuprint: its content"):
            loading.script("clone", version="5", database="neo4j", memory="512MB", threads=1)
        assert {one.kind for one in wrong_in(clone)} == {Kind.ABSENT}
        annex(clone, "get", ".")
        rows = list(asking.query("clone", "SELECT count(*) AS n FROM body_stats", memory="512MB", threads=1))
        assert [one.values for one in rows if isinstance(one, Row)] == [{"n": 2}]
        changes = list(asking.diff("out", "clone", most=1, memory="512MB", threads=1))
        assert changes
        assert all(isinstance(one, SnapshotChange) and one.old == one.new for one in changes)
        assert "neo4j-admin" in loading.script("clone", version="5", database="neo4j", memory="512MB", threads=1)
        assert wrong_in(clone) == []

    def test_half_a_table_is_not_asked_for_the_whole(self, clone: Path) -> None:
        annex(clone, "get", ".")
        (part,) = (clone / "neuprint" / "Neuprint_Synapses").iterdir()
        twin = part.with_name("000001.csv")
        shutil.copy(part, twin)
        (clone / "provenance.json").unlink()
        annex(clone, "drop", "--force", str(part))
        asking = SnapshotAsking(context(clone.parent))
        with pytest.raises(NotHere, match="neuprint/Neuprint_Synapses/000000"):
            list(asking.query("clone", "FROM neuprint_synapses", memory="512MB", threads=1))

    def test_one_dropped_file_hides_no_damage_of_others_and_makes_none_up(self, out: Path) -> None:
        annex(out, "drop", "--force", "neuprint/Neuprint_Synapses/000000.csv")
        assert [(one.path, one.kind) for one in wrong_in(out)] == [
            ("neuprint/Neuprint_Synapses/000000.csv", Kind.ABSENT)
        ]
        content = (out / STATS).resolve()
        content.chmod(0o644)
        content.write_bytes(b"x" * content.stat().st_size)
        assert {one.path for one in wrong_in(out) if one.kind is Kind.DAMAGED} == {STATS}

    def test_what_was_dropped_is_built_again_with_the_same_key(self, config: Path, out: Path) -> None:
        before = git(out, "rev-parse", "HEAD:flat-connectome")
        annex(out, "drop", "--force", STATS)
        explained = SnapshotBuilding(context(out.parent)).plan_build(str(config), output="out", plots=False)
        why = {one.item: one.why for one in explained.steps}
        assert why["flat-connectome"] == f"the content of {STATS} is not here"
        build(config, out)
        assert git(out, "rev-parse", "HEAD:flat-connectome") == before
        assert (out / STATS).exists()
        assert is_clean(out)
        assert wrong_in(out) == []

    def test_a_provenance_that_the_user_annexed_is_no_damage_where_it_is_not_here(self, out: Path) -> None:
        write(out, ".gitattributes", "**/.git* annex.largefiles=nothing\n*.json annex.largefiles=anything\n")
        git(out, "rm", "-q", "--cached", "provenance.json")
        save(out)
        annex(out, "drop", "--force", "provenance.json")
        assert [(one.path, one.kind) for one in wrong_in(out)] == [("provenance.json", Kind.ABSENT)]

    def test_a_snapshot_among_others_in_one_dataset_is_found_by_another_name_too(
        self, config: Path, tmp_path: Path
    ) -> None:
        create(tmp_path / "all")
        build(config, tmp_path / "all" / "releases" / "one", saved=False)
        save(tmp_path / "all")
        assert (tmp_path / "all" / "releases" / "one" / STATS).is_symlink()
        (tmp_path / "latest").symlink_to("all/releases/one")
        assert wrong_in(tmp_path / "latest") == []
        assert wrong_in(tmp_path / "all" / "releases" / "one") == []
        build(config, tmp_path / "all" / "releases" / "one", saved=False)
        assert is_clean(tmp_path / "all")

    @pytest.mark.parametrize("target", ["elsewhere", "../.git/config", "../.git/annex/objects/../../config", "key"])
    def test_a_link_that_leads_anywhere_else_is_no_file_of_it(self, out: Path, tmp_path: Path, target: str) -> None:
        key = os.path.basename(os.readlink(out / STATS))
        if target == "elsewhere":
            create(tmp_path / "other")
            target = f"../../other/.git/annex/objects/aa/bb/{key}/{key}"
        elif target == "key":
            target = f"../.git/annex/objects/aa/bb/other/{key}"
        (out / STATS).unlink()
        (out / STATS).symlink_to(target)
        assert [(one.path, one.kind, one.message.split(" ")[:2]) for one in wrong_in(out)] == [
            (STATS, Kind.DAMAGED, ["is", "a"])
        ]


@pytest.mark.slow
class TestKills:
    def save_again(self, config: Path) -> tuple[Callable[[Path, Steps], int], Callable[[Path], None]]:
        def operation(folder: Path, steps: Steps) -> int:
            build(config, folder, steps=steps)
            return 0

        def is_saved(folder: Path) -> None:
            assert subjects(folder)[0] == "snapshot naive"
            assert subjects(folder).count("snapshot naive") == 1
            assert is_clean(folder)
            assert wrong_in(folder) == []
            assert git(folder, "config", "annex.uuid")

        return operation, is_saved

    def copies(self, config: Path, tmp_path: Path) -> Callable[[], Path]:
        """Snapshots that are built and not saved yet."""
        build(config, tmp_path / "built", saved=False)
        numbers = count()

        def fresh() -> Path:
            place = tmp_path / f"copy{next(numbers)}"
            shutil.copytree(tmp_path / "built", place)
            config.write_text(config.read_text())
            return place

        return fresh

    def test_a_save_that_is_killed_is_finished_by_the_same_command(self, config: Path, tmp_path: Path) -> None:
        operation, is_saved = self.save_again(config)
        died = die_at_every_step(operation, self.copies(config, tmp_path), is_saved, stride=29)
        assert len(died) > 10

    def test_a_full_disk_while_saving_loses_nothing(self, config: Path, tmp_path: Path) -> None:
        operation, is_saved = self.save_again(config)
        fail_at_every_step(operation, self.copies(config, tmp_path), is_saved, stride=61)

    def test_a_save_below_a_dataset_that_is_killed_is_finished_there_too(self, config: Path, tmp_path: Path) -> None:
        operation, is_saved = self.save_again(config)
        fresh = self.copies(config, tmp_path)

        def below() -> Path:
            place = fresh()
            top = place.with_name(f"{place.name}-super")
            create(top)
            shutil.move(place, top / "release")
            return top / "release"

        def is_recorded(folder: Path) -> None:
            is_saved(folder)
            assert is_clean(folder.parent)
            assert tree_of(folder.parent)["release"].split()[1] == git(folder, "rev-parse", "HEAD").strip()

        die_at_every_step(operation, below, is_recorded, stride=97)


class TestTwoAtOnce:
    def test_nobody_builds_while_a_snapshot_is_saved(self, config: Path, out: Path) -> None:
        with Folder(Steps(), str(out)).looked_at(), pytest.raises(SnapshotBusy):
            build(config, out)

    def test_what_somebody_else_built_meanwhile_is_not_saved_in_the_name_of_this_build(
        self, config: Path, out: Path
    ) -> None:
        from engram.workspace.snapshot_saving import SnapshotSaving

        change_settings(config, "small", "0.7")
        build(config, out, saved=False)
        with pytest.raises(SnapshotBusy):
            list(SnapshotSaving(context(out.parent), str(out)).carry_out("naive", {}))
        assert subjects(out) == ["snapshot naive", "[DATALAD] new dataset"]


class TestStrangers:
    """A snapshot that was saved travels: whoever made the dataset may have put anything into it."""

    @pytest.mark.parametrize("name", ["new", "old", "made", "work", "lock", "next.json", "new/neuprint", ".gitignore"])
    def test_links_in_its_private_folder_lead_nobody_astray(
        self, config: Path, clone: Path, tmp_path: Path, name: str
    ) -> None:
        victim = tmp_path / "victim"
        (victim / "Neuprint_Synapses").mkdir(parents=True)
        for path in ("diary", "Neuprint_Meta.csv", "work.duckdb", "lock", "Neuprint_Synapses/000000.csv"):
            (victim / path).write_text("mine")
        before = {path: path.read_bytes() for path in victim.rglob("*") if path.is_file()}
        link = clone / ".engram" / name
        link.parent.mkdir(parents=True)
        link.symlink_to(victim / "lock" if name in ("lock", "next.json", ".gitignore") else victim)
        git(clone, "add", "-f", str(link))
        git(clone, "commit", "-q", "-m", "from a stranger")
        change_settings(config, "small", "0.7")
        build(config, clone, saved=False)
        assert {path: path.read_bytes() for path in victim.rglob("*") if path.is_file()} == before
        assert wrong_in(clone) == []
        assert (clone / ".engram" / ".gitignore").read_bytes() == b"*\n"
        assert not (clone / ".engram" / ".gitignore").is_symlink()

    def test_a_part_that_is_a_link_is_replaced_and_what_it_leads_to_stays(
        self, config: Path, clone: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "victim").mkdir()
        (tmp_path / "victim" / "diary").write_text("mine")
        shutil.rmtree(clone / "neuprint")
        (clone / "neuprint").symlink_to(tmp_path / "victim")
        build(config, clone, saved=False)
        assert (tmp_path / "victim" / "diary").read_text() == "mine"
        assert wrong_in(clone) == []
