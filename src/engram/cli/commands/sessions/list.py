"""List the sessions in the catalogue: all, or those that every filter chooses.

A filter that is given several times is true of any of its values. --where takes terms FIELD OP VALUE joined by and:
the operators are = != < <= > >= ~ (holds this text) and in (A, B); see engram help choosing.

    engram sessions list
    engram sessions list --subject 12347 --since 2020-01-01 --kind imaging
    engram sessions list --where 'project ~ grid and finding != moved'
    engram --json sessions list
"""

from datetime import date

import click

from engram.cli import dates
from engram.cli.call import Call
from engram.cli.root import Verb
from engram.cli.text import printable
from engram.model.reports import SessionReport
from engram.workspace.sessions import Sessions


@click.command(cls=Verb, help=__doc__)
@click.option("--subject", multiple=True, metavar="NAME", help="Of this subject, by any of its names.")
@click.option("--since", metavar="DAY", callback=dates.day, help="From this day on: 2020-01-31.")
@click.option("--until", metavar="DAY", callback=dates.day, help="Until this day, which counts.")
@click.option("--kind", multiple=True, metavar="KIND", help="With a recording of this kind: video, imaging, ….")
@click.option("--group", multiple=True, metavar="NAME", help="In this group.")
@click.option("--share", multiple=True, metavar="NAME", help="On this share.")
@click.option("--finding", multiple=True, metavar="CODE", help="With a finding of this kind: truncated, ….")
@click.option("--where", default="", metavar="EXPR", help="Of which this is true: 'project ~ grid and date < 2021'.")
@click.pass_obj
def command(
    call: Call,
    *,
    subject: tuple[str, ...],
    since: date | None,
    until: date | None,
    kind: tuple[str, ...],
    group: tuple[str, ...],
    share: tuple[str, ...],
    finding: tuple[str, ...],
    where: str,
) -> None:
    days = {"since": since, "until": until}
    filters: dict[str, tuple[str, ...]]
    filters = {name: (day.isoformat(),) for name, day in days.items() if day is not None}
    filters |= {"subject": subject, "kind": kind, "group": group, "share": share, "finding": finding}
    call.show_records(call.open(Sessions).list(filters, where), _line)


def _line(report: SessionReport) -> str:
    from engram.cli.sessions_view import contents

    session = report.session
    told = [contents(session.recordings, len(session.tasks), session.unknown)]
    told += [f"by {', '.join(report.experimenters)}"] if report.experimenters else []
    told += [f"for {', '.join(report.projects)}"] if report.projects else []
    told += [f"in {', '.join(session.groups)}"] if session.groups else []
    told += (
        [f"findings: {', '.join(sorted({finding.code for finding in session.findings}))}"] if session.findings else []
    )
    return printable(f"{session.id}: {'; '.join(told)}")
