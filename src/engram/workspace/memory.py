"""How much memory a command on snapshots may take."""

import os

from engram.model.errors import UsageError

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
