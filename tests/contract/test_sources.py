"""Every source of content keeps its promises: the fake, a sibling on this machine, and git-annex."""

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from engram.datasets.annex.hashdirs import object_path, object_path_lower
from engram.datasets.annex.receiving import Receiving, object_here
from engram.datasets.copying.annex_source import AnnexSource
from engram.datasets.copying.sibling_source import SiblingSource
from engram.datasets.dataset import Surroundings, open_dataset
from engram.datasets.siblings import OpenSibling
from engram.durable import Steps
from engram.testing.places import Template
from engram.testing.sources import MemorySource, Offer, SourceContract
from tests.interop.peers import annex, create, git, save, write

CONTENTS = {b"spikes": b"spikes", b"waves": b"waves" * 400_000, b"nothing": b""}
SPOILED = b"spoiled"


def key_of(data: bytes) -> bytes:
    return f"SHA256-s{len(data)}--{hashlib.sha256(data).hexdigest()}".encode()


KEYS = {key_of(data): data for data in CONTENTS.values()}


class TestMemory(SourceContract):
    @pytest.fixture
    def offer(self) -> Offer:
        source = MemorySource("memory", {**KEYS, key_of(SPOILED): b"spoilt!"})
        return Offer(source=source, contents=KEYS, spoiled=key_of(SPOILED), read=source.here.get, path_of=bytes)


@pytest.mark.parametrize("bare", [False, True], ids=["with a work tree", "bare"])
class TestSiblings(SourceContract):
    @pytest.fixture
    def offer(self, tmp_path: Path, bare: bool) -> Offer:
        theirs, ours = tmp_path / "theirs", tmp_path / "ours"
        (ours / "annex" / "objects").mkdir(parents=True)
        layout = object_path_lower if bare else object_path
        for key, data in {**KEYS, key_of(SPOILED): b"spoilt!"}.items():
            place = theirs / os.fsdecode(layout(key))
            place.parent.mkdir(parents=True)
            place.write_bytes(data)
        receiving = Receiving(Steps(), git_dir=os.fsencode(ours))
        receiving.clear_what_a_crash_left()
        sibling = OpenSibling(
            name="lab", uuid="u1", git_dir=os.fsencode(theirs), bare=bare, version=10, pidlock=False, thin=False
        )

        def read(key: bytes) -> bytes | None:
            place = object_here(os.fsencode(ours), key)
            return Path(os.fsdecode(place)).read_bytes() if place else None

        return Offer(
            source=SiblingSource(sibling, receiving),
            contents=KEYS,
            spoiled=key_of(SPOILED),
            read=read,
            path_of=bytes,
        )


@pytest.fixture(scope="module")
def origin(git_annex: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("origin") / "ds"
    create(folder, backend="SHA256")
    for name, data in {**CONTENTS, SPOILED: SPOILED}.items():
        write(folder, f"{name.decode()}.dat", data)
    save(folder)
    place = folder / ".git" / os.fsdecode(object_path(key_of(SPOILED)))
    place.parent.chmod(0o755)
    place.unlink()
    place.write_bytes(b"spoilt!")
    clone = folder.parent / "clone"
    git(folder.parent, "clone", "--quiet", str(folder), str(clone))
    annex(clone, "init", "--quiet")
    return clone


class TestGitAnnex(SourceContract):
    @pytest.fixture
    def offer(self, origin: Path, tmp_path: Path) -> Offer:
        (tmp_path / "copies").mkdir()
        clone = Template(origin, tmp_path / "copies").fresh()
        subprocess.run(["git", "update-index", "-q", "--really-refresh"], cwd=clone, check=True)
        dataset = open_dataset(str(clone), Surroundings(environment=dict(os.environ)))
        names = {key_of(data): name + b".dat" for name, data in {**CONTENTS, SPOILED: SPOILED}.items()}

        def read(key: bytes) -> bytes | None:
            place = object_here(os.fsencode(clone / ".git"), key)
            return Path(os.fsdecode(place)).read_bytes() if place else None

        return Offer(
            source=AnnexSource(dataset),
            contents=KEYS,
            spoiled=key_of(SPOILED),
            read=read,
            path_of=lambda key: names.get(key, b"no such file"),
        )
