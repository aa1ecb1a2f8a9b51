"""How much memory a command on snapshots may take."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

from engram.model.errors import TooLittleMemory, UsageError

#: Below this nothing is begun: the libraries alone take as much.
_LEAST_BYTES = 256 << 20


def memory_of(memory: str) -> int:
    """Bytes that a process may take, as ``--memory`` says; '' for half of what is free. Raises `UsageError`."""
    if not memory:
        return max(_free_bytes() // 2, _LEAST_BYTES)
    from engram.datasets.annex.sizes import size_in  # here, because few calls say it

    size_bytes = size_in(memory)
    if size_bytes is None:
        raise UsageError(f"{memory!r} is no size.", "Write it as --memory 8GB")
    if size_bytes < _LEAST_BYTES:
        raise UsageError(f"{memory} of memory is too little for any snapshot.", "Give it at least --memory 256MiB")
    return size_bytes


@contextmanager
def held_to(memory_bytes: int, step: str) -> Iterator[None]:
    """Let what asks for far more memory than that fail at once, before the machine has none left.

    The engine keeps to its memory for what it knows of, which is not a text of 2 GB that a function of a question
    makes. This is for a process that does nothing else: the limit is that of all its threads.

    Raises:
        TooLittleMemory: of *step*.

    Source: https://man7.org/linux/man-pages/man2/getrlimit.2.html (RLIMIT_DATA; since Linux 4.7 of all private memory)
    """
    before, most = resource.getrlimit(resource.RLIMIT_DATA)
    limits = [limit for limit in (before, most) if limit != resource.RLIM_INFINITY]
    if held_bytes := _held_bytes():
        resource.setrlimit(
            resource.RLIMIT_DATA, (min(held_bytes + memory_bytes + _SPARE_BYTES, *limits, _MOST_BYTES), most)
        )
    try:
        yield
    except MemoryError as error:
        raise TooLittleMemory(step=step, memory_mib=memory_bytes >> 20, advised_mib=2 * memory_bytes >> 20) from error
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (before, most))


#: What libraries and allocators set aside without touching it; with less than 400 MiB sound questions failed.
_SPARE_BYTES = 1 << 30
#: More than any machine has.
_MOST_BYTES = 1 << 62


def _held_bytes() -> int:
    """Private memory of this process; 0 where the system does not tell, or bounds something else by that name.

    Source: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html (VmData, in kB)
    """
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            return next((int(line.split()[1]) << 10 for line in file if line.startswith("VmData:")), 0)
    except OSError:  # another system than Linux
        return 0


def _free_bytes() -> int:
    """Memory that nobody needs now.

    Source: https://man7.org/linux/man-pages/man5/proc_meminfo.5.html (MemAvailable, in kB)
    """
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            known = dict(line.split(":", 1) for line in file)
        return int(known["MemAvailable"].split()[0]) << 10
    except (OSError, KeyError, ValueError):  # another system than Linux: all that there is
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
