"""The settings that hold here, and where each came from."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from engram.config import DEFAULTS, Settings, attribute_of, find_lab, read_settings, setting_name, variable_name
from engram.model.outcome import Leaf
from engram.workspace.context import Context, trust_folder, user_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting as ``engram config explain`` shows it."""

    #: Its name in ``-c engram.NAME=…`` and, with its first part as the section, in a file.
    name: str
    #: What holds now.
    value: Leaf
    #: Where that came from: ``default``, a file, a variable, ``-c``.
    source: str
    #: What holds when nobody sets it.
    default: Leaf
    #: Its name among the environment variables.
    variable: str

    def as_json(self) -> dict[str, Any]:
        """The record behind ``config explain --json``. Fields may be added, never changed."""
        return {"record": "setting", **{entry.name: getattr(self, entry.name) for entry in fields(self)}}


def explain(settings: Settings) -> Iterator[Setting]:
    """Every setting with its value and source, by name."""
    for attribute in sorted(DEFAULTS, key=setting_name):
        name = setting_name(attribute)
        yield Setting(
            name=name,
            value=getattr(settings, attribute),
            source=settings.source_of(name),
            default=DEFAULTS[attribute],
            variable=variable_name(attribute),
        )


class SettingsHere:
    """What the user, and the lab around the folder, have set."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def explain(self, name: str | None) -> Iterator[Setting]:
        """Every setting, or the one named. Raises `BadSetting` when there is none of that name."""
        wanted = None if name is None else setting_name(attribute_of(name.removeprefix("engram."), "argument"))
        context = self._context
        settings = read_settings(
            user_file(context.environment),
            environment=context.environment,
            options=context.options,
            lab_file=context.lab_file or find_lab(context.folder, trust_folder(context)),
        )
        for setting in explain(settings):
            if wanted in (None, setting.name):
                yield setting
