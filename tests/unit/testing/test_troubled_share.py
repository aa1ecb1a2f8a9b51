"""Every trouble of the troubled share is told, nothing runs, and what is sound stays sound."""

import hashlib
import os
from pathlib import Path

import pytest

from engram.model.findings import Finding, Severity
from engram.sessions.scanning.seen import SessionSeen, ShareFinding, ShareSeen
from engram.testing.troubled_share import Trouble, troubled_share
from engram.workspace.context import Context
from engram.workspace.scanning import Scanning


@pytest.fixture
def share(tmp_path: Path) -> tuple[Path, tuple[Trouble, ...]]:
    share = tmp_path / "share"
    share.mkdir()
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "engram.toml").write_text('[shares.raw]\nroot = "../share"\n')
    return share, troubled_share(share)


def everything(share: Path) -> str:
    digest = hashlib.sha256()
    for folder, folders, files in sorted(os.walk(share)):
        for name in sorted([*folders, *files, ""]):
            status = os.lstat(os.path.join(folder, name))
            digest.update(
                f"{folder}/{name} {status.st_mode} {status.st_size} {status.st_mtime_ns}".encode(errors="replace")
            )
    return digest.hexdigest()


def test_each_trouble_is_told_and_nothing_on_the_share_changes(share: tuple[Path, tuple[Trouble, ...]]) -> None:
    root, troubles = share
    assert len({trouble.what for trouble in troubles}) >= 12
    before = everything(root)
    scanning = Scanning(Context(folder=str(root.parent / "lab"), environment={"HOME": str(root.parent)}))
    seen = list(scanning.scan(checksum=True))
    sessions = {one.session.folder: one.session for one in seen if isinstance(one, SessionSeen)}
    loose = [one.finding for one in seen if isinstance(one, ShareFinding)]
    findings: list[Finding] = [*loose, *(finding for session in sessions.values() for finding in session.findings)]
    told = {(finding.code, finding.path) for finding in findings}
    assert [trouble for trouble in troubles if (trouble.code, trouble.path) not in told] == []
    places = {trouble.path for trouble in troubles}
    others = [finding for finding in findings if finding.path not in places and finding.severity is Severity.ERROR]
    assert [finding.path for finding in others if not finding.path.startswith(("s08/", "s09/"))] == []
    assert sessions["sound/2020-01-01_10-00-00"].findings == ()
    assert len(sessions["sound/2020-01-01_10-00-00"].recordings) == 1
    assert not list(root.parent.rglob("owned"))
    assert everything(root) == before
    (summary,) = [one for one in seen if isinstance(one, ShareSeen)]
    assert summary.sessions == len(sessions)
    again = list(scanning.scan())
    assert [one for one in again if isinstance(one, SessionSeen)] != []


def test_the_tutorial_shows_every_trouble_where_it_is(share: tuple[Path, tuple[Trouble, ...]]) -> None:
    page = (Path(__file__).parents[3] / "docs/tutorial/sixteen-kinds-of-trouble.md").read_text()
    for trouble in share[1]:
        shown = trouble.path.replace("\x07", r"\x07")
        assert f"{trouble.code}: {shown}\n" in page, trouble.what
