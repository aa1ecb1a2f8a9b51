"""Read a pickle without running it: plain values and NumPy arrays come out, any other name is told, none is imported.

It is an interpreter of pickle's own small language that can only put values together. Large blocks of bytes are passed
over, so that a file of many megabytes costs some kilobytes.

Source: https://github.com/python/cpython/blob/main/Lib/pickletools.py (what each code means)
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from engram.model.errors import Malformed
from engram.sessions.reading.window import Window

#: The names that are known, and what takes their place here. Source: what NumPy 1 and 2, pandas and suite2p write.
KNOWN_NAMES: Mapping[str, str] = {
    "numpy.core.multiarray _reconstruct": "array",
    "numpy._core.multiarray _reconstruct": "array",
    "numpy.core.multiarray scalar": "scalar",
    "numpy._core.multiarray scalar": "scalar",
    "numpy ndarray": "ndarray",
    "numpy dtype": "dtype",
    "_codecs encode": "encode",
    "datetime datetime": "datetime",
    "collections OrderedDict": "mapping",
}

_MOST_CODES = 200_000
_MOST_HELD = 100_000
#: Longer blocks of bytes and text are passed over.
_LONGEST_BYTES = 1 << 16
_LONGEST_LINE_BYTES = 1 << 12
_LONGEST_NUMBER_BYTES = 64
#: NumPy's names of number types, and `struct`'s.
_NUMBERS = dict(zip("b1 i1 i2 i4 i8 u1 u2 u4 u8 f4 f8".split(), "?bhiqBHIQfd", strict=True))


@dataclass(frozen=True, slots=True)
class Skipped:
    """Bytes or text that were too long to be looked at."""

    size_bytes: int


@dataclass(frozen=True, slots=True)
class _Name:
    """One of the `KNOWN_NAMES`."""

    role: str


@dataclass(slots=True)
class PickledType:
    """A NumPy type: ``f8`` with its byte order."""

    name: str = ""
    order: str = "<"


@dataclass(slots=True)
class PickledArray:
    """A NumPy array: its shape, and its numbers in one row where they were few."""

    shape: tuple[int, ...] = ()
    dtype: str = ""
    #: ``None`` when there were too many, or when they are of a kind that is not known here.
    values: tuple[object, ...] | list[object] | None = None


@dataclass(frozen=True, slots=True)
class Pickled:
    """What a pickle holds, or the name in it that nobody may import."""

    value: object = None
    #: ``os system``: module and name; '' when all names were known.
    forbidden: str = ""


def unpickled(window: Window, at: int = 0) -> Pickled:
    """What the pickle that begins at *at* holds. Raises `Malformed`."""
    machine = _Machine(window, at)
    try:
        return machine.run()
    except _Forbidden as found:
        return Pickled(forbidden=str(found))
    except (IndexError, TypeError, ValueError, KeyError, struct.error, OverflowError, AttributeError) as error:
        raise Malformed(window.path, f"a pickle that does not hold together ({type(error).__name__})") from None


class _Forbidden(Exception):
    """A name that is none of the `KNOWN_NAMES`."""


class _Machine:
    """The stack, the marks and the memo of one pickle."""

    def __init__(self, window: Window, at: int) -> None:
        self.window = window
        self.at = at
        self.stack: list[object] = []
        self.marks: list[int] = []
        self.memo: dict[int, object] = {}

    def run(self) -> Pickled:
        for _ in range(_MOST_CODES):
            code = self.take(1)
            if code == b".":
                return Pickled(self.stack[-1])
            step = _CODES.get(code)
            if step is None:
                raise Malformed(self.window.path, f"a pickle with a code that is not known ({code!r})")
            step(self)
            if len(self.stack) > _MOST_HELD or len(self.memo) > _MOST_HELD:
                break
        raise Malformed(self.window.path, "a pickle that is too long to be read")

    # --- what follows a code

    def take(self, count: int) -> bytes:
        data = self.window.take(self.at, count)
        self.at += count
        return data

    def number(self, count: int, *, signed: bool = False) -> int:
        return int.from_bytes(self.take(count), "little", signed=signed)

    def line(self) -> bytes:
        data = self.window.some(self.at, _LONGEST_LINE_BYTES)
        end = data.index(b"\n")
        self.at += end + 1
        return data[:end]

    def block(self, width: int) -> "bytes | Skipped":
        count = self.number(width)
        if count > _LONGEST_BYTES:
            self.at += count
            return Skipped(count)
        return self.take(count)

    def text(self, width: int) -> "str | Skipped":
        data = self.block(width)
        return data if isinstance(data, Skipped) else data.decode("utf-8", "surrogatepass")

    # --- what is held

    def above(self) -> list[object]:
        """Everything since the last mark, taken off the stack."""
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def tuple_of(self, count: int) -> None:
        if len(self.stack) < count:
            raise IndexError
        items = tuple(self.stack[len(self.stack) - count :])
        del self.stack[len(self.stack) - count :]
        self.stack.append(items)

    def name(self, module: object, name: object) -> None:
        role = KNOWN_NAMES.get(f"{module} {name}")
        if role is None:
            raise _Forbidden(f"{module} {name}")
        self.stack.append(_Name(role))

    def global_by_lines(self) -> None:
        module, name = self.line(), self.line()
        self.name(module.decode(errors="replace"), name.decode(errors="replace"))

    def global_by_stack(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise TypeError
        self.name(module, name)

    def extend(self, items: list[object]) -> None:
        target = self.stack[-1]
        if not isinstance(target, list):
            raise TypeError
        target.extend(items)

    def set_items(self, items: list[object]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict):
            raise TypeError
        _put(target, items)

    def set_item(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self.set_items([key, value])

    def remember(self, place: int) -> None:
        self.memo[place] = self.stack[-1]

    def reduce(self) -> None:
        arguments, callee = self.stack.pop(), self.stack.pop()
        if not isinstance(callee, _Name) or not isinstance(arguments, tuple):
            raise TypeError
        self.stack.append(_MADE[callee.role](arguments))

    def build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if not isinstance(state, tuple):
            raise TypeError
        if isinstance(target, PickledType):
            order = state[1]
            target.order = ">" if order == ">" else "<"
        elif isinstance(target, PickledArray):
            _, shape, dtype, _, data = state
            _fill(target, shape, dtype, data)
        else:
            raise TypeError


def _fill(target: PickledArray, shape: object, dtype: object, data: object) -> None:
    if not isinstance(shape, tuple) or not isinstance(dtype, PickledType):
        raise TypeError
    target.shape = tuple(length for length in shape if isinstance(length, int))
    target.dtype = f"{dtype.order}{dtype.name}"
    if isinstance(data, list):
        target.values = data
    elif isinstance(data, bytes) and dtype.name in _NUMBERS:
        letter = _NUMBERS[dtype.name]
        target.values = struct.unpack(f"{dtype.order}{len(data) // struct.calcsize(f'<{letter}')}{letter}", data)


def _array(_: tuple[object, ...]) -> PickledArray:
    return PickledArray()


def _dtype(arguments: tuple[object, ...]) -> PickledType:
    return PickledType(str(arguments[0]) if isinstance(arguments[0], str) else "")


def _scalar(arguments: tuple[object, ...]) -> object:
    dtype, data = arguments
    if isinstance(dtype, PickledType) and isinstance(data, bytes) and dtype.name in _NUMBERS:
        return struct.unpack(f"{dtype.order}{_NUMBERS[dtype.name]}", data)[0]
    return None


def _encoded(arguments: tuple[object, ...]) -> object:
    text = arguments[0]
    return text.encode("latin-1") if isinstance(text, str) else text


def _datetime(arguments: tuple[object, ...]) -> datetime:
    packed = arguments[0]
    data = packed.encode("latin-1") if isinstance(packed, str) else packed
    if not isinstance(data, bytes) or len(data) != 10:
        raise TypeError
    year, month, day, hour, minute, second = struct.unpack(">H5B", data[:7])
    # `fold` is in the month's highest bit. Source: CPython's datetime.__getstate__
    micro = int.from_bytes(data[7:], "big")
    return datetime(year, month & 0x7F, day, hour, minute, second, micro)  # noqa: DTZ001 - the pickle has no zone


def _mapping(_: tuple[object, ...]) -> dict[object, object]:
    return {}


def _refused(_: tuple[object, ...]) -> object:
    raise TypeError


_MADE: Mapping[str, Callable[[tuple[object, ...]], object]] = {
    "array": _array,
    "dtype": _dtype,
    "scalar": _scalar,
    "encode": _encoded,
    "datetime": _datetime,
    "mapping": _mapping,
    "ndarray": _refused,
}


def _integer(line: bytes) -> object:
    if line in {b"00", b"01"}:
        return line == b"01"
    if len(line) > _LONGEST_NUMBER_BYTES:
        raise ValueError
    return int(line.rstrip(b"L"))


def _long(machine: _Machine, width: int) -> int:
    count = machine.number(width)
    if count > _LONGEST_NUMBER_BYTES:
        raise ValueError
    return machine.number(count, signed=True)


def _put(target: dict[object, object], items: list[object]) -> dict[object, object]:
    for key, value in zip(items[::2], items[1::2], strict=True):
        # no other keys: what is nested deeply would overrun the interpreter's own stack when it is hashed
        if isinstance(key, str | int | float | bytes | None):
            target[key] = value
    return target


def _push(value: Callable[[_Machine], object]) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(value(machine))


def _always(make: Callable[[], object]) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(make())


def _done(step: Callable[[_Machine], object]) -> Callable[[_Machine], None]:
    def do(machine: _Machine) -> None:
        step(machine)

    return do


#: Every code that is known. Persistent ids, extensions, instances and out-of-band buffers are not among them.
_CODES: Mapping[bytes, Callable[[_Machine], None]] = {
    b"\x80": _done(lambda machine: machine.take(1)),
    b"\x95": _done(lambda machine: machine.take(8)),
    b"(": lambda machine: machine.marks.append(len(machine.stack)),
    b"0": _done(lambda machine: machine.stack.pop()),
    b"1": _done(lambda machine: machine.above()),
    b"2": lambda machine: machine.stack.append(machine.stack[-1]),
    b"N": _always(lambda: None),
    b"\x88": _always(lambda: True),
    b"\x89": _always(lambda: False),
    b"I": _push(lambda machine: _integer(machine.line())),
    b"L": _push(lambda machine: _integer(machine.line())),
    b"F": _push(lambda machine: float(machine.line())),
    b"K": _push(lambda machine: machine.number(1)),
    b"M": _push(lambda machine: machine.number(2)),
    b"J": _push(lambda machine: machine.number(4, signed=True)),
    b"\x8a": _push(lambda machine: _long(machine, 1)),
    b"\x8b": _push(lambda machine: _long(machine, 4)),
    b"G": _push(lambda machine: struct.unpack(">d", machine.take(8))[0]),
    b"S": _push(lambda machine: machine.line().decode("latin-1").strip("'\"")),
    b"V": _push(lambda machine: machine.line().decode("raw-unicode-escape")),
    b"T": _push(lambda machine: machine.block(4)),
    b"U": _push(lambda machine: machine.block(1)),
    b"X": _push(lambda machine: machine.text(4)),
    b"\x8c": _push(lambda machine: machine.text(1)),
    b"\x8d": _push(lambda machine: machine.text(8)),
    b"B": _push(lambda machine: machine.block(4)),
    b"C": _push(lambda machine: machine.block(1)),
    b"\x8e": _push(lambda machine: machine.block(8)),
    b"\x96": _push(lambda machine: machine.block(8)),
    b"]": _always(list),
    b"}": _always(dict),
    b")": _always(tuple),
    b"\x8f": _always(list),
    b"l": _push(lambda machine: machine.above()),
    b"d": _push(lambda machine: _put({}, machine.above())),
    b"t": _push(lambda machine: tuple(machine.above())),
    b"\x91": _push(lambda machine: tuple(machine.above())),
    b"\x85": lambda machine: machine.tuple_of(1),
    b"\x86": lambda machine: machine.tuple_of(2),
    b"\x87": lambda machine: machine.tuple_of(3),
    b"a": lambda machine: machine.extend([machine.stack.pop()]),
    b"e": lambda machine: machine.extend(machine.above()),
    b"\x90": lambda machine: machine.extend(machine.above()),
    b"s": lambda machine: machine.set_item(),
    b"u": lambda machine: machine.set_items(machine.above()),
    b"p": lambda machine: machine.remember(_place(machine.line())),
    b"q": lambda machine: machine.remember(machine.number(1)),
    b"r": lambda machine: machine.remember(machine.number(4)),
    b"\x94": lambda machine: machine.remember(len(machine.memo)),
    b"g": _push(lambda machine: machine.memo[_place(machine.line())]),
    b"h": _push(lambda machine: machine.memo[machine.number(1)]),
    b"j": _push(lambda machine: machine.memo[machine.number(4)]),
    b"c": lambda machine: machine.global_by_lines(),
    b"\x93": lambda machine: machine.global_by_stack(),
    b"R": lambda machine: machine.reduce(),
    b"b": lambda machine: machine.build(),
}


def _place(line: bytes) -> int:
    number = _integer(line)
    if not isinstance(number, int):
        raise TypeError
    return number
