"""Settings: where they come from, which one counts, what is no setting."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from engram.datasets.git.config import GitConfig
from engram.datasets.git.problems import NotUnderstood
from engram.model.errors import BadSetting, DamagedRepository

NOBODY = {"GIT_CONFIG_NOSYSTEM": "1"}


def of(text: str, environment: Mapping[str, str] | None = None) -> GitConfig:
    return GitConfig.from_bytes(text.encode(), "config", environment)


def in_repository(
    work: Path, environment: Mapping[str, str] = NOBODY, overrides: tuple[str, ...] = (), branch: str = "main"
) -> GitConfig:
    git_dir = os.fsencode(work / ".git")
    return GitConfig.read(
        common_dir=git_dir, git_dir=git_dir, environment=environment, overrides=overrides, branch=branch
    )


def add(work: Path, text: str, name: str = "config") -> None:
    with (work / ".git" / name).open("a") as file:
        file.write(text)


def test_section_and_variable_have_no_case_but_the_subsection_has() -> None:
    config = of('[Remote "Origin"]\n\tURL = a\n[branch.Main]\n\tx = b\n')
    assert (config.get("REMOTE.Origin.url"), config.get("remote.origin.url")) == ("a", None)
    assert config.get("branch.main.x") == "b"


def test_the_last_value_counts_and_all_are_kept() -> None:
    config = of("[a]\nx = 1\n[b]\nx = 2\n[a]\nx = 3\n")
    assert config.get("a.x") == "3"
    assert config.get_all("a.x") == ("1", "3")
    assert config.get("a.y") is None


def test_quotes_comments_and_continued_lines_are_understood() -> None:
    config = of('\ufeff[a] x = " b ;" c # d\r\n; [b]\n y = e \\\n  f\\t\\"\n z=\n')
    assert [config.get(name) for name in ("a.x", "a.y", "a.z")] == [" b ; c", 'e   f\t"', ""]


def test_a_variable_without_a_value_is_true() -> None:
    config = of("[a]\nx\n y = \n")
    assert config.is_true("a.x")
    assert config.get("a.x") == "true"
    assert not config.is_true("a.y", True)
    assert config.is_true("a.z", True)
    assert not config.is_true("a.z")


def test_numbers_have_units_and_bad_ones_are_errors() -> None:
    config = of("[a]\nx = 2k\ny = many\n")
    assert config.number("a.x", 0) == 2048
    assert config.number("a.z", 7) == 7
    with pytest.raises(DamagedRepository, match=r"a\.y is no number"):
        config.number("a.y", 0)
    with pytest.raises(DamagedRepository, match="neither true nor false"):
        config.is_true("a.y")


def test_a_path_may_begin_at_home() -> None:
    environment = {"HOME": "/home/ada"}
    config = of("[a]\nx = ~/b\ny = /c\nz = ~nobody-at-all/d\nw = ~root/e\n", environment)
    assert config.path("a.x") == b"/home/ada/b"
    assert config.path("a.y") == b"/c"
    assert config.path("a.n") is None
    assert str(config.path("a.w")).endswith("/e'")
    with pytest.raises(DamagedRepository, match="home"):
        config.path("a.z")
    with pytest.raises(NotUnderstood):
        of("[a]\nx = %(prefix)/y\n").path("a.x")


@pytest.mark.parametrize(
    "text", ["[a", "[a]x = \\q", '[a]x = "b', "[]", "[a]\nx y", "[a]1x", '[a "b]', "\x01", "[a]x=\\ "]
)
def test_what_git_does_not_take_is_an_error(text: str) -> None:
    with pytest.raises(DamagedRepository, match="line"):
        of(text)


def test_the_error_says_in_which_line_it_is() -> None:
    with pytest.raises(DamagedRepository, match="line 4 "):
        of("[a]\nx = 1\n# fine\n = 2\n")


def test_a_file_that_is_not_there_sets_nothing(tmp_path: Path) -> None:
    assert GitConfig.from_file(os.fsencode(tmp_path / "absent")).settings == ()


def test_what_is_no_file_stops_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for name in ("fifo", "."):
        with pytest.raises(DamagedRepository, match="no file"):
            GitConfig.from_file(os.fsencode(tmp_path / name))


def test_scopes_follow_each_other_in_the_order_of_git(work: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".config/git").mkdir(parents=True)
    files = {"system": tmp_path / "system", "xdg": home / ".config/git/config", "home": home / ".gitconfig"}
    for name, path in files.items():
        path.write_text(f"[a]\nx = {name}\n")
    add(work, "[extensions]\nworktreeConfig = true\n[a]\nx = local\n")
    add(work, "[a]\nx = worktree\n", "config.worktree")
    environment = {"HOME": str(home), "GIT_CONFIG_SYSTEM": str(files["system"]), "GIT_CONFIG_COUNT": "1"}
    environment |= {
        "GIT_CONFIG_KEY_0": "A.X",
        "GIT_CONFIG_VALUE_0": "counted",
        "GIT_CONFIG_PARAMETERS": "'a.x'='given'",
    }
    config = in_repository(work, environment, ("a.x=option",))
    assert config.get_all("a.x") == ("system", "xdg", "home", "local", "worktree", "counted", "given", "option")
    assert [(value, scope) for name, value, scope, _ in config.items() if name == "a.x"] == [
        ("local", "local"),
        ("worktree", "worktree"),
    ]
    assert {origin for _, _, _, origin in config.items(["global"])} == {str(files["xdg"]), str(files["home"])}


def test_the_environment_may_name_other_files_or_none(work: Path, tmp_path: Path) -> None:
    (tmp_path / ".gitconfig").write_text("[a]\nx = home\n")
    (tmp_path / "other").write_text("[a]\nx = other\n")
    for given, value in ((str(tmp_path / "other"), "other"), ("/dev/null", None), ("", None)):
        environment = {**NOBODY, "HOME": str(tmp_path), "GIT_CONFIG_GLOBAL": given}
        assert in_repository(work, environment).get("a.x") == value


def test_an_override_sets_adds_truth_or_takes_away(work: Path) -> None:
    add(work, "[a]\nx = 1\ny = 1\n")
    config = in_repository(work, overrides=("A.x=2=3", "a.z", ":a.y"))
    assert (config.get("a.x"), config.get("a.z"), config.get("a.y")) == ("2=3", "true", None)


@pytest.mark.parametrize("override", ["x=1", "=1", "", "a.=1", ".x=1", ":x", "a_b.c=1", "a.1=1"])
def test_an_override_without_a_name_is_refused(work: Path, override: str) -> None:
    with pytest.raises(BadSetting):
        in_repository(work, overrides=(override,))


@pytest.mark.parametrize(
    "environment",
    [
        {"GIT_CONFIG_COUNT": "1"},
        {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a.b"},
        {"GIT_CONFIG_COUNT": "x"},
        {"GIT_CONFIG_COUNT": "9" * 5000},
        {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a", "GIT_CONFIG_VALUE_0": "b"},
        {"GIT_CONFIG_PARAMETERS": "a.b=c"},
        {"GIT_CONFIG_PARAMETERS": "'a.b=c"},
        {"GIT_CONFIG_PARAMETERS": "'a'='c'"},
        {"GIT_CONFIG_NOSYSTEM": "perhaps"},
    ],
)
def test_an_environment_that_git_does_not_take_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(BadSetting):
        GitConfig.read(common_dir=None, git_dir=None, environment={**NOBODY, **environment})


def test_an_included_file_stands_where_it_is_included(work: Path) -> None:
    add(work, "[a]\nx = 1\n[include]\npath = more\npath = absent\n[a]\nx = 3\n")
    add(work, "[a]\nx = 2\n", "more")
    config = in_repository(work)
    assert config.get_all("a.x") == ("1", "2", "3")
    assert [origin for name, _, _, origin in config.items() if name == "a.x"][1] == str(work / ".git/more")


def test_files_that_include_each_other_are_an_error(work: Path) -> None:
    add(work, "[include]\npath = config\n")
    with pytest.raises(DamagedRepository, match="includes itself"):
        in_repository(work)


def test_an_include_may_have_a_condition(work: Path) -> None:
    for condition in ("gitdir:work/", "gitdir/i:WORK/.git", "gitdir:./x", "onbranch:topic/", "onbranch:main", "x:y"):
        add(work, f'[includeIf "{condition}"]\npath = more\n')
    add(work, "[a]\nx\n", "more")
    assert len(in_repository(work, branch="main").get_all("a.x")) == 3
    assert len(in_repository(work, branch="topic/b").get_all("a.x")) == 3
    assert len(in_repository(work, branch="").get_all("a.x")) == 2


def test_a_condition_on_urls_is_left_to_git(work: Path) -> None:
    add(work, '[includeIf "hasconfig:remote.*.url:https://example.org/**"]\npath = more\n')
    with pytest.raises(NotUnderstood):
        in_repository(work)


def test_without_a_repository_only_the_user_is_heard(tmp_path: Path) -> None:
    (tmp_path / ".gitconfig").write_text('[a]\nx = 1\n[includeIf "gitdir:/"]\npath = more\n')
    (tmp_path / "more").write_text("[a]\nx = 2\n")
    config = GitConfig.read(common_dir=None, git_dir=None, environment={**NOBODY, "HOME": str(tmp_path)})
    assert config.get_all("a.x") == ("1",)
