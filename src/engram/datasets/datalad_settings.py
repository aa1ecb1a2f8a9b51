"""DataLad's settings of a dataset: the user's own; below them those that the dataset carries in ``.datalad/config``.

What a dataset carries came from anybody: it is data, and never the name of a place outside. Source: datalad-run(1)
"""

import os
import re
from collections.abc import Iterator

from engram.datasets.dataset import Dataset
from engram.datasets.git.config import COMMAND, GLOBAL, LOCAL, SYSTEM, WORKTREE, GitConfig
from engram.model.errors import UsageError

CARRIED = b".datalad/config"
_SUBSTITUTIONS = "datalad.run.substitutions."
#: What a value that the dataset carries may put into a command line: words, and nothing that a shell obeys.
_WORDS = re.compile(r"[\w@%+=:,./ -]*")


class DataladSettings:
    """The settings of one dataset, read once."""

    def __init__(self, dataset: Dataset) -> None:
        self._own = dataset.config
        self._carried = GitConfig.from_file(os.path.join(os.fsencode(dataset.work_tree), CARRIED))

    def get(self, name: str) -> str | None:
        """The value that holds; ``None`` if there is none."""
        value = self._own.get(name)
        return self._carried.get(name) if value is None else value

    def is_true(self, name: str) -> bool:
        """A setting that is on or off; off when it is not set."""
        config = self._own if self._own.get(name) is not None else self._carried
        return config.is_true(name, False)

    @property
    def dataset_id(self) -> str:
        """The dataset's own id, '' if it has none."""
        return self.get("datalad.dataset.id") or ""

    def substitutions(self) -> dict[str, str]:
        """What a user's further placeholders stand for.

        Raises `UsageError` for one that the dataset carries, and that a shell would take for more than words.
        """
        for name, value in self.carried_substitutions().items():
            if not _WORDS.fullmatch(value):
                raise UsageError(
                    f"{_SUBSTITUTIONS}{name} in {CARRIED.decode()} is no plain text, and the dataset came with it.",
                    f"If it is yours, set it for yourself: git config {_SUBSTITUTIONS}{name} VALUE",
                )
        return self.carried_substitutions() | dict(self._lines(self._own))

    def carried_substitutions(self) -> dict[str, str]:
        """Those of them that the dataset carries, whatever they hold, and the user did not set for himself."""
        own = dict(self._lines(self._own))
        return {name: value for name, value in self._lines(self._carried) if name not in own}

    def _lines(self, config: GitConfig) -> Iterator[tuple[str, str]]:
        for name, value, _, _ in config.items((SYSTEM, GLOBAL, LOCAL, WORKTREE, COMMAND)):
            if name.startswith(_SUBSTITUTIONS):
                yield name.removeprefix(_SUBSTITUTIONS), value
