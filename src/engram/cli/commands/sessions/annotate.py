"""Take what people say of sessions from a table, as engram sessions missing -o TABLE hands it out.

What is confirmed (yes in that column) is taken, and replaces what was said before: that is kept in the history. The
rest is left as it is. A task that never happened has - as its value. All of the table is taken or, when a cell cannot
be, nothing: then everything that is wrong is told, with its row and column. Each session is one transaction.

    engram sessions annotate missing.csv
    engram sessions annotate --dry-run missing.xlsx
    engram sessions annotate --add-names missing.csv
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.model.errors import UsageError
from engram.workspace.annotation import Annotation


@click.command(cls=Verb, help=__doc__)
@click.argument("table", metavar="TABLE", type=click.Path())
@click.option(
    "--add-names", is_flag=True, help="Add people, projects, rooms, arenas and things that the catalogue does not know."
)
@options.plan
@click.pass_obj
def command(call: Call, *, table: str, add_names: bool, dry_run: bool, plan_file: str | None) -> None:
    annotation = call.open(Annotation)
    answers = annotation.read(table, adds=add_names)
    if answers.problems:
        call.failing_code = UsageError.exit_code  # nothing was kept
        call.show(iter(answers.problems))
    elif dry_run:
        call.show_plan(annotation.plan_annotate(answers), into=plan_file)
    else:
        call.show(annotation.annotate(answers))
    if answers.left and not answers.problems and call.style.for_people:
        told = (
            "1 answer is not confirmed, and is"
            if answers.left == 1
            else f"{answers.left} answers are not confirmed, and are"
        )
        call.show_lines(f"{told} left. Take them by yes in the column confirmed.")
