"""`rerun` repeats what DataLad recorded, DataLad repeats what engram recorded, and both leave the same history."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from engram.datasets.provenance.run_records import RunMessage
from engram.workspace.context import Context
from engram.workspace.datasets import Datasets
from engram.workspace.provenance import Provenance
from tests.interop.peers import DataLad, create, git, pair_of, save, tree_of, write

pytestmark = pytest.mark.integration


def provenance(folder: Path) -> Provenance:
    return Provenance(Context(folder=str(folder), environment=dict(os.environ)))


def run(folder: Path, cmd: Any, **options: Any) -> list[dict[str, Any]]:
    return [outcome.as_json() for outcome in provenance(folder).run(cmd, **options)]


def rerun(folder: Path, *revision: str, **options: Any) -> list[dict[str, Any]]:
    return [outcome.as_json() for outcome in provenance(folder).rerun(*revision, **options)]


def subjects(folder: Path) -> list[str]:
    return git(folder, "log", "--format=%s", "--topo-order").splitlines()


def record(folder: Path, revision: str = "HEAD") -> dict[str, Any]:
    found = RunMessage.of(git(folder, "log", "-1", "--format=%B", revision))
    assert found is not None
    assert not isinstance(found.record, str)
    return found.record.fields


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, datalad_api: DataLad) -> Path:
    """Two commands of DataLad's, one of them with its record in a file, and a commit between them."""
    folder = tmp_path_factory.mktemp("rerun") / "ds"
    create(folder)
    write(folder, "a.txt", "alpha\n")
    save(folder, message="data")
    datalad_api("run", folder, cmd="cat {inputs} > {outputs}", inputs=["a.txt"], outputs=["b.txt"], message="first")
    write(folder, "a.txt", "other\n")
    datalad_api.save(folder, message="new data")
    datalad_api(
        "run",
        folder,
        cmd="wc -c {inputs} > {outputs}",
        inputs=["b.txt"],
        outputs=["c.txt"],
        sidecar=True,
        message="next",
    )
    assert list(Datasets(Context(folder=str(folder.parent), environment=dict(os.environ))).trust(str(folder)))
    return folder


class TestBothRepeat:
    @pytest.mark.parametrize(
        "options",
        [
            {"since": ""},
            {"since": "", "onto": "", "branch": "verify"},
            {"revision": "HEAD~2"},
            {"since": "HEAD~2", "message": "again"},
        ],
        ids=str,
    )
    def test_the_same_commands_with_the_same_result(
        self, original: Path, tmp_path: Path, datalad_api: DataLad, options: dict[str, Any]
    ) -> None:
        ours, theirs = pair_of(original, tmp_path)
        list(Datasets(Context(folder=str(ours), environment=dict(os.environ))).trust(str(ours)))
        told = rerun(ours, **options)
        assert not [one for one in told if one["status"] in ("error", "impossible")]
        datalad_api("rerun", theirs, **options)
        assert subjects(ours) == subjects(theirs)
        assert tree_of(ours).keys() == tree_of(theirs).keys()
        assert git(ours, "rev-parse", "--abbrev-ref", "HEAD") == git(theirs, "rev-parse", "--abbrev-ref", "HEAD")
        data = [path for path in tree_of(ours) if not path.startswith(".datalad/runinfo")]
        assert [tree_of(ours)[path] for path in data] == [tree_of(theirs)[path] for path in data]

    def test_datalad_repeats_ours_with_its_record_in_the_message_or_in_a_file(
        self, original: Path, tmp_path: Path, datalad_api: DataLad
    ) -> None:
        folder, _ = pair_of(original, tmp_path)
        run(folder, "date +%s%N > {outputs}", outputs=["d.txt"], message="ours")
        mine = git(folder, "rev-parse", "HEAD").strip()
        run(folder, "date +%s%N > {outputs}", outputs=["e.txt"], sidecar=True, message="aside")
        for record_ in datalad_api("rerun", folder, revision=mine):
            assert record_["status"] in ("ok", "notneeded"), record_
        assert subjects(folder)[0] == "[DATALAD RUNCMD] ours"
        assert record(folder)["chain"] == [mine]
        for record_ in datalad_api("rerun", folder, revision="HEAD~1"):
            assert record_["status"] in ("ok", "notneeded"), record_
        assert subjects(folder)[0] == "[DATALAD RUNCMD] aside"

    def test_an_unchanged_result_makes_no_commit(self, original: Path, tmp_path: Path) -> None:
        folder, _ = pair_of(original, tmp_path)
        run(folder, "echo same > {outputs}", outputs=["d.txt"])
        before = git(folder, "rev-parse", "HEAD")
        told = rerun(folder)
        assert git(folder, "rev-parse", "HEAD") == before
        assert git(folder, "status", "--porcelain") == ""
        assert [one["status"] for one in told if one["action"] == "save"] == ["notneeded"]

    def test_the_chain_grows(self, original: Path, tmp_path: Path) -> None:
        folder, _ = pair_of(original, tmp_path)
        run(folder, "date +%N >> {outputs}", outputs=["d.txt"])
        commits = [git(folder, "rev-parse", "HEAD").strip()]
        for _ in range(2):
            rerun(folder)
            assert record(folder)["chain"] == commits
            commits.append(git(folder, "rev-parse", "HEAD").strip())


