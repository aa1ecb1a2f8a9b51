"""Loops that do nothing but what auditing cannot do without.

``python bare_fsck.py whereis DATASET`` reads every link of the work tree, has git list the git-annex branch, and prints
a line for each file. ``unused`` lists every content, and reads every link. ``fsck`` reads every link, looks at the
permissions of the folder that it leads to, reads the content, hashes it, and compares with the link; and the branch.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator

_READ_BYTES = 1 << 18


def main(what: str, dataset: str) -> None:
    links = _links(dataset)
    if what == "unused":
        used = {target.rpartition("/")[2] for _, target in links}
        print(sum(key not in used for key in _contents(os.path.join(dataset, ".git", "annex", "objects"))))
        return
    logs = _logs(dataset)
    for path, target in links:
        folder, _, key = target.rpartition("/")
        place = os.path.join(os.path.dirname(path), folder)
        if what == "fsck" and (os.lstat(place).st_mode & 0o222 or _digest(f"{place}/{key}") not in key):
            raise SystemExit(f"{path} is damaged")
        print(f"{path}: {logs[key]}")


def _links(folder: str) -> Iterator[tuple[str, str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink():
                yield entry.path, os.readlink(entry.path)
            elif entry.name != ".git" and entry.is_dir():
                yield from _links(entry.path)


def _contents(top: str) -> Iterator[str]:
    for first in os.listdir(top):
        for second in os.listdir(f"{top}/{first}"):
            yield from os.listdir(f"{top}/{first}/{second}")


def _logs(dataset: str) -> dict[str, str]:
    """The id of the location log of each key."""
    words = ("git", "-C", dataset, "ls-tree", "-r", "-z", "git-annex")
    lines = subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout.decode().split("\0")
    return {line[line.rfind("/") + 1 : -4]: line[12:52] for line in lines}


def _digest(place: str) -> str:
    descriptor = os.open(place, os.O_RDONLY)
    hasher = hashlib.sha256()
    while data := os.read(descriptor, _READ_BYTES):
        hasher.update(data)
    os.close(descriptor)
    return hasher.hexdigest()


if __name__ == "__main__":
    main(*sys.argv[1:])
