"""Mend what an examination found: the log, permissions, links, damaged contents.

The order: the log says, durably, what is not here any more; only then damaged contents are set aside, under
``annex/bad``, where nothing is ever replaced; then good copies of them are taken from siblings on this machine,
verified on the way; last the log says that those are here again. Nothing is deleted.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from engram import durable
from engram.datasets.annex.facts import key_size
from engram.datasets.annex.hashdirs import file_name_of
from engram.datasets.annex.pointers import pointer_of
from engram.datasets.annex.receiving import Receiving
from engram.datasets.annex.store import ContentStore
from engram.datasets.auditing.examined import Examined
from engram.datasets.copying.supply import ANNEX, Supply
from engram.datasets.dataset import Dataset
from engram.datasets.git.index import GitIndex
from engram.datasets.logbook import note_presence
from engram.datasets.mended import Mended
from engram.datasets.saving.staging import refresh_entries
from engram.datasets.saving.unlocked import fill_pointers
from engram.datasets.syncing import ToSync
from engram.datasets.whereabouts import Whereabouts
from engram.model.errors import EngramError
from engram.model.source import Wanted

_LOCK = b".lck"


class Mender:
    """Mends in one dataset. Needs `only_engram`."""

    def __init__(self, dataset: Dataset, whereabouts: Whereabouts, index: GitIndex, clock: Callable[[], float]) -> None:
        self._dataset = dataset
        self._steps = dataset.steps
        self._whereabouts = whereabouts
        self._index = index
        self._clock = clock
        self._git_dir = os.fsencode(dataset.git_dir)
        self._top = os.fsencode(dataset.work_tree)
        self._bad = os.path.join(self._git_dir, b"annex", b"bad")

    def mend(self, troubled: Iterable[Examined]) -> Mended:
        """Do what can be done about them; durable when it returns. Raises `NotUnderstood` when git-annex has to."""
        troubled = list(troubled)
        mended = Mended()
        by_key = {one.key: one for one in troubled}
        mended.logged.update(self._corrections(by_key))
        if mended.logged:
            note_presence(self._dataset, mended.logged, now_s=self._clock())
        for key, one in by_key.items():
            if one.condition.damage:
                self._set_content_aside(key, one, mended)
            elif one.condition.loose:
                self._protect(key, one.condition.place, mended)
        self._restore(by_key, mended)
        for one in troubled:
            if one.file is not None and one.link:
                self._mend_link(one.file.path, one.link, mended)
            elif one.file is not None and one.damage:
                self._set_file_aside(one, mended)
        self._fill(troubled, mended)
        return mended

    def _corrections(self, by_key: Mapping[bytes, Examined]) -> dict[bytes, bool]:
        """What the log has to say of which keys. Others may have dropped or got some since they were examined."""
        held = {}
        now = Whereabouts(self._dataset)
        uuid = self._dataset.annex_uuid.encode()
        for key, one in by_key.items():
            condition = one.condition
            if condition.unread or condition.for_annex:
                continue
            is_here = condition.is_here and os.path.lexists(condition.place)
            if (uuid in now.holders(key)) is not is_here or (one.unknown and not is_here):
                held[key] = is_here
        return held

    # --- contents

    def _set_content_aside(self, key: bytes, one: Examined, mended: Mended) -> None:
        place = one.condition.place
        folder = place[: place.rindex(b"/")]
        try:
            durable.change_mode(self._steps, folder, 0o755)
            mended.aside[key] = self._moved_aside(place, key)
            with suppress(OSError):
                for _ in range(3):  # the key's, and those of its hash, where nothing else is in them
                    durable.remove_folder(self._steps, folder)
                    folder = folder[: folder.rindex(b"/")]
        except OSError as error:
            mended.problems[key] = f"it cannot be set aside ({error.strerror})"

    def _moved_aside(self, place: bytes, key: bytes) -> bytes:
        """Give what lies at *place* a name under ``annex/bad`` that nothing has."""
        durable.make_folders(self._steps, self._bad)
        plain = aside = os.path.join(self._bad, file_name_of(key))
        number = 1
        while os.path.lexists(aside):
            aside = b"%b.%d" % (plain, number)
            number += 1
        mode = os.lstat(place).st_mode & 0o555 | 0o400
        durable.change_mode(self._steps, place, mode)  # so that its change time, wherever it lies, tells when this was
        durable.rename(self._steps, place, aside)
        durable.sync_folder(self._steps, self._bad)
        durable.sync_folder(self._steps, place[: place.rindex(b"/")])
        return aside

    def _protect(self, key: bytes, place: bytes, mended: Mended) -> None:
        """Take away the permission to write, from the content and its folder."""
        folder = place[: place.rindex(b"/")]
        try:
            mode = os.lstat(place).st_mode
            if mode & 0o222:
                durable.change_mode(self._steps, place, mode & 0o555 | 0o400)
            if not os.path.lexists(place + _LOCK):  # else somebody holds it just now, and will close its folder
                durable.change_mode(self._steps, folder, os.lstat(folder).st_mode & 0o555)
            mended.protected.add(key)
        except OSError as error:
            mended.problems[key] = f"its permissions cannot be set right ({error.strerror})"

    def _restore(self, by_key: Mapping[bytes, Examined], mended: Mended) -> None:
        """Take good copies of what was set aside, now or before, from siblings on this machine."""
        missing = [key for key, one in by_key.items() if key in mended.aside or one.was_aside]
        if not missing:
            return
        receiving = Receiving(self._steps, git_dir=self._git_dir)
        receiving.clear_what_a_crash_left()
        supply = Supply(self._dataset, self._whereabouts, receiving)
        for key in missing:
            file = by_key[key].file
            wanted = Wanted(key=key, path=file.path if file else b"", size_bytes=key_size(key))
            for name in supply.route(key):
                if name == ANNEX:
                    break
                if all(fetched.problem is None for fetched in supply.source(name).fetch([wanted])):
                    mended.restored[key] = name
                    break
        if mended.restored:
            receiving.settle()
            note_presence(self._dataset, dict.fromkeys(mended.restored, True), now_s=self._clock())
            mended.logged.update(dict.fromkeys(mended.restored, True))

    # --- the work tree

    def _mend_link(self, path: bytes, right: bytes, mended: Mended) -> None:
        place = os.path.join(self._top, path)
        aside = os.path.join(self._aside_folder(), b"link")
        try:
            was = os.lstat(place)
            with suppress(FileNotFoundError):
                durable.remove(self._steps, aside)
            durable.symlink(self._steps, right, aside)
            if durable.rename_over(self._steps, aside, place, was) is None:
                durable.remove(self._steps, aside)
                return
            durable.sync_folder(self._steps, place[: place.rindex(b"/")])
            mended.links.add(path)
        except OSError as error:
            mended.problems[path] = f"its link cannot be changed ({error.strerror})"

    def _set_file_aside(self, one: Examined, mended: Mended) -> None:
        """Put a pointer in the place of content in the work tree that rotted: filling it comes next."""
        path = one.file.path if one.file is not None else b""
        place = os.path.join(self._top, path)
        if not (one.condition.is_here or one.key in mended.restored):
            mended.problems[path] = "no good copy of it is here, so that it was left alone"
            return
        aside = os.path.join(self._aside_folder(), b"pointer")
        try:
            was = os.lstat(place)
            with suppress(FileNotFoundError):
                durable.remove(self._steps, aside)
            durable.write_new(self._steps, aside, pointer_of(one.key), mode=was.st_mode & 0o777)
            durable.make_folders(self._steps, self._bad)
            kept = self._second_name(place, one.key)
            if durable.rename_over(self._steps, aside, place, was) is not None:
                mended.files_aside[path] = kept
        except OSError as error:
            mended.problems[path] = f"it cannot be set aside ({error.strerror})"

    def _second_name(self, place: bytes, key: bytes) -> bytes:
        plain = aside = os.path.join(self._bad, file_name_of(key))
        number = 1
        while os.path.lexists(aside):
            aside = b"%b.%d" % (plain, number)
            number += 1
        durable.link(self._steps, place, aside)
        durable.sync_folder(self._steps, self._bad)
        return aside

    def _fill(self, troubled: list[Examined], mended: Mended) -> None:
        keys = {one.key for one in troubled if one.pointer} | set(mended.restored)
        keys |= {one.key for one in troubled if one.file is not None and one.file.path in mended.files_aside}
        if not keys:
            return
        to_sync = ToSync(self._git_dir, self._top)
        store = ContentStore(self._steps, git_dir=self._git_dir, to_sync=to_sync)
        store.clear_what_a_crash_left()
        filled = list(fill_pointers(self._dataset, self._index, store, keys))
        to_sync.sync(self._steps)
        with suppress(EngramError):  # git looks at the files itself then
            refresh_entries(self._dataset, self._index, {one.path: one.entry for one in filled})
        mended.filled.update(one.path for one in filled)

    def _aside_folder(self) -> bytes:
        folder = os.path.join(self._git_dir, b"engram", b"tmp")
        durable.make_folders(self._steps, folder)
        return folder
