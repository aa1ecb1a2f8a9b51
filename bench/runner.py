"""Run one command, wait for everything that it left behind, and write down what all of it cost.

A program of its own, and a small one: the peak memory of a process starts at that of the process it was forked from.
It adopts orphans (a detached ``git gc``), so that their work is waited for and counted, too.

How much the file system of the working directory filled up meanwhile is looked at ten times a second.

Usage: ``python -I -S runner.py REPORT COMMAND [ARGUMENT...]``
"""

import ctypes
import json
import os
import resource
import sys
import threading
import time

# Source: https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html
_PR_SET_CHILD_SUBREAPER = 36
_LOOK_EVERY_S = 0.1


def main(report: str, *command: str) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    ended, fullest = threading.Event(), [0]
    looks = threading.Thread(target=_look, args=(_used_bytes(), fullest, ended))
    looks.start()
    began_s = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status = os.waitpid(child, 0)
    wall_s = time.perf_counter() - began_s
    orphans = _wait_for_orphans()
    ended.set()
    looks.join()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {
        "exit_code": os.waitstatus_to_exitcode(status),
        "user_s": usage.ru_utime,
        "system_s": usage.ru_stime,
        "wall_s": wall_s,
        # Linux counts it in KiB, macOS in bytes
        "peak_bytes": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        "disk_bytes": fullest[0],
        "orphans": orphans,
    }
    with open(report, "w", encoding="utf-8") as file:
        json.dump(found, file)


def _used_bytes() -> int:
    space = os.statvfs(".")
    return (space.f_blocks - space.f_bfree) * space.f_frsize


def _look(before_bytes: int, fullest: list[int], ended: threading.Event) -> None:
    done = False
    while not done:
        done = ended.wait(_LOOK_EVERY_S)
        fullest[0] = max(fullest[0], _used_bytes() - before_bytes)


def _wait_for_orphans() -> int:
    count = 0
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return count
        count += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
