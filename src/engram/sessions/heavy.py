"""What heavy libraries say about a file: the program of the worker process, which nobody imports.

It stands alone (``python -I heavy.py``), bounds itself before a library is loaded, and talks over the socket that is
its standard input: a line of JSON in, a line of JSON out. See `engram.sessions.workers`.

Source: https://docs.h5py.org/en/stable/; https://docs.scipy.org/doc/scipy/reference/generated/scipy.io.whosmat.html
"""

import json
import os
import resource
import socket
import stat
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

#: Memory of the whole process, processor time of one file.
MOST_MEMORY_BYTES = 2 << 30
MOST_PROCESSOR_S = 10
_MOST_ANSWER_BYTES = 1 << 20
_MOST_OBJECTS = 5_000
_DEEPEST = 32
_MOST_ATTRIBUTES = 128
_MOST_ATTRIBUTE_BYTES = 1 << 16
_MOST_VALUE_CHARACTERS = 1_000
#: Shapes that hold one value; MATLAB writes the last of them.
_SINGLE = frozenset({(), (1,), (1, 1)})
#: Of a row of numbers so many are told, as MATLAB's dates have.
_LONGEST_ROW = 8
#: What is asked of the units of a Femtonics file: a real one has whole documents as attributes, too.
_OF_UNITS = frozenset("MeasurementDatePosix VecChannelsSize ZAxisConversionConversionLinearScale ZAxisGeomRole".split())


class Refused(Exception):
    """A file that leads elsewhere, or that is larger inside than anything a rig writes."""


def hdf5_outline(file: BinaryIO) -> Mapping[str, Any]:
    """Groups, data sets and attributes of an HDF5 file, with the values of single texts and numbers."""
    return _outline(file, _DEEPEST)


def hdf5_top(file: BinaryIO) -> Mapping[str, Any]:
    """The same of its uppermost level alone: the variables of a MATLAB 7.3 file."""
    return _outline(file, 1)


def hdf5_units(file: BinaryIO) -> Mapping[str, Any]:
    """The same of its two uppermost levels: sessions and units of a Femtonics file, and little of what they say."""
    return _outline(file, 2, _OF_UNITS)


def nwb_summary(file: BinaryIO) -> Mapping[str, Any]:
    """What an NWB file says of itself, its subject and its session; its data are not walked over."""
    import h5py

    with h5py.File(file, "r") as opened:
        walk = _Walk(h5py)
        root = h5py.h5g.open(opened.id, b"/")
        said: dict[str, Any] = {}
        for place in ("", "/general", "/general/subject"):
            group = walk.group(root, place)
            if group is not None:
                said |= walk.values(group, place)
        return {"attributes": walk.attributes(root), "objects": said}


def mat_variables(file: BinaryIO) -> Mapping[str, Any]:
    """Names, shapes and classes of the variables of a MATLAB file of version 4 or 5."""
    import scipy.io

    return {"variables": [[name, list(shape), kind] for name, shape, kind in scipy.io.whosmat(file)[:_MOST_OBJECTS]]}


READERS: Mapping[str, Callable[[BinaryIO], Mapping[str, Any]]] = {
    "hdf5_outline": hdf5_outline,
    "hdf5_top": hdf5_top,
    "hdf5_units": hdf5_units,
    "nwb_summary": nwb_summary,
    "mat_variables": mat_variables,
}
#: What each needs, in the words of ``pip``.
NEEDED = {name: "scipy" if name == "mat_variables" else "h5py" for name in READERS}


def _outline(file: BinaryIO, deepest: int, only: frozenset[str] | None = None) -> Mapping[str, Any]:
    import h5py

    with h5py.File(file, "r") as opened:
        walk = _Walk(h5py, only)
        root = h5py.h5g.open(opened.id, b"/")
        return {"attributes": walk.attributes(root), "objects": dict(walk.below(root, "", deepest))}


