"""Datasets as strangers publish them: large, mixed, with content that nobody has here. Names and logs, no data.

Each maker leaves a bare repository in a folder, by one ``git fast-import``: tens of thousands of files in seconds. The
same repository comes out every time. What they imitate was seen in public datasets of OpenNeuro, the Human Connectome
Project, spine-generic and datasets.datalad.org.

Source: https://git-annex.branchable.com/internals/
"""

import hashlib
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from engram.datasets.annex.hashdirs import log_path, object_path

OWNER = "10000000-0000-4000-8000-000000000001"
S3 = "20000000-0000-4000-8000-000000000002"
DEAD = "30000000-0000-4000-8000-000000000003"
#: The one that git-annex gives the web.
WEB = "00000000-0000-0000-0000-000000000001"

_BEGAN = 1_526_406_000
_ATTRIBUTES = b"* annex.backend=MD5E\n* annex.largefiles=((mimeencoding=binary)and(largerthan=0))\n"
_SUBJECT_FILES = (
    ("anat/sub-{0}_T1w.nii.gz", True),
    ("anat/sub-{0}_T1w.json", False),
    ("func/sub-{0}_task-rest_run-{1}_bold.nii.gz", True),
    ("func/sub-{0}_task-rest_run-{1}_bold.json", False),
    ("func/sub-{0}_task-rest_run-{1}_events.tsv", False),
)
_PER_SUBJECT = 100


class Entry(NamedTuple):
    """One file of a commit."""

    mode: bytes
    path: bytes
    #: Its bytes, a link's target, or the commit of a subdataset in hexadecimal.
    content: bytes


def openneuro(folder: Path, count: int = 40_000) -> Path:
    """Many subjects, two files of five annexed with MD5E keys that a public S3 bucket holds, and their S3 versions."""
    entries = [Entry(b"100644", b".gitattributes", _ATTRIBUTES), _datalad_config()]
    logs = {
        "uuid.log": f"{OWNER} root@openneuro timestamp={_BEGAN}.061s\n{S3} s3-PUBLIC timestamp={_BEGAN}.5s\n",
        "remote.log": f"{S3} autoenable=true bucket=openneuro.org datacenter=US encryption=none exporttree=yes "
        f"fileprefix=ds/ host=s3.amazonaws.com name=s3-PUBLIC partsize=1GiB port=80 public=yes "
        f"publicurl=http://openneuro.example/openneuro.org storageclass=STANDARD type=S3 versioning=yes "
        f"timestamp={_BEGAN}.309s\n",
    }
    for number in range(count):
        name, annexed = _bids_name(number)
        if not annexed:
            entries.append(Entry(b"100644", name, b'{"RepetitionTime": %d}\n' % (number % 7)))
            continue
        key = _md5e(number, b".nii.gz")
        entries.append(linked(name, key))
        log = _log(key)
        logs[log] = f"{_BEGAN + number}.123456789s 1 {OWNER}\n{_BEGAN + number}.5s 1 {S3}\n"
        logs[f"{log}.rmet"] = f"{_BEGAN + number}.5s {S3}:V +v{number}#ds/{name.decode()}\n"
    return repository(folder, entries, logs)


def superdataset(folder: Path, count: int = 1_000) -> Path:
    """Nothing but subdatasets, none of which is there."""
    modules = b"".join(
        b'[submodule "subjects/%06d"]\n\tpath = subjects/%06d\n\turl = https://hcp.invalid/%06d.git\n'
        b"\tdatalad-id = 40000000-0000-4000-8000-%012d\n" % (number, number, number, number)
        for number in range(count)
    )
    gitlinks = (Entry(b"160000", b"subjects/%06d" % number, _sha1(number)) for number in range(count))
    return repository(folder, [Entry(b"100644", b".gitmodules", modules), _datalad_config(), *gitlinks], {})


def unlocked(folder: Path, count: int = 11_682) -> Path:
    """Every annexed file is unlocked: a pointer, for its content is not here."""
    entries = [Entry(b"100644", b".gitattributes", b"* annex.backend=SHA256E\n"), _datalad_config()]
    logs = {"uuid.log": f"{OWNER} amazon timestamp={_BEGAN}s\n"}
    for number in range(count):
        name, _ = _bids_name(number * 5)
        key = b"SHA256E-s%d--%s.nii.gz" % (1000 + number, hashlib.sha256(b"%d" % number).hexdigest().encode())
        entries.append(Entry(b"100644", b"%s-%d.nii.gz" % (name, number), b"/annex/objects/" + key + b"\n"))
        logs[_log(key)] = f"{_BEGAN + number}s 1 {OWNER}\n"
    return repository(folder, entries, logs)


