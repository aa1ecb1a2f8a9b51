"""Plans on the screen and in files."""

import json

from engram.cli.render import SEE_ALL, Screen, Style, writer
from engram.cli.text import printable, size
from engram.durable import Steps, replace
from engram.model.counting import plural
from engram.model.errors import UsageError
from engram.model.plan import Plan, PlannedStep


def write_plan(plan: Plan, path: str) -> None:
    """Write a plan into a file, whole or not at all."""
    try:
        replace(Steps(), path, (json.dumps(plan.as_json(), indent=1) + "\n").encode("ascii"))
    except OSError as error:
        raise UsageError(f"The plan cannot be written to {path}: {error.strerror}.", "Name another file.") from error


def show_plan(screen: Screen, style: Style, plan: Plan) -> None:
    """A plan on the screen: a line for each step, what is refused, and the sum."""
    if not style.for_people:
        writer(screen, style)(plan)
    else:
        fold_after = style.fold_after if screen.is_terminal else 0
        shown = plan.steps[:fold_after] if fold_after else plan.steps
        for step in () if style.quiet else shown:
            screen.line(_step_line(f"would {step.action}", step))
        if len(shown) < len(plan.steps) and not style.quiet:
            screen.line(f"  [{len(plan.steps) - len(shown)} more; to see all: {SEE_ALL}]")
        for step in plan.refused:
            screen.line(_step_line(f"would not {step.action}", step))
        refused = f", {len(plan.refused)} refused" if plan.refused else ""
        screen.line(f"plan: {plural(len(plan.steps), 'step')}, {size(plan.bytes)}{refused}; nothing was changed")
    screen.flush()


def _step_line(verb: str, step: PlannedStep) -> str:
    amount = f" ({size(step.bytes)})" if step.bytes else ""
    return f"{verb}: {printable(step.item)}{amount}{f' [{printable(step.why)}]' if step.why else ''}"
