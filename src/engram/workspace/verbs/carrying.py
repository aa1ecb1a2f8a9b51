"""`engram.carry_out`."""

from engram.model.outcome import Outcome
from engram.workspace.carrying import Carrying
from engram.workspace.context import context_here
from engram.workspace.verbs.arguments import AnyPath, collected, text


def carry_out(plan: AnyPath) -> list[Outcome]:
    """The outcomes of doing what a plan says, as far as it still holds. Raises `EngramError`, or `IncompleteResults`.

    Args:
        plan: the file that ``--dry-run -o`` wrote.
    """
    carrying = Carrying(context_here())
    return collected(carrying.carry_out(carrying.read(text(plan) or "")))
