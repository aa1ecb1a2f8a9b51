"""Under whose name a dataset is made: that which git will know in the new dataset, wherever one stands."""

import os
import subprocess
from pathlib import Path

import pytest

from engram.model.errors import NoIdentity, UsageError
from engram.workspace.cloning import Copies
from engram.workspace.context import Context
from engram.workspace.datasets import Datasets

pytestmark = pytest.mark.integration


@pytest.fixture
def somebody(tmp_path: Path, git_annex: Path) -> Path:
    """A folder where git knows nobody but by the file ``config``, and a repository ``named`` with its own identity."""
    git(tmp_path, "init", "-q", "named")
    git(tmp_path / "named", "config", "user.name", "Ada")
    git(tmp_path / "named", "config", "user.email", "ada@example.org")
    (tmp_path / "config").touch()
    return tmp_path


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def datasets(top: Path, folder: str = ".") -> Datasets:
    return Datasets(context(top, folder))


def context(top: Path, folder: str = ".") -> Context:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "EMAIL"))}
    environment |= {"GIT_CONFIG_GLOBAL": str(top / "config"), "GIT_CONFIG_NOSYSTEM": "1"}
    return Context(folder=str(top / folder), environment=environment)


def test_a_repository_that_names_somebody_becomes_a_dataset_under_that_name(somebody: Path) -> None:
    assert [one.status for one in datasets(somebody).create("named", force=True)] == ["ok"]
    assert git(somebody / "named", "log", "--format=%an") == "Ada\n"


def test_what_the_repository_around_the_user_says_does_not_hold_beside_it(somebody: Path) -> None:
    with pytest.raises(NoIdentity):
        datasets(somebody, "named").create("../new")
    with pytest.raises(NoIdentity):
        datasets(somebody, "named").create("sub", dataset=".")
    assert not (somebody / "new").exists()
    assert not (somebody / "named/sub").exists()


def test_what_the_user_said_of_all_below_a_folder_holds_for_what_is_made_there(somebody: Path) -> None:
    (somebody / "config").write_text(f'[includeIf "gitdir:{somebody}/lab/"]\n\tpath = {somebody}/named/.git/config\n')
    assert [one.status for one in datasets(somebody).create("lab/new")] == ["ok"]
    assert git(somebody / "lab/new", "log", "--format=%an") == "Ada\n"
    with pytest.raises(NoIdentity):
        datasets(somebody).create("elsewhere")


@pytest.mark.parametrize("place", ["named/.git", "named/.git/new", "named/.git/refs/a/b", "bare/new", "link/new"])
def test_nothing_is_made_where_a_repository_keeps_what_is_its_own(somebody: Path, place: str) -> None:
    git(somebody, "init", "-q", "--bare", "bare")
    (somebody / "link").symlink_to("named/.git/objects")
    before = sorted(somebody.rglob("*"))
    for make in (
        lambda: datasets(somebody).create(place, force=True),
        lambda: datasets(somebody).plan_create(place),
        lambda: Copies(context(somebody)).clone("named", place),
    ):
        with pytest.raises(UsageError, match="what is its own"):
            make()
    assert sorted(somebody.rglob("*")) == before


@pytest.mark.parametrize("backend", ["md5e", "FOO", "SHA256E "])
def test_a_key_backend_that_nobody_has_is_refused(somebody: Path, backend: str) -> None:
    with pytest.raises(UsageError, match="no key backend"):
        datasets(somebody).create("lab/new", backend=backend)
    assert not (somebody / "lab").exists()


@pytest.mark.root
@pytest.mark.usefixtures("as_root")
def test_a_dataset_of_another_user_is_cloned_once_its_owner_is_trusted(somebody: Path) -> None:
    datasets(somebody).create("named", force=True)
    for folder, folders, files in os.walk(somebody / "named"):
        for name in (".", *folders, *files):
            os.chown(os.path.join(folder, name), 43001, 43001, follow_symlinks=False)
    (somebody / "config").write_text("[user]\n\tname = A\n\temail = a@example.org\n")
    with pytest.raises(UsageError) as refused:
        list(Copies(context(somebody)).clone("named", "mine"))
    assert "belongs to another user" in refused.value.what
    assert not (somebody / "mine").exists()
    _, _, advised = refused.value.next_step.partition("safe.directory ")
    assert advised.startswith(str(somebody / "named"))
    with pytest.raises(UsageError, match="belongs to another user; nothing was changed") as refused:
        list(datasets(somebody, "named").save())
    assert refused.value.next_step.endswith(f"safe.directory {somebody / 'named'}")
    git(somebody, "config", "-f", "config", "safe.directory", advised)
    assert [one.status for one in Copies(context(somebody)).clone("named", "mine")] == ["ok"]
