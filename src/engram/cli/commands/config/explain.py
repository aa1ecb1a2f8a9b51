"""Show every setting, or one, with its value and where that came from.

The stronger source wins: -c engram.NAME=VALUE, then ENGRAM_… variables, then the user's own file, then the default.
What belongs to a lab stands in its engram.toml.

    engram config explain
    engram config explain datasets.backend
    engram -c engram.ui.color=off config explain ui.color
"""

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.workspace.settings import Setting, SettingsHere


@click.command(cls=Verb, help=__doc__)
@click.argument("name", required=False)
@click.pass_obj
def command(call: Call, name: str | None) -> None:
    call.show_records(call.open(SettingsHere).explain(name), _line)


def _line(setting: Setting) -> str:
    value = setting.value
    if isinstance(value, bool):
        value = "on" if value else "off"
    return f"{setting.name} = {'(none)' if value == '' else value}  [{setting.source}]"
