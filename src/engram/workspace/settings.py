"""The settings that hold here, and where each came from."""

from collections.abc import Iterator

from engram.config import Setting, Sources, attribute_of, explain, find_lab, read_settings, setting_name
from engram.workspace.context import Context, user_file


class SettingsHere:
    """What the user, and the lab around the folder, have set."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def explain(self, name: str | None) -> Iterator[Setting]:
        """Every setting, or the one named. Raises `BadSetting` when there is none of that name."""
        wanted = None if name is None else setting_name(attribute_of(name.removeprefix("engram."), "argument"))
        context = self._context
        sources = Sources(
            user_file=user_file(context.environment),
            environment=context.environment,
            options=context.options,
            lab_file=context.lab_file or find_lab(context.folder),
        )
        for setting in explain(read_settings(sources)):
            if wanted in (None, setting.name):
                yield setting