def mixed(folder: Path, _: int = 0) -> Path:
    """Keys of every age and kind, URLs, a clone that died, and a branch whose lines end as on Windows."""
    keys = [key for key, _ in _MIXED]
    entries = [Entry(b"100644", b".gitattributes", b"* annex.backend=MD5E\n"), _datalad_config()]
    logs = {
        "uuid.log": f"{OWNER} a laptop timestamp=1526406012.309283711s\r\n{DEAD} gone\ttimestamp=1s\r\n",
        "trust.log": f"{DEAD} X timestamp=1526406013.5s\r\n{OWNER} 1 timestamp=1526406013s\r\n",
        "group.log": f"{OWNER} backup archive timestamp=1526406013s\n",
        "numcopies.log": "1526406012.2s 1\r\n",
        "unheard-of.log": "from the future\n",
    }
    for number, (key, url) in enumerate(_MIXED):
        entries.append(linked(b"file-%02d.dat" % number, key))
        end = "\r\n" if number % 2 else "\n"
        logs[_log(key)] = f"{_BEGAN}.{number:09d}s 1 {DEAD}{end}{_BEGAN + 1}s {1 if number % 3 else 0} {OWNER}{end}"
        if url:
            logs[_log(key)] += f"{_BEGAN}s 1 {WEB}\n"
            logs[f"{_log(key)}.web"] = f"{_BEGAN}.25s 1 {url}\n"
    entries.append(Entry(b"100644", b"unlocked.dat", b"/annex/objects/" + keys[0] + b"\n"))
    return repository(folder, entries, logs)


_MIXED = (
    (b"MD5E-s100--0cc175b9c0f1b6a831c399e269772661.tar.gz", ""),
    (b"MD5-s7--92eb5ffee6ae2fec3ad71c777531578f", ""),
    (b"SHA1-s5--e9d71f5ee7c92d6dc9e92ffdad17b8bd49418f98", ""),
    (b"SHA256E-s9--3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d.dat", ""),
    (b"SHA512-s3--" + b"ab" * 64, ""),
    (b"BLAKE2B256E-s11--" + b"cd" * 32 + b".bin", ""),
    (b"WORM-s42-m1526406000--raw data.dat", ""),
    (b"URL-s1000--https&c%%books.invalid%a.pdf", "https://books.invalid/a.pdf"),
    (b"URL--http&c%%books.invalid%a&ub.pdf", "http://books.invalid/a_b.pdf"),
    (b"VURL--https&c%%books.invalid%v.pdf", "https://books.invalid/v.pdf"),
    (b"XPARROT-s3--no-such-backend", ""),
    (b"MD5E-s1073741824-S536870912-C1--0cc175b9c0f1b6a831c399e269772661.img", ""),
)


def repository(folder: Path, entries: Iterable[Entry], logs: dict[str, str]) -> Path:
    """A bare repository in *folder* with these files on ``main``, and these on ``git-annex`` unless there are none."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder)], check=True)
    written = [Entry(b"100644", name.encode(), text.encode()) for name, text in logs.items()]
    stream = [*_commit(b"refs/heads/main", entries), *(_commit(b"refs/heads/git-annex", written) if logs else ())]
    command = ["git", "fast-import", "--quiet", "--force"]
    subprocess.run(command, cwd=folder, input=b"".join(stream), check=True)
    return folder


def linked(path: bytes, key: bytes) -> Entry:
    """A locked annexed file."""
    return Entry(b"120000", path, b"../" * path.count(b"/") + b".git/" + object_path(key))


def _commit(branch: bytes, entries: Iterable[Entry]) -> Iterator[bytes]:
    yield b"commit %s\ncommitter A Stranger <a@stranger.invalid> %d +0000\ndata 4\nall\n" % (branch, _BEGAN)
    for mode, path, content in entries:
        if mode == b"160000":
            yield b"M 160000 %s %s\n" % (content, path)
        else:
            yield b"M %s inline %s\ndata %d\n%s\n" % (mode, path, len(content), content)


def _bids_name(number: int) -> tuple[bytes, bool]:
    subject, rest = divmod(number, _PER_SUBJECT)
    run, kind = divmod(rest, len(_SUBJECT_FILES))
    pattern, annexed = _SUBJECT_FILES[kind]
    name = f"sub-{subject:04d}/ses-{run:02d}/" + pattern.format(f"{subject:04d}", run)
    return name.encode(), annexed


def _md5e(number: int, extension: bytes) -> bytes:
    digest = hashlib.md5(b"%d" % number, usedforsecurity=False).hexdigest().encode()
    return b"MD5E-s%d--%s%s" % (1_000_000 + number, digest, extension)


def _log(key: bytes) -> str:
    return log_path(key).decode()


def _datalad_config() -> Entry:
    return Entry(b"100644", b".datalad/config", b'[datalad "dataset"]\n\tid = 50000000-0000-4000-8000-000000000005\n')


def _sha1(number: int) -> bytes:
    return hashlib.sha1(b"%d" % number, usedforsecurity=False).hexdigest().encode()
