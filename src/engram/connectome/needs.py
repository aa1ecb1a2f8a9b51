"""How much memory a build needs, as far as that is known before it is tried.

Measured with made-up connectomes of ``bench/connectomes.py``, everything asked for but plots, two threads: what was
enough, and the most that was tried and was not:

===================  ==========  ==============
rows of partners     enough MiB  not enough MiB
===================  ==========  ==============
100,000              384
300,000              640         512
1,000,000            768         700
3,000,000            1144        900
20,000,000           3814
===================  ==========  ==============

What takes it is the step ``neuprint``, whose ordered texts are made in parts that the memory has room for. A build that
wants less, or whose synapses make fewer pairs of bodies, needs less: nothing is refused beforehand that may be enough.
"""

from pyarrow import dataset

from engram.connectome.reading import told

_BASE_MIB = 640
_MIB_OF_A_MILLION = 200
_STEP_MIB = 64


def advised_mib(rows: int, given_mib: int) -> int:
    """MiB that are enough for a build, with something to spare; twice what was given where that was as much.

    Args:
        rows: of the table of partners.

    >>> [advised_mib(rows, 256) for rows in (5_000, 1_000_000, 5_000_000, 20_000_000)]
    [704, 896, 1664, 4672]
    >>> advised_mib(1_000_000, 900)
    1856
    """
    needed = _BASE_MIB + rows * _MIB_OF_A_MILLION // 1_000_000
    return _rounded(needed if needed > given_mib else 2 * given_mib)


def _rounded(mib: int) -> int:
    return -(-mib // _STEP_MIB) * _STEP_MIB


def rows_of(path: str) -> int:
    """Rows of a feather or Parquet file; 0 for another one. Raises `Unreadable`, `Malformed`."""
    if path.lower().endswith(".csv"):
        return 0
    with told(path):
        kind = "parquet" if path.lower().endswith(".parquet") else "feather"
        return int(dataset.dataset(path, format=kind).count_rows())
