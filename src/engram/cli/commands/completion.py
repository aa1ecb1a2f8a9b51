"""Make a shell complete engram's words with the Tab key.

Put the line for your shell where it starts, as ~/.bashrc:

    eval "$(engram completion bash)"
    eval "$(engram completion zsh)"
    engram completion fish | source
"""

import click
from click.shell_completion import get_completion_class

from engram.cli.call import Call
from engram.cli.root import COMPLETE, Verb
from engram.cli.schemas import Help


@click.command(cls=Verb, help=__doc__)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    call = context.find_object(Call)
    assert call is not None, "main hands one in"
    kind = get_completion_class(shell)
    assert kind is not None, "click has these three"
    script = click.shell_completion.ShellComplete.source(kind(context.find_root().command, {}, "engram", COMPLETE))
    call.show_text(Help(topic=f"completion {shell}", text=script))
