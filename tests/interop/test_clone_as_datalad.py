"""Clones as DataLad makes them: settings, refs, the git-annex branch, records; and DataLad works on ours."""

import os
import re
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engram.model.errors import EngramError, UsageError
from engram.model.outcome import Status
from engram.workspace.cloning import Copies
from engram.workspace.context import Context
from engram.workspace.datasets import Datasets
from tests.interop.peers import DataLad, annex, create, git, links_of, without_complaint, write

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def clone(folder: Path, source: str, path: str | None = None, **options: Any) -> list[dict[str, Any]]:
    context = Context(folder=str(folder), environment=dict(os.environ))
    return [outcome.as_json() for outcome in Copies(context).clone(source, path, **options)]


@pytest.fixture(scope="module")
def source(datalad_api: DataLad, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of DataLad's with a file of each kind. Clone it; do not change it."""
    dataset = tmp_path_factory.mktemp("source") / "src"
    datalad_api("create", dataset.parent, path=str(dataset))
    write(dataset, "data/one.bin", b"one\0")
    write(dataset, "two words.bin", b"two\0")
    write(dataset, "unlocked.bin", b"three\0")
    write(dataset, "text.txt", "text\n")
    write(
        dataset,
        ".gitattributes",
        "* annex.backend=MD5E\n**/.git* annex.largefiles=nothing\n*.txt annex.largefiles=nothing\n",
    )
    datalad_api.save(dataset)
    annex(dataset, "unlock", "unlocked.bin")
    git(dataset, "commit", "-qam", "unlocked")
    return dataset


def bare(source: Path, under: Path) -> Path:
    git(under, "clone", "-q", "--bare", str(source), "bare.git")
    git(under / "bare.git", "annex", "init", "bare")
    return under / "bare.git"


def plain(source: Path, under: Path) -> Path:
    git(under, "init", "-q", "plain")
    write(under / "plain", "code.py", "print()\n")
    git(under / "plain", "add", ".")
    git(under / "plain", "commit", "-qm", "code")
    return under / "plain"


def empty(source: Path, under: Path) -> Path:
    git(under, "init", "-q", "empty")
    return under / "empty"


def detached(source: Path, under: Path) -> Path:
    git(under, "clone", "-q", str(source), "detached")
    git(under / "detached", "annex", "init", "detached")
    git(under / "detached", "checkout", "-q", "--detach", "HEAD~1")
    return under / "detached"


def on_an_unborn_branch(source: Path, under: Path) -> Path:
    git(under, "clone", "-q", str(source), "unborn")
    git(under / "unborn", "annex", "init", "unborn")
    git(under / "unborn", "branch", "other/branch")
    git(under / "unborn", "symbolic-ref", "HEAD", "refs/heads/nothing-here")
    return under / "unborn"


def without_annex_of_its_own(source: Path, under: Path) -> Path:
    git(under, "clone", "-q", "--bare", str(source), "bare-without-uuid.git")
    return under / "bare-without-uuid.git"


def of_version_8(source: Path, under: Path) -> Path:
    git(under, "clone", "-q", str(source), "old")
    git(under / "old", "-c", "annex.autoupgraderepository=false", "annex", "init", "--version=8", "old")
    return under / "old"


def adjusted(source: Path, under: Path) -> Path:
    git(under, "clone", "-q", str(source), "adjusted")
    git(under / "adjusted", "annex", "init", "adjusted")
    git(under / "adjusted", "annex", "adjust", "--unlock")
    return under / "adjusted"


def itself(source: Path, under: Path) -> Path:
    return source


def state_of(clone: Path) -> dict[str, Any]:
    """What a clone is, but for the names that each has of its own."""
    uuid = git(clone, "config", "annex.uuid", fine=(0, 1)).strip() or "-"

    def plain(text: str) -> str:
        text = (
            text.replace(uuid, "(uuid)").replace(str(clone), "(clone)").replace(f"/{clone.parent.name}/", "/(place)/")
        )
        return re.sub(r"timestamp=\d+(\.\d+)?s", "(time)", text)

    config = git(clone, "config", "--local", "--list").splitlines()
    refs = git(clone, "for-each-ref", "--format=%(refname) %(symref) %(objectname)").splitlines()
    branch = git(clone, "ls-tree", "-r", "--name-only", "-z", "git-annex", fine=(0, 128)).split("\0")[:-1]
    head = clone / ".git" / "HEAD"
    hooks = (hook for hook in (clone / ".git" / "hooks").iterdir() if hook.suffix != ".sample")
    return {
        "config": sorted(plain(line) for line in config if "annex-ignore=false" not in line),
        "refs": [ref for ref in refs if not ref.startswith("refs/heads/git-annex ")],
        "branch": {path: sorted(plain(git(clone, "show", f"git-annex:{path}")).splitlines()) for path in branch},
        "hooks": {hook.name: (hook.read_text(), stat.S_IMODE(hook.stat().st_mode)) for hook in hooks},
        "HEAD": head.read_text(),
        "attributes": (clone / ".git/info/attributes").read_text() if (clone / ".git/info/attributes").exists() else "",
        "links": links_of(clone),
        "files": git(clone, "ls-files", "-s"),
        "annex link": os.path.realpath(clone / ".git/annex") if (clone / ".git/annex").is_symlink() else "",
    }


def both(
    source: str, under: Path, datalad_api: DataLad, **options: Any
) -> tuple[Path, Path, list[dict[str, Any]], list[dict[str, Any]]]:
    ours, theirs = under / "ours" / "ds", under / "theirs" / "ds"
    for folder in (ours.parent, theirs.parent):
        folder.mkdir(exist_ok=True)
    records = clone(ours.parent, source, "ds", **options)
    return ours, theirs, records, datalad_api("clone", theirs.parent, source=source, path="ds", **options)


_KINDS: list[Callable[[Path, Path], Path]] = [
    itself,
    bare,
    plain,
    empty,
    detached,
    on_an_unborn_branch,
    of_version_8,
    adjusted,
]


@pytest.mark.parametrize("kind", _KINDS, ids=lambda kind: kind.__name__)
def test_a_clone_is_what_datalad_makes(
    source: Path, datalad_api: DataLad, tmp_path: Path, kind: Callable[[Path, Path], Path]
) -> None:
    original = kind(source, tmp_path)
    ours, theirs, _, _ = both(str(original), tmp_path, datalad_api)
    git(theirs, "remote", "remove", "origin-2", fine=(0, 2))
    git(ours, "remote", "remove", "origin-2", fine=(0, 2))
    assert state_of(ours) == state_of(theirs)
    assert git(ours, "status", "--porcelain") == git(theirs, "status", "--porcelain")


@pytest.mark.parametrize("reckless", ["auto", "ephemeral", "shared-group"])
def test_a_reckless_clone_has_the_settings_of_datalads(
    source: Path, datalad_api: DataLad, tmp_path: Path, reckless: str
) -> None:
    ours, theirs, _, _ = both(str(source), tmp_path, datalad_api, reckless=reckless)
    assert state_of(ours) == state_of(theirs)
    assert stat.S_IMODE((ours / ".git").stat().st_mode) == stat.S_IMODE((theirs / ".git").stat().st_mode)


@pytest.mark.parametrize("spelled", ["{}", "{}/", "../src", "file://{}", "{}/.git"])
def test_every_spelling_of_a_path_gives_the_url_and_records_of_datalad(
    source: Path, datalad_api: DataLad, tmp_path: Path, spelled: str
) -> None:
    (tmp_path / "src").symlink_to(source)
    ours, theirs, mine, yours = both(spelled.format(source), tmp_path, datalad_api)
    assert git(ours, "config", "remote.origin.url") == git(theirs, "config", "remote.origin.url")
    (record,), (other,) = mine, yours
    for field in ("action", "status", "type", "source_url"):
        assert record[field] == other[field]
    assert record["source"]["default_destpath"] == other["source"]["default_destpath"] or spelled.endswith(".git")
    if spelled in ("{}", "../src"):
        assert record["source"] == other["source"]


def test_a_clone_of_a_clone_knows_the_origin_of_its_origin(source: Path, datalad_api: DataLad, tmp_path: Path) -> None:
    datalad_api("clone", tmp_path, source=str(source), path="first")
    annex(tmp_path / "first", "drop", "--force", "--all")
    datalad_api("clone", tmp_path, source="first", path="second")
    ours, theirs, _, _ = both(str(tmp_path / "second"), tmp_path, datalad_api)
    state, other = state_of(ours), state_of(theirs)
    assert git(ours, "remote").split() == ["origin", "origin-2", "origin-3"]
    for name in ("HEAD", "hooks", "files", "attributes", "branch"):
        assert state[name] == other[name]
    # DataLad copies a relative path as it stands, though it starts from elsewhere
    assert git(ours, "config", "remote.origin-2.url") == f"{tmp_path / 'first'}\n"
    for name, original in (("origin-2", tmp_path / "first"), ("origin-3", source)):
        assert git(ours, "config", f"remote.{name}.annex-uuid") == git(original, "config", "annex.uuid")
    annex(ours, "get", "data/one.bin")


def test_git_annex_finds_nothing_left_to_do(source: Path, git_annex: Path, tmp_path: Path) -> None:
    clone(tmp_path, str(source), "ds")
    ds = tmp_path / "ds"
    before = git(ds, "config", "--local", "--list"), git(ds, "for-each-ref"), git(ds, "show", "git-annex:uuid.log")
    annex(ds, "info", "--fast")
    annex(ds, "whereis", fine=(0, 1))
    annex(ds, "init")
    assert before[0] == git(ds, "config", "--local", "--list")
    assert before[2] == git(ds, "show", "git-annex:uuid.log")
    assert git(ds, "status", "--porcelain") == ""
    annex(ds, "get", ".")
    without_complaint(ds)


def test_datalad_works_on_it(source: Path, datalad_api: DataLad, tmp_path: Path) -> None:
    clone(tmp_path, str(source), "ds")
    ds = tmp_path / "ds"
    assert [one for one in datalad_api.status(ds) if one.get("state") != "clean"] == []
    assert {one["status"] for one in datalad_api("get", ds, path=".")} <= {"ok", "notneeded"}
    write(ds, "new.bin", b"new\0")
    datalad_api.save(ds)
    without_complaint(ds, datalad_api)


def test_a_description_and_another_remote_name_are_taken(source: Path, git_annex: Path, tmp_path: Path) -> None:
    clone(tmp_path, str(source), "ds", description="Ada's copy", git_options=["--origin", "lab"])
    ds = tmp_path / "ds"
    assert "Ada's copy" in git(ds, "show", "git-annex:uuid.log")
    assert git(ds, "config", "remote.lab.annex-uuid") == git(source, "config", "annex.uuid")


def test_one_below_the_home_is_described_as_git_annex_does(source: Path, git_annex: Path, own_home: Path) -> None:
    clone(own_home, str(source), "below-home/ours")
    git(own_home, "clone", "-q", str(source), "below-home/theirs")
    annex(own_home / "below-home/theirs", "init")
    described = [git(own_home / "below-home" / name, "show", "git-annex:uuid.log") for name in ("ours", "theirs")]
    assert "~/below-home/ours" in described[0]
    assert _without_time(described[0].replace("ours", "theirs")) == _without_time(described[1])


def _without_time(text: str) -> set[str]:
    return set(_UUID.sub("(uuid)", re.sub(r"timestamp=\S+", "", text)).splitlines())


class TestASubdataset:
    def test_is_recorded_as_datalad_records_it(self, source: Path, datalad_api: DataLad, tmp_path: Path) -> None:
        supers = tmp_path / "ours" / "super", tmp_path / "theirs" / "super"
        for one in supers:
            datalad_api("create", tmp_path, path=str(one))
        mine = clone(supers[0], str(source), "in/sub", dataset=".")
        datalad_api("clone", supers[1], source=str(source), path="in/sub", dataset=".")
        for file in (".gitmodules", ".git/config"):
            texts = [_UUID.sub("(uuid)", (one / file).read_text()) for one in supers]
            assert texts[0] == texts[1]
        logs = [git(one, "log", "--format=%s") for one in supers]
        assert logs[0] == logs[1] == "[DATALAD] Added subdataset\n[DATALAD] new dataset\n"
        told = [(one["action"], one["status"], one["type"]) for one in mine]
        assert told == [
            ("install", "ok", "dataset"),
            ("add", "ok", "dataset"),
            ("add", "ok", "file"),
            ("save", "ok", "dataset"),
        ]
        assert {one["refds"] for one in mine} == {str(supers[0])}
        assert [one for one in datalad_api.status(supers[0]) if one.get("state") != "clean"] == []

    def test_is_as_reckless_as_its_superdataset(self, source: Path, datalad_api: DataLad, tmp_path: Path) -> None:
        datalad_api("create", tmp_path, path=str(tmp_path / "super"))
        git(tmp_path / "super", "config", "datalad.clone.reckless", "auto")
        clone(tmp_path / "super", str(source), "sub", dataset=".")
        assert git(tmp_path / "super/sub", "config", "annex.hardlink") == "true\n"

    def test_a_second_clone_records_it_if_the_first_did_not(
        self, source: Path, git_annex: Path, tmp_path: Path
    ) -> None:
        create(tmp_path / "super")
        clone(tmp_path / "super", str(source), "sub")
        records = clone(tmp_path / "super", str(source), "sub", dataset=".")
        assert [(one["action"], one["status"]) for one in records][:2] == [("install", "notneeded"), ("add", "ok")]
        assert "sub" in git(tmp_path / "super", "ls-files", "-s")
        assert [one["status"] for one in clone(tmp_path / "super", str(source), "sub", dataset=".")] == ["notneeded"]

    @pytest.mark.parametrize("path", ["link/x", "link", "../beside", ".git/x", ".", "a/.git/x", "new\nline", "-x/y"])
    def test_is_not_made_where_it_cannot_be_recorded(
        self, source: Path, git_annex: Path, tmp_path: Path, path: str
    ) -> None:
        create(tmp_path / "super")
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "super/link").symlink_to("../elsewhere")
        with pytest.raises(EngramError) as refused:
            clone(tmp_path / "super", str(source), path, dataset=".")
        assert refused.value.exit_code == 2
        assert os.listdir(tmp_path / "elsewhere") == []
        assert sorted(os.listdir(tmp_path)) == ["elsewhere", "super"]

    def test_below_another_subdataset_is_told_where_to_record_it(
        self, source: Path, git_annex: Path, tmp_path: Path
    ) -> None:
        create(tmp_path / "super")
        clone(tmp_path / "super", str(source), "sub", dataset=".")
        with pytest.raises(UsageError) as refused:
            clone(tmp_path / "super", str(source), "sub/deep", dataset=".")
        assert f"engram clone -d {tmp_path}/super/sub" in refused.value.next_step
        assert not (tmp_path / "super/sub/deep").exists()


