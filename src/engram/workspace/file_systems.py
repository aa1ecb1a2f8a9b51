"""On which kind of file system a folder lies, and whether several machines share it."""

import os
import re

#: Kinds that several machines write to at once: SQLite's locks are not kept there.
#: Source: https://www.sqlite.org/howtocorrupt.html#_filesystems_with_broken_or_missing_lock_implementations
NETWORK = frozenset(
    "9p afs afpfs beegfs ceph cifs coda davfs fuse.davfs2 gfs gfs2 glusterfs gpfs lustre ncpfs nfs nfs4 ocfs2 orangefs"
    " panfs prl_fs pvfs2 smb2 smb3 smbfs vboxsf virtiofs vmhgfs".split()
)
#: What runs outside the kernel, and keeps to one machine all the same.
_LOCAL_FUSE = frozenset("fuse.bindfs fuse.encfs fuse.gocryptfs fuse.mergerfs fuse.ntfs-3g fuse.fuse-overlayfs".split())
_OCTAL = re.compile(r"\\([0-7]{3})")


def network_file_system(path: str, mounts: str | None = None) -> str:
    r"""The kind of the network file system that *path* is on or would be made on; '' when it is on this machine.

    *mounts*: the text of ``/proc/self/mounts``; read here when it is not given. Where there is none, the answer is ''.

    >>> mounts = "/dev/sda1 / ext4 rw 0 0\nserver:/lab /mnt/lab nfs4 rw 0 0\n"
    >>> network_file_system("/mnt/lab/new", mounts), network_file_system("/mnt/labour", mounts)
    ('nfs4', '')
    """
    text = _mounts() if mounts is None else mounts
    there = os.path.realpath(path)
    best, kind = "", ""
    for line in text.splitlines():
        fields = line.split(" ")
        if len(fields) > 2:
            point = _OCTAL.sub(lambda match: chr(int(match[1], 8)), fields[1])
            if _holds(point, there) and len(point) >= len(best):
                best, kind = point, fields[2]
    is_shared = kind in NETWORK or (kind.startswith("fuse.") and kind not in _LOCAL_FUSE)
    return kind if is_shared else ""


def _holds(point: str, path: str) -> bool:
    return path == point or path.startswith(point.rstrip("/") + "/")


def _mounts() -> str:
    try:
        with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:  # no Linux: nobody to ask
        return ""
