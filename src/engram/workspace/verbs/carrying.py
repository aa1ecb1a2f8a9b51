"""`engram.carry_out`."""

from engram.model.outcome import Outcome
from engram.model.plan import Plan
from engram.workspace.carrying import Carrying
from engram.workspace.context import context_here
from engram.workspace.verbs.arguments import AnyPath, collected, text


def carry_out(plan: AnyPath | Plan) -> list[Outcome]:
    """The outcomes of doing what a plan says, as far as it still holds. Raises `EngramError`, or `IncompleteResults`.

    Args:
        plan: what `plan` gave, or the file that ``--dry-run -o`` wrote.
    """
    carrying = Carrying(context_here())
    return collected(carrying.carry_out(plan if isinstance(plan, Plan) else carrying.read(text(plan) or "")))
