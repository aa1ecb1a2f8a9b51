"""A scan as a process of its own: ended by Ctrl-C, killed, run twice at once."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from engram.testing.shares import age
from tests.cli.test_process import AROUND, PATIENCE_S, when_there

#: `engram`, for which every call on a share takes a while; it says when the scan has begun.
_SLOWLY = """
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from engram.cli import run
from engram.cli.main import main
from engram.testing.shares import SlowDisk
from engram.workspace.scanning import Scanning

class Slow(Scanning):
    def _scanner(self, *words, **more):
        Path("began").touch()
        return replace(super()._scanner(*words, **more), disk=SlowDisk(0.05))

call = run.call_here()
call._rooms = {"Scanning": Slow}
run.call_here = lambda: call
sys.exit(main())
"""
_PLAIN = "import sys; from engram.cli.main import main; sys.exit(main())"


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    for number in range(200):
        folder = tmp_path / "share" / f"s{number // 20}" / f"202001{1 + number % 20:02d}" / "probe"
        folder.mkdir(parents=True)
        (folder / "a.dat").touch()
    age(tmp_path / "share", 30)
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "engram.toml").write_text('[shares.raw]\nroot = "../share"\n')
    return tmp_path / "lab"


def start(lab: Path, code: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", code, "--json", "sessions", "scan"]
    pipe = subprocess.PIPE
    return subprocess.Popen(words, cwd=lab, stdout=pipe, stderr=pipe, stdin=subprocess.DEVNULL, env=AROUND)


def scanned(process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_scan_in_good_order(lab: Path, number: signal.Signals, code: int) -> None:
    process = start(lab, _SLOWLY)
    when_there(lab / "began")
    time.sleep(0.3)
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code
    assert b"Traceback" not in err
    assert len(err.splitlines()) == 2
    assert all(json.loads(line) for line in out.splitlines())
    assert scanned(start(lab, _PLAIN))["sessions"] == 200


def test_a_killed_scan_loses_nothing(lab: Path) -> None:
    for wait_s in (0.1, 0.6, 1.2):
        process = start(lab, _SLOWLY)
        when_there(lab / "began")
        time.sleep(wait_s)
        process.kill()
        process.communicate(timeout=PATIENCE_S)
        (lab / "began").unlink()
    found = scanned(start(lab, _PLAIN))
    assert (found["sessions"], found["note"]) == (200, "")
    assert scanned(start(lab, _PLAIN))["unchanged"] == 200


def test_two_scans_at_once_see_the_same(lab: Path) -> None:
    both = [start(lab, _PLAIN), start(lab, _PLAIN)]
    assert [scanned(process)["sessions"] for process in both] == [200, 200]
    assert scanned(start(lab, _PLAIN))["unchanged"] == 200
    with sqlite3.connect(lab / ".engram" / "scan.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