class _Walk:
    """One walk over an HDF5 file, bounded as a whole."""

    def __init__(self, h5py: Any, only: frozenset[str] | None = None) -> None:
        """*only*: names of the attributes that are read; all where nothing is said."""
        self.h5py = h5py
        self.only = only
        self.seen: set[Any] = set()
        self.left = _MOST_OBJECTS

    def below(self, group: Any, place: str, deepest: int) -> Iterator[tuple[str, dict[str, Any]]]:
        for name in group:
            path = f"{place}/{name.decode(errors='replace')}"
            self.left -= 1
            if self.left < 0:
                raise Refused(f"more than {_MOST_OBJECTS} objects")
            if self._leads_elsewhere(group, name, path):
                continue
            found = self.h5py.h5o.open(group, name)
            where = self.h5py.h5o.get_info(found)
            if (where.fileno, where.addr) in self.seen:
                continue
            self.seen.add((where.fileno, where.addr))
            if isinstance(found, self.h5py.h5d.DatasetID):
                yield path, self._data_set(found, path)
            elif isinstance(found, self.h5py.h5g.GroupID):
                yield path, {"attributes": self.attributes(found)}
                if deepest > 1:
                    yield from self.below(found, path, deepest - 1)

    def group(self, root: Any, place: str) -> Any:
        """A group by its path, through hard links alone; ``None`` when there is none."""
        found = root
        for part in place.encode().split(b"/")[1:]:
            if part not in found or self._leads_elsewhere(found, part, place):
                return None
            found = self.h5py.h5o.open(found, part)
            if not isinstance(found, self.h5py.h5g.GroupID):
                return None
        return found

    def values(self, group: Any, place: str) -> dict[str, Any]:
        """The data sets that lie right in a group."""
        said: dict[str, Any] = {}
        for name in group:
            path = f"{place}/{name.decode(errors='replace')}"
            self.left -= 1
            if self.left < 0:
                raise Refused(f"more than {_MOST_OBJECTS} objects")
            if not self._leads_elsewhere(group, name, path):
                found = self.h5py.h5o.open(group, name)
                if isinstance(found, self.h5py.h5d.DatasetID):
                    said[path] = self._data_set(found, path)
        return said

    def _leads_elsewhere(self, group: Any, name: bytes, path: str) -> bool:
        kind = group.links.get_info(name).type
        if kind == self.h5py.h5l.TYPE_SOFT:
            return True
        if kind != self.h5py.h5l.TYPE_HARD:
            raise Refused(f"{path} leads to another file")
        return False

    def _data_set(self, found: Any, path: str) -> dict[str, Any]:
        creation = found.get_create_plist()
        if creation.get_external_count():
            raise Refused(f"{path} keeps its numbers in another file")
        if creation.get_layout() == self.h5py.h5d.VIRTUAL:
            raise Refused(f"{path} is put together from other files")
        said: dict[str, Any] = {"shape": list(found.shape), "attributes": self.attributes(found)}
        data = self.h5py.Dataset(found)
        said["type"] = _type(data.dtype)
        if found.shape in _SINGLE and data.dtype.itemsize <= _MOST_ATTRIBUTE_BYTES and data.dtype.kind in "OSUifub":
            said["value"] = _plain(data[(0,) * len(found.shape)])
        elif 1 < (found.get_space().get_simple_extent_npoints() or 0) <= _LONGEST_ROW and data.dtype.kind in "iuf":
            said["values"] = [_plain(number) for number in data[...].reshape(-1)]
        return said

    def attributes(self, found: Any) -> dict[str, Any]:
        said: dict[str, Any] = {}
        for attribute in self._asked(found):
            if attribute.get_space().get_simple_extent_type() == self.h5py.h5s.NULL:
                continue
            name = attribute.name.decode(errors="replace")
            if attribute.get_storage_size() > _MOST_ATTRIBUTE_BYTES:
                raise Refused(f"an attribute of {attribute.get_storage_size()} bytes")
            value = self._attribute(attribute)
            if value is not None:
                said[name] = value
        return said

    def _asked(self, found: Any) -> Iterator[Any]:
        if self.only is not None:
            names = (name.encode() for name in sorted(self.only))
            yield from (self.h5py.h5a.open(found, name) for name in names if self.h5py.h5a.exists(found, name))
            return
        count = self.h5py.h5a.get_num_attrs(found)
        if count > _MOST_ATTRIBUTES:
            raise Refused(f"{count} attributes on one object")
        yield from (self.h5py.h5a.open(found, index=place) for place in range(count))

    def _attribute(self, attribute: Any) -> Any:
        import numpy

        if attribute.shape not in {(), (1,)}:
            return None
        try:
            kind = attribute.dtype
        except TypeError:
            return None
        if kind.kind not in "OSUifub" or self.h5py.check_ref_dtype(kind) is not None:
            return None
        into = numpy.empty(attribute.shape, dtype=kind)
        attribute.read(into)
        return _plain(into.reshape(-1)[0])


def _type(kind: Any) -> str:
    return str(kind)[:_MOST_VALUE_CHARACTERS]


def _plain(value: Any) -> Any:
    """A number or a text; ``None`` for anything else. Long texts are PyTables' pickles, which must stay whole."""
    if isinstance(value, bytes):
        return value[:_MOST_ATTRIBUTE_BYTES].decode("utf-8", errors="replace")
    if isinstance(value, str):
        return value[:_MOST_ATTRIBUTE_BYTES]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bytes):
        return value[:_MOST_ATTRIBUTE_BYTES].decode("utf-8", errors="replace")
    return value if isinstance(value, int | float | bool | str) else None


def answer(request: Mapping[str, str]) -> Mapping[str, Any]:
    """What there is to say to one request: ``said``, or ``missing`` a library, or ``refused`` and why."""
    reader = READERS.get(request["reader"])
    if reader is None:
        return {"refused": f"there is no reader {request['reader']!r}"}
    try:
        descriptor = os.open(request["path"], os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        return {"unreadable": error.strerror or str(error)}
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return {"unreadable": "no regular file"}
        try:
            return {"said": reader(file)}
        except ImportError:
            return {"missing": NEEDED[request["reader"]]}
        except Refused as refused:
            return {"refused": str(refused)}
        except Exception as error:  # noqa: BLE001 - whatever a library makes of a hostile file is the answer
            return {"refused": f"{type(error).__name__}: {str(error)[:200]}"}


def serve(channel: socket.socket) -> None:
    """Answer requests until nobody asks any more."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with channel.makefile("rb") as requests:
        for line in requests:
            used = resource.getrusage(resource.RUSAGE_SELF)
            most = int(used.ru_utime + used.ru_stime) + MOST_PROCESSOR_S + 1
            resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))
            channel.sendall(_told(answer(json.loads(line))))


def _told(said: Mapping[str, Any]) -> bytes:
    data = json.dumps(said).encode() + b"\n"
    if len(data) > _MOST_ANSWER_BYTES:
        data = json.dumps({"refused": "it has more to say than anything a rig writes"}).encode() + b"\n"
    return data


if __name__ == "__main__":
    serve(socket.socket(fileno=0))
