"""What goes to git and what to the annex: as git-annex decides it, whoever says how."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engram.model.errors import BadExpression
from tests.interop.peers import annex, create, engram, git, keys_of, notes, save, write

pytestmark = pytest.mark.integration

Rule = Callable[[Path, str], None]


def _attribute(folder: Path, expression: str) -> None:
    with (folder / ".gitattributes").open("a") as attributes:
        attributes.write(f"* annex.largefiles={expression}\n**/.git* annex.largefiles=nothing\n")


def _setting(folder: Path, expression: str) -> None:
    git(folder, "config", "annex.largefiles", expression)


def _branch(folder: Path, expression: str) -> None:
    annex(folder, "config", "--set", "annex.largefiles", expression)


_FILES = {
    "a.txt": "text\n",
    "d/a.txt": "text\n",
    "d/long.txt": "text\n" * 1000,
    "b.bin": "\0\1\2\3" * 100,
    "d/e/B.TXT": "x" * 100,
    "empty": "",
    "one": "x",
    "page.html": "<!DOCTYPE html><html><body>x</body></html>\n",
    "data.json": '{"a": 1}\n',
    ".hidden": "hidden\n",
    ".d/hidden.txt": "hidden\n",
    "sp ace.txt": "text\n",
    "k1000": "k" * 1000,
    "k1024": "k" * 1024,
}

EXPRESSIONS = [
    "anything",
    "nothing",
    "largerthan=100",
    "smallerthan=100",
    "largerthan=1kb",
    "largerthan=1kib",
    "include=*.txt",
    "exclude=*.txt",
    "include=d/*",
    "include=*/a.txt",
    "include=a.???",
    "include=[ab].*",
    "(include=*.txt)or(largerthan=1kb)",
    "(include=*.txt)and(largerthan=1kb)",
    "not(include=*.txt)",
    "mimeencoding=binary",
    "((mimeencoding=binary)and(largerthan=0))",
    "not(mimetype=text/*)",
    "mimetype=application/json",
    "mimetype=text/html",
    "(mimetype=text/plain)or(mimeencoding=binary)",
    "anything(nothing)",
]


@pytest.fixture(scope="module")
def fresh(git_annex: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("largefiles") / "ds"
    create(folder)
    return folder


@pytest.fixture
def folders(fresh: Path, tmp_path: Path) -> tuple[Path, Path]:
    from tests.interop.peers import pair_of

    pair = pair_of(fresh, tmp_path)
    return pair.ours, pair.theirs


def _save_both(ours: Path, theirs: Path) -> list[dict[str, object]]:
    for folder in (ours, theirs):
        for path, content in _FILES.items():
            write(folder, path, content)
    records = save(ours)
    git(theirs, "-c", "annex.dotfiles=true", "annex", "add", "-q", ".")
    git(theirs, "commit", "-qm", "all")
    return records


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_chooses_the_same_files(folders: tuple[Path, Path], expression: str) -> None:
    ours, theirs = folders
    for folder in folders:
        _attribute(folder, expression)
    _save_both(ours, theirs)
    assert keys_of(ours) == keys_of(theirs)
    assert git(ours, "rev-parse", "HEAD^{tree}") == git(theirs, "rev-parse", "HEAD^{tree}")


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param(((_setting, "include=*.txt"),), id="git config"),
        pytest.param(((_branch, "include=*.txt"),), id="git annex config"),
        pytest.param(((_setting, "include=*.txt"), (_attribute, "nothing")), id="git config over attributes"),
        pytest.param(
            ((_attribute, "include=*.bin"), (_branch, "include=*.txt")), id="attributes over git annex config"
        ),
        pytest.param(
            ((_setting, "include=*.json"), (_attribute, "include=*.bin"), (_branch, "include=*.txt")), id="all three"
        ),
        pytest.param(((_setting, "include=*.txt or (largerthan=1kb and not include=d/*)"),), id="with spaces"),
        pytest.param(((_setting, ""),), id="empty git config"),
    ],
)
def test_who_says_it_counts_as_for_git_annex(folders: tuple[Path, Path], rules: tuple[tuple[Rule, str], ...]) -> None:
    ours, theirs = folders
    for folder in folders:
        for rule, expression in rules:
            rule(folder, expression)
    _save_both(ours, theirs)
    assert keys_of(ours) == keys_of(theirs)
    assert git(ours, "rev-parse", "HEAD^{tree}") == git(theirs, "rev-parse", "HEAD^{tree}")


def test_a_setting_of_this_call_counts(fresh: Path, folders: tuple[Path, Path]) -> None:
    ours, _ = folders
    write(ours, "a.txt", "a")
    list(engram(ours, configuration=("annex.largefiles=nothing",)).save())
    assert keys_of(ours) == {}


@pytest.mark.parametrize("value", ["!annex.largefiles", "annex.largefiles="])
def test_an_attribute_that_is_taken_back_leaves_it_to_git_annex_config(folders: tuple[Path, Path], value: str) -> None:
    ours, theirs = folders
    for folder in folders:
        _branch(folder, "include=*.txt")
        with (folder / ".gitattributes").open("a") as attributes:
            attributes.write(f"* annex.largefiles=nothing\n*.txt {value}\n*.bin {value}\n")
    _save_both(ours, theirs)
    assert keys_of(ours) == keys_of(theirs)


@pytest.mark.parametrize("rule", [_attribute, _setting, _branch])
@pytest.mark.parametrize("expression", ["foo", "largerthan=big", "copies=2"])
def test_an_expression_that_means_nothing_refuses_before_anything_is_done(
    folders: tuple[Path, Path], rule: Rule, expression: str
) -> None:
    ours, _ = folders
    if rule is _branch:  # git-annex itself would not set it
        from engram.testing.malice import git_annex_branch_with

        git_annex_branch_with(ours, {"config.log": f"1s annex.largefiles {expression}\n".encode()})
    else:
        rule(ours, expression)
    before = git(ours, "status", "--porcelain", "-uall")
    write(ours, "a.txt", "a")
    with pytest.raises(BadExpression) as refused:
        save(ours)
    assert expression in refused.value.what
    assert (ours / "a.txt").is_file()
    assert not (ours / "a.txt").is_symlink()
    assert git(ours, "status", "--porcelain", "-uall") == before + "?? a.txt\n"


def test_a_rule_over_mime_types_needs_no_hand_over_for_plain_text(folders: tuple[Path, Path]) -> None:
    ours, _ = folders
    _attribute(ours, "((mimeencoding=binary)and(largerthan=0))")
    write(ours, "a.txt", "plain text, nothing else\n")
    write(ours, "b.bin", b"\0\1\2" * 100)
    assert not any("handed" in note for note in notes(save(ours)))
    assert set(keys_of(ours)) == {"b.bin"}
