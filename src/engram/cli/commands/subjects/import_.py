"""Take subjects from a table: CSV, tab-separated or Excel, with a heading.

Columns may be called as MAP's and Kavli's files call them: subject_id, water_restriction_number, username, cage, dob,
sex, source, start_date, start_weight; animal_name, animal_id, animal_species, …; alias_KIND for more names. A column
that is not known is an error. Subjects that are there already are corrected where the table says something else; an
empty cell says nothing. All of the table is taken, or, when a cell is wrong, nothing: then everything that is wrong is
told.

    engram subjects import subjects.csv --dry-run
    engram subjects import subjects.xlsx
    engram subjects import subjects.csv --date-format %m/%d/%Y
"""

import click

from engram.cli import options
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.model.errors import UsageError
from engram.workspace.subjects import Subjects


@click.command(cls=Verb, help=__doc__)
@click.argument("table", metavar="FILE", type=click.Path())
@click.option("--date-format", metavar="FORMAT", help="How days are written: %d.%m.%Y (default: 2020-01-31).")
@options.plan
@click.pass_obj
def command(call: Call, *, table: str, date_format: str | None, dry_run: bool, plan_file: str | None) -> None:
    subjects = call.open(Subjects)
    call.failing_code = UsageError.exit_code  # nothing was kept
    if dry_run:
        call.show_plan(subjects.plan_import(table, date_format=date_format), into=plan_file)
    else:
        call.show(subjects.import_(table, date_format=date_format))
