"""Settings and leftovers: told and changed as DataLad does it; what would do harm is refused."""

import fcntl
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from engram.model.errors import DatasetBusy, ItemFailed, NotTrusted, UsageError
from engram.workspace.context import Context
from engram.workspace.upkeep import SECTIONS, Upkeep
from tests.interop.peers import DataLad, Pair, git, pair_of


def upkeep(folder: Path, **environment: str) -> Upkeep:
    return Upkeep(Context(folder=str(folder), environment={**os.environ, **environment}))


def settings(folder: Path, *arguments: Any, **options: Any) -> list[dict[str, Any]]:
    return [outcome.as_json() for outcome in upkeep(folder).configuration(*arguments, **options)]


def alike(records: list[dict[str, Any]], top: Path) -> list[tuple[str, str, str, str, Any]]:
    return [
        (
            record["action"],
            record["status"],
            os.path.relpath(record.get("path") or top, top),
            record["name"],
            record.get("value"),
        )
        for record in records
    ]


@pytest.fixture(scope="module")
def original(datalad_api: DataLad, tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("settings") / "ds"
    datalad_api("create", top.parent, path=str(top))
    datalad_api("create", top, dataset=".", path="sub")
    git(top, "config", "--add", "multi.value", "1")
    git(top, "config", "--add", "multi.value", "2")
    git(top, "config", "-f", ".datalad/config", "carried.along", "yes")
    git(top, "config", "-f", ".datalad/config", "both.places", "carried")
    git(top, "config", "both.places", "local")
    return top


@pytest.fixture
def pair(original: Path, tmp_path: Path) -> Pair:
    return pair_of(original, tmp_path)


@pytest.mark.parametrize("scope", [None, "branch", "local"])
def test_what_holds_is_what_datalad_says(original: Path, datalad_api: DataLad, scope: str | None) -> None:
    names = ["core.bare", "nothing.here", "multi.value", "carried.along", "both.places"]
    ours = settings(original, "get", names, scope=scope)
    theirs = datalad_api("configuration", original, action="get", spec=names, scope=scope, dataset=".")
    assert alike(ours, original) == alike(theirs, original)


def test_a_name_may_be_written_in_any_case(original: Path) -> None:
    assert [record["value"] for record in settings(original, "get", ["CORE.Bare"])] == ["false"]


def test_subdatasets_have_their_own(original: Path, datalad_api: DataLad) -> None:
    ours = settings(original, "get", ["datalad.dataset.id"], recursive=True)
    theirs = datalad_api(
        "configuration", original, action="get", spec=["datalad.dataset.id"], recursive=True, dataset="."
    )
    assert alike(ours, original) == alike(theirs, original)


@pytest.mark.parametrize("scope", ["branch", "local"])
def test_what_is_changed_is_changed_as_by_datalad(pair: Pair, datalad: Path, scope: str) -> None:
    for action, spec in (("set", ["a.b=1", "multi.value=x=y"]), ("unset", ["a.b"])):
        ours = settings(pair.ours, action, spec, scope=scope)
        words = ["-f", "json", "configuration", "--scope", scope, action, *spec]
        said = subprocess.run([datalad, *words], cwd=pair.theirs, capture_output=True, text=True, check=True).stdout
        theirs = [json.loads(line) for line in said.splitlines()]
        assert alike(ours, pair.ours) == alike(theirs, pair.theirs)
    for file in (".git/config", ".datalad/config"):
        lines = [git(top, "config", "-f", file, "--list") for top in pair]
        assert lines[0] == lines[1]


def test_the_users_own_are_changed_where_git_keeps_them(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    user = upkeep(tmp_path, HOME=str(tmp_path / "home"))
    list(user.configuration("set", ["a.b=1"], scope="global"))
    assert (tmp_path / "home/.gitconfig").read_text() == "[a]\n\tb = 1\n"
    (record,) = user.configuration("get", ["a.b"], scope="global")
    assert record.note == "a.b=1"


def test_taking_away_what_is_not_there_is_told(pair: Pair) -> None:
    (record,) = settings(pair.ours, "unset", ["nothing.here"])
    assert (record["status"], record["message"]) == ("error", "nothing.here is not set there")


@pytest.mark.parametrize(
    ("action", "items"),
    [("get", []), ("set", ["a.b"]), ("set", ["nosection=1"]), ("get", ["--global"]), ("dump", ["a.b"])],
)
def test_what_makes_no_sense_changes_nothing(pair: Pair, action: str, items: list[str]) -> None:
    before = (pair.ours / ".git/config").read_bytes()
    with pytest.raises(UsageError):
        settings(pair.ours, action, items)
    assert (pair.ours / ".git/config").read_bytes() == before


def test_no_link_leads_a_change_out_of_the_dataset(pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("[a]\n\tb = kept\n")
    (pair.ours / ".datalad/config").unlink()
    (pair.ours / ".datalad/config").symlink_to(tmp_path / "outside")
    with pytest.raises(ItemFailed):
        settings(pair.ours, "set", ["a.b=1"], scope="branch")
    assert (tmp_path / "outside").read_text() == "[a]\n\tb = kept\n"


def test_a_dataset_that_brings_commands_is_not_changed(pair: Pair) -> None:
    git(pair.ours, "config", "core.sshCommand", "touch /nowhere")
    with pytest.raises(NotTrusted):
        settings(pair.ours, "set", ["a.b=1"])


def test_variables_hold_before_files_and_passwords_are_not_dumped(pair: Pair) -> None:
    git(pair.ours, "config", "remote.x.url", "https://ada:secret@example.org/ds")
    here = upkeep(pair.ours, DATALAD_BOTH_PLACES="n", DATALAD_CONFIG_OVERRIDES_JSON='{"both.places": "variable"}')
    records = [outcome.as_json() for outcome in here.configuration()]
    found = {record["name"]: record["value"] for record in records}
    assert found["both.places"] == "variable"
    assert found["datalad.both.places"] == "n"
    assert found["multi.value"] == ["1", "2"]
    assert found["remote.x.url"] == "https://example.org/ds"


def _left_behind(top: Path) -> None:
    for path in (".git/annex/tmp/KEY", ".git/annex/transfer/download/u/lck.KEY", ".git/datalad/tmp/archives/x/y"):
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text("x")


def test_leftovers_are_removed_as_by_datalad(pair: Pair, datalad_api: DataLad) -> None:
    for top in pair:
        _left_behind(top)
    ours = [outcome.as_json() for outcome in upkeep(pair.ours).clean()]
    theirs = datalad_api("clean", pair.theirs, dataset=".")
    told = [
        [(r["action"], r["status"], os.path.relpath(r["path"], top)) for r in records]
        for records, top in ((ours, pair.ours), (theirs, pair.theirs))
    ]
    assert told[0] == told[1]
    for top in pair:
        assert not (top / ".git/annex/tmp").exists()
        assert not (top / ".git/datalad/tmp/archives").exists()


def test_only_what_is_asked_for_is_removed_and_the_plan_removes_nothing(pair: Pair) -> None:
    _left_behind(pair.ours)
    plan = upkeep(pair.ours).plan_clean()
    assert [step.item for step in plan.steps] == [
        ".git/datalad/tmp/archives",
        ".git/annex/tmp",
        ".git/annex/transfer",
    ]
    list(upkeep(pair.ours).clean(what=["annex-tmp"]))
    assert not (pair.ours / ".git/annex/tmp").exists()
    assert (pair.ours / ".git/annex/transfer").exists()


def test_nothing_is_removed_while_a_transfer_is_under_way(pair: Pair) -> None:
    _left_behind(pair.ours)
    with (pair.ours / ".git/annex/transfer/download/u/lck.KEY").open("r+") as held:
        # a lock of this very process would not be seen: locks of the kind that git-annex takes are a process's
        child = os.fork()
        if not child:
            fcntl.lockf(held, fcntl.LOCK_EX)
            os.kill(os.getpid(), 19)  # SIGSTOP: hold it until told
            os._exit(0)
        os.waitpid(child, os.WUNTRACED)
        try:
            with pytest.raises(DatasetBusy):
                list(upkeep(pair.ours).clean())
        finally:
            os.kill(child, 9)
            os.waitpid(child, 0)
    assert (pair.ours / ".git/annex/tmp/KEY").exists()


def test_what_lies_behind_a_link_is_anothers(pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "KEY").write_text("x")
    (pair.ours / ".git/annex/tmp").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotTrusted):
        list(upkeep(pair.ours).clean())
    assert upkeep(pair.ours).plan_clean().steps == ()
    assert (tmp_path / "elsewhere" / "KEY").exists()


def test_the_report_tells_every_section_and_no_secret(pair: Pair) -> None:
    git(pair.ours, "config", "remote.x.url", "https://ada:secret@example.org/ds")
    outcomes = list(upkeep(pair.ours, SECRET_TOKEN="secret").wtf())
    assert tuple(outcome.item for outcome in outcomes) == SECTIONS
    facts = outcomes[-1].as_json()
    assert facts["written by"] == "engram"
    assert facts["annex uuid"] == git(pair.ours, "config", "annex.uuid").strip()
    assert "secret" not in str([outcome.as_json() for outcome in outcomes])


def test_the_report_says_why_git_annex_would_write(pair: Pair) -> None:
    git(pair.ours, "config", "annex.thin", "true")
    (outcome,) = upkeep(pair.ours).wtf(sections=["dataset"])
    assert outcome.as_json()["written by"] == "git-annex, because annex.thin is true"


def test_a_report_needs_no_dataset_but_takes_no_unknown_section(tmp_path: Path) -> None:
    (outcome,) = upkeep(tmp_path).wtf(sections=["dataset"])
    assert "no dataset" in outcome.note
    with pytest.raises(UsageError):
        upkeep(tmp_path).wtf(sections=["nothing"])
