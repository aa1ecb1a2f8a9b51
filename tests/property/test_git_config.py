"""What git's configuration says, as git says."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engram.datasets.git.config import GitConfig
from engram.datasets.git.config_file import canonical
from engram.datasets.git.problems import NotUnderstood
from engram.model.errors import BadSetting, DamagedRepository

pieces = st.sampled_from([
    *[b"[a]\n", b'[a "b"]\n', b"[A.b]\n", b'[ "x"]\n', b"[]", b'[a "b\\"c\\\\"]', b"[a", b"]", b"\n", b"\r\n", b"\r"],
    *[b"x", b"y=", b"x = ", b"1x", b'"', b"\\", b"\\n", b"\\t", b"\\b", b"\\q", b'\\"', b"\\\n", b"#", b";", b"="],
    *[b" ", b"\t", b"v w", b"true", b"-", b".", b"\xc3\xa9", b"\xff", b'"a b"', b"\x0b", b"\xef\xbb\xbf", b"\0"],
])  # fmt: skip
texts = st.lists(pieces, max_size=12).map(b"".join)
values = st.lists(pieces, max_size=7).map(lambda inside: b"[a]\nx = " + b"".join(inside) + b"\ny")

conditions = st.sampled_from([
    *["gitdir:~/", "gitdir:~/repo/.git", "gitdir:repo/", "gitdir:./../", "gitdir:./", "gitdir/i:REPO/"],
    *["gitdir:/**/.git", "gitdir:*/.git", "gitdir/i:~/R*o/.git", "gitdir:~link/", "gitdir:"],
    *["onbranch:main", "onbranch:topic/", "onbranch:t*", "onbranch:**/b", "onbranch:", "unknown:x", "gitdir:nowhere"],
])  # fmt: skip
files = st.sampled_from(["one", "two", "~/two", "./one", "sub/three", "../two", "absent", "~nobody-here/x"])
lines = st.one_of(
    st.builds("[a]\nx = {}\n".format, st.integers(0, 9)),
    st.builds('[A "Sub"]\n\tX\n\tx = {}\n'.format, st.integers(0, 9)),
    st.builds("[include]\npath = {}\n".format, files),
    st.builds('[includeIf "{}"]\npath = {}\n'.format, conditions, files),
    st.just("[extensions]\nworktreeConfig\n"),
)
contents = st.lists(lines, max_size=3).map("".join)
#: Where settings stand, relative to the home folder.
PLACES = (
    *("system", ".config/git/config", ".gitconfig", "xdg/git/config", "given", "one", "two", "sub/three"),
    *("repo/.git/config", "repo/.git/config.worktree", "repo/.git/one", "repo/.git/two", "repo/two"),
)
environments = st.fixed_dictionaries(
    {"GIT_CONFIG_NOSYSTEM": st.sampled_from(["1", "0", "", "no"])},
    optional={
        "GIT_CONFIG_GLOBAL": st.sampled_from(["{}/given", "/dev/null", "{}/absent"]),
        "XDG_CONFIG_HOME": st.sampled_from(["{}/xdg", ""]),
        "GIT_CONFIG_COUNT": st.sampled_from(["0", "1", "2", "3", ""]),
        "GIT_CONFIG_PARAMETERS": st.sampled_from(
            ["'a.x=1'", "'a.x'='it'\\''s'  'b.Y'=", "'a.x", "'a.b.c'", "'include.path'='{}/two'", "a.x=1", "'a.x'='b'c"]
        ),
    },
)
names = st.sampled_from(
    ["a.x", "A.Sub.X", "a.sub.x", " a.x ", "ax", ".x", "a.", "a.1", "a.b c.x", "a.b\nc.x", "a_b.c", ""]
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with a repository, and the folders that settings may stand in."""
    home = tmp_path_factory.mktemp("config") / "home"
    for place in PLACES:
        (home / place).parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "init", "-q", home / "repo"], check=True)
    return home


def ask_git(*arguments: str, home: Path, environment: Mapping[str, str] | None = None) -> list[bytes] | None:
    """What git lists; ``None`` when it does not take the configuration."""
    known = {"PATH": os.environ["PATH"], "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"} | dict(environment or {})
    done = subprocess.run(["git", *arguments], cwd=home / "repo", env=known, capture_output=True, check=False)
    return done.stdout.split(b"\0")[:-1] if done.returncode == 0 else None


def plain(name: str, value: str | None) -> bytes:
    """As git lists it. Blanks inside of values are kept as they are only since git 2.45."""
    text = name if value is None else f"{name}\n{value}"
    return text.encode("utf-8", "surrogateescape").replace(b"\t", b" ").replace(b"\r", b" ")


