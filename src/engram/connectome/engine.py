"""The engine of a build: one DuckDB work file, one memory limit, one order."""

import duckdb

#: DuckDB's own limit is not that of the process: what it reads, sorts and hands over lies beside it.
OF_MEMORY_RATIO = 0.7


def open_work_file(path: str, *, memory_bytes: int, threads: int) -> duckdb.DuckDBPyConnection:
    """A work file in which tables may be larger than memory; it is made, and belongs to this build alone.

    Args:
        path: of the file; what does not fit into memory is spilled beside it.
        memory_bytes: what the whole process may take.
        threads: how many of DuckDB's threads work at once; no result depends on it.
    """
    limit = max(int(memory_bytes * OF_MEMORY_RATIO), 64 << 20)
    work = duckdb.connect(path, config={"memory_limit": f"{limit // 1024}KiB", "threads": str(threads)})
    work.execute("SET preserve_insertion_order = false")
    work.execute("SET enable_progress_bar = false")
    return work
