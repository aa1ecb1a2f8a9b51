"""The bench measures whole process trees, and counts nothing that went wrong."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from bench import bare, data, runner
from bench.__main__ import main
from bench.datasets import DATASETS
from bench.harness import Bench, Broken, Contender, Scenario, Stage
from bench.places import plain
from bench.tools import Tool, make_home
from engram.datasets.annex.hashdirs import hashdir_mixed


def burn(count: int) -> str:
    return f"{sys.executable} -I -S -c 'for _ in range({count}): pass'"


def measured(folder: Path, script: str) -> Mapping[str, float]:
    report = folder / "report"
    command = [sys.executable, "-I", "-S", runner.__file__, str(report), "sh", "-c", script]
    subprocess.run(command, check=True, cwd=folder)
    found: Mapping[str, float] = json.loads(report.read_text())
    return found


def test_what_a_program_leaves_behind_is_waited_for_and_counted(tmp_path: Path) -> None:
    done = tmp_path / "done"
    found = measured(tmp_path, f"({burn(3_000_000)}; touch {done}) >/dev/null 2>&1 & exit 0")
    assert done.exists()
    assert found["orphans"] >= 1
    assert found["user_s"] > 0


def test_what_is_on_the_disk_only_for_a_while_counts(tmp_path: Path) -> None:
    large = tmp_path / "large"
    found = measured(tmp_path, f"head -c 268435456 /dev/zero > {large} && sleep 0.3 && rm {large}")
    assert found["disk_bytes"] > 100_000_000


def test_an_exit_code_is_reported_as_it_is(tmp_path: Path) -> None:
    assert measured(tmp_path, "exit 7")["exit_code"] == 7


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    tool = Tool(name="python", version="3", path=(Path(sys.executable).parent,))
    home = make_home(tmp_path)
    return Bench(
        tools={"python": tool}, scratch=tmp_path, disk=tmp_path, home=home, loop_mounts=False, tell=lambda _: None
    )


def work(*contenders: Contender) -> Scenario:
    return Scenario(name="work", title="work", contenders=contenders, repeat=2)


def sleeps_not(stage: Stage) -> None:
    stage.measure("run", "true", times=2)


def fails(stage: Stage) -> None:
    stage.measure("run", "true")
    stage.measure("run", "false")


def lies(stage: Stage) -> None:
    stage.measure("run", "true")
    raise Broken("two files are missing")


def test_every_contender_takes_its_turns(bench: Bench) -> None:
    found = bench.carry_out(
        work(Contender("a", sleeps_not, needs="python"), Contender("b", sleeps_not, needs="python")), ["run"]
    )
    assert {key: len(series.samples) for key, series in found.series.items()} == {("a", "run"): 4, ("b", "run"): 4}
    assert not found.broken


def test_a_run_that_fails_or_whose_result_is_wrong_never_counts(bench: Bench) -> None:
    contenders = [Contender(act.__name__, act, needs="python") for act in (sleeps_not, fails, lies)]
    found = bench.carry_out(work(*contenders), ["run"])
    assert set(found.series) == {("sleeps_not", "run")}
    assert set(found.broken) == {"fails", "lies"}
    assert "ended with 1" in found.broken["fails"]
    assert found.broken["lies"] == "two files are missing"


def test_what_is_not_installed_or_not_asked_for_takes_no_turn(bench: Bench) -> None:
    absent = Contender("absent", sleeps_not)
    unasked = Contender("unasked", sleeps_not, needs="python", gives=("another",))
    assert not bench.carry_out(work(absent, unasked), ["run"]).series


def test_every_turn_has_a_place_of_its_own(bench: Bench) -> None:
    seen = []

    def act(stage: Stage) -> None:
        seen.append(list(stage.folder.iterdir()))
        key = stage.folder / "key"
        key.mkdir()
        (key / "content").write_text("x")
        key.chmod(0o555)

    bench.carry_out(work(Contender("a", act, needs="python")), ["run"])
    assert seen == [[], []]


def test_a_measured_command_sees_a_clean_environment(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    environment = bench.tools["python"].environment(bench.home)
    assert set(environment) == {"PATH", "HOME", "LC_ALL", "TERM", "TZ"}


def test_made_up_data_is_the_same_every_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        data.binary_files(tmp_path / name, 120, 64)
        data.text_files(tmp_path / name / "text", 3)
    one, two = (
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*.*")}
        for root in (tmp_path / "one", tmp_path / "two")
    )
    assert one == two
    assert len(set(one.values())) == 123


def test_the_bare_loop_lays_out_a_dataset_that_git_takes_as_its_own(tmp_path: Path) -> None:
    with plain(tmp_path) as place:
        data.binary_files(place, 120, 64)
        subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(place)], check=True)
        bare.main("dataset", str(place))

        def git(*arguments: str) -> str:
            return subprocess.run(
                ["git", "-C", str(place), *arguments], check=True, capture_output=True, text=True
            ).stdout

        git("fsck", "--strict")
        assert git("status", "--porcelain") == ""
        assert len(git("ls-tree", "-r", "--name-only", "git-annex").splitlines()) == 120
        assert all(path.read_bytes() for path in place.glob("sub-*/*/*"))


@pytest.mark.parametrize("key", ["SHA256E-s5--abc", "MD5E-s4096--0123.dat"])
def test_the_bare_loop_puts_keys_where_engram_does(key: str) -> None:
    assert bare.hash_folder(key).encode() == hashdir_mixed(key.encode())


def test_every_row_shows_what_its_scenarios_measure() -> None:
    names = {scenario.name for scenario in DATASETS.scenarios}
    assert {name for row in DATASETS.rows for name in row.scenarios} == names
    assert len({row.name for row in DATASETS.rows}) == len(DATASETS.rows)


def test_an_unknown_row_is_an_error_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["save-everything"])
    assert ended.value.code == 2
    assert "there is no row save-everything" in capsys.readouterr().err
