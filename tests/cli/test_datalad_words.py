"""Words of DataLad and git-annex that engram has not: what is said then."""

import pytest

from engram.cli.datalad_words import DATALAD, OPTIONS
from engram.cli.root import COMMANDS, Verbs
from tests.cli.conftest import Engram


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("push --to origin", "datalad push"),
        ("sync", "git annex sync"),
        ("annex whereis", "git annex …"),
        ("install x", "engram clone SOURCE"),
        ("uninstall sub", "engram drop --what all PATH"),
        ("save --since HEAD~2", "datalad save --since …"),
        ("create --fake-dates x", "datalad create --fake-dates …"),
        ("drop --if-dirty ignore x", "--reckless modification"),
        ("siblings add -s x --url /y", "datalad siblings …, or git remote"),
        ("status -f json", "Write: engram -f … status"),
        ("get --on-failure stop .", "Write: engram --on-failure … get"),
        ("save --version", "Write: engram --version\n"),
    ],
)
def test_a_word_that_others_have_is_answered_with_what_to_type(engram: Engram, words: str, advice: str) -> None:
    shown = engram(*words.split())
    assert shown.code == 2
    assert advice in shown.err
    assert len(shown.err.splitlines()) == 2


def test_a_word_that_nobody_has_gets_the_nearest(engram: Engram) -> None:
    assert engram("stauts").err.startswith("There is no command 'stauts'; did you mean status?\n")
    assert engram("status", "--wrong").err == "There is no option --wrong.\nSee: engram status --help\n"
    assert engram("-Z").err == "There is no option -Z.\nSee: engram --help\n"
    assert engram("save", "--mesage", "x").err.startswith("There is no option --mesage; did you mean --message?\n")


def test_what_engram_has_by_now_is_on_no_list() -> None:
    root = Verbs(COMMANDS, settings={})
    with root.make_context("engram", [], resilient_parsing=True) as context:
        assert not set(root.list_commands(context)) & set(DATALAD)
        for name, missing in OPTIONS.items():
            command = root.get_command(context, name)
            assert command is not None
            own = {word for one in command.params for word in (*one.opts, *one.secondary_opts)}
            assert not own & set(missing)
