"""What a repository brings along that would run, and the seal over it."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.datasets.brought import (
    Brought,
    brought_hooks,
    brought_links,
    brought_settings,
    named_hooks_folders,
    seal,
)
from engram.datasets.git.refs import repository_in

FINE = "#!/bin/sh\n# automatically configured by git-annex\ngit annex pre-commit .\n"
BROUGHT = st.lists(st.builds(Brought, st.text(max_size=4), st.binary(max_size=4)), max_size=4)


def hook(folder: Path, name: str, text: str, mode: int = 0o755) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(mode)


def names_of(folder: Path) -> list[str]:
    return [one.name for one in brought_hooks(os.fsencode(folder))]


def test_git_annexs_own_hooks_are_not_brought(tmp_path: Path) -> None:
    hook(tmp_path, "pre-commit", FINE)
    hook(tmp_path, "post-checkout.sample", "anything")
    hook(tmp_path, "commit-msg", "not executable", 0o644)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pre-push", 0o755)
    assert names_of(tmp_path) == []
    assert names_of(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pre-commit", FINE + "evil\n"),
        ("pre-commit", FINE.replace("#!/bin/sh", "#!/tmp/sh")),
        ("post-checkout", FINE),
        ("pre-commit", ""),
        ("anything", "x"),
    ],
)
def test_every_other_hook_is_brought(tmp_path: Path, name: str, text: str) -> None:
    hook(tmp_path, name, text)
    assert names_of(tmp_path) == [f"hook {name}"]


def test_a_hook_is_read_through_its_link(tmp_path: Path) -> None:
    hook(tmp_path, "real", "one")
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "pre-commit").symlink_to(tmp_path / "real")
    before = brought_hooks(os.fsencode(hooks))
    hook(tmp_path, "real", "two")
    assert brought_hooks(os.fsencode(hooks)) != before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("core.fsmonitor", "./x"),
        ("core.sshcommand", "x"),
        ("core.hookspath", ".githooks"),
        ("filter.Mine.clean", "x"),
        ("filter.annex.clean", "git-annex smudge --clean -- %f; x"),
        ("include.path", "../x"),
        ("includeif.gitdir:/x.path", "y"),
        ("gpg.program", "x"),
        ("gpg.ssh.program", "x"),
        ("hook.mine.command", "x"),
        ("alias.st", "!x"),
        ("diff.pdf.textconv", "x"),
        ("merge.mine.driver", "x"),
        ("credential.https://x.helper", "!x"),
        ("submodule.a.b.update", "!x"),
        ("annex.dbdir", "/home/somebody/.cache"),
        ("annex.freezecontent-command", "x"),
        ("remote.o.annex-ssh-options", "x"),
        ("remote.o.annex-externaltype", "x"),
        ("remote.o.uploadpack", "x"),
    ],
)
def test_a_setting_that_names_a_program_is_brought_in_any_spelling(name: str, value: str) -> None:
    assert [one.name for one in brought_settings([(name, value), (name.upper(), value)])] == [name, name.upper()]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("core.bare", "false"),
        ("core.fsmonitor", "true"),
        ("annex.uuid", "x"),
        ("annex.version", "10"),
        ("remote.origin.url", "x"),
        ("remote.origin.annex-uuid", "x"),
        ("submodule.a.url", "x"),
        ("filter.annex.process", "git-annex filter-process"),
        ("user.name", "x"),
    ],
)
def test_an_ordinary_setting_is_not(name: str, value: str) -> None:
    assert brought_settings([(name, value)]) == []


@given(BROUGHT, BROUGHT, st.text(max_size=3), st.text(max_size=3))
def test_two_seals_are_equal_only_for_the_same_things_at_the_same_place(
    first: list[Brought], second: list[Brought], here: str, there: str
) -> None:
    here, there = here.replace("\0", ""), there.replace("\0", "")
    here, there = (os.fsdecode(path.encode("utf-8", "replace")) for path in (here, there))
    same = [(one.name, one.content) for one in first] == [(one.name, one.content) for one in second] and here == there
    assert (seal(here, first) == seal(there, second)) is same


@given(st.binary(min_size=1, max_size=30), st.integers(0, 29), st.integers(1, 255))
def test_a_seal_breaks_with_every_byte(content: bytes, place: int, other: int) -> None:
    place %= len(content)
    changed = content[:place] + bytes([content[place] ^ other]) + content[place + 1 :]
    assert seal("/d", [Brought("hook x", content)]) != seal("/d", [Brought("hook x", changed)])


def test_hooks_are_looked_for_where_settings_put_them() -> None:
    settings = [("core.hookspath", ".githooks"), ("core.hookspath", "/etc/hooks"), ("core.pager", "x")]
    assert named_hooks_folders(settings, "/home/ada/ds") == [b"/home/ada/ds/.githooks", b"/etc/hooks"]


# --- a .git that lies elsewhere


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def links_of(work_tree: Path) -> list[str]:
    found = repository_in(os.fsencode(work_tree))
    assert found is not None
    folders = os.fsdecode(found.git_dir), os.fsdecode(found.common_dir)
    return [one.name for one in brought_links(str(work_tree), folders[0], common_dir=folders[1])]


@pytest.fixture
def absorbed(tmp_path: Path) -> Path:
    """A submodule whose repository lies in its superdataset's, as git-annex leaves it."""
    for place in (tmp_path / "top", tmp_path / "top/a/sub"):
        place.mkdir(parents=True)
        git(place, "init", "-q")
        git(place, "commit", "-q", "--allow-empty", "-m", "x")
    git(tmp_path / "top", "submodule", "--quiet", "add", "./a/sub", "a/sub")
    git(tmp_path / "top", "submodule", "--quiet", "absorbgitdirs")
    sub = tmp_path / "top/a/sub"
    assert links_of(sub) == []
    git(sub, "config", "--unset", "core.worktree")
    target = (sub / ".git").read_text().split()[1]
    (sub / ".git").unlink()
    (sub / ".git").symlink_to(target)
    return sub


