"""A loop that does nothing but what auditing cannot do without: list the contents, read and hash them.

``python bare_fsck.py list|hash DATASET``
"""

import hashlib
import os
import sys


def main(what: str, dataset: str) -> None:
    top = os.path.join(dataset, ".git", "annex", "objects")
    for first in os.listdir(top):
        for second in os.listdir(f"{top}/{first}"):
            for name in os.listdir(f"{top}/{first}/{second}"):
                if what == "hash":
                    _hash(f"{top}/{first}/{second}/{name}/{name}")


def _hash(place: str) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        hasher = hashlib.sha256()
        while data := os.read(descriptor, 1 << 18):
            hasher.update(data)
        hasher.hexdigest()
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    main(*sys.argv[1:])
