"""Laws that the tables of a snapshot must keep among each other, as data, and how they are tried."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from engram.connectome.engine import Work
from engram.connectome.proving.told import Wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Same:
    """Two queries that must give the same rows, in any order; columns of one name have one type."""

    #: The file that is told of when they do not.
    path: str
    #: What its rows are, and where else they follow from: parts of a sentence.
    what: str
    other: str
    here: str
    there: str

    def broken(self, work: Work) -> Iterator[Wrong]:
        """Try it. Costs one pass over both, and no memory: of rows, their digests are added up."""
        digests = [
            work.rows(f"SELECT count(*), coalesce(sum(CAST(hash(one) AS HUGEINT)), 0) FROM ({query}) AS one")
            for query in (self.here, self.there)
        ]
        if digests[0] == digests[1]:
            return
        odd, lacking = (f"({a}) EXCEPT ALL ({b})" for a, b in ((self.here, self.there), (self.there, self.here)))
        for query, how in ((odd, "differ from"), (lacking, "are missing beside")):
            count = work.count(f"SELECT count(*) FROM ({query})")
            if count:
                example = _example(work, query)
                yield Wrong(path=self.path, message=f"{count} {self.what} {how} {self.other}; one of them: {example}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Never:
    """A query that must give no row."""

    path: str
    #: What its rows are: a part of a sentence.
    what: str
    query: str

    def broken(self, work: Work) -> Iterator[Wrong]:
        """Try it."""
        count = work.count(f"SELECT count(*) FROM ({self.query})")
        if count:
            yield Wrong(path=self.path, message=f"{count} {self.what}; one of them: {_example(work, self.query)}")


#: What is tried.
Law: TypeAlias = Same | Never


def _example(work: Work, query: str) -> str:
    """The first row of a query, in an order that its values decide."""
    columns = work.relation(query).columns
    (row,) = work.rows(f"SELECT * FROM ({query}) ORDER BY ALL LIMIT 1")
    return ", ".join(f"{column} {_shown(value)}" for column, value in zip(columns, row, strict=True))


def _shown(value: object) -> str:
    shown = "empty" if value is None else str(value)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


def unique(path: str, table: str, columns: str, what: str) -> Never:
    """The law that no two rows of a table have the same values."""
    query = f"SELECT {columns}, count(*) AS rows FROM {table} GROUP BY {columns} HAVING count(*) > 1"
    return Never(path=path, what=what, query=query)


def ranked(path: str, table: str) -> Same:
    """The law that the ranks of a table are the numbers from 1 on."""
    return Same(
        path=path,
        what="ranks",
        other="the numbers from 1 on",
        here=f"SELECT CAST(rank AS BIGINT) AS rank FROM {table}",
        there=f"SELECT rowid + 1 AS rank FROM {table}",
    )
