"""The decorator of records that are made by the hundred thousand, or loaded by every command."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, dataclass_transform, overload

_Record = TypeVar("_Record")


@overload
def record(cls: type[_Record], /) -> type[_Record]: ...


@overload
def record(*, eq: bool = True, kw_only: bool = True) -> Callable[[type[_Record]], type[_Record]]: ...


@dataclass_transform(frozen_default=True, kw_only_default=True)
def record(
    cls: type[_Record] | None = None, /, *, eq: bool = True, kw_only: bool = True
) -> type[_Record] | Callable[[type[_Record]], type[_Record]]:
    """A dataclass with slots whose fields are frozen for the type checker: nobody assigns to them.

    Unlike those that `dataclasses` freezes it costs nothing to say so: a frozen record of twenty fields takes several
    times as long to make, because Python sets each field by a call, and its class takes twice as long. With *eq* off
    it is compared, hashed and shown as any object is, and the class is made in a fifth of the time.
    """

    def make(cls: type[_Record]) -> type[_Record]:
        return dataclass(slots=True, kw_only=kw_only, eq=eq, unsafe_hash=eq, repr=eq, match_args=False)(cls)

    return make if cls is None else make(cls)
