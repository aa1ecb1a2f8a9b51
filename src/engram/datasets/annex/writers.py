"""Does any process have a file open for writing? The kernel knows.

A change through a memory map leaves no trace in a file's times, so that looking at them is not enough to call what was
hashed and what is kept the same.

Source: fcntl(2), "Leases": a read lease is granted only when nobody has the file open for writing, and while it is held
whoever wants to has to wait; closing the file gives it back.
"""

import fcntl
import signal
from enum import Enum


class Writers(Enum):
    """Whether any process has a file open for writing."""

    NONE = "none"
    SOME = "some"
    #: The file system, or the file's owner, does not let us ask.
    UNKNOWN = "unknown"


def hold_off_writers(descriptor: int) -> Writers:
    """Take a lease on a file that is open for reading; `Writers.NONE` when it was granted."""
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)  # not SIGIO, which would end the process
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except BlockingIOError:
        return Writers.SOME
    except OSError:
        return Writers.UNKNOWN
    return Writers.NONE


def let_writers_in(descriptor: int) -> None:
    """Give the lease back before the file is closed."""
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)


def somebody_waits(descriptor: int) -> bool:
    """Whether somebody wants to write, and will as soon as the lease is given back."""
    return fcntl.fcntl(descriptor, fcntl.F_GETLEASE) != fcntl.F_RDLCK