def test_a_submodule_that_git_annex_gave_a_link_is_in_its_place(absorbed: Path) -> None:
    assert links_of(absorbed) == []
    git_dir = absorbed.parents[1] / ".git/modules/a/sub"
    (absorbed / ".git").unlink()
    (absorbed / ".git").write_text(f"gitdir: {git_dir}\n")  # as git-annex has it between two steps
    assert links_of(absorbed) == []


def test_it_is_not_under_another_name_or_elsewhere(absorbed: Path, tmp_path: Path) -> None:
    other = absorbed.parent / "other"
    other.mkdir()
    (other / ".git").symlink_to("../../.git/modules/a/sub")
    assert links_of(other) == ["a .git that lies elsewhere"]
    (tmp_path / "top/.git").rename(tmp_path / "moved.git")
    (tmp_path / "top/.git").symlink_to("../moved.git")
    assert links_of(tmp_path / "top") == links_of(absorbed) == ["a .git that lies elsewhere"]


def test_a_link_to_what_belongs_to_another_work_tree_lies_elsewhere(tmp_path: Path) -> None:
    for name in ("theirs", "mine"):
        git(tmp_path, "init", "-q", name)
    (tmp_path / "mine/.git").rename(tmp_path / "aside")
    (tmp_path / "mine/.git").symlink_to("../theirs/.git")
    assert links_of(tmp_path / "mine") == ["a .git that lies elsewhere"]


def test_a_linked_work_tree_that_git_annex_gave_links_is_in_its_place(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "main")
    git(tmp_path / "main", "commit", "-q", "--allow-empty", "-m", "x")
    git(tmp_path / "main", "worktree", "add", "-q", "../linked")
    assert links_of(tmp_path / "linked") == []
    (tmp_path / "linked/.git").unlink()
    (tmp_path / "linked/.git").symlink_to("../main/.git/worktrees/linked")
    (tmp_path / "main/.git/annex").mkdir()
    (tmp_path / "main/.git/worktrees/linked/annex").symlink_to("../../annex")
    assert links_of(tmp_path / "linked") == []
    (tmp_path / "main/.git/worktrees/linked/annex").unlink()
    (tmp_path / "main/.git/worktrees/linked/annex").symlink_to("../../objects")
    assert links_of(tmp_path / "linked") == ["link .git/annex"]


def test_a_git_folder_that_writes_into_another_repository_is_brought(tmp_path: Path) -> None:
    for name in ("theirs", "mine"):
        git(tmp_path, "init", "-q", name)
    (tmp_path / "mine/.git/commondir").write_text("../../theirs/.git\n")
    assert links_of(tmp_path / "mine") == ["a .git that is part of another"]
