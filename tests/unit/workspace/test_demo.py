"""The demonstration does what it says, and nothing else."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import engram
from engram.durable import Steps
from engram.model.errors import TargetExists
from engram.model.outcome import DatasetOutcome, Outcome, Status
from engram.workspace.context import Context
from engram.workspace.demo import FOLDER, Demo
from engram.workspace.demo_snapshots import SnapshotStory

IMAGES = Path(engram.__file__).parent / "demo_images"
CONNECTOMES = Path(engram.__file__).parent / "demo_connectomes"
SCAN = "sub-01/anat/sub-01_T1w.nii"


def somebody_unknown(base: Path) -> Context:
    """A call by somebody whose git knows nobody, from a folder with nothing in it."""
    (base / "home").mkdir()
    (base / "here").mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(base / "home"), "GIT_CONFIG_NOSYSTEM": "1"}
    return Context(folder=str(base / "here"), environment=environment)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return somebody_unknown(tmp_path)


@pytest.fixture(scope="module")
def there(git_annex: Path, tmp_path_factory: pytest.TempPathFactory) -> Context:
    """Where the story was told once, for all tests that only look."""
    return somebody_unknown(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def told(there: Context) -> list[Outcome]:
    return list(Demo(there, version_text=lambda version: str(version.as_json())).tell())


@pytest.fixture
def folder(told: list[Outcome], there: Context) -> Path:
    return Path(there.folder, FOLDER)


def steps(told: list[Outcome]) -> list[DatasetOutcome]:
    return [outcome for outcome in told if isinstance(outcome, DatasetOutcome) and outcome.action == "demo"]


def test_every_step_has_a_command_a_meaning_and_a_time(told: list[Outcome]) -> None:
    assert not [outcome for outcome in told if outcome.failed]
    assert [step.item.split("\n")[-1 if step.item.startswith("cd") else 0] for step in steps(told)] == [
        "engram create -c text2git engram-demo",
        "git config user.email demo@engram.invalid",
        f"cp -R {IMAGES}/. .",
        "engram status",
        "engram save -m 'Add two subjects, a template and a map'",
        f"engram run -m 'Histogram of sub-01, 20 bins' -i {SCAN} -o figures/sub-01.svg \\",
        f"engram run -m 'Histogram of sub-01, 60 bins' -i {SCAN} -o figures/sub-01.svg \\",
        "engram history figures/sub-01.svg",
        "engram clone engram-demo engram-demo-copy",
        "git config user.email demo@engram.invalid",
        "engram get sub-01/anat",
        "engram rerun",
        "engram drop sub-01/anat",
        "engram drop maps",
        "engram whereis maps",
        "git annex fsck --quiet",
        "head -c 46193 /dev/zero > engram-demo-share/12347/2020-01-02_11-13-17/probe_1/npx.imec.ap.bin",
        "engram lab create engram-demo-lab",
        "engram share add recordings ../engram-demo-share",
        "engram sessions scan",
        "engram subjects add 12347 --responsible ada",
        "engram sessions plan -o plan.json",
        "engram sessions ingest plan.json",
        "engram sessions missing -o missing.csv",
        "sed -i '/,project,/!s/,no,/,yes,/' missing.csv",
        "engram sessions scan",
        "engram sessions plan",
        "cd engram-demo-connectomes",
        "engram snapshot build -c worm/worm.yaml --no-plots",
        'engram snapshot query worm-v1.0 "',
        "engram snapshot check worm-v1.0",
        f"{shlex.quote(sys.executable)} code/set_back.py larva larva-before",
        "engram snapshot build -c larva-before/larva.yaml",
        'engram snapshot query larva-v0.9 "',
        "engram snapshot build -c larva/larva.yaml",
        "engram snapshot diff larva-v0.9 larva-v1.0 --most 2",
    ]
    for step in steps(told):
        assert step.note.endswith(".")
        assert dict(step.extra)["seconds"] is not None


def said(told: list[Outcome], command: str) -> str:
    (step,) = [step for step in steps(told) if command in step.item]
    return str(dict(step.extra)["said"])


def test_the_operations_tell_what_they_did(told: list[Outcome]) -> None:
    done = [(outcome.action, outcome.item) for outcome in told if outcome.status is Status.OK]
    assert done.count(("add", "figures/sub-01.svg")) == 2
    assert ("get", SCAN) in done
    assert ("drop", SCAN) in done
    saves = [outcome.status for outcome in told if outcome.action == "save" and outcome.status is Status.OK]
    assert len(saves) == 3, "made again, the figure is the same"


def test_what_would_be_lost_is_kept(told: list[Outcome], folder: Path) -> None:
    assert "unsafe; Could not verify the existence of the 1 necessary copy." in said(told, "engram drop maps")
    assert said(told, "whereis") == "maps/neurovault_10426.nii.gz: here"
    assert (folder / "maps/neurovault_10426.nii.gz").exists()
    assert said(told, "fsck") == ""


def test_the_figure_is_traced_to_its_parameters(told: list[Outcome], folder: Path) -> None:
    newest, oldest = said(told, "history").split("\n\n")
    assert "--bins 60" in newest
    assert "--bins 20" in oldest
    assert (folder / "figures/sub-01.svg").read_text().count("<rect") > 20


def test_a_share_gets_into_the_catalogue_and_leaves_nothing_to_do(told: list[Outcome], folder: Path) -> None:
    assert ("add", "12347/2020-01-01T10-00-30") in [(one.action, one.item) for one in told if one.status is Status.OK]
    assert "12347/2020-01-01T10-00-30: task 2: sleep_1" in said(told, "sessions missing")
    (annotated,) = [one.note for one in told if one.action == "annotate"]
    assert annotated.startswith("experimenter ada; task open_field_1 confirmed")
    (planned,) = [step for step in steps(told) if step.item == "engram sessions plan"]
    last = str(dict(planned.extra)["said"]).splitlines()
    assert last[-1] == "plan: 0 to do, 1 refused; nothing was changed"
    assert "truncated: 7 of 46200 bytes are missing." in last[0]
    assert (folder.with_name("engram-demo-lab") / "engram.toml").exists()


def test_two_connectomes_become_snapshots_and_two_versions_are_compared(told: list[Outcome], folder: Path) -> None:
    here = folder.with_name("engram-demo-connectomes")
    assert {"worm-v1.0", "larva-v0.9", "larva-v1.0"} <= set(os.listdir(here))
    assert "build (ok: " in said(told, "build -c worm")
    assert "'source': 'SABD', 'target': 'hyp', 'weight': 142" in said(told, "query worm")
    assert re.fullmatch(r"\.\.\.\naction summary:\n  check \(ok: \d+\)", said(told, "check worm"))
    changed = said(told, "snapshot diff").splitlines()
    assert "part='bodies', old=19, new=18, added=0, removed=1, changed=6" in changed[0]


def test_the_page_that_the_demonstration_names_is_there(told: list[Outcome], folder: Path) -> None:
    page = said(told, "query larva").splitlines()[-1]
    assert "<html" in (folder.with_name("engram-demo-connectomes") / page).read_text()


def test_made_up_coordinates_are_called_so_wherever_they_are() -> None:
    for name in ("README.md", "worm/worm.yaml", "worm/neuprint-meta.yaml"):
        assert "made up" in (CONNECTOMES / name).read_text(), name


def test_both_connectomes_are_small_and_have_their_licence_beside_them() -> None:
    readme = (CONNECTOMES / "README.md").read_text()
    for name in ("larva", "worm"):
        (row,) = [line for line in readme.splitlines() if line.startswith(f"| `{name}`")]
        assert f"`licences/{name}.txt`" in row
        assert (CONNECTOMES / "licences" / f"{name}.txt").read_text().strip()
    assert sum(file.stat().st_size for file in CONNECTOMES.rglob("*") if file.is_file()) < 300_000


def test_without_its_libraries_a_part_is_one_line_that_names_the_extra(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engram.workspace.demo_snapshots.find_spec", lambda name: None)
    (step,) = SnapshotStory(context, str(Path(context.folder, "x")), Steps(), str, str).told()
    assert step.command == ""
    assert "extra connectome: pip install '.[connectome]'" in step.meaning
    assert step.do() == ""


def test_the_copy_has_only_what_was_asked_for(folder: Path) -> None:
    copy = folder.with_name("engram-demo-copy")
    assert (copy / "sub-01/anat/sub-01_T1w.nii").is_symlink()
    assert not (copy / SCAN).exists()
    assert (copy / "figures/sub-01.svg").read_bytes() == (folder / "figures/sub-01.svg").read_bytes()


def test_the_images_are_in_the_annex_unchanged_and_text_is_in_git(folder: Path) -> None:
    image = "template/mni152_2009a_T1w.nii.gz"
    assert (folder / image).is_symlink()
    assert (folder / image).read_bytes() == (IMAGES / image).read_bytes()
    assert not (folder / "README.md").is_symlink()
    assert (folder / "licences" / "icbm152.txt").read_bytes() == (IMAGES / "licences" / "icbm152.txt").read_bytes()


def test_what_an_installer_compiled_is_no_part_of_the_story(
    git_annex: Path, context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(IMAGES, tmp_path / "images")
    (tmp_path / "images/code/__pycache__").mkdir(exist_ok=True)
    (tmp_path / "images/code/__pycache__/histogram.cpython-311.pyc").touch()
    monkeypatch.setattr("engram.workspace.demo._IMAGES", str(tmp_path / "images"))
    assert not [outcome for outcome in Demo(context).tell("mine") if outcome.failed]
    assert os.listdir(Path(context.folder, "mine", "code")) == ["histogram.py"]


def test_the_history_is_clean_and_keeps_the_first_version(folder: Path, git: Callable[..., str]) -> None:
    assert git(folder, "status", "--porcelain") == ""
    assert git(folder, "diff", "--name-only", "HEAD~", "HEAD") == "figures/sub-01.svg\n"
    git(folder, "fsck", "--strict")


def test_its_name_is_known_in_its_folder_alone(folder: Path, there: Context, git: Callable[..., str]) -> None:
    assert git(folder, "log", "-1", "--format=%an <%ae>") == "engram demo <demo@engram.invalid>\n"
    assert git(folder, "config", "--local", "user.name") == "engram demo\n"
    assert not Path(there.environment["HOME"], ".gitconfig").exists()


def test_the_users_own_name_is_not_used(git_annex: Path, context: Context, git: Callable[..., str]) -> None:
    environment = {**context.environment, "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org"}
    told = Demo(Context(folder=context.folder, environment=environment)).tell("mine")
    assert not [outcome for outcome in told if outcome.failed]
    assert set(git(Path(context.folder, "mine"), "log", "--format=%an").split("\n")) == {"engram demo", ""}


def test_an_empty_folder_will_do_and_is_named_as_one_would_type_it(git_annex: Path, context: Context) -> None:
    Path(context.folder, "an empty one").mkdir()
    told = list(Demo(context).tell("an empty one"))
    assert not [outcome for outcome in told if outcome.failed]
    assert [one.item.partition("\n")[0] for one in told if one.action == "demo"][:2] == [
        "engram create -c text2git 'an empty one'",
        "cd 'an empty one'",
    ]


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_is_there_already_is_left_alone(what: str, context: Context) -> None:
    place = Path(context.folder, FOLDER)
    if what == "folder":
        place.mkdir()
        place /= "mine"
    place.write_text("mine\n")
    with pytest.raises(TargetExists):
        Demo(context).tell()
    assert place.read_text() == "mine\n"


def test_each_image_has_its_source_and_its_licence_beside_it() -> None:
    readme = (IMAGES / "README.md").read_text()
    for image in IMAGES.rglob("*.nii*"):
        (row,) = [line for line in readme.splitlines() if f"`{image.relative_to(IMAGES).as_posix()}`" in line]
        (licence,) = re.findall(r"`(licences/[^`]+)`", row)
        assert (IMAGES / licence).read_text().strip()
    assert sum(file.stat().st_size for file in IMAGES.rglob("*") if file.is_file()) < 3_000_000
