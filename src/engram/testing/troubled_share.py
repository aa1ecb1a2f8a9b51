"""A recording share in every trouble that a lab's shares get into, each made so that one finding tells of it."""

import os
import pickle
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engram.testing.shares import spikeglx


@dataclass(frozen=True, slots=True)
class Trouble:
    """One trouble: what was done, and the finding that must tell of it."""

    what: str
    code: str
    #: Where the finding points; relative to the share.
    path: str


class _RunsCode:
    """What a hostile pickle brings along."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("echo owned > owned",)


def troubled_share(share: Path) -> tuple[Trouble, ...]:
    """Make a share below an empty folder: one session that is sound, and the others each with a trouble.

    The sound one is ``sound/2020-01-01_10-00-00``.
    """
    _session(share, "sound/2020-01-01_10-00-00", serial="100")
    makers = (
        *(_truncated, _too_large, _still_acquiring, _without_meta, _without_binary, _copied, _wrong_day),
        *(_malformed, _hostile_pickle, _no_date, _in_no_session, _links, _odd_names, _pipe, _bytes_differ),
        _derived_for_nobody,
    )
    return tuple(make(share) for make in makers)


def _session(share: Path, folder: str, *, serial: str, started: str = "", finished: bool = True) -> Path:
    """A session with one probe, and the path of its stream."""
    day, _, time = folder.rpartition("/")[2].partition("_")
    when = started or f"{day}T{time.replace('-', ':')}"
    return spikeglx(share / folder / "probe_1", "npx.imec0.ap", serial=serial, started=when, finished=finished)


def _truncated(share: Path) -> Trouble:
    stream = _session(share, "s01/2020-01-01_10-00-00", serial="101")
    stream.write_bytes(stream.read_bytes()[:-7])
    return Trouble("a copy was cut short", "truncated", _inside(share, stream))


def _too_large(share: Path) -> Trouble:
    stream = _session(share, "s02/2020-01-01_10-00-00", serial="102")
    stream.write_bytes(stream.read_bytes() + b"more")
    return Trouble("a file is larger than its metadata says", "size-mismatch", _inside(share, stream))


def _still_acquiring(share: Path) -> Trouble:
    stream = _session(share, "s03/2020-01-01_10-00-00", serial="103", finished=False)
    return Trouble("the rig still writes", "still-acquiring", _inside(share, stream))


def _without_meta(share: Path) -> Trouble:
    stream = _session(share, "s04/2020-01-01_10-00-00", serial="104")
    stream.with_suffix(".meta").unlink()
    return Trouble("the metadata was forgotten", "missing-meta", _inside(share, stream))


def _without_binary(share: Path) -> Trouble:
    stream = _session(share, "s05/2020-01-01_10-00-00", serial="105")
    stream.unlink()
    return Trouble("only the metadata was copied", "missing-binary", _inside(share, stream.with_suffix(".meta")))


def _copied(share: Path) -> Trouble:
    stream = _session(share, "s06/2020-01-01_10-00-00", serial="106")
    other = share / "s06" / "2020-01-01_10-00-01"
    shutil.copytree(stream.parents[1], other)
    return Trouble("a session was copied", "duplicate-recording", _inside(share, other / "probe_1" / stream.name))


def _wrong_day(share: Path) -> Trouble:
    stream = _session(share, "s07/2020-01-01_10-00-00", serial="107", started="2020-03-01T10:00:00")
    return Trouble("a recording lies in another day's folder", "time-mismatch", _inside(share, stream))


def _malformed(share: Path) -> Trouble:
    meta = _session(share, "s08/2020-01-01_10-00-00", serial="108").with_suffix(".meta")
    meta.write_text(meta.read_text().replace("nSavedChans=", "nSavedChans=many"))
    return Trouble("metadata does not parse", "malformed", _inside(share, meta))


def _hostile_pickle(share: Path) -> Trouble:
    folder = share / "s09" / "20200101" / "dlc_s09_openfield_00001"
    folder.mkdir(parents=True)
    place = folder / "s09_meta.pickle"
    place.write_bytes(pickle.dumps({"data": _RunsCode()}))
    (folder / "dlc_config_file.yaml").write_text("Task: openfield\nscorer: me\ndate: Jan1\n")
    return Trouble("a pickle would run a program", "unsafe-pickle", _inside(share, place))


def _no_date(share: Path) -> Trouble:
    (share / "s10" / "20201301").mkdir(parents=True)
    (share / "s10" / "20201301" / "openfield.avi").write_bytes(b"RIFF")
    return Trouble("a folder is named for a day that there is not", "unknown-layout", "s10")


def _in_no_session(share: Path) -> Trouble:
    (share / "lost" / "and" / "found").mkdir(parents=True)
    (share / "lost" / "and" / "found" / "something.dat").write_bytes(b"?")
    return Trouble("files lie in no session", "unknown-layout", "lost")


def _links(share: Path) -> Trouble:
    folder = _session(share, "s11/2020-01-01_10-00-00", serial="111").parents[1]
    (folder / "loop").symlink_to(folder)
    (folder / "out").symlink_to("/etc")
    return Trouble("links lead in a circle, and out of the share", "link-not-followed", _inside(share, folder / "loop"))


def _odd_names(share: Path) -> Trouble:
    folder = _session(share, "s12/2020-01-01_10-00-00", serial="112").parents[1]
    names = [b"bell \x07.txt", b"latin-1 \xe9.txt", b"what?.txt"]
    for name in names:
        with suppress(OSError):  # not every file system takes every byte
            (folder / os.fsdecode(name)).write_bytes(b"")
    first = min(os.fsdecode(name) for name in names)
    return Trouble("names have characters that break programs", "name-not-portable", _inside(share, folder / first))


def _pipe(share: Path) -> Trouble:
    folder = _session(share, "s13/2020-01-01_10-00-00", serial="113").parents[1]
    os.mkfifo(folder / "npx.imec1.ap.meta")
    return Trouble("a pipe lies where a file should be", "unreadable", _inside(share, folder / "npx.imec1.ap.meta"))


def _bytes_differ(share: Path) -> Trouble:
    stream = _session(share, "s14/2020-01-01_10-00-00", serial="114")
    content = bytearray(stream.read_bytes())
    content[10] ^= 1
    stream.write_bytes(content)
    return Trouble("a bit was flipped on the way", "checksum-mismatch", _inside(share, stream))


def _derived_for_nobody(share: Path) -> Trouble:
    folder = share / "analysis" / "s15" / "2020-01-01"
    folder.mkdir(parents=True)
    (folder / "result.mat").write_bytes(b"")
    return Trouble("an analysis belongs to no session", "unknown-layout", _inside(share, folder))


def _inside(share: Path, place: Path) -> str:
    return place.relative_to(share).as_posix()
