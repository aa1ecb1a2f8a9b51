"""Empty datasets to begin with, and whether the result is right: a run whose result is not never counts."""

import os
import stat
from pathlib import Path

from bench.harness import Broken, Stage

STATUS_OF_GIT = ("git", "status", "--porcelain")

# ---- empty datasets, each with a first commit: git-annex is many times slower without one ---------------------------


def with_engram(stage: Stage, *options: str) -> Path:
    stage.run("engram", "create", *options, "ds")
    return stage.folder / "ds"


def with_engram_md5(stage: Stage) -> Path:
    return with_engram(stage, "--backend", "MD5E")


def with_engram_text2git(stage: Stage) -> Path:
    return with_engram(stage, "-c", "text2git")


def with_datalad_text2git(stage: Stage) -> Path:
    return with_datalad(stage, "-c", "text2git")


def with_datalad(stage: Stage, *options: str) -> Path:
    stage.run("datalad", "create", *options, "ds")
    return stage.folder / "ds"


def with_git(stage: Stage) -> Path:
    stage.run("git", "init", "--quiet", "ds")
    return _with_first_commit(stage)


def with_git_annex(stage: Stage) -> Path:
    stage.run("git", "init", "--quiet", "ds")
    stage.run("git", "annex", "init", "--quiet", "bench", at=stage.folder / "ds")
    return _with_first_commit(stage)


def _with_first_commit(stage: Stage) -> Path:
    stage.run("git", "commit", "--quiet", "--allow-empty", "-m", "first", at=stage.folder / "ds")
    return stage.folder / "ds"


# ---- is the result right? -------------------------------------------------------------------------------------------


def check_annexed(stage: Stage, dataset: Path, count: int, *, fsck: bool = False) -> None:
    """Every file is committed as a link to content of the size that its key names, and nothing is left to save."""
    links = _committed(stage, dataset, "120000")
    expect(len(links) == count, f"{len(links)} links are committed, {count} files were made")
    for path in links:
        content = os.stat(dataset / path)
        size_bytes = int(os.readlink(dataset / path).rpartition("/")[2].split("--")[0].split("-s")[1])
        expect(content.st_size == size_bytes and stat.S_ISREG(content.st_mode), f"{path} has lost its content")
    check_clean(stage, dataset)
    if fsck:
        here = stage.run("git", "annex", "find", "--in=here", at=dataset)
        expect(len(here.splitlines()) == count, "git-annex does not know where all content is")
        stage.run("git", "annex", "fsck", "--fast", "--quiet", at=dataset)


def check_in_git(stage: Stage, dataset: Path, count: int) -> None:
    """Every file is committed as itself, and nothing is left to save."""
    files = [path for path in _committed(stage, dataset, "100644") if not Path(path).name.startswith(".")]
    files = [path for path in files if not path.startswith(".")]
    expect(len(files) == count, f"{len(files)} files are committed, {count} were made")
    stage.run("git", "fsck", "--strict", at=dataset)
    check_clean(stage, dataset)


def check_clean(stage: Stage, dataset: Path) -> None:
    left = stage.run(*STATUS_OF_GIT, at=dataset)
    expect(not left, f"left to save: {left[:200]}")


def _committed(stage: Stage, dataset: Path, mode: str) -> list[str]:
    listed = stage.run("git", "ls-tree", "-r", "-z", "HEAD", at=dataset).split("\0")
    return [line.partition("\t")[2] for line in listed if line.startswith(mode)]


def expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise Broken(otherwise)