@settings(deadline=None)
@given(texts | values | st.binary(max_size=12))
@example(b'[a]\nx = a \\\n  b "c;" \t d # e')
@example(b"[a]\nx = a \\")
def test_a_file_says_what_git_reads_in_it(home: Path, data: bytes) -> None:
    file = home / "file"
    file.write_bytes(data)
    expected = ask_git("config", "-f", str(file), "--list", "-z", home=home)
    try:
        found = GitConfig.from_file(os.fsencode(file)).settings
    except DamagedRepository:
        assert expected is None
        return
    assert expected is not None
    assert [plain(name, value) for name, value, _, _ in found] == [
        entry.replace(b"\t", b" ").replace(b"\r", b" ") for entry in expected
    ]


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(PLACES), contents, max_size=6), environments, st.sampled_from(["main", "topic/b"])
)
@example({".gitconfig": "[include]\npath = .gitconfig\n"}, {"GIT_CONFIG_NOSYSTEM": "1"}, "main")
@example({"repo/.git/config": '[includeIf "gitdir:~/"]\npath = one\n', "repo/.git/one": "[a]\nx"}, {}, "main")
def test_scopes_and_includes_follow_in_the_order_of_git(
    home: Path, written: Mapping[str, str], given_environment: Mapping[str, str], branch: str
) -> None:
    for place in PLACES:
        (home / place).unlink(missing_ok=True)
    for place, text in ({"repo/.git/config": ""} | dict(written)).items():
        (home / place).write_text(
            "[core]\nrepositoryformatversion = 0\n" + text if place.endswith(".git/config") else text
        )
    (home / "repo/.git/HEAD").write_text(f"ref: refs/heads/{branch}\n")
    environment = {"HOME": str(home), "GIT_CONFIG_SYSTEM": str(home / "system")}
    environment |= {name: value.replace("{}", str(home)) for name, value in given_environment.items()}
    environment |= {"GIT_CONFIG_KEY_0": "A.x", "GIT_CONFIG_VALUE_0": "0", "GIT_CONFIG_KEY_1": "include.path"}
    environment |= {"GIT_CONFIG_VALUE_1": str(home / "one")}
    listed = ask_git("config", "--list", "-z", "--show-scope", home=home, environment=environment)
    git_dir = os.fsencode(home / "repo/.git")
    try:
        found = GitConfig.read(common_dir=git_dir, git_dir=git_dir, environment=environment, branch=branch).settings
    except (DamagedRepository, BadSetting):
        assert listed is None
        return
    assert listed is not None
    assert [(scope.encode(), plain(name, value)) for name, value, scope, _ in found] == list(
        zip(listed[::2], listed[1::2], strict=True)
    )


@settings(deadline=None)
@given(names, st.sampled_from(["=", "=v", "", "=a=b", "= v "]))
def test_an_override_means_what_it_means_to_git(home: Path, name: str, value: str) -> None:
    (home / "repo/.git/config").write_text("")
    listed = ask_git("-c", name + value, "config", "--list", "-z", "--show-scope", home=home, environment={"HOME": "/"})
    try:
        config = GitConfig.read(
            common_dir=None, git_dir=None, environment={"GIT_CONFIG_NOSYSTEM": "1"}, overrides=(name + value,)
        )
    except BadSetting:
        assert listed is None
        return
    assert listed == [b"command", plain(config.settings[0].name, config.settings[0].value)]


@settings(deadline=None)
@given(
    st.from_regex(r"[+-]?(0x)?[0-9a-f]{0,3}[kKmMgGt]?", fullmatch=True)
    | st.sampled_from(
        ["true", "YES", "On", "false", "No", "OFF", "", " 1", "1 ", "010", "08", "2x", "0x", "99999999999999999999"]
    )
)
def test_switches_and_numbers_are_read_as_by_git(home: Path, text: str) -> None:
    file = home / "file"
    file.write_text(f'[a]\nx = "{text}"\n')
    config = GitConfig.from_file(os.fsencode(file))
    number = ask_git("config", "-f", str(file), "--type=int", "-z", "a.x", home=home)
    try:
        assert number == [str(config.number("a.x", -1)).encode()]
    except DamagedRepository:
        assert number is None
    switch = ask_git("config", "-f", str(file), "--type=bool", "-z", "a.x", home=home)
    try:
        assert switch == [str(config.is_true("a.x")).lower().encode()]
    except DamagedRepository:
        assert switch is None


@given(texts | values | st.binary(max_size=40))
def test_only_known_errors_come_out_of_a_configuration(data: bytes) -> None:
    try:
        config = GitConfig.from_bytes(data, "file")
        for name, _, _, _ in config.settings:
            config.is_true(name)
            config.number(name, 0)
            config.path(name)
    except (DamagedRepository, NotUnderstood):
        pass


@given(names | st.text(max_size=8))
def test_a_name_has_one_canonical_form(name: str) -> None:
    form = canonical(name)
    assert form is None or canonical(form) == form
