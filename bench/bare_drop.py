"""The floor of a drop: ``python bare_drop.py CLONE SIBLING`` does what the protocol of locks asks, and nothing else.

For each object of CLONE: its folder is opened, its lock taken; the same in SIBLING, where the copy is looked at; the
object and its three folders are removed; both locks are removed. No log is written, nothing is synced or decided.
"""

import fcntl
import os
import struct
import sys

_ALONE = struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0)
_SHARED = struct.pack("hhqqi", fcntl.F_RDLCK, 0, 0, 0, 0)


def folders_of_keys(objects: str) -> list[str]:
    return [
        f"{first}/{second}/{key}"
        for first in os.listdir(objects)
        for second in os.listdir(f"{objects}/{first}")
        for key in os.listdir(f"{objects}/{first}/{second}")
    ]


def lock(folder: str, key: str, kind: bytes) -> int:
    os.chmod(folder, 0o755)  # noqa: S103  # as git-annex does
    descriptor = os.open(f"{folder}/{key}.lck", os.O_RDWR | os.O_CREAT)
    fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, kind)
    return descriptor


def main(clone: str, sibling: str) -> None:
    mine, theirs = f"{clone}/.git/annex/objects", f"{sibling}/.git/annex/objects"
    for folder in folders_of_keys(mine):
        key = os.path.basename(folder)
        own, proof = f"{mine}/{folder}", f"{theirs}/{folder}"
        held = lock(own, key, _ALONE), lock(proof, key, _SHARED)
        os.lstat(f"{proof}/{key}")
        os.unlink(f"{own}/{key}")
        os.unlink(f"{own}/{key}.lck")
        os.rmdir(own)
        for place in (os.path.dirname(own), os.path.dirname(os.path.dirname(own))):
            try:
                os.rmdir(place)
            except OSError:
                break
        os.unlink(f"{proof}/{key}.lck")
        os.chmod(proof, 0o555)  # noqa: S103  # as git-annex leaves it
        for descriptor in held:
            os.close(descriptor)


if __name__ == "__main__":
    main(*sys.argv[1:])
