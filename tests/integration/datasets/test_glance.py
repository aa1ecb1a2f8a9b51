"""A full check looks once at what is well, and at length at everything else: one test for each reason to look again."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engram.datasets.annexed import files_and_links
from engram.datasets.auditing import glance
from engram.datasets.auditing.examining import Examiner
from engram.datasets.dataset import Surroundings, open_dataset
from engram.datasets.whereabouts import Whereabouts
from engram.testing.places import Template
from engram.workspace.auditing import Custody
from engram.workspace.context import Context
from tests.integration.clones import FILES, fresh, object_of, rewrite, two_clones
from tests.interop.peers import annex, git, save, write

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def template(git_annex: Path, tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template(two_clones(tmp_path_factory.mktemp("pair")), tmp_path_factory.mktemp("copies"))


@pytest.fixture
def dataset(template: Template) -> Path:
    return fresh(template) / "a"


def seen_at_a_glance(folder: Path) -> set[str]:
    """The files of which a glance says that all is well with them."""
    dataset = open_dataset(str(folder), Surroundings(environment=dict(os.environ)))
    whereabouts, index = Whereabouts(dataset), dataset.read_index()
    examiner = Examiner(dataset, whereabouts, full=True, advance=lambda _: None, jobs=1)
    found = ((file, examiner._glance.sound(file, target)) for file, target in files_and_links(dataset, index, (b"",)))
    return {os.fsdecode(file.path) for file, one in found if one is not None}


def told(folder: Path) -> dict[str, Any]:
    """What a full check says of ``a.dat``."""
    custody = Custody(Context(folder=str(folder), environment=dict(os.environ)))
    [record] = [outcome.as_json() for outcome in custody.fsck(["a.dat"], full=True)]
    return record


def unlock(folder: Path) -> None:
    annex(folder, "unlock", "a.dat")


def take_another_backend(folder: Path) -> None:
    """A key without a digest."""
    annex(folder, "unlock", "a.dat")
    git(folder, "rm", "-q", "--cached", "a.dat")
    annex(folder, "add", "--backend=WORM", "--force-large", "a.dat")
    git(folder, "commit", "-q", "-m", "worm")


def keep_no_extension(folder: Path) -> None:
    """A key with an extension that its backend does not keep: what follows the digest is part of its name."""
    link = folder / "a.dat"
    target = os.readlink(link)
    link.unlink()
    link.symlink_to(target.replace("SHA256E-", "SHA256-"))
    git(folder, "add", "a.dat")


def lead_elsewhere(folder: Path) -> None:
    """A link that leads to the right key by another way."""
    link = folder / "a.dat"
    target = os.readlink(link)
    link.unlink()
    link.symlink_to(f"d/../{target}")
    git(folder, "add", "a.dat")


def forget(folder: Path) -> None:
    uuid = git(folder, "config", "annex.uuid").strip()
    annex(folder, "setpresentkey", os.path.basename(os.readlink(folder / "a.dat")), uuid, "0")


def want_more(folder: Path) -> None:
    annex(folder, "numcopies", "3")


def want_more_of_this(folder: Path) -> None:
    """The number is that of this file alone."""
    write(folder, ".gitattributes", "a.dat annex.numcopies=1\n")
    save(folder, to_git=True)


def lose(folder: Path) -> None:
    content = object_of(folder, "a.dat")
    content.parent.chmod(0o755)
    content.unlink()


def grow(folder: Path) -> None:
    rewrite(object_of(folder, "a.dat"), "a" * 3001)


def flip(folder: Path) -> None:
    rewrite(object_of(folder, "a.dat"), "b" + "a" * 2999)


def loosen(folder: Path) -> None:
    object_of(folder, "a.dat").chmod(0o644)


def loosen_its_folder(folder: Path) -> None:
    object_of(folder, "a.dat").parent.chmod(0o755)


def put_a_pipe_in_its_place(folder: Path) -> None:
    lose(folder)
    os.mkfifo(object_of(folder, "a.dat"))


def put_a_link_in_its_place(folder: Path) -> None:
    lose(folder)
    elsewhere = folder / ".git" / "elsewhere"
    elsewhere.write_bytes(b"a" * 3000)
    object_of(folder, "a.dat").symlink_to(elsewhere)


def test_what_is_well_is_seen_at_once(dataset: Path) -> None:
    assert seen_at_a_glance(dataset) == set(FILES)


WELL = [unlock, take_another_backend, want_more_of_this]
MENDED = [lead_elsewhere, forget, loosen, loosen_its_folder, grow, flip]
WRONG = [keep_no_extension, want_more, lose, put_a_pipe_in_its_place, put_a_link_in_its_place]


@pytest.mark.parametrize("change", [*WELL, *MENDED, *WRONG])
def test_it_is_looked_at_again(dataset: Path, change: Callable[[Path], None]) -> None:
    change(dataset)
    assert "a.dat" not in seen_at_a_glance(dataset)
    record = told(dataset)
    assert record["status"] == ("error" if change in WRONG else "ok"), record
    if change not in WRONG:
        assert bool(record["note"]) is (change in MENDED), record


def test_a_large_content_is_left_to_the_threads(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glance, "LARGE_BYTES", 2500)
    assert seen_at_a_glance(dataset) == {"d/b.dat", "d/e/c.dat"}
    assert told(dataset)["status"] == "ok"


def test_who_only_counts_what_is_sound_is_told_of_the_rest_alone(dataset: Path) -> None:
    flip(dataset)
    sound: list[None] = []
    custody = Custody(Context(folder=str(dataset), environment=dict(os.environ)))
    told = list(custody.fsck(full=True, count_sound=lambda: sound.append(None)))
    assert [outcome.item for outcome in told] == ["a.dat", "d/same.dat"]  # which has the same content
    assert len(sound) == len(FILES) - 2
