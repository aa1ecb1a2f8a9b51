"""Bring the contents of files to where they belong: into the annex, or into git as blobs.

Small files are read one after the other (a thread costs more than it saves); large ones are hashed by several threads
a little ahead of the one that moves them.
"""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from engram.datasets.annex.backends import backend_of, is_native, key_for, new_hasher
from engram.datasets.annex.backends import digest_of as digest_in
from engram.datasets.annex.hashdirs import object_path
from engram.datasets.annex.pointers import MAX_POINTER_BYTES, key_in, link_of, link_to
from engram.datasets.annex.reading import OpenContent, Stop, digest_of, open_content, open_for_annex
from engram.datasets.annex.store import ContentStore
from engram.datasets.git.index import entry_from_stat, entry_without_stat
from engram.datasets.git.objects import BLOB, EXECUTABLE_MODE, FILE_MODE, SYMLINK_MODE, object_id
from engram.datasets.recorded import Recorded
from engram.datasets.saving.decisions import FileToSave
from engram.datasets.worktree import Found
from engram.durable import Steps
from engram.model.errors import ChangedWhileSaved, EngramError, Unreadable

if TYPE_CHECKING:
    from concurrent.futures import Future

#: Files of at least this size are hashed in threads.
LARGE_BYTES = 1 << 20
_POINTER_START = b"/annex/objects/"


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Contents:
    """Files on their way into a dataset."""

    steps: Steps
    store: ContentStore
    top: bytes
    jobs: int
    #: Puts a large blob into git: size, pieces, name for errors → object id.
    stream_blob: Callable[[int, Iterable[bytes], str], bytes]
    problems: list[EngramError] = field(default_factory=list)
    stop: Stop = field(default_factory=Stop)
    #: How many bytes of a file that is being read were told already.
    told_bytes: dict[bytes, int] = field(default_factory=dict)

    def take_in(self, files: list[FileToSave], done: Callable[[int], None]) -> Generator[Recorded, None, None]:
        """Every file, as it is taken in; what fails is left as it was and becomes one of `problems`.

        *done* is told of bytes, by several threads, and while a large file is being read.
        """
        small: list[FileToSave] = []
        large: list[FileToSave] = []
        for file in files:
            (large if file.backend and file.size_bytes >= LARGE_BYTES else small).append(file)
        files.clear()
        small.reverse()
        take = partial(self._take_in, done=done)
        while small:  # what was taken in need not be remembered
            recorded = self._guarded(small.pop(), take, done)
            if recorded is not None:
                yield recorded
        if large:
            yield from self._in_threads(large, done)

    def _guarded(
        self, file: FileToSave, take: Callable[[FileToSave], Recorded], done: Callable[[int], None]
    ) -> Recorded | None:
        """What *take* gives; ``None`` when that became one of `problems`."""
        recorded = None
        try:
            recorded = take(file)
        except EngramError as error:
            if error.exit_code != 3:
                raise
            self.problems.append(error)
        except (FileNotFoundError, NotADirectoryError):
            place = os.path.join(self.top, file.path)
            if os.path.lexists(place):  # then it was something of ours that was missing
                raise
            self.problems.append(ChangedWhileSaved(os.fsdecode(place), "it went away"))
        told = self.told_bytes.pop(file.path, 0) if self.told_bytes else 0
        done(max(0, file.size_bytes - told))
        return recorded

    def _telling(self, file: FileToSave, done: Callable[[int], None]) -> Callable[[int], None]:
        def tell(count: int) -> None:
            self.told_bytes[file.path] = self.told_bytes.get(file.path, 0) + count
            done(count)

        return tell

    def _take_in(self, file: FileToSave, *, done: Callable[[int], None]) -> Recorded:
        opened = open_for_annex if file.backend else open_content
        content = opened(b"%b/%b" % (self.top, file.path))
        try:
            if content.was.st_size >= LARGE_BYTES:
                tell = self._telling(file, done)
                return self._streamed_blob(file, content, tell) if not file.backend else self._large(file, content)
            data = _read(content)
            if data.startswith(_POINTER_START) and len(data) <= MAX_POINTER_BYTES and key_in(data):
                return self._blob(file, content, data, key=key_in(data) or b"")
            if not file.backend:
                return self._blob(file, content, data)
            hasher = new_hasher(file.backend)
            hasher.update(data)
            return self._annexed(file, content, hasher.hexdigest())
        finally:
            content.close()

    def _large(self, file: FileToSave, content: OpenContent) -> Recorded:
        return self._annexed(file, content, digest_of(content, file.backend, stopped=self.stop))

    def _annexed(self, file: FileToSave, content: OpenContent, digest: str) -> Recorded:
        key = key_for(file.backend, content.was.st_size, digest, os.path.basename(file.path))
        if file.key and file.key != key and self._is_still(file.key, content):
            key = file.key
        relative = object_path(key)
        target = link_to(file.path, relative)
        kept = self.store.keep(content, key, relative, target)
        oid = object_id(BLOB, target)
        if kept.link is None:
            entry = entry_without_stat(file.path, SYMLINK_MODE, oid)
        else:
            entry = entry_from_stat(file.path, kept.link, SYMLINK_MODE, oid)
        return Recorded(file.path, entry, key, target, True, content.was.st_size, kept.note)

    def _is_still(self, key: bytes, content: OpenContent) -> bool:
        """Whether a content is the one that *key* names."""
        backend = backend_of(key)
        return is_native(backend) and digest_in(key) == digest_of(content, backend, stopped=self.stop)

    def _blob(self, file: FileToSave, content: OpenContent, data: bytes, *, key: bytes = b"") -> Recorded:
        if changed := content.changed():
            raise ChangedWhileSaved(os.fsdecode(content.path), changed)
        mode = EXECUTABLE_MODE if content.was.st_mode & 0o100 else FILE_MODE
        entry = entry_from_stat(file.path, content.was, mode, object_id(BLOB, data))
        return Recorded(file.path, entry, key, data, False, len(data))

    def _streamed_blob(self, file: FileToSave, content: OpenContent, done: Callable[[int], None]) -> Recorded:
        oid = self.stream_blob(content.was.st_size, _chunks(content, done), os.fsdecode(content.path))
        if changed := content.changed():
            raise ChangedWhileSaved(os.fsdecode(content.path), changed)
        mode = EXECUTABLE_MODE if content.was.st_mode & 0o100 else FILE_MODE
        return Recorded(file.path, entry_from_stat(file.path, content.was, mode, oid), size_bytes=content.was.st_size)

    def _in_threads(self, files: list[FileToSave], done: Callable[[int], None]) -> Iterator[Recorded]:
        from concurrent.futures import ThreadPoolExecutor

        waiting: deque[tuple[FileToSave, Future[tuple[OpenContent, str]]]] = deque()
        with ThreadPoolExecutor(max_workers=self.jobs) as pool:
            try:
                for file in files:
                    waiting.append((file, pool.submit(self._hash, file, done)))
                    if len(waiting) > self.jobs:
                        yield from self._finish(waiting, done)
                while waiting:
                    yield from self._finish(waiting, done)
            finally:
                self.stop.asked = True
                for _, future in waiting:
                    _let_go(future)

    def _hash(self, file: FileToSave, done: Callable[[int], None]) -> tuple[OpenContent, str]:
        content = open_for_annex(os.path.join(self.top, file.path))
        try:
            return content, digest_of(content, file.backend, stopped=self.stop, done=self._telling(file, done))
        except BaseException:
            content.close()
            raise

    def _finish(
        self, waiting: "deque[tuple[FileToSave, Future[tuple[OpenContent, str]]]]", done: Callable[[int], None]
    ) -> Iterator[Recorded]:
        file, future = waiting.popleft()

        def take(file: FileToSave) -> Recorded:
            content, digest = future.result()
            try:
                return self._annexed(file, content, digest)
            finally:
                content.close()

        recorded = self._guarded(file, take, done)
        if recorded is not None:
            yield recorded

    def links(self, found: Iterable[Found]) -> Iterator[Recorded]:
        """Symbolic links; what vanished meanwhile becomes one of `problems`."""
        for one in found:
            try:
                yield self._link(one)
            except ChangedWhileSaved as error:
                self.problems.append(error)
            except OSError as error:
                reason = error.strerror or "it vanished"
                self.problems.append(ChangedWhileSaved(os.fsdecode(one.path), reason))

    def _link(self, found: Found) -> Recorded:
        """One link; one into the annex is mended when it was moved to another depth."""
        place = os.path.join(self.top, found.path)
        target = os.readlink(place)
        key = key_in(target) or b""
        if key and (right := link_of(found.path, key)) != target:
            self.store.relink(place, target, right)
            target = right
        entry = entry_from_stat(found.path, os.lstat(place), SYMLINK_MODE, object_id(BLOB, target))
        return Recorded(found.path, entry, key, target, bool(key) and self.store.has(key))


def _read(content: OpenContent) -> bytes:
    size = content.was.st_size
    try:
        data = os.pread(content.descriptor, size + 1, 0)
    except OSError as error:
        raise Unreadable(os.fsdecode(content.path), os.strerror(error.errno or 0)) from error
    if len(data) != size:
        raise ChangedWhileSaved(os.fsdecode(content.path), f"{size} bytes became {len(data)}")
    return data


def _chunks(content: OpenContent, done: Callable[[int], None]) -> Iterator[bytes]:
    offset = 0
    while data := os.pread(content.descriptor, LARGE_BYTES, offset):
        offset += len(data)
        yield data
        done(len(data))


def _let_go(future: "Future[tuple[OpenContent, str]]") -> None:
    if not future.cancel() and future.exception() is None:
        future.result()[0].close()