def test_procedures_run_in_the_clone(source: Path, datalad_api: DataLad, tmp_path: Path) -> None:
    clone(tmp_path, str(source), "ds", procedures=("yoda",))
    assert (tmp_path / "ds/code/README.md").is_file()
    assert git(tmp_path / "ds", "status", "--porcelain") == ""


def test_special_remotes_are_named_and_left_alone(source: Path, git_annex: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    subprocess.run(["cp", "-a", str(source), str(tmp_path / "src")], check=True)
    options = ("type=directory", f"directory={store}", "encryption=none", "autoenable=true")
    annex(tmp_path / "src", "initremote", "back-up", *options)
    (record,) = clone(tmp_path, "src", "ds")
    assert record["note"] == "special remotes not enabled: back-up (to use them, in the clone: engram trust .)"
    assert git(tmp_path / "ds", "remote") == "origin\n"


def test_special_remotes_are_enabled_when_somebody_trusts_the_dataset(
    source: Path, git_annex: Path, tmp_path: Path
) -> None:
    subprocess.run(["cp", "-a", str(source), str(tmp_path / "src")], check=True)
    annex(tmp_path / "src", "initremote", "pages", "type=web", "urlinclude=*127*", "autoenable=true")
    store = tmp_path / "store"
    store.mkdir()
    options = ("type=directory", f"directory={store}", "encryption=none", "autoenable=true")
    annex(tmp_path / "src", "initremote", "back-up", *options)
    clone(tmp_path, "src", "ds")
    verbs = Datasets(Context(folder=str(tmp_path), environment=dict(os.environ)))
    steps = {step.item: step.why for step in verbs.plan_trust("ds").steps}
    assert steps["special remote pages"].endswith("type=web urlinclude=*127*")
    told = {outcome.item: outcome for outcome in verbs.trust("ds")}
    assert told["special remote pages"].status is Status.OK
    failed = told["special remote back-up"]  # where its folder lies here, only the user knows
    assert (failed.status, failed.remedy[-29:]) == (Status.ERROR, "git annex enableremote -- back-up"[-29:])
    assert sorted(git(tmp_path / "ds", "remote").split()) == ["origin", "pages"]
    annex(tmp_path / "ds", "enableremote", "back-up", f"directory={store}")
    assert [outcome.note for outcome in verbs.trust("ds")] == ["it brings nothing along that would run"]


def test_a_tuned_repository_is_left_to_git_annex(git_annex: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "src")
    git(tmp_path / "src", "-c", "annex.tune.objecthash1=true", "annex", "init", "tuned")
    write(tmp_path / "src", "a.bin", b"a")
    annex(tmp_path / "src", "add", ".")
    git(tmp_path / "src", "commit", "-qm", "a")
    clone(tmp_path, "src", "ds")
    assert git(tmp_path / "ds", "config", "annex.tune.objecthash1") == "true\n"