def test_a_container_image_is_got_though_no_placeholder_names_it(tmp_path: Path, datalad_api: DataLad) -> None:
    source, folder = tmp_path / "source", tmp_path / "clone"
    create(source)
    write(source, "image.sif", b"an image")
    save(source, message="image")
    message = git(source, "log", "-1", "--format=%H")
    run(source, "cat image.sif > out.txt", extra_inputs=["image.sif"], outputs=["out.txt"], message="contained")
    assert record(source)["extra_inputs"] == ["image.sif"]
    datalad_api("clone", tmp_path, source=str(source), path=str(folder))
    told = rerun(folder)
    assert {one["status"] for one in told} <= {"ok", "notneeded"}
    assert (folder / "image.sif").read_bytes() == b"an image"
    assert message


def test_commits_of_a_subdataset_that_the_command_changed(tmp_path: Path, datalad_api: DataLad) -> None:
    folder = tmp_path / "super"
    create(folder)
    create(folder / "inner", dataset=str(folder))
    run(folder, "echo x > inner/new.txt; echo y > outer.txt", outputs=["inner/new.txt", "outer.txt"], message="both")
    assert subjects(folder)[0] == subjects(folder / "inner")[0] == "[DATALAD RUNCMD] both"
    assert record(folder) == record(folder / "inner")
    assert git(folder, "status", "--porcelain") == ""
    dirty = [one for one in datalad_api.status(folder, recursive=True) if one["state"] != "clean"]
    assert dirty == []
    for one in datalad_api("rerun", folder):
        assert one["status"] in ("ok", "notneeded"), one
    assert rerun(folder / "inner", report=True)[0]["status"] == "notneeded"


def test_the_report_has_all_of_datalads_fields(original: Path, tmp_path: Path, datalad_api: DataLad) -> None:
    folder, _ = pair_of(original, tmp_path)
    theirs = [one for one in datalad_api("rerun", folder, since="", report=True) if one["rerun_action"] == "run"]
    ours = {one["commit"]: one for one in rerun(folder, since="", report=True)}
    assert theirs
    for one in theirs:
        same = ours[one["commit"]]
        assert set(one) - {"hints"} <= set(same) | {"logger"}
        names = ("author", "date", "run_message", "rerun_message", "parents", "run_info")
        assert [same[name] for name in names] == [one[name] for name in names]


def test_the_script_runs(original: Path, tmp_path: Path) -> None:
    folder, _ = pair_of(original, tmp_path)
    script = provenance(folder).script(since="")
    assert "cat a.txt > b.txt" in script
    (tmp_path / "all.sh").write_text(script)
    for name in ("b.txt", "c.txt"):
        (folder / name).unlink()
    subprocess.run(["sh", str(tmp_path / "all.sh")], cwd=folder, check=True)
    assert (folder / "b.txt").read_text() == "other\n"
